"""Tags: taken out where they are damage, with the lines they stood for; left alone where they are the subject."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, pairwise

from winnow.base.html_names import BLOCK, CELL, ELEMENTS, HEADING, INLINE, LOWERED, RAISED, REPLACED, TABLE
from winnow.repair.engine.rule import Change, Evidence, NearDamage, Rule, apply_changes
from winnow.repair.markup.half_tags import half_tags
from winnow.repair.markup.html_source import OF_SOURCE, begins_source, is_html_source
from winnow.repair.markup.prose_tags import tags_if_of_prose, tags_of_prose
from winnow.repair.markup.short_texts import ABOUT, CODE, LONE, PROGRAM, SURELY_ABOUT, is_taught, of_snippet
from winnow.repair.markup.shown_tags import used_tags, written_out
from winnow.repair.markup.tags import NEIGHBOURS, PLACEHOLDER, SNIPPET, Tag, may_hold_broken, tags

_SPOKEN = re.compile(r"\b(?:the|an?|use) \Z", re.IGNORECASE)
_JOINED = re.compile(r"\b(?:of|with|to|and|or|an?|the|by|than|as|like|for) \Z")
_NOISE = re.compile(r"[\s\xa0>;]*\Z")
_BEFORE_HARD_SPACE = re.compile(r"[ \t]?;(?=[ \t]?\xa0)")
_STRAY_SEMICOLON = re.compile(r"[ \t]?;[ \t]*(?=\n|\Z)")


def find_tags(text: str, evidence: Evidence) -> Iterator[Change]:
    """Tags that scraping left in a text go, and the lines, list items and table cells they stood for come back.

    Broken tags (``< strong >``, ``</ s trong >``) are proof by themselves; whole ones go only near proven damage,
    and known names only: ``<file>`` is what the reader has to fill in, ``vector<p>`` a type.

    >>> TAGS("one < strong >two< / strong > three< / li >")
    'one two three'
    >>> TAGS("vector<p> a < b > c <stdio.h> `<b>`", damaged=False)
    'vector<p> a < b > c <stdio.h> `<b>`'
    """
    if evidence.points or evidence.everywhere or len(text) <= SNIPPET or may_hold_broken(text):
        yield from _changes(text, evidence, proven=True)


def find_tags_of_short_texts(text: str, evidence: Evidence) -> Iterator[Change]:
    """Whole tags go from a text too short to hold proof of damage, if they are used in it as markup.

    That is: they close or carry attributes, and the text neither speaks of tags nor is code. No proof of damage to
    the words around them.

    >>> SHORT_TEXT_TAGS("<p>See <a href='/x'>here</a></p>", damaged=False)
    'See here'
    >>> SHORT_TEXT_TAGS("Map<p> and copy <input> to <output>, see <b> tags", damaged=False)
    'Map<p> and copy <input> to <output>, see <b> tags'
    """
    if len(text) <= SNIPPET:
        yield from _changes(text, evidence, proven=False)


def _changes(text: str, evidence: Evidence, proven: bool) -> Iterator[Change]:
    found = list(used_tags(text, evidence.once(_all_tags, text), evidence.points))
    accepted, proofs = _accepted(text, found, evidence)
    if proven != (bool(proofs.points) or proofs.everywhere):
        return
    if not accepted and (len(text) > SNIPPET or ">" not in text or ABOUT.search(text) or CODE.search(text)):
        return
    events = _with_halves(text, accepted, proofs)
    yield from _replaced(text, events, 0.9 if proven else 0.6)


def _all_tags(text: str) -> tuple[Tag, ...]:
    return tuple(tags(text))


def find_tags_of_html_source(text: str, evidence: Evidence) -> Iterator[Change]:
    """The tags of a long text go that is the source of an article's body from its first sign to its last.

    So do those of two or more long paragraphs, each a line of its own, where they are all its tags, and those of a text
    of sentences in which every bracket is a tag's (`prose_tags`). Pieces of pages, drawings, lists of changes, and
    texts with sentences around their tags stay as they are.

    >>> source = "<h2>Bees</h2>\\n" + "<p>From <a href='/f'>flower</a> to flower they fly.</p>\\n" * 15
    >>> HTML_SOURCE(source, damaged=False)[:40]
    'Bees\\nFrom flower to flower they fly.\\nFro'
    >>> HTML_SOURCE("In HTML: " + source, damaged=False) == "In HTML: " + source
    True
    """
    if len(text) <= SNIPPET:
        return
    begins = text.lstrip()[:1] == "<" and any(map(begins_source, islice(tags(text), 1)))
    found = evidence.once(_all_tags, text) if begins else tags_if_of_prose(text)
    if begins and is_html_source(text, found):
        yield from _replaced(text, [t for t in found if t.kind != "custom"], 0.8)
    elif len(found) >= 2 * MIN_LINES and text.count("<") == len(found) == len(lines := wrapped_lines(text, found)):
        yield from _replaced(text, lines, 0.8)
    elif of_prose := tags_of_prose(text, found):
        yield from _replaced(text, of_prose, 0.7)


def _replaced(text: str, events: list[Tag], confidence: float) -> Iterator[Change]:
    """Each run of tags replaced by what it stands for in the lines of the text."""
    inside = inside_tables(events)
    at = last_end = 0
    while at < len(events):
        upto = at + 1
        while upto < len(events) and _NOISE.match(text, events[upto - 1].end, events[upto].start):
            upto += 1
        start, end = events[at].start, events[upto - 1].end
        odd = any(t.kind != "whole" for t in events[at:upto])
        if stray := (_STRAY_SEMICOLON.match(text, end) if odd else None) or _semicolon_of_space(text, start, end):
            end = stray.end()
        low, high, after = replacement(text, start, end, events[at:upto], inside[at:upto])
        low = max(low, last_end)
        yield Change(low, high, after, confidence)
        last_end = high
        if upto < len(events) and (
            new := _raised(text, low, *events[upto - 1 : upto + 1]) or written_out(text, *events[upto - 1 : upto + 1])
        ):
            yield Change(events[upto - 1].end, events[upto].start, new, confidence)
            last_end = events[upto].start
        at = upto


def _semicolon_of_space(text: str, start: int, end: int) -> re.Match[str] | None:
    """A semicolon between a sign with tags behind it and a no-break space, where none belongs: ``:</i> ;&nbsp;``."""
    return _BEFORE_HARD_SPACE.match(text, end) if text[start - 1 : start] in tuple(".,:;!?") else None


_INDEX = re.compile(r"[-+−=()n]{0,2}[0-9]{1,4}[+−-]?|n")
_VALUE = re.compile(r"(?:[0-9)\]]|(?<![A-Za-z])[A-Za-zµμ]{1,2})\Z")


def _raised(text: str, low: int, opening: Tag, closing: Tag) -> str:
    """An exponent, or an index beside a number, in raised or lowered signs: ``10<sup>6</sup>`` is not 106.

    >>> raised = lambda t: _raised(t, t.index("<"), *tags(t))
    >>> raised("10<sup>6</sup>"), raised("2<sub>10</sub>"), raised("H<sub>2</sub>O"), raised("1<sup>st</sup>")
    ('⁶', '₁₀', '', '')
    """
    if opening.name != closing.name or opening.closing or not closing.closing:
        return ""
    inside = text[opening.end : closing.start]
    if not _INDEX.fullmatch(inside):
        return ""
    if opening.name == "sup" and _VALUE.search(text, max(0, low - 3), low):
        return inside.translate(RAISED)
    beside = text[max(0, low - 1) : low].isdigit() or text[closing.end : closing.end + 1].isdigit()
    return inside.translate(LOWERED) if opening.name == "sub" and beside else ""


def _accepted(text: str, found: list[Tag], evidence: Evidence) -> tuple[list[Tag], Evidence]:
    """The tags that are damage, and where damage is proven."""
    closed = {t.name for t in found if t.closing}
    found = _without_lone_letters(text, found, evidence)
    # In a text of many whole tags one odd opening tag is a slip of its author; no author spaces out "< / p >".
    broken = [t for t in found if t.kind == "broken" and t.strong]
    slip = len(broken) == 1 and not broken[0].closing and len(found) > 4 and not evidence.points
    slip = slip and not (broken[0].name == "table" and any(t.name == "tr" for t in found))
    proofs = Evidence(sorted([*evidence.points, *([] if slip else (t.start for t in broken))]), evidence.everywhere)
    snippet = of_snippet(text, found, closed) if len(text) <= SNIPPET else []
    if snippet is None:
        return [], proofs
    if not (proofs.points or proofs.everywhere):
        return _whole_pairs(found, set(snippet)), proofs
    taught = any(t.kind == "whole" and is_taught(text, t) for t in found)
    if not evidence.by.isdisjoint(OF_SOURCE) and (taught or SURELY_ABOUT.search(text)):
        return [], proofs  # its own tags are out, so these were references to show
    accepted = []
    near = NearDamage(text, proofs, NEIGHBOURS)
    for tag in found:
        if near(tag.start, tag.end) and (
            tag.kind in ("comment", "hidden") or (tag.name in ELEMENTS and _real(text, tag, closed, evidence, taught))
        ):
            accepted.append(tag)
    again = closed | {name for name, n in Counter(t.name for t in found).items() if n > 1} if snippet else closed
    used = (t for t in snippet if t.strong or t.closing or t.name in again or not _is_of_values(text, t))
    return _whole_pairs(found, {*accepted, *used, *(wrapped_lines(text, found) if broken else ())}), proofs


MIN_LINES = 2  # so many, and no other sign of markup, are no example
MIN_LINE = 200  # characters of a paragraph that is taken for one of an article by itself


def wrapped_lines(text: str, found: Sequence[Tag]) -> list[Tag]:
    r"""The tags of paragraphs that are whole long lines of prose, where the text neither speaks of markup nor is code.

    >>> line = "<p>" + "The bees of this valley fly from flower to flower all day. " * 4 + "</p>"
    >>> [len(wrapped_lines(t, list(tags(t)))) for t in (line, "An element: " + line, "See the tag:\n" + line)]
    [2, 0, 0]
    """
    lines = [
        (first, last)
        for first, last in pairwise(found)
        if first.name == last.name == "p" and last.closing and not first.closing
        if first.kind == last.kind == "whole" and last.start - first.end >= MIN_LINE
        if text[max(first.start - 1, 0) : first.start] in ("", "\n") and text[last.end : last.end + 1] in ("", "\n")
        if "\n" not in text[first.end : last.start] and text[first.end : last.start].rstrip()[-1:] in tuple('.!?:”"’»)')
    ]
    if not lines:
        return []
    outside = apply_changes(text, (Change(t.start, t.end, " ") for t in found))
    if ABOUT.search(outside) or CODE.search(outside) or PROGRAM.search(text):
        return []
    return [tag for pair in lines for tag in pair]


MAX_PAIR = 1000  # characters between the halves of a pair of which one is damage and the other goes with it


def _whole_pairs(found: list[Tag], accepted: set[Tag]) -> list[Tag]:
    """The accepted tags in order, with the other half of each pair of inline tags of which one half was accepted."""
    taken = set(accepted)
    for first, last in _pairs(found):
        if (first in accepted) != (last in accepted) and last.start - first.end <= MAX_PAIR:
            taken.update((first, last))
    return sorted(taken, key=lambda tag: tag.start)


def _pairs(found: Sequence[Tag]) -> Iterator[tuple[Tag, Tag]]:
    """Each inline tag that is closed, and the tag that closes it."""
    opened: dict[str, list[Tag]] = {}
    for tag in found:
        if tag.name not in INLINE or tag.kind not in ("whole", "broken"):
            continue
        if not tag.closing:
            opened.setdefault(tag.name, []).append(tag)
        elif waiting := opened.get(tag.name):
            yield waiting.pop(), tag


def _real(text: str, tag: Tag, closed: set[str], evidence: Evidence, taught: bool) -> bool:
    """Whether a tag of a known name is one near damage: no placeholder, no type ``<U>``, no comparison, no word.

    `taught`: whether the text says of a tag what it is for; others that were escaped may then be shown, too.
    """
    if taught and tag.name not in closed and is_taught(text, tag):
        return False
    if tag.strong or tag.closing:
        return True
    if _is_less_than(text, tag) and tag.name not in closed:
        return False
    if _holds_damage(tag, evidence):
        joined = tag.name not in LONE or _JOINED.search(text, max(0, tag.start - 9), tag.start) is not None
        shown = tag.name in PLACEHOLDER or _is_of_values(text, tag) or (taught and joined)
        return tag.name in closed or not shown
    if tag.name in closed:
        return True
    if tag.name in PLACEHOLDER or _SPOKEN.search(text, max(0, tag.start - 12), tag.start):
        return False
    return len(tag.name) > 1 or _stands_alone(text, tag)


def _holds_damage(tag: Tag, evidence: Evidence) -> bool:
    """Whether a tag's brackets were damaged themselves."""
    at = bisect_left(evidence.points, tag.start)
    return at < len(evidence.points) and evidence.points[at] < tag.end


