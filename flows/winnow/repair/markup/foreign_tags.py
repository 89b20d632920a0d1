"""Markup of other families: tags with a namespace (JATS, TEI, Word), and the shortcodes of page builders.

What they enclose stays. XML of its own, texts about markup, and footnotes in brackets are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from winnow.repair.engine.rule import Change, Evidence, Rule

_ABOUT = re.compile(
    r"(?i)\b(?:xml|xslt?|xpath|markup|namespaces?|tags?|elements?|attributes?|schemas?|shortcodes?|plug-?ins?|templates?"
    r"|BB ?codes?)\b"
)
_CODE = re.compile(r"\]\s{0,3}=(?!=)|\);|\$\w|->|=>|::|\bdo_shortcode|\breturn\b|<\?|[{}]")

_NAMESPACED = re.compile(
    r"<(/?)(jats|tei|o|w|st1|st2|v|xhtml|html|ce|sb|akn):([A-Za-z][\w.-]{0,30})((?:\s[^<>]{0,300})?)(/?)>",
    re.IGNORECASE,
)
_LINE_NAMES = frozenset("""
    p title sec list-item list div head lg l item row table tr label disp-formula disp-quote def-list fig caption ab sp
    para simple-para section-title section abstract abstract-sec body br h1 h2 h3 li
""".split())  # fmt: skip
"""Local names that stand for a line of their own."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark in ``text[start:end]``; `parts`: what stands before it and behind it are lines of their own."""

    start: int
    end: int
    name: str
    closing: bool
    parts: bool


def _replaced(text: str, marks: Iterable[Mark], confidence: float) -> Iterator[Change]:
    """Each run of marks goes; what parts leaves a line break, the others what white space stood about them."""
    run: list[Mark] = []
    for mark in [*marks, None]:
        if mark is not None and (not run or not text[run[-1].end : mark.start].strip()):
            run.append(mark)
            continue
        if run:
            low, high = run[0].start, run[-1].end
            while low > 0 and text[low - 1] in " \t":
                low -= 1
            while high < len(text) and text[high] in " \t":
                high += 1
            edge = low == 0 or high == len(text) or text[low - 1] == "\n" or text[high] == "\n"
            inside = "\n" in text[run[0].start : run[-1].end]
            apart = high - low > sum(m.end - m.start for m in run)  # white space stood beside or between
            after = "" if edge else "\n" if inside or any(m.parts for m in run) else " " if apart else ""
            if edge and inside and low > 0 and high < len(text) and text[low - 1] != "\n" and text[high] != "\n":
                after = "\n"
            yield Change(low, high, after, confidence)
        run = [mark] if mark is not None else []


def strip_namespaced_tags(text: str, evidence: Evidence) -> Iterator[Change]:
    """Tags of articles' XML and of Word go, with the lines they stood for: ``<jats:p>``, ``<o:p>``, ``<tei:hi>``.

    >>> NAMESPACED_TAGS("<jats:title>Abstract</jats:title><jats:p>Seen <jats:italic>in vitro</jats:italic>.</jats:p>")
    'Abstract\\nSeen in vitro.'
    >>> NAMESPACED_TAGS("In XML write <o:p> and </o:p>."), NAMESPACED_TAGS("<ns2:item>2</ns2:item>")
    ('In XML write <o:p> and </o:p>.', '<ns2:item>2</ns2:item>')
    """
    if _ABOUT.search(_NAMESPACED.sub(" ", text)) and not text.lstrip().startswith("<jats:"):
        return
    found = list(_NAMESPACED.finditer(text))
    closed = {f"{m[2]}:{m[3]}" for m in found if m[1] or m[5]}
    marks = (
        Mark(m.start(), m.end(), m[3].lower(), bool(m[1]), m[2] != "o" and m[3].lower() in _LINE_NAMES)
        for m in found
        if f"{m[2]}:{m[3]}" in closed
    )
    yield from _replaced(text, marks, 0.8)


