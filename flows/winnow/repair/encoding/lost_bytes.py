"""What decoding lost: last bytes of UTF-8 sequences, given back where one alone fits, else set aside; and the remains.

Bytes 81, 8D, 8F, 90 and 9D stand for nothing in Windows-1252, so many programs drop them; a space after what is left is
then a space, and no byte A0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

from winnow.repair.encoding.charmaps import CHARMAPS, LEFT_OF_CYRILLIC, is_left_of_letters, is_lowered, undo
from winnow.repair.encoding.dropped_bytes import LEFT, Span, lossy_words, with_cyrillic_letters
from winnow.repair.encoding.line_changes import speaks_of_encodings
from winnow.repair.encoding.lost_wide_bytes import LEFT_OF_WIDE, lossy_wide_letters
from winnow.repair.encoding.normal_forms import undo_forms
from winnow.repair.encoding.plausible import are_words, is_word
from winnow.repair.engine.rule import Change, Evidence, Rule, detector

# What can follow the first two bytes of a quote or dash, E2 80, in Windows-1252.
_CONTINUED = r"\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_QUOTES = re.compile(f"(?P<opening>â€œ)|â€\x9d|(?P<bare>â€)(?P<end>\u200c?)(?![?\ufffd{_CONTINUED}])")
# Signs begin with E2, pictures with F0 9F. A space that is their last byte leaves none before the next word.
_REMAINDER = re.compile(
    rf"(?:â[€œ˜š™„]|ðŸ[{_CONTINUED}])(?= [^\sï])|(?:â€|ðŸ[{_CONTINUED}]?)(?=$|[\n!->@-~])"
    rf"|(?:Ã¢â‚¬Â?|Ã°Å¸(?:â€[{_CONTINUED}]|[ÂÅË]?[{_CONTINUED}])?)(?=$|[ \n!->@-~])"
)
# A word in capitals whose last letter and the space behind it are UTF-8 by chance: `PÅ ` holds no Š, `О ` no Π.
_CYRILLIC = "В-ПС-Я"  # first bytes of UTF-8 by Windows-1251, but for Р: D0 A0 is that letter
_ENDS_SO = f"ÂÃÄÅĂĀĪР{_CYRILLIC}"
_APART = re.compile(
    rf"{_REMAINDER.pattern}"
    rf"|(?P<word>(?<![^\s(«])(?:[A-ZÀ-ÖØ-Þ\u0100-\u0231А-ЯЄІЇ]{{1,30}}[{_ENDS_SO}](?=[ \xa0])|[Å{_CYRILLIC}](?= )))"
    r"(?=\s(?P<next>[^\W\d_]{0,30}))"
)
# What is taken out and what is given back, for most lines have neither. By number: a remainder, capitals, a letter
# alone; what is left of a wide letter, and of another.
_signs_in = lru_cache(maxsize=16)(
    detector(
        _REMAINDER.pattern.replace("(?=", "(?:").replace("$", r"\z"),
        rf"[A-ZÀ-ÖØ-Þ\x{{100}}-\x{{231}}\x{{400}}-\x{{42f}}][{_ENDS_SO}][ \x{{a0}}]|(?:^|\s)[Å\x{{400}}-\x{{42f}}] ",
        f"[Å{_CYRILLIC}] ",
        LEFT_OF_WIDE,
        LEFT,
    )
)
# `â€™` in capitals is `Â€™`; C2 80 begins no quote.
_CAPITAL = re.compile("Â(?=[\x80€][\x93\x94\x98\x99\x9c\x9d\xa6\xa2“”˜™œ¦¢]|‚¬|„¢)")
# The sign that makes a picture of the character before it, U+FE0F, is the one of its kind that is used.
_VARIATION = re.compile(f"ï¸(?![\ufffd{_CONTINUED}])")
# The first bytes of Cyrillic and Greek letters, D0 and CF, were read as Windows-1252 twice.
_TWICE = re.compile("Ã(?=Ã|Â[\xa0-\xbf]|â[€„]|Å|Ë|Æ’)")
# The first bytes of letters, read twice, and the sign before their last byte, which is lost or a plain space now.
_LAST_TWICE = re.compile(f"(?:(?<=Ã[ƒ„…†ŽÏ‘—˜™\x8f\x90])|(?<=Ã¡Â[º»]))Â(?![\ufffd?{_CONTINUED}])")
MANY = 3
MIN_LETTERS = 2  # of a word; shorter ones prove nothing
# Quotes and dashes that were read so; of the last byte of a dash a quote came, and of its last byte nothing.
_DASH_TWICE = re.compile(f"Ã¢â‚¬â€(?![{_CONTINUED}])")
_QUOTES_TWICE = re.compile(r"(?P<opening>Ã¢â‚¬Å“)|Ã¢â‚¬Â\x9d|(?P<bare>Ã¢â‚¬)(?P<end>Â?)(?=$|[\s!-/:-@\[-`{-~])")
# A quote of Windows-1252 that was decoded as a control character, and that as Windows-1252 again.
_LEAD = re.compile(r"Â(?<=[a-z.,!?]Â)(?=[’”…–—])|Â(?<![^\W_]Â)(?=[‘“][^\W_])")


def restore_lost_quotes(line: str, quotes: re.Pattern[str], end: str) -> str:
    """The line with the `end` given back to closing quotes that a whole opening one waits for.

    >>> restore_lost_quotes("â€œyesâ€ and â€ ", _QUOTES, "\x9d") == "â€œyesâ€\\x9d and â€ "
    True
    """
    pieces: list[str] = []
    at = 0
    opened = False
    for found in quotes.finditer(line):
        if not found["bare"]:
            opened = bool(found["opening"])
        elif opened and not line[found.start() - 1].isspace():
            pieces.append(line[at : found.end("bare")] + end)
            at = found.end("end")
            opened = False
    return "".join(pieces) + line[at:] if pieces else line


_WINDOWS = next(c for c in CHARMAPS if c.name == "cp1252")
_has_cyrillic_left = detector(LEFT_OF_CYRILLIC)
# Letters of Latin scripts, of which the first byte was a capital in Windows-1252: C3, C4 and C5 were Ã, Ä and Å.
_LOWERED = re.compile(f"[A-Za-z]{{0,30}}[ãäå][{_CONTINUED}ÿ][A-Za-z{_CONTINUED}ãäåÿ]*")
_LEAD_LOWERED = re.compile(f"[ãäå](?=[{_CONTINUED}ÿ])|ã$")
_BESIDE_WORDS = re.compile("ã(?=[ \xa0])|(?<![^\\W\\d_])â(?=[¡¿£©®°«»§±²³·½\xa0])")
_HAS_PLAIN = re.compile("[A-Za-z]")
_WORD_AND_SIGN = re.compile(f"([A-Za-z]*[ãäå])[{_CONTINUED}]+")


def raise_leads(line: str) -> str:
    """The line as it was before its mojibake was put in small letters, where that makes a word of what is none.

    Left alone is a word before a sign.

    >>> raise_leads("un cafã© ã  mã¼nchen"), raise_leads("irmã® e manhã”, på» 5 å²")
    ('un cafÃ© Ã  mÃ¼nchen', 'irmã® e manhã”, på» 5 å²')
    """
    raised: dict[str, str] = {}
    told = False
    for token in dict.fromkeys(_LOWERED.findall(line)):
        whole = _LEAD_LOWERED.sub(lambda lead: lead[0].upper(), token).replace("ÿ", "Ÿ")
        once = undo(whole + "\xa0" * (whole[-1] == "Ã"), _WINDOWS)
        stands = (found := _WORD_AND_SIGN.fullmatch(token)) and is_word(found[1])
        made = bool(once) and once[0].rstrip("’”»…–—™\xa0").isalpha() and are_words(once[0])
        if once and (made or not stands):
            raised[token] = whole
            told = told or (made and not stands and len(once[0]) > MIN_LETTERS and _HAS_PLAIN.search(token) is not None)
    if not told:
        return line
    return _BESIDE_WORDS.sub(lambda m: m[0].upper(), _LOWERED.sub(lambda m: raised.get(m[0], m[0]), line))


# The halves of a picture or a rare character, each in three bytes (CESU-8), as Java and MySQL wrote them.
_SURROGATES = re.compile(f"í[\xa0-¯ ][{_CONTINUED}]í[°-¿][{_CONTINUED}]")


def _join_surrogates(halves: re.Match[str]) -> str:
    """
    >>> _join_surrogates(_SURROGATES.search("a smile í\xa0½í¸€"))
    'ðŸ˜€'
    """
    signs = halves[0].replace(" ", "\xa0")
    raw = bytes(ord(c) if c < "\u0100" else _WINDOWS.table.index(c) for c in signs)  # of Windows-1252, or Latin-1
    char = raw.decode("utf-8", "surrogatepass").encode("utf-16-be", "surrogatepass").decode("utf-16-be")
    return "".join(_WINDOWS.table[byte] for byte in char.encode())


# Euro, ellipsis, bullet and trade mark that lost the byte between, which is a control character in Latin-1.
_MIDDLE = re.compile("â(?:(?P<euro>¬)|(?P<dots>¦)|(?P<mark>(?<=[A-Za-z]â)¢)|¢)(?=[\x00-\x7f\xa0âÃ]|$)")
_MIDDLES = {"euro": "\x82¬", "dots": "\x80¦", "mark": "\x84¢", None: "\x80¢"}

# Second bytes of quotes, dashes and the euro in Mac Roman, ``‚Ä`` and ``‚Ç``, which in small letters begin other signs.
_LOWERED_MAC = re.compile("(?<=‚)(?:ä(?=[ìîòôöùúû¢¶†∞])|ç(?=¨))")

# Vietnamese, of which most letters begin with á, which has stayed; its others begin with four more capitals.
_RAISED = re.compile("[ÃÄÅÆ]")
_LOWERED_VIETNAMESE = re.compile(f"[ãäåæ](?=[{_CONTINUED}])")
_SMALL = re.compile("[a-z]")


def in_capitals(line: str, reading: str) -> str:
    """The reading in capitals, where all letters of the line are and its mojibake was put in capitals too.

    >>> in_capitals("LÂ€™Ã©TÃ©", "L’éTé"), in_capitals("CAFÃ©", "CAFé"), in_capitals("LÂ€™Ã©tÃ©", "L’été")
    ('L’ÉTÉ', 'CAFé', 'L’été')
    """
    if not _CAPITAL.search(line) or _SMALL.search(line):
        return reading
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in reading)


_TITLED = re.compile(f"[A-Za-z](?:[ãäå][{_CONTINUED}])+[A-Z](?![A-Z])")
_ODD_WORD = re.compile("(?<![^\\W\\d_])[^\\W\\d_]{0,30}[À-ÖØ-öø-ſ][A-Z](?![A-Z])[^\\W\\d_]{0,30}")


def in_title_case(line: str, reading: str) -> str:
    """The reading with one capital a word, where its mojibake was put in title case: a letter's sign began a word.

    >>> in_title_case("Josã© Mã¼Ller Ã©Tã© McÃ", "José MüLler éTé McÃ"), in_title_case("MÃ¼Ller", "MüLler")
    ('José Müller Été McÃ', 'MüLler')
    """
    return _ODD_WORD.sub(lambda word: word[0].capitalize(), reading) if _TITLED.search(line) else reading


def mend(line: str) -> str:
    """The line as it was before its mojibake took another form, was put in capitals or lost the bytes of quotes."""
    line = undo_forms(line)
    if "í" in line:
        line = _SURROGATES.sub(_join_surrogates, line)
    if ("á»" in line or "áº" in line) and not _RAISED.search(line):
        line = _LOWERED_VIETNAMESE.sub(lambda lead: lead[0].upper(), line)
    elif is_lowered(line):
        line = raise_leads(line)
    if "‚" in line and line.islower():
        line = _LOWERED_MAC.sub(lambda second: second[0].upper(), line)
    if "Â" in line:
        line = _CAPITAL.sub("â", line)
    if "â" in line:
        line = _MIDDLE.sub(lambda lost: "â" + _MIDDLES[lost.lastgroup], line)
    if is_left_of_letters(line) and _has_cyrillic_left(line):
        line = with_cyrillic_letters(line)
    if "ï¸" in line:
        line = _VARIATION.sub("ï¸\x8f", line).replace("â¤ï¸", "â\x9d¤ï¸")
    if "Ã¢â‚¬" in line:
        line = restore_lost_quotes(_DASH_TWICE.sub("\\g<0>\x9d", line), _QUOTES_TWICE, "Â\x9d")
    if "Â" in line and "Ã" in line:
        line = _LAST_TWICE.sub("", line)
    if line.count("ÃÂ") >= MANY:
        line = _TWICE.sub("Ã\x8f" if line.count("ÃŽ") > line.count("Ã‘") else "Ã\x90", line)
    return restore_lost_quotes(line, _QUOTES, "\x9d") if "â€" in line else line


def without_leads(line: str) -> str:
    """The line without the Â that twice misread quotes have before them.

    >>> without_leads("donÂ’t, Â“noÂ”"), without_leads("PÂ’s, Â ’t")
    ('don’t, “no”', 'PÂ’s, Â ’t')
    """
    return _LEAD.sub("", line) if "Â" in line else line


class Aside:
    r"""What of a line is taken out while it is read, as several characters may have left it, and goes back then.

    Each step of a reading takes out what the step before brought to light.

    >>> aside = Aside()
    >>> aside.take_out("ðŸ˜ at â€™"), aside.put_back("\x02 at ’")
    ('\x02 at â€™', 'ðŸ˜ at ’')
    """

    def __init__(self) -> None:
        self._taken: list[list[str]] = []
        self._given: list[tuple[str, str]] = []

    def take_out(self, line: str) -> str:
        """The line with a control character for each such piece, and with what was dropped given back."""
        mark = chr(FIRST_MARK + len(self._taken))
        taken: list[str] = []
        self._taken.append(taken)
        if mark in line or line.isascii():
            return line
        line, words = _with_lossy_words(line)
        if not words and not _may_stand_apart(line):
            return line

        def take(piece: str) -> str:
            taken.append(piece)
            return mark

        def take_apart(found: re.Match[str]) -> str:
            word = found["word"]
            if word is None:
                return take(found[0])
            if len(word) == 1 and word != "Å" and not _is_among_cyrillic(found):
                return word  # `Г ` among French words was `à`
            is_unit = word == "Å" and found.string[max(0, found.start() - 2) : found.start()].strip().isdigit()
            return word[:-1] + take(word[-1]) if is_unit or _ends_rightly(word, found["next"]) else word

        def without_remainders(piece: str) -> str:
            return _APART.sub(take_apart, piece) if _may_stand_apart(piece) else piece

        pieces: list[str] = []
        at = 0
        for span in words:
            before = line[span.start : span.end]
            pieces.append(without_remainders(line[at : span.start]))
            pieces.append(take(before) if span.whole is None else span.whole)
            if span.whole:
                self._given.append((span.whole, before))
            at = span.end
        return "".join(pieces) + without_remainders(line[at:])

    def put_back(self, reading: str) -> str | None:
        """The reading with everything where it stood, and without what was given back in vain; None where it can't."""
        for number, taken in reversed(list(enumerate(self._taken))):
            if not taken:
                continue
            parts = reading.split(chr(FIRST_MARK + number))
            if len(parts) != len(taken) + 1:
                return None
            reading = "".join(chain.from_iterable(zip(parts, [*taken, ""], strict=True)))
        for whole, before in self._given:
            reading = reading.replace(whole, before)
        return reading


