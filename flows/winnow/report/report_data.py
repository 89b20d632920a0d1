"""What the report shows, as plain frozen values; nothing here reads a file or knows HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Link:
    """A stream of the flow diagram; values are documents or characters."""

    source: str
    target: str
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One change in its surroundings, or one text left out."""

    doc_id: str
    source: str
    lead: str = ""  # text before it
    before: str = ""
    after: str = ""
    tail: str = ""  # text after it
    note: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """How often one rule acted, or one reason applied."""

    name: str
    count: int
    documents: int
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a document: `raw` as decoded, `clean` as it is now; equal where nothing was changed."""

    raw: str
    clean: str
    rules: tuple[str, ...] = ()
    removed: str | None = None  # the reason, where the stretch is not in the published text


@dataclass(frozen=True, slots=True)
class Sample:
    """One document to read side by side, its pieces in order."""

    doc_id: str
    pieces: tuple[Piece, ...]
    cut: int = 0  # characters that are not shown


@dataclass(frozen=True, slots=True)
class Listed:
    """One document in the searchable list."""

    doc_id: str
    title: str
    source: str
    language: str
    n_chars: int
    n_edits: int
    n_removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One version in the trend. None where that version's run did not record the fact."""

    version: int
    published: int | None
    mean_chars: float | None
    reject_share: float | None
    duplicate_share: float | None
    repairs_per_document: float | None
    residual_markup: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What came in from a site, and what became of it."""

    name: str
    n_documents: int
    n_repaired: int
    n_duplicates: int
    n_rejected: int
    n_removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A document that was removed as a copy."""

    source: str
    similarity: float
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A document that is kept, how many copies of it were removed, and the least alike of them."""

    source: str
    title: str
    count: int
    copies: tuple[Copy, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """A pair that is alike and both kept; `containment` is the share of the one that stands in the other."""

    source: str
    other: str
    similarity: float
    containment: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageLengths:
    """Documents in a language, their median length, and how many have up to each of LENGTHS characters, or more."""

    language: str
    count: int
    median_chars: int
    by_length: tuple[int, ...]


LENGTHS = (1_000, 10_000, 100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportData:
    """A version as the report tells it."""

    name: str
    version: int
    previous: int | None
    created_at: datetime
    run_id: str
    recipe_id: str
    n_published: int
    n_duplicates: int
    n_rejected: int
    n_chars: int
    n_words: int
    n_repaired: int  # published documents with at least one repair
    n_suspicions: int
    documents_flow: tuple[Link, ...] = ()
    characters_flow: tuple[Link, ...] = ()
    repairs: tuple[Tally, ...] = ()
    removals: tuple[Tally, ...] = ()
    rejects: tuple[Tally, ...] = ()
    not_read: tuple[Tally, ...] = ()  # files of the input by the reason why they were left out
    lengths: tuple[tuple[float, float, int], ...] = ()  # from, to (characters), documents
    median_chars: int = 0
    languages: tuple[tuple[str, int], ...] = ()
    language_lengths: tuple[LanguageLengths, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    alike: tuple[Alike, ...] = ()
    n_alike: int = 0
    sites: tuple[Site, ...] = ()
    trend: tuple[Point, ...] = ()
    gate: Mapping[str, Any] = field(default_factory=dict)  # as runs.gate holds it
    documents: tuple[Listed, ...] = ()
    samples: tuple[Sample, ...] = ()
    recipe: Mapping[str, Any] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None
