"""What `splitter` says of a line or a block, as compiled loops over code points and flags; the reasons stand there."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from winnow.deduplicate.passages.fingerprint import TOP
from winnow.deduplicate.passages.splitter import BULLETS, CLOSERS, CODE_SIGNS, FULL_STOPS, HEADING_ENDS, QUOTES
from winnow.deduplicate.passages.utf8_texts import code_point

KINDS = ("paragraph", "heading", "list_item", "table_row", "quote", "code")
PARAGRAPH, HEADING, ITEM, ROW, QUOTATION, CODE = range(6)
MAYBE_HEADING = 6  # it depends on what follows
NONE = -1
SPACE, ALPHA, LOWER, UPPER, TITLE, SIGN, STOP, CLOSER, HEADING_END, BULLET, QUOTE, ALNUM = (1 << n for n in range(12))
_CLOSERS_OF = np.array([[*map(ord, (quote + 2 * closers)[:3])] for quote, closers in QUOTES.items()], np.uint32)


@lru_cache(maxsize=1)
def flag_table() -> NDArray[np.uint16]:
    """Flags by code point, made from what Python says of it; those above the table have none."""
    every = [chr(code) for code in range(TOP)]

    def flags(holds: Callable[[str], bool], flag: int) -> NDArray[np.uint16]:
        return np.fromiter(map(holds, every), np.bool_, TOP) * np.uint16(flag)

    table = flags(str.isspace, SPACE) | flags(str.isalpha, ALPHA) | flags(str.islower, LOWER)
    table |= flags(str.isupper, UPPER) | flags(str.isalnum, ALNUM)
    table |= flags(str.istitle, TITLE) * (table & UPPER == 0)
    table[ord("_")] |= ALNUM
    sets = ((CODE_SIGNS, SIGN), (FULL_STOPS, STOP), (CLOSERS, CLOSER), (HEADING_ENDS, HEADING_END))
    for chars, flag in (*sets, (BULLETS, BULLET), (QUOTES, QUOTE)):
        for char in chars:
            table[ord(char)] |= flag
    return table


@njit(cache=True, nogil=True)
def decode(data, start, end, table, codes, flags, places):  # type: ignore[no-untyped-def]
    """Code points, flags and byte offsets (from `start`) of the UTF-8 in ``data[start:end]``; returns how many."""
    n = 0
    at = start
    while at < end:
        places[n] = at - start
        byte = np.uint32(data[at])
        if byte < 0x80:
            code = byte
            at += 1
        else:
            code, size = code_point(data, np.uint64(at))
            at += np.int64(size)
        codes[n] = code
        flags[n] = table[code] if code < len(table) else 0
        n += 1
    places[n] = end - start
    return n


@njit(cache=True, nogil=True)
def after_spaces(flags, start, end):  # type: ignore[no-untyped-def]
    while start < end and flags[start] & SPACE:
        start += 1
    return start


@njit(cache=True, nogil=True)
def before_spaces(flags, start, end):  # type: ignore[no-untyped-def]
    while end > start and flags[end - 1] & SPACE:
        end -= 1
    return end


@njit(cache=True, nogil=True)
def after_blanks(codes, start, end):  # type: ignore[no-untyped-def]
    while start < end and (codes[start] == 32 or codes[start] == 9):
        start += 1
    return start


@njit(cache=True, nogil=True)
def digit(code):  # type: ignore[no-untyped-def]
    return 48 <= code <= 57


@njit(cache=True, nogil=True)
def mark_end(codes, flags, at, end):  # type: ignore[no-untyped-def]
    """Where the mark of a list item that stands at `at` ends, -1 where there is none."""
    if at >= end:
        return -1
    code = codes[at]
    if flags[at] & BULLET:
        return at + 1
    if code == 40 and at + 2 < end and codes[at + 2] == 41 and 65 <= (codes[at + 1] & ~np.uint32(32)) <= 90:  # (a)
        return at + 3
    first = at + 1 if code == 40 else at
    n = first
    while n < end and n - first < 3 and digit(codes[n]):
        n += 1
    if n > first and n < end and (codes[n] == 46 or codes[n] == 41):
        return n + 1
    if code == 91:  # [1]
        n = at + 1
        while n < end and n - at <= 3 and digit(codes[n]):
            n += 1
        return n + 1 if n > at + 1 and n < end and codes[n] == 93 else -1
    if 97 <= code <= 122 and at + 1 < end and (codes[at + 1] == 46 or codes[at + 1] == 41):
        return at + 2
    n = at
    while n < end and n - at < 5 and (codes[n] == 105 or codes[n] == 118 or codes[n] == 120):  # i, v, x
        n += 1
    return n + 1 if n > at and n < end and (codes[n] == 46 or codes[n] == 41) else -1


@njit(cache=True, nogil=True)
def has_bars(codes, start, end):  # type: ignore[no-untyped-def]
    for n in range(start + 1, end - 1):  # noqa: SIM110
        if codes[n] == 124 and codes[n - 1] == 32 and codes[n + 1] == 32:
            return True
    return False


@njit(cache=True, nogil=True)
def indented(codes, start, end):  # type: ignore[no-untyped-def]
    """First character that is no space and no tab, -1 after more than 40 of them."""
    at = after_blanks(codes, start, end)
    return at if at - start <= 40 else -1


@njit(cache=True, nogil=True)
def marked(codes, flags, start, end, bars):  # type: ignore[no-untyped-def]
    """`splitter.marked_kind`."""
    body = after_spaces(flags, start, end)
    if bars and not (body < end and (codes[body] == 36 or codes[body] == 35)):
        return ROW
    if body < end and flags[body] & ALPHA:
        near = False
        for n in range(body + 1, min(body + 7, end)):
            near |= codes[n] == 46 or codes[n] == 41
        if not near:
            return NONE
    at = indented(codes, start, end)
    if 0 <= at < end:
        if codes[at] == 124:
            return ROW
        after = mark_end(codes, flags, at, end)
        if 0 <= after < end and (codes[after] == 32 or codes[after] == 9):
            after = after_blanks(codes, after, end)
            if after < end and not flags[after] & SPACE:
                return ITEM
        if codes[at] == 62:
            return QUOTATION
    at = start
    while at < end and at - start < 6 and codes[at] == 35:
        at += 1
    if at > start and at < end and (codes[at] == 32 or codes[at] == 9):
        at = after_blanks(codes, at, end)
        if at < end and not flags[at] & SPACE:
            return HEADING
    return NONE


@njit(cache=True, nogil=True)
def special(codes, flags, start, end, bars):  # type: ignore[no-untyped-def]
    """Whether a line may be more than prose, as `splitter` looks for it in a block."""
    at = indented(codes, start, end)
    if bars or at < 0 or at >= end:
        return bars
    code = codes[at]
    if code == 124 or code == 62 or code == 96 or code == 126 or code == 61:
        return True
    return (code == 91 and at + 1 < end and digit(codes[at + 1])) or mark_end(codes, flags, at, end) >= 0


@njit(cache=True, nogil=True)
def ends_sentence(flags, start, end):  # type: ignore[no-untyped-def]
    first = max(start, end - 8)
    last = before_spaces(flags, first, end)
    while last > first and flags[last - 1] & CLOSER:
        last -= 1
    if last == first:
        return end > start
    return flags[last - 1] & STOP != 0


@njit(cache=True, nogil=True)
def is_quotation(codes, flags, start, end):  # type: ignore[no-untyped-def]
    start, end = after_spaces(flags, start, end), before_spaces(flags, start, end)
    size = end - start
    if size < 12 or not flags[start] & QUOTE:
        return False
    one = two = np.uint32(0)
    for n in range(len(_CLOSERS_OF)):
        if _CLOSERS_OF[n, 0] == codes[start]:
            one, two = _CLOSERS_OF[n, 1], _CLOSERS_OF[n, 2]
    first = last = -1
    for n in range(start + 1, end):
        if codes[n] == one or codes[n] == two:
            if first < 0:
                first = n - start
            last = n - start
    return last > 0 and last >= 0.5 * size and first >= 0.4 * size


@njit(cache=True, nogil=True)
def reads_as_heading(codes, flags, start, end):  # type: ignore[no-untyped-def]
    start, end = after_spaces(flags, start, end), before_spaces(flags, start, end)
    size = end - start
    if size <= 0 or size > 140 or flags[end - 1] & HEADING_END or flags[start] & LOWER:
        return False
    if size > 80 and (codes[end - 1] == 63 or codes[end - 1] == 33):
        return False
    spaces = letters = 0
    for n in range(start, end):
        spaces += codes[n] == 32
        letters += flags[n] & ALPHA != 0
        if codes[n] == 58 and n + 2 < end and codes[n + 1] == 47 and codes[n + 2] == 47:  # ://
            return False
    return spaces < 20 and letters * 2 >= size


@njit(cache=True, nogil=True)
def tabbed(codes, start, end):  # type: ignore[no-untyped-def]
    if start < end and codes[start] == 9:
        return True
    if end - start < 4:
        return False
    return codes[start] == 32 and codes[start + 1] == 32 and codes[start + 2] == 32 and codes[start + 3] == 32


@njit(cache=True, nogil=True)
def is_code(codes, flags, starts, ends, n, stop):  # type: ignore[no-untyped-def]
    if not tabbed(codes, starts[n], ends[n]):
        return False
    for k in range(n, stop):
        if not tabbed(codes, starts[k], ends[k]) and after_spaces(flags, starts[k], ends[k]) < ends[k]:
            return False
    seen = signs = 0
    first = last = -1
    for k in range(n, stop):
        for c in range(starts[k], ends[k]):
            if seen == 2000:
                break
            if not flags[c] & SPACE:
                if first < 0:
                    first = seen
                last = seen
                signs += flags[c] & SIGN != 0
            seen += 1
    return signs * 20 > (last - first + 1 if first >= 0 else 0)


@njit(cache=True, nogil=True)
def one_paragraph(codes, flags, starts, ends, n, stop):  # type: ignore[no-untyped-def]
    width = 0
    for k in range(n, stop):
        size = ends[k] - starts[k]
        width = max(width, size)
        if size > 160:
            for c in range(after_spaces(flags, starts[k], ends[k]), before_spaces(flags, starts[k], ends[k])):
                if codes[c] == 32:
                    return False
    full = ended = 0
    for k in range(n, stop - 1):
        size = ends[k] - starts[k]
        body = after_spaces(flags, starts[k + 1], ends[k + 1])
        word = body
        while word < ends[k + 1] and codes[word] != 32:
            word += 1
        full += size + 1 + (word - body) > 0.94 * width or size > 0.8 * width
        if ends_sentence(flags, starts[k], ends[k]):
            ended += not (body < ends[k + 1] and flags[body] & LOWER)
    pairs = stop - n - 1
    if width <= 120 and full * 10 >= pairs * 6 and ended * 10 < pairs * 9:
        return True
    return ended * 2 < pairs


@njit(cache=True, nogil=True)
def plain_kind(codes, flags, starts, ends, n, stop):  # type: ignore[no-untyped-def]
    if is_code(codes, flags, starts, ends, n, stop):
        return CODE
    start, end = starts[n], ends[stop - 1]
    if is_quotation(codes, flags, start, end):
        return QUOTATION
    if end - start > 140 or stop - n > 3:
        return PARAGRAPH
    if stop - n > 1:
        for k in range(n, stop):
            if ends[k] - starts[k] > 60:
                return PARAGRAPH
    return MAYBE_HEADING if reads_as_heading(codes, flags, start, end) else PARAGRAPH


@njit(cache=True, nogil=True)
def is_underline(codes, start, end):  # type: ignore[no-untyped-def]
    at = after_blanks(codes, start, end)
    if at - start > 8 or not 3 <= end - at <= 400:
        return False
    if codes[at] != 61 and codes[at] != 45 and codes[at] != 126 and codes[at] != 42:
        return False
    for n in range(at + 1, end):  # noqa: SIM110
        if codes[n] != codes[at]:
            return False
    return True


@njit(cache=True, nogil=True)
def is_upper(flags, start, end):  # type: ignore[no-untyped-def]
    upper = False
    for n in range(start, end):
        if flags[n] & (LOWER | TITLE):
            return False
        upper |= flags[n] & UPPER != 0
    return upper
