"""What a run tells when it is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from winnow.base.records import Json
from winnow.validate.gate import GateResult


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentCounts:
    """Documents of a run and of the version after it; ``withdrawn`` is None where nothing was published."""

    read: int
    unchanged: int
    published: int
    duplicates: int
    rejected: int
    withdrawn: int | None = None

    def shown(self) -> dict[str, int]:
        """The counts by name, without those that are not known."""
        return {name: count for name, count in asdict(self).items() if count is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What a run did.

    ``version`` is the one it published, None where nothing had changed; ``latest`` the last there is. Repairs are
    counted by rule, removals and rejects that wait by reason, over the whole version. ``example`` is the doc_id of the
    document with the most repairs. ``gate`` is what the version had to meet.
    """

    run_id: str
    version: int | None
    latest: int | None
    documents: DocumentCounts
    repairs: Mapping[str, int] = field(default_factory=dict)
    removals: Mapping[str, int] = field(default_factory=dict)
    rejects: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    example: str | None = None
    gate: GateResult | None = None

    def as_dict(self) -> Json:
        """Plain data for JSON: what ``--json`` prints."""
        data = {n: getattr(self, n) for n in self.__slots__ if n not in ("documents", "gate")}
        data |= {"documents": self.documents.shown(), "warnings": list(self.warnings)}
        return data | ({"gate": self.gate.as_dict()["results"]} if self.gate else {})
