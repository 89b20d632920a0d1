"""From a record's fields to a document: which field is the text, which names it, which date it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from winnow.base.errors import ReadError
from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument, Reject
from winnow.read.content import Content, internal_error

_DATES = (0, 7_258_118_400)  # seconds from 1970 to 2200; larger numbers are milliseconds


@dataclass(frozen=True, slots=True)
class Records:
    """Makes the records of one file documents or rejects."""

    content: Content
    settings: ReadSettings

    def document(self, record: Mapping[str, Any], raw: bytes, digest: str, encoding: str = "utf-8") -> RawDocument:
        """The document that a record holds; `raw` is the record as read, and `digest` its SHA-256.

        The source is the first of settings.id_fields that holds a string or a whole number. A record without one is
        named by its content, ``path#<first 16 hex of its SHA-256>``: by its line it would change when lines are
        shuffled. All fields that are not used go to the metadata, strings as they are, other values as JSON; null is
        left out.

        Raises ReadError: ``no_text``, ``text_not_a_string``; its reject has the same source.
        """
        settings = self.settings
        text = record.get(settings.text_field)
        if not isinstance(text, str):
            raise self._no_text(record, text)
        if not text.strip():
            raise ReadError(
                "no_text", f"has no text: {settings.text_field!r} is blank; leave the record out or mend it"
            )
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        used = {settings.text_field}
        id_field = self._id_field(record)
        if id_field is not None:
            used.add(id_field)
        title = record.get(settings.title_field)
        if isinstance(title, str) and title.strip():
            used.add(settings.title_field)
            title = " ".join(title.split())
        else:
            title = None
        dates = ((name, parsed_date(record.get(name))) for name in settings.date_fields)
        date_field, collected_at = next(((n, d) for n, d in dates if d is not None), (None, None))
        if date_field is not None:
            used.add(date_field)
        return RawDocument(
            source=self.source(record, digest),
            text=text,
            encoding=encoding,
            content_sha256=digest,
            title=title,
            collected_at=collected_at,
            metadata={k: _as_text(v) for k, v in record.items() if k not in used and v is not None},
            content=raw,
            input=self.content.path,
        )

    def reject(self, error: Exception, place: str, record: object, raw: bytes, digest: str) -> Reject:
        """The reject of a record that is no document; `place` tells where in the file it stands.

        Any other error than a ReadError is a fault of Winnow: its traceback is kept in the metadata.
        """
        source = self.source(record, digest)
        if isinstance(error, ReadError):
            return self.content.reject(error.kind, f"{place}: {error}", raw, source)
        return internal_error(self.content.path, place, error, raw, source)

    def source(self, record: object, digest: str) -> str:
        """What a record is called, also one that becomes a reject: by its own id, else by file and content."""
        if isinstance(record, Mapping) and (field := self._id_field(record)) is not None:
            return str(record[field])
        return f"{self.content.path}#{digest[:16]}"

    def _id_field(self, record: Mapping[str, Any]) -> str | None:
        return next((name for name in self.settings.id_fields if _is_id(record.get(name))), None)

    def _no_text(self, record: Mapping[str, Any], text: object) -> ReadError:
        field = self.settings.text_field
        if text is None and field in record:
            return ReadError("no_text", f"has no text: {field!r} is null or empty; leave the record out or mend it")
        if text is None:
            names = ", ".join(repr(str(k)[:40]) for k in list(record)[:8]) or "none"
            return ReadError(
                "no_text", f"has no field {field!r} (its fields: {names}); name the field in read.text_field"
            )
        return ReadError(
            "text_not_a_string",
            f"has a {type(text).__name__} in {field!r}, not a string; mend it or name another field in read.text_field",
        )


def require_text_column(names: list[str], settings: ReadSettings) -> None:
    """Raise ReadError for a table that has no column for the text."""
    if settings.text_field not in names:
        shown = ", ".join(repr(n[:40]) for n in names[:8])
        raise ReadError(
            "no_text", f"has no column {settings.text_field!r} (its columns: {shown}); name it in read.text_field"
        )


def parsed_date(value: object) -> datetime | None:
    """A date in UTC: ISO 8601 (without a zone: UTC), or seconds or milliseconds since 1970; None for anything else.

    >>> parsed_date("2024-03-01T10:00:00+02:00").isoformat(), parsed_date(1700000000).year, parsed_date("soon")
    ('2024-03-01T08:00:00+00:00', 2023, None)
    """
    try:
        if isinstance(value, str):
            if not 8 <= len(value) <= 40:
                return None
            date = datetime.fromisoformat(value.strip())
            return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        seconds = value if value < _DATES[1] else value / 1000
        return datetime.fromtimestamp(seconds, UTC) if _DATES[0] < seconds < _DATES[1] else None
    except (ValueError, OverflowError):
        return None


def _is_id(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else isinstance(value, int) and not isinstance(value, bool)


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value, default=str).decode()
    except (TypeError, ValueError):  # integers beyond 64 bits, surrogates in nested strings
        return json.dumps(value, default=str)
