"""A text in pieces that rules on encoding look at one by one."""

from __future__ import annotations

from collections.abc import Iterator

MAX_PIECE = 8_000  # characters; longer lines are looked at in pieces, so that no line costs more than its length


def pieces_of(text: str) -> Iterator[tuple[int, str]]:
    r"""Lines with their offsets; long ones cut at spaces.

    >>> list(pieces_of("a\nb"))
    [(0, 'a'), (2, 'b')]
    """
    at = 0
    for line in text.split("\n"):
        start = 0
        while len(line) - start > MAX_PIECE:
            cut = line.rfind(" ", start + MAX_PIECE // 2, start + MAX_PIECE)
            cut = start + MAX_PIECE if cut < 0 else cut
            yield at + start, line[start:cut]
            start = cut
        yield at + start, line[start:] if start else line
        at += len(line) + 1
