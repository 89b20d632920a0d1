"""What documents state: their words with each fact marked, and the same as if all facts were one.

Two records, adverts, recipes or leases in the same words are two documents where each gives facts that the other does
not: names in sentences, values of a form, figures, what the title is about. Where most of what differs between two
documents are such facts, they are no copies; an edited copy differs in other words as well.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import re2

from winnow.deduplicate.passages import contraries
from winnow.deduplicate.passages.contraries import FIELD, split_words
from winnow.deduplicate.passages.names import NUMBERS, names_of
from winnow.deduplicate.passages.splitter import BULLETS, ends_sentence

_FACT = "ꟾ"  # a letter of no language that is written today
_FACTS = re.compile(rf"{_FACT}\w*(?:[ -](?:(?:d[aei]l?|von|van|der|of|the|&) )?{_FACT}\w*)*")
_EACH_FACT = re.compile(rf"{_FACT}(\w+)")
_MAX_TITLE = 100  # characters
_FIELDS = 2  # at least, of a form
_ENDS = 6  # words at either end of a document whose figures say when it was posted, or on which page
_FIRST = re.compile(rf"\s*(?:\S{{1,40}}\s+){{1,{_ENDS}}}")
_MAX_END = 300  # characters
_MAX_VALUE = 4  # words
_LONG = re.compile(rf"[^\W\d_{_FACT}]{{3,40}}")
_MAX_LINE = 80
_MAX_STAMP = 140
_MAX_SIZE = 3  # letters, as of XXL
_MAX_KNOWN, _MAX_WORD = 2000, 40  # characters of a passage and of a word of which it is known how it was read
_TOPIC = 4  # letters
_WORD = re.compile(rf"{_FACT}?[^\W_]\w*")
_WORDS = re.compile(f"({_WORD.pattern})")
_NO_WORD = re.compile(r"\W+")
_DIGIT = re.compile(r"\d")  # each figure has one
_FIGURE = re.compile(r"(?<!\w)(?:\d\w*(?:[.,:/-]\d\w*)*|[^\W\d_]{1,4}\d{1,4}(?!\w))")
_TELLS = (
    "said|says|told|according to|reported (?:that|on)|announced|sagten?|laut|teilten?|berichtet(?:e|en)?|déclaré|selon|"
    "annoncé|dijo|dijeron|según|anunció|disse|segundo|anunciou|detto|secondo|annunciato|zei|volgens|powiedział|według|"
    "sade|enligt|сказал\\w?|сообщил\\w?|заявил\\w?|по словам"
)
_UNSPACED_TELLS = "表示|宣布|报道|報道|述べ|発表"
_REPORTS = re.compile(rf"(?i)\b(?:{_TELLS})\b|{_UNSPACED_TELLS}")
"""What reports are known by: their figures are put right later, and they stay the same reports."""
_MAY_REPORT = re2.compile(rf"(?i){_TELLS}|{_UNSPACED_TELLS}|[ıİ]".replace(r"\w?", ""))  # re takes these for an i
_STAMP = re.compile(
    r"(?i)[^\w\n]{0,12}(?:(?:from|to|cc|an|von|de|para|date|datum|дата|sent|gesendet|message-id|received|reply-to)\s?:|"
    r"(?:re-?)?posted|published|updated|modified|last (?:updated?|modified|edited|changed)|printed|by\b|written by|"
    r"author|sources?\b|url\b|\d{0,6} ?views?\b|\d{0,6} ?comments?\b|copyright|©|page \d|ad(?:vert)? \d|online since|"
    r"retrieved|accessed|downloaded|uploaded|tags?:|categor(?:y|ies):|filed under|photos?:|image:|credits?:|shared? |"
    r"veröffentlicht|aktualisiert|zuletzt|gedruckt|stand:|autor|quelle|seite \d|anzeige|publié|mis à jour|modifié le|"
    r"imprimé|auteur|publicado|actualizado|impreso|pubblicato|aggiornato|autore|fonte|geplaatst|gepubliceerd|"
    r"bijgewerkt|опубликовано|обновлено|автор|источник|просмотров)[^\n]{0,100}"
)
"""A line that says when a text was posted, and by whom."""
_STAMP_BEGINS = frozenset(re.findall(r"[|(:?]([^\W\d_]{2})", _STAMP.pattern))  # first letters of all that it looks for
_BEGINS = re.compile(r"\w\w?")
_MONTH = re.compile(
    r"jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec|(?:jan|febr)uary|march|april|june|july|august|\w{3,6}ember|"
    r"october|januar|februar|märz|mai|juni|juli|oktober|janvier|février|mars|avril|juin|juillet|août|octobre|\w{3,5}embre|"
    r"enero|febrero|marzo|abril|mayo|junio|julio|agosto|octubre|\w{3,6}iembre|января|февраля|марта|апреля|мая|июня|июля|"
    r"августа|сентября|октября|ноября|декабря"
)
_VERBS = frozenset(("may", "march", "mar"))
_TIMES = re.compile(
    rf"(?i)(?:{_MONTH.pattern}|mon|tues?|wed|thu(?:rs?)?|fri|sat|sun|[ap]m|utc|gmt|cet|cest|est|edt|pst|pdt|at|on|of|the|"
    r"st|nd|rd|th|uhr|um|am|de|le|el|il|del|\w{3,6}day|\w{3,5}tag|mittwoch)\Z"
)
_LINK = re.compile(r"\]\([^()\s]{0,400}\)|(?:https?://|www\.)\S+")  # the same page may stand at another address
_OPENING = re.compile(r"([A-Z][a-z]{2,20}) [a-z]")  # "Acme shares fell"
_LETTERS = re.compile(r"[^\W\d_]+")
_AS_HEARD = str.maketrans({"c": "k", "q": "k", "z": "s", "w": "v"})
_VOWELS = re.compile("[aeiouyаеёиоуыэюяіїєαεηιουω]+")
_TWICE = re.compile(r"(.)\1+")


@dataclass(frozen=True)
class Statement:
    """The passages of a document, and whether each gives values of a record; they are read once, when that is asked."""

    texts: Sequence[str]
    values: Sequence[bool]

    @cached_property
    def read(self) -> list[tuple[str, str]]:
        """The passages as they are stated and affirmed, with a mark before each fact."""
        marked = _marked(self.texts, self.values)
        return [(_read if len(text) <= _MAX_KNOWN else _read.__wrapped__)(text) for text in marked]


def as_stated(said: Statement) -> list[str]:
    """The passages of a document with a mark for what is denied.

    Words are told by their consonants, so that two spellings are one. When it was posted, and by whom, is left out.

    >>> as_stated(Statement(["Posted on 3 May", "It is not large.", "Colour: dark blue"], [False] * 3))
    ['', 'it is ꟿ lrg.', 'klr: drk bl']
    """
    return [stated.replace(_FACT, "") for stated, _ in said.read]


def as_affirmed(said: Statement) -> list[str]:
    """The same as if nothing was denied, and words and their opposites were one."""
    return [affirmed.replace(_FACT, "") for _, affirmed in said.read]


def as_one(said: Statement) -> list[str]:
    """The same, and as if all facts in a row were one.

    >>> as_one(Statement(["Posted on 3 May", "Size: large", "Colour: dark blue"], [False] * 3))
    ['', 'size: ꟾ', 'klr: ꟾ']
    """
    return [_FACTS.sub(_FACT, affirmed) for _, affirmed in said.read]


def facts(said: Statement) -> list[str]:
    """The facts of a document alone.

    >>> facts(Statement(["Posted on 3 May", "Size: large", "Colour: dark blue"], [False] * 3))
    ['', 'lrg', 'drk bl']
    """
    return [" ".join(_EACH_FACT.findall(stated)) for stated, _ in said.read]


def titled(said: Statement) -> list[str]:
    """The figures of a document's title: of which version, day or part it is.

    >>> titled(Statement(["Version 2.4", "It has 3 new features."], [False] * 2))
    ['2_4', '']
    """
    title, *others = said.texts
    first = _FIGURE.findall(title) if _is_title(title) else []
    return [" ".join(_NO_WORD.sub("_", figure) for figure in first if figure[0].isdigit()), *[""] * len(others)]


def _is_title(text: str) -> bool:
    one_line = "\n" not in text and len(text) <= _MAX_TITLE and not FIELD.match(text)
    return one_line and not ends_sentence(text.rstrip()) and not _is_stamp(text)


def _is_stamp(line: str) -> bool:
    return len(line) <= _MAX_STAMP and _stamps(line)


@lru_cache(maxsize=1 << 12)  # the same lines stand in many documents
def _stamps(line: str) -> bool:
    begins = _BEGINS.search(line)
    may = begins and (begins[0].lower() in _STAMP_BEGINS or not begins[0].isalpha() or not begins[0].isascii())
    return bool((may or "©" in line) and _STAMP.fullmatch(line)) or all(
        _is_time(found[0]) for found in _LETTERS.finditer(line)
    )


@lru_cache(maxsize=1 << 12)
def _is_time(word: str) -> bool:
    return bool(_TIMES.match(word))


def _marked(texts: Sequence[str], values: Sequence[bool]) -> list[str]:
    """The passages without stamps, each fact with a mark before it."""
    whole = "\n".join(texts)
    title = _is_title(texts[0])
    topics = _topics(texts[0], whole[len(texts[0]) :]) if title else frozenset()
    names = names_of(texts) | _capitals(texts[0] if title else "")
    reports = bool(_MAY_REPORT.search(whole) and _REPORTS.search(whole))
    if (opening := _OPENING.match(whole)) and not re.search(rf"\b{opening[1].lower()}\b", whole):
        names.add(opening[1])
    form = sum(not _is_stamp(found[0]) for found in FIELD.finditer(whole)) >= _FIELDS
    out = []
    for n, text in enumerate(texts):
        of_title, is_value = n == 0 and title, values[n]
        told = of_title or is_value or (not reports and _says(text))  # whether figures are facts
        read = _LINK.sub(" ", text) if any(sign in text for sign in ("](", "http", "www.")) else text
        read = "\n".join([line for line in read.split("\n") if is_value or not _is_stamp(line)])
        if form or is_value:
            read = FIELD.sub(_with_value, read)
        if told and _DIGIT.search(read):
            start = 0 if of_title or is_value or n else _after_words(read)
            stays = of_title or is_value or n + 1 < len(texts) or ends_sentence(read.rstrip())
            stop = len(read) if stays else _before_words(read)
            read = read[:start] + _FIGURE.sub(lambda found: _one(found[0]), read[start:stop]) + read[stop:]
        parts = _WORDS.split(read)
        words = set(parts[1::2])
        here = names & words
        if topics:
            here |= {word for word in words if word.lower() in topics}
        if told:
            here.update(filter(_is_number if len(read) <= _MAX_KNOWN else _is_number.__wrapped__, words))
        parts[1::2] = [_FACT + word if word in here else word for word in parts[1::2]]
        out.append("".join(parts))
    return out


@lru_cache(maxsize=1 << 13)
def _is_number(word: str) -> bool:
    """Whether a word is a number or a month."""
    low = word.lower()
    return low in NUMBERS or bool(_MONTH.fullmatch(low) and (low != word or low not in _VERBS))


def _says(text: str) -> bool:
    """Whether a passage is more than a line that counts or numbers something."""
    return len(text) >= _MAX_LINE or ends_sentence(text.rstrip()) or text.lstrip()[:1] in BULLETS


def _one(fact: str) -> str:
    """A figure as one word."""
    return _FACT + _NO_WORD.sub("_", fact)


def _with_value(field: re.Match[str]) -> str:
    """A line of a form with each word of its value marked, of which there are few."""
    value = field[0][len(field[1]) :].split()
    if len(value) > _MAX_VALUE or field[1].lstrip()[:1] in BULLETS:
        return field[0]
    return field[1] + " ".join(_FACT + _NO_WORD.sub("_", word).strip("_") for word in value)


def _topics(title: str, text: str) -> frozenset[str]:
    """The words of a title and its text that are alike but for their ends, in lower case."""
    titles = _WORD.findall(title.lower())
    stems = {_stem(word) for word in titles if len(word) >= _TOPIC}
    words = {word for word in set(_WORD.findall(text.lower())) if _stem(word) in stems}
    again = {_stem(word) for word in words}
    return frozenset(words | {word for word in titles if _stem(word) in again})


def _capitals(title: str) -> set[str]:
    """The words of a title that has others in lower case which have a capital, but for the first, and sizes."""
    words = title.split()[1:]
    small = sum(word.islower() for word in words)
    capitals = [word for word in words if word[0].isupper() and (2 * small >= len(words) or len(word) <= _MAX_SIZE)]
    return {name for word in capitals if small or not title.isupper() for name in _WORD.findall(word)}


def _stem(word: str) -> str:
    return word[:5].rstrip("s")


@lru_cache(maxsize=1 << 12)  # the same passages stand in documents that are alike
def _read(marked: str) -> tuple[str, str]:
    """A passage as it is stated and affirmed: word by word, for what stands between words has no letters."""
    parts = split_words(marked)
    words = parts[1::2]
    known = max(map(len, words), default=0) <= _MAX_WORD
    read = []
    for way in (_as_stated, _as_affirmed):
        parts[1::2] = map(way if known else way.__wrapped__, words)
        read.append("".join(parts))
    return read[0], read[1]


@lru_cache(maxsize=1 << 16)
def _as_stated(word: str) -> str:
    return _heard(contraries.as_stated(word))


@lru_cache(maxsize=1 << 16)
def _as_affirmed(word: str) -> str:
    stated = contraries.as_stated(word)
    affirmed = contraries.as_affirmed(stated)
    return _as_stated(word) if affirmed == stated else _heard(affirmed)


def _heard(text: str) -> str:
    """A text of which each word is without what two spellings of it differ in.

    >>> _heard("the colour of kiev"), _heard("the color of kyiv"), _heard("anna")
    ('th klr of kv', 'th klr of kv', 'ana')
    """
    return _LONG.sub(_as_heard, text)


def _as_heard(found: re.Match[str]) -> str:
    bare = found[0]
    if not bare.isascii():
        bare = "".join(c for c in unicodedata.normalize("NFKD", bare) if not unicodedata.combining(c))
    heard = _TWICE.sub(r"\1", _VOWELS.sub("", bare).translate(_AS_HEARD))
    return heard if len(heard) > 1 else _TWICE.sub(r"\1", bare)


def _after_words(text: str) -> int:
    """Where the first few words of a text end."""
    found = _FIRST.match(text)
    return found.end() if found else 0


def _before_words(text: str) -> int:
    """Where its last few words begin."""
    return len(text) - _after_words(text[-_MAX_END:][::-1])
