"""Texts of some fifty languages in all their charsets at three lengths, small letters and capitals: made anew from the
Universal Declaration of Human Rights, whose texts stand in the gold set of charsets.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from declaration import declarations

WEST = "cp1252 iso8859-15 cp850 mac-roman"
CENTRAL = "cp1250 iso8859-2 cp852 mac-latin2"
BALTIC = "cp1257 iso8859-13 iso8859-4 cp775"
RUSSIAN = "cp1251 iso8859-5 cp866 cp855 mac-cyrillic"
CHARSETS = {
    "French_Francais": WEST + " cp863", "German_Deutsch": WEST + " cp437", "Spanish-": WEST + " cp437",
    "Italian-": WEST, "Portuguese": WEST + " cp860", "Catalan_": WEST, "Galician": WEST, "Basque": WEST,
    "Dutch": WEST, "Danish": WEST + " cp865", "Norwegian-": WEST + " cp865", "Norwegian_Norsk-Nynorsk": WEST,
    "Swedish": WEST + " cp437", "Finnish": WEST + " cp437", "Icelandic": WEST + " cp861", "Faroese": WEST,
    "Afrikaans": WEST, "Albanian": WEST + " cp1250", "Breton": WEST + " iso8859-14", "IrishGaelic": WEST,
    "ScottishGaelic": WEST, "Asturian": WEST, "OccitanLang": WEST, "Luxembourgish": WEST, "Welsh": "iso8859-14",
    "Polish": CENTRAL, "Czech-UTF8": CENTRAL, "Hungarian_Magyar-UTF8": CENTRAL,
    "Slovenian": CENTRAL, "Croatian": CENTRAL, "Bosnian_Bosanski-Latin2": CENTRAL, "Sorbian": CENTRAL,
    "Romanian": CENTRAL, "Lithuanian": BALTIC, "Estonian": "cp1257 iso8859-13 cp1252 cp775",
    "Turkish": "cp1254 iso8859-9 cp857 mac-turkish", "Maltese": "iso8859-3", "Esperanto-UTF8": "iso8859-3",
    "Russian-UTF8": RUSSIAN + " koi8-r", "Ukrainian-UTF8": "cp1251 koi8-u iso8859-5 mac-cyrillic cp1125",
    "Bulgarian_Balgarski-UTF8": RUSSIAN, "Belorus_Belaruski-UTF8": "cp1251 iso8859-5 mac-cyrillic",
    "Serbian_Srpski-Cyrillic": "cp1251 iso8859-5 cp855 mac-cyrillic",
    "Macedonian": "cp1251 iso8859-5 cp855 mac-cyrillic",
    "Kazakh-UTF8": "kz1048 ptcp154", "Greek_Ellinika-UTF8": "cp1253 iso8859-7 cp737 cp869 mac-greek",
    "Hebrew_Ivrit-UTF8": "cp1255 iso8859-8 cp862", "Arabic": "cp1256 iso8859-6", "Farsi_Persian-UTF8": "cp1256",
    "Vietnamese-UTF8": "cp1258", "Chinese_Mandarin-UTF8": "gb18030 big5", "Japanese_Nihongo-UTF8": "shift_jis euc_jp",
    "Korean": "euc_kr",
}  # fmt: skip
LENGTHS = {"words": 25, "line": 90, "page": 1500}
PER = 5  # pieces of each length, language and charset


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Bytes whose text is known."""

    language: str
    charset: str
    length: str
    content: bytes


def made_texts(index: Path) -> Iterator[Made]:
    """Pieces from all over each text; those that the charset lacks a letter for are left out, and those in ASCII."""
    for name, key, text in _texts(index):
        text = " ".join(text.split())
        for charset in CHARSETS[key].split():
            for length, size in LENGTHS.items():
                for number, piece in enumerate(_pieces(text, size)):
                    piece = piece.upper() if number == PER else piece
                    try:
                        content = _composed(piece, charset).encode(charset)
                    except UnicodeEncodeError:
                        continue
                    if not content.isascii():
                        yield Made(language=name, charset=charset, length=length, content=content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixed:
    """A file of lines in two charsets, how they are mixed, and its text."""

    length: str
    content: bytes
    text: str


def mixed_files(index: Path) -> Iterator[Mixed]:
    """Two neighbours of the charsets of each language, in files of lines that are half in each, change with every
    line, or are but for one in the first."""
    for _, key, text in _texts(index):
        lines = [line.strip()[:110] for line in text.splitlines() if len(line.strip()) > 25]
        charsets = [c for c in CHARSETS[key].split() if c not in ("gb18030", "big5", "shift_jis", "euc_jp")]
        for one, other in pairwise(charsets):
            first, second = _in(lines[:14], one), _in(lines[14:28], other)
            if min(len(first), len(second)) < 4 or all(c.decode(one, "replace") == t for c, t in second):
                continue
            ways = {
                "halves": first + second,
                "every second": [line for pair in zip(first, second, strict=False) for line in pair],
                "all but one": first + second[:1],
            }
            for way, chosen in ways.items():
                content, words = zip(*chosen, strict=True)
                yield Mixed(length=way, content=b"\n".join(content), text="\n".join(words))


def _in(lines: list[str], charset: str) -> list[tuple[bytes, str]]:
    """Lines that are not in ASCII, in a charset and as their text."""
    found = []
    for line in lines:
        text = _composed(line, charset)
        content = text.encode(charset, "ignore")
        if content.decode(charset) == text and not content.isascii():
            found.append((content, text))
    return found


def _texts(index: Path) -> Iterator[tuple[str, str, str]]:
    for version in declarations(index, CHARSETS):
        if re.search("[\x80-\x9f]", version.text):
            continue  # the label is wrong
        yield version.name, version.beginning, version.text.replace("\ufeff", "")


def _pieces(text: str, size: int) -> Iterator[str]:
    """`PER` pieces at even distances, whole words each, and one of them again."""
    step = max(1, (len(text) - size) // PER)
    for number in (*range(PER), 1):
        piece = text[number * step + 40 :][: size + 12]
        words = piece.split(" ")
        yield " ".join(words[1:-1]) if len(words) > 3 else piece[:size]


def _composed(text: str, charset: str) -> str:
    """Signs that older charsets lack are written as people wrote them; Vietnamese tones stand apart."""
    if charset == "cp1258":
        parts = [unicodedata.normalize("NFD", c) for c in text]
        tones = ["".join(m for m in p if m in "\u0300\u0301\u0303\u0309\u0323") for p in parts]
        return "".join(
            unicodedata.normalize("NFC", "".join(m for m in p if m not in t)) + t
            for p, t in zip(parts, tones, strict=True)
        )
    if charset == "gb18030" or charset == "big5":
        return text
    return text.translate(
        {0x2019: "'", 0x2018: "'", 0x201C: '"', 0x201D: '"', 0x201E: '"', 0x2013: "-", 0x2014: "-", 0xA0: " ",
         0x219: "ş", 0x21B: "ţ", 0x218: "Ş", 0x21A: "Ţ"}
    )  # fmt: skip
