"""The one-byte encodings that UTF-8 is mistaken for, and the signs that a text was decoded with one of them.

Signs are found in one linear pass of RE2; what they say is only that a line is worth a second look.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

from ftfy.badness import BADNESS_RE
from ftfy.fixes import restore_byte_a0

from winnow.repair.engine.rule import Span, compiled, detector

SEQUENCES = re.compile(rb"(?:[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})+")
"""Runs of one UTF-8 sequence or more. Lead and continuation bytes differ, so nothing can backtrack."""


@dataclass(frozen=True, eq=False)  # told apart by identity, and looked up so
class Charmap:
    """One encoding: its 256 characters, and UTF-8 sequences as they look in it."""

    name: str
    table: str
    encoding: object
    sequence: str
    """RE2 source for one sequence."""
    has_a0: bool
    """Whether byte A0 is a no-break space, which may have become a plain space since."""

    @cached_property
    def characters(self) -> frozenset[str]:
        return frozenset(self.table)

    @cached_property
    def leads(self) -> frozenset[str]:
        """Characters that a sequence begins with."""
        return frozenset(self.table[0xC2:0xF5])

    def raw(self, text: str) -> bytes:
        """The bytes of a text, one a character: question marks for those that the encoding lacks."""
        return codecs.charmap_encode(text, "replace", self.encoding)[0]  # type: ignore[arg-type]

    def runs(self, text: str) -> Iterator[Span]:
        """Start and end of the runs of one sequence or more: found in its bytes, which is the fastest."""
        if self._is_one_to_one:
            return (found.span() for found in SEQUENCES.finditer(self.raw(text)))
        return (found.span() for found in self._sequences.finditer(text))

    def replaced(self, text: str, reading: Callable[[int, int], str]) -> str:
        """The text with each run of sequences as `reading` gives it, by start and end.

        >>> charmap("mac_roman").replaced("g√¢teaux et r√©gime", lambda start, end: f"<{start}-{end}>")
        'g<1-3>teaux et r<13-15>gime'
        """
        pieces: list[str] = []
        at = 0
        for start, end in self.runs(text):
            pieces += (text[at:start], reading(start, end))
            at = end
        return "".join(pieces) + text[at:] if pieces else text

    @cached_property
    def _is_one_to_one(self) -> bool:
        return len(self.characters) == len(self.table)

    @cached_property
    def _sequences(self) -> re.Pattern[str]:
        python = re.sub(r"\\x\{(\w+)\}", lambda m: re.escape(chr(int(m[1], 16))), self.sequence)
        return re.compile(f"{python}+")


def _class(chars: str) -> str:
    return "[" + "".join(f"\\x{{{ord(c):x}}}" for c in sorted(set(chars))) + "]"


def charmap(name: str) -> Charmap:
    r"""The encoding of that name; bytes that it leaves undefined pass through as C1 controls, as browsers read them.

    >>> list(charmap("mac_roman").runs("g√¢teaux et r√©gime"))
    [(1, 3), (13, 15)]
    """
    return _charmap(name, "".join(bytes([b]).decode(name, "ignore") or chr(b) for b in range(256)))


def by_way_of(first: str, way: str, last: str) -> Charmap:
    """UTF-8 that was read as `first`, written in the encoding `way` and read as `last`: three errors, one table.

    >>> list(by_way_of("cp1252", "mac_roman", "cp1252").runs("That‰Ûªs å£1000"))
    [(4, 7), (9, 11)]
    """
    table = []
    for number, char in enumerate(charmap(first).table):
        if "\x80" <= char < "\xa0":  # undefined in the first encoding: it passes all of them as it is
            table.append(char)
            continue
        raw = char.encode(way, "ignore") if number < 0xF5 else b""
        # What the encoding on the way lacks cannot stand in such text; a private character keeps its place.
        table.append((raw.decode(last, "ignore") or chr(raw[0])) if raw else chr(0xF100 + number))
    return _charmap(f"{first} by way of {way} as {last}", "".join(table))


def _charmap(name: str, table: str) -> Charmap:
    # C0, C1 and F5 to FF never stand in UTF-8.
    two, three, four = table[0xC2:0xE0], table[0xE0:0xF0], table[0xF0:0xF5]
    rest = _class(table[0x80:0xC0])
    sequence = f"(?:{_class(two)}{rest}|{_class(three)}{rest}{rest}|{_class(four)}{rest}{rest}{rest})"
    return Charmap(name, table, codecs.charmap_build(table), sequence, table[0xA0] == "\xa0")


# The order decides between encodings that lead to equally good readings: commonest first.
_NAMES = """
    latin-1 cp1252 mac_roman cp1251 cp1250 cp437 cp850 cp1254 cp1253 cp1257 iso8859-2 cp1255 cp1258 cp852 mac_cyrillic
    mac_latin2 koi8-r cp866 cp1256 iso8859-15 iso8859-7 iso8859-5 cp857 cp862 cp874
