"""From a record's fields to a document: which field is the text, which names it, which date it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any

import orjson

from winnow.base.errors import ReadError
from winnow.base.records import RawDocument, Reject
from winnow.read.content import Content, internal_error
from winnow.read.sources import FileSettings

_DATES = (0, 7_258_118_400)  # seconds from 1970 to 2200; larger numbers are milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as it was read: its value (fields by name, if it is sound), its bytes and their SHA-256, and its place.

    ``row`` is its number in the file, from 1; ``place`` says so in words that continue the file's path.
    """

    value: object
    raw: bytes
    sha256: str
    row: int
    place: str
    encoding: str = "utf-8"

    @property
    def fields(self) -> Mapping[str, Any]:
        return self.value if isinstance(self.value, dict) else {}


@dataclass(frozen=True, slots=True)
class Records:
    """Makes the records of one file documents or rejects."""

    content: Content
    settings: FileSettings

    def result(self, record: Record, error: Exception | None = None) -> RawDocument | Reject:
        """The document that a record holds, or the reject of one that holds none or was read with an `error`."""
        if error is None:
            try:
                return self.document(record)
            except Exception as caught:
                error = caught
        return self.reject(error, record)

    def document(self, record: Record) -> RawDocument:
        """The document that a record holds.

        Each of settings' text, title, id and date fields is a list of names; the first that holds such a value is taken
        (`value_of` says what a name may be). All fields that are not used go to the metadata, strings as they are,
        other values as JSON; null is left out. `source` tells what the document is called.

        Raises ReadError: ``no_text``, ``text_not_a_string``, ``malformed_record``; its reject has the same source.
        """
        settings, fields = self.settings, record.fields
        text_field = self._text_field(fields)
        _refuse_two_texts(record.raw, text_field)
        text: str = value_of(fields, text_field)
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        id_field = self._id_field(fields)
        title_field = next((n for n in settings.title_field if _is_said(value_of(fields, n))), None)
        dates = ((name, parsed_date(value_of(fields, name))) for name in settings.date_fields)
        date_field, collected_at = next(((n, d) for n, d in dates if d is not None), (None, None))
        used = [name for name in (text_field, id_field, title_field, date_field) if name is not None]
        return RawDocument(
            source=self._name(record, id_field),
            text=text,
            encoding=record.encoding,
            content_sha256=record.sha256,
            title=" ".join(value_of(fields, title_field).split()) if title_field else None,
            collected_at=collected_at,
            metadata={k: _as_text(v) for k, v in _without(fields, used).items() if v is not None},
            content=record.raw,
            input=self.content.path,
            row=record.row,
        )

    def reject(self, error: Exception, record: Record) -> Reject:
        """The reject of a record that is no document.

        Any other error than a ReadError is a fault of Winnow: its traceback is kept in the metadata.
        """
        source = self.source(record)
        if isinstance(error, ReadError):
            return self.content.reject(error.kind, f"{record.place}: {error}", record.raw, source, record.row)
        return internal_error(self.content.path, record.place, error, record.raw, source, record.row)

    def source(self, record: Record) -> str:
        """What a record is called, also one that becomes a reject.

        That is its own id, the first of settings.id_fields that holds a string or a whole number, with the name of the
        file or of the entry in ``read.sources`` before it where it is unique there alone (``read.ids``). A record
        without an id is named by its content, ``path#<first 16 hex of its SHA-256>``: by its line it would change when
        lines are shuffled.
        """
        return self._name(record, self._id_field(record.fields))

    def _name(self, record: Record, id_field: str | None) -> str:
        if id_field is None:
            return f"{self.content.path}#{record.sha256[:16]}"
        name = str(value_of(record.fields, id_field))
        scope = self.settings.ids
        if scope == "auto":
            scope = "file" if name.strip().isdecimal() else "everywhere"
        if scope == "everywhere":
            return name
        return f"{self.content.path if scope == 'file' else self.settings.source}#{name}"

    def _id_field(self, fields: Mapping[str, Any]) -> str | None:
        return next((name for name in self.settings.id_fields if _is_id(value_of(fields, name))), None)

    def _text_field(self, fields: Mapping[str, Any]) -> str:
        names = self.settings.text_field
        for name in names:
            if _is_said(value_of(fields, name)):
                return name
        held = [name for name in names if place_of(fields, name)]
        if not held:
            raise ReadError("no_text", f"has no field {_either(names)} ({_known('fields', fields)}); {_REMEDY}")
        wrong = next((n for n in held if not isinstance(value_of(fields, n), str | None)), None)
        if wrong is not None:
            kind = type(value_of(fields, wrong)).__name__
            raise ReadError(
                "text_not_a_string",
                f"has a {kind} in {wrong!r}, not a string; mend it or name another field in read.text_field",
            )
        if value_of(fields, held[0]) is None:
            raise ReadError("no_text", f"has no text: {held[0]!r} is null or empty; leave the record out or mend it")
        raise ReadError("no_text", f"has no text: {held[0]!r} is blank; leave the record out or mend it")


