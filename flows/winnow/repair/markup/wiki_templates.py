"""Templates of wiki source, ``{{convert|1300|mi|km}}``: what a reader of the page would see of them.

A template that nobody knows stays as it stands, for it may hold facts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MAX_TEMPLATE = 3000  # characters; longer ones are tables and boxes
MAX_DEPTH = 8

EMPTY = frozenset("".join("""
    !|-|according to whom|anchor|authority control|better source|br|by whom|citation|citation needed|cite|
    cite book|cite journal|cite news|cite web|clarify|cleanup|clear|clr|cn|col-begin|col-break|col-end|
    commons|commons category|coord missing|cquote end|dead link|defaultsort|div col|div col end|dubious|
    expand|fact|featured article|full citation needed|good article|harv|harvnb|italic title|
    more citations needed|not a typo|notelist|orphan|page needed|portal|pp-protected|pp-semi|ref|refbegin|
    refend|references|refimprove|reflist|rp|sfn|sfnp|short description|stub|sup needed|toc|tocleft|
    unreferenced|update|use dmy dates|use mdy dates|verify source|webarchive|when|where|which|who|why|
    wikify
""".strip().split("\n    ")).split("|"))  # fmt: skip
"""Templates that show a reader nothing of the text, or marks for editors alone."""

FIRST = frozenset("".join("""
    abbr|allcaps|as written|big|blockquote|center|centre|chem|code|cquote|efn|em|flag|flagcountry|
    flagicon text|flagu|gaps|hover title|ill|interlanguage link|ipa|ipac-en|italics correction|key press|
    keypress|larger|linktext|lj|main other|math|mvar|nihongo|nobold|nobr|noitalic|not typo|note|nowrap|
    poem|poemquote|quotation|quote|refn|samp|sc|script|sic|small|smallcaps|smaller|strong|sub|sup|
    tooltip|u|underline|vanchor|var|verse translation|visible anchor|w|zh text|zwj
""".strip().split("\n    ")).split("|"))  # fmt: skip
"""Templates of which a reader sees the first argument."""

SECOND = frozenset(
    ("lang", "langx", "transl", "transliteration", "color", "colour", "font color", "script2", "fontcolor")
)
"""Templates of which a reader sees the second argument: the first names a language or a colour."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template in ``text[start:end]``, with its lower-case name and its arguments without a key."""

    start: int
    end: int
    name: str
    arguments: tuple[str, ...]
    named: dict[str, str]


_BRACES = re.compile(r"\{\{|\}\}")
_KEY = re.compile(r"\s*(\w[\w -]{0,30}?)\s*=(?!=)")


def templates(text: str) -> Iterator[tuple[int, int]]:
    """The outermost ``{{ }}`` of a text, no longer than a bound.

    >>> list(templates("a {{b|{{c}}}} {{d"))
    [(2, 13)]
    """
    opened: list[int] = []
    for found in _BRACES.finditer(text):
        if found[0] == "{{":
            opened.append(found.start())
            if len(opened) > MAX_DEPTH:
                opened.clear()
        elif opened:
            start = opened.pop()
            if not opened and found.end() - start <= MAX_TEMPLATE:
                yield start, found.end()


def parsed(text: str, start: int, end: int, plain: Callable[[str], str]) -> Template | None:
    """The template in ``text[start:end]``; `plain` takes links and templates out of its arguments."""
    inside = plain(text[start + 2 : end - 2])
    name, *rest = inside.split("|")
    name = " ".join(name.replace("_", " ").split()).lower()
    if not name or not (name[0].isalpha() or name in ("-", "!")):
        return None
    arguments: list[str] = []
    named: dict[str, str] = {}
    for part in rest:
        key = _KEY.match(part)
        if key is None:
            arguments.append(part.strip())
        else:
            named[key[1].lower()] = part[key.end() :].strip()
    # An argument that holds a sign of equality is written `1=...`.
    for number in range(1, 4):
        if (value := named.get(str(number))) is not None and len(arguments) == number - 1:
            arguments.append(value)
    return Template(start, end, name, tuple(arguments), named)


def shown(template: Template) -> str | None:
    """What a reader sees of a template; None of one that is not known.

    >>> see = lambda t: shown(parsed(t, 0, len(t), str))
    >>> see("{{convert|1300|mi|km}}"), see("{{lang|la|carpe diem}}"), see("{{citation needed}}"), see("{{who knows|x}}")
    ('1300 mi', 'carpe diem', '', None)
    """
    name, given = template.name, template.arguments
    if name in EMPTY or name.startswith(("cite ", "use ", "infobox end", "pp-")) or name.endswith(("-stub", " stub")):
        return ""
    if name in FIRST or name.startswith("ipa-"):
        return (
            given[0] if given else "[sic]" if name == "sic" else template.named.get("text", template.named.get("quote"))
        )
    if name in SECOND or (name.startswith("lang-") and given):
        return given[0] if name.startswith("lang-") else given[1] if len(given) > 1 else None
    if not given:
        return None
    if name in ("convert", "cvt") and len(given) > 1:
        if given[1] in ("-", "–", "to", "and", "x", "by", "or") and len(given) > 3:
            return f"{given[0]}{given[1]}{given[2]} {given[3]}" if given[1] in "-–" else " ".join(given[:4])
        return f"{given[0]} {given[1]}"
    if name in ("circa", "c.", "ca."):
        return "c. " + "–".join(given[:2])
    if name in ("frac", "fraction", "sfrac"):
        return f"{given[0]} {given[1]}/{given[2]}" if len(given) > 2 else "/".join(given)
    if name in ("us$", "usd", "a$", "c$", "nz$", "£", "gbp", "€", "euro", "inr"):
        sign = {"usd": "US$", "gbp": "£", "euro": "€", "inr": "₹"}.get(name, name.upper())
        return sign + given[0]
    if name in ("val", "num", "formatnum", "nts"):
        return " ".join(filter(None, (given[0], template.named.get("u", ""))))
    if name in ("birth date", "death date", "birth date and age", "start date", "end date", "film date", "date", "dob"):
        return "-".join(n.zfill(2) if n.isdigit() else n for n in given[:3])
    if name == "as of":
        return "As of " + "-".join(given[:3])
    if name in ("main", "see also", "further", "details"):
        return ("Main article: " if name == "main" else "See also: ") + ", ".join(given)
    if name in ("coord", "ubl", "unbulleted list", "plainlist", "flatlist", "hlist"):
        return " ".join(given) if name == "coord" else ", ".join(given)
    return None


def is_sure(template: Template) -> bool:
    """Whether a template alone tells wiki source from templates of web pages, ``{{ lang|safe }}``."""
    given = template.arguments
    if template.name in ("convert", "cvt"):
        return len(given) > 1 and given[0][:1].isdigit()
    if template.name in SECOND or template.name.startswith(("lang-", "cite ")):
        return bool(template.named) if template.name.startswith("cite ") else len(given) > 1 or "-" in template.name
    return template.name in FIRST and bool(given) and " " in given[0].strip()
