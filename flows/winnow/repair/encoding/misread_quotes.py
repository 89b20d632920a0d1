"""English whose quotes and dashes are in one encoding and were decoded as another: ``donít``, ``itÕs``, ``ìsoî``.

All else of such a text is ASCII, so no word with an accent can tell: a contraction does, or quotes about a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from winnow.repair.encoding.line_changes import foreign_lines, speaks_of_encodings
from winnow.repair.encoding.plausible import is_word, known_in, word_around, words
from winnow.repair.engine.rule import Change, Evidence, Rule

SURE, LIKELY = 0.9, 0.8
_SIGNS = "’‘“”–—…•"
_PAIRS = (
    ("mac_roman", "cp1252"), ("cp1252", "mac_roman"), ("cp1252", "cp437"), ("cp1252", "cp866"), ("cp1252", "koi8_r"),
)  # fmt: skip
"""The encoding that a text was written in, and the one that it was decoded with."""
_TABLES = (*(dict(zip(_SIGNS.encode(a).decode(b), _SIGNS, strict=True)) for a, b in _PAIRS),
    dict(zip("¹³²", "’“”", strict=True)),  # as mailers of the Mac wrote them in Latin-1
)  # fmt: skip
_APOSTROPHES = "".join(next(iter(table)) for table in _TABLES)
_CONTRACTIONS = frozenset(
    "aren’t can’t couldn’t didn’t doesn’t don’t hadn’t hasn’t haven’t isn’t shouldn’t wasn’t weren’t won’t wouldn’t "
    "i’m i’ve i’ll i’d you’re you’ve you’ll you’d we’re we’ve we’ll we’d they’re they’ve they’ll they’d he’ll she’ll "
    "it’s that’s there’s he’s she’s what’s who’s let’s".split()
)
_CONTRACTED = re.compile(rf"(?<!\w)[A-Za-z]{{1,7}}[{_APOSTROPHES}](?:t|s|m|d|re|ve|ll)(?!\w)")
# UTF-8 of which only the first byte had a character.
_LOSSY = re.compile("(?<=[A-Za-z])â(?:[?€\ufffd][?\ufffd]|€|)(?=(?:t|s|m|d|re|ve|ll)(?!\\w))")
_ELIDED = re.compile(
    r"(?i)(?<![^\W_])(?:[cdjlmnst]|qu|(?:lors|puis|jus|quel)qu|(?:de|da|ne|su|a)ll|un|quest|aujourd)(â(?:[?€\ufffd][?\ufffd]|€|))"
    r"(?=(?-i:([aeéèêhiouyàâîôœAEÉÈÊHIOUYÀÎÔŒ][^\W\d_]*)|Ã[^\w\s]))"
)
_BARE_PAIR = re.compile(
    "(?<![^\\W_])â([A-Za-z](?:[^â\n]|(?<=[A-Za-z])â(?=[a-z])){0,300}(?<=[A-Za-z.,!?]))(?<=[A-Za-z.,!?]{2})â(?![^\\W_])"
)
_BARE_DASH = re.compile("(?<= )â(?= )")
LONG = 5  # letters of a short word and ``’s``
MAX_QUOTED = 300  # characters between an opening quote and its closing one


def undo_misread_quotes(text: str, evidence: Evidence) -> Iterator[Change]:
    """Undo misread quotes, apostrophes and dashes of a text where English contractions or quoted words prove it.

    Each sign is changed only where such a sign stands and no word has a letter. Texts about encodings keep theirs.

    >>> MISREAD_QUOTES("They donít say ìnoî ñ ever."), MISREAD_QUOTES("Oh, ÒitÕs Mary,Ó she said.")
    ('They don’t say “no” – ever.', 'Oh, “it’s Mary,” she said.')
    >>> MISREAD_QUOTES("I donâ??t see the catâ€?s tail"), MISREAD_QUOTES("the pâ??te, how câ??s it")
    ('I don’t see the cat’s tail', 'the pâ??te, how câ??s it')
    >>> MISREAD_QUOTES("I donât see itâs âoldâ, câest lâhôtel"), MISREAD_QUOTES("câine, lângă, an âge, tâm")
    ('I don’t see it’s “old”, c’est l’hôtel', 'câine, lângă, an âge, tâm')
    >>> MISREAD_QUOTES("I don抰 think it抯 a r閟um"), MISREAD_QUOTES("you池e right, it痴 SNS痴漢")
    ('I don’t think it’s a r閟um', 'you池e right, it痴 SNS痴漢')
    >>> MISREAD_QUOTES("Así es el país, sí. Luís Solís, così è")
    'Así es el país, sí. Luís Solís, così è'
    """
    if speaks_of_encodings(text):
        return
    lines = evidence.once(foreign_lines, text)
    glued = sorted(_undo_glued(lines))
    if glued:
        yield from glued
        return
    contracted = any(_CONTRACTIONS.intersection(_lossy_words(line)) for _, line in lines)
    # A word with the letter itself, as Sanskrit has it in Latin letters, is none of these.
    bare = contracted or text.count("â") == sum(len(_LOSSY.findall(line)) for _, line in lines)
    proven = next((places for places in _all_places() if any(places.prove(line) for _, line in lines)), None)
    for at, line in lines:
        changes = []
        for found in _LOSSY.finditer(line):
            token = word_around(line, found.start(), found.end(), "’")
            if (
                token.lower() in _CONTRACTIONS
                or (contracted and token[-2:] == "’s" and not is_word(token.replace("’", "â")))
                or (_is_contracted(token) and (found[0] != "â" or (bare and len(token) > LONG)))
            ):
                changes.append(Change(at + found.start(), at + found.end(), "’", LIKELY))
        changes += (Change(at + start, at + end, sign, LIKELY) for start, end, sign in _bare_signs(line, contracted))
        lossy = {place for change in changes for place in range(change.start, change.end)}
        for start, sign in proven.signs(line) if proven else ():
            if at + start not in lossy:
                changes.append(Change(at + start, at + start + 1, sign, LIKELY))
        yield from sorted(changes)


def _lossy_words(line: str) -> set[str]:
    """The words with an apostrophe of which the first byte is left, in small letters."""
    if "â" not in line:
        return set()
    return {word_around(line, m.start(), m.end(), "’").lower() for m in _LOSSY.finditer(line)}


def _bare_signs(line: str, contracted: bool) -> Iterator[tuple[int, int, str]]:
    """Start and end of what is left of a sign, and the sign: French apostrophes, and pairs of quotes.

    And dashes, where an English contraction of the text has lost the same.

    >>> list(_bare_signs("câest lâ??hôtel, le câble", False)), list(_bare_signs("so âvery niceâ of you, âge", False))
    ([(1, 2, '’'), (7, 10, '’')], [(3, 4, '“'), (13, 14, '”')])
    """
    if "â" not in line:
        return
    for found in _ELIDED.finditer(line):
        word = word_around(line, found.start(1), found.end(1), "â")
        if not is_word(word) and (not found[2] or known_in(found[2], "fr") or known_in(found[2], "it")):
            yield *found.span(1), "’"
    for found in _BARE_PAIR.finditer(line):
        inside = words(found[1])
        tokens = f"â{inside[0]}", f"{inside[-1]}â"
        if known_in(inside[0], "en") and known_in(inside[-1], "en") and not any(map(is_word, tokens)):
            yield from ((found.start(), found.start() + 1, "“"), (found.end() - 1, found.end(), "”"))
    if contracted:
        yield from ((*found.span(), "—") for found in _BARE_DASH.finditer(line))


_HAN = "\u3400-\u9fff\uac00-\ud7a3"
_GLUED_WORD = re.compile(f"(?<![A-Za-z])[A-Za-z]{{0,30}}(?:[{_HAN}][A-Za-z]{{0,30}}){{1,8}}")
_HAN_LETTER = re.compile(f"[{_HAN}]")
_ASIAN = ("gbk", "cp932", "cp949")
_GLUED_APOSTROPHES = "".join(bytes((0x92, end)).decode(name) for name in _ASIAN for end in b"tsmdrvl")
_PARTS = re.compile("[‘’“”–—…]")


def _undo_glued(lines: tuple[tuple[int, str], ...]) -> Iterator[Change]:
    """Give back what a charset of China, Japan or Korea read as one with the next letter: ``don抰``, ``it痴``."""
    for name in _ASIAN:
        read = [(at, line, _unglued(line, name)) for at, line in lines]
        contracted = {after for _, _, found in read for _, _, after in found if _is_contracted(after)}
        if len(contracted) > 1 or any(word.lower() in _CONTRACTIONS for word in contracted):
            for at, _, found in read:
                for start, end, after in found:
                    if _is_contracted(after) or all(map(is_word, filter(None, _PARTS.split(after)))):
                        yield Change(at + start, at + end, after, LIKELY)
            return


def _unglued(line: str, charset: str) -> list[tuple[int, int, str]]:
    """Start, end and reading of each word of a line that holds such a character; none if one has another reading."""
    found: list[tuple[int, int, str]] = []
    if not _HAN_LETTER.search(line):
        return found
    for word in _GLUED_WORD.finditer(line):
        raw = word[0].encode(charset, "ignore")
        # A sign or an accented letter of Windows-1252, and a letter: two bytes of a character.
        if len(raw) != len(word[0]) + len(_HAN_LETTER.findall(word[0])) or len(raw) == 2 or not _is_glued(raw):
            return []
        found.append((word.start(), word.end(), raw.decode("cp1252")))
    return found


_GLUED_BYTES = re.compile(rb"(?:[A-Za-z]|[\x85\x91-\x97\xc0-\xd6\xd8-\xf6\xf8-\xff][A-Za-z])*")


def _is_glued(raw: bytes) -> bool:
    return _GLUED_BYTES.fullmatch(raw) is not None


def _is_contracted(word: str) -> bool:
    return word.lower() in _CONTRACTIONS or (word[-2:] == "’s" and _is_english(word[:-2]))


class _Places:
    """Where signs of one pair of encodings stand as quotes, dashes and apostrophes do."""

    def __init__(self, table: dict[str, str]) -> None:
        self._table = table
        read = {sign: char for char, sign in table.items()}
        self._opening, self._closing = opening, closing = read["“"], read["”"]
        self._apostrophe = read["’"]
        self._signs = re.compile(f"[{''.join(table)}]")
        # Up to the closing one stands no other of either kind, so nothing is read twice.
        self._quoted = re.compile(
            rf"(?<![^\s(\[—-]){opening}([A-Za-z]+)(?:[^{opening}{closing}\n]{{0,{MAX_QUOTED}}}?[ ,.!?;:'-]|)"
            rf"(?:(?<=[.,!?])|([A-Za-z]+)|(?<={opening}[A-Za-z])|(?<=[A-Za-z])){closing}(?!\w)"
        )

    def prove(self, line: str) -> bool:
        """Whether a contraction has the apostrophe, or two quotes stand about a word or sentence."""
        if self._apostrophe in line:
            contracted = (m[0].replace(self._apostrophe, "’").lower() for m in _CONTRACTED.finditer(line))
            if any(word in _CONTRACTIONS for word in contracted):
                return True
        if self._opening not in line or self._closing not in line:
            return False
        return any(
            all(known_in(word, "en") for word in found.groups() if word)
            and not is_word(found[0].split()[0])
            and not is_word(found[0].split()[-1])
            for found in self._quoted.finditer(line)
        )

    def signs(self, line: str) -> Iterator[tuple[int, str]]:
        """Offsets of the signs that are misread, and what they were."""
        for found in self._signs.finditer(line):
            at = found.start()
            token = _token(line, at)
            if _stands_as(sign := self._table[found[0]], line, at) and (len(token) == 1 or not is_word(token)):
                yield at, sign


@cache
def _all_places() -> tuple[_Places, ...]:
    return tuple(map(_Places, _TABLES))


def _token(line: str, at: int) -> str:
    """The sign at a place with the letters about it."""
    return word_around(line, at, at + 1, line[at])


_SQUARED = frozenset("m cm mm km dm ft in mi yd s x y r R n".split())
"""Units and letters behind which a ² is one."""


def _is_english(word: str) -> bool:
    return len(word) > 2 and known_in(word, "en")


def _stands_as(sign: str, line: str, at: int) -> bool:
    left, right = line[at - 1 : at] or " ", line[at + 1 : at + 2] or " "
    after_word = left.isalnum() or left in ".,!?;:)…%"
    if sign == "’":
        return left.isalnum() and (right.isalpha() or not right.isalnum())
    if sign in "‘“":
        return (left.isspace() or left in "([-—–\"'“‘") and right.isalnum()
    if sign == "”":
        return after_word and not right.isalnum() and _token(line, at)[:-1] not in _SQUARED
    if sign in "–—":
        return (left.isspace() and right.isspace()) or (
            left.isalpha() and right.isalpha() and all(map(_is_english, _token(line, at).split(line[at])))
        )
    if sign == "…":
        return after_word and not right.isalnum()
    return not line[:at].strip() and right.isspace()  # a bullet


_QUOTE_BEFORE_WORD = "".join(c for table in _TABLES for c, sign in table.items() if sign == "“")
MISREAD_QUOTES = Rule(
    "misread_quotes",
    5,
    undo_misread_quotes,
    rf"[A-Za-z][{_GLUED_APOSTROPHES}]|[A-Za-z][{_APOSTROPHES}](?:t|s|m|d|re|ve|ll)(?:[^\pL]|$)|(?:^|[\s(\[-])[{_QUOTE_BEFORE_WORD}][A-Za-z]"
    r"|[A-Za-z]â(?:[?€\x{fffd}][?\x{fffd}]|€|)(?:t|s|m|d|re|ve|ll)(?:[^\pL]|$)"
    r"|(?i:[cdjlmnst]|qu|ll|un|aujourd)â(?:[?€\x{fffd}][?\x{fffd}]|€)?[aeéèêhiouyàâîôœAEÉÈÊHIOUYÀÎÔŒÃ]|(?:^|[^\pL])â[A-Za-z0-9]",
)
