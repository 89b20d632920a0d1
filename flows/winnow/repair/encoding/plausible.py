"""How likely a reading is to be what was written: its characters, and its words."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import islice

from winnow.repair.engine.rule import detector
from winnow.repair.words.word_index import LANGUAGES, LATIN, bits, common_to, known_to

# Characters of the writing systems in daily use, and the signs set beside them. Archaic letters, rare blocks, controls
# and the unassigned are what wrong readings turn up.
_DAILY = re.compile(
    "[\n\t -~\xa0-\u017e\u0192\u01a0\u01a1\u01af\u01b0\u01cd-\u01dc\u0218-\u021b\u0259\u018f\u02bb-\u02bc\u02c6\u02dc"
    "\u0300-\u0304\u0306-\u030c\u0323\u0327\u0328"
    "\u0384-\u03ce\u0400-\u045f\u0490-\u04e9\u04ef\u04f0-\u04f9"  # Greek, Cyrillic
    "\u0531-\u058a\u05b0-\u05c5\u05c7-\u05ea\u05f3\u05f4\u060c-\u06ff"  # Armenian, Hebrew, Arabic
    "\u0900-\u0dff\u0e01-\u0eff\u0f00-\u0fbc\u1000-\u109f\u10a0-\u10ff\u1200-\u137c\u1780-\u17f9"  # India to Cambodia
    "\u1e00-\u1eff\u1f00-\u1fff"
    "\u200b-\u201f\u2020-\u2026\u2028\u202a-\u202e\u202f\u2030\u2032\u2033\u2039\u203a\u203b\u2044\u2060\u2066-\u2069"
    "\u2070-\u209c\u20a0-\u20bf\u2100-\u214f\u2150-\u218b\u2190-\u23ff\u2460-\u27bf\u2934\u2935\u2980-\u29ff\u2b00-\u2bff"
    "\u3000-\u303f\u3041-\u30ff\u3105-\u312f\u3131-\u318e\u3200-\u33ff\u4e00-\u9fff\uac00-\ud7a3"
    "\ufb01\ufb02\ufe0e\ufe0f\ufe10-\ufe4f\ufe81-\ufeff\uff01-\uffe6"
    "\U0001f000-\U0001faff\U000e0020-\U000e007f]+"
)
# Letters that only stand among the Latin ones by their number.
_OLD = re.compile("[ĸŉŀĿ]")
# A Latin letter beside one of another alphabet. Greek stands beside Latin letters in formulas; Chinese, Japanese,
# Korean and Thai do so anyway.
_OTHER = "\u0400-\u052f\u0531-\u058a\u05d0-\u05ea\u0620-\u06ff\u0900-\u0dff\u10a0-\u10ff"
_MIXED = re.compile(f"[A-Za-z\xc0-\u024f][{_OTHER}]|[{_OTHER}][A-Za-z\xc0-\u024f]")
_IS_OTHER = re.compile(f"[{_OTHER}]")
_has_mixed = detector(_MIXED.pattern)  # far faster, and most texts have none
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")

# Lists by script; only words of three letters and more, or with a letter beyond ASCII, say anything.
_LISTS = (
    ("\u0600", bits("ar", "fa")), ("\u0590", bits("he")), ("\u0400", bits("ru", "uk", "bg", "mk")),
    ("\u0370", bits("el")),
)  # fmt: skip
_COMMAS = {ord("ş"): "ș", ord("ţ"): "ț"}  # older Romanian text has cedillas, the list has commas
_ROMANIAN = bits("ro")


def strange(text: str, known: frozenset[str] = frozenset()) -> int:
    """Number of characters outside daily use, those of `known` left out, and of joints of alphabets inside words.

    >>> strange("Привет, née, 你好"), strange("ôaſaſ"), strange("\\x81"), strange("lՎtՎ")
    (0, 2, 1, 2)
    """
    rest = _DAILY.sub("", text) + "".join(_OLD.findall(text))
    n_known = sum(map(rest.count, known.intersection(rest))) if known and rest else 0
    return len(rest) - n_known + (len(_MIXED.findall(text)) if len(text) < 100 or _has_mixed(text) else 0)


# An accented Latin letter beside one of another alphabet stands in no word; a plain one may in a formula.
_ODD_JOINT = re.compile(f"[\xc0-\u024f](?=[\u0370-\u03ff{_OTHER}])|[\u0370-\u03ff{_OTHER}](?=[\xc0-\u024f])")
_has_odd_joint = detector(f"[\xc0-\u024f][\u0370-\u03ff{_OTHER}]|[\u0370-\u03ff{_OTHER}][\xc0-\u024f]")  # far faster
# Nor do letters of two other alphabets stand side by side: "ОФІЦІЙНА" is no "ОԲֲЙНА", though its bytes are UTF-8.
_ALPHABETS = "\u0400-\u052f", "\u0531-\u058a", "\u0591-\u05f4", "\u0620-\u06ff", "\u0900-\u0dff", "\u10a0-\u10ff"
_STRANGERS = "|".join(f"[{a}][{''.join(b for b in _ALPHABETS if b != a)}]" for a in _ALPHABETS)
_STRANGE_JOINT = re.compile(_STRANGERS)
_has_strange_joint = detector(_STRANGERS)
_LOOSE_MARK = re.compile(r"(?:^|\s)([^\x00-\u02ff\u2000-\U0010ffff])")


@lru_cache(maxsize=64)  # the reading of a line is asked of again when it is put together
def invents(before: str, after: str) -> bool:
    """Whether a reading holds what nobody wrote: code points without a character, loose accents, alphabets in one word.

    Or no new letter but one of a rare script, which a letter, a sign and a space are by chance.

    >>> invents("sã£ ziua", "s\u38e0ziua"), invents("ОФІЦІЙНА", "О\u0532\u05b2ЙНА")
    (True, True)
    >>> invents("ÏÎ¿Î»Ï", "ÏολÏ"), invents("Í¹ Ì€", "\u0379 \u0300"), invents("cafÐ¹", "cafй"), invents("Ã©tÃ©", "été")
    (True, True, True, False)
    """
    new = set(after) - set(before)
    if all(c < "\u0250" or "\u2000" <= c < "\u2800" for c in new):
        return False
    if any(unicodedata.category(c) == "Cn" for c in new):
        return True
    if len(letters := "".join(c for c in new if c >= "\u0590" and c.isalpha())) == 1 and strange(letters):
        return True
    if _has_mixed(after):
        other = {word for word in _WORD.findall(after) if _IS_OTHER.search(word)} - set(_WORD.findall(before))
        if other and all(map(_MIXED.search, other)):
            return True
    if _has_strange_joint(after) and len(_STRANGE_JOINT.findall(after)) > len(_STRANGE_JOINT.findall(before)):
        return True
    if _has_odd_joint(after) and (odd := len(_ODD_JOINT.findall(after)) - len(_ODD_JOINT.findall(before))) > 0:
        return odd * 4 > len(set(_WORD.findall(after)) - set(_WORD.findall(before)))  # Macedonian has one in "сè"
    return any(unicodedata.category(found[1]) == "Mn" and found[1] in new for found in _LOOSE_MARK.finditer(after))


def systems(text: str) -> frozenset[int]:
    """The writing systems that stand in a text, Latin and signs left out, as numbers that mean nothing else.

    >>> systems("é") <= systems("A cafe"), systems("頻") <= systems("A cafe"), systems("頻") <= systems("一目")
    (True, False, True)
    """
    signs = set(text)
    return frozenset(map(_system, signs)) - {0} if signs and max(signs) >= "\u0370" else frozenset()


@lru_cache(maxsize=1 << 14)
def _system(char: str) -> int:
    if char < "\u0370" or "\u1e00" <= char < "\u1f00" or "\u2000" <= char < "\u3000" or char >= "\U0001f000":
        return 0
    code = ord(char)
    return 0x3000 if 0x3000 <= code < 0xA000 or 0xFF00 <= code < 0xFFF0 else code >> 8 & ~1


def as_listed(word: str) -> str:
    """A word as the lists have it.

    >>> as_listed("Straße"), as_listed("L’İ")
    ('strasse', "l'i")
    """
    return word.replace("İ", "i").lower().replace("’", "'").replace("ß", "ss")


_TURKISH = re.compile("[ÇĞÖŞÜİ]")  # capitals beside which an I may be that of ı


@lru_cache(maxsize=1 << 16)
def is_word(word: str, common: bool = False) -> bool:
    """Whether any language's list has it, among its commonest words if `common`.

    The lists are read when first asked for (wordfreq, 1e-6 and above).

    >>> is_word("turístico"), is_word("tur’stico"), is_word("KARŞI")
    (True, False, True)
    """
    low = as_listed(word)
    first = next((c for c in low if c > "\x7f" and c.isalpha()), "")
    lists = LATIN
    if "\u1e00" <= first < "\u1f00":
        first = ""  # Vietnamese
    if first >= "\u0370":
        lists = next(of_script for begin, of_script in _LISTS if first >= begin)
    known = common_to if common else known_to
    if known(low) & lists:
        return True
    return (
        "I" in word and _TURKISH.search(word) is not None and known(as_listed(word.replace("I", "ı"))) & bits("tr") != 0
    )


def known_in(word: str, language: str) -> bool:
    """Whether the list of one language has it (wordfreq, 1e-6 and above).

    >>> known_in("Привет", "ru"), known_in("Привет", "el"), known_in("şi", "ro")
    (True, False, True)
    """
    low = word.lower()
    return known_to(low.translate(_COMMAS) if language == "ro" else low) & bits(language) != 0


def words(text: str) -> list[str]:
    """The words of a text, with the apostrophes inside them."""
    return _WORD.findall(text)


_AROUND = re.compile(r"[^\W\d_]{0,30}\Z"), re.compile(r"[^\W\d_]{0,30}")


def word_around(text: str, start: int, end: int, after: str) -> str:
    """The letters before `start`, `after`, and the letters from `end` on."""
    left = _AROUND[0].search(text, max(0, start - 30), start)
    right = _AROUND[1].match(text, end)
    return (left[0] if left else "") + after + (right[0] if right else "")


def are_words(text: str) -> bool:
    """Whether all words of a text are words of some language.

    >>> are_words("turístico, déjà"), are_words("tur’stico, déjà")
    (True, False)
    """
    return all(is_word(word) for word in words(text))


MAX_WORDS = 60  # of one text that are looked up


def share_of_words(text: str, with_ascii: bool = False) -> float:
    """Share of the words with letters beyond ASCII, or of all, that are words of one language; 1 where there are none.

    Single letters say nothing.

    >>> share_of_words("že přijde"), share_of_words("şe přijde"), share_of_words("hvor gür toget", with_ascii=True)
    (1.0, 0.5, 0.6666666666666666)
    """
    every = dict.fromkeys(
        as_listed(word) for word in words(text) if len(word) > 1 and (with_ascii or not word.isascii())
    )
    chosen = list(islice(every, MAX_WORDS))
    counts = sum(map(_one_byte_each, chosen))
    return max(counts.to_bytes(len(LANGUAGES) + 1, "little")) / len(chosen) if chosen else 1.0


@lru_cache(maxsize=1 << 14)
def _one_byte_each(word: str) -> int:
    """A byte of 1 for each language whose list has the word, so that a sum counts for all of them at once."""
    mask = known_to(word)
    if "ş" in word or "ţ" in word:
        mask |= known_to(word.translate(_COMMAS)) & _ROMANIAN
    return _spread(mask) if mask else 0


@lru_cache(maxsize=1 << 14)
def _spread(mask: int) -> int:
    return sum(1 << 8 * n for n in range(len(LANGUAGES)) if mask >> n & 1)


def has_odd_capitals(text: str) -> bool:
    """Whether a word with letters beyond ASCII has a capital after small letters.

    >>> has_odd_capitals("BlåbÊr"), has_odd_capitals("BLÅBÆR McCoy Été")
    (True, False)
    """
    beyond = (word for word in words(text) if not word.isascii())
    return any(not word[1:].islower() and word != word.upper() for word in beyond if len(word) > 1)
