"""How likely bytes are to be text in a charset: the cost of its letters, each after the one before, in the language
that costs least.

A cost is the negative natural logarithm of a probability, so costs of readings of the same bytes can be compared, and
the one that costs least is the likeliest (naive Bayes over letter pairs). Letters are compared in lower case, and
capitals cost where nobody writes them: so text in capitals is read as well as any other.
The counts (letter_pairs.npz) are of translations of programs; tests/benchmarks/train_letter_pairs.py made them.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np

_FEW = "en de fr es it pt nl"  # languages that every charset with their letters is used for
_WEST = f"{_FEW} da nb nn sv fi is ca gl eu gd ga af br oc ast lb id sq et und"
_CENTRAL = "pl cs sk hu sl hr bs hsb ro sq de"
_BALTIC = "lt lv et pl"
_TURKISH = "tr az"
_RUSSIAN = "ru bg sr mk be uk"

# Name, cost of being used at all (WHATWG's and Windows' ones are common, those of one machine rare), languages.
_CHARSETS = (
    ("cp1252", 0.0, _WEST), ("iso8859-15", 3.0, _WEST), ("iso8859-1", 3.5, _WEST),
    ("cp1250", 0.6, _CENTRAL), ("iso8859-2", 1.2, _CENTRAL), ("cp1257", 1.5, _BALTIC), ("iso8859-13", 3.0, _BALTIC),
    ("iso8859-4", 3.0, _BALTIC), ("cp1254", 1.5, _TURKISH), ("iso8859-9", 2.5, _TURKISH), ("cp1258", 2.5, "vi"),
    ("iso8859-3", 4.0, "mt eo tr"), ("iso8859-10", 5.0, "nb da is sv fi et lt lv"), ("iso8859-14", 5.0, "cy ga gd br"),
    ("iso8859-16", 8.0, "ro hr hu sl sq"),
    ("cp850", 2.5, _WEST), ("cp858", 4.0, _WEST), ("cp437", 3.0, _WEST), ("cp852", 2.5, _CENTRAL),
    ("cp775", 3.0, _BALTIC), ("cp857", 3.0, _TURKISH), ("cp860", 4.0, "pt"), ("cp861", 4.0, "is"),
    ("cp863", 4.0, "fr"), ("cp865", 4.0, "nb da nn sv"),
    ("mac-roman", 3.0, _WEST), ("mac-latin2", 3.0, _CENTRAL + " lt lv et"), ("mac-croatian", 5.0, "hr sl bs"),
    ("mac-romanian", 5.0, "ro"), ("mac-turkish", 3.0, _TURKISH), ("mac-iceland", 4.0, "is"),
    ("hp-roman8", 7.0, _WEST),
    ("cp1251", 0.0, _RUSSIAN), ("koi8-r", 1.0, "ru"), ("koi8-u", 2.0, "uk ru"), ("iso8859-5", 2.0, _RUSSIAN),
    ("cp866", 1.5, "ru uk be"), ("cp855", 2.5, _RUSSIAN), ("cp1125", 3.5, "uk ru"), ("mac-cyrillic", 2.0, _RUSSIAN),
    ("kz1048", 4.0, "kk"), ("ptcp154", 4.5, "kk tt ky"), ("koi8-t", 6.0, "tg"),
    ("cp1253", 1.0, "el"), ("iso8859-7", 1.5, "el"), ("cp737", 2.5, "el"), ("cp869", 3.0, "el"),
    ("mac-greek", 3.0, "el"),
    ("cp1255", 1.5, "he"), ("iso8859-8", 1.5, "he"), ("cp862", 4.0, "he"), ("cp856", 4.0, "he"),
    ("cp1256", 2.0, "ar fa ur"), ("iso8859-6", 1.5, "ar"), ("cp720", 3.0, "ar"), ("mac-arabic", 5.0, "ar fa"),
    ("mac-farsi", 5.0, "fa"), ("cp864", 40.0, "ar"),
    ("cp874", 2.1, "th"), ("tis-620", 2.0, "th"), ("iso8859-11", 3.0, "th"),
)  # fmt: skip
_SCRIPT_OF = {"ru": "cyrillic", "bg": "cyrillic", "uk": "cyrillic", "kk": "cyrillic", "tg": "cyrillic", "el": "greek",
              "he": "hebrew", "ar": "arabic", "fa": "arabic", "th": "thai"}  # fmt: skip
_MISFIT = 0.01  # share of the cost by which a rare charset must do better: no text is quite as the counts have it
_OTHER_LANGUAGE = 5.0  # of a language that the charset was not made for

WORD = re.compile(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")
_TAGS = re.compile(rb"<[^<>]{0,300}>")
_CONTRACTED = re.compile(rb"(?<=[A-Za-z])([\x80-\xff])(?:s|t|m|d|re|ve|ll)\b")
_LINE = re.compile(rb"[^\n\r]*[\x80-\xff][^\n\r]*")
MAX_READ = 40_000  # bytes of lines with some byte beyond ASCII; more moves no answer
_UNKNOWN_LANGUAGE = 3.0  # the last of the Latin ones: its words in ASCII may be as in any other
_MOST_ALIKE = 3  # times that a word counts; more say nothing new
_RARER_IN_ENGLISH = 1.75  # charsets that are rare: a byte or two beyond ASCII, as there are in English, say little
_CONTRACTION = 2.5  # gain of a charset in which an apostrophe stands in "it’s"
_ENGLISH_BY, _ENGLISH_BYTES = 2.0, 4_000  # what words in ASCII cost less in English than in any other language
_NO_LATIN = 2.0  # a lone letter is more likely to be a Latin one
_AMONG_LATIN = 8.0  # of a word of another script among many in ASCII
_EDGE = 3.0  # of a letter of ASCII beside a sign, about what it costs as the first or last one of a Latin word
_ASIDE, _ASIDE_MOST = 0.4, 4.0  # weight of words in ASCII, for each and beside those with other letters

# Kinds of character, beside the letters of the script.
(_SPACE, _LOWER, _UPPER, _OPENS, _CLOSES, _JOINS, _MARK, _SYMBOL, _BOX, _CONTROL, _FOREIGN, _ASCII, _TWIN, _GAP,
 _DASH, _INVERTED) = range(16)  # fmt: skip
_OF_KIND = np.array([0, 0, 0.3, 4.0, 4.0, 5.0, 5.0, 9.0, 7.0, 12.0, 10.0, 0.0, 0.0, 3.0, 5.0, 4.0])
# Latin letters that look like Cyrillic ones and are typed for them.
_TWINS = dict(zip("aeopcxyjisAEOPCXKMTBHJIS", "аеорсхујіѕаеорсхкмтвнјіѕ", strict=True))
_SIGNS = {
    _OPENS: "\xab\u201c\u201e\u2018\u201a",
    _INVERTED: "\xa1\xbf",
    _CLOSES: "\xbb\u201d\u201c\u2026\u2122\xae",
    _JOINS: "\u2019\xb7\xad\ufb01\ufb02",
    _DASH: "\u2013\u2014",
    _MARK: "\u2022\xb0\u20ac\xa9\xa7\xa3\u2116\xba\xaa\xbc\xbd\xbe\xd7\xf7\xb1\xb2\xb3\xb5",
}
_OF_SIGN = {sign: kind for kind, signs in reversed(_SIGNS.items()) for sign in signs}


def _joints() -> np.ndarray:
    """What it costs that a kind of character stands after another."""
    cost = np.zeros((16, 16))
    letters = (_LOWER, _UPPER, _FOREIGN, _ASCII, _TWIN)
    cost[_LOWER, _UPPER] = 5.0
    cost[_UPPER, _UPPER] = 0.15
    for letter in letters:
        cost[letter, _OPENS] = cost[_CLOSES, letter] = 8.0
        cost[letter, _INVERTED] = 6.0
        cost[letter, (_MARK, _SYMBOL, _BOX)] = 4.0
        cost[(_MARK, _SYMBOL, _BOX), letter] = 4.0
        cost[letter, _JOINS] = cost[_JOINS, letter] = 1.0
        cost[letter, _DASH] = cost[_DASH, letter] = 3.0 if letter == _ASCII else 4.0
    cost[_ASCII, (_LOWER, _UPPER)] = cost[(_LOWER, _UPPER), _ASCII] = 8.0
    cost[(_ASCII, _TWIN), _FOREIGN] = cost[_FOREIGN, (_ASCII, _TWIN)] = 6.0
    cost[_TWIN, (_LOWER, _UPPER)] = cost[(_LOWER, _UPPER), _TWIN] = 3.5
    cost[_MARK, _MARK] = -2.0
    return cost


_JOINTS = _joints()
_IS_LATIN = np.array([chr(b).isalpha() and b < 128 for b in range(256)], int)
_DRAWN = 0.5  # the same sign of a drawn line again


def folded(text: str) -> str:
    """The text in lower case, character by character.

    >>> folded("İZMİR"), len(folded("İß"))
    ('izmir', 2)
    """
    low = text.lower()
    return low if len(low) == len(text) else "".join(c.lower()[0] for c in text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letters:
    """The letters of a script and what each costs after another, by language. Index 0 is what is no letter."""

    STEP = 0.05  # of a natural logarithm, for each unit of the stored costs

    alphabet: str
    languages: tuple[str, ...]
    costs: np.ndarray


@cache
def letters(script: str) -> Letters:
    """Reads the counts of a script, about 5 ms."""
    with np.load(Path(__file__).with_name("letter_pairs.npz")) as held:
        return Letters(
            alphabet=str(held[f"{script} alphabet"]),
            languages=tuple(held[f"{script} languages"].tolist()),
            costs=held[f"{script} costs"].astype(np.float32) * Letters.STEP,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Charset:
    """A one-byte charset: for each byte the place of its letter in the alphabet and its kind, and the costs of use."""

    name: str
    letters: Letters
    is_latin: bool
    place: np.ndarray
    kind: np.ndarray
    apostrophe: np.ndarray
    rarity: float
    use: np.ndarray
    """What it costs that a text in each of the languages is in this charset."""


@lru_cache(maxsize=128)
def charset(name: str, use: float, languages: str) -> Charset | None:
    """None where this Python has no such codec."""
    try:
        codecs.lookup(name)
    except LookupError:
        return None
    script = _SCRIPT_OF.get(languages.split()[0], "latin")
    found = letters(script)
    index = {c: i for i, c in enumerate(found.alphabet, 1)}
    chars = [bytes((b,)).decode(name, "ignore") or "\x81" for b in range(256)]
    low = [folded(unicodedata.normalize("NFKC", c)[:1] if c > "\ufb00" else c) for c in chars]
    kinds = [
        (_UPPER if c != lowered and c.isupper() else _LOWER) if lowered in index and c not in _OF_SIGN else _kind(c)
        for c, lowered in zip(chars, low, strict=True)
    ]
    if script == "cyrillic":
        for letter, twin in _TWINS.items():
            low[ord(letter)], kinds[ord(letter)] = twin, _TWIN
    kinds[128:] = [_SYMBOL if kind == _SPACE else kind for kind in kinds[128:]]  # a second set of ASCII signs
    meant = set(languages.split())
    return Charset(
        name=name,
        letters=found,
        is_latin=script == "latin",
        place=np.array([index.get(c, 0) for c in low]),
        kind=np.array(kinds),
        apostrophe=np.array([c == "\u2019" for c in chars]),
        rarity=use,
        use=np.array([0.0 if language in meant else _OTHER_LANGUAGE for language in found.languages]),
    )


def _kind(char: str) -> int:
    category = unicodedata.category(char)
    if char < "\x80":
        return _ASCII if category[0] == "L" else _SPACE
    if char == "\xa0":
        return _GAP
    if char in _OF_SIGN:
        return _OF_SIGN[char]
    if "\u2500" <= char <= "\u25ff":
        return _BOX
    if category in ("Cc", "Cn", "Co"):
        return _CONTROL
    return _FOREIGN if category[0] in "LM" else _SYMBOL


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Pairs of bytes and how often they stand in the words of a text: with a byte beyond ASCII, and the others."""

    first: np.ndarray
    second: np.ndarray
    count: np.ndarray
    aside_first: np.ndarray
    aside_second: np.ndarray
    aside_count: np.ndarray
    latin_share: float
    """Letters of ASCII beside those of one beyond, which is 4 times as many in most languages with Latin letters."""
    is_english: bool
    contracted: np.ndarray
    """The bytes that stand where English contracts words, as in "it’s"."""


