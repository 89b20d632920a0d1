"""Remains of lightweight markup: BBCode, wiki links, spaced Markdown emphasis; only where they are damage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeVar

from winnow.repair.engine.rule import Change, Evidence, Rule, apply_changes, detector, in_any_case
from winnow.repair.markup.foreign_tags import Mark, replaced
from winnow.repair.markup.tags import SNIPPET
from winnow.repair.markup.wiki_tables import has_table, table_changes
from winnow.repair.markup.wiki_templates import is_sure, parsed, shown, templates

Part = TypeVar("Part", bound=Change | Mark)

_BB_NAMES = (
    "b|i|u|s|url|img|quote|code|color|size|font|list|center|left|right|email|youtube|spoiler|align|sub|sup|strike"
    "|justify|indent|li|ul|ol|pre|highlight|attach|attachment|media|video|table|tr|td|th"
)
_UID = r"(?::[a-z0-9]{1,2})?(?::[0-9a-z]{4,12})"  # what phpBB puts behind a name in its database
_BB = re.compile(
    rf"\[(/?)({_BB_NAMES})(?:{_UID})?(=[^\[\]\n]{{1,300}})?\]|\[\*(?:{_UID})?\][ \t]?|\[/\*{_UID}\]", re.IGNORECASE
)
_BEGINS = re.compile(r"(?i)(?:\A|\n|\[list[^\[\]\n]{0,20}\])[ \t]{0,9}\Z")  # a list item, on a line of its own
_BB_HIDDEN = re.compile(
    r"\[(img|youtube)(?:=[^\[\]\n]{1,80})?\][^\[\]\n]{0,500}\[/\1\]"
    r"|\[(attach|attachment|media|video)(?:=[^\[\]\n]{1,80})?\][^\s\[\]]{0,500}\[/\2\]",
    re.IGNORECASE,
)
_BB_SURE = re.compile(
    r"\[(?:url=[\"']?(?:https?:|www\.)|quote=[\"']?\w|/(?:url|quote|colou?r|size|font|img|spoiler)\])", re.IGNORECASE
)
"""What needs no other half."""
_BB_RULER = re.compile(r"\[hr\]", re.IGNORECASE)
_BB_BLOCK = frozenset("quote code center left right justify spoiler indent li ul ol pre table tr".split())
_GRAPH = re.compile(r"->|;\s*$|[{}]", re.MULTILINE)
_ABOUT = re.compile(r"(?i)\bBB ?codes?\b|\bmark-?down\b|\btemplates? \{\{|\bwiki ?(?:text|markup|syntax)\b|\basciidoc")

_PIPED = re.compile(r"\[\[[^\[\]|\n]{1,120}\|([^\[\]|\n]{1,200})\]\]")
_LINK = re.compile(r"\[\[([^\[\]|\n:]{1,120})\]\]")
# A picture: what a reader sees of it is its caption, the last part.
_PICTURES = "File|Image|Datei|Fichier|Archivo|Ficheiro|Bestand|Plik|Файл"
_FILE = re.compile(
    rf"\[\[(?:{_PICTURES}):[^\[\]|\n]{{1,120}}\.\w{{3,4}}"
    r"((?:\|(?:[^\[\]\n]|\[\[[^\[\]\n]{1,200}\]\]){0,600})?)\]\]",
    re.IGNORECASE,
)
_CATEGORIES = "Category|Kategorie|Catégorie|Categoría|Categoria|Categorie|Kategoria|Kategori|Категория|Категорія"
_CATEGORY = re.compile(rf"\[\[(?:{_CATEGORIES}):[^\[\]\n]{{1,160}}\]\]\n?", re.IGNORECASE)
_SWITCH = re.compile(
    r"__(?:NO|FORCE)?(?:TOC|EDITSECTION|INDEX|GALLERY|CONTENTCONVERT|TITLECONVERT|NEWSECTIONLINK)__\n?"
)
# The page in other languages, which no reader sees in the text.
_LANGUAGE = re.compile(r"^\[\[[a-z]{2,3}(?:-[a-z]{2,8})?:[^\[\]|\n]{1,120}\]\](?:\n|\Z)", re.MULTILINE)
_SITE = re.compile(r"\[https?://[^\s\[\]]{1,300} ([^\[\]\n]{1,200})\]")
_OPTION = re.compile(
    r"(?i)(?:thumb(?:nail)?|mini(?:atur)?|frame(?:d|less)?|border|left|right|center|centre|none|upright|links|rechts"
    r"|gauche|droite|\d*x?\d+ ?px)|(?:alt|link|upright|lang|page|class)\s?=.*|"
)
# Bold, italics, both, or italics in bold; an apostrophe by itself is one.
_STRONG = re.compile(
    "|".join(
        rf"(?<!'){sign}(?!')((?:[^'\n]|'(?!')|{within}){{1,200}}){sign}(?!')"
        for sign, within in (("'{5}", "(?!)"), ("'{3}", "''[^'\n]{1,100}''(?!')"), ("''", "(?!)"))
    )
)
_HEADING = re.compile(r"^(={2,5}) ?([^=\n]{1,120}?) ?\1[ \t]*$", re.MULTILINE)
_EXTENSION = re.compile(
    r"(?:<[ ]{0,2}|^)(/?)[ ]{0,2}(poem|chem|ce|nowiki|noinclude|includeonly|onlyinclude)[ ]{0,2}>"
    r"|<[ ]{0,2}(/?)[ ]{0,2}(poem)[ ]{0,2}$",
    re.IGNORECASE | re.MULTILINE,
)
_ASSIGNS = re.compile(r"^(?![ \t]*[|!*:{])[^|\n]{0,200}\w\]? ?= ?(?:''|\[\[)", re.MULTILINE)
# What stands in every text in which these match: far faster to look for, and most texts have none.
_may_be_about = detector(in_any_case(_ABOUT.pattern))
_may_be_extension = detector(in_any_case(r"(?:poem|chem|ce|nowiki|noinclude|includeonly|onlyinclude) *(?m:>|$)"))
_MAY_ASSIGN = re.compile(r"= ?(?:''|\[\[)")
_SIGNS = {_STRONG: "''", _HEADING: "==", _LANGUAGE: "[[", _SWITCH: "__"}
_REFERENCE = re.compile(r"<ref(?:\s[^<>/\n]{0,80})?>[^<>\n]{0,400}</ref>|<ref\s[^<>\n]{0,80}/>")

_LEFT_OVER = re.compile(r"</ref>|<templatestyles\s[^<>\n]{0,200}/>", re.IGNORECASE)

_SPACED_STARS = re.compile(r"(?<!\S)(\*\*|__) ([^*_\n]{1,120}?) \1(?!\S)")


def strip_bbcode(text: str, evidence: Evidence) -> Iterator[Change]:
    """BBCode of forum posts goes, its pictures with it; list items come back as lines.

    Only pairs, ``[b]`` counts where ``[/b]`` closes it, and what can be nothing else, ``[/url]``. Footnotes ``[1]``,
    arrays ``a[i]`` and texts about BBCode stay.

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
    sure = {m.start() for m in found if _BB_SURE.match(text, m.start()) and (m[1] or not _is_index(text, m.start()))}
    if not (closed or sure) or (not any(m[1] for m in found) and _GRAPH.search(text)):
        return
    changes = [Change(m.start(), m.end() + _spaced_twice(text, *m.span()), "", 0.7) for m in _BB_HIDDEN.finditer(text)]
    marks = [Mark(m.start(), m.end(), "hr", False, True) for m in _BB_RULER.finditer(text) if closed]
    for m in found:
        if m[2] is None:
            if "list" in closed:
                before = text[max(0, m.start() - 40) : m.start()]
                after = "" if m[0][1] == "/" else "- " if _BEGINS.search(before) else "\n- "
                changes.append(Change(m.start(), m.end(), after, 0.7))
        elif m.start() in sure or (m[2].lower() in closed and (m[1] or not _is_index(text, m.start()))):
            marks.append(Mark(m.start(), m.end(), m[2], bool(m[1]), m[2].lower() in _BB_BLOCK))
    parts: list[Change | Mark] = [*changes, *marks]
    visible = (part for part in _outermost(parts) if isinstance(part, Mark))
    yield from _outermost([*changes, *replaced(text, visible, 0.7)])


