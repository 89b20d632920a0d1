"""Text from outside made fit to be looked at: nothing in it can hide, reorder or control what stands around it."""

from __future__ import annotations

import re

# C0 and C1 controls but tab and line feed, line separators, bidirectional embeddings, overrides and isolates,
# surrogates and non-characters.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_SPACES = {
    " ": "·",
    "\n": "↵",
    "\t": "→",
    "\u00a0": "⍽",
    "\u3000": "□",
    "\ufeff": "[BOM]",
    "\u200b": "[ZWSP]",
    "\u00ad": "[SHY]",
}


def shown(text: object) -> str:
    """The text with characters that no one can see, and that may do harm, written out.

    Direction marks that right-to-left scripts need (U+200E, U+200F) stay.

    >>> shown("a\\u202eb\\x00c\\n")
    'a[U+202E]b[U+0000]c\\n'
    """
    return _HIDDEN.sub(lambda m: f"[U+{ord(m[0]):04X}]", str(text))


def marks(text: str) -> str:
    """Makes white space visible where it is what changed; in other texts, only at the ends.

    >>> marks(" \\n"), marks("a b ")
    ('·↵', 'a b·')
    """
    core = text.strip("".join(_SPACES))
    start = text.index(core) if core else len(text)
    lead, tail = ("".join(_SPACES.get(c, c) for c in part) for part in (text[:start], text[start + len(core) :]))
    return f"{lead}{core}{tail}"


def line(text: str) -> str:
    """Line ends as a sign, so that the surroundings of a change stay on one line.

    >>> line("a\\n\\nb")
    'a↵↵b'
    """
    return text.replace("\n", "↵")


def words(name: str) -> str:
    """A rule's or reason's name as words.

    >>> words("split_words")
    'split words'
    """
    return name.replace("_", " ")


def number(value: float) -> str:
    """A count with thousands apart; a small fraction with two decimals.

    >>> number(1234567), number(3.14159), number(1234.5)
    ('1,234,567', '3.14', '1,234')
    """
    if float(value).is_integer() or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:,.2f}"


def percent(share: float) -> str:
    """A share as per cent.

    >>> percent(0.256), percent(0.00123), percent(0)
    ('25.6 %', '0.12 %', '0 %')
    """
    value = 100 * share
    return f"{value:.0f} %" if value in (0, 100) else f"{value:.1f} %" if value >= 1 else f"{value:.2g} %"


def percent_of(value: float, most: float) -> str:
    """Width of a bar.

    >>> percent_of(1, 3)
    '33.33'
    """
    return f"{100 * value / most:.2f}" if most else "0"