_END_OF = {name: re.compile(rf"(?<![\w<])(?<!<[ /])(?<!< /){name} ?>") for name in "abiqsu"}


def _without_lone_letters(text: str, found: list[Tag], evidence: Evidence) -> list[Tag]:
    r"""The tags but for letters in brackets that open nothing: two who speak, ``<a> hi <b> ho``, a shift, ``1<<i>>2``.

    >>> def kept(text): return len(_without_lone_letters(text, list(tags(text)), Evidence()))
    >>> [kept(t) for t in ("<a> hi\n<b> ho", "<b> hi", "<a> <b> o b >", "<a> <b> o</b>", "1<<i>>2", "<a\n> <a> <b> x")]
    [0, 1, 2, 3, 0, 3]
    """
    alone = [t for t in found if t.name in _END_OF and not (t.closing or t.strong or _holds_damage(t, evidence))]
    if not alone:
        return found
    paired = {tag for pair in _pairs(found) for tag in pair}
    broken = {t.name for t in found if (t.strong or t.kind == "broken") and t not in paired}
    alone = [t for t in alone if t not in paired and t.name not in broken and not _END_OF[t.name].search(text, t.end)]
    shifts = {t for t in alone if _is_shift(text, t)}
    spoken = {t for t in alone if t.kind == "whole" and _is_spaced(text, t)}
    if (
        len({t.name for t in spoken}) < 2
        or not apply_changes(text, (Change(t.start, t.end, "") for t in found)).strip()
    ):
        spoken = set()
    return [t for t in found if t not in shifts and t not in spoken]