def _is_among_cyrillic(found: re.Match[str]) -> bool:
    """Whether the word before or behind a letter that stands alone is one of Cyrillic letters."""
    before = found.string[max(0, found.start() - 40) : found.start()].rsplit(None, 1)
    beside = (before[-1] if before else "", found["next"])
    return any(len(word) > 1 and word.isalpha() and min(word) >= "Ѐ" and is_word(word) for word in beside)


def _ends_rightly(word: str, following: str) -> bool:
    """Whether capitals are a word as they stand, and make none with Š and what follows: ``LÃ `` may have been ``Là``.

    >>> [_ends_rightly(*words) for words in (("PÅ", "VÆRE"), ("Å", "KODA"), ("MAÇÃ", "E"), ("LÃ", "BAS"), ("О", "Его"))]
    [True, False, True, False, True]
    """
    known = len(word) == 1 or (is_word(word) and (len(word) > 2 or word[-1] != "Ã" or word[0] > "\xff"))
    return known and not (word[-1] == "Å" and following and is_word(word[:-1] + "Š" + following))


_REMAINING = frozenset("âð¢°")  # one of them is in each remainder


def _may_stand_apart(piece: str) -> bool:
    """Whether something of a piece may be taken out: a letter alone only beside what may be a remainder."""
    signs = _signs_in(piece)
    return 0 in signs or 1 in signs or (2 in signs and not _REMAINING.isdisjoint(piece))


