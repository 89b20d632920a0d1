"""Cut a repaired text into passages that tile it exactly, and find its title."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from winnow.base.records import Passage
from winnow.deduplicate.passages.lines import (
    MAX_HEADING,
    ends_sentence,
    is_code,
    is_fence,
    is_quotation,
    is_underline,
    marked_kind,
    may_have_structure,
    one_paragraph,
    reads_as_heading,
)

Span = tuple[int, int, str]
"""Start and end offset of a passage's text (white space after it left out), and its kind."""


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
    spans = list(_with_headings(text, list(_spans(text))))
    if not spans:  # nothing but white space
        return [Passage(0, "paragraph", text, "")]
    passages = []
    at = 0
    for position, (_, end, kind) in enumerate(spans):
        following = spans[position + 1][0] if position + 1 < len(spans) else len(text)
        passages.append(Passage(position, kind, text[at:end], text[end:following]))
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
    labels = []
    for passage in passages:
        if passage.kind != "heading":
            if passage.kind == "paragraph" and len(passage.text) < 80 and not ends_sentence(passage.text):
                continue
            break
        title = " ".join(passage.text.strip().strip("#").split("\n")[0].split())
        if len(title.split()) >= 3 or len(title.encode()) >= 24:
            return title
        labels.append((passage.position, title))
    return labels[0][1] if len(labels) == 1 and labels[0][0] == 0 else None


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
        if text[at] in "`~ \t" and is_fence(text[at : at + 12]):
            close = _fence_end(text, at)
            if close > 0:
                yield at, close, "code"
                at = close
                continue
        block = text[at:end]
        if block.isspace():
            pass
        elif "\n" not in block:
            yield at, at + len(block.rstrip()), marked_kind(block) or _plain_kind([block])
        else:
            yield from _block_spans(block, at)
        at = end


def _fence_end(text: str, start: int) -> int:
    """End of the fenced block that opens at `start`, or -1 where no fence closes it (looks 20,000 characters far)."""
    fence = text[start:].lstrip()[:3] if start + 40 > len(text) else text[start : start + 40].lstrip()[:3]
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
    if not may_have_structure(block):
        yield from _plain_spans(lines, starts, 0, len(lines))
        return
    if is_code(lines):
        yield starts[0], offset + len(block.rstrip()), "code"
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
    return starts[n], starts[last] + len(lines[last].rstrip()), kind


def _plain_kind(lines: list[str]) -> str:
    """Kind of unmarked lines as far as they tell by themselves; ``heading?`` still depends on what follows."""
    if is_code(lines):
        return "code"
    body = lines[0] if len(lines) == 1 else "\n".join(lines)
    if is_quotation(body):
        return "quote"
    if (
        len(body) <= MAX_HEADING
        and (len(lines) == 1 or (len(lines) <= 3 and max(map(len, lines)) <= 60))
        and reads_as_heading(body)
    ):
        return "heading?"
    return "paragraph"


def _with_headings(text: str, spans: list[Span]) -> Iterator[Span]:
    """Settle ``heading?``: a heading stands above something else; the last line of a text heads nothing."""
    for n, (start, end, kind) in enumerate(spans):
        if kind == "heading?":
            kind = "heading" if n + 1 < len(spans) else "paragraph"
        yield start, end, kind
