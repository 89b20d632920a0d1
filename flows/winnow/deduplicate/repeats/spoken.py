"""Lines made to be heard: verse, litanies, and talk."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from winnow.deduplicate.passages.splitter import ends_sentence

MAX_VERSE = 70  # characters of a line of verse
MAX_CALL = 120  # characters of what is called, and of what answers
_SPEAKER = re.compile(
    r"\s{0,40}(?:[\[(]?\d{1,2}:\d{2}(?::\d{2})?[\])]?\s{1,3}(?:[-–]\s)?)?(?:"
    r"<(?!/|(?:p|b|i|u|s|a|li|td|tr|th|dt|dd|ul|ol|br|em|h[1-6]|div|span|code|pre|strong)\b)([^<>\n]{1,30})>|"
    r"\*{0,2}([^\W\d_][^\n:：,;.?!]{0,30}?(?:\.[^\n:：,;.?!]{0,20})?)\*{0,2}[:：]\*{0,2}|([VR℣℟])\.?)\s"
)
_FEWEST_WORDS = 4  # of a line of a litany
_FEWEST_LINES = 4  # of a stanza by itself
_WORDS = re.compile(r"[^\W\d_]+")


def in_litany(line: str, beside: Iterable[str]) -> bool:
    """Whether a line begins or ends with the same two words as one `beside` it, which is another.

    >>> in_litany("Lamb of God, have mercy on us.", ["Lamb of God, grant us peace."])
    True
    >>> in_litany("The old bridge at night. Photo: Smith", ["The council met on Monday."])
    False
    """
    if len(line) > MAX_CALL or "\n" in line:
        return False
    said, *others = (_WORDS.findall(text.lower()) for text in (line, *beside))
    return len(said) >= _FEWEST_WORDS and any(
        words[:2] == said[:2] or words[-2:] == said[-2:] for words in others if len(words) >= _FEWEST_WORDS
    )


def is_stanza(text: str) -> bool:
    """Whether a passage is four lines of verse or more, most of which end with a sign."""
    lines = text.split("\n")
    return len(lines) >= _FEWEST_LINES and is_verse(lines) and is_pointed(text)


def is_pointed(text: str) -> bool:
    """Whether most lines end with a sign, as those of a poem do and those of a menu do not."""
    lines = [line.rstrip() for line in text.split("\n") if line.strip()]
    return sum(not line[-1].isalnum() for line in lines) * 2 >= len(lines)


def is_verse(lines: Sequence[str]) -> bool:
    """Whether lines are broken for the ear and not for the margin: short, ragged, or each with a capital.

    >>> is_verse(["The river runs by the mill,", "And the wheel is turning still,", "O turn, wheel, turn."])
    True
    >>> is_verse(["The quick brown fox jumps over", "the lazy dog and runs away to", "the wood."])
    False
    """
    lines = [line.strip() for line in lines if line.strip()]
    width = max(map(len, lines), default=0)
    if len(lines) < 2 or width > MAX_VERSE or (width > 45 and all(map(ends_sentence, lines))):
        return False
    if len(lines) > 2 and width <= 24:
        return True
    ragged = capitals = 0
    for line, following in pairwise(lines):
        word = len(following.split(None, 1)[0])
        ragged += len(line) + 1 + word <= 0.94 * width
        capitals += not following[0].islower()
    pairs = len(lines) - 1
    return capitals == pairs or (ragged * 5 >= pairs * 2 and capitals * 2 >= pairs)


def speaker_of(text: str) -> str | None:
    """Whose line it is: the name before a colon or in angle brackets, after the time where it is told.

    >>> speaker_of("ANNA: Yes."), speaker_of("[10:02] <anna> Yes."), speaker_of("<p> Yes."), speaker_of("Yes: it is.")
    ('ANNA', 'anna', None, 'Yes')
    """
    found = _SPEAKER.match(text)
    return (found[1] or found[2] or found[3]) if found else None
