"""Exact similarity of candidate pairs, on the full shingle sets of both documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, pairwise
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from winnow.base.files import scan_parquet
from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.array_files import ArrayFile, whole_file
from winnow.deduplicate.documents.document_order import DocumentOrder, load_order
from winnow.deduplicate.documents.figures import Figures, in_records
from winnow.deduplicate.documents.kept_set import are_close
from winnow.deduplicate.documents.shingle_store import SET_BYTES, Brought, ShingleStore, Slice
from winnow.deduplicate.documents.shingles import Hashes, Words, shingle_sets, short_shingle_sets, word_sets
from winnow.deduplicate.documents.statements import Statement
from winnow.deduplicate.passage_rows import wanted_ranks, wanted_rows
from winnow.deduplicate.passages.utf8_texts import Offsets, Utf8Texts
from winnow.deduplicate.repeats.meaning import ASKS, MAX_QUESTION, QUESTION
from winnow.deduplicate.sorted_rows import Rows, count_shared, distinct_values, merged, run_starts
from winnow.deduplicate.work_files import (
    COUNTED,
    NO_RANK,
    PLACED,
    VERIFIED,
    InputFile,
    ShingleFile,
    ShingleSets,
    WorkFiles,
)

MOST_STATED = 600  # words of a document whose facts are told apart
_QUOTED, _BEFORE_QUOTES = r"^[ \t]{0,40}>", list(b" \t>")  # as what a reply answers
_LEAST_SHARE = 0.02  # of a document's characters that must be its own for it to be told apart by them


Reworded = Callable[[Statement], Sequence[str]]
"""What becomes of the passages of a document."""

_READ = ["position", "text", "fingerprint"]
LEAST_ROWS = 1 << 13  # looked at together: of a few documents a file most of the time goes to starting work on arrays


@dataclass(frozen=True, slots=True)
class _Passages:
    """Passages of some documents, whole ones one after the other; gaps are left out."""

    ranks: NDArray[np.uint32]
    positions: NDArray[np.int32]
    texts: pa.LargeStringArray
    keys: Hashes

    def filter(self, keep: NDArray[np.bool_]) -> _Passages:
        texts = self.texts.filter(pa.array(keep))
        return _Passages(self.ranks[keep], self.positions[keep], texts, self.keys[keep])

    def slice(self, start: int, stop: int) -> _Passages:
        texts = self.texts.slice(start, stop - start)
        return _Passages(self.ranks[start:stop], self.positions[start:stop], texts, self.keys[start:stop])

    @classmethod
    def one_after_the_other(cls, some: Sequence[_Passages]) -> _Passages:
        return cls(
            merged([one.ranks for one in some], np.uint32),
            merged([one.positions for one in some], np.int32),
            pa.concat_arrays([pa.array([], pa.large_string()), *(one.texts for one in some)]),
            merged([one.keys for one in some], np.uint64),
        )

    def words(self, bounds: Offsets | None = None) -> Words:
        """The words of the documents, or of what has the passages between the `bounds`."""
        starts = np.append(np.flatnonzero(run_starts(self.ranks)), len(self.ranks))
        return Words.of(Utf8Texts.of(self.texts), starts if bounds is None else bounds)

    def besides(self, templates: Rows, arrival: NDArray[np.int32], least_chars: int) -> NDArray[np.bool_]:
        """Which are no quotes and belong to no template (TEMPLATE), of documents that have both, and enough of them."""
        owner = np.cumsum(run_starts(self.ranks)) - 1
        at = np.minimum(np.searchsorted(templates["key"], self.keys), max(len(templates) - 1, 0))
        shared = np.isin(Utf8Texts.of(self.texts).first_bytes(), _BEFORE_QUOTES)
        shared[shared] = pl.Series(self.texts.filter(pa.array(shared))).str.contains(_QUOTED).to_numpy()
        if len(templates):
            shared |= (templates["key"][at] == self.keys) & (templates["arrival"][at] <= arrival[self.ranks])
        sizes = pc.utf8_length(self.texts).to_numpy(zero_copy_only=False)
        whole, own = (np.bincount(owner, weights=w) for w in (sizes, np.where(shared, 0, sizes)))
        told = (own < whole) & (own >= np.maximum(least_chars, _LEAST_SHARE * whole))
        found: NDArray[np.bool_] = ~shared & told[owner]
        return found

    def questions(self) -> NDArray[np.bool_]:
        """Which are questions, of documents of questions and answers: two passages at most for each, and a title."""
        owner = np.cumsum(run_starts(self.ranks)) - 1
        asks = _ask(self.texts, self.positions <= 1)
        begins = np.zeros(owner[-1] + 1 if len(owner) else 0, np.bool_)
        begins[owner[asks]] = True  # of few, and only of these it matters which others are questions
        asks |= _ask(self.texts, begins[owner] & (self.positions > 1))
        count, asked = np.bincount(owner), np.bincount(owner, weights=asks)
        answers = begins & (count > asked) & (count <= 1 + 3 * asked)
        found: NDArray[np.bool_] = asks & answers[owner]
        return found


def _ask(texts: pa.LargeStringArray, some: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of `some` texts are questions."""
    asks: NDArray[np.bool_] = some & np.asarray(pc.less_equal(pc.utf8_length(texts), MAX_QUESTION))
    short = pl.Series(texts.filter(pa.array(asks)))
    asks[asks] = (short.str.contains(ASKS) | short.str.contains(QUESTION)).to_numpy()
    return asks