def _is_shift(text: str, tag: Tag) -> bool:
    doubled = text.startswith("<<", tag.start) and text.startswith(">>", tag.end - 2)
    return doubled and text[tag.start - 1 : tag.start].isalnum() and text[tag.end : tag.end + 1].isalnum()


def _is_spaced(text: str, tag: Tag) -> bool:
    return text[tag.end - 1] == ">" and not (text[tag.start - 1 : tag.start] + text[tag.end : tag.end + 1]).strip()


def _is_of_values(text: str, tag: Tag) -> bool:
    """Whether a name stands beside what is compared with it, or is a type's."""
    return _is_less_than(text, tag) or _is_type(text, tag) or _compares(text, tag)


def _is_less_than(text: str, tag: Tag) -> bool:
    """``a <b``: a value, and a letter that no bracket ends."""
    value = text[max(0, tag.start - 2) : tag.start].rstrip()[-1:]
    return len(tag.name) == 1 and text[tag.end - 1] != ">" and value.isalnum()


def _is_type(text: str, tag: Tag) -> bool:
    """``List<A> names``: a capital in brackets behind a word and before none."""
    if not (text[tag.start + 1 : tag.end - 1].isupper() and tag.end - tag.start == 3 and tag.start):
        return False
    after = text[tag.end : tag.end + 2]
    follows = after[:1] in "([;,.)>" if tag.name == "p" else not after[:1].isalnum()
    return text[tag.start - 1].isalnum() and (follows or (after[:1] == " " and after[1:].islower()))


