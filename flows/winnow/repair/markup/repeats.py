"""The same sign over and over: hostile text, and torn tables, are full of it."""

from __future__ import annotations


def end_of_repeats(text: str, start: int, end: int) -> int:
    """Where the last repeat of ``text[start:end]`` ends that follows it without a gap.

    Compares in pieces of doubling size: memory is compared far faster than an expression is matched.

    >>> end_of_repeats("<b><b><b><i>", 0, 3), end_of_repeats("aab", 0, 1)
    (9, 2)
    """
    unit = text[start:end]
    size = len(unit)
    piece, pieces = unit, [unit]
    while text.startswith(piece, end):
        end += len(piece)
        if len(piece) < 1 << 20:
            piece += piece
            pieces.append(piece)
    for piece in reversed(pieces):
        if text.startswith(piece, end):
            end += len(piece)
    while text.startswith(unit, end):
        end += size
    return end
