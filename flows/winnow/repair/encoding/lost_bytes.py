"""What decoding lost: last bytes of UTF-8 sequences, given back where one alone fits, else set aside; and the remains.

Bytes 81, 8D, 8F, 90 and 9D stand for nothing in Windows-1252, so many programs drop them; a space after what is left is
then a space, and no byte A0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from winnow.repair.encoding.charmaps import CHARMAPS
from winnow.repair.encoding.line_changes import speaks_of_encodings
from winnow.repair.engine.rule import Change, Evidence, Rule

# What can follow the first two bytes of a quote or dash, E2 80, in Windows-1252.
_CONTINUED = r"\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_QUOTES = re.compile(f"â€(?:[œ\x9d]|(?![?\ufffd{_CONTINUED}]))")
# Signs begin with E2, pictures with F0 9F. A space that is their last byte leaves none before the next word.
_REMAINDER = re.compile(rf"(?:â[€œ˜š™„]|ðŸ[{_CONTINUED}])(?= [!-~])|(?:â€|ðŸ[{_CONTINUED}]?)(?=$|[\n!->@-~])")
# `â€™` in capitals is `Â€™`; C2 80 begins no quote.
_CAPITAL = re.compile("Â(?=[\x80€][\x93\x94\x98\x99\x9c\x9d\xa6\xa2“”˜™œ¦¢])")
# A quote of Windows-1252 that was decoded as a control character, and that as Windows-1252 again.
_LEAD = re.compile(r"(?<=[a-z.,!?])Â(?=[’”…–—])|(?<![^\W_])Â(?=[‘“][^\W_])")
_ASIDE = "\x02"  # in every encoding, and no longer in a text when encodings are judged


def restore_lost_quotes(line: str) -> str:
    """The line with byte 9D given back to closing quotes that a whole opening one waits for.

    >>> restore_lost_quotes("â€œyesâ€ and â€ ") == "â€œyesâ€\\x9d and â€ "
    True
    """
    pieces: list[str] = []
    at = 0
    opened = False
    for found in _QUOTES.finditer(line):
        bare = found.end() - found.start() == 2
        if not bare:
            opened = found[0] == "â€œ"
        elif opened and not line[found.start() - 1].isspace():
            pieces.append(line[at : found.end()] + "\x9d")
            at = found.end()
            opened = False
    return "".join(pieces) + line[at:] if pieces else line


def mend(line: str) -> str:
    """The line as it was before its mojibake was put in capitals or lost the bytes that quotes end in."""
    if "Â" in line:
        line = _CAPITAL.sub("â", line)
    return restore_lost_quotes(line) if "â€" in line else line


def without_leads(line: str) -> str:
    """The line without the Â that twice misread quotes have before them.

    >>> without_leads("donÂ’t, Â“noÂ”"), without_leads("PÂ’s, Â ’t")
    ('don’t, “no”', 'PÂ’s, Â ’t')
    """
    return _LEAD.sub("", line) if "Â" in line else line


def set_aside(line: str) -> tuple[str, list[str]]:
    """The line with remainders taken out that more than one character may have left, and these in order.

    >>> set_aside("ðŸ˜ at â€™")
    ('\\x02 at â€™', ['ðŸ˜'])
    """
    if _ASIDE in line or ("â" not in line and "ð" not in line):
        return line, []
    taken = _REMAINDER.findall(line)
    return (_REMAINDER.sub(_ASIDE, line), taken) if taken else (line, [])


def put_back(reading: str, taken: list[str]) -> str:
    """The reading of a line with what was taken out of it where it stood."""
    if not taken or reading.count(_ASIDE) != len(taken):
        return reading
    rest: Iterator[str] = iter(taken)
    return re.sub(_ASIDE, lambda _: next(rest), reading)


# U+FFFD in UTF-8, read as GBK two by two, is 锟斤拷; 烫烫烫 and 屯屯屯 are memory that nobody wrote to.
_LOST = re.compile(
    "\ufffd+|(?:ï¿½)+|(?:锟斤拷|锟斤|斤拷)+锟?|烫{3,}|屯{3,}|(?:嚙踝蕭|嚙)+|(?:占쏙옙|占쏙|쏙옙)+"
    "|(?:[・\ufffd]?ｿｽ){2,}|â€(?=[ \n]|$)|ðŸ[^\\w\\s]?(?=[ \n]|$)|(?<![^\\W\\d_])Â(?=[ \xa0\n]|$)"
)
MAX_FLAGS = 1000  # for one text; whoever has more has seen enough
FLAG = 0.1


def flag_lossy_remains(text: str, evidence: Evidence) -> Iterator[Change]:
    """Flag what decoding lost for good, U+FFFD, 锟斤拷, a lone Â: a suspicion for a person, never a guess.

    >>> [(c.start, c.confidence) for c in LOSSY_REMAINS.find("na\ufffdve Â 5", Evidence())]
    [(2, 0.1), (6, 0.1)]
    """
    for _, found in zip(range(MAX_FLAGS), _LOST.finditer(text), strict=False):
        yield Change(found.start(), found.end(), "", FLAG)


LOSSY_REMAINS = Rule(
    "lossy_remains",
    3,
    flag_lossy_remains,
    r"\x{fffd}|ï¿½|锟斤|斤拷|烫烫烫|屯屯屯|嚙|占쏙|쏙옙|ｿｽ|â€[ \n]|â€\z|ðŸ|Â[ \x{a0}\n]|Â\z",
)

_REPLACEMENT = "|".join(["ï¿œ", *sorted({"".join(c.table[b] for b in "\ufffd".encode()) for c in CHARMAPS})])


def restore_replacements(text: str, evidence: Evidence) -> Iterator[Change]:
    """Restore U+FFFD where its bytes in UTF-8 were misread: ``пїЅ``, ``О©╫``, ``ï¿œ``. What it stands for is lost.

    >>> REPLACEMENTS("naï¿½ve слово пїЅпїЅ"), REPLACEMENTS("ï¿ and ¿½")
    ('na\ufffdve слово \ufffd\ufffd', 'ï¿ and ¿½')
    """
    if not speaks_of_encodings(text):
        for found in _REPLACEMENTS.finditer(text):
            yield Change(found.start(), found.end(), "\ufffd", 0.97)


_REPLACEMENTS = re.compile(_REPLACEMENT)
REPLACEMENTS = Rule("misread_replacements", 1, restore_replacements, _REPLACEMENT)
