"""Character references: decoded where they are damage, left alone where a text speaks about them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from functools import cached_property

from winnow.repair.engine.rule import Change, Evidence, NearDamage, Rule, apply_changes
from winnow.repair.markup.character_references import LEGACY, LETTERS, OF_MARKUP, TYPOGRAPHIC, Reference, references
from winnow.repair.markup.html_source import OF_SOURCE
from winnow.repair.markup.prose_tags import is_prose
from winnow.repair.markup.shown_tags import in_code, is_in
from winnow.repair.markup.tags import NEIGHBOURS, SNIPPET

NEAR = 40  # characters from a reference to a word for one, in a long text that shows few
MANY = 3  # so many typographic references in prose without code or tags are no coincidence

_NAMED = r"entit|(?:un)?escap|(?:en|de)cod|char(?:acter )?ref|ampersand"
_ABOUT_REFERENCES = re.compile(rf"(?i)\b(?:{_NAMED})")
_ABOUT = re.compile(rf"(?i)\b(?:{_NAMED}|markup|html|xml|sgml|elements?\b|tags?\b)")
_EXPLAINS = re.compile(
    r"(?i)\b(?:write|type|use|using|insert|add|put|open|close|start|end|begin|mark|show|display|render|mean|stand|turn|become"
    r"|convert|replace|represent|denote|produce|create|draw|called|escape|written|shown|drawn|meant)(?:s|ed|d)?\b"
)
_USED = re.compile(r"(?i)\b(?:use|using|write|writing|type|typing|insert|put|add) \Z")
_FOR = re.compile(r" (?:for|to|in|instead|as|when|where|between) ")
_RAW_TAG = re.compile(r"<(?![\w.+-]{1,60}@|https?:)[A-Za-z/!][^<>\n]{0,300}>")
_ADDRESS = re.compile(r"https?://[^\s<>\"]+")
_NUMBER_BESIDE = re.compile(r"\s?=?\s?[\d.]")
_ESCAPED_TAG = re.compile(
    r"&(?:amp;)*lt;/?(?:p|br|b|i|a|u|em|strong|div|span|li|ul|ol|td|tr|th|table|h[1-6]|img|sup|sub|code|pre|hr|tt|font"
    r"|blockquote|script|style|section|article|xml|o:p|iframe|figure|figcaption|dl|dt|dd|del|ins|center|tbody|thead)"
    r"(?:&(?:amp;)*gt;|/&|\s*/?\s*&|\s[a-z-]{2,20}=)|&(?:amp;)*lt;!--\[if ",
    re.I,
)
_PROGRAM = re.compile(r"\bwhile ?\(|\bconst \w+ =|\(\w*(?:, ?\w+)*\) =>|\.innerHTML|\bs/&|\bprint ?[\"']|<STDIN>")
_IN_NAME = re.compile(r"\b[A-Z]{1,3}&[A-Z]{1,2}s?\b(?!;)")
_MAY_BE_IN_NAME = re.compile(r"&(?<=[A-Z]&)[A-Z]")  # begins with its sign: far faster, and most texts have none
_ESCAPED_NAME = re.compile(r"\b[A-Z]{1,3}&amp;[A-Z]")
_ENDED = LEGACY - OF_MARKUP
"""Names that a program may have set a semicolon behind in an address."""
_AS_CODE = re.compile(
    r"(?:[=(,!|]|\\|->|\breturn|\bgoto|\bexists|&|\b(?:int|char|float|double|long|bool|var|let|auto)\s\*{0,2})\s?\Z"
)


def find_entities(text: str, evidence: Evidence) -> Iterator[Change]:
    """Character references that scraping left in a text become the characters they stand for, at any depth.

    Broken ones (spaced out, cut off) and deeply nested ones are proof by themselves: none of 12,859 undamaged
    technical documents held one. Whole ones are decoded near such proof, in a document that was escaped as a
    whole, in a short text, in the middle of a word (``caf&eacute;``), or where prose is full of them. A text that
    speaks about references, holds HTML source, or is code keeps them.

    >>> ENTITIES("x &a mp ; y &amp;amp;amp;lt;", damaged=False)
    'x & y <'
    >>> ENTITIES("The entity &lt; stands for <; R&D; AT&T", damaged=False)
    'The entity &lt; stands for <; R&D; AT&T'
    """
    found = list(references(text))
    if not found:
        return
    judge = _Judge(text, found, evidence)
    plain, escaped = in_code(text)
    pending: Change | None = None
    for reference in found:
        confidence = judge.confidence(reference)
        if confidence <= 0:
            continue
        start, value = reference.start, reference.value
        if plain and is_in(plain, start, reference.end):
            continue  # goes with the tags around it
        if escaped and reference.kind == "nested" and is_in(escaped, start, reference.end):
            value = html.escape(value)
        if pending is not None:
            if pending.end == start and pending.confidence == confidence:
                start, value = pending.start, pending.after + value
            else:
                yield pending
        pending = Change(start, reference.end, value, confidence)
    if pending is not None:
        yield pending


class _Judge:
    """Decides for one text which of its references are damage."""

    def __init__(self, text: str, found: list[Reference], evidence: Evidence) -> None:
        self.text, self.found = text, found
        self.snippet = len(text) <= SNIPPET
        self.proofs = {r.start for r in found if self._is_proof(r)}
        proven = Evidence(sorted([*evidence.points, *self.proofs]), evidence.everywhere)
        self.proven = bool(proven.points)
        self.near = NearDamage(text, proven, NEIGHBOURS)
        self.raw_tags = len(_RAW_TAG.findall(text)) if "<" in text else 0
        n_escaped = sum(r.kind == "nested" for r in found) + sum(1 for _ in _ESCAPED_TAG.finditer(text))
        lone = n_escaped < MANY and not self.proven and self._explains(found)
        self.escaped = n_escaped > 0 and not lone and ("<" not in text or self._only_compares)
        self.full_of_escapes = n_escaped >= MANY and n_escaped > self.raw_tags
        self.program = self.snippet and _PROGRAM.search(text) is not None
        # Its own tags are out; what is left of it is its references.
        self.source = not evidence.by.isdisjoint(OF_SOURCE)
        self.source = self.source and not (self.snippet and _ABOUT_REFERENCES.search(text))
        self.settled = self.escaped and not self.source  # whatever the text speaks of

    @cached_property
    def raw_ampersand(self) -> bool:
        """Whether an ampersand begins no reference, and stands in no name or address."""
        has_names = _MAY_BE_IN_NAME.search(self.text) and not _ESCAPED_NAME.search(self.text)
        n_in_names = sum(1 for _ in _IN_NAME.finditer(self.text)) if has_names else 0
        n_raw = self.text.count("&") - n_in_names - sum(r.kind != "bare" for r in self.found)
        return n_raw > 0 and n_raw > self._n_in_addresses(self.found)

    @cached_property
    def prose(self) -> bool:
        return not self.raw_tags and sum(_typographic(r) for r in self.found) >= MANY

    @cached_property
    def is_about(self) -> bool:
        return _ABOUT.search(self.text) is not None

    @cached_property
    def is_prose(self) -> bool:
        return is_prose(self._outside(self.found))

    @property
    def _only_compares(self) -> bool:
        """Whether a long text of sentences has brackets before numbers alone, which programs let pass: ``<5``."""
        return not (self.snippet or self.raw_tags) and self.is_prose

    def _n_in_addresses(self, found: list[Reference]) -> int:
        """How many ampersands that begin no reference stand in addresses of the web."""
        return sum(m[0].count("&") for m in _ADDRESS.finditer(self._outside(found)))

    def _explains(self, found: list[Reference]) -> bool:
        """Whether the text outside its references says what one of them, or its tag, is for."""
        if not self.snippet:
            return all(self._near_about(r, NEAR) for r in found)
        outside = self._outside(found)
        return _ABOUT.search(outside) is not None and _EXPLAINS.search(outside) is not None

    def _near_about(self, r: Reference, reach: int) -> bool:
        """Whether a word for references or markup stands within so many characters."""
        before, after = self.text[max(0, r.start - reach) : r.start], self.text[r.end : r.end + reach]
        return _ABOUT.search(before) is not None or _ABOUT.search(after) is not None

    def _outside(self, found: list[Reference]) -> str:
        return apply_changes(self.text, (Change(r.start, r.end, " ") for r in found))

    def _is_proof(self, r: Reference) -> bool:
        """Broken, or escaped more than once."""
        if r.kind == "nested":
            return self.text.count("amp", r.start, r.end) + self.text.count("#38", r.start, r.end) > 1
        return r.kind == "broken"

    def confidence(self, r: Reference) -> float:
        """How sure it is that a reference is damage; 0 where it is none."""
        if r.name in _ENDED and self.text.startswith("=", r.end) and "?" in self._token_before(r):
            return 0.0  # an address's ``&copy;=2``, where a program set semicolons behind all names
        sure = self._by_form(r)
        return 0.0 if sure and not self.settled and self._talked_about(r) else sure

    def _by_form(self, r: Reference) -> float:
        if r.start in self.proofs:
            return 0.95
        if self.escaped or (self.full_of_escapes and r.kind in ("nested", "plain")):
            return 0.9 if r.kind in ("nested", "plain") else self._weak(r)
        if self.proven and self.near(r.start, r.end):
            return 0.85 if r.kind != "unfinished" or not self._in_address(r) else 0.0
        if r.kind == "nested":
            return 0.7 if self.snippet or not self.raw_tags else 0.4
        if self.program:
            return 0.0
        if r.kind == "plain":
            if self.source:
                return 0.8
            if self.snippet and not (r.name not in OF_MARKUP and self._as_code(r)):
                return 0.7
            if self.raw_tags:
                return 0.0
            if self._inside_word(r):
                return 0.8
            if (r.name not in ("lt", "gt") or self._before_number(r)) and self.is_prose:
                return 0.7
            return 0.0 if not _typographic(r) else 0.7 if self.prose else 0.3
        return self._weak(r)

    def _before_number(self, r: Reference) -> bool:
        return _NUMBER_BESIDE.match(self.text, r.end) is not None

    def _as_code(self, r: Reference) -> bool:
        return _AS_CODE.search(self.text, max(0, r.start - 12), r.start) is not None

    def _weak(self, r: Reference) -> float:
        """Unfinished, bare and misspelt ones: not in addresses or code; and in long texts only letters of words."""
        if not (self.snippet or self._of_word(r)) or self._in_address(r) or self._as_code(r):
            return 0.0
        if r.kind == "unfinished":
            follows = self.text[r.end : r.end + 1]
            return 0.6 if follows not in ("=", "_", "(") else 0.0
        return 0.6

    def _talked_about(self, r: Reference) -> bool:
        """Set in quotes or backticks by itself, or in a text without proof that speaks of references."""
        before, after = self.text[r.start - 1 : r.start], self.text[r.end : r.end + 1]
        if before and before in "`'\"" and before == after:
            return not self.escaped
        if self.source and r.kind == "nested" and r.start not in self.proofs and self.is_about:
            return True  # a reference to show
        if self.proven or self.escaped or self.source:
            return False
        reach = SNIPPET if self.snippet else 100
        before, after = self.text[max(0, r.start - reach) : r.start], self.text[r.end : r.end + reach]
        if r.kind == "plain" and r.value in "<>\"'" and r.value in before[-25:] + after[:25]:
            return True  # "< is converted to &lt;"
        if r.kind == "plain" and r.name == "amp" and self.raw_ampersand:
            return True  # a text that was escaped has no bare ampersand, but for `R&D`, which programs let pass
        if r.kind == "plain" and r.name in OF_MARKUP and _USED.search(before[-12:]) and _FOR.match(after):
            return True
        if not self._near_about(r, reach):
            return False
        return self.snippet or not self.is_prose  # in which genes encode, and elements are chemical

    def _inside_word(self, r: Reference) -> bool:
        before = self.text[max(0, r.start - 1) : r.start]
        return before.isalpha() and r.value.isalpha() and len(r.value) == 1 and ord(r.value) >= 0xC0

    def _of_word(self, r: Reference) -> bool:
        """Whether it is a letter of prose that has lost its semicolon: ``caf&eacute au lait``, ``TNF-&alpha``."""
        return r.kind == "unfinished" and r.name in LETTERS and self.is_prose

    def _token_before(self, r: Reference) -> str:
        start = max(self.text.rfind(c, max(0, r.start - 200), r.start) for c in " \n\t<>")
        return self.text[start + 1 : r.start]

    def _in_address(self, r: Reference) -> bool:
        token = self._token_before(r)
        return "://" in token or "?" in token or "=" in token


def _typographic(r: Reference) -> bool:
    return r.kind == "plain" and (r.name in TYPOGRAPHIC or (r.name[0] == "#" and r.value > "\x7f"))


_GATE = r"&[ \t\x{a0}]{0,5}[#A-Za-z]|&;[A-Za-z]|(?:amp|nbsp|lt|gt|quot) ?;|\A[a-z]{5,30};\z"

ENTITIES = Rule("entities", 9, find_entities, _GATE, proves=True)