def _spaced_twice(text: str, start: int, end: int) -> bool:
    """Whether white space, a tag or nothing stands before a picture, and a space behind it."""
    return text[start - 1 : start] in ("", "\n", " ", "]") and text[end : end + 1] == " "


def _outermost(changes: Iterable[Part]) -> Iterator[Part]:
    """The changes, or marks, from left to right, without those that begin inside another."""
    last = 0
    for change in sorted(changes, key=lambda c: (c.start, -c.end)):
        if change.start >= last:
            yield change
            last = change.end


def _is_index(text: str, at: int) -> bool:
    if at > 0 and text[at - 1] == "]" and _BB.fullmatch(text, max(text.rfind("[", max(0, at - 330), at), 0), at):
        return False  # it follows another tag
    return at > 0 and (text[at - 1].isalnum() or text[at - 1] in "_)]\\`")


def strip_wiki_markup(text: str, evidence: Evidence) -> Iterator[Change]:
    """Links, emphasis, headings and templates of wiki source become the text they show.

    Only near proven damage, or where piped links, pictures or categories stand together with other wiki signs. Shell
    tests ``[[ -f x ]]``, anchors ``[[name]]``, doc strings and texts about wiki markup stay.

    >>> WIKI("'''Salem''' is a [[city (US)|city]] in [[Oregon]]. {{citation needed}}", damaged=False)
    'Salem is a city in Oregon. '
    >>> WIKI("if [[ -f x ]]; then echo '''; see [[anchor]]", damaged=False)
    "if [[ -f x ]]; then echo '''; see [[anchor]]"
    >>> WIKI("[[File:a.jpg|thumb|A quay]]\\n'''Hull''' is a [[port]].\\n[[Category:Ports]]", damaged=False)
    'A quay\\nHull is a port.\\n'
    """
    if (_may_be_about(text) and _ABOUT.search(text)) or (_MAY_ASSIGN.search(text) and _ASSIGNS.search(text)):
        return
    piped = len(_PIPED.findall(text))
    found = [t for at in templates(text) if (t := parsed(text, *at, plain=_plain)) is not None]
    others = sum(_stands(p, text) for p in (_STRONG, _HEADING, _REFERENCE)) + bool(found)
    of_a_page = _FILE.search(text) is not None or _CATEGORY.search(text) is not None
    others += of_a_page and any(p.search(text) is not None for p in (_LINK, _SITE))
    source = (piped > 0 or of_a_page) and (others > 0 or _LEFT_OVER.search(text) is not None)
    source = source or ("</ref>" in text and all(_stands(p, text) for p in (_REFERENCE, _STRONG))) or has_table(text)
    sure = source or any(map(is_sure, found))
    changes = list(table_changes(text))
    for template in found:
        if sure and (value := shown(template)) is not None:
            changes.append(Change(template.start, template.end, value, 0.7))
    for pattern in (_PIPED, _LINK, _STRONG, _HEADING, _REFERENCE, _LEFT_OVER, _SITE, _CATEGORY, _SWITCH, _LANGUAGE):
        for m in pattern.finditer(text) if _SIGNS.get(pattern, "") in text else ():
            if not (source or (sure and pattern in (_PIPED, _LINK, _STRONG))) and (
                pattern is not _PIPED or not evidence.near(text, m.start(), m.end())
            ):
                continue
            value = m[2] if pattern is _HEADING else next((g for g in m.groups() if g), "")
            value = _emphasised(m) if pattern is _STRONG else value
            changes.append(Change(m.start(), m.end(), value.strip(), 0.7))
    for m in _FILE.finditer(text):
        if source:
            caption = _caption(m[1])
            apart = not caption and text[m.start() - 1 : m.start()] in ("", " ", "\n")
            end = m.end() + (apart and text[m.end() : m.end() + 1] in (" ", "\n"))
            changes.append(Change(m.start(), end, caption, 0.7))
    changes.extend(_extension_tags(text, source))
    yield from _outermost(changes)


