"""Documents under one template: what they say besides the passages that many documents share.

Two short articles under a long template share most of their shingles and are no copies. So a pair that is close stays
one only where the first document has what the later one says besides the template. A passage belongs to a template, for
a document, if enough documents that arrived no later have it; exact copies count once. So nothing that comes later
changes what was decided about a pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from winnow.base.doc_ids import Column
from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.array_files import ArrayFile, Partition, PartitionedFile
from winnow.deduplicate.documents.document_order import load_order, nth_of
from winnow.deduplicate.documents.shingle_store import Brought, ShingleStore, Slice
from winnow.deduplicate.documents.similarity import (
    Besides,
    Questions,
    Sets,
    SharedShingles,
    count_pairs,
    print_keys,
)
from winnow.deduplicate.documents.statements import as_affirmed, as_one, as_stated, facts, titled
from winnow.deduplicate.passage_rows import all_rows, of_rows
from winnow.deduplicate.sorted_rows import Rows, count_shared, distinct_values, may_repeat, merged, run_starts
from winnow.deduplicate.work_files import BOUND, KEYED, NO_RANK, TEMPLATE, InputFile, ShingleSets, WorkFiles

SAME = 0.35  # share of a document's own shingles found in the other from which it says the same; chance gives .1
ASKED = 0.8  # the same of its questions; one word more or less is another question
_DIFFERING = 120  # shingles at most; of a text of 300 words half as many as are left at Jaccard .47
_SLOTS = 1 << 26


def spread_prints(passages: InputFile, files: WorkFiles, partitions: int) -> PartitionedFile:
    """Write which document has which passage, by partition of its fingerprint, in order; but for exact copies.

    Of published ones, where that is known, those passages are left aside too that no new document has.
    """
    order = load_order(files)
    pieces = []

    def first_ranks(doc_ids: Column) -> NDArray[np.uint32]:
        ranks = order.ranks_of(doc_ids, passages)
        known = ranks != NO_RANK
        ranks[known] = np.where(order.exact_of[ranks[known]] == ranks[known], ranks[known], NO_RANK)
        return ranks

    for batch in all_rows(passages, ["doc_id", "fingerprint"], 1 << 18):
        rows = np.empty(batch.num_rows, KEYED)
        rows["rank"] = of_rows(batch.column("doc_id"), first_ranks)
        rows["key"] = print_keys(batch.column("fingerprint"))
        pieces.append(rows[rows["rank"] != NO_RANK])
    rows = merged(pieces, KEYED)
    return files.prints(passages).spread(rows, nth_of(rows["key"], partitions), partitions)


def find_templates(prints: Partition, files: WorkFiles, settings: DeduplicateSettings) -> ArrayFile:
    """Write the passages of one partition that enough documents have, and the arrival that made them enough."""
    rows = prints.load()
    rows = rows[may_repeat(rows["key"])]
    rows = rows[np.lexsort((rows["rank"], rows["key"]))]
    rows = rows[run_starts(rows["key"], rows["rank"])]  # a document that has it twice counts once
    starts = np.flatnonzero(run_starts(rows["key"]))
    enough = np.diff(np.append(starts, len(rows))) >= settings.template_documents
    last = starts[enough] + settings.template_documents - 1  # arrivals ascend with ranks
    out = np.empty(len(last), TEMPLATE)
    out["key"], out["arrival"] = rows["key"][last], load_order(files).arrival[rows["rank"][last]]
    return files.templates_in(prints.number).save(out)


By = tuple[str, ...]  # of pairs (VERIFIED): first, later
Given = ShingleSets | Brought


@dataclass(frozen=True, slots=True)
class OwnWords:
    """What tells documents apart (`own`), and all that those say which they may be copies of (`whole`).

    It is what they say besides a template, what they ask where they are questions and answers, or whom they name. A
    `share` of it must stand in the other document; where it was `exchanged`, only if the other has its own as well, and
    of that a share is not here either.
    """

    own: Given
    whole: Given
    share: float
    exchanged: bool = False

    def asks(self) -> Sequence[tuple[Given, By]]:
        if self.exchanged:
            return (self.own, ("first", "later")), (self.whole, ("first", "later"))
        return (self.own, ("later",)), (self.whole, ("first",))

    def given(self, *sets: Given) -> OwnWords:
        own, whole = sets
        return replace(self, own=own, whole=whole)

    @contextmanager
    def _stores(self) -> Iterator[tuple[ShingleStore, ShingleStore]]:
        with closing(ShingleStore(self.own)) as own, closing(ShingleStore(self.whole)) as whole:
            yield own, whole

    def said_again(self, pairs: Rows) -> NDArray[np.bool_]:
        """Whether the first document of each pair (VERIFIED) has what tells the later one apart."""
        again = np.ones(len(pairs), np.bool_)
        with self._stores() as (own, whole):
            told = np.flatnonzero(own.has(pairs["later"]) & (own.has(pairs["first"]) | (not self.exchanged)))
            told = told[np.argsort(pairs["first"][told], kind="stable")]
            for at in np.array_split(told, len(told) // 10_000 + 1):
                first, later = pairs["first"][at], pairs["later"][at]
                again[at] = self._stands_in(later, first, own, whole)
                if self.exchanged:
                    again[at] |= self._stands_in(first, later, own, whole)
        return again

    def _stands_in(
        self, ranks: NDArray[np.uint32], others: NDArray[np.uint32], own: ShingleStore, whole: ShingleStore
    ) -> NDArray[np.bool_]:
        """Whether what tells each of these documents apart stands in the other one."""
        askers, answerers = distinct_values(ranks), distinct_values(others)
        said, starts, ends = whole.read(answerers)
        asked, own_starts, own_ends = own.read(askers)
        asker, answerer = np.searchsorted(askers, ranks), np.searchsorted(answerers, others)
        shared = count_shared(
            np.concatenate((said, asked)),
            np.append(starts, own_starts + len(said)),
            np.append(ends, own_ends + len(said)),
            (answerer, asker + len(answerers)),
        )
        stands: NDArray[np.bool_] = shared >= self.share * np.maximum(own_ends - own_starts, 1)[asker]
        return stands

    def may_be_said_again(self, among: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Whether what tells a document apart may stand in another one, for each of these, which are sorted.

        So thousands of pages of a template are told apart by counting each one's shingles once.
        """
        may = np.ones(len(among), np.bool_)
        with self._stores() as (own, whole):
            told = among[own.has(among)]
            if not len(told) or (self.exchanged and len(told) < len(among)):
                return may
            size = int(whole.sizes(among).sum())
            slots = np.uint64(min(_SLOTS, 1 << max(10, (4 * size).bit_length())) - 1)
            once, again = np.zeros(int(slots) + 1, np.bool_), np.zeros(int(slots) + 1, np.bool_)
            for _, shingles in whole.each(among):  # two that fall in one slot count as the same
                at = shingles & slots
                again[at[once[at]]] = True
                once[at] = True
            for place, (_, shingles) in zip(np.searchsorted(among, told), own.each(told), strict=True):
                may[place] = again[shingles & slots].sum() >= self.share * max(len(shingles), 1)
        return may | (self.exchanged and bool(may.any()))  # then they may be another one's