@dataclass(frozen=True)
class _Read:
    """Passages of documents with their words, and what several kinds of sets make of them, which is made once."""

    some: _Passages
    words: Words
    made: dict[object, _Read] = field(default_factory=dict)

    def among(self, marked: ArrayFile) -> _Read:
        """Those of the documents that are marked, by rank."""
        if marked not in self.made:
            kept = marked.load()[self.some.ranks]
            self.made[marked] = self if kept.all() else self.filter(kept)
        return self.made[marked]

    def filter(self, keep: NDArray[np.bool_]) -> _Read:
        return _Read(self.some.filter(keep), self.words.of_pieces(keep))

    def reworded(self, way: Reworded) -> _Read:
        """The passages in other words, of documents of MOST_STATED words; what is left empty is left out."""
        if way not in self.made:
            some, said = self._said
            texts = pa.array(chain.from_iterable(map(way, said)), pa.large_string())
            some = replace(some, texts=texts).filter(np.asarray(pc.not_equal(texts, "")))
            self.made[way] = _Read(some, some.words())
        return self.made[way]

    @cached_property
    def _said(self) -> tuple[_Passages, list[Statement]]:
        """The passages of documents of MOST_STATED words, and these."""
        short = np.diff(self.words.document_ends, prepend=0) <= MOST_STATED
        read = self.filter(short[np.cumsum(run_starts(self.some.ranks)) - 1])
        some, texts = read.some, read.some.texts.to_pylist()
        values = in_records(some.texts, read.words).tolist()
        starts = [*np.flatnonzero(run_starts(some.ranks)).tolist(), len(some.ranks)]
        return some, [Statement(texts[a:b], values[a:b]) for a, b in pairwise(starts)]


@dataclass(frozen=True, slots=True)
class _Told:
    """The passages of documents that tell them apart, and which words of all passages speak for it: None for all."""

    passages: NDArray[np.bool_]
    words: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Besides:
    """Only what documents say besides `templates` and quotes, of those that say at least `least_chars` so.

    Where that gives figures, or all of a document does, only what is about them.
    """

    templates: ArrayFile
    least_chars: int

    def of(self, some: _Passages, words: Words, order: DocumentOrder) -> _Told:
        owner = np.cumsum(run_starts(some.ranks)) - 1
        besides = some.besides(self.templates.load(), order.arrival, self.least_chars)
        apart = np.bincount(owner, weights=besides) > 0
        figures = Figures.of(some.texts, words, besides | ~apart[owner])
        gives = np.bincount(owner, weights=figures.passages) > 0
        passages = np.where(gives[owner], figures.passages, besides)
        return _Told(passages, figures.words | np.repeat(~gives[owner], np.diff(words.ends, prepend=0)))


@dataclass(frozen=True, slots=True)
class Questions:
    """Only what documents ask that are questions and answers."""

    def of(self, some: _Passages, words: Words, order: DocumentOrder) -> _Told:
        return _Told(some.questions())


@dataclass(frozen=True, slots=True, kw_only=True)
class Sets:
    """Which shingle sets are written under a label: of five words, `short` or `single` ones, of all or `only` a part.

    They are written for the documents `among` those read, by rank, if that is given, and those of texts that are
    `reworded` for documents of MOST_STATED words. A document of which that leaves no text has no set.
    """

    label: str
    short: bool = False
    single: bool = False
    among: ArrayFile | None = None
    only: Besides | Questions | None = None
    reworded: Reworded | None = None

    def of(self, read: _Read, order: DocumentOrder) -> tuple[NDArray[np.uint32], Hashes, Offsets]:
        """The ranks of the documents, and their shingle sets."""
        about = None
        if self.among:
            read = read.among(self.among)
        if self.reworded:
            read = read.reworded(self.reworded)
        if self.only:
            told = self.only.of(read.some, read.words, order)
            if told.words is not None:
                about = told.words[np.repeat(told.passages, np.diff(read.words.ends, prepend=0))]
            read = read.filter(told.passages)
        some, words = read.some, read.words
        if self.single:
            sets = word_sets(words, np.ones(len(words.numbers), np.bool_) if about is None else about)
        else:
            sets = short_shingle_sets(words, about) if self.short else shingle_sets(words)
        return some.ranks[run_starts(some.ranks)], *sets


