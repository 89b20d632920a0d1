"""What runs that follow one another must give: the same as a full run over the last input."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd
import pytest
from tests.articles import article
from tests.conftest import write_jsonl
from tests.operate.dataset_runs import rows_of, run_stages, two_batches

from winnow.base.recipe import Recipe
from winnow.publish.dataset import Dataset
from winnow.publish.verify import verify
from winnow.repair.engine.ledger import undo
from winnow.run import previous_version, site_table, sorted_runs, work_plan
from winnow.run.intake import read_if_unchanged
from winnow.run.run_context import RunOrder, begin

RECIPE = Recipe.model_validate({"validate": {"max_reject_share": 1, "max_count_drop": 1, "max_mean_length_change": 1}})
LENIENT = Recipe.model_validate(
    {"validate": {"max_reject_share": 1, "min_documents": 0, "max_mean_residual_markup": 1, "max_reject_share_rise": 1}}
)
NEWS = f"City Opens a New Bridge Today\n\n{article(4)}"
PROMOTED = {"id": "p", "text": f"ARTICLE CONTINUES BELOW THIS AD\n\n{NEWS}"}
FIRST, SECOND, OTHER = ({"id": name, "text": article(n)} for name, n in (("x", 1), ("x", 2), ("y", 3)))
HALVES = {"id": "z", "text": FIRST["text"][: len(FIRST["text"]) // 2] + OTHER["text"][len(OTHER["text"]) // 2 :]}


@pytest.mark.parametrize(
    "batches",
    [
        pytest.param(
            ({"b": [FIRST]}, {"a": [SECOND], "b": [FIRST]}),
            id="a file that comes first by name takes an id over",
        ),
        pytest.param(
            ({"a": [SECOND, OTHER], "b": [FIRST]}, {"a": [OTHER], "b": [FIRST]}),
            id="a file gives up an id that an unchanged file holds too",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            (
                {"a": [{"id": "x", "text": NEWS}]},
                {"a": [{"id": "x", "text": NEWS}], "b": [PROMOTED]},
                {"a": [FIRST], "b": [PROMOTED]},
            ),
            id="a copy that begins with promotion comes back",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            (
                {"a": [FIRST], "b": [OTHER]},
                {"a": [FIRST], "b": [OTHER, HALVES]},
                {"a": [SECOND], "b": [OTHER, HALVES]},
            ),
            id="pairs that are alike come and go",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_runs_that_follow_one_another_give_what_a_full_run_gives(
    batches: tuple[dict[str, list[dict[str, str]]], ...], tmp_path: Path
) -> None:
    for n, files in enumerate(batches):
        for name, records in files.items():
            write_jsonl(tmp_path / f"{n}" / f"{name}.jsonl", records)
        run_stages(tmp_path / f"{n}", tmp_path / "dataset", recipe=RECIPE)
    incremental = rows_of(tmp_path / "dataset")
    run_stages(tmp_path / f"{len(batches) - 1}", tmp_path / "dataset", recipe=RECIPE, full=True)
    assert rows_of(tmp_path / "dataset") == incremental


@pytest.mark.slow
def test_a_file_that_is_gone_leaves_its_id_to_an_unchanged_one_that_is_read_again(tmp_path: Path) -> None:
    source, dataset = tmp_path / "in", tmp_path / "dataset"
    for name, record in (("a", SECOND), ("b", FIRST)):
        write_jsonl(source / f"{name}.jsonl", [record])
    run_stages(source, dataset, recipe=RECIPE)
    asked = begin(Dataset(dataset), RECIPE, RunOrder(source=str(source)))
    assert read_if_unchanged(asked) is not None
    (source / "a.jsonl").unlink()
    assert read_if_unchanged(asked) is None
    run_stages(source, dataset, recipe=RECIPE)
    assert pd.read_parquet(dataset / "latest" / "documents")["text"].to_list() == [FIRST["text"]]


LETTERS = {letter: n for n, letter in enumerate("xyz")}
RECORDS = ("{letter}1", "{letter}2", "{letter}-", "{letter}!")
"""A record of a letter: two contents, one without text (rejected when it is read), one of signs (rejected after)."""


def record_of(name: str) -> dict[str, str]:
    letter, content = name
    if content == "-":
        return {"id": letter}
    return {
        "id": letter,
        "text": "=" * 40 + "-" * 9 if content == "!" else article(10 * LETTERS[letter] + int(content)),
    }


def random_state(chance: random.Random) -> dict[str, list[dict[str, str]]]:
    """Up to three files with some of the records of three ids, which several files may hold."""
    state = {}
    for file in "abc":
        names = [chance.choice(RECORDS).format(letter=letter) for letter in LETTERS if chance.random() < 0.5]
        if names and chance.random() < 0.8:
            state[file] = [record_of(n) for n in chance.sample(names, len(names))]
    return state or {"a": [FIRST]}


def known_rows(dataset: Path) -> dict[str, list[str]]:
    """What a reader sees of each document and each reject that waits, without when it came."""
    view = dataset / "latest"
    documents, copies = (pd.read_parquet(view / t)[["source", "title", "text"]] for t in ("documents", "duplicates"))
    rejects = pd.read_parquet(view / "rejects")
    rejects = rejects[rejects.replayed_in.isna()][["source", "stage", "expectation", "content", "input"]]
    index = pd.read_parquet(view / "index")[["doc_id", "input", "content_sha256"]]
    inputs = pd.read_parquet(view / "inputs")[["path", "sha256", "n_documents", "n_rejects"]]
    frames = {"documents": documents, "copies": copies, "rejects": rejects, "index": index, "inputs": inputs}
    return {name: sorted(map(repr, f.astype(object).itertuples(index=False))) for name, f in frames.items()}


# Seed 13 holds a reject whose bytes come again as a repeat in another file, 19 one that stays beside a good record.
@pytest.mark.parametrize("seed", [pytest.param(n, marks=pytest.mark.slow) for n in (13, 19, *range(20, 60))])
def test_a_mirror_ends_where_a_run_from_scratch_does(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    for n in range(4):
        state = random_state(chance)
        for name, records in state.items():
            write_jsonl(tmp_path / f"{n}" / f"{name}.jsonl", records)
        for dataset, mirror in ((tmp_path / "dataset", True), (tmp_path / f"scratch{n}", False)):
            run_stages(tmp_path / f"{n}", dataset, recipe=LENIENT, mirror=mirror)
        assert known_rows(tmp_path / "dataset") == known_rows(tmp_path / f"scratch{n}"), state
        assert verify(Dataset(tmp_path / "dataset"), undo=undo) == []


@pytest.mark.slow
def test_rows_do_not_depend_on_how_the_documents_are_cut_into_ranges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = two_batches(tmp_path)
    for source in sources:
        run_stages(source, tmp_path / "in one range")
    monkeypatch.setattr(work_plan, "RANGE_ROWS", 3)
    monkeypatch.setattr(previous_version, "RANGE_ROWS", 3)
    monkeypatch.setattr(site_table, "RANGE_DOCUMENTS", 3)
    monkeypatch.setattr(sorted_runs, "RANGE_BYTES", 4000)
    monkeypatch.setattr(sorted_runs, "MOST_RUNS", 2)
    monkeypatch.setattr(sorted_runs, "MERGED_RUNS", 2)
    for source in sources:
        run_stages(source, tmp_path / "in many")
    expected = rows_of(tmp_path / "in one range")
    assert rows_of(tmp_path / "in many") == expected
    run_stages(sources[-1], tmp_path / "in many", full=True)
    assert rows_of(tmp_path / "in many") == expected
