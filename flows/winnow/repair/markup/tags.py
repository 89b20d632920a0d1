"""Finds tags as damage leaves them: whole, spaced out, split inside the name, half lost, unclosed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from winnow.base.html_names import ELEMENTS, HIDDEN

SNIPPET = 600  # characters; a text this short is a cell or a caption and is judged by itself
NEIGHBOURS = 8  # lines around proven damage in which whole tags and references are taken for remains of it too

Kind = Literal["whole", "broken", "half", "custom", "comment", "hidden"]


PLACEHOLDER = frozenset("""
    q s address article aside audio base body button canvas caption center code col data details dir dialog
    embed figure font footer form frame head header label legend link main map mark menu meta meter nav object
    option output param picture progress section select small source summary table template time title track var
    video input del ins dfn cite area big
""".split())  # fmt: skip
"""Names that manuals use for what the reader has to fill in, ``<input> <option>``, and programs for types."""

ENGLISH = frozenset("""
    a b i p q s u address article aside audio base big body button canvas caption center cite code data details
    dialog embed figure font footer form frame head header label legend link main map mark menu meter object
    option output picture progress section select small source strike strong style summary table template time
    title track video
""".split())  # fmt: skip
"""Names that are words: ``head > shoulders`` compares, it does not close a tag."""


class Tag(NamedTuple):
    """A tag in ``text[start:end]``. `strong`: its form alone tells a tag from a comparison or a placeholder."""

    start: int
    end: int
    name: str
    closing: bool
    kind: Kind
    strong: bool = False


MAX_TAG = 3000
_INSIDE = re.compile(rf"[^<>]{{0,{MAX_TAG}}}")
_ENDS = re.compile(r">{1,9}")
_RUN = re.compile(r"(<[\w/ ]{1,12}>)\1{7}")  # the same tag over and over is one place
_NO_TAG = r"(?![!?]|/>)[\s/!&;]*+(?:[^A-Za-z\s/!&;<]|\Z|[A-Za-z][A-Za-z0-9-]*+(?:[@._+]|://)[A-Za-z0-9])"
"""What most brackets that open no tag are followed by: a number or sign, or an address, as in ``<me@home.org>``."""
_OPENING = re.compile(f"<(?!{_NO_TAG})")
_PLAIN = r"/?[A-Za-z][A-Za-z0-9-]*+(?: [a-z-]{1,30}=\"(?:[^\"<>\s]*+|[^\"<>\n.!?]*+)\")*+ ?/?>"
_MAY_BE_BROKEN = re.compile(rf"<(?!{_PLAIN}|{_NO_TAG})[\s/!&;]{{0,12}}([A-Za-z][A-Za-z0-9]{{0,14}})")
_BEGINNINGS = frozenset(name[:n] for name in ELEMENTS for n in range(1, len(name) + 1))
_HEAD = re.compile(r"[\s/!&;]{0,12}")
_WORDS = re.compile(r"[A-Za-z][A-Za-z0-9]{0,14}(?:[ ]{1,2}[A-Za-z0-9]{1,14}(?![A-Za-z0-9]*\s*=)){0,9}")
_ATTRIBUTE = re.compile(
    r"""[\s/;]*(?:[A-Za-z_:@][\w:.-]{0,40}\s{1,9}){0,3}([A-Za-z_:@][\w:.-]{0,40})?[\s!]{0,9}(={1,2}(?!=)|(?<=\S)\Z)"""
)
_NO_VALUE = re.compile(r"(?:\s{0,9}[\w:-]{0,40}\s{0,9}=){1,3}[\s/]{0,9}\Z")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_CODE = re.compile(r"[(){}\[\]`]|\n[ \t\r]*\n[ \t]*[^\s/]")
_DIRECT = re.compile(r"[\w:-]={1,2}\s?[\"']")
_USUAL = re.compile(
    r"(?:href|src|class|id|style|name|title|target|rel|alt|width|height|align|border|color|face|size|type|value|lang|dir"
    r"|bgcolor|valign|colspan|rowspan|cellpadding|cellspacing|content|action|method|for|data-[\w-]+|aria-[\w-]+|on[a-z]+)\Z",
    re.IGNORECASE,
)
_NAMED = r"[A-Za-z_:@][\w:.-]{0,40}\s{0,9}=\s{0,9}"  # an attribute up to its value
_ATTRIBUTES = re.compile(
    rf"""(?:[\s/]{{0,9}}{_NAMED}(?:"[^"]{{0,2000}}"|'[^']{{0,2000}}'|(?:(?!&gt)[^\s"'<>]){{1,300}}+))++(?:\s{{0,9}}&gt;?)?"""
)
_WITH_BRACKETS = re.compile(
    rf"""/?[A-Za-z][\w:-]{{0,30}}+(?:[\s/]{{1,9}}{_NAMED}(?:"[^"]{{0,1000}}+"|'[^']{{0,1000}}+'|[^\s"'<>]{{1,300}}+)(?=[\s/>]))++"""
    r"[\s/]{0,9}(?=>)"
)
"""A whole tag up to its bracket, one of whose values may hold others: ``<a title="1 > 0" href="x``."""
_OPEN_VALUE = re.compile(rf"[\s/]{{0,9}}{_NAMED}[\"'][^\s\"'<>]{{0,300}}")
_OF_A_VALUE = re.compile(r"[\"';:{}/]")
_CUT_OFF = re.compile(rf"\s{{1,9}}{_NAMED}[\"']?[^\s=]{{0,200}}")
_CUT_VALUE = re.compile(r"\s{1,9}(?:href|src|class|id|style|title|target|rel|alt)\s?=\s?")
_CUT_NAME = re.compile(
    r"[\"'] (?:hr|hre|sr|cl|cla|clas|st|sty|styl|ti|tit|titl|ta|tar|targ|targe|re|al|wi|wid|widt|he|hei|heig|heigh)\Z"
)
"""An attribute, one up to its value, and the beginning of a usual one's name, at which a text was cut off."""
_FLAG = re.compile(
    r"[\s/]{0,9}(?:async|autofocus|autoplay|checked|compact|controls|default|defer|disabled|download|hidden|ismap|itemscope|loop"
    r"|multiple|muted|noresize|noshade|novalidate|nowrap|open|readonly|required|reversed|selected)(?![\w-])",
    re.IGNORECASE,
)
"""An attribute that stands without a value (HTML standard)."""
_HAVE_FLAGS = frozenset("option input select textarea button td th script video audio iframe".split())
_PAIRED = frozenset(("li", "td", "th", "tr", "ul", "ol", "table", "p", "strong", "b", "em"))
_CUSTOM_WITH_ATTRIBUTES = re.compile(
    r"([A-Za-z][A-Za-z0-9:-]{0,30})(?:\s{1,3}[\w:-]{1,30}\s?=\s?\"[^\"<>]{0,200}\"){1,6}\s?/?"
)
_ROW = re.compile(r"\s{0,9}<\s{0,3}t ?(?:r|h|d|b ?o ?d ?y|h ?e ?a ?d)\b", re.IGNORECASE)
_CUSTOM = re.compile(r"[A-Za-z][A-Za-z0-9]{0,20}(?:[-:][A-Za-z0-9]{1,20}){0,3}\Z")


