"""Chinese, Japanese and Korean text that was decoded with the wrong charset: restored whole, or left alone.

Text in GBK, Big5, Shift-JIS, EUC-JP or EUC-KR that was read as Windows-1252 or as a DOS or Mac charset; UTF-8 that was
read as one of these, whatever its letters; and these read as one another. A line is read anew as a whole, so nothing is
taken apart; characters and words decide.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from winnow.repair.encoding.charmaps import charmap
from winnow.repair.encoding.line_changes import foreign_lines, trimmed
from winnow.repair.encoding.plausible import invents, is_word, share_of_words, strange, systems, words
from winnow.repair.encoding.thai import LEAST, as_thai
from winnow.repair.engine.rule import Change, Evidence, Rule, detector, remembered_by_line
from winnow.repair.words.frequencies import word_costs
from winnow.repair.words.word_index import common_characters

SURE, LIKELY = 0.95, 0.8
MIN_LETTERS = 4  # of Chinese, Japanese or Korean that a reading must gain, or words must cover all of it
MANY_LETTERS = 10  # fewer may read as another charset's by chance
MIN_SHARE = 0.75  # of these that must be among the commonest of their language
MAX_SHARE = 0.5  # of such letters in the line as it stands; more is text that was read rightly
WIDE_SAMPLE = 3_000  # characters that tell whether a whole text reads well
WELL = 0.85
SAMPLE = 64  # letters that tell whether a line reads well
MAX_FRUITLESS = 200_000  # characters of one text that are searched in vain before the search is given up

ASIAN = {"gbk": "zh", "big5": "zh", "cp932": "ja", "euc_jp": "ja", "cp949": "ko"}
_CJK = re.compile("[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]+")
_KANA = re.compile("[\u3041-\u30ff]")
_ODD = re.compile("[\x80-\x9f\ue000-\uf8ff\uff61-\uff9f\u0370-\u03ff\u0400-\u04ff\u2500-\u257f\u3105-\u312f]")
_HALF_WIDTH = "\uff61-\uff9f"
_KANA_HALF = re.compile(f"[{_HALF_WIDTH}]")
_BESIDE_LATIN = re.compile("[A-Za-z][\u3400-\u9fff\uac00-\ud7a3]|[\u3400-\u9fff\uac00-\ud7a3][A-Za-z]")
_EUC_KANA = re.compile(f"(?:[､･][{_HALF_WIDTH}]){{2}}")  # EUC-JP read as Shift-JIS: each hiragana begins with A4
_IN_WORD = re.compile("[A-Za-z][\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]+[a-z]")
_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]+")
# Share of the bytes beyond ASCII that may be UTF-8: more is mojibake, and read as such. Some more may be so by chance
# where nearly all of the text becomes words.
MAX_UTF8, MAX_UTF8_BY_CHANCE = 0.5, 0.75
NEARLY_ALL = 1.6  # score
_WESTERN = charmap("cp1252")
_TO_BYTES = {ord(c): n for n, c in enumerate(_WESTERN.table)}
_BEYOND = re.compile(f"[^\x00-\xff{re.escape(_WESTERN.table[0x80:0xA0])}]")


@cache
def _traditional() -> dict[int, str]:
    """Traditional characters to the simplified ones in which the list of Chinese words is written."""
    import msgpack

    package = find_spec("wordfreq")
    assert package is not None and package.origin is not None
    with gzip.open(Path(package.origin).parent / "data" / "_chinese_mapping.msgpack.gz") as file:
        mapping: dict[int, str] = msgpack.unpackb(file.read(), strict_map_key=False)
    return mapping


def simplified(text: str) -> str:
    """Chinese text as the list of words has it.

    >>> simplified("漢語")
    '汉语'
    """
    return text.translate(_traditional())


@cache  # one for each of three languages
def _words(language: str) -> frozenset[str]:
    """Its words of two letters and more."""
    return frozenset(word for word in word_costs(language) if len(word) > 1 and _CJK.match(word))


def _letters(text: str) -> str:
    return "".join(_CJK.findall(text))


def share_of_common(letters: str, name: str) -> float:
    """Share of the letters that are among the commonest of a language.

    >>> share_of_common("我是学生", "zh"), share_of_common("鎴戞槸瀛︾敓", "zh") < 0.5
    (1.0, True)
    """
    if not letters:
        return 0.0
    return (len(letters) - len(_common(name).sub("", letters))) / len(letters)


@cache  # one for each of three languages
def _common(name: str) -> re.Pattern[str]:
    """Runs of the commonest characters of a language: three times as fast as to ask for each character."""
    return re.compile(f"[{''.join(sorted(common_characters(name)))}]+")


def share_in_words(letters: str, name: str) -> float:
    """Share of the letters that stand in words of two letters and more, taken from the left, longest first.

    >>> share_in_words("我们继续", "zh"), share_in_words("鎴戞槸瀛︾敓", "zh")
    (1.0, 0.0)
    """
    known = _words(name)
    at = covered = 0
    while at < len(letters):
        size = next((n for n in (4, 3, 2) if at + n <= len(letters) and letters[at : at + n] in known), 0)
        covered += size
        at += size or 1
    return covered / len(letters) if letters else 0.0


def _bytes_of(line: str, charset: str) -> bytes | None:
    try:
        if charset == "cp1252":  # and Latin-1, of which it differs by the C1 controls only
            return line.encode("latin-1")
        if charset == "gbk":  # of Windows: its byte 80, which begins no pair, is a sign, and others are for private use
            return b"\x80".join(part.encode("gb18030") for part in line.split("€"))
        return line.encode(charset)
    except UnicodeEncodeError:
        as_windows = charset == "cp1252" and not _BEYOND.search(line)
        return line.translate(_TO_BYTES).encode("latin-1") if as_windows else None


# What is left of a sequence that lost bytes: they made no character of the other charset.
_LEFT = re.compile(rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})[?\xff]|\xff[\x80-\xbf]*")
MAX_LOST = 0.4  # share of characters


def _as_utf8(line: str, read_as: str) -> str | None:
    """A line that was UTF-8, with U+FFFD for what lost bytes; None where it was none, or lost too much.

    >>> _as_utf8("鎴戠殑瀛︾敓鏄�", "gbk"), _as_utf8("我是学生", "gbk")
    ('我的学生�', None)
    """
    parts = [_bytes_of(part, read_as) for part in line.split("\ufffd")]
    raw = b"\xff".join(part for part in parts if part is not None)
    if None in parts or raw.isascii():
        return None
    try:
        after = _LEFT.sub("\ufffd".encode(), raw).decode()
    except UnicodeDecodeError:
        return None
    return None if after.count("\ufffd") > MAX_LOST * sum(c > "\x7f" for c in after) else after


@dataclass(frozen=True, slots=True)
class Reading:
    """A line read anew; `pair` says by which charsets."""

    text: str
    pair: tuple[str, str]
    score: float


def _readings(line: str, pairs: tuple[tuple[str, str], ...]) -> Iterator[Reading]:
    raws: dict[str, bytes | None] = {}
    for read_as, really in pairs:
        if really == "utf-8":
            after = _as_utf8(line, read_as)
        else:
            if read_as not in raws:
                raws[read_as] = _bytes_of(line, read_as)
            after = _text(raw, really) if (raw := raws[read_as]) is not None else None
        if after is None or after == line or _ODD.search(after) or invents(line, after):
            continue
        if read_as != "cp1252" or not _IN_WORD.search(after):
            yield Reading(after, (read_as, really), 0.0)


def _text(raw: bytes, charset: str) -> str | None:
    try:
        return raw.decode(charset)
    except UnicodeDecodeError:
        return None


_UTF8_PAIRS = tuple((read_as, "utf-8") for read_as in ASIAN)
_CROSSED = tuple((a, b) for a in ASIAN for b in ASIAN if a != b)


def _judged(line: str, reading: Reading) -> Reading | None:
    """The reading with its score, where its letters are common ones of one language and stand in words."""
    letters = _letters(reading.text)
    if not letters:
        return None
    really = reading.pair[1]
    best = 0.0
    for name in ("zh", "ja", "ko") if really == "utf-8" else (ASIAN[really],):
        plain = simplified(letters) if name == "zh" else letters
        common = share_of_common(plain, name)
        if common < MIN_SHARE or (name == "ko" and letters[0] < "\uac00"):
            continue
        in_words = share_in_words(plain, name)
        if name == "ja" and not _KANA.search(letters) and in_words < MIN_SHARE:
            continue
        if in_words >= 0.3 or name == "ko":
            best = max(best, common + in_words)
    if not best or (len(letters) < MIN_LETTERS and best < 2.0):
        return None
    return Reading(reading.text, reading.pair, best)


@remembered_by_line
def best_reading(line: str) -> Reading | None:
    """The line as the charset it was written in gives it; None where it reads well or nothing explains it.

    >>> best_reading("ÎÒÃÇµÄÍøÕ¾½éÉÜ").text, best_reading("鎴戞槸瀛︾敓").text, best_reading("我是学生")
    ('我们的网站介绍', '我是学生', None)
    """
    letters = _letters(line)
    if letters and is_plausible(letters) and not _BESIDE_LATIN.search(line):
        return None
    if (letters or _KANA_HALF.search(line)) and (alphabetic := _in_letters(line)) is not None:
        return alphabetic
    if _EUC_KANA.search(line):
        return _best(line, (("cp932", "euc_jp"),))
    if not letters:
        one_byte = ("cp850", "cp437", "mac_roman") if _BEYOND.search(line) else ("cp1252",)
        others = (_one_byte_reading(line, read_as) for read_as in one_byte)
        return _thai_reading(line) or next(filter(None, others), None)
    if is_plausible(letters):
        return None
    return _best(line, _UTF8_PAIRS + (_CROSSED if len(letters) >= MANY_LETTERS else ()))


def _best(line: str, pairs: tuple[tuple[str, str], ...]) -> Reading | None:
    found = [good for reading in _readings(line, pairs) if (good := _judged(line, reading)) is not None]
    return max(found, key=lambda reading: reading.score, default=None)


_THAI = ("cp1252", "cp874")
SHORT = 2  # letters of Thai, where other lines prove that a text was in it


def _thai_reading(line: str, least: int = LEAST) -> Reading | None:
    raw = _bytes_of(line, "cp1252")
    thai = as_thai(raw, least) if raw is not None else None
    return Reading(thai, _THAI, 1.5) if thai is not None else None


_THRICE = re.compile(r"([^\x00-\x7f])\1\1")


def _one_byte_reading(line: str, read_as: str) -> Reading | None:
    raw = _bytes_of(line, read_as)
    if raw is None:
        return None
    utf8 = len(b"".join(_UTF8.findall(raw))) / max(1, len(b"".join(_HIGH.findall(raw))))
    if utf8 > MAX_UTF8_BY_CHANCE:
        return None
    least = NEARLY_ALL if utf8 > MAX_UTF8 else 0.0
    if read_as != "cp1252":
        if _THRICE.search(line) or not any(c.isalpha() for c in line if c > "\x7f"):
            return None  # lines of boxes
        least = NEARLY_ALL
    best = _best(line, tuple((read_as, really) for really in ASIAN))
    return best if best is not None and best.score >= least else None


def _reads_well(letters: str) -> bool:
    """Whether nearly all letters of the beginning of a text are common ones: then its other lines were read alike."""
    return share_of_common(letters, "zh") > WELL or share_of_common(letters, "ja") > WELL or letters[0] >= "\uac00"


def is_plausible(letters: str) -> bool:
    """Whether letters of Chinese, Japanese or Korean may be what was written: half are common in one of these."""
    letters = letters[:SAMPLE]
    if share_of_common(letters, "zh") > MAX_SHARE or share_of_common(letters, "ja") > MAX_SHARE:
        return True
    return max(share_of_common(simplified(letters), "zh"), share_of_common(letters, "ko")) > MAX_SHARE


SHORTEST = 3  # letters of the longest word: one letter and two are read by chance
FEW_LETTERS = 3  # of which all must stand in words
MOST = 0.6  # share of words that are known
# Signs that have letters or figures on both sides, or on the one where they have some.
_AT_FIGURES = re.compile(
    r"(?<=[0-9])[°±×](?=[0-9CF])|(?<=[0-9] )°(?=[CF])|(?<=[a-z])[²³](?![A-Za-z])|(?<=[0-9])[µμ](?=[A-Za-z])"
    r"|(?<=[0-9] )[µμ](?=[A-Za-z])|(?<![A-Za-z])£(?=[0-9])|(?<![A-Za-z])©(?= (?:19|20)[0-9]{2})"
)
MANY_OF_ALPHABET = 6  # letters of another alphabet than the Latin one: so much UTF-8 is no coincidence
_SIGNS = frozenset("‘’“”„–—…«»•·\xa0°©®€£¿¡\ufffd")


def _in_letters(line: str) -> Reading | None:
    """The line as UTF-8 that was read as a charset of China, Japan or Korea, where it becomes text of an alphabet.

    >>> _in_letters("袩褉懈胁械褌").text, _in_letters("Powiedzia艂a, 偶e").text, _in_letters("贵州茅台")
    ('Привет', 'Powiedziała, że', None)
    """
    for read_as in ASIAN:
        after = _as_utf8(line, read_as)
        if after is None or after == line or _CJK.search(after):
            continue
        letters = [c for c in after if c.isalpha() and c > "\x7f"]
        alphabet = systems(after)
        if len(alphabet) > 1 or strange(after.replace("\ufffd", "")) or invents(line, after):
            continue
        if alphabet and len(letters) >= MANY_OF_ALPHABET:
            return Reading(after, (read_as, "utf-8"), 2.0)
        if _AT_FIGURES.sub("", after).isascii():
            return Reading(after, (read_as, "utf-8"), 1.0)
        made = [word for word in words(after) if not word.isascii()]
        if not any(len(word) >= SHORTEST or (len(word) > 1 and is_word(word, common=True)) for word in made):
            continue
        enough = MOST if len(letters) > FEW_LETTERS else 1.0
        if share_of_words(after) >= enough and all(c.isalpha() or c in _SIGNS for c in after if c > "~"):
            return Reading(after, (read_as, "utf-8"), 1.0)
    return None


def undo_multibyte(text: str, evidence: Evidence) -> Iterator[Change]:
    """Undo the wrong choice of a multi-byte charset, line by line, all of a line or nothing.

    Left alone are lines that read well as they stand, that hold a character which the wrong charset lacks, and those
    that become rare characters or no words.

    >>> MULTIBYTE("ÎÒÃÇµÄÍøÕ¾½éÉÜ"), MULTIBYTE("It鈥檚 late at the caf茅"), MULTIBYTE("L’été à Noël")
    ('我们的网站介绍', 'It’s late at the café', 'L’été à Noël')
    """
    fruitless = 0
    well = len(sample := _letters(text[:WIDE_SAMPLE])) > SAMPLE and _reads_well(sample)
    if well and not _has_western_sign(text):
        return
    seen: dict[str, Reading | None] = {}
    lines = evidence.once(foreign_lines, text)
    for _, line in lines:
        if line not in seen and fruitless <= MAX_FRUITLESS and (_has_western_sign if well else _has_sign)(line):
            seen[line] = best_reading(line)
            fruitless += 0 if seen[line] else len(line)
    thai = any(reading.pair == _THAI for reading in seen.values() if reading is not None)
    for at, line in lines:
        reading = seen.get(line) or (_thai_reading(line, SHORT) if thai else None)
        if reading is not None:
            yield from trimmed(at, line, reading.text, SURE if reading.score >= 1.3 else LIKELY)


# re and RE2 read this alike: the characters stand in it as themselves.
_LEADS = "\x81-\x9f‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œž"  # first bytes of Shift-JIS, whose second may be ASCII
MULTIBYTE_GATE = (
    f"[\x80-\xff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]{{3}}|[{_LEADS}][!-~][{_LEADS}]"
    f"|[─-╬▀-■][\x80-\xffαßΓπΣσµτΦΘΩδ]|[\x80-\xffαßΓπΣσµτΦΘΩδ][─-╬▀-■]"
    f"|[A-Za-z､･][{_HALF_WIDTH}]|[\u3400-\u9fff\uac00-\ud7a3]"
)
"""Expression that matches in every text in which a line may be read anew."""

_has_sign = detector(MULTIBYTE_GATE)
_has_western_sign = detector(MULTIBYTE_GATE.rpartition("|")[0])

# It proves nothing for the rules that need evidence, as mojibake does not.
MULTIBYTE = Rule("misread_multibyte", 3, undo_multibyte, MULTIBYTE_GATE)
