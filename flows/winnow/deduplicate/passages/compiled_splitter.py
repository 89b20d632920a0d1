"""`splitter.split_passages` as a compiled loop over many documents at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from winnow.deduplicate.passages import compiled_lines as line
from winnow.deduplicate.passages.utf8_texts import Offsets, Utf8Texts
from winnow.deduplicate.repeats.promotion import MAX_PROMO, OPENINGS


@njit(cache=True, nogil=True)
def _plain(codes, flags, starts, ends, n, stop, spans, count):  # type: ignore[no-untyped-def]
    while n < stop and line.after_spaces(flags, starts[n], ends[n]) == ends[n]:
        n += 1
    if stop - n >= 2 and ends[n] - starts[n] <= 140 and line.is_underline(codes, starts[n + 1], ends[n + 1]):
        count = _add(flags, starts, ends, n, n + 2, line.HEADING, spans, count)
        n += 2
    elif (
        stop - n >= 2
        and ends[n] - starts[n] <= 60
        and line.is_upper(flags, starts[n], ends[n])
        and line.reads_as_heading(codes, flags, starts[n], ends[n])
    ):
        count = _add(flags, starts, ends, n, n + 1, line.HEADING, spans, count)
        n += 1
    if n >= stop:
        return count
    if stop - n == 1 or line.one_paragraph(codes, flags, starts, ends, n, stop):
        kind = line.plain_kind(codes, flags, starts, ends, n, stop)
        return _add(flags, starts, ends, n, stop, kind, spans, count)
    for k in range(n, stop):
        if line.after_spaces(flags, starts[k], ends[k]) < ends[k]:
            kind = line.plain_kind(codes, flags, starts, ends, k, k + 1)
            count = _add(flags, starts, ends, k, k + 1, kind, spans, count)
    return count


@njit(cache=True, nogil=True)
def _add(flags, starts, ends, n, stop, kind, spans, count):  # type: ignore[no-untyped-def]
    spans[count, 0] = starts[n]
    spans[count, 1] = line.before_spaces(flags, starts[stop - 1], ends[stop - 1])
    spans[count, 2] = kind
    return count + 1


@njit(cache=True, nogil=True)
def _block(codes, flags, at, end, starts, ends, marks, spans, count):  # type: ignore[no-untyped-def]
    lines = 0
    structured = False
    start = at
    while start <= end:
        stop = start
        bars = False
        while stop < end and codes[stop] != 10:
            bars |= codes[stop] == 124
            stop += 1
        bars = bars and line.has_bars(codes, start, stop)
        starts[lines], ends[lines] = start, stop
        marks[lines] = line.marked(codes, flags, start, stop, bars)
        structured |= line.special(codes, flags, start, stop, bars)
        lines += 1
        start = stop + 1
    if lines == 1:
        kind = marks[0] if marks[0] != line.NONE else line.plain_kind(codes, flags, starts, ends, 0, 1)
        return _add(flags, starts, ends, 0, 1, kind, spans, count)
    if not structured:
        return _plain(codes, flags, starts, ends, 0, lines, spans, count)
    if line.is_code(codes, flags, starts, ends, 0, lines):
        count = _add(flags, starts, ends, 0, lines, line.CODE, spans, count)
        spans[count - 1, 1] = line.before_spaces(flags, at, end)
        return count
    n = 0
    while n < lines:
        if line.after_spaces(flags, starts[n], ends[n]) == ends[n]:
            n += 1
            continue
        stop = n + 1
        if marks[n] == line.NONE:
            while (
                stop < lines
                and marks[stop] == line.NONE
                and line.after_spaces(flags, starts[stop], ends[stop]) < ends[stop]
            ):
                stop += 1
            count = _plain(codes, flags, starts, ends, n, stop, spans, count)
        else:
            if marks[n] == line.ITEM:
                indent = line.after_spaces(flags, starts[n], ends[n]) - starts[n]
                while stop < lines:
                    body = line.after_spaces(flags, starts[stop], ends[stop])
                    if body == ends[stop] or marks[stop] != line.NONE:
                        break
                    size = ends[stop - 1] - starts[stop - 1]
                    if body - starts[stop] <= indent and not (
                        40 <= size <= 120
                        and flags[body] & line.LOWER
                        and not line.ends_sentence(flags, starts[stop - 1], ends[stop - 1])
                    ):
                        break
                    stop += 1
            elif marks[n] == line.QUOTATION:
                while stop < lines and marks[stop] == line.QUOTATION:
                    stop += 1
            count = _add(flags, starts, ends, n, stop, marks[n], spans, count)
        n = stop
    return count


@njit(cache=True, nogil=True)
def _fence_end(codes, flags, start, size):  # type: ignore[no-untyped-def]
    sign = codes[line.after_spaces(flags, start, size)]
    at = start
    while at < size and codes[at] != 10:
        at += 1
    while at < min(size, start + 20_000):
        end = at + 1
        while end < size and codes[end] != 10:
            end += 1
        first = min(end, at + 60)
        body, stop = line.after_spaces(flags, at + 1, first), line.before_spaces(flags, at + 1, first)
        if stop - body == 3 and codes[body] == sign and codes[body + 1] == sign and codes[body + 2] == sign:
            return line.before_spaces(flags, at + 1, end)
        at = end
    return -1


@njit(cache=True, nogil=True)
def _is_fence(codes, at, size):  # type: ignore[no-untyped-def]
    start = at
    while at < size and at - start <= 8 and (codes[at] == 32 or codes[at] == 9):
        at += 1
    if at - start > 8 or at + 3 > size or (codes[at] != 96 and codes[at] != 126):
        return False
    return codes[at + 1] == codes[at] and codes[at + 2] == codes[at]


@njit(cache=True, nogil=True)
def _document(codes, flags, size, starts, ends, marks, spans):  # type: ignore[no-untyped-def]
    at = count = 0
    end = -1
    while at < size:
        if codes[at] == 10:
            at += 1
            continue
        if end <= at:
            end = at
            while end < size and not (codes[end] == 10 and end + 1 < size and codes[end + 1] == 10):
                end += 1
        code = codes[at]
        if (code == 96 or code == 126 or code == 32 or code == 9) and _is_fence(codes, at, size):
            close = _fence_end(codes, flags, at, size)
            if close > 0:
                spans[count, 0], spans[count, 1], spans[count, 2] = at, close, line.CODE
                count += 1
                at = close
                continue
        if line.after_spaces(flags, at, end) < end:
            count = _block(codes, flags, at, end, starts, ends, marks, spans, count)
        at = end
    for n in range(count):
        if spans[n, 2] == line.MAYBE_HEADING:
            spans[n, 2] = line.HEADING if n + 1 < count else line.PARAGRAPH
    return count


@njit(cache=True, nogil=True)
def _may_promote(codes, flags, start, end, openings):  # type: ignore[no-untyped-def]
    """Whether `promotion` need look at a passage: it opens like a call or a marker, or a slash is near its end."""
    if end - start > MAX_PROMO:
        return False
    at = line.before_spaces(flags, start, end) - 1
    first = max(start, at - 28)
    while at > first and (codes[at] == 45 or codes[at] == 46 or codes[at] == 0x2026 or flags[at] & line.ALNUM):
        at -= 1
    if codes[at] == 47:  # what follows the last slash may be the end of a short link: its host ends in .x to .xxx
        for n in range(max(start, at - 4), at):
            if codes[n] == 46:
                return True
    at = start
    while at < end and (not flags[at] & line.ALPHA):
        at += 1
    if at == end or codes[at] > 127:
        return at < end and end - start < 100  # a marker in another script
    key = np.int64(0)
    for n in range(5):
        code = codes[at + n] | 32 if at + n < end and flags[at + n] & line.ALNUM else 32
        if code > 127:
            return True
        key = key << 8 | code
    for opening in openings:  # noqa: SIM110
        if key == opening:
            return True
    return False


@njit(cache=True, nogil=True)
def _split(data, offsets, table, openings, out, chars, marks, promos, ends):  # type: ignore[no-untyped-def]
    """Fill, for each passage, where its text starts and ends (bytes) and its kind; return how many, -1 if no room."""
    longest = 0
    for d in range(len(offsets) - 1):
        longest = max(longest, offsets[d + 1] - offsets[d])
    codes, flags = np.empty(longest, np.uint32), np.empty(longest, np.uint16)
    places = np.empty(longest + 1, np.int32)
    count = 0
    lines = 64
    starts, stops, kinds = np.empty(lines, np.int64), np.empty(lines, np.int64), np.empty(lines, np.int8)
    spans = np.empty((2 * lines, 3), np.int64)
    for d in range(len(offsets) - 1):
        size = line.decode(data, offsets[d], offsets[d + 1], table, codes, flags, places)
        need = 2
        for n in range(size):
            need += codes[n] == 10
        if need > lines:
            lines = 2 * need
            starts, stops, kinds = np.empty(lines, np.int64), np.empty(lines, np.int64), np.empty(lines, np.int8)
            spans = np.empty((2 * lines, 3), np.int64)
        found = _document(codes, flags, size, starts, stops, kinds, spans)
        if not found and size:
            spans[0, 0], spans[0, 1], spans[0, 2] = 0, size, line.PARAGRAPH
            found = 1
        if count + found > len(out):
            return -1
        at = 0
        for n in range(found):
            out[count, 0] = offsets[d] + places[at]
            out[count, 1] = offsets[d] + places[spans[n, 1]]
            chars[count] = spans[n, 1] - at
            marks[count] = spans[n, 2]
            promos[count] = _may_promote(codes, flags, at, spans[n, 1], openings)
            at = spans[n + 1, 0] if n + 1 < found else size
            count += 1
        ends[d] = count
    return count


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitDocuments:
    """The passages of documents that lie end to end: one row each, documents after one another."""

    bounds: NDArray[np.int64]  # (passages, 2): bytes at which the text starts and ends; the gap goes to the next start
    chars: NDArray[np.int32]  # of the text
    kinds: NDArray[np.int8]  # places in compiled_lines.KINDS
    may_promote: NDArray[np.bool_]
    ends: Offsets  # number of passages up to the end of each document

    @property
    def starts(self) -> Offsets:
        """Number of passages before each document."""
        return np.append(0, self.ends)[:-1].astype(np.int64)


def split_documents(texts: Utf8Texts) -> SplitDocuments:
    """Cut each document as `split_passages` does.

    >>> text = b"A Title|Some prose here.|- one".replace(b"|", bytes([10, 10]))
    >>> found = split_documents(Utf8Texts(np.frombuffer(text, np.uint8), np.array([0, len(text)])))
    >>> found.bounds.tolist(), found.kinds.tolist()
    ([[0, 7], [9, 25], [27, 32]], [1, 0, 2])
    """
    openings = np.array([int.from_bytes(o.encode(), "big") for o in OPENINGS], np.int64)
    room = int(texts.offsets[-1] - texts.offsets[0]) // 40 + 1024
    while True:
        bounds, ends = np.empty((room, 2), np.int64), np.zeros(len(texts), np.int64)
        chars, kinds, promos = np.empty(room, np.int32), np.empty(room, np.int8), np.empty(room, np.bool_)
        n = _split(texts.data, texts.offsets, line.flag_table(), openings, bounds, chars, kinds, promos, ends)
        if n >= 0:
            return SplitDocuments(
                bounds=bounds[:n].copy(),
                chars=chars[:n].copy(),
                kinds=kinds[:n].copy(),
                may_promote=promos[:n].copy(),
                ends=ends,
            )
        room *= 4
