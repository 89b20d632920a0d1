"""Cut a repaired text into passages that tile it exactly: headings, list items, table rows, quotes, code, prose."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from winnow.base.records import Passage

MAX_HEADING = 140  # characters; the longest headline of the sample articles has 104
MAX_HEADING_WORDS = 20
BULLETS = "-*+•·–—‣◦▪●○■□"
MAX_WRAP = 120  # hard-wrapped text is set to 60-100 columns; longer lines are whole paragraphs
LONG_LINE = 160

# Every expression is anchored and bounded: it looks at the first characters of a line and never backtracks far.
_MARKS = rf"[{re.escape(BULLETS)}]|\(?[0-9]{{1,3}}[.)]|\[[0-9]{{1,3}}\]|[a-z][.)]|\([a-zA-Z]\)|[ivx]{{1,5}}[.)]"
_MARKED = re.compile(
    rf"[ \t]{{0,40}}(?:(?P<table_row>\|)|(?P<list_item>(?:{_MARKS})[ \t]+\S)|(?P<quote>>))"
    r"|(?P<heading>#{1,6}[ \t]+\S)"
)
_FENCE = re.compile(r"[ \t]{0,8}(?:```|~~~)")
_UNDERLINE = re.compile(r"[ \t]{0,8}(?:={3,400}|-{3,400}|~{3,400}|\*{3,400})\Z")
_SPECIAL = re.compile(rf"[ \t]{{0,40}}(?:{_MARKS}|\[[0-9]|[|>`~=])")
_SPECIAL_BELOW = re.compile(rf"\n{_SPECIAL.pattern}")  # many times as fast as a search for a line's start
QUOTES = {"“": "”", "„": "“”", "«": "»", "»": "«", "「": "」", "『": "』", '"': '"', "‹": "›", "‘": "’"}
INDENTS = "    ", "\t"
CODE_SIGNS = "{}();=<>$#\\[]_/&|%"
FULL_STOPS = ".!?。！？…؟।॥։።"
HEADING_ENDS = ".。！？…؟।॥։።:;,：；，、"  # what no heading ends with
CLOSERS = "\"'”’»›)]}」』）】*_"


Span = tuple[int, int, str]
"""Where a passage's text starts and ends, white space after it left out, and its kind."""


class Pieces(NamedTuple):
    """A document cut into passages; ``text + gap`` of all of them, joined, is the document again."""

    kinds: list[str]
    texts: list[str]
    gaps: list[str]

    def passages(self) -> list[Passage]:
        return [Passage(n, *piece) for n, piece in enumerate(zip(*self, strict=True))]


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
    return cut(text).passages()


def cut(text: str) -> Pieces:
    """`split_passages` as columns, for many texts."""
    spans = _spans(text)
    if not spans:  # nothing, or nothing but white space
        return Pieces(["paragraph"], [text], [""]) if text else Pieces([], [], [])
    starts = [start for start, _, _ in spans]
    starts[0] = 0
    ends = [end for _, end, _ in spans]
    # A heading stands above something else; the last line of a text heads nothing.
    kinds = ["heading" if kind == "heading?" else kind for _, _, kind in spans]
    if spans[-1][2] == "heading?":
        kinds[-1] = "paragraph"
    following = [*starts[1:], len(text)]
    return Pieces(
        kinds,
        [text[start:end] for start, end in zip(starts, ends, strict=True)],
        [text[end:start] for end, start in zip(ends, following, strict=True)],
    )


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


def _spans(text: str) -> list[Span]:
    """Spans block by block; fenced code runs to its closing fence. ``heading?`` still depends on what follows."""
    spans: list[Span] = []
    at = 0
    size = len(text)
    end = -1
    while at < size:
        first = text[at]
        if first == "\n":
            at += 1
            continue
        if end <= at:  # looked for once a block, so that many fences in one block do not make it quadratic
            end = text.find("\n\n", at)
            end = size if end < 0 else end
        if first in "`~ \t" and _FENCE.match(text, at, at + 12):
            close = _fence_end(text, at)
            if close > 0:
                spans.append((at, close, "code"))
                at = close
                continue
        block = text[at:end]
        if "\n" in block:
            _add_block(spans, block, at)
        elif body := len(block.rstrip()):
            spans.append((at, at + body, marked_kind(block) or _line_kind(block)))
        at = end
    return spans


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


def _add_block(spans: list[Span], block: str, at: int) -> None:
    if not (_SPECIAL.match(block) or " | " in block or _SPECIAL_BELOW.search(block)):  # so blocks of prose cost no more
        _add_plain(spans, block, at)
        return
    lines = block.split("\n")
    if is_code(lines):
        spans.append((at, at + len(block.rstrip()), "code"))
        return
    kinds = list(map(marked_kind, lines))
    n = 0
    while n < len(lines):
        kind = kinds[n]
        stop = n + 1
        if not lines[n].strip():
            at += len(lines[n]) + 1
            n = stop
            continue
        if kind is None:
            while stop < len(lines) and kinds[stop] is None and lines[stop].strip():
                stop += 1
        elif kind == "list_item":
            stop = _item_end(lines, kinds, n)
        elif kind == "quote":
            while stop < len(lines) and kinds[stop] == "quote":
                stop += 1
        some = lines[n] if stop == n + 1 else "\n".join(lines[n:stop])
        if kind is None:
            _add_plain(spans, some, at)
        else:
            spans.append((at, _end(some, at), kind))
        at += len(some) + 1
        n = stop


