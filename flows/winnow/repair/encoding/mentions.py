"""Changes that may be wrong although the signs are right: mojibake that is spoken of, and a word that looks like it."""

from __future__ import annotations

import re

from winnow.repair.engine.rule import Change
from winnow.repair.engine.tight import tight_changes

_QUOTES = frozenset("“”\"'‘’«»„`「」『』()<>")
MAX_MENTION = 5  # characters of one sign that is quoted

_IN_TABLE = re.compile(r"(?:^|\s)(?:[ÂÃ]  |Â )")
_UNIT = re.compile(r"(?<![^\W\d_])Å[²³](?![^\W\d_])")
_CAPITALS = re.compile(r"[A-Z][ÂÃ]\xa0[A-Z]")


def is_doubtful_change(before: str, after: str) -> bool:
    """Whether leading from `before` to `after` is better left to a person.

    True where signs stand alone, short, at least one of them in quotes: a text about mojibake. Where a lone Â, or Ã
    stands in a table. Where capitals end in Â before a no-break space: `MISUTÂ AJIKKO` is written so.

    >>> is_doubtful_change("such as “Ã©” or “Ã¨”", "such as “é” or “è”")
    True
    >>> is_doubtful_change("he said “dÃ©jÃ vu”", "he said “déjà vu”")
    False
    """
    quoted = False
    spots = list(tight_changes(0, before, after, 1.0))
    for spot in spots:
        left, right = before[max(spot.start - 2, 0) : spot.start], before[spot.end : spot.end + 2]
        if spot.end - spot.start > MAX_MENTION or left[-1:].isalnum() or right[:1].isalnum():
            return _all_lone(before, spots)
        quoted = quoted or (left.strip()[-1:] in _QUOTES and right.strip()[:1] in _QUOTES)
    return quoted or _all_lone(before, spots)


def keep_units(before: str, after: str) -> str:
    """`after` with square and cubic ångströms as they stood: ``Å²`` by itself is what ``Ų`` would have become too.

    >>> keep_units("5 Å² of the cafÃ©, jÅ³", "5 Ų of the café, jų")
    '5 Å² of the café, jų'
    """
    if not _UNIT.search(before):
        return after
    out: list[str] = []
    at = 0
    for spot in tight_changes(0, before, after, 1.0):
        unit = _UNIT.match(before, spot.start)
        kept = unit is not None and unit.end() == spot.end
        out += (before[at : spot.start], before[spot.start : spot.end] if kept else spot.after)
        at = spot.end
    return "".join((*out, before[at:]))


def _all_lone(before: str, spots: list[Change]) -> bool:
    """Whether every spot is Â or Ã beside two spaces, or after a capital and before a no-break space and a capital."""
    for spot in spots:
        around = before[max(spot.start - 2, 0) : spot.end + 3]
        if not (_IN_TABLE.search(around) or _CAPITALS.search(around)):
            return False
    return bool(spots)
