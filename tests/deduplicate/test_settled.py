"""Runs that only add documents leave the published ones as they are decided, and decide on the new ones as any run."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import write_jsonl
from tests.deduplicate.corpus import WORDS, paragraph, sentence
from tests.operate.dataset_runs import rows_of, run_stages

from winnow.base.recipe import Recipe
from winnow.deduplicate import array_files
from winnow.publish.dataset import Dataset
from winnow.run import table_changes, version_facts
from winnow.run.run_context import Run

RECIPE = Recipe.model_validate(
    {
        "read": {"shard_mb": 0.05},
        "deduplicate": {"boilerplate_documents": 12, "boilerplate_site_documents": 5, "template_documents": 8},
        "validate": {"min_drift_documents": 10_000, "max_site_loss_rise": 1.0},
    }
)  # fmt: skip


def documents(seed: int, count: int) -> Iterator[dict[str, str]]:
    """Articles, copies of every kind, some under templates, passages in common, questions, verses, short ones."""
    rng = random.Random(seed)
    pool = [paragraph(rng, rng.randint(2, 6)) for _ in range(40)]
    footers = [sentence(rng, 20) for _ in range(4)]
    questions = [f"What about {rng.choice(WORDS)} {n}?" for n in range(12)]
    known: list[list[str]] = []
    hot = rng.choice((1, 3, 8))  # documents that many are copies of
    for n in range(count):
        kind = rng.random()
        if known and kind < 0.3:  # a copy, in more or less the same words
            body = list(rng.choice(known[-60:] if rng.random() < 0.5 else known[:hot]))
            for _ in range(rng.choice((0, 0, 1, 1, 2, 6))):
                at = rng.randrange(len(body))
                words = body[at].split(" ")
                words[rng.randrange(len(words))] = rng.choice(WORDS)
                body[at] = " ".join(words)
            if rng.random() < 0.3:
                body = body[: rng.randint(1, len(body))]
            elif rng.random() < 0.3:
                body += [paragraph(rng) for _ in range(rng.randint(1, 3))]
        elif kind < 0.5:  # of passages that others have
            body = [rng.choice(pool) for _ in range(rng.randint(1, 5))]
            if rng.random() < 0.4:
                body.append(sentence(rng))
        elif kind < 0.6:
            answers = sentence(rng), "Yes, it is so, and it has been for long."
            body = [line for question in rng.sample(questions, 4) for line in (question, rng.choice(answers))]
        elif kind < 0.68:
            body = ["\n".join(sentence(rng, 6) for _ in range(4)) for _ in range(3)]
        elif kind < 0.75:
            body = [sentence(rng)]
        else:
            body = [paragraph(rng, rng.randint(1, 5)) for _ in range(rng.randint(1, 6))]
        known.append(body)
        site = rng.randrange(3)
        text = list(body)
        if rng.random() < 0.4:
            text = [footers[site], *text, footers[3]] if rng.random() < 0.5 else [*text, footers[site]]
        yield {"id": f"https://site{site}.org/{n}", "text": "\n\n".join(text)}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each run that asked, whether it knew what was settled."""
    known = table_changes._settled
    found: list[bool] = []

    def noting(run: Run) -> object:
        settled = known(run)
        found.append(settled is not None)
        return settled

    monkeypatch.setattr(table_changes, "_settled", noting)
    return found


@pytest.mark.parametrize(("seed", "runs"), [(1, 3), *(pytest.param(n, 4, marks=pytest.mark.slow) for n in range(1, 5))])
def test_what_is_settled_changes_no_row(
    seed: int, runs: int, tmp_path: Path, told: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    records = list(documents(seed, 260))
    cuts = sorted(rng.sample(range(60, 259), runs - 1))
    batches = [records[a:b] for a, b in zip([0, *cuts], [*cuts, len(records)], strict=True)]
    sent: list[Path] = []
    monkeypatch.setattr(array_files, "sent", sent.append)
    for n, batch in enumerate(batches):
        sent.clear()
        write_jsonl(tmp_path / "in" / f"{n}.jsonl", batch)
        run_stages(tmp_path / "in", tmp_path / "added", recipe=RECIPE)
        # A worker keeps what it has fetched from a store: what was written anew it would not see.
        assert len(set(sent)) == len(sent) > 0
        if not n:  # nothing is settled before a first version, so that both have the same one
            shutil.copytree(tmp_path / "added", tmp_path / "anew", symlinks=True)
            continue
        with monkeypatch.context() as patch:
            patch.setattr(table_changes, "_settled", lambda run: None)
            patch.setattr(version_facts, "_facts_before", lambda dataset, replaced: [])
            run_stages(tmp_path / "in", tmp_path / "anew", recipe=RECIPE)
        added, anew = rows_of(tmp_path / "added"), rows_of(tmp_path / "anew")
        for table in anew:
            assert added[table] == anew[table], (n, table)
        facts, of_anew = ((Dataset(tmp_path / d).latest_manifest().counts["facts"]) for d in ("added", "anew"))
        assert facts == of_anew
    assert told == [False, *[True] * (runs - 1)]
