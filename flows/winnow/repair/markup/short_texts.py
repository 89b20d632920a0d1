"""Which tags of a short text are markup, and whether it is code, or about tags, which then stay."""

from __future__ import annotations

import re
from itertools import pairwise

from winnow.base.html_names import ELEMENTS
from winnow.repair.engine.rule import Change, apply_changes
from winnow.repair.markup.half_tags import half_tags
from winnow.repair.markup.html_source import is_wrapped
from winnow.repair.markup.shown_tags import OF_CODE
from winnow.repair.markup.tags import PLACEHOLDER, Tag

ABOUT = re.compile(r"\b(?:html|xml|sgml|markup|tags?|elements?|attributes?|usage|syntax|synopsis)\b", re.IGNORECASE)
SURELY_ABOUT = re.compile(r"\b(?:html|xml|sgml|markup|synopsis)\b", re.IGNORECASE)
LONE = frozenset(("br", "hr", "img", "li", "p"))  # often stand without an end
NEAR = 20  # characters from a tag to a word for one
CODE = re.compile(
    r"<[%?]|\$\{|#\{|#include|::|\btemplate ?<|\bclass |\breturn\b|\bimport |=>|&&|\|\||(?:[^\s;];|\{) *\n|\);"
    r"|\w\(['\"]|\{[{%]|\w\.\w+ = |\A\s*'.*'\s*\Z|^(?:@@ -\d|HTTP/[12]|(?:GET|POST) /\S* HTTP/)"
    r"|^\$ (?:cat|curl|echo|git|grep|head|less|node|npm|perl|php|python3?|ruby|sed|wget)\s",
    re.MULTILINE,
)
"""What programs, diffs, shells and protocols have outside of tags."""
PROGRAM = re.compile(
    r"\bm\{<|=~ ?[ms]?[/{]<|<STDIN>|\bs/<|^[ \t]*(?:/{3}|'{3}) ?<(?:summary|param|returns|remarks)"
    r"|^-[ \t]*<[^\n]{1,300}\n(?:[ +-][^\n]{0,300}\n){0,9}\+[ \t]*<"
    r"|^\+[ \t]*<[^\n]{1,300}\n(?:[ +-][^\n]{0,300}\n){0,9}-[ \t]*<"
    r"|\w ([\"'`“])<(p|div|[uo]l|li|h[1-6]|table|tr|td)\b[^<>\n]{0,300}>[^\"'`”\n]{0,300}</\2>[\"'`”]"
    r"|\w <([A-Za-z]\w{0,9})>(?:\.{3}|…)</\3>"
    r"|\w <!(?i:DOCTYPE)\b|<!(?i:DOCTYPE)\b[^<>\n]{0,200}> [a-z]"
    r"|(?:^\w+=| = | -\w )[\"']<[A-Za-z]|<<-?['\"]?[A-Z]{3,9}['\"]?$",
    re.MULTILINE,
)
"""What holds tags there: Perl's matches, documenting comments, diffs, strings, ``<li>...</li>``, doctypes named."""
_DRAWING = re.compile(
    r"\s*(?:<\?xml[^<>]{0,200}>\s*(?:<![^<>]{0,300}>\s*)?<(?!!|html\b|p>|div\b|h[1-6]>)|<svg[\s>])", re.IGNORECASE
)
_USED = re.compile(r"\b(?:use|using|insert|type|write|add|put|with|the|an?) \Z", re.IGNORECASE)
_FOR = re.compile(r" (?:for|to|in|instead|as|at|when|where|between|after|before)\b")
_WORD = r"(?:elements?|tags?|markup|elemento?s?|éléments?|elementen?|balises?|etiquetas?|тег\w{0,3})"
_FAULTY = re.compile(
    r"\b(?:missing|stray|unclosed|unmatched|unexpected|closing|opening|extra|invalid|parsing|instead of) \Z",
    re.IGNORECASE,
)
_OF_A_FAULT = r" (?:(?:is|are|was|were) )?(?:not allowed|not permitted|deprecated|obsolete|unsupported)\b"
_MENTIONED = re.compile(rf"{_OF_A_FAULT}|[ -]{_WORD}(?!\w)| ?(?:タグ|标签|標籤)", re.IGNORECASE)
_BEFORE_WORD = frozenset(" -タ标標")
"""Signs with which the above begin; what stands before a tag and says what it is ends with a space."""
_NAMED = re.compile(rf"(?<!\w){_WORD} \Z", re.IGNORECASE)
_ELEMENT = re.compile(r"<([A-Za-z][\w:.-]{0,30})(?:\s[^<>]{0,300})?>[^<>]{1,600}</\1>")


