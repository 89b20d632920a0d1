r"""CSV and TSV with a head line: each row is a record of strings.

The delimiter is the one that the recipe names, else the one under which the head names the text field, the format's own
first; a line ``sep=;`` before the head says it too. Quotes are doubled (RFC 4180) or, where the file does so, escaped
by a backslash; ``\N`` is null. Files whose quotes are single ones, or follow the delimiter after a space, are told by
their first rows; a file of one column whose lines hold commas here and there has no delimiter at all.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import orjson

from winnow.base.errors import ReadError
from winnow.base.records import LeftOut, Read
from winnow.read.charset import decode
from winnow.read.charset_names import codec_named
from winnow.read.content import MB, Content, sha256
from winnow.read.delimited_lines import Lines, LongLine, TooLong, lines_of, long_line
from winnow.read.fields import Record, Records, distinct, require_columns
from winnow.read.jsonl import read_jsonl
from winnow.read.sources import FileSettings

DELIMITERS = ",;\t|"
_SELDOM = "^~\x01"  # delimiters only where the text field's name stands between them in the head
MAX_BEFORE_HEAD = 20  # lines: titles, dates, comments
_NO_DELIMITER = "\x1f"  # which no text holds
_SAMPLE = 1 << 18  # characters by which the dialect is told
_MOST_RETRIES = 8  # quotes that never close; after so many the rest of the file is one reject
_SOME_LINES = 1000  # by which those of rows are told from those of a text
_DUMPED = {"n": "\\\n", "t": "\\\t", "r": "\\\r"}  # as csv takes the same escapes
_DUMPED_NULL = re.compile(r"(?:^|\t)\\N\r?(?:$|\t)", re.MULTILINE)  # of a table that a database dumped
_SEP = re.compile(r'(?P<quote>"?)sep=([,;\t|])(?P=quote)\s*$', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How rows are written: the delimiter, whether a quote inside a field is escaped by a backslash, which quotes there
    are (none where a database dumped a table and escaped line ends and tabs), and whether spaces stand before them."""

    delimiter: str
    escaped: bool = False
    quote: str = '"'
    spaced: bool = False

    def rows(self, lines: Iterator[str]) -> Iterator[list[str]]:
        """Rows of fields; raises csv.Error where a quote closes inside a field, and goes on after that."""
        if not self.escaped:
            return csv.reader(
                lines, delimiter=self.delimiter, quotechar=self.quote, skipinitialspace=self.spaced, strict=True
            )
        between = re.escape(self.delimiter)
        null = re.compile(rf"(?:(?<=^)|(?<={between}))\\N(?=$|[\r\n{between}])")
        other = re.compile(rf'\\([^"\\\r\n{between}])|(\\.)')  # a backslash that escapes nothing
        meant = {} if self.quote else _DUMPED
        plain = (other.sub(lambda m: m[2] or meant.get(m[1], rf"\\{m[1]}"), null.sub("", line)) for line in lines)
        return csv.reader(
            plain, delimiter=self.delimiter, escapechar="\\", doublequote=False,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
        )  # fmt: skip

    def as_meant(self, row: str, width: int | None) -> list[str] | None:
        """The fields of a row in which a quote closes neither before a delimiter nor at the end; None of one that opens
        a quote which was meant for no other line than its first.

        Quotes that are not doubled are of the text, be they all or those inside; which of the two, the number of fields
        tells.

        >>> Dialect(",").as_meant('1,"He said "yes, now" twice"', 2), Dialect(",").as_meant('"Yes" he said,1', 2)
        (['1', 'He said "yes, now" twice'], ['"Yes" he said', '1'])
        """
        row = row.removesuffix("\n").removesuffix("\r")
        if "\n" in row or "\r" in row:
            return self._fields(row, is_whole=False, none_open=True)
        inside = self._fields(row, is_whole=True) or []
        return inside if width in (None, len(inside)) else self._fields(row, is_whole=False)

    def _fields(self, row: str, *, is_whole: bool, none_open: bool = False) -> list[str] | None:
        """Fields, of which those in quotes end where one closes; it closes before a delimiter, and not `is_whole` it is
        the first one or none. With `none_open` there are no fields where one is opened and not closed so.
        """
        quotes = re.compile(rf"(?P<run>{self.quote}+)(?P<closes> *(?={re.escape(self.delimiter)}|$))?")
        fields: list[str] = []
        at, may_close = 0, True
        while at <= len(row):
            found = self._quoted(row, at, quotes, is_whole) if may_close else None
            if found is None:
                if none_open and row.startswith(self.quote, at):
                    return None
                end = row.find(self.delimiter, at)
                end = len(row) if end < 0 else end
                may_close = may_close and not (is_whole and row.startswith(self.quote, at))  # none closes after it
                found = row[at:end], end
            fields.append(found[0])
            at = found[1] + 1
        return fields

    def _quoted(self, row: str, at: int, quotes: re.Pattern[str], is_whole: bool) -> tuple[str, int] | None:
        """The field in quotes at a place and where it ends; None where there is none."""
        while self.spaced and row.startswith(" ", at):
            at += 1
        if not row.startswith(self.quote, at):
            return None
        said: list[str] = []
        at += 1
        while found := quotes.search(row, at):
            n = len(found["run"])
            said += row[at : found.start()], self.quote * (n // 2)
            if n % 2 and found["closes"] is not None:
                return "".join(said), found.end()
            if n % 2 and not is_whole:
                return None
            said.append(self.quote * (n % 2))
            at = found.end("run")
        return None


def found_dialect(head: str, sample: str, delimiter: str, text_field: tuple[str, ...]) -> Dialect:
    r"""The dialect of a file from its head line and its first characters; `delimiter` where nothing tells.

    >>> found_dialect("id;text", "", ",", ("text",)).delimiter
    ';'
    >>> found_dialect("id,text", 'id,text\n1,"a \\"b\\" c"\n', ",", ("text",)).escaped
    True
    """
    if not any(sign in head for sign in DELIMITERS + _SELDOM) and _is_prose(sample):
        return Dialect(_NO_DELIMITER)
    if (naming := _delimiter_of_head(head, delimiter, text_field)) is not None:
        return dialect_of(sample, naming)
    return dialect_of(sample, max(delimiter + DELIMITERS, key=head.count))


def _delimiter_of_head(line: str, delimiter: str, text_field: tuple[str, ...]) -> str | None:
    """The delimiter under which a line names the text field, the format's own first; None where it is no head."""
    for candidate in dict.fromkeys(delimiter + DELIMITERS + _SELDOM):
        names = {name.strip().strip("'") for row in csv.reader([line], delimiter=candidate) for name in row}
        if not names.isdisjoint(text_field):
            return candidate
    return None


def _before_head(sample: list[str], delimiter: str, text_field: tuple[str, ...]) -> int:
    """Number of lines above the head; none unless it is the first to name the text, has more columns than each of them
    has, and the next line has as many.

    >>> _before_head(["Report of 2020\\n", "\\n", "id,text\\n", "1,one\\n"], ",", ("text",))
    2
    >>> _before_head(["Report,,\\n", ",,\\n", "id,text,by\\n", "1,one,\\n"], ",", ("text",))
    2
    >>> _before_head(["id,body\\n", "1,text\\n"], ",", ("text",)), _before_head(["text\\n", "a,b\\n"], ",", ("text",))
    (0, 0)
    """
    for n, line in enumerate(sample[:MAX_BEFORE_HEAD]):
        found = _delimiter_of_head(line, delimiter, text_field)
        if found is None:
            continue
        above = [x.rstrip(f'{found}" \r\n').count(found) for x in sample[:n]]  # a spreadsheet pads a title
        signs = [x.count(found) for x in sample[n : n + 2]]
        return n if n and max(above) < signs[0] <= signs[-1] else 0
    return 0


def _is_prose(sample: str) -> bool:
    """Whether lines hold delimiters here and there rather than the same number each.

    >>> _is_prose("text\\nhello, world\\nall of it\\n"), _is_prose("text\\na,b\\nc,d\\n")
    (True, False)
    """
    lines = [line for line in sample.splitlines()[1:] if line]
    return '"' not in sample and any(len({line.count(sign) for line in lines}) > 1 for sign in DELIMITERS)


def dialect_of(sample: str, delimiter: str) -> Dialect:
    """The dialect of a file whose delimiter is known, from its first characters."""
    inside = rf'[^{re.escape(delimiter)}\r\n"]'
    doubled = re.search(rf'[^\\{re.escape(delimiter)}\r\n]""{inside}', sample)
    escaped = not doubled and re.search(rf'[^\\](?:\\\\)*\\"{inside}', sample)
    between = re.escape(delimiter)
    if delimiter == "\t" and _DUMPED_NULL.search(sample) and not re.search(r'(?:^|\t)"', sample, re.MULTILINE):
        return Dialect(delimiter, escaped=True, quote="")
    if re.search(rf'{between} +"[^"]*" *(?:{between}|[\r\n])', sample) and not re.search(rf'{between}"', sample):
        return Dialect(delimiter, bool(escaped), spaced=True)
    return Dialect(delimiter, bool(escaped), quote="'" if _is_in_single_quotes(sample, between) else '"')


def _is_in_single_quotes(sample: str, between: str) -> bool:
    """Whether single quotes stand around fields: around some that hold the delimiter, and wherever one begins."""
    if re.search(rf'(?:^|{between})"', sample, re.MULTILINE):
        return False
    begun = re.findall(rf"(?:^|{between})'", sample, re.MULTILINE)
    ended = re.findall(rf"'(?={between}|\r?$)", sample, re.MULTILINE)
    holds = rf"(?:^|{between})'[^'\r\n]*{between}[^'\r\n]*'(?:{between}|\r?$)"
    return len(begun) == len(ended) and bool(re.search(holds, sample, re.MULTILINE))


def _read(content: Content, settings: FileSettings, delimiter: str) -> Iterator[Read]:
    """A document or a reject for each row; what is kept of a row is its record as JSON.

    Lines above the head, such as a title, are left out, and so is the head where it stands again.

    Bytes that are not UTF-8 are decoded field by field. Raises ReadError for a file without a text column.
    """
    # A field that never closes its quote would swallow the file; the limit is the process's, and the same for all.
    csv.field_size_limit(int(settings.max_document_mb * MB))
    records = Records(content, settings)
    lines = Lines(lines_of(content.blocks))
    try:
        head, dialect, above = _head(lines, delimiter, settings)
    except csv.Error as error:
        raise ReadError("malformed_row", f"has a head line that cannot be read: {error}") from error
    if above:
        yield LeftOut(input=content.path, records=above)
    require_columns(head, settings)
    try:
        yield from _rows(lines, head, dialect, records)
    except csv.Error as error:
        yield content.reject("malformed_row", f", line {lines.before + 1}: {error}; rows before it were read")
    except ReadError as error:
        yield content.reject(error.kind, f": {error}; what stands before was read")


def _head(lines: Lines, delimiter: str, settings: FileSettings) -> tuple[list[str], Dialect, int]:
    """The names of the columns, how rows are written, and how many lines with words stand above them."""
    first = next(lines, "")
    if said := _SEP.match(first):
        delimiter = said[2]
        lines.next_row()
        first = next(lines, "")
    sample, size = [first], 0
    try:
        while size < _SAMPLE and (line := next(lines, "")):
            sample.append(line)
            size += len(line)
    except TooLong as error:
        sample.append(error.line)
    if not any(line.strip() for line in sample):
        raise ReadError("empty", "is an empty file; remove it or write it again")
    n_above = _before_head(sample, settings.delimiter or delimiter, settings.text_field)
    above, sample = sample[:n_above], sample[n_above:]
    lines.charset = _one_charset("".join(sample))
    if settings.delimiter:
        dialect = dialect_of("".join(sample), settings.delimiter)
    else:
        dialect = found_dialect(sample[0], "".join(sample), delimiter, settings.text_field)
    lines.source, lines.row, lines.ended = chain(sample, lines.source), [], False
    lines.before += n_above
    head = next(_rows_as_meant(lines, dialect, None), None)
    if not isinstance(head, list):
        raise ReadError("malformed_row", "opens a quote in its head line that never closes; mend the head line")
    lines.next_row()
    fields = [_decoded(f, settings, lines.charset).strip() for f in head]
    return distinct(fields), dialect, sum(1 for line in above if line.strip())


def _rows(lines: Lines, head: list[str], dialect: Dialect, records: Records) -> Iterator[Read]:
    settings = records.settings
    nulls = {name: None for name in settings.text_field if name in head}
    number = 1  # the head is row 1
    retries = n_heads = 0
    while True:
        for row in _rows_as_meant(lines, dialect, len(head)):
            if isinstance(row, LongLine):
                number += 1
                place = f", row {number} (line {lines.before + len(lines.row)})"
                lines.end_row(dialect.quote)
                yield records.reject(
                    _too_long(), Record(value=None, raw=b"", sha256=row.sha256, row=number, place=place)
                )
                continue
            if row is None:  # it opens a quote that was not to close where it does, or not at all
                break
            place = f", row {(number := number + 1)}"
            lines.next_row()
            if not row:
                continue
            fields = ["" if f == r"\N" else _decoded(f, settings, lines.charset) for f in row]
            while len(fields) > len(head) and not fields[-1]:  # a delimiter at the end of each row says nothing
                fields.pop()
            if len(head) > 1 and [field.strip(" \ufeff") for field in fields] == head:
                n_heads += 1  # of a file that was put behind another
                continue
            said = {h: f for h, f in zip(head, fields, strict=False) if f}
            # A row that does not fit the head is kept with it, field by field: nothing of it is cut off.
            raw = orjson.dumps(said if len(fields) <= len(head) else [head, fields])
            record = Record(value=nulls | said, raw=raw, sha256=sha256(raw), row=number, place=place)
            yield records.result(record, _too_many_fields(head, fields) if len(fields) > len(head) else None)
        else:
            if n_heads:
                yield LeftOut(input=records.content.path, records=n_heads)
            return
        swallowed, lines.row = lines.row, []
        cut = swallowed if lines.ended and retries >= _MOST_RETRIES else swallowed[:1]
        retries, lines.ended = retries + lines.ended, False
        raw = orjson.dumps([head, [_decoded(line, settings, lines.charset) for line in cut]])
        raw = raw if len(raw) <= settings.max_document_mb * MB else b""
        number += 1
        place = f", row {number} (line {lines.before + 1})"
        unread = Record(value=None, raw=raw, sha256=sha256(raw), row=number, place=place)
        yield records.reject(_open_quote(), unread)
        lines.before += len(cut)
        lines.again.extendleft(reversed(swallowed[len(cut) :]))


def _rows_as_meant(lines: Lines, dialect: Dialect, width: int | None) -> Iterator[list[str] | LongLine | None]:
    """The rows of a file, most of `width` fields; at last None where one opens a quote that does not close rightly.

    In the place of one that has a line too long comes that line.
    """
    rows = dialect.rows(lines)
    while True:
        try:
            row = next(rows, None)
        except TooLong as error:
            rows = dialect.rows(lines)
            yield error.line
            continue
        except csv.Error:
            if sum(map(len, lines.row)) > csv.field_size_limit():
                if width is None:
                    raise
                if not _are_rows(lines.row[1:], dialect.delimiter, width):
                    rows = dialect.rows(lines)
                    yield long_line("".join(lines.row))
                    continue
                lines.ended = True  # as far as may be looked, the quote never closes
            row = None if lines.ended else dialect.as_meant("".join(lines.row), width)
            if row is None:
                yield None
                return
        if row is None or lines.ended:
            if lines.row:
                yield None
            return
        yield from _parted(lines.row, dialect.delimiter, width) or [row]


def _parted(lines: Sequence[str], delimiter: str, width: int | None) -> list[list[str]]:
    r"""The rows that two stray quotes made one; none where it is one by rights.

    Each of its lines has as many fields as the head then, and they are parted by tabs, or begin with numbers that go
    on.

    >>> _parted(['3\t"so\n', '5\tthen"\n'], "\t", 2), _parted(['3,"so\n', '5,then"\n'], ",", 2)
    ([['3', '"so'], ['5', 'then"']], [])
    """
    if len(lines) < 2 or not width or width < 2 or any(line.count(delimiter) != width - 1 for line in lines):
        return []
    rows = [line.rstrip("\r\n").split(delimiter) for line in lines]
    first = rows[0][0]
    counted = first.isdecimal() and [row[0] for row in rows] == [str(int(first) + n) for n in range(len(rows))]
    return rows if delimiter == "\t" or counted else []


def _are_rows(lines: Sequence[str], delimiter: str, width: int) -> bool:
    """Whether most lines have as many fields as the head, and more than one."""
    sample = lines[:_SOME_LINES]
    return width > 1 and 2 * sum(line.count(delimiter) == width - 1 for line in sample) > len(sample)


def _open_quote() -> ReadError:
    return ReadError("malformed_row", "opens a quote that never closes; close it")


def _too_long() -> ReadError:
    return ReadError("too_large", "is longer than a document may be, and is not kept here; raise read.max_document_mb")


def _too_many_fields(head: list[str], fields: list[str]) -> ReadError:
    said = f"has {len(fields)} fields, the head line {len(head)}; quote fields with delimiters"
    return ReadError("malformed_row", said)


def _read_kept(content: Content, settings: FileSettings, delimiter: str) -> Iterator[Read]:
    """What a document or reject kept: a record as JSON, head and fields of a row that did not fit, or the file."""
    kept = b"".join(content.blocks)
    again = Content(path=content.path, blocks=iter((kept,)), open=content.open, lines_before=content.lines_before)
    try:
        record_kept = orjson.loads(kept) if kept.startswith((b"{", b"[[")) else None
    except orjson.JSONDecodeError:  # a file that begins like one of ours
        record_kept = None
    if isinstance(record_kept, dict):
        yield from read_jsonl(again, settings)
    elif record_kept and len(record_kept) == 2 and all(isinstance(part, list) for part in record_kept):
        head, fields = record_kept
        fits = len(fields) <= len(head)
        said = None if fits else {h: f for h, f in zip(head, fields, strict=False) if f}
        error = _open_quote() if fits else _too_many_fields(head, fields)
        record = Record(value=said, raw=kept, sha256=sha256(kept), row=1, place="")
        yield Records(content, settings).reject(error, record)
    else:
        yield from _read(again, settings, delimiter)


read_csv, read_kept_csv = partial(_read, delimiter=","), partial(_read_kept, delimiter=",")
read_tsv, read_kept_tsv = partial(_read, delimiter="\t"), partial(_read_kept, delimiter="\t")


def _decoded(text: str, settings: FileSettings, likeliest: str | None) -> str:
    """A field whose bytes are not UTF-8 (they stand as surrogates), decoded by itself."""
    if text.isascii():
        return text
    raw = _bytes_of(text)
    if raw is None:
        return text
    return decode(raw, settings.charset or likeliest, certain=settings.charset is not None).text


def _one_charset(sample: str) -> str | None:
    """The charset of lines that are not in UTF-8; None where they are in several, or no text.

    >>> _one_charset("1;Да\\n2;Нет\\n3;Привет, мир\\n".encode("cp1251").decode("utf-8", "surrogateescape"))
    'cp1251'
    """
    raw = _bytes_of(sample)
    try:
        encoding = decode(raw).encoding if raw is not None else ""
    except ReadError:
        return None
    return codec_named(encoding) or None


def _bytes_of(text: str) -> bytes | None:
    """The bytes of text in which some stand as surrogates; None where none do."""
    try:
        text.encode("utf-8")
        return None
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")