"""
CHARMAPS: tuple[Charmap, ...] = tuple(charmap(name) for name in _NAMES.split())

# Text of Windows that went through a Mac, as spreadsheets of tweets did. Its signs alone raise suspicion.
BY_WAY_OF_MAC = tuple(by_way_of("cp1252", "mac_roman", last) for last in ("cp1252", "latin-1"))

FOR_WHOLE_LINES = ("iso8859-5", "iso8859-7", "cp857", "cp862")
"""Those of which single sequences are what others are far more often."""

MAC_ROMAN = next(c for c in CHARMAPS if c.name == "mac_roman")

# Clean text shows sequences of the others too often for them to raise suspicion alone: Vietnamese, Czech and Russian
# letters fall on lead and continuation bytes of theirs. They are still tried once something else has.
_RARE = ("iso8859-15", "iso8859-7", "iso8859-5", "cp857", "cp862")
"""Those whose signs are mostly those of others."""
OF_WORDS: tuple[Charmap, ...] = tuple(c for c in CHARMAPS if c.name not in ("cp852", "mac_latin2", *_RARE))
"""Those of which single sequences may be undone where that makes words."""

PROVABLE: tuple[Charmap, ...] = tuple(c for c in OF_WORDS if c.name not in ("cp866", "koi8-r", "cp874"))
"""Those of which single sequences may be undone where other pieces were proven to have gone through them."""

# Two sequences side by side, which text that was decoded rightly hardly ever shows; in cp866 Russian itself does,
# Persian and Urdu in cp1256, and Thai in cp874.
RUNS = "|".join(c.sequence * 2 for c in CHARMAPS if c.name not in ("cp866", "cp1256", "cp874", *_RARE))
_FEW = {"cp866": "┬├─┼", "koi8-r": "бцде"}  # of their sequences, those of Latin letters alone raise suspicion
BESIDE_LETTER = "|".join(
    f"[A-Za-z]{sequence}|{sequence}[A-Za-z]"
    for sequence in (
        f"[{_FEW[c.name]}]{_class(c.table[0x80:0xC0])}" if c.name in _FEW else c.sequence for c in OF_WORDS
    )
)


EVERY = (*CHARMAPS, *BY_WAY_OF_MAC)


@cache
def _holders_of() -> dict[str, int]:
    """For each character, a bit for each encoding of `EVERY` that has it."""
    bits: dict[str, int] = {}
    for number, charmap in enumerate(EVERY):
        for char in charmap.characters:
            bits[char] = bits.get(char, 0) | 1 << number
    return bits


@lru_cache(maxsize=64)  # a line is read anew more than once
def holders(text: str) -> tuple[Charmap, ...]:
    """Those of `EVERY` that have all characters of a text, in order: no other can be undone in it as a whole.

    >>> [charmap.name for charmap in holders("Ă©l´")]
    ['cp1250', 'cp1258']
    """
    bits = _holders_of()
    shared = (1 << len(EVERY)) - 1
    for char in set(text):
        shared &= bits.get(char, 0)
        if not shared:
            return ()
    return _numbered(shared)


@lru_cache(maxsize=1024)
def _numbered(bits: int) -> tuple[Charmap, ...]:
    return tuple(charmap for number, charmap in enumerate(EVERY) if bits >> number & 1)


@lru_cache(maxsize=256)  # several tests ask of the same line
def undo(text: str, charmap: Charmap) -> Sequence[str]:
    """What `text` was before UTF-8 was read as `charmap`: one reading, or none.

    Spaces may be byte A0 where it is no UTF-8 as it stands.

    >>> undo("sÃ³", charmap("cp1252")), undo("só", charmap("cp1252"))
    (['só'], [])
    """
    try:
        raw = codecs.charmap_encode(text, "strict", charmap.encoding)[0]  # type: ignore[arg-type]
    except UnicodeEncodeError:
        return []
    try:
        reading = raw.decode()
    except UnicodeDecodeError:
        if not charmap.has_a0 or not _CUT_AT_SPACE.search(raw):
            return []
        try:
            reading = _restore_a0(raw).decode()
        except UnicodeDecodeError:
            return []
    return [reading] if reading != text else []


_FOREIGN_RUN = re.compile(r"[^\x00-\x7f]{2,}")
MAX_LAYERS = 4


def undo_runs(text: str) -> str:
    r"""The text with those runs beyond ASCII undone that are UTF-8, read as Latin-1 or Windows-1252 once or more.

    >>> undo_runs("JosÃƒÂ© Ã, it\xe2\x80\x99s")
    'José Ã, it’s'
    """
    return text if text.isascii() else _FOREIGN_RUN.sub(_undone_run, text)


def _undone_run(found: re.Match[str]) -> str:
    run = found[0]
    for _ in range(MAX_LAYERS):
        reading = next((reading for charmap in CHARMAPS[:2] for reading in undo(run, charmap)), None)
        if reading is None:
            break
        run = reading
    return run


def foreign_runs(line: str) -> str:
    """What of a line a sequence can stand in, whatever the encoding: ASCII is a part of none."""
    return " ".join(_FOREIGN_RUN.findall(line))


_CUT_AT_SPACE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{0,2} ")  # else no space is a byte of a sequence

# What ftfy leaves out: a Chinese or Japanese character that ends in A0, before another.
_A0_IN_HAN = re.compile(rb"(?<=[\xe3-\xe9][\x80-\xbf]) (?=[\xe3-\xe9][\x80-\xbf]{2})")


def _restore_a0(raw: bytes) -> bytes:
    """The bytes with those spaces made A0 again without which they are no UTF-8.

    >>> undo("ä½ å¥½ä¸–ç•Œ", charmap("cp1252"))
    ['你好世界']
    """
    return restore_byte_a0(_A0_IN_HAN.sub(b"\xa0", raw))


_CLASSES = {"\\w": r"[\pL\pN_]", "\\s": r"[\s\x{a0}\x{3000}]"}


def as_re2(verbose: str) -> str:
    r"""A verbose expression of the `re` module in RE2's syntax: no free spaces, no comments, Unicode classes.

    >>> as_re2(r"[a ] \w  # a word" + "\n" + r"| \s")
    '[a ][\\pL\\pN_]|[\\s\\x{a0}\\x{3000}]'
    """

    def sign(found: re.Match[str]) -> str:
        # A bracket inside a class is a literal for `re`; RE2 might take it for a class name.
        return "\\[" if found[0] == "[" else _CLASSES.get(found[0], found[0])

    parts = re.findall(r"\\.|\[(?:\\.|[^\\\]])*\]|#.*|\S", verbose)
    return "".join(
        p[0] + re.sub(r"\\.|\[", sign, p[1:]) if p[0] == "[" else _CLASSES.get(p, p) for p in parts if p[0] != "#"
    )


# ftfy's own sign, the expression of its badness heuristic (Robyn Speer, Apache-2.0).
BAD = as_re2(BADNESS_RE.pattern)

# Quotes, dashes and the euro sign of UTF-8 read as cp850 and cp437, which ftfy does not know alone.
_DOS = r"[ÔΓ]Ç[^\sA-Za-z]|[ÔΓ]é¼"

# The same of text that went through a Mac: quotes and dashes, the pound sign before a number, é in a word.
_BY_MAC = r"[‰\x{89}]Û[ªÏ÷ÓÒÐÑ¢ò\x{9d}\x{cf}]|(?:^|[ (])å[£©¢](?:\d| )|[A-Za-z]Ì[©¨¡ªÔ¼±](?:[a-z]|\b)"

# What is left of a letter that lost its last byte, where no language has a capital.
_LEFT = "Ã[a-z]|[a-z][ÃÄÅ]"

# The same of Cyrillic letters beside such that were decoded rightly.
LEFT_OF_CYRILLIC = "[\\x{400}-\\x{4ff}]['’]?[ÐÑ]|[ÐÑ][\\x{400}-\\x{4ff}]"

# Mojibake in small letters: no word has a sign there.
LOWERED = f"[ãäå][ÿ{''.join(c for c in charmap('cp1252').table[0x80:0xC0] if not c.isspace())}]"

# Mojibake whose letters were taken apart, or whose quotes and dashes were made plain.
_ALTERED = (
    rf"A[\x{{302}}\x{{303}}\x{{308}}\x{{30a}}]{_class(charmap('cp1252').table[0x80:0xC0])}"
    r"|[ÃÅ](?:[\"'?-][a-z]| [\x{301}\x{303}\x{304}\x{308}\x{327}]|[13]⁄[24])|â(?:'¬|\"¢)"
)

# Arabic and Persian, Russian and Greek read as cp1256: the same few letters before each sign.
_ARABIC_RUNS = "|".join(
    f"(?:[{leads}]{_class(charmap('cp1256').table[0x80:0xC0])}){{3}}" for leads in ("طظعغ", "ذر", "خد")
)

# Thai read as cp874: vowels, marks of tone and the letters from ko kai on are no letters there. Then quotes and dashes.
_THAI = r"เ[ธน][\x{80}-\x{9f}€…‘’“”•–—]|โ€[\x{80}-\x{9f}‘’“”•–—ขฆ]"

# Fractions, figures set low and other symbols, which ftfy takes for letters before a quote; signs at figures and units.
_REST = _class(charmap("cp1252").table[0x80:0xC0])
_SYMBOLS = rf"â[‚„]{_REST}|(?:^|[^\pL])â[…‹†‡‰Š]{_REST}|Â¥[0-9]|[0-9]Â¥|Â(?:‚¬|„¢)|[0-9a-z]┬[░▓│]|(?:^|[^\pL])В© ?[0-9]"

_SURE = f"{BAD}|{RUNS}|{_ARABIC_RUNS}|{_THAI}|{_SYMBOLS}|{_DOS}|{_BY_MAC}"
MOJIBAKE_GATE = (_SURE, BESIDE_LETTER, f"{_LEFT}|{LEFT_OF_CYRILLIC}", LOWERED, _ALTERED)
"""RE2 expressions of which one matches in every text in which this module finds something suspicious."""

# One automaton for all questions, for to make its states takes long; a line is asked several of them.
_signs_in = lru_cache(maxsize=256)(detector(*MOJIBAKE_GATE))


def shows_sign(line: str) -> bool:
    """Whether a line `is_suspicious` or `is_doubtful`: one look for both.

    >>> shows_sign("voilÃ  l'Ã©tÃ©"), shows_sign("al pi√π presto"), shows_sign("√π")
    (True, True, False)
    """
    return bool(_signs_in(line))


def is_suspicious(line: str) -> bool:
    """Whether it shows what rightly decoded text hardly ever does.

    >>> is_suspicious("voilÃ  l'Ã©tÃ©"), is_suspicious("voilà l’été")
    (True, False)
    """
    return 0 in _signs_in(line)


def is_doubtful(line: str) -> bool:
    """Whether it shows what may be right or wrong, so that only words can tell.

    >>> is_doubtful("al pi√π presto"), is_doubtful("√π")
    (True, False)
    """
    return 1 in _signs_in(line)


def is_left_of_letters(line: str) -> bool:
    """Whether it shows what is left of letters that lost their last bytes.

    >>> is_left_of_letters("le voilÃ"), is_left_of_letters("IL ÉTAIT Ã‰MU")
    (True, False)
    """
    return 2 in _signs_in(line)


def is_lowered(line: str) -> bool:
    """Whether it shows mojibake in small letters.

    >>> is_lowered("un cafã©"), is_lowered("un café, l'Ã©tÃ©")
    (True, False)
    """
    return 3 in _signs_in(line)


@lru_cache(maxsize=256)  # the readings of a line are scored again in each round
def count_signs(line: str) -> int:
    """Number of places that show what rightly decoded text hardly ever does."""
    return sum(1 for _ in compiled(_SURE).finditer(line)) if is_suspicious(line) else 0