def _compares(text: str, tag: Tag) -> bool:
    """Whether a name of one letter stands between two values, as in ``a < b > c``.

    >>> [_compares(t, next(tags(t))) for t in ("a < b > c", "a < b >c", "< b > c", "a < em > c")]
    [True, False, False, False]
    """
    before, after = text[max(0, tag.start - 2) : tag.start], text[tag.end : tag.end + 2]
    values = len(before) == len(after) == 2 and before[0] not in " \n<>" and after[1].isalnum()
    spaced = before[1:] == after[:1] == " " == text[tag.start + 1] == text[tag.end - 2]
    return len(tag.name) == 1 and values and spaced


def _stands_alone(text: str, tag: Tag) -> bool:
    """At the edge of a line, beside another tag, or against a word: not ``a < b > c``, not ``vector<p> v``."""
    before, after = text[max(0, tag.start - 2) : tag.start].rstrip(" "), text[tag.end : tag.end + 2].lstrip(" ")
    if not before or before[-1] in "\n>" or not after or after[0] in "\n<":
        return not (before[-1:].isalnum() and text[tag.start - 1 : tag.start] != " ")
    return tag.kind == "whole" and text[tag.end].isalnum() and not text[tag.start + 1 : tag.end].isupper()


def _with_halves(text: str, accepted: list[Tag], proofs: Evidence) -> list[Tag]:
    """The accepted tags and the half-lost ones between and around them, in order."""
    events: list[Tag] = []
    opened: dict[str, int] = {}
    at = 0
    if cut := _CUT_FIRST.match(text):  # ``p>It ended.</p>``: what closes first was opened where the text begins
        first = next((t for t in accepted if t.name == cut[1]), None)
        if first is not None and first.closing and cut[1] in ELEMENTS:
            events.append(Tag(0, cut.end(), cut[1], False, "half", True))
            at = cut.end()
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


