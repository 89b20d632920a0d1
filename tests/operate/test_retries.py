"""A stage that is tried again after storage failed for a moment repeats nothing that is done."""

from __future__ import annotations

import errno
from dataclasses import replace

import pytest
from tests.operate.dataset_runs import assert_tidy, rows_of, run_stages

from winnow.publish.dataset import Dataset
from winnow.run import release

STEPS = ("inputs: rearranged", "index: committed", "view renamed")


@pytest.mark.parametrize("step", [STEPS[1], *(pytest.param(s, marks=pytest.mark.slow) for s in (STEPS[0], STEPS[2]))])
def test_publication_tried_again_in_the_same_run_gives_one_version_without_a_row_twice(
    history, tmp_path, monkeypatch, step
):
    publish, failed = release.publish_version, []

    def flaky(publication, *changes):
        def fail(name: str) -> None:
            if name == step and not failed:
                failed.append(name)
                raise OSError(errno.EIO, "the storage was away for a moment")

        try:
            return publish(replace(publication, checkpoint=fail), *changes)
        except OSError:
            return publish(publication, *changes)  # what the task's retry does

    monkeypatch.setattr(release, "publish_version", flaky)
    into = history.copy_to(tmp_path / "dataset")
    run_stages(history.source, into)
    assert failed == [step]
    assert Dataset(into).version_numbers() == [1, 2]
    assert rows_of(into) == history.rows
    run_stages(history.source, into)  # and leaves nothing for the next run to do
    assert Dataset(into).version_numbers() == [1, 2]
    assert_tidy(into)