def _stands(pattern: re.Pattern[str], text: str) -> bool:
    return _SIGNS.get(pattern, "") in text and pattern.search(text) is not None


def _caption(parts: str) -> str:
    """The caption among the parts of a picture's link.

    >>> _caption("|thumb|200px|A [[cat|kitten]] sits"), _caption("|left|alt=x")
    ('A kitten sits', '')
    """
    last = _plain(parts).rpartition("|")[2].strip()
    return "" if _OPTION.fullmatch(last) else last


def _emphasised(found: re.Match[str]) -> str:
    inside: str = next(filter(None, found.groups()))
    return inside.replace("''", "")


def _plain(text: str) -> str:
    """The inside of a template without links, emphasis and further templates."""
    text = _STRONG.sub(_emphasised, _LINK.sub(r"\1", _PIPED.sub(r"\1", text)))
    inner = (t for at in templates(text) if (t := parsed(text, *at, plain=_plain)) is not None)
    return apply_changes(text, (Change(t.start, t.end, v) for t in inner if (v := shown(t)) is not None))


def _extension_tags(text: str, source: bool) -> Iterator[Change]:
    """The tags of ``<poem>`` and ``<chem>`` go in pairs, one of which may have lost a bracket; what they hold stays."""
    opened: dict[str, re.Match[str]] = {}
    for found in _EXTENSION.finditer(text) if _may_be_extension(text) else ():
        name = (found[2] or found[4]).lower()
        if not (found[1] or found[3]):
            opened[name] = found
        elif (first := opened.pop(name, None)) is not None and (source or len(text) <= SNIPPET or name == "poem"):
            for tag in (first, found):
                # A line break beside the tag of a block was there for the tag.
                end = tag.end() + (name == "poem" and text.startswith("\n", tag.end()) and tag is first)
                yield Change(tag.start(), end, "", 0.7)


