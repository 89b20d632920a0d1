from datetime import UTC, datetime, timedelta

from winnow.publish.dataset import Dataset
from winnow.run import approval
from winnow.run.approval import PastRun, past_runs, run_awaiting_approval

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def past(run_id: str, version: int, status: str, hours: int) -> PastRun:
    at = NOON + timedelta(hours=hours)
    return PastRun(
        run_id=run_id,
        version=version,
        status=status,
        started_at=at,
        finished_at=at,
        recipe_id="a",
        gate=None,
        note=None,
    )


def test_the_newest_run_is_that_of_the_newest_version_also_where_the_clock_was_set_back(tmp_path, monkeypatch):
    """Version 2 was held back twice and then published, an hour before by the clock; version 3 is held back."""
    rows = [
        past("held-3", 3, "held", -9),
        past("again-2", 2, "held", 2),
        past("first", 1, "published", 5),
        past("done-2", 2, "approved", -1),
        past("held-2", 2, "held", 1),
    ]
    monkeypatch.setattr(approval, "active_files", lambda *_: [type("File", (), {"name": "a"})])
    monkeypatch.setattr(approval, "open_table", lambda _: None)
    monkeypatch.setattr(approval.pads, "dataset", lambda *_, **__: _Table(rows))
    monkeypatch.setattr(approval, "_past_run", lambda row: row)
    assert [run.run_id for run in past_runs(Dataset(tmp_path))] == ["first", "held-2", "again-2", "done-2", "held-3"]
    monkeypatch.setattr(Dataset, "next_version", lambda _: 3)
    waiting = run_awaiting_approval(Dataset(tmp_path))
    assert waiting is not None and waiting.run_id == "held-3"


class _Table:
    """Rows that stand for a table of runs."""

    def __init__(self, rows: list[PastRun]) -> None:
        self._rows = rows

    def to_table(self) -> "_Table":
        return self

    def to_pylist(self) -> list[PastRun]:
        return self._rows
