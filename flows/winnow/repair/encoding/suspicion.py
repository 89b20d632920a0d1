"""Which lines are worth a second look: signs of wrong decoding, found in one linear pass of RE2."""

from __future__ import annotations

from ftfy.badness import BADNESS_RE

from winnow.repair.encoding.charmaps import BESIDE_LETTER, RUNS
from winnow.repair.engine.patterns import compiled


def as_re2(verbose: str) -> str:
    r"""A verbose expression of the `re` module in RE2's syntax: no free spaces, no comments, Unicode classes.

    >>> as_re2(r"[a ] \w  # a word" + "\n" + r"| \s")
    '[a ][\\pL\\pN_]|[\\s\\x{a0}\\x{3000}]'
    """
    out: list[str] = []
    at, inside = 0, False
    while at < len(verbose):
        char = verbose[at]
        if char == "\\":
            pair = verbose[at : at + 2]
            out.append({"\\w": r"[\pL\pN_]", "\\s": r"[\s\x{a0}\x{3000}]"}.get(pair, pair))
            at += 2
            continue
        if inside:
            inside = char != "]"
            # A bracket inside a class is a literal for `re`; RE2 might take it for a class name.
            out.append("\\[" if char == "[" else char)
        elif char == "#":
            at = verbose.find("\n", at)
            if at < 0:
                break
        elif char == "[":
            inside = True
            out.append(char)
            if verbose[at + 1 : at + 2] == "^":
                out.append("^")
                at += 1
        elif not char.isspace():
            out.append(char)
        at += 1
    return "".join(out)


# ftfy's own sign, the expression of its badness heuristic (Robyn Speer, Apache-2.0).
BAD = as_re2(BADNESS_RE.pattern)

# Quotes, dashes and the euro sign of UTF-8 read as cp850 and cp437, which ftfy does not know alone.
_DOS = r"[ÔΓ]Ç[^\sA-Za-z]|[ÔΓ]é¼"

_SURE = compiled(f"{BAD}|{RUNS}|{_DOS}")
_BESIDE_LETTER = compiled(BESIDE_LETTER)

GATE = f"{BAD}|{RUNS}|{_DOS}|{BESIDE_LETTER}"
"""RE2 expression that matches in every text in which this module finds something suspicious."""


def is_suspicious(line: str) -> bool:
    """Whether it shows what rightly decoded text hardly ever does.

    >>> is_suspicious("voilÃ  l'Ã©tÃ©"), is_suspicious("voilà l’été")
    (True, False)
    """
    return _SURE.search(line) is not None


def is_doubtful(line: str) -> bool:
    """Whether it shows what may be right or wrong, so that only words can tell.

    >>> is_doubtful("al pi√π presto"), is_doubtful("√π")
    (True, False)
    """
    return _BESIDE_LETTER.search(line) is not None


def count_signs(line: str) -> int:
    """Number of places that show what rightly decoded text hardly ever does."""
    return sum(1 for _ in _SURE.finditer(line))
