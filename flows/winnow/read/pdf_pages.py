"""PDF to text, in a process of its own: bytes come in, JSON goes out, and what the parser breaks is this process alone.

It is run as a file and imports nothing of Winnow. A line of the page is known by where its characters stand; lines
become paragraphs by the gaps between them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

_MEMORY = 2 << 30  # bytes of address space
_SECONDS, _SECONDS_A_MB = 60, 10  # of processor time; 1.4 MB take half a second
_HYPHEN = "\ufffe"  # what PDFium puts where a line ends in a hyphen
_BULLETS = ("•", "◦", "▪", "‣", "–", "—", "-", "*", "·", "○", "●")
_GAP = 1.35  # of the usual step from line to line, from which a paragraph ends
_SCALE = 1.25  # of the height of the line before, from which a line is a heading, or the text after one
_FULL = 0.6  # of the widest line, from which a line is running text; a full line after another begins a paragraph


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line and where its first and last characters stand, in points; y grows upwards."""

    text: str
    left: float
    right: float
    bottom: float
    height: float


def paragraphs(lines: Sequence[Line]) -> Iterator[str]:
    """The lines of a page as paragraphs: running text in one line, anything else line by line.

    A word that a hyphen parts at the end of a line keeps a soft hyphen and the line end, for a repair to join it.

    >>> page = [("One two", 90), ("three", 80), ("four.", 70), ("Five", 50)]
    >>> lines = [Line(text=t, left=0, right=99, bottom=y, height=9) for t, y in page]
    >>> list(paragraphs(lines))
    ['One two three four.', 'Five']
    """
    steps = [a.bottom - b.bottom for a, b in pairwise(lines) if a.bottom > b.bottom]
    usual = median(steps) if steps else 0.0
    widest = max(map(_width, lines), default=0.0)
    held: list[Line] = []
    for line in lines:
        if held and (_begins(held, line, usual) or _width(held[-1]) < _FULL * widest <= _width(line)):
            yield _joined(held, widest)
            held = []
        held.append(line)
    if held:
        yield _joined(held, widest)


def _width(line: Line) -> float:
    return line.right - line.left


def _begins(held: Sequence[Line], line: Line, usual: float) -> bool:
    before = held[-1]
    step = before.bottom - line.bottom
    tall, short = max(before.height, line.height), min(before.height, line.height)
    is_indented = line.left > before.left + line.height and (len(held) < 2 or before.left <= held[0].left + 1)
    return (
        step > _GAP * usual
        or step < -before.height  # the next column, or a note
        or (short > 0 and tall > _SCALE * short)
        or line.text.startswith(_BULLETS)
        or (is_indented and not held[0].text.startswith(_BULLETS))
    )


def _joined(lines: Sequence[Line], widest: float) -> str:
    is_running = all(_width(line) >= _FULL * widest for line in lines[:-1])
    text = ""
    for line in lines:
        if text.endswith(_HYPHEN):
            text = text[:-1] + ("\xad\n" if line.text[:1].islower() else "-" if is_running else "-\n") + line.text
        elif text:
            text += (" " if is_running else "\n") + line.text
        else:
            text = line.text
    return text.replace(_HYPHEN, "-")


def lines_of(page: Any) -> list[Line]:
    """The lines of a page of PDFium's in its order, which is that of the file."""
    text = page.get_textpage()
    try:
        said = text.get_text_range()
        lines = []
        at = 0
        for piece in said.replace(_HYPHEN, _HYPHEN + "\r\n").split("\r\n"):
            stripped = piece.strip(" \t\r\n\0")
            if stripped:
                first = at + piece.index(stripped)
                left, bottom, _, top = _box(text, first)
                _, _, right, _ = _box(text, first + len(stripped.rstrip(_HYPHEN)) - 1)
                lines.append(Line(text=stripped, left=left, right=right, bottom=bottom, height=top - bottom))
            at += len(piece) + (0 if piece.endswith(_HYPHEN) else 2)
        return lines
    finally:
        text.close()


def _box(text: Any, at: int) -> tuple[float, float, float, float]:
    try:
        left, bottom, right, top = text.get_charbox(at, loose=True)
    except Exception:  # a character that stands nowhere
        return 0.0, 0.0, 0.0, 0.0
    return left, bottom, right, top


def read(content: bytes, most_chars: int) -> dict[str, Any]:
    """Title, author, number of pages, and paragraphs page by page; or ``error`` and why."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        why = str(error)
        return {"error": "encrypted" if "assword" in why or "ecurity" in why else "damaged", "why": why[:120]}
    pages: list[list[str]] = []
    chars = lost = 0
    for number in range(len(document)):
        try:
            page = document[number]
            found = list(paragraphs(lines_of(page)))
            page.close()
        except pypdfium2.PdfiumError:
            lost += 1
            continue
        chars += sum(map(len, found))
        if chars > most_chars:
            return {"error": "too_large", "why": f"more than {most_chars} characters"}
        pages.append(found)
    said = document.get_metadata_dict()
    return {"title": said.get("Title"), "author": said.get("Author"), "pages": pages, "lost_pages": lost}


def main() -> None:
    """Reads a PDF from standard input, and writes what `read` returns to standard output.

    Arguments: the most characters to return, and the folder that PDFium's package stands in.
    """
    sys.path.append(sys.argv[2])
    content = sys.stdin.buffer.read()
    try:
        import resource

        seconds = _SECONDS + _SECONDS_A_MB * len(content) // 1_000_000
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):  # not on this system, or less is allowed already
        pass
    sys.stdout.buffer.write(json.dumps(read(content, int(sys.argv[1]))).encode())


if __name__ == "__main__":
    main()