class ToldApart(Protocol):
    """Tells which of the documents that are close are no copies after all."""

    def asks(self) -> Sequence[tuple[Given, By]]:
        """The sets that it asks for, and of which documents of pairs."""

    def given(self, *sets: Given) -> ToldApart:
        """The same, with these sets."""

    def said_again(self, pairs: Rows) -> NDArray[np.bool_]:
        """Whether the first document of each pair (VERIFIED) says what the later one says."""

    def may_be_said_again(self, among: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Whether another document may say what each of these says."""


def titles_of(label: str) -> Sets:
    """The sets that `told_by_titles` needs."""
    return Sets(label=label, single=True, reworded=titled)


OF_STATEMENTS = (
    titles_of("titles"),
    Sets(label="facts", single=True, reworded=facts),
    Sets(label="said", single=True, reworded=as_stated),
    Sets(label="stated", reworded=as_stated),
    Sets(label="affirmed", reworded=as_affirmed),
    Sets(label="as-one", reworded=as_one),
)
"""The sets that `told_by_statements` needs."""


@dataclass(frozen=True, slots=True)
class Statements:
    """Documents that say the contrary, or give other facts: their sets as they are `stated` and `affirmed`."""

    stated: Given
    affirmed: Given
    as_one: Given
    facts: OwnWords
    files: WorkFiles

    def asks(self) -> Sequence[tuple[Given, By]]:
        both = ("first", "later")
        return (self.stated, both), (self.affirmed, both), (self.as_one, both), *self.facts.asks()

    def given(self, *sets: Given) -> Statements:
        stated, affirmed, as_one, *rest = sets
        return Statements(stated, affirmed, as_one, self.facts.given(*rest), self.files)

    def said_again(self, pairs: Rows) -> NDArray[np.bool_]:
        """Whether neither document of a pair (VERIFIED) says something else in the words of the other.

        It does where more than half of what the one has in other words is the same once nothing is denied; or once all
        facts are one, if each gives some that the other does not.
        """
        again = np.ones(len(pairs), np.bool_)
        with closing(ShingleStore(self.stated)) as store:
            told = store.has(pairs["first"]) & store.has(pairs["later"])
        told &= differ_little(pairs, load_order(self.files).n_shingles)
        at = np.flatnonzero(told)
        wanted = pairs["first"][at].astype(np.uint64) << np.uint64(32) | pairs["later"][at]
        exchanged = ~self.facts.said_again(pairs[at])
        as_stated, *read = (count_pairs(wanted, sets) for sets in (self.stated, self.affirmed, self.as_one))
        for size in ("of_first", "of_later"):
            others, affirmed, as_one = (counted[size] - counted["both"] for counted in (as_stated, *read))
            # Rows of a table are alike once their facts are, and fewer shingles stand for as much of the text.
            of_one, of_stated = read[1][size].astype(np.int64), as_stated[size].astype(np.int64)
            again[at[(2 * affirmed < others) | exchanged & (2 * as_one * of_stated < others * of_one)]] = False
        return again

    def may_be_said_again(self, among: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """For each of these documents whether another one may say it: of contraries there are few, so all may."""
        return np.ones(len(among), np.bool_)


def told_by_own_words(
    among: ArrayFile, templates: ArrayFile, settings: DeduplicateSettings
) -> list[tuple[Sets, float]]:
    """Which sets tell documents apart `among` which there may be copies, and which share must stand in the other one.

    It is what they say besides a template, and what they ask.
    """
    besides = Besides(templates=templates, least_chars=settings.min_rest_chars)
    told_by = [(Sets(label="own", short=True, among=among, only=besides), SAME)]
    if settings.keep_meaningful_repeats:
        told_by.append((Sets(label="asked", short=True, among=among, only=Questions()), ASKED))
    return told_by


def differ_little(pairs: Rows, n_shingles: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which pairs (VERIFIED) differ in so few shingles that their facts may make most of it."""
    first, later = n_shingles[pairs["first"]], n_shingles[pairs["later"]]
    both = np.rint(pairs["containment"] * later)
    little: NDArray[np.bool_] = np.maximum(first, later) - both <= _DIFFERING
    return little


def told_by_titles(titles: ShingleSets) -> ToldApart:
    """What tells documents apart of which each title has a figure that the other does not: versions, days, parts."""
    return OwnWords(titles, titles, 1, exchanged=True)


def told_by_statements(sets: Sequence[ShingleSets], files: WorkFiles) -> list[ToldApart]:
    """What tells documents apart: the figures of their titles, what one denies, which facts each of them gives."""
    titles, facts, said, stated, affirmed, as_one = sets
    return [
        told_by_titles(titles),
        Statements(stated, affirmed, as_one, OwnWords(facts, said, 1, exchanged=True), files),
    ]


def tell_apart(close: ArrayFile, out: ArrayFile, apart: tuple[ToldApart, ...]) -> ArrayFile:
    """Write those of pairs (VERIFIED) of which the first says what tells the later one apart."""
    rows = close.load()
    for own in apart:
        rows = rows[own.said_again(rows)]
    return out.save(rows)


def bound_alike(
    ranks: Slice,
    out: ArrayFile,
    sets: ShingleSets | Brought,
    apart: tuple[ToldApart, ...],
    settings: DeduplicateSettings,
) -> ArrayFile:
    """Write how alike documents may be with others of them (BOUND), given their `ranks`, sorted.

    A document `may` be a copy of one that comes before it where its shingles and all that tells it apart may be there.
    """
    among = ranks.load()
    shared = SharedShingles.of(among, sets)
    rows = np.empty(len(among), BOUND)
    rows["rank"], rows["size"], rows["most"] = among, shared.sizes, shared.most
    told = (own.may_be_said_again(among) for own in apart)
    rows["may"] = np.logical_and.reduce([shared.may_be_close(settings), *told])
    return out.save(rows)