def _end(lines: str, at: int) -> int:
    """Where lines that begin at `at` end, white space at the end of the last one left out."""
    last = lines.rfind("\n") + 1
    return at + last + len(lines[last:].rstrip())


def _item_end(lines: list[str], kinds: list[str | None], n: int) -> int:
    """Line after the last one that continues the list item on line `n`: indented below it, or wrapped under it."""
    indent = len(lines[n]) - len(lines[n].lstrip())
    stop = n + 1
    while stop < len(lines):
        line = lines[stop]
        body = line.lstrip()
        if not body or kinds[stop] is not None:
            break
        deeper = len(line) - len(body) > indent
        wrapped = 40 <= len(lines[stop - 1]) <= 120 and body[0].islower() and not ends_sentence(lines[stop - 1])
        if not (deeper or wrapped):
            break
        stop += 1
    return stop


def _add_plain(spans: list[Span], block: str, at: int) -> None:
    """Spans of lines without marks: headings at their top, then one wrapped paragraph or a paragraph a line."""
    lines = block.split("\n")
    end = _end(block, at)
    n = 0
    while n < len(lines) and not lines[n].strip():
        at += len(lines[n]) + 1
        n += 1
    heading = 0  # lines of one at the top
    if len(lines) - n >= 2:
        first = lines[n]
        if is_underline(lines[n + 1]) and len(first) <= 140:
            heading = 2
        elif len(first) <= 60 and first.isupper() and reads_as_heading(first):
            heading = 1
    if heading:
        some = "\n".join(lines[n : n + heading])
        spans.append((at, _end(some, at), "heading"))
        at += len(some) + 1
        n += heading
    run = lines[n:] if n else lines
    if not run:
        return
    if len(run) == 1 or one_paragraph(run):
        spans.append((at, end, _plain_kind(run)))
        return
    for line in run:
        if body := len(line.rstrip()):
            spans.append((at, at + body, _line_kind(line)))
        at += len(line) + 1


def _line_kind(line: str) -> str:
    """Kind of an unmarked line as far as it tells by itself."""
    if not line[:1].isalpha():  # as most do, and then it is neither
        if is_code([line]):
            return "code"
        if is_quotation(line):
            return "quote"
    return "heading?" if reads_as_heading(line) else "paragraph"


def _plain_kind(lines: list[str]) -> str:
    """Kind of unmarked lines that belong together."""
    if len(lines) == 1:
        return _line_kind(lines[0])
    if is_code(lines):
        return "code"
    if lines[0].lstrip()[:1] in QUOTES and is_quotation("\n".join(lines)):
        return "quote"
    few = len(lines) <= 3 and max(map(len, lines)) <= 60
    return "heading?" if few and reads_as_heading("\n".join(lines)) else "paragraph"


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
    found = _MARKED.match(line)
    return found.lastgroup if found else None


def ends_sentence(text: str) -> bool:
    """Whether a text ends as a sentence does, closing quotes and brackets aside.

    >>> ends_sentence("It ended.”"), ends_sentence("Key Takeaways"), ends_sentence("終わり。")
    (True, False, True)
    """
    last = text[-1:]
    if last.isalpha():
        return False
    return bool(last) and text[-8:].rstrip().rstrip(CLOSERS)[-1:] in FULL_STOPS


def is_quotation(text: str) -> bool:
    """Whether a passage is a quotation by itself: it opens with a quote mark, and most of it stands inside.

    >>> is_quotation("“It’s not random.” – the minister"), is_quotation("“No,” she said, and went home again.")
    (True, False)
    """
    body = text.strip()
    closers = QUOTES.get(body[:1])
    if closers is None or len(body) < 12:
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
    if not lines[0].startswith(INDENTS):
        return False
    if not all(line.startswith(INDENTS) or not line.strip() for line in lines):
        return False
    return _has_signs("".join(lines))


def reads_as_code(text: str) -> bool:
    """Whether several lines, one of them indented, are written in the signs of code.

    >>> reads_as_code("def read(path):\\n    return open(path).read()"), reads_as_code("He said:\\n    It was late.")
    (True, False)
    """
    return any(f"\n{indent}" in text for indent in (*INDENTS, "  ")) and _has_signs(text)


def _has_signs(text: str) -> bool:
    some = text[:2000]
    return sum(map(some.count, CODE_SIGNS)) * 20 > len(some.strip())


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
    if width > LONG_LINE and any(len(line) > LONG_LINE and " " in line.strip() for line in lines):
        return False
    following = list(map(str.lstrip, lines[1:]))
    pairs = len(following)
    ended = [n for n, after in enumerate(following) if not after[:1].islower() and ends_sentence(lines[n])]
    if len(ended) * 2 < pairs:
        return True
    if width > MAX_WRAP or len(ended) * 10 >= pairs * 9:
        return False
    full = 0
    for line, after in zip(lines, following, strict=False):
        word = after.find(" ")
        full += len(line) > 0.8 * width or len(line) + 1 + (len(after) if word < 0 else word) > 0.94 * width
    return full * 10 >= pairs * 6