@lru_cache(maxsize=4096)
def name_of(inside: str) -> tuple[str, bool, bool, str]:
    """Name, whether it closes, whether the tag is broken, and what follows the name, of what stands between < and >.

    >>> name_of("/ s trong ")
    ('strong', True, True, '')
    >>> name_of('a href="x"'), name_of("5 "), name_of("b and c")
    (('a', False, False, ' href="x"'), ('', False, False, ''), ('', False, False, ''))
    >>> name_of(" b\\n    x = 1\\n    return x "), name_of('img src="x"`\\n    f(y) ')
    (('', False, False, ''), ('', False, False, ''))
    """
    head = _HEAD.match(inside)
    lead = head[0] if head else ""
    found = _WORDS.match(inside, len(lead))
    if found is None or lead.endswith("&"):  # C<&sub>
        return "", False, False, ""
    words = found[0].split()
    closing = "/" in lead
    for n in range(len(words), 0, -1):
        name = "".join(words[:n]).lower()
        if name not in ELEMENTS:
            continue
        at = len(lead)
        for word in words[:n]:
            at = inside.index(word, at) + len(word)
        rest = inside[at:]
        if not _is_tail(name, rest, spaced=lead[:1].isspace()):
            continue
        closing = closing or (rest.rstrip()[-1:] == "/" and name in _PAIRED)
        broken = n > 1 or bool(lead.strip("/")) or lead.count("/") > 1
        return name, closing, broken, rest.rstrip("/ \t\n\xa0;!")
    return "", closing, False, ""


