"""Tags: taken out where they are damage, with the lines they stood for; left alone where they are the subject."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from winnow.repair.engine.rule import Change, Evidence, Rule
from winnow.repair.markup.html_source import is_html_source
from winnow.repair.markup.structure import inside_tables, replacement
from winnow.repair.markup.tag_names import KNOWN, PLACEHOLDER
from winnow.repair.markup.tags import Tag, half_tags, tags

SNIPPET = 600  # characters; a text this short is a cell or a caption and is judged by itself
NEIGHBOURS = 8  # lines around proven damage in which whole tags are remains too

_ABOUT = re.compile(r"\b(?:html|xml|sgml|markup|tags?|elements?|attributes?|usage|syntax|synopsis)\b", re.IGNORECASE)
_CODE = re.compile(
    r"<[%?]|\$\{|#include|::|\btemplate ?<|\bclass |\breturn\b|\bimport |=>|&&|\|\||[;{] *\n|\);"
    r"|\w\(['\"]|\{[{%]|\w\.\w+ = |^\s*'.*'\s*\Z"
)
_PERL = re.compile(r"\bm\{<|=~ ?[ms]?[/{]<|<STDIN>|\bs/<")
_DRAWING = re.compile(r"\s*(?:<\?xml[^<>]{0,200}>\s*(?:<![^<>]{0,300}>\s*)?<(?!html)|<svg[\s>])", re.IGNORECASE)
_MENTIONED = re.compile(r"\s?(?:elements?|tags?|attributes?|markup)\b", re.IGNORECASE)
_SPOKEN = re.compile(r"\b(?:elements?|tags?|the|an?|use) \Z", re.IGNORECASE)
_ELEMENT = re.compile(r"<([A-Za-z][\w:.-]{0,30})(?:\s[^<>]{0,300})?>[^<>]{1,600}</\1>")
_NOISE = re.compile(r"[\s\xa0>;]*\Z")
_STRAY_SEMICOLON = re.compile(r"[ \t]?;[ \t]*(?=\n|\Z)")


def find_tags(text: str, evidence: Evidence) -> Iterator[Change]:
    """Tags that scraping left in a text go, and the lines, list items and table cells they stood for come back.

    Broken tags (``< strong >``, ``</ s trong >``) are proof by themselves; whole ones go only near proven damage,
    and known names only: ``<file>`` is what the reader has to fill in, ``vector<p>`` a type.

    >>> MARKUP[0]("one < strong >two< / strong > three< / li >")
    'one two three'
    >>> MARKUP[0]("vector<p> a < b > c <stdio.h> `<b>`", damaged=False)
    'vector<p> a < b > c <stdio.h> `<b>`'
    """
    yield from _changes(text, evidence, proven=True)


def find_tags_of_short_texts(text: str, evidence: Evidence) -> Iterator[Change]:
    """Whole tags go from a text too short to hold proof of damage, if they are used in it as markup.

    That is: they close or carry attributes, and the text neither speaks of tags nor is code. No proof of damage to
    the words around them.

    >>> MARKUP[1]("<p>See <a href='/x'>here</a></p>", damaged=False)
    'See here'
    >>> MARKUP[1]("Map<p> and copy <input> to <output>, see <b> tags", damaged=False)
    'Map<p> and copy <input> to <output>, see <b> tags'
    """
    if len(text) <= SNIPPET:
        yield from _changes(text, evidence, proven=False)


def _changes(text: str, evidence: Evidence, proven: bool) -> Iterator[Change]:
    found = [t for t in tags(text) if not _quoted(text, t)]
    accepted, proofs = _accepted(text, found, evidence)
    if proven != (bool(proofs.points) or proofs.everywhere):
        return
    events = _with_halves(text, accepted, proofs) if accepted or len(text) <= SNIPPET else []
    yield from _replaced(text, events, 0.9 if proven else 0.6)


def find_tags_of_html_source(text: str, evidence: Evidence) -> Iterator[Change]:
    """The tags of a long text go that is the source of an article's body from its first sign to its last.

    Pieces of pages, drawings, lists of changes, and texts with sentences around their tags stay as they are.

    >>> source = "<h2>Bees</h2>\\n" + "<p>From <a href='/f'>flower</a> to flower they fly.</p>\\n" * 15
    >>> MARKUP[2](source, damaged=False)[:40]
    'Bees\\nFrom flower to flower they fly.\\nFro'
    >>> MARKUP[2]("In HTML: " + source, damaged=False) == "In HTML: " + source
    True
    """
    if len(text) > SNIPPET and text.lstrip()[:1] == "<":
        found = list(tags(text))
        if is_html_source(text, found):
            yield from _replaced(text, [t for t in found if t.kind != "custom"], 0.8)


def _replaced(text: str, events: list[Tag], confidence: float) -> Iterator[Change]:
    """Each run of tags replaced by what it stands for in the lines of the text."""
    if not events:
        return
    inside = inside_tables(events)
    at = 0
    last_end = 0
    while at < len(events):
        upto = at + 1
        while upto < len(events) and _NOISE.match(text, events[upto - 1].end, events[upto].start):
            upto += 1
        start, end = events[at].start, events[upto - 1].end
        if any(t.kind != "whole" for t in events[at:upto]) and (stray := _STRAY_SEMICOLON.match(text, end)):
            end = stray.end()
        low, high, after = replacement(text, start, end, events[at:upto], inside[at:upto])
        low = max(low, last_end)
        yield Change(low, high, after, confidence)
        last_end = high
        at = upto


def _accepted(text: str, found: list[Tag], evidence: Evidence) -> tuple[list[Tag], Evidence]:
    """The tags that are damage, and where damage is proven."""
    closed = {t.name for t in found if t.closing}
    # In a text of many whole tags one odd opening tag is a slip of its author; no author spaces out "< / p >".
    broken = [t for t in found if t.kind == "broken" and t.strong]
    slip = len(broken) == 1 and not broken[0].closing and len(found) > 4 and not evidence.points
    proofs = Evidence(sorted([*evidence.points, *([] if slip else (t.start for t in broken))]), evidence.everywhere)
    snippet = _of_snippet(text, found, closed) if len(text) <= SNIPPET else []
    if snippet is None or not (proofs.points or proofs.everywhere):
        return snippet or [], proofs
    accepted = []
    checked, near = -1, False
    for tag in found:
        if checked < 0 or tag.start > checked + 100:
            near, checked = proofs.near(text, tag.start, tag.end, NEIGHBOURS), tag.start
        if near and (tag.kind in ("comment", "hidden") or (tag.name in KNOWN and _real(text, tag, closed, evidence))):
            accepted.append(tag)
    return sorted({*accepted, *snippet}, key=lambda t: t.start), proofs


def _real(text: str, tag: Tag, closed: set[str], evidence: Evidence) -> bool:
    """Whether a tag of a known name is one near damage: no placeholder, no type ``<U>``, no comparison, no word."""
    if tag.strong or tag.closing:
        return True
    at = bisect_left(evidence.points, tag.start)
    if at < len(evidence.points) and evidence.points[at] < tag.end:
        return tag.name in closed or tag.name not in PLACEHOLDER  # its brackets were damaged themselves
    if tag.name in closed:
        return True
    if (
        tag.name in PLACEHOLDER
        or _MENTIONED.match(text, tag.end)
        or _SPOKEN.search(text, max(0, tag.start - 12), tag.start)
    ):
        return False
    return len(tag.name) > 1 or _stands_alone(text, tag)


def _stands_alone(text: str, tag: Tag) -> bool:
    """At the edge of a line, beside another tag, or against a word: not ``a < b > c``, not ``vector<p> v``."""
    before, after = text[max(0, tag.start - 2) : tag.start].rstrip(" "), text[tag.end : tag.end + 2].lstrip(" ")
    if not before or before[-1] in "\n>" or not after or after[0] in "\n<":
        return not (before[-1:].isalnum() and text[tag.start - 1 : tag.start] != " ")
    return tag.kind == "whole" and text[tag.end].isalnum() and not text[tag.start + 1 : tag.end].isupper()


def _of_snippet(text: str, found: list[Tag], closed: set[str]) -> list[Tag] | None:
    """The tags of a short text, if they are used in it and not spoken of; None where the text is code.

    >>> def kept(t):
    ...     found = list(tags(t)); return len(_of_snippet(t, found, {f.name for f in found if f.closing}) or ())
    >>> kept("a<b>c"), kept("<i>x</i>"), kept("copy <input> to <output>"), kept("list<p> x"), kept("the <b> tag")
    (1, 2, 0, 0, 0)
    """
    if _DRAWING.match(text):
        return []
    outside = _without(text, found)
    if _CODE.search(outside) or _PERL.search(text):
        return None
    if _ABOUT.search(outside):
        return []
    if not outside.strip():
        return found
    found = [t for t in found if not _of_manual(text, t)]
    opened = {t.name for t in found if not t.closing}
    used = any(
        t.strong
        or t.kind in ("comment", "hidden")
        or (t.closing and (t.name in KNOWN or t.name in opened))
        or (t.name in KNOWN and len(t.name) > 1 and t.name not in PLACEHOLDER and not _as_noun(text, t, closed))
        for t in found
    )
    used = used or any(half.strong for half in half_tags(text, 0, len(text), False))
    if all(t.kind == "custom" for t in found) and _ELEMENT.search(text):
        return []  # XML of its own
    if used:
        return [t for t in found if t.kind in ("comment", "hidden") or t.name in KNOWN or t.name in closed]
    return [t for t in found if t.kind == "whole" and t.name in KNOWN and len(t.name) == 1 and _within_word(text, t)]


def _of_manual(text: str, tag: Tag) -> bool:
    """``C<b>`` and ``C<tr///>`` of Perl's manuals, ``<code bash>`` of wikis: brackets, but not HTML's."""
    before = text[max(0, tag.start - 2) : tag.start]
    if before[-1:].isupper() and not before[:-1].isalnum() and "=" not in text[tag.start : tag.end]:
        return True
    return tag.closing and re.search(rf"<{re.escape(tag.name)} [\w-]+>", text) is not None