_STANDS_FOR = frozenset("""
    unknown none null nil nan missing blank empty undefined unspecified anonymous anon deleted removed redacted
    withheld hidden private unnamed untitled unidentified unintelligible inaudible illegible noname nobody
    name names surname firstname lastname username user users host hostname server file files filename folder
    directory path url uri link email mail password token key value string text word number num int id uid uuid
    index date day month year phone city country state company product place version branch commit
    lambda module stdin stdout stderr genexpr listcomp init console
    sic pause laughs laughter applause cough sigh sighs grin music noise silence snip cut
    unk pad bos eos sos eot sep cls mask start end
    enter return tab esc escape space backspace ctrl alt shift up down cr lf nl
""".split())  # fmt: skip
"""Names of what is missing, has to be filled in, or is a program's, a language model's or a keyboard's."""


_OF_WIKI = frozenset(("ref", "references", "gallery", "nowiki", "noinclude", "includeonly", "onlyinclude"))
"""Tags of wiki source, which go with what they hold, or not, by a rule of their own."""


def _is_placeholder(tag: str) -> bool:
    """Whether an unknown tag stands for something: ``<EMAIL>``, ``<name=...>``, ``<unknown>``, ``<C-x>``."""
    keys = tag[1].isupper() and tag[2] == "-"
    return "=" in tag or tag.isupper() or keys or tag[1:-1].lower() in _STANDS_FOR


def _is_about(text: str, found: list[Tag], outside: str) -> bool:
    """Whether a text speaks of markup: a word says so that has no other meaning, or that stands near a tag.

    Unless all of it stands in elements, or a link shows that its tags are used: people speak of price tags, too.
    """
    if not ABOUT.search(outside):
        return False
    if is_wrapped(text, found):
        return False
    return (
        SURELY_ABOUT.search(outside) is not None
        or not any(t.name == "a" and t.strong for t in found)
        or any(
            ABOUT.search(text, max(0, t.start - NEAR), t.start) or ABOUT.search(text, t.end, t.end + NEAR)
            for t in found
        )
    )


def is_taught(text: str, tag: Tag) -> bool:
    """Whether a sentence says of a tag what it is for, or that it is one: ``use <em> for emphasis``, ``the <b> tag``.

    >>> from winnow.repair.markup.tags import tags
    >>> [is_taught(t, next(tags(t))) for t in ("use <em> for emphasis", "the <b> tag", "the <b>cat</b> sat")]
    [True, True, False]
    """
    before, after = text[tag.start - 1 : tag.start], text[tag.end : tag.end + 1]
    if before != " " and after not in _BEFORE_WORD:
        return False
    if _FAULTY.search(text, max(0, tag.start - 12), tag.start) and not text[tag.end : tag.end + 1].isalnum():
        return True
    if tag.closing or (tag.strong and tag.name in LONE):
        return False
    used = not tag.strong and _USED.search(text, max(0, tag.start - 12), tag.start) and _FOR.match(text, tag.end)
    return bool(used or _MENTIONED.match(text, tag.end) or _NAMED.search(text, max(0, tag.start - 12), tag.start))


