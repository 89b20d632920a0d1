"""Plain text: the whole file is a document, its path the source."""

from __future__ import annotations

from collections.abc import Iterator

from winnow.base.errors import ReadError
from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument
from winnow.read.charset import decode
from winnow.read.content import Content, sha256, whole


def read_text(content: Content, settings: ReadSettings) -> Iterator[RawDocument]:
    """One document; raises ReadError for a file that is empty, binary or too large."""
    raw = whole(content, settings)
    text, encoding = decode(raw)
    if not text.strip():
        raise ReadError("empty", "holds nothing but white space; remove it or write it again")
    kept = None if raw == text.encode() else raw
    yield RawDocument(content.path, text, encoding, sha256(raw), content=kept, input=content.path)
