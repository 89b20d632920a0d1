"""Which passages of a document say something that another of its passages says too, found in one pass over shingles."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from winnow.deduplicate.documents.shingles import Bytes, Offsets, letter_table, shingle_document

_RUN = 6  # shingles in a row: ten words
"""A passage of 30 words or more at Jaccard .9 has at least twelve unchanged in a row; three sentences of 80 characters
in all have ten words in any language that sets words apart."""


@njit(cache=True, nogil=True)
def _mark(data, offsets, ends, table, marks):  # type: ignore[no-untyped-def]
    first = 0
    size = np.int64(0)
    for end in ends:
        size = max(size, offsets[end] - offsets[first])
        first = end
    hashes = np.empty(size + 1, np.uint64)
    owners = np.empty(size + 1, np.int64)
    room = 1
    slots = np.zeros(1, np.uint64)
    held = np.zeros(1, np.int64)
    first = 0
    for end in ends:
        count = 0
        for p in range(first, end):
            more, words = shingle_document(data, offsets[p : p + 2], table, hashes[count:])
            if words >= 5:
                owners[count : count + more] = p
                count += more
        while room < 2 * count:
            room *= 2
        if room > len(slots):
            slots = np.zeros(room, np.uint64)
            held = np.zeros(room, np.int64)
        mask = np.uint64(room - 1)
        run = 0
        for i in range(count):
            h = max(hashes[i], np.uint64(1))
            slot = h & mask
            while slots[slot] != 0 and slots[slot] != h:
                slot = (slot + np.uint64(1)) & mask
            if slots[slot] == 0:
                slots[slot] = h
                held[slot] = owners[i]
                run = 0
                continue
            run = run + 1 if i > 0 and owners[i] == owners[i - 1] else 1
            if run >= _RUN:
                marks[owners[i]] = True
                marks[held[slot]] = True
        slots[:room] = 0
        room = 1
        first = end


def overlapping(data: Bytes, offsets: Offsets, ends: Offsets) -> NDArray[np.bool_]:
    """Marks, for passages that lie end to end, those that share `_RUN` shingles in a row with one of their document.

    ``offsets`` has one entry more than there are passages, ``ends`` the number of passages up to the end of each
    document.
    """
    marks = np.zeros(len(offsets) - 1, np.bool_)
    if len(marks):
        _mark(
            data, np.ascontiguousarray(offsets, np.int64), np.ascontiguousarray(ends, np.int64), letter_table(), marks
        )
    return marks
