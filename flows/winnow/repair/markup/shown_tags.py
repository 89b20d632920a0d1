"""Tags that a text shows to its readers, and uses for nothing: in code, in quotes, names of a chat's speakers."""

from __future__ import annotations

import html
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from winnow.base.html_names import ELEMENTS
from winnow.repair.engine.rule import Span, line_end
from winnow.repair.markup.tags import PLACEHOLDER, Tag

_CODE_SPAN = re.compile(r"`(?<![\w`]`)[^`\n]{1,300}`(?![\w`])")
_FENCE = re.compile(r"^ {0,3}(```|~~~)[\w+-]{0,20} ?$", re.MULTILINE)
_STATEMENT = re.compile(r"[ \t]{0,3}[;),]")

OF_CODE = ("code", "pre", "tt", "kbd", "samp")
"""Elements that show what a reader types, or a program prints."""
_NAMES = "|".join(OF_CODE)
_IN_CODE = re.compile(rf"<({_NAMES})(?:\s[^<>]{{0,200}})?>([^<]{{1,5000}})</\1\s?>", re.IGNORECASE)
_IN_ESCAPED_CODE = re.compile(rf"&lt;({_NAMES})&gt;((?:(?!&lt;/\1)[^<]){{1,3000}})&lt;/\1&gt;", re.IGNORECASE)
_TO_SHOW = re.compile(
    rf"&(?:lt|#60|#x3c);/?(?:{'|'.join(sorted(ELEMENTS))})(?=[\s/&])|&amp;(?:#\d{{2,5}}|[a-z]{{2,8}}\d{{0,2}});",
    re.IGNORECASE,
)
"""What a reader sees as a tag or a reference, one layer of escaping down."""


def used_tags(text: str, found: Iterable[Tag], points: Sequence[int] = ()) -> Iterator[Tag]:
    """The tags but for those in quotes, in code by Markdown, and at the start of lines of a chat, where names stand.

    `points`: places of proven damage; a tag between fences whose brackets were damaged came there with the damage.

    >>> from winnow.repair.markup.tags import tags
    >>> kept = lambda t: [t[f.start : f.end] for f in used_tags(t, tags(t))]
    >>> kept("<b>x</b> is `<p>x</p>`"), kept("<ann> hi\\n<b> hello\\n<ann> bye <i>now</i>")
    (['<b>', '</b>'], ['<ann>', '<ann>', '<i>', '</i>'])
    >>> kept("<b>x</b>\\n```\\n<p>y</p>\\n```"), kept("<b>x</b>\\n```\\n<p>y</p>")
    (['<b>', '</b>'], ['<b>', '</b>', '<p>', '</p>'])
    """
    fences = _fences(text)
    found = [
        t
        for t in found
        if not _quoted(text, t) and not (fences and is_in(fences, t.start, t.end) and not _damaged(t, points))
    ]
    shown: set[Tag] = set()
    if any(t.kind == "custom" for t in found):
        closed = {t.name for t in found if t.closing}
        begin = [t for t in found if t.name not in closed and not t.strong and _begins_speech(text, t)]
        if sum(t.kind == "custom" for t in begin) > 1:
            shown = {t for t in begin if t.kind == "whole"}
    pairs = [
        (first, last)
        for first, last in pairwise(found if "`" in text else ())
        if last.closing and first.name == last.name and not first.closing and first.kind == last.kind == "whole"
    ]
    spans = [m.span() for m in _CODE_SPAN.finditer(text)] if pairs else []
    for first, last in pairs:
        if is_in(spans, first.start, last.end):
            shown |= {first, last}
    return (tag for tag in found if tag not in shown) if shown else iter(found)


def _begins_speech(text: str, tag: Tag) -> bool:
    at_start = tag.kind in ("custom", "whole") and (tag.start == 0 or text[tag.start - 1] == "\n")
    return at_start and not tag.closing and text[tag.end : tag.end + 1] == " "


def _damaged(tag: Tag, points: Sequence[int]) -> bool:
    at = bisect_left(points, tag.start)
    return at < len(points) and points[at] < tag.end


