"""The passages of many documents as rows of one Arrow table, cut from the bytes of the documents by offsets.

Documents in which nothing can repeat or promote, which are most, never become Python objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

from winnow.base.recipe import DeduplicateSettings
from winnow.base.records import Passage
from winnow.base.staging import PREPARED
from winnow.deduplicate.documents.keys import fingerprints, laid
from winnow.deduplicate.documents.overlaps import overlapping
from winnow.deduplicate.documents.shingles import Bytes, Offsets
from winnow.deduplicate.passages.compiled_lines import CODE, HEADING, ITEM, KINDS, ROW
from winnow.deduplicate.repeats.inside import InnerRepeat, Outline, cut_at_repeats, outline_repeats
from winnow.deduplicate.repeats.promo import is_promo
from winnow.deduplicate.repeats.spans import Spans, split_documents

Repeats = list[list[dict[str, Any]]]


def passage_rows(
    doc_ids: Sequence[str], data: Bytes, offsets: Offsets, settings: DeduplicateSettings
) -> tuple[pa.Table, Repeats]:
    """Rows of winnow.base.staging.PREPARED for documents that lie end to end, and what repeats inside each."""
    spans = split_documents(data, offsets)
    first = np.concatenate(([0], spans.ends[:-1])).astype(np.int64)
    n = len(spans.kinds)
    pieces = _strings(data, spans.edges(int(offsets[-1])))
    whole = np.arange(n, dtype=np.int64) * 2
    texts = pieces.take(pa.array(whole))
    laid_texts = laid(texts)
    prints = fingerprints(laid_texts, settings.fold_digits)
    repeats: Repeats = [[] for _ in doc_ids]
    cut: dict[int, list[Passage]] = {}
    if settings.passages and n:
        marks = overlapping(*laid_texts, spans.ends)
        promoting = _promoting(spans, pieces) if settings.promo_lines else np.zeros(n, np.bool_)
        for d in np.flatnonzero(_to_look_at(spans, first, prints, marks, promoting, settings)).tolist():
            start, end = int(first[d]), int(spans.ends[d])
            found = outline_repeats(_outline(spans, pieces, prints, marks, promoting, start, end), settings)
            if all(why.start == 0 and why.end == spans.chars[start + why.position] for why in found):
                repeats[d] = [_repeat(why.position, 0, why) for why in found]
                continue
            rows = cut_at_repeats(_blocks(spans, pieces, start, end), found)
            repeats[d] = [_repeat(p.position, p.part, why) for p, why in rows if why]
            cut[d] = [p for p, _ in rows]
    sizes = np.diff(spans.ends, prepend=0)
    columns: dict[str, Any] = {
        "doc_id": pa.array(doc_ids, pa.string()).take(pa.array(np.repeat(np.arange(len(doc_ids)), sizes))),
        "position": pa.array(np.arange(n) - np.repeat(first, sizes), pa.int32()),
        "part": pa.array(np.zeros(n, np.int32)),
        "kind": pa.array(KINDS, pa.string()).take(pa.array(spans.kinds)),
        "text": texts,
        "gap": pieces.take(pa.array(whole + 1)),
        "fingerprint": pa.array(prints, pa.binary()),
    }
    table = pa.table({f.name: columns[f.name].cast(f.type) for f in PREPARED}, schema=PREPARED)
    return (_with_parts(table, doc_ids, cut, first, spans.ends, settings) if cut else table), repeats


def _strings(data: Bytes, edges: NDArray[np.int64]) -> pa.LargeStringArray:
    return pa.LargeStringArray.from_buffers(len(edges) - 1, pa.py_buffer(edges), pa.py_buffer(data))


def _promoting(spans: Spans, pieces: pa.LargeStringArray) -> NDArray[np.bool_]:
    """Passages that are promotion, or would be if they stood again in their document."""
    out = spans.may_promote.copy()
    rows = np.flatnonzero(out)
    texts = pieces.take(pa.array(rows * 2)).to_pylist()
    out[rows] = [is_promo(text, stands_again=True) for text in texts]
    return out


def _to_look_at(
    spans: Spans,
    first: Offsets,
    prints: Sequence[bytes],
    marks: NDArray[np.bool_],
    promoting: NDArray[np.bool_],
    settings: DeduplicateSettings,
) -> NDArray[np.bool_]:
    """Documents in which a passage may be promotion, or may go because another says the same or almost."""
    short = (spans.kinds == ITEM) | (spans.kinds == CODE)
    least = np.where(short, settings.min_repeat_chars, settings.min_inner_repeat_chars)
    may_go = (spans.chars >= least) & (spans.kinds != HEADING) & (spans.kinds != ROW)
    keys = np.frombuffer(b"".join(prints), np.uint64)[::2]
    found = promoting | marks & may_go
    return _any_repeats(keys, first, spans.ends, may_go, found)


@njit(cache=True, nogil=True)
def _any_repeats(keys, first, ends, may_go, found):  # type: ignore[no-untyped-def]
    """Documents with a row that is found, or one that may go and has the key of another."""
    out = np.zeros(len(ends), np.bool_)
    for d in range(len(ends)):
        start, end = first[d], ends[d]
        out[d] = found[start:end].any()
        if out[d] or end - start < 2:
            continue
        order = np.argsort(keys[start:end]) + start
        for n in range(1, len(order)):
            a, b = order[n - 1], order[n]
            if keys[a] == keys[b] and (may_go[a] or may_go[b]):
                out[d] = True
                break
    return out


def _outline(
    spans: Spans,
    pieces: pa.LargeStringArray,
    prints: Sequence[bytes],
    marks: NDArray[np.bool_],
    promoting: NDArray[np.bool_],
    start: int,
    end: int,
) -> Outline:
    return Outline(
        [KINDS[k] for k in spans.kinds[start:end].tolist()],
        spans.chars[start:end].tolist(),
        prints[start:end],
        lambda n: str(pieces[2 * (start + n)]),
        np.flatnonzero(marks[start:end]).tolist(),
        np.flatnonzero(promoting[start:end]).tolist(),
    )


def _blocks(spans: Spans, pieces: pa.LargeStringArray, start: int, end: int) -> list[Passage]:
    texts = pieces.slice(2 * start, 2 * (end - start)).to_pylist()
    kinds = [KINDS[k] for k in spans.kinds[start:end].tolist()]
    return [Passage(n, kind, texts[2 * n], texts[2 * n + 1]) for n, kind in enumerate(kinds)]


def _repeat(position: int, part: int, why: InnerRepeat) -> dict[str, Any]:
    return {
        "position": position,
        "part": part,
        "reason": why.reason,
        "kept_position": why.kept_position,
        "similarity": why.similarity,
    }


def _with_parts(
    table: pa.Table,
    doc_ids: Sequence[str],
    cut: dict[int, list[Passage]],
    first: Offsets,
    ends: Offsets,
    settings: DeduplicateSettings,
) -> pa.Table:
    """The table with the rows of some documents exchanged for those of their passages cut into parts."""
    passages = list(chain.from_iterable(cut.values()))
    columns: dict[str, Any] = {
        "doc_id": [doc_ids[d] for d, rows in cut.items() for _ in rows],
        **{name: [getattr(p, name) for p in passages] for name in ("position", "part", "kind", "text", "gap")},
    }
    columns["fingerprint"] = fingerprints(laid(pa.array(columns["text"], pa.large_string())), settings.fold_digits)
    parts = pa.table({f.name: pa.array(columns[f.name], f.type) for f in PREPARED}, schema=PREPARED)
    pieces = []
    at = done = 0
    for d, rows in cut.items():
        pieces += [table.slice(at, int(first[d]) - at), parts.slice(done, len(rows))]
        at, done = int(ends[d]), done + len(rows)
    return pa.concat_tables([*pieces, table.slice(at)]).combine_chunks()
