"""Cut a repaired text into passages that tile it exactly: headings, list items, table rows, quotes, code, prose."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from winnow.base.records import Passage

MAX_HEADING = 140  # characters; the longest headline of the sample articles has 104
MAX_HEADING_WORDS = 20
BULLETS = "-*+•·–—‣◦▪●○■□"
MAX_WRAP = 120  # hard-wrapped text is set to 60-100 columns; longer lines are whole paragraphs
LONG_LINE = 160

# Every expression is anchored and bounded: it looks at the first characters of a line and never backtracks far.
_MARKS = rf"[{re.escape(BULLETS)}]|\(?[0-9]{{1,3}}[.)]|\[[0-9]{{1,3}}\]|[a-z][.)]|\([a-zA-Z]\)|[ivx]{{1,5}}[.)]"
_MARKER = re.compile(rf"[ \t]{{0,40}}(?:{_MARKS})[ \t]+\S")
_TABLE = re.compile(r"[ \t]{0,40}\|")
_QUOTED = re.compile(r"[ \t]{0,40}>")
_FENCE = re.compile(r"[ \t]{0,8}(?:```|~~~)")
_UNDERLINE = re.compile(r"[ \t]{0,8}(?:={3,400}|-{3,400}|~{3,400}|\*{3,400})\Z")
_HASHES = re.compile(r"#{1,6}[ \t]+\S")
_SPECIAL = re.compile(rf"^[ \t]{{0,40}}(?:{_MARKS}|\[[0-9]|[|>`~=])| \| ", re.M)
QUOTES = {"“": "”", "„": "“”", "«": "»", "»": "«", "「": "」", "『": "』", '"': '"', "‹": "›", "‘": "’"}
CODE_SIGNS = frozenset("{}();=<>$#\\[]_/&|%")
FULL_STOPS = ".!?。！？…؟।॥։።"
HEADING_ENDS = ".。！？…؟।॥։።:;,：；，、"  # what no heading ends with
CLOSERS = "\"'”’»›)]}」』）】*_"


class Span(NamedTuple):
    """Where a passage's text starts and ends, white space after it left out, and its kind."""

    start: int
    end: int
    kind: str


def split_passages(text: str) -> list[Passage]:
    """Cut `text` into passages; ``text + gap`` of all passages, joined, is `text` again.

    A gap is white space only; a passage's text carries its indentation. Whether lines that follow one another are one
    hard-wrapped paragraph or a paragraph each is decided block by block, a block being what blank lines set apart.
    Takes time linear in the text, also for one line of any length.

    >>> [(p.kind, p.text, p.gap) for p in split_passages("A Title\\n\\nSome prose here.\\n- one\\n- two")]
    ... # doctest: +NORMALIZE_WHITESPACE
    [('heading', 'A Title', '\\n\\n'), ('paragraph', 'Some prose here.', '\\n'),
     ('list_item', '- one', '\\n'), ('list_item', '- two', '')]
    """
    if not text:
        return []
    spans = list(_with_headings(list(_spans(text))))
    if not spans:  # nothing but white space
        return [Passage(0, "paragraph", text, "")]
    passages = []
    at = 0
    for position, span in enumerate(spans):
        following = spans[position + 1].start if position + 1 < len(spans) else len(text)
        passages.append(Passage(position, span.kind, text[at : span.end], text[span.end : following]))
        at = following
    return passages


def title_of(passages: Sequence[Passage]) -> str | None:
    """The first heading that reads as a title before the first paragraph; None where there is none.

    A label of one or two words ("PRESS RELEASE") gives way to a fuller heading after it.

    >>> title_of(split_passages("PRESS RELEASE\\n\\nCity Opens a New Bridge\\n\\nThe city opened a bridge today."))
    'City Opens a New Bridge'
    >>> title_of(split_passages("It begins with prose. There is no heading.")) is None
    True
    """
    labels: list[str | None] = []
    for passage in passages:
        if passage.kind != "heading":
            if passage.kind == "paragraph" and len(passage.text) < 80 and not ends_sentence(passage.text):
                continue
            break
        title = " ".join(passage.text.strip().strip("#").split("\n")[0].split())
        if len(title.split()) >= 3 or len(title.encode()) >= 24:
            return title
        labels.append(title if passage.position == 0 else None)
    return labels[0] if len(labels) == 1 else None


def _spans(text: str) -> Iterator[Span]:
    """Spans block by block; fenced code runs to its closing fence."""
    at = 0
    size = len(text)
    end = -1
    while at < size:
        if text[at] == "\n":
            at += 1
            continue
        if end <= at:  # looked for once a block, so that many fences in one block do not make it quadratic
            end = text.find("\n\n", at)
            end = size if end < 0 else end
        if text[at] in "`~ \t" and _FENCE.match(text, at, at + 12):
            close = _fence_end(text, at)
            if close > 0:
                yield Span(at, close, "code")
                at = close
                continue
        block = text[at:end]
        if "\n" in block:
            yield from _block_spans(block, at)
        elif not block.isspace():
            yield Span(at, at + len(block.rstrip()), marked_kind(block) or _plain_kind([block]))
        at = end