def pairs(sample: bytes) -> Pairs:
    """The pairs of the lines that hold some byte beyond ASCII, tags left out."""
    text = _foreign_text(sample)
    counts = Counter(WORD.findall(text))
    words = b" ".join(b" ".join([word] * min(n, _MOST_ALIKE)) for word, n in counts.items())
    first, second, count = _counted(b" " + words + b" ")
    high = (first >= 128) | (second >= 128)
    others = np.concatenate([count[~high], np.zeros(0, count.dtype)])
    rest_first, rest_second, rest_count = _counted(b" " + WORD.sub(b" ", text) + b" ")
    total = max(1, int(rest_count.sum()))
    weight = min(_ASIDE, _ASIDE_MOST * int(count[high].sum()) / total)
    return Pairs(
        first=first[high], second=second[high], count=count[high].astype(float),
        aside_first=np.concatenate([first[~high], rest_first]),
        aside_second=np.concatenate([second[~high], rest_second]),
        aside_count=np.concatenate([others.astype(float), rest_count * weight]),
        latin_share=total / max(1, int(count[high].sum())), is_english=_is_english(sample[:_ENGLISH_BYTES]),
        contracted=np.frombuffer(b"".join(set(_CONTRACTED.findall(text))), np.uint8),
    )  # fmt: skip


