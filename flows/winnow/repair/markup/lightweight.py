"""Remains of lightweight markup: BBCode, wiki links, spaced Markdown emphasis; only where they are damage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from winnow.repair.engine.rule import Change, Evidence, Rule

_BB_NAMES = r"b|i|u|s|url|img|quote|code|color|size|font|list|center|left|right|email|youtube|spoiler|align|sub|sup"
_BB = re.compile(rf"\[(/?)({_BB_NAMES})(=[^\[\]\n]{{1,300}})?\]|\[\*\][ \t]?", re.IGNORECASE)
_BB_HIDDEN = re.compile(r"\[(img|youtube)(?:=[^\[\]\n]{1,80})?\][^\[\]\n]{0,500}\[/\1\]", re.IGNORECASE)
_ABOUT = re.compile(r"\bBB ?codes?\b|\bmark-?down\b|\bwiki ?(?:text|markup|syntax)\b|\basciidoc", re.IGNORECASE)

_PIPED = re.compile(r"\[\[[^\[\]|\n]{1,120}\|([^\[\]|\n]{1,200})\]\]")
_LINK = re.compile(r"\[\[([^\[\]|\n:]{1,120})\]\]")
_STRONG = re.compile(r"'''([^'\n][^\n']{0,200})'''|''([^'\n][^\n']{0,200})''")
_TEMPLATE = re.compile(r"\{\{[A-Za-z][^{}\n]{0,300}\}\}")
_HEADING = re.compile(r"^(={2,5}) ?([^=\n]{1,120}?) ?\1[ \t]*$", re.MULTILINE)
_REFERENCE = re.compile(r"<ref(?:\s[^<>/\n]{0,80})?>[^<>\n]{0,400}</ref>|<ref\s[^<>\n]{0,80}/>")

_SPACED_STARS = re.compile(r"(?<!\S)(\*\*|__) ([^*_\n]{1,120}?) \1(?!\S)")


def strip_bbcode(text: str, evidence: Evidence) -> Iterator[Change]:
    """BBCode of forum posts goes, its pictures with it; list items come back as lines.

    Only pairs: ``[b]`` counts where ``[/b]`` closes it. Footnotes ``[1]``, arrays ``a[i]`` and texts about BBCode
    stay.

    >>> BBCODE("[quote]So [b]bold[/b] of [url=http://x.org]you[/url][/quote]", damaged=False)
    'So bold of you'
    >>> BBCODE("a[i] = b[i]; see [b] and [1]", damaged=False)
    'a[i] = b[i]; see [b] and [1]'
    """
    if _ABOUT.search(text):
        return
    found = list(_BB.finditer(text))
    closed = {m[2].lower() for m in found if m[1]}
    closed &= {m[2].lower() for m in found if m[2] and not m[1] and not _is_index(text, m.start())}
    if not closed or not any(m[1] for m in found):
        return
    changes = [Change(m.start(), m.end(), "", 0.7) for m in _BB_HIDDEN.finditer(text)]
    for m in found:
        if m[2] is None:
            if "list" in closed:
                changes.append(Change(m.start(), m.end(), "- ", 0.7))
        elif m[2].lower() in closed and not (m[1] == "" and _is_index(text, m.start())):
            changes.append(Change(m.start(), m.end(), "", 0.7))
    yield from _outermost(changes)


def _outermost(changes: Iterable[Change]) -> Iterator[Change]:
    """The changes from left to right, without those that begin inside another."""
    last = 0
    for change in sorted(changes, key=lambda c: (c.start, -c.end)):
        if change.start >= last:
            yield change
            last = change.end


def _is_index(text: str, at: int) -> bool:
    return at > 0 and (text[at - 1].isalnum() or text[at - 1] in "_)]\\`")


def strip_wiki_markup(text: str, evidence: Evidence) -> Iterator[Change]:
    """Links, emphasis, headings and templates of wiki source become the text they show.

    Only near proven damage, or where piped links stand together with other wiki signs. Shell tests
    ``[[ -f x ]]``, anchors ``[[name]]``, doc strings and texts about wiki markup stay.

    >>> WIKI("'''Salem''' is a [[city (US)|city]] in [[Oregon]]. {{citation needed}}", damaged=False)
    'Salem is a city in Oregon. '
    >>> WIKI("if [[ -f x ]]; then echo '''; see [[anchor]]", damaged=False)
    "if [[ -f x ]]; then echo '''; see [[anchor]]"
    """
    if _ABOUT.search(text):
        return
    piped = len(_PIPED.findall(text))
    others = sum(bool(p.search(text)) for p in (_STRONG, _TEMPLATE, _HEADING, _REFERENCE))
    source = piped > 0 and others > 0
    changes: list[Change] = []
    for pattern in (_PIPED, _LINK, _STRONG, _TEMPLATE, _HEADING, _REFERENCE):
        for m in pattern.finditer(text):
            if not source and (pattern is not _PIPED or not evidence.near(text, m.start(), m.end())):
                continue
            shown = m[2] if pattern is _HEADING else next((g for g in m.groups() if g), "")
            changes.append(Change(m.start(), m.end(), shown.strip(), 0.7))
    yield from _outermost(changes)


def close_spaced_emphasis(text: str, evidence: Evidence) -> Iterator[Change]:
    """Markdown emphasis whose stars have been spaced out is none any more, and goes. Near proven damage only.

    >>> SPACED_EMPHASIS("the ** main ** point, 2 ** 3 ** 4"), SPACED_EMPHASIS("**kept**")
    ('the main point, 2 ** 3 ** 4', '**kept**')
    """
    for m in _SPACED_STARS.finditer(text):
        if m[2].strip()[:1].isalpha() and evidence.near(text, m.start(), m.end()):
            yield Change(m.start(), m.end(), m[2].strip(), 0.7)


BBCODE = Rule("bbcode", 1, strip_bbcode, rf"(?i)\[/(?:{_BB_NAMES})\]", proves=True)
WIKI = Rule("wiki", 1, strip_wiki_markup, r"\[\[[^\[\]|\n]+\|[^\[\]|\n]+\]\]", proves=True)
SPACED_EMPHASIS = Rule(
    "spaced_emphasis", 1, close_spaced_emphasis, r"(?:\*\*|__) [^\n]+ (?:\*\*|__)", needs_evidence=True
)

LIGHTWEIGHT: tuple[Rule, ...] = (BBCODE, WIKI, SPACED_EMPHASIS)
"""The rules for lightweight markup, in order."""