def _as_noun(text: str, tag: Tag, closed: set[str]) -> bool:
    """``will become <h3> and``: a sentence has the tag for a word."""
    if tag.closing or tag.name in closed or tag.name in ("br", "hr", "p", "li", "img"):
        return False
    return text[tag.start - 1 : tag.start] == " " and text[tag.end : tag.end + 1] in (" ", ".", ",")


def _within_word(text: str, tag: Tag) -> bool:
    """Set against a letter as markup is, and not against an identifier as a type's parameter is."""
    before, after = text[max(0, tag.start - 2) : tag.start], text[tag.end : tag.end + 1]
    if text[tag.start + 1 : tag.end].isupper() or (len(before) == 2 and before.isalnum()):
        return False
    return before[-1:].isalpha() or after.isalpha()


def _without(text: str, found: list[Tag]) -> str:
    out, at = [], 0
    for tag in found:
        out.append(text[at : tag.start])
        at = tag.end
    return " ".join([*out, text[at:]])


def _with_halves(text: str, accepted: list[Tag], proofs: Evidence) -> list[Tag]:
    """The accepted tags and the half-lost ones between and around them, in order."""
    events: list[Tag] = []
    opened: dict[str, int] = {}
    at = 0
    for tag in [*accepted, None]:
        end = tag.start if tag else len(text)
        if ">" in text[at:end]:
            names = frozenset(n for n, count in opened.items() if count > 0)
            halves = half_tags(text, at, end, bool(events) and events[-1].end == at, names)
            events.extend(h for h in halves if (proofs.near(text, h.start, h.end, 3) if proofs.points else h.strong))
        if tag:
            events.append(tag)
            at = tag.end
            opened[tag.name] = max(0, opened.get(tag.name, 0) + (-1 if tag.closing else 1))
    return events


def _quoted(text: str, tag: Tag) -> bool:
    """Set in quotes or backticks by itself, or an option's value, as in a text about tags or a manual."""
    before, after = text[tag.start - 1 : tag.start], text[tag.end : tag.end + 1]
    if tag.kind == "comment":
        return bool(before) and before in "`'\"" and text[tag.start + 4 : tag.start + 5] in ("`", "'", '"')
    if before == "=" and not tag.strong and tag.name in (PLACEHOLDER | {"style"}):
        return True
    if text[tag.start : tag.end] == "</>":
        return before == after == " "
    return not tag.strong and bool(before) and before in "`'\"‘“" and after != "" and after in "`'\"’”"


_GATE = r"<[\s/!&;<]{0,12}[A-Za-z]|[A-Za-z]\s{0,3}/?\s{0,3}>|[\"']\s{0,3}/?\s{0,3}>|<!|<\?|</>"

MARKUP: tuple[Rule, ...] = (
    Rule("tags", 3, find_tags, _GATE),
    Rule("short_text_tags", 3, find_tags_of_short_texts, _GATE, proves=False),
    Rule("html_source", 1, find_tags_of_html_source, r"\A\s*<[A-Za-z!]", proves=False),
)
