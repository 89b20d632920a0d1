"""From a record's fields to a document: which field is the text, which names it, which date it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from winnow.base.errors import ReadError
from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument, without_lone_surrogates

_DATES = (0, 7_258_118_400)  # seconds from 1970 to 2200; larger numbers are milliseconds


def document_of(
    record: Mapping[str, Any], raw: bytes, sha256: str, encoding: str, path: str, settings: ReadSettings
) -> RawDocument:
    """The document that a record holds; ``raw`` is the record as read.

    The source is the first of settings.id_fields that holds a string or a whole number. A record without one is named
    by its content, ``path#<first 16 hex of its SHA-256>``: by its line it would change when lines are shuffled. All
    fields that are not used go to the metadata, strings as they are, other values as JSON; null is left out.

    Raises ReadError: ``no_text``, ``text_not_a_string``; its reject has the same source.
    """
    text = record.get(settings.text_field)
    if not isinstance(text, str):
        raise _no_text(record, text, settings)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    used = {settings.text_field}
    source, id_field = _named(record, settings)
    if id_field is not None:
        used.add(id_field)
    title = record.get(settings.title_field)
    if isinstance(title, str) and title.strip():
        used.add(settings.title_field)
        title = " ".join(title.split())
    else:
        title = None
    collected_at = None
    for name in settings.date_fields:
        collected_at = parsed_date(record.get(name))
        if collected_at is not None:
            used.add(name)
            break
    rest = {k: v if isinstance(v, str) else _as_json(v) for k, v in record.items() if k not in used and v is not None}
    if not text.strip():
        raise ReadError("no_text", f"has no text: {settings.text_field!r} is blank; leave the record out or mend it")
    return RawDocument(
        f"{path}#{sha256[:16]}" if source is None else source,
        text, encoding, sha256, title, collected_at, rest, raw, path,
    )  # fmt: skip


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


def parsed_record(line: bytes) -> tuple[Any, str]:
    """The JSON value of a line and the encoding of its bytes.

    orjson reads what is plain JSON in UTF-8; the standard library what it refuses (NaN, lone surrogates, whole numbers
    beyond 64 bits). Bytes that are not UTF-8 are decoded as any others are.

    Raises ReadError of kind ``not_json``.
    """
    try:
        value = orjson.loads(line)
        if not (isinstance(value, dict) and any(isinstance(v, float) and abs(v) >= 2**53 for v in value.values())):
            return value, "utf-8"
    except orjson.JSONDecodeError:
        pass
    return _parsed_slowly(line)


def _parsed_slowly(line: bytes) -> tuple[Any, str]:
    from winnow.read.charset import decode

    try:
        text, encoding = line.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        text, encoding = decode(line)
    try:
        return _clean(json.loads(text)), encoding
    except RecursionError as error:
        raise ReadError("not_json", "is nested too deeply; flatten it") from error
    except json.JSONDecodeError as error:
        why = f"{error.msg.lower()} at column {error.colno}"
        raise ReadError("not_json", f"is not JSON: {why}; mend the line or leave it out") from error
    except ValueError as error:  # whole numbers of more than 4,300 digits
        raise ReadError("not_json", f"cannot be read as JSON: {error}; mend the line or leave it out") from error


def _clean(value: Any) -> Any:
    """The record with lone surrogates replaced in what is used as it is; nested values are written as ASCII JSON."""
    if not isinstance(value, dict):
        return value
    return {
        without_lone_surrogates(k): without_lone_surrogates(v) if isinstance(v, str) else v for k, v in value.items()
    }


def _as_json(value: object) -> str:
    try:
        return orjson.dumps(value, default=str).decode()
    except (TypeError, ValueError):  # integers beyond 64 bits, surrogates in nested strings
        return json.dumps(value, default=str)


def source_of(record: object, sha256: str, path: str, settings: ReadSettings) -> str:
    """What a record is called, also one that becomes a reject: by its own id, else by file and content."""
    source = _named(record, settings)[0] if isinstance(record, Mapping) else None
    return f"{path}#{sha256[:16]}" if source is None else source


def _named(record: Mapping[str, Any], settings: ReadSettings) -> tuple[str | None, str | None]:
    """The record's id and the field that holds it; both None where none does."""
    for name in settings.id_fields:
        if (source := _identity(record.get(name))) is not None:
            return source, name
    return None, None


def _identity(value: object) -> str | None:
    if isinstance(value, str):
        return value if value.strip() else None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _no_text(record: Mapping[str, Any], text: object, settings: ReadSettings) -> ReadError:
    field = settings.text_field
    if text is None:
        names = ", ".join(repr(str(k)[:40]) for k in list(record)[:8]) or "none"
        return ReadError("no_text", f"has no field {field!r} (its fields: {names}); name the field in read.text_field")
    return ReadError(
        "text_not_a_string",
        f"has a {type(text).__name__} in {field!r}, not a string; mend it or name another field in read.text_field",
    )