def _foreign_text(sample: bytes) -> bytes:
    """The lines that hold some byte beyond ASCII, up to a bound, without tags."""
    lines: list[bytes] = []
    size = 0
    for line in _LINE.finditer(sample):
        start = max(line.start(), 0)
        lines.append(sample[start : min(line.end(), start + MAX_READ)])
        size += len(lines[-1])
        if size > MAX_READ:
            break
    text = _TAGS.sub(b" ", b"\n".join(lines))
    return b"\n".join(lines) if text.isascii() else text  # what there is beyond ASCII may stand in tags


def _is_english(text: bytes) -> bool:
    """Whether the words of a text that are in ASCII are likelier English than any other language.

    >>> _is_english(b"It was not found in the file"), _is_english(b"Das fand sich nicht in der Datei")
    (True, False)
    """
    found = letters("latin")
    index = {c: i for i, c in enumerate(found.alphabet, 1)}
    first, second, count = _counted(b" " + WORD.sub(b" ", _TAGS.sub(b" ", text)) + b" ")
    place = np.array([index.get(chr(b).lower(), 0) for b in range(128)] + [0] * 128)
    costs = found.costs[:, place[first], place[second]] @ count
    english = found.languages.index("en")
    return bool(costs[english] + _ENGLISH_BY < np.delete(costs, english).min())