def write_shingles(
    passages: Sequence[InputFile], wanted: ArrayFile, files: WorkFiles, kinds: Sequence[Sets]
) -> list[ShingleFile]:
    """Write shingle sets of the documents that are `wanted`, each kind of them, in one pass over their texts.

    Given several files, a document's passages may lie in more than one of them, in the order of the files.
    """
    order, outs = load_order(files), [files.shingles(kind.label, passages) for kind in kinds]
    places: list[list[Rows]] = [[] for _ in kinds]
    filled = [0] * len(kinds)
    with ExitStack() as stack:
        open_files = [stack.enter_context(whole_file(out)) for out in outs]
        for some in passages_of(passages, order, wanted.load()):
            read = _Read(some, some.words())
            for n, kind in enumerate(kinds):
                ranks, hashes, sizes = kind.of(read, order)
                open_files[n].write(hashes.data)
                place = np.empty(len(sizes), PLACED)
                place["rank"], place["size"], place["start"] = ranks, sizes, filled[n] + np.cumsum(sizes) - sizes
                places[n].append(place)
                filled[n] += len(hashes)
        rows = [merged(found, PLACED) for found in places]
        for file, found in zip(open_files, rows, strict=True):
            found.tofile(file)
    return list(map(ShingleFile, outs, filled, map(len, rows)))


def passages_of(passages: Sequence[InputFile], order: DocumentOrder, marked: NDArray[np.bool_]) -> Iterable[_Passages]:
    """The passages of the documents that are marked, some documents at a time."""
    return _documents(passages[0], order, marked) if len(passages) == 1 else [_split(passages, order, marked)]


def print_keys(prints: pa.Array) -> Hashes:
    """The last 64 bits of fingerprints, as numbers."""
    return np.ascontiguousarray(prints_of(prints)[:, 1])


def prints_of(prints: pa.Array) -> Hashes:
    """Fingerprints as two numbers each, a row for each."""
    fixed = prints.cast(pa.binary(16))
    halves = np.frombuffer(fixed.buffers()[1] or b"", np.uint64).reshape(-1, 2)
    return halves[fixed.offset : fixed.offset + len(fixed)]


def _documents(file: InputFile, order: DocumentOrder, marked: NDArray[np.bool_]) -> Iterator[_Passages]:
    """The wanted documents of a file, some at a time."""
    held: list[_Passages] = []
    for ranks, rows in wanted_rows(file, order, marked, _READ):
        positions, texts = np.asarray(rows.column("position")), rows.column("text").cast(pa.large_string())
        held.append(_Passages(ranks, positions, texts, print_keys(rows.column("fingerprint"))))
        if sum(len(one.ranks) for one in held) < LEAST_ROWS:
            continue
        together = _Passages.one_after_the_other(held)
        size = len(together.ranks)
        cut = int(np.flatnonzero(run_starts(together.ranks))[-1])  # the last one may go on
        if cut:
            yield together.slice(0, cut)
        held = [together.slice(cut, size)]
    together = _Passages.one_after_the_other(held)
    if len(together.ranks):
        yield together


def _split(passages: Sequence[InputFile], order: DocumentOrder, marked: NDArray[np.bool_]) -> _Passages:
    """The wanted documents that lie in several files; few, so they are brought together in memory."""
    frames = []
    for file in passages:
        table = scan_parquet([file.path]).select("doc_id", "position", "part", "text", "fingerprint").collect()
        ranks = pl.Series("rank", wanted_ranks(table["doc_id"].to_arrow(), file, order, marked), pl.UInt32)
        frames.append(table.with_columns(ranks).filter(pl.col("rank") != int(NO_RANK)))
    table = pl.concat(frames).sort("rank", "position", "part")
    texts = table["text"].to_arrow().cast(pa.large_string())
    keys = print_keys(table["fingerprint"].to_arrow())
    return _Passages(table["rank"].to_numpy(), table["position"].to_numpy(), texts, keys)