_SHORTCODE = re.compile(
    r"\[(/?)([A-Za-z][A-Za-z0-9]{0,30}(?:[_-][A-Za-z0-9]{1,30}){0,5})((?:\s[^\[\]\n]{0,400}?)?)\s{0,3}(/?)\]"
)
_BUILDERS = re.compile(
    r"(?:vc|et_pb|et|fusion|av|mk|nectar|cs|ux|tatsu|wpb|wpv|themify|elementor|siteorigin|qode|edgtf|mkdf|us|kc|bt|dt|td|fl|rev"
    r"|ultimate|sc|su|thrive|tve|porto|minti|ww|wr|dfd|motopress|mp|ish|pt|cmsmasters|ess_grid|vcex|w)_[a-z]"
)
_KNOWN = frozenset("""
    caption wp_caption gallery embed audio video playlist contact-form-7 dropcap dropcaps highlight pullquote button row
    column columns one_half one_half_last one_third one_third_last two_third two_third_last one_fourth one_fourth_last
    tabs tab toggle accordion spacer divider clear googlemap googlemaps youtube vimeo soundcloud slideshare gravityform
    ninja_forms wpforms mc4wp_form rev_slider layerslider tooltip icon box frame blockquote ref footnote sourcecode
""".split())  # fmt: skip
_INLINE = frozenset("dropcap dropcaps highlight tooltip icon fusion_dropcap fusion_highlight su_highlight ref".split())
_ATTRIBUTE = re.compile(r"\s[\w-]{1,40}\s?=\s?[\"'“”″„‘’«\w&]")
_EMPTY = frozenset(
    "gallery playlist contact-form-7 gravityform ninja_forms wpforms mc4wp_form rev_slider layerslider".split()
)


# What Drupal writes for a picture in its database: JSON in double brackets.
_MEDIA = re.compile(
    r'\[\[\{(?="(?:fid|type|view_mode|attributes)")(?=[^\n\[\]]{0,2000}?"(?:fid":"?\d|type":"media"))[^\n\[\]]{0,2000}\}\]\]'
)


def strip_shortcodes(text: str, evidence: Evidence) -> Iterator[Change]:
    """Shortcodes of WordPress, its page builders and Drupal go; what they enclose stays.

    A name of a builder is enough, ``[vc_row]``; any other needs its closing half, and attributes or a name that is
    known. Editor's brackets, ``[sic]``, ``[note 3]``, indices and texts about shortcodes stay.

    >>> SHORTCODES('[vc_row][vc_column width="1/2"]Opened in 1998.[/vc_column][/vc_row]')
    'Opened in 1998.'
    >>> SHORTCODES("Use the [gallery] shortcode; a[i] = b [sic] [note 3]")
    'Use the [gallery] shortcode; a[i] = b [sic] [note 3]'
    """
    media = list(_MEDIA.finditer(text)) if '[[{"' in text else []
    found = list(_SHORTCODE.finditer(text))
    bare = _SHORTCODE.sub(" ", _MEDIA.sub(" ", text))
    if not (found or media) or _ABOUT.search(bare) or _CODE.search(bare):
        return
    closed = {m[2].lower() for m in found if m[1]}
    given = {m[2].lower() for m in found if not m[1] and _ATTRIBUTE.match(m[3])}
    opened = {m[2].lower() for m in found if not m[1]}
    marks = [Mark(m.start(), m.end(), "media", False, True) for m in media]
    built = any(_BUILDERS.match(name) and (name in given or name in closed) for name in opened)
    for m in found:
        name = m[2].lower()
        builder = built and _BUILDERS.match(name) is not None
        pair = name in closed and name in opened and (name in given or name in _KNOWN)
        if builder or pair or (name in _EMPTY and name in given):
            marks.append(Mark(m.start(), m.end(), name, bool(m[1]), name not in _INLINE | _EMPTY))
    yield from _replaced(text, sorted(marks, key=lambda mark: mark.start), 0.8)


NAMESPACED_TAGS = Rule(
    "namespaced_tags",
    1,
    strip_namespaced_tags,
    r"(?i)<(?:jats|tei|o|w|st1|st2|v|xhtml|html|ce|sb|akn):[a-z]",
    proves=False,
)
SHORTCODES = Rule("shortcodes", 2, strip_shortcodes, r'\[/[A-Za-z]|\[[A-Za-z][\w-]*\s[^\[\]\n]*=|\[\[\{"')

FOREIGN: tuple[Rule, ...] = (NAMESPACED_TAGS, SHORTCODES)
"""The rules for markup of other families, in order."""