def _fence_end(text: str, start: int) -> int:
    """End of the fenced block that opens at `start`, or -1 where no fence closes it (looks 20,000 characters far)."""
    fence = text[start : start + 40].lstrip()[:3]
    at = text.find("\n", start)
    limit = min(len(text), start + 20_000)
    while 0 <= at < limit:
        following = text.find("\n", at + 1)
        line_end = len(text) if following < 0 else following
        if text[at + 1 : min(line_end, at + 60)].strip() == fence:
            return at + 1 + len(text[at + 1 : line_end].rstrip())
        at = following
    return -1


def _block_spans(block: str, offset: int) -> Iterator[Span]:
    lines = block.split("\n")
    starts = [offset]
    for line in lines[:-1]:
        starts.append(starts[-1] + len(line) + 1)
    if not _SPECIAL.search(block):  # one search, so that blocks of prose cost no more
        yield from _plain_spans(lines, starts, 0, len(lines))
        return
    if is_code(lines):
        yield Span(starts[0], offset + len(block.rstrip()), "code")
        return
    n = 0
    while n < len(lines):
        kind = marked_kind(lines[n])
        if not lines[n].strip():
            n += 1
        elif kind is None:
            stop = n + 1
            while stop < len(lines) and lines[stop].strip() and marked_kind(lines[stop]) is None:
                stop += 1
            yield from _plain_spans(lines, starts, n, stop)
            n = stop
        else:
            stop = n + 1
            if kind == "list_item":
                stop = _item_end(lines, n)
            elif kind == "quote":
                while stop < len(lines) and marked_kind(lines[stop]) == "quote":
                    stop += 1
            yield _span(lines, starts, n, stop, kind)
            n = stop


def _item_end(lines: list[str], n: int) -> int:
    """Line after the last one that continues the list item on line `n`: indented below it, or wrapped under it."""
    indent = len(lines[n]) - len(lines[n].lstrip())
    stop = n + 1
    while stop < len(lines):
        line = lines[stop]
        body = line.lstrip()
        if not body or marked_kind(line) is not None:
            break
        deeper = len(line) - len(body) > indent
        wrapped = 40 <= len(lines[stop - 1]) <= 120 and body[0].islower() and not ends_sentence(lines[stop - 1])
        if not (deeper or wrapped):
            break
        stop += 1
    return stop


def _plain_spans(lines: list[str], starts: list[int], n: int, stop: int) -> Iterator[Span]:
    """Spans of lines without marks: headings at their top, then one wrapped paragraph or a paragraph a line."""
    while n < stop and not lines[n].strip():
        n += 1
    if stop - n >= 2 and is_underline(lines[n + 1]) and len(lines[n]) <= 140:
        yield _span(lines, starts, n, n + 2, "heading")
        n += 2
    elif stop - n >= 2 and len(lines[n]) <= 60 and lines[n].isupper() and reads_as_heading(lines[n]):
        yield _span(lines, starts, n, n + 1, "heading")
        n += 1
    if n >= stop:
        return
    run = lines[n:stop]
    if len(run) == 1 or one_paragraph(run):
        yield _span(lines, starts, n, stop, _plain_kind(run))
        return
    for at in range(n, stop):
        if lines[at].strip():
            yield _span(lines, starts, at, at + 1, _plain_kind([lines[at]]))


def _span(lines: list[str], starts: list[int], n: int, stop: int, kind: str) -> Span:
    last = stop - 1
    return Span(starts[n], starts[last] + len(lines[last].rstrip()), kind)


def _plain_kind(lines: list[str]) -> str:
    """Kind of unmarked lines as far as they tell by themselves; ``heading?`` still depends on what follows."""
    if is_code(lines):
        return "code"
    body = lines[0] if len(lines) == 1 else "\n".join(lines)
    if is_quotation(body):
        return "quote"
    few = len(lines) == 1 or (len(lines) <= 3 and max(map(len, lines)) <= 60)
    return "heading?" if few and reads_as_heading(body) else "paragraph"


def _with_headings(spans: list[Span]) -> Iterator[Span]:
    """Settle ``heading?``: a heading stands above something else; the last line of a text heads nothing."""
    for n, span in enumerate(spans, 1):
        maybe = span.kind == "heading?"
        yield span._replace(kind="heading" if n < len(spans) else "paragraph") if maybe else span


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
