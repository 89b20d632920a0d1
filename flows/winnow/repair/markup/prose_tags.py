"""Whether the markup of a long text is what scraping left in prose: reviews with ``<br />``, ``<i>`` and ``&#39;``."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import islice

from winnow.base.html_names import TABLE
from winnow.repair.engine.rule import Change, apply_changes
from winnow.repair.escapes import is_code
from winnow.repair.markup.short_texts import PROGRAM, is_taught
from winnow.repair.markup.tags import Tag, tags

_OF_PROSE = frozenset("""
    a b blockquote br center cite div em figcaption figure font h1 h2 h3 h4 h5 h6 hr i img li ol p small
    span strong sub sup table tbody td th thead tr u ul
""".split())  # fmt: skip
_VOID = frozenset(("br", "hr", "img"))
_UNCLOSED = frozenset(("p", "li"))  # whose end tags may be left out
_NO_TAG = re.compile(r"<(?: ?[\d.=]|[\w.+-]{1,60}@[\w.-]{1,60}>|https?://[^\s<>]{1,300}>)")
"""A comparison with a number, a heart, and an address in brackets."""
_SENTENCE = re.compile(r"[^\W\d_]{2}[\"”’)]?[.!?…][\"”’)]?\s{1,4}[\"“‘«(¿¡]?[^\W\d_a-z]|[。！？]")
MIN_SENTENCES = 3
PER_SENTENCE = 400  # characters; prose has an end of a sentence in so many
_TECHNICAL = re.compile(
    r"(?i)\b(?:html?5?|xml|sgml|css|php|api|markup|tags?|entit(?:y|ies)|(?:un)?escap\w*|ampersands?|browsers?|widgets?"
    r"|plug-?ins?)\b|[a-z]_[a-z]|[a-z]\(\)|\s--[a-z]|[`{}\\]|\|\||::|\w->|->\w|^ {4}\S|^(?:@@ -\d|\$ [a-z])",
    re.MULTILINE,
)


def is_prose(outside: str) -> bool:
    """Whether a text without its markup is sentences, and neither code nor about markup.

    >>> [is_prose(t * 4) for t in ("The bees fly low. ", "Use the tag. ", "the bees fly low, ")]
    [True, False, False]
    """
    enough = max(MIN_SENTENCES, math.ceil(len(outside) / PER_SENTENCE))
    sentences = sum(1 for _ in islice(_SENTENCE.finditer(outside), enough))
    return sentences == enough and _TECHNICAL.search(outside) is None and not is_code(outside)


def tags_if_of_prose(text: str) -> list[Tag]:
    """All tags of a text, none where one is none of prose: most texts about programs have such a tag early on.

    >>> [len(tags_if_of_prose(t)) for t in ("a <b>bee</b>", "a <b>bee</b> <stdin>")]
    [2, 0]
    """
    found: list[Tag] = []
    for tag in tags(text):
        if not _may_be_of_prose(tag):
            return []
        found.append(tag)
    return found


def _may_be_of_prose(tag: Tag) -> bool:
    return tag.kind in ("comment", "hidden") or (tag.kind == "whole" and tag.name in _OF_PROSE)


def tags_of_prose(text: str, found: Sequence[Tag]) -> list[Tag]:
    """All tags of a text of sentences in which each bracket is one's, each pair is whole, and nothing is technical.

    Halves may stand at the edges, where a text was cut out of its page.

    >>> from winnow.repair.markup.tags import tags
    >>> story = "The bees of this <i>valley</i> fly low.<br /><br />" + "They fly from flower to flower. " * 9
    >>> [len(tags_of_prose(t, list(tags(t)))) for t in (story, story + "The tag <b>", story + "a < b")]
    [4, 0, 0]
    """
    shown = [t for t in found if t.kind not in ("comment", "hidden")]
    if not found or not all(map(_may_be_of_prose, found)) or not _is_balanced(text, shown):
        return []
    names = {t.name for t in shown}
    if not names.isdisjoint(TABLE) and not {"table", "tr"} <= names:
        return []
    n_other = text.count("<") - sum(text.count("<", t.start, t.end) for t in found)
    if n_other > 0 and n_other > len(_NO_TAG.findall(text)):
        return []
    if any(text.startswith("<?", t.start) and text[: t.start].strip() for t in found):
        return []  # XML of its own, shown
    outside = apply_changes(text, (Change(t.start, t.end, " ") for t in found))
    if outside.count("<") != len(_NO_TAG.findall(outside)) or not is_prose(outside):
        return []
    taught = any(t.kind == "whole" and is_taught(text, t) for t in found) or PROGRAM.search(text)
    return [] if taught else list(found)


def _is_balanced(text: str, found: Sequence[Tag]) -> bool:
    """Whether each pair is whole, but for what stands before all words and behind all.

    Paragraphs alone without attributes, among lines that are none, may be an example of them; an end tag whose name is
    opened nowhere is none of anything, and a letter in brackets at an edge opens nothing: ``cp <a> <b>``.
    """
    names = {tag.name for tag in found if not tag.closing}
    first, last = 0, len(text)
    for tag in found:
        if text[first : tag.start].strip():
            break
        first = tag.end
    for tag in reversed(found):
        if text[tag.end : last].strip():
            break
        last = tag.start
    inner = {tag.name for tag in found if first <= tag.start and tag.end <= last}
    if inner & names == {"p"} == inner and not first and not any(tag.strong for tag in found):
        return False
    opened: list[Tag] = []
    for tag in found:
        if tag.name in _VOID:
            continue
        if not tag.closing:
            opened.append(tag)
            continue
        while opened and opened[-1].name in _UNCLOSED and opened[-1].name != tag.name:
            opened.pop()
        if opened and opened[-1].name == tag.name:
            opened.pop()
        elif first < tag.end and tag.start < last and (tag.name in names or tag.name in "abiu"):
            return False
    at_edge = (t for t in opened if t.name not in _UNCLOSED)
    return all((t.strong or t.name not in "abiqsu") and (t.end <= first or t.start >= last) for t in at_edge)
