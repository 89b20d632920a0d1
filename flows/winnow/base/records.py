"""The values that travel between stages: frozen, plain, and free of behaviour beyond what they are."""

from __future__ import annotations

import hashlib
import json
import re
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

Json: TypeAlias = dict[str, Any]
"""A JSON object: what is printed, stored or sent as it is. Not for values that travel between modules."""

_SURROGATE = re.compile("[\ud800-\udfff]")

DUPLICATE_DOCUMENT = "duplicate_document"
"""Reason of every passage of a document that is left out whole."""
INTERNAL_ERROR = "internal_error"
"""Kind of the reject of what Winnow stumbled over by a fault of its own."""
OTHER_LANGUAGE = "other_language"
"""Kind of the reject of a document in a language that the recipe does not name."""
REPEATED_ID = "repeated_id"
"""Kind of the reject of a record whose id another record has."""
BROKEN_OFF = ("truncated", "damaged", "decompression_bomb")
"""Kinds of the rejects of what a file breaks off in; of a record only the part before the break is kept."""


def doc_id_of(source: str) -> str:
    """First 16 hex digits of SHA-256 of the source.

    >>> doc_id_of("a/b.txt")
    '5550000d3b1cf1ff'
    """
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def fields_as_json(fields: Mapping[str, str] | Sequence[tuple[str, str]]) -> str:
    """The other fields of a record as the tables hold them: one JSON object, which every reader of Parquet takes.

    >>> fields_as_json({"site": "é"}), fields_as_json([])
    ('{"site": "é"}', '{}')
    """
    return json.dumps(dict(fields), ensure_ascii=False)


def without_lone_surrogates(text: str) -> str:
    """The text with surrogate pairs joined and U+FFFD for lone halves, as JSON escapes may leave them.

    >>> without_lone_surrogates("\\ud83d\\ude00 \\ud83d")
    '😀 �'
    """
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def internal_error(error: Exception) -> tuple[str, dict[str, str]]:
    """What a reject says of a fault of Winnow's own: the reason, and metadata that hold the traceback."""
    traced = "".join(traceback.format_exception(error))[-4000:]
    why = f"internal error ({type(error).__name__}: {str(error)[:200]}); please report it with these bytes"
    return why, {"traceback": traced}


@dataclass(frozen=True, slots=True, kw_only=True)
class RawDocument:
    """One source's text as it was decoded, before any repair. Line ends are LF.

    ``content`` holds the bytes as read where they differ from the text in UTF-8; ``content_sha256`` is of the
    bytes as read either way. ``input`` is the input file that held it, relative to the input root, and ``row`` the
    number of its record in there, from 1; None for a file that is one document.
    """

    source: str
    text: str
    encoding: str
    content_sha256: str
    title: str | None = None
    collected_at: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    input: str = ""
    row: int | None = None

    @property
    def doc_id(self) -> str:
        return doc_id_of(self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A document that failed to be read or failed an expectation, with its bytes, its input file and row there."""

    source: str
    stage: str
    reason: str
    expectation: str
    content: bytes
    metadata: Mapping[str, str] = field(default_factory=dict)
    input: str = ""
    row: int | None = None

    @property
    def doc_id(self) -> str:
        return doc_id_of(self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Records of an input file that hold no document and are not kept, such as the requests in a web archive."""

    input: str
    records: int


Read: TypeAlias = RawDocument | Reject | LeftOut
"""What reading yields."""


class Edit(NamedTuple):  # a damaged text has many; a frozen dataclass takes four times as long to make
    """One repair. ``start`` and ``end`` are code-point offsets in the text as it stood before this edit."""

    seq: int
    rule: str
    rule_version: int
    start: int
    end: int
    before: str
    after: str
    confidence: float
    applied: bool


@dataclass(frozen=True, slots=True)
class Passage:
    """One block of a document; ``text + gap`` of all passages in order is the repaired text."""

    position: int
    kind: str
    text: str
    gap: str
    part: int = 0
