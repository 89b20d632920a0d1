from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake

from winnow.base.contracts import TABLES
from winnow.publish.dataset import Dataset
from winnow.run.approval import past_runs, run_awaiting_approval

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def past(run_id: str, version: int, status: str, hours: int) -> dict[str, Any]:
    at = NOON + timedelta(hours=hours)
    return {
        **dict.fromkeys(TABLES["runs"].names, ""),
        "run_id": run_id,
        "version": version,
        "status": status,
        "started_at": at,
        "finished_at": at,
        "gate": "null",
        "note": None,
    }


def test_the_newest_run_is_that_of_the_newest_version_also_where_the_clock_was_set_back(tmp_path, monkeypatch):
    """Version 2 was held back twice and then published, an hour before by the clock; version 3 is held back.

    A run that was killed before its version stood does not count.
    """
    rows = [
        past("held-3", 3, "held", -9),
        past("again-2", 2, "held", 2),
        past("first", 1, "published", 5),
        past("killed-3", 3, "published", 6),
        past("done-2", 2, "approved", -1),
        past("held-2", 2, "held", 1),
    ]
    dataset = Dataset(tmp_path)
    write_deltalake(str(dataset.table("runs")), pa.Table.from_pylist(rows, TABLES["runs"]))
    monkeypatch.setattr(Dataset, "latest_version", lambda _: 2)
    monkeypatch.setattr(Dataset, "next_version", lambda _: 3)
    assert [run.run_id for run in past_runs(dataset)] == ["first", "held-2", "again-2", "done-2", "held-3"]
    waiting = run_awaiting_approval(dataset)
    assert waiting is not None and waiting.run_id == "held-3"