def _is_tail(name: str, rest: str, spaced: bool) -> bool:
    """Whether what follows a name inside a tag is nothing, or attributes, and no words of a sentence."""
    if not rest.strip(" \t\r\n\xa0/!;="):
        return True
    if rest[0] not in " \t\n\r\xa0/=;!\"'":
        return False
    if len(name) > 1 and not spaced and not any(map(str.isalnum, rest)):
        return True  # a stray sign where attributes stand
    if _NO_VALUE.match(rest) or not rest.strip("\"' "):
        return True  # a comparison has a right-hand side
    found = _ATTRIBUTE.match(rest)
    if found is None or not found[2]:
        return bool(found) and name not in ENGLISH and len(rest.split()) == 1 and rest[:1].isspace()
    if "\n" in rest and _CODE.search(_QUOTED.sub("", rest)):
        return False  # no tag holds the lines of a program up to its next ``>``
    named = "".join(found[0].rstrip("=! \t\n\r").split()[-1:])
    usual = _USUAL.match(named) is not None or _DIRECT.search(rest) is not None
    if len(name) == 1 and (spaced or "\n" in rest):  # ``a < b`` and then an assignment
        return usual or (not named and len(rest.split()) == 1)
    if usual or name not in ENGLISH:
        return usual or not _PROSE.search(found[0])
    if not named:  # x<b=2, but y>3
        return len(name) > 1 and len(rest.split()) == 1
    return '"' in rest or any(form.fullmatch(rest.rstrip("/ ")) for form in (_ATTRIBUTES, _CUT_OFF))


def may_hold_broken(text: str) -> bool:
    """Whether a bracket may open a tag whose form proves damage: one look for all of a text, and few texts have one.

    >>> [may_hold_broken(t) for t in ('<a href="x">, <file>, </p>, <me@x.org>, 1 < 2, <sys/x.h>', "a < b >", "</ p >")]
    [False, False, True]
    """
    for found in _MAY_BE_BROKEN.finditer(text):
        if found[1].lower() not in _BEGINNINGS:
            continue
        inside = _INSIDE.match(text, found.start() + 1)
        if inside is None or _has_open_value(inside[0]):
            return True  # a value may hold brackets, and reading each of them to its end would not be linear
        tag = _at(text, found.start(), None)
        if tag is not None and tag.kind == "broken" and tag.strong:
            return True
    return False


def _has_open_value(inside: str) -> bool:
    return inside.count('"') % 2 > 0 or inside.count("'") % 2 > 0