FIRST_MARK = 2  # control characters are in every encoding, and stand in no text any more when encodings are judged


def _with_lossy_words(line: str) -> tuple[str, list[Span]]:
    """The words of a line that lost bytes, and the line itself; or as it was before it was misread once more."""
    if words := _lossy(line):
        return line, words
    for once in undo(line, _WINDOWS) if "Ã" in line else ():  # so every letter begins that was misread twice
        if words := _lossy(once):
            return once, words
    return line, []


def _lossy(line: str) -> list[Span]:
    signs = _signs_in(line)
    return (lossy_wide_letters(line) if 3 in signs else []) or (lossy_words(line) if 4 in signs else [])


# U+FFFD in UTF-8, read as GBK two by two, is 锟斤拷; 烫烫烫 and 屯屯屯 are memory that nobody wrote to.
_LOST = re.compile(
    "\ufffd+|(?:ï¿½)+|(?:锟斤拷|锟斤|斤拷)+锟?|烫{3,}|屯{3,}|(?:嚙踝蕭|嚙)+|(?:占쏙옙|占쏙|쏙옙)+"
    "|(?:[・\ufffd]?ｿｽ){2,}|â€(?=[ \n]|$)|ðŸ[^\\w\\s]?(?=[ \n]|$)|(?<![^\\W\\d_])Â(?=[ \xa0\n]|$)"
    "|(?<![^\\W\\d_])[ÐÑ](?= [\u0400-\u04ff])"
)
_MAY_BE_LOST = re.compile("[\ufffdï锟斤烫屯嚙占쏙・ｿâðÂÐÑ]")  # what each begins with: a hundred times as fast
MAX_FLAGS = 1000  # for one text; whoever has more has seen enough
FLAG = 0.1