def _refuse_two_texts(raw: bytes, name: str) -> None:
    """Raise ReadError for an object that gives two texts in one field: readers of JSON take the last in silence."""
    if raw.count(orjson.dumps(name)) < 2:
        return
    try:
        pairs = json.loads(raw, object_pairs_hook=list, strict=False)
    except (ValueError, RecursionError):
        return
    if len({value for key, value in pairs if key == name and isinstance(value, str) and value.strip()}) > 1:
        raise ReadError("malformed_record", f"gives {name!r} twice, and not the same; keep one")


_REMEDY = "name the field in read.text_field"


def value_of(fields: Mapping[str, Any], name: str) -> Any:
    """The value of a field: of that name, or at that path; None where there is none.

    >>> value_of({"doc": {"text": "a"}}, "doc.text"), value_of({"doc.text": "b"}, "doc.text"), value_of({}, "x.y")
    ('a', 'b', None)
    """
    value = fields.get(name)
    if value is not None or "." not in name:
        return value
    place = place_of(fields, name)
    return place[0][place[1]] if place else None


def place_of(fields: Mapping[str, Any], name: str) -> tuple[Any, str] | None:
    """The object that holds a field, be it null, and its name there; None where there is none."""
    if name in fields:
        return fields, name
    *path, last = name.split(".")
    within: Any = fields
    for step in path:
        within = within.get(step) if isinstance(within, Mapping) else None
    return (within, last) if path and isinstance(within, Mapping) and last in within else None


def distinct(names: Iterable[str]) -> list[str]:
    """Column names, each once: a second column of a name is told from the first by a number.

    >>> distinct(["id", "note", "note"])
    ['id', 'note', 'note.2']
    """
    used: dict[str, int] = {}
    found = []
    for name in names:
        used[name] = used.get(name, 0) + 1
        found.append(name if used[name] == 1 else f"{name}.{used[name]}")
    return found


def require_columns(names: Sequence[str], settings: FileSettings) -> None:
    """Raise ReadError for a table without a column for the text, or for what its entry in ``read.sources`` names."""
    for setting in ("text_field", *settings.named):
        wanted: tuple[str, ...] = getattr(settings, setting)
        if wanted and not any(name in names or name.partition(".")[0] in names for name in wanted):
            near = [n for n in names if n.casefold() == wanted[0].casefold()]
            near = near or difflib.get_close_matches(wanted[0], names, 1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            known = _known("columns", names)
            kind = "no_text" if setting == "text_field" else "no_column"
            raise ReadError(kind, f"has no column {_either(wanted)} ({known}); {hint}name it in read.{setting}")


def _either(names: Sequence[str]) -> str:
    return " or ".join(map(repr, names))


def _known(what: str, names: Iterable[object]) -> str:
    shown = [repr(str(name)[:40]) for name in list(names)[:8]]
    return f"its {what}: {', '.join(shown) or 'none'}"


def _without(fields: Mapping[str, Any], used: Sequence[str]) -> dict[str, Any]:
    """The fields that are not used; of one that holds a used value deep inside, what else it holds.

    >>> _without({"doc": {"text": "a", "by": "b"}, "id": "c", "x": {"y": "z"}}, ["doc.text", "id", "x.y"])
    {'doc': {'by': 'b'}}
    """
    left = {name: value for name, value in fields.items() if name not in used}
    for name in used:
        step, _, inner = name.partition(".")
        if inner and name not in fields and isinstance(left.get(step), Mapping):
            left[step] = _without(left[step], [inner])
            if not left[step]:
                del left[step]
    return left


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


def _is_said(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_id(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else isinstance(value, int) and not isinstance(value, bool)


def _as_text(value: object) -> str:
    """A value as text, others than strings as JSON, of which some write numbers that are none.

    >>> _as_text("a"), _as_text([1]), _as_text(float("nan")), _as_text(float("-inf"))
    ('a', '[1]', 'NaN', '-Infinity')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, float) and not isfinite(value):
        return json.dumps(value)  # orjson writes null, which would be another value
    try:
        return orjson.dumps(value, default=str).decode()
    except (TypeError, ValueError):  # integers beyond 64 bits, surrogates in nested strings
        return json.dumps(value, default=str)