_CUT_FIRST = re.compile(r"([a-z][a-z0-9]{0,9})>(?=[^\s<>])")
NOTHING, SPACE, CELL_END, LINE = range(4)

_BULLETED = re.compile(r"[-*•·‣–] |\d{1,3}[.)] ")
_CLOSING_SIGN = re.compile(r"[!?.,;:](?=\s|\Z|<)")
_BLANK_LINE = re.compile(r"\n[ \t\xa0]*\n")
_STRUCTURAL = BLOCK | HEADING | TABLE | {"li", "blockquote"}


def inside_tables(found: Sequence[Tag]) -> list[bool]:
    """For each tag, whether the nearest structural tags before and after it belong to one table.

    Rows lose their opening tags in damage, so a table is recognised by what stands on both sides.
    """
    if TABLE.isdisjoint(tag.name for tag in found):
        return [False] * len(found)
    before = _in_table(found, lambda tag: tag.closing)
    after = _in_table(found[::-1], lambda tag: not tag.closing and tag.kind != "half")
    return [a and b for a, b in zip(before, reversed(after), strict=True)]


def _in_table(found: Sequence[Tag], leaves: Callable[[Tag], bool]) -> list[bool]:
    """For each tag, whether the structural tag passed last belongs to a table that it does not leave."""
    states: list[bool] = []
    now = False
    for tag in found:
        states.append(now)
        if tag.name in _STRUCTURAL and not (now and tag.name in ("p", "div")):
            now = tag.name in TABLE and not (tag.name == "table" and leaves(tag))
    return states


def level_of(tag: Tag, in_table: bool) -> int:
    """How strongly a tag parts what stands before it from what stands after it."""
    if tag.name in CELL:
        return CELL_END
    if tag.name == "cdata":
        return NOTHING
    if in_table and tag.name in ("br", "p", "div", "li", "ul"):
        return SPACE
    if tag.name in _STRUCTURAL or tag.name in ("br", "hr"):
        return LINE
    return SPACE if tag.kind in ("comment", "hidden", "custom") or tag.name in REPLACED else NOTHING