def flag_lossy_remains(text: str, evidence: Evidence) -> Iterator[Change]:
    """Flag what decoding lost for good, U+FFFD, 锟斤拷, a lone Â: a suspicion for a person, never a guess.

    >>> [(c.start, c.confidence) for c in LOSSY_REMAINS.find("na\ufffdve Â 5", Evidence())]
    [(2, 0.1), (6, 0.1)]
    """
    at = flags = 0
    while flags < MAX_FLAGS and (sign := _MAY_BE_LOST.search(text, at)):
        at = sign.end()
        if found := _LOST.match(text, sign.start()):
            yield Change(found.start(), found.end(), "", FLAG)
            at, flags = found.end(), flags + 1


LOSSY_REMAINS = Rule(
    "lossy_remains",
    4,
    flag_lossy_remains,
    r"\x{fffd}|ï¿½|锟斤|斤拷|烫烫烫|屯屯屯|嚙|占쏙|쏙옙|ｿｽ|â€[ \n]|â€\z|ðŸ|Â[ \x{a0}\n]|Â\z|[ÐÑ] [\x{400}-\x{4ff}]",
)

_REPLACEMENT = "|".join(
    # as ISO-8859-5 they are plain letters
    sorted({"".join(c.table[b] for b in "\ufffd".encode()) for c in CHARMAPS if c.name != "iso8859-5"})
)


def restore_replacements(text: str, evidence: Evidence) -> Iterator[Change]:
    """Restore U+FFFD where its bytes in UTF-8 were misread: ``пїЅ``, ``О©╫``, ``ï¿œ``. What it stands for is lost.

    >>> REPLACEMENTS("naï¿½ve слово пїЅпїЅ"), REPLACEMENTS("ï¿ and ¿½")
    ('na\ufffdve слово \ufffd\ufffd', 'ï¿ and ¿½')
    """
    if not speaks_of_encodings(text):
        for found in _REPLACEMENTS.finditer(text):
            yield Change(found.start(), found.end(), "\ufffd", 0.97)


_REPLACEMENTS = re.compile(_REPLACEMENT)
REPLACEMENTS = Rule("misread_replacements", 2, restore_replacements, _REPLACEMENT)
