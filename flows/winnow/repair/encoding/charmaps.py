"""The one-byte encodings that UTF-8 is mistaken for, and what UTF-8 looks like when it is read as one of them."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from ftfy.fixes import restore_byte_a0


@dataclass(frozen=True, slots=True)
class Charmap:
    """One encoding: its 256 characters, and the expressions for UTF-8 sequences as they look in it."""

    name: str
    table: str
    encoding: object
    sequences: re.Pattern[str]
    """Runs of one sequence or more. Lead and continuation bytes differ, so nothing can backtrack."""
    run: str
    """RE2 source for two sequences side by side, which text that was decoded rightly hardly ever shows."""
    beside_letter: str
    """RE2 source for one sequence beside an ASCII letter."""
    has_a0: bool
    """Whether byte A0 is a no-break space, which may have become a plain space since."""


def _table(name: str) -> str:
    # Bytes that the encoding leaves undefined pass through as C1 controls, as browsers read them.
    return "".join(bytes([b]).decode(name, "ignore") or chr(b) for b in range(256))


def _class(chars: str) -> str:
    return "[" + "".join(f"\\x{{{ord(c):x}}}" for c in sorted(set(chars))) + "]"


def charmap(name: str) -> Charmap:
    r"""The encoding of that name, undefined bytes passed through.

    >>> charmap("mac_roman").sequences.findall("g√¢teaux et r√©gime")
    ['√¢', '√©']
    """
    table = _table(name)
    # C0, C1 and F5 to FF never stand in UTF-8.
    two, three, four = table[0xC2:0xE0], table[0xE0:0xF0], table[0xF0:0xF5]
    rest = _class(table[0x80:0xC0])
    sequence = f"(?:{_class(two)}{rest}|{_class(three)}{rest}{rest}|{_class(four)}{rest}{rest}{rest})"
    python = re.sub(r"\\x\{(\w+)\}", lambda m: re.escape(chr(int(m[1], 16))), sequence)
    return Charmap(
        name,
        table,
        codecs.charmap_build(table),
        re.compile(f"{python}+"),
        f"{sequence}{sequence}",
        f"[A-Za-z]{sequence}|{sequence}[A-Za-z]",
        table[0xA0] == "\xa0",
    )


# The order decides between encodings that lead to equally good readings: commonest first.
CHARMAPS: tuple[Charmap, ...] = tuple(
    charmap(name)
    for name in (
        "latin-1", "cp1252", "mac_roman", "cp1251", "cp1250", "cp437", "cp850", "cp1254", "cp1253", "cp1257",
        "iso8859-2", "cp1255", "cp1258", "cp852", "mac_cyrillic", "mac_latin2", "koi8-r", "cp866",
    )
)  # fmt: skip

MAC_ROMAN = next(c for c in CHARMAPS if c.name == "mac_roman")

# Clean text shows these alone too often for them to raise suspicion: Vietnamese, Czech and Russian letters fall on
# lead and continuation bytes of theirs. They are still tried once something else has.
_NO_SIGN_ALONE = frozenset(("cp852", "mac_latin2", "cp866", "koi8-r"))
# Russian itself falls on both kinds of byte there.
_NO_SIGN = frozenset(("cp866",))
PROVABLE: tuple[Charmap, ...] = tuple(c for c in CHARMAPS if c.name not in _NO_SIGN_ALONE)
"""Those of which single sequences may be undone where other pieces were proven to have gone through them."""

RUNS = "|".join(c.run for c in CHARMAPS if c.name not in _NO_SIGN)
BESIDE_LETTER = "|".join(c.beside_letter for c in CHARMAPS if c.name not in _NO_SIGN_ALONE)


def undo(text: str, charmap: Charmap) -> list[str]:
    """What `text` was before UTF-8 was read as `charmap`: no reading, one, or two where spaces may be byte A0.

    >>> undo("sÃ³", charmap("cp1252")), undo("só", charmap("cp1252"))
    (['só'], [])
    """
    try:
        raw = codecs.charmap_encode(text, "strict", charmap.encoding)[0]  # type: ignore[arg-type]
    except UnicodeEncodeError:
        return []
    readings = []
    for form in (raw, restore_byte_a0(raw)) if charmap.has_a0 and b" " in raw else (raw,):
        try:
            reading = form.decode()
        except UnicodeDecodeError:
            continue
        if reading != text and reading not in readings:
            readings.append(reading)
    return readings