def close_spaced_emphasis(text: str, evidence: Evidence) -> Iterator[Change]:
    """Markdown emphasis whose stars have been spaced out is none any more, and goes. Near proven damage only.

    >>> SPACED_EMPHASIS("the ** main ** point, 2 ** 3 ** 4"), SPACED_EMPHASIS("**kept**")
    ('the main point, 2 ** 3 ** 4', '**kept**')
    """
    for m in _SPACED_STARS.finditer(text):
        if m[2].strip()[:1].isalpha() and evidence.near(text, m.start(), m.end()):
            yield Change(m.start(), m.end(), m[2].strip(), 0.7)


BBCODE = Rule("bbcode", 5, strip_bbcode, rf"(?i)\[/(?:{_BB_NAMES})(?::[a-z0-9:]+)?\]|\[(?:url|quote)=", proves=True)
WIKI = Rule(
    "wiki",
    7,
    strip_wiki_markup,
    rf"\[\[[^\[\]|\n]+\|[^\[\]|\n]+\]\]|\[\[(?i:{_PICTURES}|{_CATEGORIES}):"
    r"|\{\{[A-Za-z][^{}|\n]{0,40}\||(?i:</? ?(?:poem|chem|ce|nowiki))|\{\|"
    r"|</ref>|[|!][ \t]*(?i:(?:col|row)span|style|v?align|width|bgcolor)\s?=\s?\"",
    proves=True,
)
SPACED_EMPHASIS = Rule(
    "spaced_emphasis", 1, close_spaced_emphasis, r"(?:\*\*|__) [^\n]+ (?:\*\*|__)", needs_evidence=True
)

LIGHTWEIGHT: tuple[Rule, ...] = (BBCODE, WIKI, SPACED_EMPHASIS)
"""The rules for lightweight markup, in order."""
