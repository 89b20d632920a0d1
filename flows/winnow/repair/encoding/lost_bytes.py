"""UTF-8 sequences read as Windows-1252 whose last byte is gone: given back where one byte alone fits, else set aside.

Bytes 81, 8D, 8F, 90 and 9D stand for nothing in Windows-1252, so many programs drop them; a space after what is left is
then a space, and no byte A0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

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