def _fences(text: str) -> list[Span]:
    """The blocks of code that Markdown sets between two lines of three signs."""
    if "```" not in text and "~~~" not in text:
        return []
    spans: list[Span] = []
    opened: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if opened is None:
            opened = fence
        elif fence[1] == opened[1]:
            spans.append((opened.start(), fence.end()))
            opened = None
    return spans


def is_in(spans: list[Span], start: int, end: int) -> bool:
    """Whether one of some ascending stretches holds ``text[start:end]``."""
    n = bisect_right(spans, start, key=lambda span: span[0]) - 1
    return n >= 0 and end <= spans[n][1]


_BEFORE_SHOWN = frozenset("=`'\"‘“")
_DOUBLED = re.compile("(?<!`)``(?!`)")


def _parts_doubled(text: str, tag: Tag) -> bool:
    """Whether a tag between backticks stands inside two that belong together, whose other two follow or precede."""
    low = max(text.rfind("\n", 0, tag.start) + 1, tag.start - 200)
    return len(_DOUBLED.findall(text, low, min(line_end(text, tag.end), tag.end + 200))) % 2 == 1


def _quoted(text: str, tag: Tag) -> bool:
    """Set in quotes or backticks by itself, or an option's value, as in a text about tags or a manual."""
    before, after = text[tag.start - 1 : tag.start], text[tag.end : tag.end + 1]
    if before not in _BEFORE_SHOWN:
        return before == after == " " and text.startswith("</>", tag.start)
    if tag.kind == "comment" and tag.name != "cdata":
        return before in "`'\"" and text[tag.start + 4 : tag.start + 5] in ("`", "'", '"')
    if before == "=" and not tag.strong and tag.name in (PLACEHOLDER | {"style"}):
        return True
    if before in "'\"" and before == after and _STATEMENT.match(text, tag.end + 1):
        return True  # a program's string, whatever stands in it
    if before == after == "`" and tag.kind == "whole" and not _parts_doubled(text, tag):
        return True  # code, by Markdown
    if text[tag.start : tag.end] == "</>":
        return False
    return not tag.strong and before != "=" and after != "" and after in "`'\"’”"


def in_code(text: str) -> tuple[list[Span], list[Span]]:
    """Where elements of code hold escaped tags or references to show: by plain tags, and by escaped ones.

    >>> in_code("Use <code>&lt;div&gt;</code> <code>a &lt; b</code>"), in_code("&lt;tt&gt;&amp;lt;b&amp;gt;&lt;/tt&gt;")
    (([(10, 21)], []), ([], [(10, 27)]))
    """
    if "</" not in text and "&lt;/" not in text:
        return [], []
    plain, escaped = ([m.span(2) for m in form.finditer(text)] for form in (_IN_CODE, _IN_ESCAPED_CODE))
    return (
        [span for span in plain if _TO_SHOW.search(text, *span)],
        [span for span in escaped if _TO_SHOW.search(html.unescape(text[slice(*span)]))],
    )


def written_out(text: str, opening: Tag, closing: Tag) -> str:
    """What stands for an element of code that shows tags: they, between backticks, as Markdown has it.

    So nobody takes them for tags of the text again. Empty for any other pair of tags.

    >>> from winnow.repair.markup.tags import tags
    >>> see = lambda t: written_out(t, *tags(t))
    >>> see("<code>&lt;div&gt;</code>"), see("<code>a &lt; b</code>"), see("<pre>&lt;b&gt;\\n x</pre>")
    ('`<div>`', '', '```\\n<b>\\n x\\n```')
    """
    if opening.name != closing.name or opening.name not in OF_CODE or closing.closing <= opening.closing:
        return ""
    inside = text[opening.end : closing.start]
    if "`" in inside or "<" in inside or _TO_SHOW.search(inside) is None:
        return ""
    shown = html.unescape(inside).strip()
    return f"```\n{shown}\n```" if "\n" in shown else f"`{shown}`"
