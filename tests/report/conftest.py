from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.report.hostile import ALL, HOSTILE
from tests.report.view_of import write_view

from winnow.base.recipe import Recipe, ValidateSettings
from winnow.report.collect import collect
from winnow.report.page import render
from winnow.validate.expectations import TableCheck
from winnow.validate.facts import Facts
from winnow.validate.gate import check_dataset

SEEDS = Path(__file__).parents[2] / "seeds"
CREATED = datetime(2026, 1, 10, 9, 31, tzinfo=UTC)


def facts(version):
    return Facts(
        n_read=6 * version, n_published=5 * version, n_rejected=version, n_chars=20_000 * version,
        edits_by_rule={"tags": 9},
    )  # fmt: skip


def runs(count):
    tables = [
        TableCheck(
            table="documents", expectation="doc_id_unique", description=ALL, n_rows=5, n_failed=1, examples=(ALL,)
        )
    ]
    gate = check_dataset(facts(count), facts(count - 1), ValidateSettings(), tables).as_dict()
    recipe = Recipe().model_dump(mode="json", by_alias=True) | {"note": ALL}
    return [{"facts": facts(n).as_dict(), "gate": gate, "recipe": recipe, "note": ALL} for n in range(1, count + 1)]


@pytest.fixture(scope="session")
def seeds_view(tmp_path_factory):
    records = [{"source": p.name, "text": p.read_text(encoding="utf-8")} for p in sorted(SEEDS.glob("*.txt"))]
    return write_view(tmp_path_factory.mktemp("view"), records, runs=runs(1)[:1])


@pytest.fixture(scope="session")
def hostile_view(tmp_path_factory):
    """Hostile text as source, title, text, language, site, rule-made change, reason, note: in every field there is."""
    records = [
        {
            "source": f"{n} {text}", "title": text, "language": text[:20], "site": text,
            "text": f"{ALL}\n\n<p>{text} &amp;amp; & lt ;br& gt ;\n\nADVERTISEMENT {text}\n\nA quiet end, {n}.",
        }
        for n, text in enumerate(HOSTILE)
    ]  # fmt: skip
    rejects = [
        {"source": r["source"], "stage": "read", "expectation": r["title"], "reason": r["title"], "content": ALL}
        for r in records
    ]
    return write_view(tmp_path_factory.mktemp("hostile"), records, rejects, runs(3), copies=2)


@pytest.fixture(scope="session")
def hostile_page(hostile_view):
    return render(
        collect(
            hostile_view,
            version=3,
            created_at=CREATED,
            run_id="run-3",
            name=ALL,
            previous=2,
        )
    )


@pytest.fixture(scope="session")
def seeds_page(seeds_view):
    return render(collect(seeds_view, version=1, created_at=CREATED, run_id="run-1", name="Seeds"))