def _counted(text: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    raw = np.frombuffer(text, np.uint8).astype(np.int64)
    counts = np.bincount(raw[:-1] * 256 + raw[1:], minlength=0)
    found = counts.nonzero()[0]
    return found >> 8, found & 255, counts[found]


def cost(found: Pairs, of: Charset) -> float:
    """What the bytes beyond ASCII cost as text in a charset, in the language that costs least."""
    costs, place = of.letters.costs, of.place
    total = costs[:, place[found.first], place[found.second]] @ found.count + of.use
    if of.is_latin:
        aside = _aside(found, of)
        aside -= aside.min()
        aside[-1] = _UNKNOWN_LANGUAGE
        total = total + aside
    else:
        total = total + _NO_LATIN + min(_AMONG_LATIN, found.latin_share)
    first, second = of.kind[found.first], of.kind[found.second]
    if not of.is_latin:
        is_sign = (of.place[found.first] == 0) & (of.place[found.second] == 0)
        total = total + _EDGE * found.count[is_sign & ((first == _ASCII) | (second == _ASCII))].sum()
    shapes = _OF_KIND[second] + _JOINTS[first, second]
    shapes[(second == _BOX) & (found.first == found.second)] = _DRAWN
    shape = shapes @ found.count - _CONTRACTION * np.count_nonzero(of.apostrophe[found.contracted])
    rarity = of.rarity * (_RARER_IN_ENGLISH if found.is_english else 1)
    return rarity + float(total.min() + shape) * (1 + _MISFIT * of.rarity)


def _aside(found: Pairs, of: Charset) -> np.ndarray:
    """What the pairs within ASCII cost in each language; the same for all charsets with Latin letters."""
    result: np.ndarray = (
        of.letters.costs[:, of.place[found.aside_first], of.place[found.aside_second]] @ found.aside_count
    )
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCosts:
    """What each of some lines costs as text in a charset, and its pairs with a byte beyond ASCII."""

    total: np.ndarray
    count: np.ndarray


_WEIGHED = 1 << 17  # bytes of lines that are weighed at a time


def line_costs(lines: Sequence[bytes], name: str, *, one_language: bool = False) -> LineCosts | None:
    """Weighs lines that are not in ASCII, each in the language that costs least; None for a charset of several bytes.

    With `one_language` all are weighed in the one that costs least for the first of them, which is far quicker.

    >>> found = line_costs(["Привет, мир".encode("koi8-r"), "Привет, мир".encode("cp1251")], "koi8-r")
    >>> found.total[0] < found.total[1], found.count.tolist()
    (np.True_, [11, 11])
    """
    of = _charset_named(codecs.lookup(name).name)
    if of is None:
        return None
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    costs, start = of.letters.costs, 0
    use = of.use[:, None]
    while start < len(lines):
        end, size = start, 0
        while end < len(lines) and (end == start or size < _WEIGHED):
            size += len(lines[end])
            end += 1
        if one_language and not parts:
            beginning = pairs(b"\n".join(lines[start:end]))
            best = int((costs[:, of.place[beginning.first], of.place[beginning.second]] @ beginning.count).argmin())
            costs, use = costs[best : best + 1], use[best : best + 1]
        parts.append(_weighed(lines[start:end], of, costs, use))
        start = end
    total, count = (np.concatenate(column) for column in zip(*parts, strict=True))
    return LineCosts(total=total, count=count)


@cache
def _charset_named(name: str) -> Charset | None:
    return next((charset(*of) for of in _CHARSETS if codecs.lookup(of[0]).name == name), None)


def _weighed(lines: Sequence[bytes], of: Charset, costs: np.ndarray, use: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    raw = np.frombuffer(b"\n" + b"\n".join(lines) + b"\n", np.uint8)
    first, second = raw[:-1], raw[1:]
    high = np.flatnonzero((first >= 128) | (second >= 128))
    ends = np.cumsum([len(line) + 1 for line in lines])
    starts = np.searchsorted(high, np.concatenate([[0], ends[:-1]]))
    first, second = first[high], second[high]
    by_language = np.add.reduceat(costs[:, of.place[first], of.place[second]], starts, axis=1)
    kinds = of.kind[first], of.kind[second]
    shapes = _OF_KIND[kinds[1]] + _JOINTS[kinds]
    shapes[(kinds[1] == _BOX) & (first == second)] = _DRAWN
    total = (by_language + use).min(axis=0) + np.add.reduceat(shapes, starts)
    count = np.diff(np.append(starts, len(high)))
    if not of.is_latin:
        latin = np.add.reduceat(_IS_LATIN[raw], np.concatenate([[0], ends[:-1]]))
        total += _NO_LATIN + np.minimum(_AMONG_LATIN, latin / count)
    return total, count


def by_cost(sample: bytes, *, strict: bool = True) -> list[tuple[float, str]]:
    """The one-byte charsets whose characters the bytes are, each with its cost, likeliest first.

    Not `strict`, those are among them in which some bytes mean nothing, at a cost.

    >>> by_cost("ЗАКАЗ ОТПРАВЛЕН".encode("cp1251"))[0][1], by_cost("Žluťoučký kůň".encode("cp852"))[0][1]
    ('cp1251', 'cp852')
    """
    found = pairs(sample)
    high = bytes(sorted({*sample} - {*range(128)}))
    costs: dict[str, float] = {}
    reading: dict[str, str] = {}  # what the bytes are in each charset
    least: dict[str, float] = {}  # by such a reading
    for name, use, languages in _CHARSETS:
        known = charset(name, use, languages)
        if known is not None and (not strict or _is_defined(high, name)):
            costs[name], reading[name] = cost(found, known), high.decode(name, "replace")
            least[reading[name]] = min(costs[name], least.get(reading[name], costs[name]))
    rarity = {name: use for name, use, _ in _CHARSETS}
    # Of those that read the same the commonest comes first: the rest of the file may tell them apart.
    ranked = sorted(costs, key=lambda name: (least[reading[name]], rarity[name]))
    return [(least[reading[name]], name) for name in ranked]


def _is_defined(high: bytes, name: str) -> bool:
    try:
        high.decode(name)
    except UnicodeDecodeError:
        return False
    return True


# Of the double-byte sets, the first bytes of the characters in daily use.
_DAILY = {"gb18030": (0xB0, 0xD7), "gbk": (0xB0, 0xD7), "gb2312": (0xB0, 0xD7), "big5": (0xA4, 0xC6),
          "big5hkscs": (0xA4, 0xC6), "cp950": (0xA4, 0xC6), "euc_jp": (0xB0, 0xCF), "euc_jis_2004": (0xB0, 0xCF),
          "shift_jis": (0x88, 0x97), "cp932": (0x88, 0x97), "shift_jis_2004": (0x88, 0x97),
          "euc_kr": (0xB0, 0xC8), "cp949": (0xB0, 0xC8), "johab": (0x88, 0xD3)}  # fmt: skip
_DAILY_HANGUL = frozenset(
    "이다는의에을가고하로은를기지사한도어인리서자시대아나수있스정그라해일제들보오부장안니주상만전구과원여러게면우공소조동성화비관신세경유"
    "모연방국물적개계학교생선문업회산실분위차음용중말간입단품결무당행체금때없었했습까요와것등년월내외남북울람마바저치운배현미반발설감본명"
    "심데든려거트크드르터템페호종강민영광진석식임작달번복피표통투특포필향형확환활후휴히힘네야왜누떤떻많같알았됩되된될할함합항받찾쓰읽싶좋였"
)
_JAPANESE = frozenset(("euc_jp", "euc_jis_2004", "shift_jis", "cp932", "shift_jis_2004"))
_KANA_COST, _MARK_COST, _HANGUL_COST, _OTHER_HANGUL_COST, _DAILY_COST = 4.2, 4.8, 5.5, 8.0, 7.3
_FOREIGN_KANA_COST = 4.4  # EUC-JP and GB 18030 have them at the same place
_OTHER_HAN_COST, _OTHER_COST, _ODD_COST, _BROKEN_COST = 11.0, 9.5, 16.0, 18.0
_DOUBLE_BYTE_USE = {
    "euc_jp": 1.0,
    "euc_kr": 0.7,
    "cp949": 1.5,
    "johab": 6.0,
    "big5": 0.7,
    "big5hkscs": 2.0,
    "cp950": 2.0,
}
_CLAUSE = re.compile("[^\\s!,.?、。！，．？]*[\\s!,.?、。！，．？]?")
_JOINT = re.compile("[A-Za-z](?=[^\x00-\x7f])|[^\x00-\x7f](?=[A-Za-z])")  # of alphabets, inside a word
_AMID = re.compile("[a-z][^\x00-\x7f]{1,2}(?=[a-z])")  # characters inside a word, where others have an accent
_JOINT_COST, _AMID_COST = 3.0, 4.0
SOUND_SHARE = 20  # characters for each broken one, from which text may be in such a charset


def multi_byte_cost(sample: bytes, name: str) -> float | None:
    """What the characters beyond ASCII cost as text in a double-byte charset; None where many bytes are none of it.

    >>> multi_byte_cost("测试".encode("gbk"), "gb18030") < by_cost("测试".encode("gbk"))[0][0]
    True
    """
    clauses = Counter(_CLAUSE.findall(_foreign_text(sample).decode(name, "replace")))
    # As words do in one-byte charsets, these count so many times and no more.
    text = "".join(clause * min(n, _MOST_ALIKE) for clause, n in clauses.items() if not clause.isascii())
    counts = Counter(c for c in text if c > "\x7f")
    broken = counts.pop("\ufffd", 0)
    if broken > 1 and broken * SOUND_SHARE > counts.total():
        return None
    joints = len(_JOINT.findall(text))
    return (
        _DOUBLE_BYTE_USE.get(name, 0.5)
        + _JOINT_COST * joints
        + _AMID_COST * len(_AMID.findall(text))
        + _BROKEN_COST * broken
        + sum(n * _character_cost(c, name) for c, n in counts.items())
    )


@lru_cache(maxsize=1 << 15)
def _character_cost(char: str, name: str) -> float:
    if "\u3041" <= char <= "\u30ff":
        return _KANA_COST if name in _JAPANESE else _FOREIGN_KANA_COST
    if (
        "\u3000" <= char <= "\u303f"
        or "\uff01" <= char <= "\uff20"
        or char in "\u201c\u201d\u2018\u2019\u2026\u2014\xb7"
    ):
        return _MARK_COST
    raw = char.encode(name, "ignore")  # not all that is decoded can be encoded again
    first, last = _DAILY.get(name, (0xB0, 0xD7))
    is_daily = len(raw) == 2 and first <= raw[0] <= last
    if "\uac00" <= char <= "\ud7a3":
        return _HANGUL_COST if char in _DAILY_HANGUL else _OTHER_HANGUL_COST if is_daily else _OTHER_HAN_COST
    if "\u4e00" <= char <= "\u9fff":
        return _DAILY_COST if is_daily and name not in ("euc_kr", "cp949", "johab") else _OTHER_HAN_COST
    category = unicodedata.category(char)
    return _ODD_COST if category[0] == "C" or category == "Mn" else _OTHER_COST