def tags(text: str) -> Iterator[Tag]:
    """Every tag of a known name, comment, and hidden element, from left to right; half-lost ones: `half_tags`.

    Each character is looked at a bounded number of times.

    >>> [(t.name, t.closing, t.kind) for t in tags('a <b>x</ s trong > <!-- c --> 1 < 2 < file > <a href="x">')]
    [('b', False, 'whole'), ('strong', True, 'broken'), ('!', False, 'comment'), ('a', False, 'whole')]
    """
    absent: set[str] = set()
    at = 0
    data_end = -1  # where the CDATA section ends that is open; what stands in it is text
    while True:
        opening = _OPENING.search(text, at)
        start = opening.start() if opening else -1
        if data_end >= 0 and (start < 0 or start > data_end):
            yield Tag(data_end, data_end + 3, "cdata", True, "comment", True)
            at, data_end = data_end + 3, -1
            continue
        if start < 0:
            return
        sign = text[start + 1 : start + 2]
        if sign == "!" and text.startswith("<![CDATA[", start) and data_end < 0 and "]]>" not in absent:
            data_end = text.find("]]>", start + 9)
            if data_end < 0:
                absent.add("]]>")
            else:
                yield Tag(start, start + 9, "cdata", False, "comment", True)
                at = start + 9
                continue
        first = start
        while sign == "<":  # a run of brackets is looked at once, at its last one
            start += 1
            sign = text[start + 1 : start + 2]
        if sign == "/" and text.startswith("</>", start):  # names nothing, so stands for nothing
            yield Tag(start, start + 3, "wbr", True, "whole")
            at = start + 3
            continue
        tag = _special(text, start, absent) if sign in ("!", "?") else None
        if sign == "x" and "</xml>" not in absent and _OFFICE.match(text, start):
            if (end := text.find("</xml>", start)) < 0:
                absent.add("</xml>")
            else:
                tag = Tag(start, end + 6, "xml", False, "hidden", True)
        if tag is None:
            tag = _at(text, start, absent)
        again = _RUN.match(text, start) if tag is None or text.startswith("<", tag.end) else None
        repeated = end_of_repeats(text, start, again.end(1)) if again else 0
        if tag is None:
            at = max(start + 1, repeated)
        else:
            if repeated > tag.end:
                tag = tag._replace(end=repeated)
            if start < data_end < tag.end:
                tag = tag._replace(end=data_end)  # what stands behind the section is text again
            yield tag._replace(start=first, strong=False) if first < start else tag
            at = tag.end


_SPECIAL = (("<!--", "-->"), ("<![", "]>"), ("<!DOCTYPE", ">"), ("<?xml", ">"))
_OFFICE = re.compile(r"<xml>\s{0,9}<[owm]:[A-Z]")  # settings that Word leaves in what is pasted from it
_CONDITIONAL = re.compile(r"<!--\[if[^<>\]]{0,80}\]><!-->|<!--<!\[endif\]-->")


def _special(text: str, start: int, absent: set[str]) -> Tag | None:
    """Comments, CDATA, doctypes and processing instructions."""
    for opening, ending in _SPECIAL:
        if text[start : start + len(opening)].upper() != opening.upper():
            continue
        if found := _CONDITIONAL.match(text, start):
            return Tag(start, found.end(), "!", False, "comment", True)
        if ending in absent:
            return None
        comment = opening == "<!--"  # all else holds names, and no sentence
        end = text.find(ending, start + len(opening), len(text) if comment else start + MAX_TAG)
        if end < 0 and comment:
            absent.add(ending)
        if end < 0 or (not comment and _PROSE.search(text, start + len(opening), end)):
            return None
        return Tag(start, end + len(ending), "!", False, "comment", True)
    return None


