"""Finds tags that have lost their opening bracket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from string import ascii_letters, digits

from winnow.base.html_names import ELEMENTS, HIDDEN, RARE
from winnow.repair.markup.tags import ENGLISH, Tag

_HALF = re.compile(
    r"""([/ \t]{0,4})([A-Za-z](?: ?[A-Za-z0-9]){0,9})((?:\s{1,3}[a-z-]{2,12}=(?:"[^"<>]{0,80}"|'[^'<>]{0,80}')){0,4}"""
    r"[ \t\xa0]{0,3}/?[ \t\xa0]{0,3})>{1,4}"
)
_TAIL = re.compile(
    r"(?:[^\s\"'<>=]{0,80}[\"'])?(?:\s{0,3}(?:href|src|class|id|style|title|target|rel|alt|width|height|align)"
    r"=(?:\"[^\"<>]{0,500}\"|'[^'<>]{0,500}')){1,8}\s{0,3}/?>",
    re.IGNORECASE,
)
"""What is left of a tag in which a text begins: ``link" class="x">``."""


def half_tags(text: str, start: int, end: int, beside: bool, opened: frozenset[str] = frozenset()) -> Iterator[Tag]:
    """Tags that have lost their opening bracket: ``strong >`` ``/ li >`` ``td >``, in ``text[start:end]``.

    `beside`: whether a tag stands right before `start`; `opened`: names that have been opened and not closed. Words
    that are names too count only with a slash, in a chain of tags or where they close what is open, so that
    ``head > shoulders`` stays.

    >>> t = ".</b> li > x / p > y > z head > toes"
    >>> [t[h.start:h.end] for h in half_tags(t, 5, len(t), True)]
    [' li >', '/ p >']
    """
    chained = beside
    last = start
    if start == 0 and (cut := _TAIL.match(text)):
        yield Tag(0, cut.end(), "span", False, "half", True)
        chained, last = True, cut.end()
    at = text.find(">", last, end)
    while at >= 0:
        found, name = _half_at(text, max(last, at - 120), at, end)
        if found is None:
            chained = False
            at = text.find(">", at + 1, end)
            continue
        if text[max(last, found.start() - 4) : found.start()].rstrip(" \t/")[-1:] == "<":
            chained = False  # no half: a whole tag that was judged before
            at = text.find(">", found.end(), end)
            continue
        adjacent = chained and not text[last : found.start()].strip(" \t\n\xa0>;/")
        slash = "/" in found[1] or ("/" in found[3] and name not in RARE)  # ``reads one line at a time />``
        attributes = "=" in found[3]
        before, after = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
        ends_line = after in ("", "\n") and before in (" ", ">")
        if not (slash or attributes or adjacent) and _ends_words(text, max(last, at - 80), found.start()):
            chained = False  # ``<your email address>``
            at = text.find(">", found.end(), end)
            continue
        if slash or attributes or adjacent or ends_line or name not in ENGLISH or name in opened:
            yield Tag(found.start(), found.end(), name, "/" in found[1] or not slash, "half", attributes or slash)
            last = found.end()
            chained = True
        else:
            chained = False
        at = text.find(">", found.end(), end)


_WORDS_IN_BRACKETS = re.compile(r"<[^\W\d_][\w'’,./-]*+(?: [\w'’,./-]++)*+ ?")


def _ends_words(text: str, low: int, start: int) -> bool:
    """Whether what stands before a name that ends with a bracket are words behind a bracket of their own."""
    opening = text.rfind("<", low, start)
    return opening >= 0 and _WORDS_IN_BRACKETS.fullmatch(text, opening, start) is not None


_GAP = re.compile(r"[ \t\n\xa0>]")
_ENDS_HALF = frozenset(ascii_letters + digits + " \t\xa0/\"'>")


def _half_at(text: str, low: int, bracket: int, end: int) -> tuple[re.Match[str] | None, str]:
    """The half-lost tag that ends with the bracket, beginning in ``text[low:bracket]`` after a space or a tag."""
    before = text[bracket - 1 : bracket]
    if before not in _ENDS_HALF:
        return None, ""
    reach = low if before in "\"'/ " else max(low, bracket - 24)
    begins = (gap.end() for gap in _GAP.finditer(text, max(reach - 1, 0), bracket - 1))
    for at in chain((low,) if reach == low else (), begins):
        found = _HALF.match(text, at, end)
        if found is not None and found.end() > bracket:
            name = found[2].replace(" ", "").lower()
            if name in ELEMENTS and name not in HIDDEN:
                return found, name
    return None, ""
