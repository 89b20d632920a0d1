"""A removed text beside the kept one, line by line, as ``winnow why`` prints them."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

_MAX_WORDS = 4000  # of each text; alignment takes up to quadratic time, and nobody reads further
_TOKEN = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class AlignedLine:
    """``mark``: a space for words both texts have, ``-`` for those of the removed one alone, ``+`` of the kept one."""

    mark: str
    text: str


def align(removed: str, kept: str, width: int = 100, context: int = 12) -> list[AlignedLine]:
    """Words both texts share and words of one alone, in order, in lines of about `width` characters.

    Of a long shared stretch `context` words stand on each side of a change, the rest is a line that says how many
    words are left out. Texts are compared as far as 4,000 words; a last line says so where there is more.

    >>> for line in align("The vote was on Monday at noon.", "The vote was on Friday at noon."):
    ...     print(line.mark, line.text)
      The vote was on
    - Monday
    + Friday
      at noon.
    """
    a, b = _TOKEN.findall(removed), _TOKEN.findall(kept)
    cut = max(len(a), len(b)) > _MAX_WORDS
    start = _first_shared(a, b) if len(b) > 2 * len(a) else 0
    a, b = a[:_MAX_WORDS], b[start : start + _MAX_WORDS]
    lines: list[AlignedLine] = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=len(a) > 500).get_opcodes():
        if tag == "equal":
            lines += _shared(a[i:j], width, context)
            continue
        lines += [AlignedLine("-", text) for text in _wrapped(a[i:j], width)]
        if m - k > 4 * context:
            middle = f"… {m - k - 2 * context} words of the kept text …"
            words = [*b[k : k + context], middle, *b[m - context : m]]
        else:
            words = b[k:m]
        lines += [AlignedLine("+", text) for text in _wrapped(words, width)]
    if cut:
        lines.append(AlignedLine(" ", f"… compared as far as {_MAX_WORDS} words …"))
    return lines


def _first_shared(a: list[str], b: list[str]) -> int:
    """Where in a much longer text to start: a little before the first place that has the other's first words."""
    head = a[:5]
    if not head:
        return 0
    for n in range(len(b) - len(head) + 1):
        if b[n] == head[0] and b[n : n + len(head)] == head:
            return max(0, n - 10)
    return 0


def _shared(words: list[str], width: int, context: int) -> list[AlignedLine]:
    if len(words) > 3 * context:
        words = [*words[:context], f"… {len(words) - 2 * context} words alike …", *words[-context:]]
    return [AlignedLine(" ", text) for text in _wrapped(words, width)]


def _wrapped(words: list[str], width: int) -> list[str]:
    lines: list[str] = []
    current = ""
    for word in words:
        if current and len(current) + 1 + len(word) > width:
            lines.append(current)
            current = word
        else:
            current = f"{current} {word}" if current else word
    return [*lines, current] if current else lines
