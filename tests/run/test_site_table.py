"""What each site gave, and a site that loses far more than it did before, or than the others do."""

from pathlib import Path

import pandas as pd
import pytest
from tests.articles import article
from tests.conftest import write_jsonl
from tests.operate.dataset_runs import run_stages

from winnow.base.recipe import Recipe, ValidateSettings
from winnow.validate.site_losses import SiteCounts, largest_loss

LIMITS = {"max_reject_share": 1, "max_reject_share_rise": 1, "max_count_drop": 1, "max_mean_length_change": 9}
RECIPE = Recipe.model_validate({"validate": {**LIMITS, "min_drift_documents": 4, "max_site_loss_rise": 0.3}})
COUNTS = ["n_documents", "n_published", "n_repaired", "n_duplicates", "n_rejected"]


def records(site: str, numbers: range, text: int | None = None) -> list[dict[str, str]]:
    return [{"url": f"https://{site}/{n}", "text": article(n if text is None else text)} for n in numbers]


def counts(dataset: Path) -> dict[str, list[int]]:
    rows = pd.read_parquet(dataset / "latest" / "sources")
    return {row["site"]: [row[n] for n in COUNTS] for _, row in rows.iterrows()}


@pytest.mark.slow
def test_a_version_is_held_back_when_a_site_loses_far_more_than_before_and_the_reason_names_it(tmp_path: Path) -> None:
    source, dataset = tmp_path / "in", tmp_path / "dataset"
    write_jsonl(source / "a.jsonl", [*records("a.org", range(6)), *records("b.org", range(10, 16))])
    (source / "note.txt").write_text(article(90), encoding="utf-8")
    write_jsonl(source / "more.jsonl", [{"id": "x", "text": article(91)}, {"id": "y", "text": "…"}])
    run_stages(source, dataset, recipe=RECIPE)
    first = {"a.org": [6, 6, 0, 0, 0], "b.org": [6, 6, 0, 0, 0], ".": [1, 1, 0, 0, 0], "more.jsonl": [2, 1, 0, 0, 1]}
    assert counts(dataset) == first
    write_jsonl(source / "c.jsonl", records("b.org", range(20, 26), text=10))
    with pytest.raises(
        AssertionError, match=r"b\.org lost 50 % of its 12 documents, where it lost 0 % before, for example"
    ):  # run_stages asks that the gate passes
        run_stages(source, dataset, recipe=RECIPE)
    write_jsonl(source / "c.jsonl", records("b.org", range(20, 22), text=10))
    run_stages(source, dataset, recipe=RECIPE)
    assert counts(dataset) == first | {"b.org": [8, 6, 0, 2, 0]}
    rows = pd.read_parquet(dataset / "latest" / "sources").set_index("site")
    assert rows["version"].to_dict() == {"a.org": 1, ".": 1, "more.jsonl": 1, "b.org": 2}


def site(documents: int, lost: int, passages: int = 0, removed: int = 0) -> SiteCounts:
    return SiteCounts(n_documents=documents, n_duplicates=lost, n_rejected=0, n_passages=passages, n_removed=removed)


@pytest.mark.parametrize(
    ("now", "before", "found"),
    [
        pytest.param({"a": site(99, 99), "b": site(500, 0)}, {}, None, id="a small site is not judged"),
        pytest.param({"a": site(500, 0)}, {}, None, id="one site alone has none to compare with"),
        pytest.param({"a": site(200, 100), "b": site(400, 0)}, {}, ("a", 0.5), id="a new site against the others"),
        pytest.param(
            {"a": site(200, 100), "b": site(400, 40)},
            {"a": site(180, 90), "b": site(400, 0)},
            ("b", 0.1),
            id="a known site against itself",
        ),
        pytest.param(
            {"a": site(200, 0, 1000, 900)}, {"a": site(200, 0, 1000, 100)}, ("a", 0.8), id="passages count too"
        ),
    ],
)
def test_the_site_whose_loss_rose_most_is_found(
    now: dict[str, SiteCounts], before: dict[str, SiteCounts], found: tuple[str, float] | None
) -> None:
    loss = largest_loss(now, before, ValidateSettings())
    assert (loss and (loss.site, round(loss.rise, 3))) == found
