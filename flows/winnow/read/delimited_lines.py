"""Lines of a delimited file, row by row; one that is longer than a document may be costs its own row alone."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field


class LongLine(str):
    """What stands for a line longer than a document may be: none of its text, but its quotes and its hash."""

    quotes: str
    sha256: str


class TooLong(csv.Error):
    """The next line is longer than a document may be."""

    def __init__(self, line: LongLine) -> None:
        super().__init__("a line is longer than a document may be; raise read.max_document_mb")
        self.line = line


@dataclass(slots=True)
class Lines:
    """The lines of a file, with those of the row that is being read, those that are to be read again, and how many came
    before them."""

    source: Iterator[str]
    row: list[str] = field(default_factory=list)
    again: deque[str] = field(default_factory=deque)
    before: int = 0
    ended: bool = False
    charset: str | None = None
    """What the first lines are in as a whole, where they are in one that is not UTF-8: a field alone says little."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.again.popleft() if self.again else next(self.source, None)
        if line is None:
            self.ended = True
            raise StopIteration
        self.row.append(line)
        if isinstance(line, LongLine):
            raise TooLong(line)
        return line

    def next_row(self) -> None:
        self.before += len(self.row)
        self.row = []

    def end_row(self, quote: str) -> None:
        """Pass over the rest of a row that has a line too long: it goes on while a quote is open."""
        count = 0
        while True:
            count += sum((line.quotes if isinstance(line, LongLine) else line).count(quote) for line in self.row)
            self.next_row()
            if not quote or count % 2 == 0 or self.ended:
                return
            with suppress(StopIteration, TooLong):
                next(self)


def lines_of(blocks: Iterator[bytes]) -> Iterator[str]:
    """Lines with their ends (LF, CRLF or CR); bytes that are not UTF-8 stand as surrogates."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    line = _Growing()
    carry, first = "", True
    for block in blocks:
        text = carry + decoder.decode(block)
        if first:
            text, first = text.lstrip("\ufeff"), False
        carry = "\r" if text.endswith("\r") else ""  # an LF may follow
        for piece in io.StringIO(text.removesuffix(carry), newline=""):
            line.add(piece)
            if piece[-1] in "\r\n":
                yield line.whole()
                line = _Growing()
    line.add(carry + decoder.decode(b"", final=True))
    if line.size:
        yield line.whole()


class _Growing:
    """A line that is put together; of one longer than a field may be, hash and quotes are kept."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.size = 0
        self._digest = hashlib.sha256()
        self._quotes = ""

    def add(self, piece: str) -> None:
        self._parts.append(piece)
        self.size += len(piece)
        if self.size > csv.field_size_limit():
            text = "".join(self._parts)
            self._parts = []
            self._digest.update(text.encode("utf-8", "surrogateescape"))
            self._quotes += "".join(sign for sign in "\"'" if text.count(sign) % 2)

    def whole(self) -> str:
        if self.size <= csv.field_size_limit():
            return "".join(self._parts)
        line = LongLine()
        line.quotes, line.sha256 = self._quotes, self._digest.hexdigest()
        return line


def long_line(text: str) -> LongLine:
    """What stands for lines that are together longer than a document may be."""
    growing = _Growing()
    growing.add(text)
    line = growing.whole()
    assert isinstance(line, LongLine)
    return line
