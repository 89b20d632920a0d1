"""Runs that follow one another give what one run over the last input gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.articles import article
from tests.conftest import write_jsonl
from tests.operate.dataset_runs import rows_of, run_stages

from winnow.base.recipe import Recipe

RECIPE = Recipe.model_validate({"validate": {"max_reject_share": 1, "max_count_drop": 1, "max_mean_length_change": 1}})
FIRST, SECOND, OTHER = ({"id": name, "text": article(n)} for name, n in (("x", 1), ("x", 2), ("y", 3)))


@pytest.mark.parametrize(
    "batches",
    [
        pytest.param(
            ({"b": [FIRST]}, {"a": [SECOND], "b": [FIRST]}),
            id="a file that comes first by name takes an id over",
            marks=pytest.mark.xfail(
                strict=True, reason="the record of the unchanged file is replaced and not rejected as a repeat"
            ),
        ),
        pytest.param(
            ({"a": [SECOND, OTHER], "b": [FIRST]}, {"a": [OTHER], "b": [FIRST]}),
            id="a file gives up an id that an unchanged file holds too",
            marks=pytest.mark.xfail(
                strict=True, reason="the record of the unchanged file waits as a repeat until the file is read again"
            ),
        ),
    ],
)
def test_an_id_that_two_files_hold_comes_out_as_in_one_full_run(
    batches: tuple[dict[str, list[dict[str, str]]], ...], tmp_path: Path
) -> None:
    for n, files in enumerate(batches):
        for name, records in files.items():
            write_jsonl(tmp_path / f"{n}" / f"{name}.jsonl", records)
        run_stages(tmp_path / f"{n}", tmp_path / "dataset", recipe=RECIPE)
    incremental = rows_of(tmp_path / "dataset")
    run_stages(tmp_path / f"{len(batches) - 1}", tmp_path / "dataset", recipe=RECIPE, full=True)
    assert rows_of(tmp_path / "dataset") == incremental
