"""Character references that have lost their first sign: ``#8217;``, ``&8217;``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from winnow.repair.encoding.plausible import is_word, word_around
from winnow.repair.engine.rule import Change, Evidence, Rule
from winnow.repair.escapes import is_about
from winnow.repair.markup.character_references import ACCENTED, HTML4, NAMED, numeric

_HASH = re.compile(
    r"(?<![&#\w])(?<![\"'(=:,] )#(\d{2,4}|x[0-9A-Fa-f]{2,4});|(?<=[A-Za-z\d.,!?”’])#(\d{2,4}|x[0-9A-Fa-f]{2,4});"
)
_IN_TOKEN = re.compile(r"(?<=[^\W_])#(1[6-9]\d|2\d\d|3[0-7]\d);")
_CONTRACTED = re.compile(r"(?<=[A-Za-z]) ?#(?:0?39|x27);(?=(?:s|t|d|m|re|ve|ll)\b)|(?<=s) ?#(?:0?39|x27);(?= [a-z])")
_NO_HASH = re.compile(
    r"&(?:(14[5-8]|15[01]|82(?:1[1267]|2[0-26])|8482);|(?<=[A-Za-z]&)(0?39);(?=(?:s|t|d|m|re|ve|ll)\b))"
)
_HASHES = re.compile(r"#(?=(?:\d{2,4}|x[0-9A-Fa-f]{2,4});)")  # with which all of these begin
_NUMBERED = re.compile(r"(?<![&#\w;])#(?:[1-9]|[12]\d|3[01]);")  # numbers of a list
# Before their semicolon: signs that no word is, and letters.
_SIGNS = r"[lr][sd]quo|[bs][bd]quo|[mn]dash|hellip|[lr]aquo|euro|pound"
_LETTERS = "|".join(sorted(ACCENTED & HTML4))
_NAME = re.compile(rf"(?:(?P<sign>{_SIGNS})|{_LETTERS})\Z")
_LAST_LETTERS = "|".join(sorted({name[-3:] for name in ACCENTED & HTML4} | {"quo", "ash", "lip", "uro", "und"}))
_END_OF_NAME = re.compile(rf";(?<=(?:{_LAST_LETTERS});)")  # most semicolons are of code
_LETTER = re.compile(rf"({_LETTERS});")
_WORD_BEFORE, _WORD_BEHIND = re.compile(r"(?:[^\W\d_]|;(?=\w)){0,30}\Z"), re.compile(r"(?:[^\W\d_]+;?){0,3}")
_STYLE = re.compile(r"(?i)(?:colou?r|background|border|fill|stroke)[\w-]{0,20}\s*[:=]")


def restore_ampersands(text: str, evidence: Evidence) -> Iterator[Change]:
    """Decode references that have lost their ampersand or hash: ``company#8217;s``, ``It #39;s``, ``percheacute;``.

    Quotes, dashes and signs alone, an apostrophe where a word is contracted, and accented letters; numbers and names of
    anything else stay.

    >>> BARE_REFERENCES("company#8217;s results #8212; it #39;s")
    "company’s results — it's"
    >>> BARE_REFERENCES("see issue #39; use color: #333; and bus #8217")
    'see issue #39; use color: #333; and bus #8217'
    >>> BARE_REFERENCES("Percheacute; no mdash; Meacute;xico"), BARE_REFERENCES("sharing; a subacute; Seagrave;")
    ('Perché no — México', 'sharing; a subacute; Seagrave;')
    """
    hashes = [found.start() for found in _HASHES.finditer(text)]
    taken = [
        Change(found.start(), found.end(), "'", 0.7)
        for found in _at_hashes(_CONTRACTED, text, hashes, spaced=True)
        if not text[max(0, found.start() - 4) : found.start()].endswith(("&", "amp", "amp;"))
    ]
    taken += [Change(m.start(), m.end(), numeric("#" + (m[1] or m[2])), 0.7) for m in _NO_HASH.finditer(text)]
    starts = {change.start for change in taken} | {change.end - 4 for change in taken}
    for found in _at_hashes(_IN_TOKEN, text, hashes):
        char = chr(int(found[1]))
        word = word_around(text, found.start(), found.end(), char)
        if (char in "°£©®§±½¼¾²³" and found.start() and text[found.start() - 1].isdigit()) or (
            char.isalpha() and "\xc0" <= char < "\u0180" and len(word) > 3 and is_word(word)
        ):
            taken.append(Change(found.start(), found.end(), char, 0.7))
    for found in _at_hashes(_HASH, text, hashes):
        digits = found[1] or found[2]
        char = chr(int(digits[1:], 16) if digits[0] == "x" else int(digits))
        if _has_ampersand(text, found.start()):
            continue
        if found.start() not in starts and char in "‘’“”„‚–—…•™€«»\xa0":
            taken.append(Change(found.start(), found.end(), char, 0.7))
    taken += _named(text)
    if not taken or _STYLE.search(text) or is_about(text) or _NUMBERED.search(text):
        return
    last = 0
    for change in sorted(taken, key=lambda change: change.start):
        if change.start >= last:
            yield change
            last = change.end


def _has_ampersand(text: str, start: int) -> bool:
    """Whether what begins at `start` has its ampersand, spaced out or escaped."""
    return text[max(0, start - 6) : start].rstrip(" ;\xa0").endswith(("&", "amp", "#38", "#x26"))


def _named(text: str) -> Iterator[Change]:
    """Signs and letters by their names, from semicolon to semicolon."""
    for semicolon in _END_OF_NAME.finditer(text):
        end = semicolon.start()
        found = _NAME.search(text, max(0, end - 6), end)
        if found is None or _has_ampersand(text, found.start()):
            continue
        start, name = found.start(), found[0]
        if found["sign"]:
            if name in ("euro", "pound") and not text[end + 1 : end + 2].isdigit():
                continue  # words too
        elif not _makes_word(text, start, end, name):
            continue
        yield Change(start, end + 1, NAMED[name + ";"], 0.7)


def _makes_word(text: str, start: int, end: int, name: str) -> bool:
    """Whether a name is that of an accented letter, and of no word's end: "hearing;", "gevoelig;", "Matilde;"."""
    if name.endswith(("acute", "circ", "uml", "cedil")):
        return True  # no word does
    behind = _WORD_BEHIND.match(text, end + 1)
    before = _WORD_BEFORE.search(text, max(0, start - 30), start)
    as_it_is = (before[0] if before else "") + name
    stands = as_it_is.rpartition(";")[2]
    if not (behind and behind[0]) and (name.endswith(("ring", "caron")) or (stands != name and is_word(stands))):
        return False
    word = _LETTER.sub(lambda m: NAMED[m[1] + ";"], f"{as_it_is};{behind[0] if behind else ''}")
    return is_word(word.rstrip(";"))


def _at_hashes(pattern: re.Pattern[str], text: str, hashes: list[int], spaced: bool = False) -> Iterator[re.Match[str]]:
    """What `finditer` gives for an expression that begins at one of these ``#``, or at a space before it.

    An expression that looks behind itself is tried at every character otherwise.
    """
    for at in hashes:
        if found := pattern.match(text, at - 1 if spaced and text[at - 1 : at] == " " else at):
            yield found


_GATE = (
    r"#(?:\d{2,4}|x[0-9A-Fa-f]{2,4});|&\d{2,4};"
    r"|(?:acute|grave|circ|uml|tilde|cedil|ring|slash|lig|caron|[lrbs][sbd]quo|[mn]dash|hellip|aquo|euro|pound);"
)
BARE_REFERENCES = Rule("bare_references", 5, restore_ampersands, _GATE)
