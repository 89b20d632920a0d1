"""What a run tells when it is over."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from winnow.base.records import Json
from winnow.read import Skipped
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
class NotRead:
    """Files that a run left out for the same reason: how many, and the first few."""

    reason: str
    files: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        """The files in words.

        >>> str(NotRead(reason="hidden", files=1, examples=(".a",))), str(
        ...     NotRead(reason="no reader for .png", files=4, examples=("a.png", "b.png", "c.png"))
        ... )
        ('1 file not read, hidden: .a', '4 files not read, no reader for .png: a.png, b.png, c.png, ...')
        """
        more = ", ..." if self.files > len(self.examples) else ""
        return f"{files_in_words(self.files)} not read, {self.reason}: {', '.join(self.examples)}{more}"


def files_in_words(count: int) -> str:
    """
    >>> files_in_words(1), files_in_words(1200)
    ('1 file', '1,200 files')
    """
    return f"{count:,} file" + "s" * (count != 1)


MOST_KINDS = 12
EXAMPLES = 3


def not_read(skipped: Iterable[Skipped]) -> tuple[NotRead, ...]:
    """Returns what was left out, by reason, the most frequent first; reasons after the first dozen are summed up."""
    counts: Counter[str] = Counter()
    examples: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for one in skipped:
        counts[one.reason] += 1
        if len(examples[one.reason]) < EXAMPLES:
            examples[one.reason] += (one.path,)
    ranked = sorted(counts, key=lambda reason: (-counts[reason], reason))
    told = [NotRead(reason=r, files=counts[r], examples=examples[r]) for r in ranked[:MOST_KINDS]]
    if rest := ranked[MOST_KINDS:]:
        first = tuple(path for r in rest for path in examples[r])[:EXAMPLES]
        told.append(NotRead(reason=f"{len(rest)} more reasons", files=sum(counts[r] for r in rest), examples=first))
    return tuple(told)


@dataclass(frozen=True, slots=True, kw_only=True)
class StillHeld:
    """The run that the gate held back, where nothing it was made from has changed since; and why, in words."""

    run_id: str
    version: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Documents that a run erased, the versions it took them from, and its receipt.

    ``set_aside`` is what an earlier repair of the dataset moved away; nothing is erased from what nobody can read.
    """

    documents: int
    versions: tuple[int, ...]
    receipt: str
    set_aside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What a run did.

    ``version`` is the one it published, None where nothing had changed; ``latest`` the last there is. Repairs are
    counted by rule, removals and rejects that wait by reason, over the whole version. ``example`` is the doc_id of the
    document with the most repairs. ``gate`` is what the version had to meet, ``not_read`` what was left out. With
    ``held`` nothing was done, for the same version would be held back again. ``erased`` is what an erasure took away.
    """

    run_id: str
    version: int | None
    latest: int | None
    documents: DocumentCounts
    repairs: Mapping[str, int] = field(default_factory=dict)
    removals: Mapping[str, int] = field(default_factory=dict)
    rejects: Mapping[str, int] = field(default_factory=dict)
    not_read: tuple[NotRead, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    example: str | None = None
    gate: GateResult | None = None
    held: StillHeld | None = None
    erased: Erasure | None = None

    def as_dict(self) -> Json:
        """Plain data for JSON: what ``--json`` prints."""
        data = {n: getattr(self, n) for n in self.__slots__ if n not in ("documents", "gate", "held", "erased")}
        data |= {"documents": self.documents.shown(), "warnings": list(self.warnings)}
        data["not_read"] = [asdict(kind) for kind in self.not_read]
        data["held"] = asdict(self.held) if self.held else None
        data |= {"erased": asdict(self.erased)} if self.erased else {}
        return data | ({"gate": self.gate.as_dict()["results"]} if self.gate else {})
