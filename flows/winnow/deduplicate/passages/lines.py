"""What one line or block of a repaired text is: heading, list item, table row, quote, code or running prose."""

from __future__ import annotations

import re
from itertools import pairwise

MAX_HEADING = 140  # characters; the longest headline of the sample articles has 104
MAX_HEADING_WORDS = 20
BULLETS = "-*+•·–—‣◦▪●○■□"
MAX_WRAP = 120  # hard-wrapped text is set to 60-100 columns; longer lines are whole paragraphs
LONG_LINE = 160

# Every expression is anchored and bounded: it looks at the first characters of a line and never backtracks far.
_MARKER = re.compile(
    r"[ \t]{0,40}(?:[-*+•·–—‣◦▪●○■□]|\(?[0-9]{1,3}[.)]|\[[0-9]{1,3}\]|[a-z][.)]|\([a-zA-Z]\)|[ivx]{1,5}[.)])[ \t]+\S"
)
_TABLE = re.compile(r"[ \t]{0,40}\|")
_QUOTED = re.compile(r"[ \t]{0,40}>")
_FENCE = re.compile(r"[ \t]{0,8}(?:```|~~~)")
_UNDERLINE = re.compile(r"[ \t]{0,8}(?:={3,400}|-{3,400}|~{3,400}|\*{3,400})\Z")
_HASHES = re.compile(r"#{1,6}[ \t]+\S")
_SPECIAL = re.compile(
    r"^[ \t]{0,40}(?:[-*+•·–—‣◦▪●○■□|>`~=]|\(?[0-9]{1,3}[.)]|\[[0-9]|[a-z][.)]|\([a-zA-Z]\)|[ivx]{1,5}[.)])"
    r"| \| ",
    re.M,
)
QUOTES = {"“": "”", "„": "“”", "«": "»", "»": "«", "「": "」", "『": "』", '"': '"', "‹": "›", "‘": "’"}
CODE_SIGNS = frozenset("{}();=<>$#\\[]_/&|%")
SENTENCE_ENDS = ".!?。！？…؟।॥։።:;,：；，、"
HEADING_ENDS = SENTENCE_ENDS.replace("?", "").replace("!", "")  # what no heading ends with
FULL_STOPS = ".!?。！？…؟।॥։።"
CLOSERS = "\"'”’»›)]}」』）】*_"


def may_have_structure(block: str) -> bool:
    """Whether any line of a block may be more than prose; one search, so that plain blocks cost no more."""
    return _SPECIAL.search(block) is not None


def is_fence(line: str) -> bool:
    return _FENCE.match(line) is not None


def is_underline(line: str) -> bool:
    """Whether a line only underlines the one above it, as headings of plain text are.

    >>> is_underline("======"), is_underline("- item")
    (True, False)
    """
    return _UNDERLINE.match(line) is not None


def marked_kind(line: str) -> str | None:
    """list_item, table_row, quote or heading where the line itself carries the mark of one, else None.

    >>> [marked_kind(s) for s in ("- an item", "a | b", "> said", "## Use", "3) third", "plain", "-x")]
    ['list_item', 'table_row', 'quote', 'heading', 'list_item', None, None]
    """
    body = line.lstrip()
    if " | " in line and not body.startswith(("$", "#")):
        return "table_row"
    # Most lines begin with a letter and a word: no expression need look at them.
    if body[:1].isalpha() and "." not in body[1:7] and ")" not in body[1:7]:
        return None
    if _TABLE.match(line):
        return "table_row"
    if _MARKER.match(line):
        return "list_item"
    if _QUOTED.match(line):
        return "quote"
    if _HASHES.match(line):
        return "heading"
    return None


def ends_sentence(text: str) -> bool:
    """Whether a text ends as a sentence does, closing quotes and brackets aside.

    >>> ends_sentence("It ended.”"), ends_sentence("Key Takeaways"), ends_sentence("終わり。")
    (True, False, True)
    """
    return text[-8:].rstrip().rstrip(CLOSERS)[-1:] in FULL_STOPS and bool(text)


def is_quotation(text: str) -> bool:
    """Whether a passage is a quotation by itself: it opens with a quote mark, and most of it stands inside.

    >>> is_quotation("“It’s not random.” – the minister"), is_quotation("“No,” she said, and went home again.")
    (True, False)
    """
    body = text.strip()
    closers = QUOTES.get(body[:1])
    if not closers or len(body) < 12:
        return False
    last = max(body.rfind(c, 1) for c in closers)
    first = min((at for c in closers if (at := body.find(c, 1)) > 0), default=-1)
    # Several quoted pieces with prose between them are a story told, not a quotation.
    return last > 0 and last >= 0.5 * len(body) and first >= 0.4 * len(body)


def reads_as_heading(text: str) -> bool:
    """Whether an unmarked line has the form of a heading: short, of letters, and without the end of a sentence.

    >>> reads_as_heading("The Process of Intelligence Sharing"), reads_as_heading("It was late.")
    (True, False)
    """
    body = text.strip()
    if not body or len(body) > MAX_HEADING or body[-1] in HEADING_ENDS:
        return False
    if "://" in body or body.count(" ") >= MAX_HEADING_WORDS or body[0].islower():
        return False
    if body[-1] in "?!？！" and len(body) > 80:
        return False
    return sum(map(str.isalpha, body)) * 2 >= len(body)


def is_code(lines: list[str]) -> bool:
    """Whether a block is set off by indentation and written in the signs of code.

    >>> is_code(["    if (a == b) {", "        run();", "    }"]), is_code(["    Indented prose, as a quotation."])
    (True, False)
    """
    if not lines[0].startswith(("    ", "\t")):
        return False
    if not all(line.startswith(("    ", "\t")) or not line.strip() for line in lines):
        return False
    text = "".join(lines)
    return sum(c in CODE_SIGNS for c in text[:2000]) * 20 > len(text[:2000].strip())


def one_paragraph(lines: list[str]) -> bool:
    """Whether lines that follow one another are one hard-wrapped paragraph rather than a paragraph each.

    A wrapped line is full: the next line's first word would not have fitted. Lines longer than any column width are
    paragraphs themselves. Short ragged lines stay together unless most of them end a sentence.

    >>> one_paragraph(["The quick brown fox", "jumps over the lazy", "dog."])
    True
    >>> one_paragraph(["A whole sentence stands here.", "And here.", "Here is the third one, a bit longer."])
    False
    """
    width = max(map(len, lines))
    if any(len(line) > LONG_LINE and " " in line.strip() for line in lines):
        return False
    full = ended = 0
    for line, following in pairwise(lines):
        body = following.lstrip()
        word = body.find(" ")
        word = len(body) if word < 0 else word
        full += len(line) + 1 + word > 0.94 * width or len(line) > 0.8 * width
        ended += ends_sentence(line) and not body[:1].islower()
    pairs = len(lines) - 1
    if width <= MAX_WRAP and full * 10 >= pairs * 6 and ended * 10 < pairs * 9:
        return True
    return ended * 2 < pairs