def replacement(text: str, start: int, end: int, run: Sequence[Tag], tables: Sequence[bool]) -> tuple[int, int, str]:
    """The span around a run of tags to replace, white space beside it included, and what to put there.

    >>> def lines(t):
    ...     run = list(tags(t)); return replacement(t, run[0].start, run[-1].end, run, inside_tables(run))
    >>> lines("one </p> <ul><li> two"), lines("one <b> two"), lines("on<b>e")
    ((3, 18, '\\n- '), (3, 8, ' '), (2, 5, ''))
    """
    level = max(map(level_of, run, tables))
    spaces = " \t\n\xa0" if level >= CELL_END else " \t\xa0"
    low, high = start, end
    while low > 0 and text[low - 1] in spaces:
        low -= 1
    while high < len(text) and text[high] in spaces:
        high += 1
    gaps = [text[low:start], text[end:high], *(text[a.end : b.start] for a, b in pairwise(run))]
    if level < CELL_END:
        alone = text[low - 1 : low] == "\n" and text[high : high + 1] == "\n"
        if alone and not any(map(_BLANK_LINE.search, gaps)):
            return low, high + 1, ""  # a line of its own
        between = _inline(text, low, high, start, gaps, level)
        return low, high, between or " " * _part_sentences(text, low, high, run)
    if high == len(text):
        return low, high, "\n" if "\n" in gaps[1] else ""
    prefix = _prefix(run)
    if prefix == "- " and _BULLETED.match(text, high, high + 6):
        prefix = ""
    if low == 0:
        return low, high, prefix
    if not prefix and _CLOSING_SIGN.match(text, high) and text[low - 1].isalnum():
        return low, high, ""  # the sign ends the sentence before the tags
    if level == CELL_END:  # a cell beside a line that has nothing yet is that line's first
        return low, high, " | "
    apart = any(map(_BLANK_LINE.search, gaps)) or sum(tag.name == "br" for tag in run) > 1
    return low, high, ("\n\n" if apart else "\n") + prefix


def _inline(text: str, low: int, high: int, start: int, gaps: Sequence[str], level: int) -> str:
    """What stands instead of tags that part no lines: the white space that was there, once."""
    if any("\n" in gap for gap in gaps[2:]):
        return "\n\n" if any(map(_BLANK_LINE.search, gaps[2:])) else "\n"
    if high == len(text) or text[high] == "\n":
        return ""
    if low == 0 or text[low - 1] == "\n":
        return text[low:start]
    return " " if any(gaps) or (level == SPACE and not _CLOSING_SIGN.match(text, high)) else ""


_SHOWS_CODE = frozenset("code var kbd samp tt pre".split())
_SENTENCE_END = re.compile(r"(?:\A|[\s>«“„(])[^\W\d_]{3,40}[.!?]\Z")
_SENTENCE_START = re.compile(r"[^\W\d_]{1,40}(?=[\s,<]|[.!?](?:[\s<]|\Z)|\Z)")


def _part_sentences(text: str, low: int, high: int, run: Sequence[Tag]) -> bool:
    """Whether an element ends with a sentence, and the next one begins behind its tags.

    Not so in names (`System.</b>Out`, `example.</i>com`), after abbreviations of two letters and in code.
    """
    if text[low - 1 : low] not in (".", "!", "?") or low == high:
        return False
    end, begin = _SENTENCE_END.search(text[max(0, low - 43) : low]), _SENTENCE_START.match(text, high)
    if end is None or begin is None or not any(tag.closing for tag in run) or any(t.name in _SHOWS_CODE for t in run):
        return False
    last, first = end[0].lstrip("\n\t >«“„(")[:-1], begin[0]
    return (last.islower() or text[low - 1] != ".") and first[0].isupper() and (first[1:].islower() or not first[1:])


def _prefix(run: Sequence[Tag]) -> str:
    """What the line after the run begins with: a list item's dash, a quote's mark."""
    for tag in reversed(run):
        if tag.name in _STRUCTURAL and tag.name not in ("p", "div"):
            if tag.closing or tag.name not in ("li", "blockquote"):
                return ""
            return "- " if tag.name == "li" else "> "
    return ""


_GATE = r"<[\s/!&;<]{0,12}[A-Za-z]|[A-Za-z]\s{0,3}/?\s{0,3}>|[\"']\s{0,3}/?\s{0,3}>|<!|<\?|</>"

TAGS = Rule("tags", 10, find_tags, _GATE, proves=True, remembered=True)
SHORT_TEXT_TAGS = Rule("short_text_tags", 10, find_tags_of_short_texts, _GATE, remembered=True)
HTML_SOURCE = Rule(
    "html_source",
    8,
    find_tags_of_html_source,
    r"\A\s*<[A-Za-z!]|<!--|</?(?i:a|b|blockquote|br|center|cite|div|em|font|h[1-6r]|i|img|li|[ou]l|p|script|small|span"
    r"|strong|style|su[bp]|table|td|u)[ />]",
    remembered=True,
)

MARKUP: tuple[Rule, ...] = (TAGS, SHORT_TEXT_TAGS, HTML_SOURCE)
"""The rules that take out tags, in order."""
