"""Who writes to the tables, and how."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from deltalake import Transaction

from winnow.base.recipe import PublishSettings
from winnow.publish.tables.delta import MARK

Checkpoint = Callable[[str], None]


def no_checkpoint(name: str) -> None:
    """Called between the steps of publication; tests end the process there."""


@dataclass(frozen=True, slots=True)
class Writing:
    """Who writes, and how. ``milliseconds`` is the time of the commits since 1970."""

    run_id: str
    version: int
    file_bytes: int
    milliseconds: int

    @property
    def token(self) -> str:
        return hashlib.sha256(self.run_id.encode()).hexdigest()[:8]

    @property
    def transaction(self) -> Transaction:
        return Transaction(f"winnow:{self.run_id}", self.version)

    def mark(self, kind: str) -> dict[str, str]:
        return {MARK: kind, "winnow_run": self.run_id, "winnow_version": str(self.version)}


def writing_of(run_id: str, version: int, settings: PublishSettings, now: datetime) -> Writing:
    return Writing(run_id, version, settings.file_mb << 20, int(now.timestamp() * 1000))