def _at(text: str, start: int, absent: set[str] | None) -> Tag | None:
    """The tag that begins at `start`; without `absent`, names of which no end stands ahead, none is a hidden one."""
    inside = _INSIDE.match(text, start + 1)
    if inside is None:
        return None
    if (after := text[inside.end() : inside.end() + 2])[:1] == ">" and (plain := _plain(inside[0])):
        name, closing, kind, strong = plain
        if kind == "custom" or after != ">>" or not (closing or text[start - 1 : start] == "<"):
            return Tag(start, inside.end() + 1, name, closing, kind, strong) if name else None
    if _has_open_value(inside[0]):  # the bracket may stand in a value
        whole = _WITH_BRACKETS.match(text, start + 1)
        inside = whole if whole and "<%" not in whole[0] and "<?" not in whole[0] else inside  # no source of pages
    name, closing, broken, rest = name_of(inside[0])
    end = inside.end()
    follows = text[end : end + 1]
    if not name:
        custom = _custom(inside[0]) if follows == ">" else None
        return Tag(start, end + 1, *custom, "custom") if custom else None
    n_text = 0
    if rest and (follows or not _CUT_NAME.search(rest)):
        n_text = _text_after_attributes(name, rest, follows == ">")
    if n_text:
        n_text += len(inside[0]) - inside[0].rfind(rest) - len(rest)
    if follows == ">" and n_text:
        return Tag(start, end - n_text, name, closing, "broken", "=" in rest)
    if follows == ">":
        ends = _ENDS.match(text, end)
        end = ends.end() if ends and (text[start - 1 : start] == "<" or closing) else end + 1
    elif follows == "" or (follows == "<" and text[end + 1 : end + 2] not in ("%", "?")):
        if inside[0][:1].isspace() and not rest:
            return None  # a < b < c
        cut = not follows and (_CUT_VALUE.fullmatch(rest) or (not start and _CUT_OFF.fullmatch(rest)))
        if "=" in rest and not cut and not _stands_open(name, rest):
            return None  # x <b=2, as anybody can see
        # The bracket is lost; what looks like attributes goes with the tag, but is no proof of damage.
        return Tag(start, end - n_text, name, closing, "broken", "=" in rest)
    else:
        return None
    if absent is not None and name in HIDDEN and not closing and name not in absent and follows == ">":
        found = re.compile(rf"<\s*/\s*{name}\s*>?", re.IGNORECASE).search(text, end)
        if found is None:
            absent.add(name)
        else:
            return Tag(start, found.end(), name, False, "hidden", True)
    strong = bool(rest) or (broken and (closing or name not in ENGLISH)) or inside[0][:1] == "!"
    if broken and text[max(0, start - 1) : start] in ("", "\n"):
        strong = strong or name == "p" or (name == "table" and _begins_table(text, start, end))
    strong = strong or ("\n" in inside[0] and not inside[0].strip("/ \t\n!")[len(name) :].strip())
    return Tag(start, end, name, closing, "broken" if broken else "whole", strong)


@lru_cache(maxsize=4096)
def _plain(inside: str) -> tuple[str, bool, Kind, bool] | None:
    """Name, whether it closes, kind and strength of a tag whose inside tells all of it; no name where it is no tag.

    None where what stands about it tells more: a tag that is broken or hidden, or has a bracket in a value.

    >>> _plain('a href="x"'), _plain("x-y/"), _plain("5 "), _plain("s trong"), _plain("script"), _plain('a b="x')
    (('a', False, 'whole', True), ('x-y', False, 'custom', False), ('', False, 'whole', False), None, None, None)
    """
    if _has_open_value(inside):
        return None
    name, closing, broken, rest = name_of(inside)
    if not name:
        custom = _custom(inside)
        return (*custom, "custom", False) if custom else ("", False, "whole", False)
    if broken or name in HIDDEN or (rest and _text_after_attributes(name, rest, True)):
        return None
    return name, closing, "whole", bool(rest) or ("\n" in inside and not inside.strip("/ \t\n!")[len(name) :].strip())


def _custom(inside: str) -> tuple[str, bool] | None:
    """Name of a tag that is none of HTML's, and whether it closes."""
    bare = inside.strip("/ \t\n")
    if _CUSTOM.match(bare) and ("/" in inside or inside[:1].isalpha()):
        return bare.lower(), inside.lstrip()[:1] == "/"
    found = _CUSTOM_WITH_ATTRIBUTES.fullmatch(inside)
    return (found[1].lower(), False) if found else None


def _stands_open(name: str, rest: str) -> bool:
    """Whether what follows a name are attributes, where no bracket says that a tag ends anywhere.

    >>> _stands_open("a", ' href=x the link'), _stands_open("b", "=2 and more"), _stands_open("b", " and c = 4")
    (True, False, False)
    """
    first = _ATTRIBUTES.match(rest) or _OPEN_VALUE.match(rest)
    if first is None:
        return name not in ENGLISH and _DIRECT.search(rest) is not None
    named = first[0].partition("=")[0].strip(" \t\n\r/")
    return name not in ENGLISH or _USUAL.match(named) is not None or _DIRECT.search(first[0]) is not None