def of_snippet(text: str, found: list[Tag], closed: set[str]) -> list[Tag] | None:
    """The tags of a short text, if they are used in it and not spoken of; None where the text is code.

    >>> from winnow.repair.markup.tags import tags
    >>> def kept(t):
    ...     found = list(tags(t)); return len(of_snippet(t, found, {f.name for f in found if f.closing}) or ())
    >>> kept("a<b>c"), kept("<i>x</i>"), kept("copy <input> to <output>"), kept("list<p> x"), kept("the <b> tag")
    (1, 2, 0, 0, 0)
    """
    if _DRAWING.match(text) and not (found and found[0].name == "svg" and text[found[0].end :].strip(" \n</>")):
        return []
    found = [t for t in found if t.kind != "custom" or t.name in closed or not _is_placeholder(text[t.start : t.end])]
    if "[[" in text:
        found = [t for t in found if t.name not in _OF_WIKI]
    outside = _outside(text, found)
    if CODE.search(outside) or PROGRAM.search(text):
        return None
    if _is_about(text, found, outside) or any(t.kind == "whole" and is_taught(text, t) for t in found):
        return []
    if any(t.kind == "custom" and ":" in t.name for t in found):
        return [t for t in found if t.kind in ("comment", "hidden")]  # XML of its own
    if not outside.strip():
        lone = len(found) == 1 and len(text) == found[0].end - found[0].start and text[1:-1].lower() in PLACEHOLDER
        return [] if lone else found
    paired = closed & {t.name for t in found if not t.closing}
    found = [t for t in found if not _of_manual(text, t, paired)]
    opened = {t.name for t in found if not t.closing}
    used = any(
        t.strong
        or t.kind in ("comment", "hidden")
        or (t.name == "p" and t.start == 0 and text[t.end : t.end + 1].isupper())
        or (t.closing and (t.name in ELEMENTS or t.name in opened))
        or (t.name in ELEMENTS and len(t.name) > 1 and t.name not in PLACEHOLDER and not _as_noun(text, t, closed))
        for t in found
    )
    used = used or any(_closed_by_opening(text, *pair) for pair in pairwise(found))
    if len(found) > 1 and (last := found[-1]).kind == "broken" and last.end == len(text):
        used = used or any(t.name == last.name for t in found[:-1])  # cut off inside the tag that was to close
    used = used or any(half.strong for half in half_tags(text, 0, len(text), False))
    if all(t.kind == "custom" for t in found) and _ELEMENT.search(text):
        return []  # XML of its own
    if used:
        return [t for t in found if t.kind in ("comment", "hidden") or t.name in ELEMENTS or t.name in closed]
    if any(t.kind == "custom" and t.name not in closed and text[t.start - 1 : t.start].isalnum() for t in found):
        return []  # as ``<y>`` in ``x<y>z and p<q>r``
    single = [t for t in found if t.kind == "whole" and len(t.name) == 1 and t.name in ELEMENTS - PLACEHOLDER]
    return [t for t in single if _within_word(text, t)]


def _outside(text: str, found: list[Tag]) -> str:
    """The text without its tags, and without what stands in elements of code, which says nothing of the rest."""
    in_code = [
        (first, last)
        for first, last in pairwise(found)
        if first.name == last.name and first.name in OF_CODE and last.closing > first.closing
    ]
    if not in_code:
        return apply_changes(text, (Change(t.start, t.end, " ") for t in found))
    halves = {tag for pair in in_code for tag in pair}
    gone = [(t.start, t.end) for t in found if t not in halves] + [(a.start, b.end) for a, b in in_code]
    return apply_changes(text, (Change(start, end, " x ") for start, end in sorted(gone)))


def _of_manual(text: str, tag: Tag, paired: set[str]) -> bool:
    """``C<b>`` and ``C<tr///>`` of Perl's manuals, ``<code bash>`` of wikis: brackets, but not HTML's."""
    before = text[max(0, tag.start - 2) : tag.start]
    lone = before[-1:].isupper() and not before[:-1].isalnum()
    if lone and tag.name not in paired and "=" not in text[tag.start : tag.end]:
        return tag.name != "br" or not (text[tag.end : tag.end + 1].isalnum() or before[:1] == " ")
    return tag.closing and re.search(rf"<{re.escape(tag.name)} [\w-]+>", text) is not None


def _as_noun(text: str, tag: Tag, closed: set[str]) -> bool:
    """``will become <h3> and``: a sentence has the tag for a word."""
    if tag.closing or tag.name in closed or tag.name in ("br", "hr", "p", "li", "img"):
        return False
    return text[tag.start - 1 : tag.start] == " " and text[tag.end : tag.end + 1] in (" ", ".", ",")


def _closed_by_opening(text: str, first: Tag, last: Tag) -> bool:
    """Whether the second of two tags lacks its slash alone: ``a <b>word<b>.``"""
    if first.name != last.name or first.name not in ("b", "i", "u") or first.closing or last.closing:
        return False
    outside = text[first.start - 1 : first.start] + text[last.end : last.end + 1]
    return text[first.end].isalnum() and text[last.start - 1].isalnum() and not any(map(str.isalnum, outside))


def _within_word(text: str, tag: Tag) -> bool:
    """Set against a letter as markup is, and not against an identifier as a type's parameter is."""
    before, after = text[max(0, tag.start - 2) : tag.start], text[tag.end : tag.end + 1]
    if text[tag.start + 1 : tag.end].isupper() or (len(before) == 2 and before.isalnum()):
        return False
    return before[-1:].isalpha() or after.isalpha()
