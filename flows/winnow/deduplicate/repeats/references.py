"""Entries of a bibliography: each text that refers to a work has one, and is not whole without it."""

from __future__ import annotations

import re

_MAX_REFERENCE = 500  # characters
_AUTHOR = re.compile(
    r"\W{0,3}(?:\d{1,3}\W{1,3})?[^\W\d_][\w'’-]{0,30}(?: [\w'’-]{1,30})?,? "
    r"(?:[^\W\d_]\.|[^\W\d_]{1,3}[,.]|(?:and|et|und|y|&) )"
)
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
_WHERE = re.compile(
    r"(?i)\bdoi\b|\b10\.\d{4,5}/|\bISBN\b|\barxiv\b|\d{1,4}\s?\(\d{1,4}(?:[-–]\d{1,4})?\)\s?[:,]|\bpp?\.\s?\d|"
    r"\b(?:vol|no|nr|bd|t)\.\s?\d|\d[:,;]\s?\d{1,5}\s?[-–]\s?\d|\b(?:press|verlag|publish\w{2,3}|éditions|editorial|edizioni)\b"
)


def is_reference(text: str) -> bool:
    """Whether a passage begins with an author, has a year, and says where it was printed.

    >>> is_reference("Smith, J. (2001). The bridges of the north. Journal of Bridges, 4(2), 1-20.")
    True
    >>> is_reference("Smith, J. wrote in 2001 that the bridges of the north are old.")
    False
    """
    short = len(text) <= _MAX_REFERENCE
    return bool(short and _AUTHOR.match(text) and _YEAR.search(text) and _WHERE.search(text))