def verify_pairs(
    pairs: Slice, out: ArrayFile, sets: ShingleSets | Brought, settings: DeduplicateSettings | None = None
) -> ArrayFile:
    """Write exact Jaccard and containment (of the later document in the first) of each pair (VERIFIED).

    Given settings, of those that are close.
    """
    counted = count_pairs(pairs.load(), sets)
    made = np.empty(len(counted), VERIFIED)
    made["first"], made["later"] = counted["first"], counted["later"]
    _compare(made, counted["of_first"], counted["of_later"], counted["both"])
    return out.save(made[are_close(made, settings)] if settings else made)


def count_pairs(pairs: NDArray[np.uint64], sets: ShingleSets | Brought) -> Rows:
    """How many shingles the documents of each pair have, and how many in common (COUNTED)."""
    made = np.empty(len(pairs), COUNTED)
    made["first"], made["later"] = pairs >> np.uint64(32), pairs & np.uint64(0xFFFFFFFF)
    with closing(ShingleStore(sets)) as store:
        for rows in _within(made, store):
            ranks = distinct_values(np.concatenate((rows["first"], rows["later"])))
            first, later = np.searchsorted(ranks, rows["first"]), np.searchsorted(ranks, rows["later"])
            hashes, starts, ends = store.read(ranks)
            sizes = ends - starts
            rows["of_first"], rows["of_later"] = sizes[first], sizes[later]
            rows["both"] = count_shared(hashes, starts, ends, (first, later))
    return made


def _compare(rows: Rows, first: NDArray[Any], later: NDArray[Any], both: NDArray[Any]) -> None:
    """Fill in jaccard and containment, given the sizes of both sets and of what they have in common."""
    union = first + later - both
    rows["jaccard"] = np.where(union > 0, both / np.maximum(union, 1), 1.0)  # 1 where there is nothing
    rows["containment"] = np.where(later > 0, both / np.maximum(later, 1), 1.0)


@dataclass(frozen=True, slots=True)
class SharedShingles:
    """Of the documents with these `ranks`: how many shingles each has, and how many of them another one may have.

    So how alike two of them are is bounded without a look at both: those that share a licence, or a page's frame, and
    nothing else are told apart by counting each document's shingles once.
    """

    ranks: NDArray[np.uint32]
    sizes: NDArray[np.int32]
    most: NDArray[np.int32]

    @classmethod
    def of(cls, ranks: NDArray[np.uint32], sets: ShingleSets | Brought) -> SharedShingles:
        """Count for documents; their `ranks` are different and sorted."""
        with closing(ShingleStore(sets)) as store:
            sizes, most = store.sizes(ranks).astype(np.int32), np.zeros(len(ranks), np.int32)
            slots = np.uint64(min(1 << 26, 1 << max(10, (4 * int(sizes.sum())).bit_length())) - 1)
            once, again = np.zeros(int(slots) + 1, np.bool_), np.zeros(int(slots) + 1, np.bool_)
            for _, shingles in store.each(ranks):  # two that fall in one slot count as the same: the bound holds
                at = shingles & slots
                again[at[once[at]]] = True
                once[at] = True
            for rank, shingles in store.each(ranks):
                most[np.searchsorted(ranks, rank)] = again[shingles & slots].sum()
        return cls(ranks, sizes, most)

    def closest(self, first: NDArray[np.int64], later: NDArray[np.int64]) -> Rows:
        """Pairs of them as they would be at the very most (VERIFIED)."""
        rows = np.empty(len(first), VERIFIED)
        rows["first"], rows["later"] = first, later
        one, other = np.searchsorted(self.ranks, first), np.searchsorted(self.ranks, later)
        _compare(rows, self.sizes[one], self.sizes[other], np.minimum(self.most[one], self.most[other]))
        return rows

    def may_be_close(self, settings: DeduplicateSettings) -> NDArray[np.bool_]:
        """Whether each may be close to any that comes before it: it is, to one that has just what it shares."""
        least = min(settings.document_threshold, settings.containment_threshold)
        may: NDArray[np.bool_] = (self.sizes == 0) | (self.most / np.maximum(self.sizes, 1) >= least)
        return may


def _within(rows: Rows, store: ShingleStore) -> Iterator[Rows]:
    """Cut rows, sorted by their first document, so that the sets of a piece take no more memory than is allowed."""
    fresh = run_starts(rows["first"])
    held = np.cumsum(8 * (store.sizes(rows["later"]) + fresh * store.sizes(rows["first"])))
    start = 0
    while start < len(rows):
        before = int(held[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(held, before + SET_BYTES, side="right")))
        yield rows[start:stop]
        start = stop