_SENTENCE = 4  # words that are no attributes and no value
_PROSE = re.compile(
    r"(?<![^\s\"'])(?:[^\W\d_](?:[^\W\d_]|['’-]){0,30}[,.!?]?\s{1,4}){3}[^\W\d_](?:[^\W\d_]|['’-]){0,30}(?=[\s,.!?]|\Z)"
)
_BETWEEN_SENTENCES = re.compile(r"[^\W\d_]{2}[.!?][\"'”’)]?\s{1,4}[^\W\d_a-z]|[^\W\d_][,.!?]?[ \t]{0,9}\n[ \t]{0,9}\n")
_NO_PROSE = re.compile(
    r"\b(?:href|src|class|id|style|name|target|rel|width|height|align|border|color|face|size|type|lang|dir|bgcolor)"
    r"\s{0,9}=\s{0,9}([\"'])[^\s\"'<>]{0,300}",
    re.IGNORECASE,
)
"""An attribute up to the first space of its value, which no sentence can be."""


@lru_cache(maxsize=4096)
def _text_after_attributes(name: str, rest: str, ended: bool) -> int:
    """How many characters at the end of what follows a tag's name are text, and no attribute.

    `ended`: whether a bracket follows. It may be another's: where sentences stand before it, the tag has lost its own.

    >>> [_text_after_attributes("a", ' href="x" the link', ended) for ended in (False, True)]
    [9, 0]
    >>> rest = ' href="x, he said to them all. They left.'
    >>> len(rest) - _text_after_attributes("a", rest, True)
    9
    """
    if ended and not _BETWEEN_SENTENCES.search(rest):
        return 0
    attributes = _ATTRIBUTES.match(rest)
    at = attributes.end() if attributes else 0
    for value in _NO_PROSE.finditer(rest, 0, at):
        closed = rest.find(value[1], value.end())
        if _BETWEEN_SENTENCES.search(rest, value.end(), closed) and _PROSE.search(rest, value.end(), closed):
            return len(rest) - value.end()
    if at == len(rest):
        return 0
    text = _text_from(name, rest, at, attributes is not None)
    return 0 if ended and not _BETWEEN_SENTENCES.search(rest, len(rest) - text) else text


def _text_from(name: str, rest: str, at: int, after_attributes: bool) -> int:
    """The same, of a tag that has lost its bracket and has whole attributes up to `at`."""
    if value := _OPEN_VALUE.match(rest, at):  # of which nobody can see where it ends; a sentence is none
        at = value.end()
        whole = not _OF_A_VALUE.search(rest, at) and len(rest[at:].partition("=")[0].split()) >= _SENTENCE
    elif not after_attributes:
        whole = False
    else:
        flag = _FLAG.match(rest, at)
        while flag and (name in _HAVE_FLAGS or flag.end() == len(rest)):
            at = flag.end()
            flag = _FLAG.match(rest, at)
        words = rest[at:]
        quoted = words.split('"')
        whole = (
            any(map(str.isalnum, words))
            and len(words.partition("=")[0].split()) >= ("=" in words) * _SENTENCE
            and len(quoted) % 2 == 1
            and all(not part or part[-1].isspace() for part in quoted[:-1:2])
        )
    if whole:
        return len(rest) - at
    prose = next((m for m in _PROSE.finditer(rest, at) if sum(not w[0].isupper() for w in m[0].split()) > 1), None)
    return len(rest) - prose.start() if prose else 0


def _begins_table(text: str, start: int, end: int) -> bool:
    """Whether a row follows, or it is the text's first line: ``< table > ::= < row >`` of a grammar does neither."""
    return _ROW.match(text, end) is not None or (start == 0 and text[end : end + 1] == "\n")


def end_of_repeats(text: str, start: int, end: int) -> int:
    """Where the last repeat of ``text[start:end]`` ends that follows it without a gap.

    Compares in pieces of doubling size: memory is compared far faster than an expression is matched.

    >>> end_of_repeats("<b><b><b><i>", 0, 3), end_of_repeats("aab", 0, 1)
    (9, 2)
    """
    unit = piece = text[start:end]
    pieces = [unit]
    while text.startswith(piece, end):
        end += len(piece)
        if len(piece) < 1 << 20:
            piece += piece
            pieces.append(piece)
    for piece in reversed(pieces):
        if text.startswith(piece, end):
            end += len(piece)
    while text.startswith(unit, end):
        end += len(unit)
    return end
