"""How documents are compared: which passages are read for it, which pairs come together, how their sets get there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import pairwise, repeat, zip_longest
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from winnow.base.files import is_exchanged, remove_files
from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.array_files import ArrayFile, PartitionedFile, gather, load_each, partitions_for
from winnow.deduplicate.documents.document_order import load_order
from winnow.deduplicate.documents.kept_set import components
from winnow.deduplicate.documents.pair_jobs import cut_jobs, spread_pairs
from winnow.deduplicate.documents.shingle_store import Asked, Brought, Slice, list_wanted, send_sets
from winnow.deduplicate.documents.similarity import Sets, write_shingles
from winnow.deduplicate.documents.templates import By, Given, OwnWords, ToldApart, bound_alike, tell_apart
from winnow.deduplicate.sorted_rows import Rows, distinct_values, merged, run_starts
from winnow.deduplicate.work_files import BOUND, WANTED, InputFile, ShingleSets, WorkFiles, lay_out

Made = TypeVar("Made")
PAIRS_A_JOB, _FEW_PAIRS, _JOBS = 200_000, 1_000, 8
_PAIRS_SPREAD = 1 << 22  # by one worker
JOBS_LISTED = 256  # whose documents are listed by one worker
_SETS_COUNTED = 128 << 20  # bytes, about, of the sets of large buckets that one worker counts together
_FEW_A_FILE = 8  # pairs; so many sets are asked for in less time than the whole file is read and handed on
_SAMPLES = 1000  # of pairs for each partition, by which partitions are cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Who compares documents with each other, over which passages."""

    files: WorkFiles
    executor: Executor
    passages: Sequence[InputFile]
    scattered: NDArray[np.bool_]  # by rank, whether a document's passages lie in more than one file
    written: dict[str, ShingleSets] = field(default_factory=dict)  # by label

    def each(self, job: Callable[..., Made], items: Iterable[object], *same: object) -> list[Made]:
        """`job` done to each of the items, with the same further arguments."""
        return list(self.executor.map(job, items, *map(repeat, same)))

    def of_documents(
        self, label: str, wanted: NDArray[np.bool_], job: Callable[..., Made], *same: object
    ) -> list[Made]:
        """`job` done to the passages of documents, once a file; of those that lie in several, to all files together."""
        whole = self.files.wanted(label).save(wanted & ~self.scattered)
        made = self.each(job, [[file] for file in self.passages], whole, *same)
        if (wanted & self.scattered).any():
            apart = self.files.wanted(f"{label}-scattered").save(wanted & self.scattered)
            made += self.each(job, [self.passages], apart, *same)
        return made

    def write_shingles(self, wanted: NDArray[np.bool_], kinds: Sequence[Sets]) -> list[ShingleSets]:
        """Shingle sets of documents, kind by kind."""
        made = self.of_documents(kinds[0].label, wanted, write_shingles, self.files, kinds)
        for kind, parts in zip(kinds, zip(*made, strict=True), strict=True):
            places = self.files.shingle_places(kind.label)
            starts = lay_out(parts, places, len(self.scattered))
            self.written[kind.label] = ShingleSets(tuple(parts), tuple(starts), places)
        return [self.written[kind.label] for kind in kinds]

    def jobs(self, pairs: NDArray[np.uint64], label: str) -> list[Slice]:
        """The pairs in jobs, so that there is one for every worker."""
        if not len(pairs):
            return []
        listed, partitions = self.files.listed(label).save(np.asarray(pairs)), partitions_for(len(pairs), 8)
        some = pairs[:: max(1, len(pairs) // (_SAMPLES * partitions))] & np.uint64(0xFFFFFFFF)
        labels = np.sort(self.files.nearest.load()[some.astype(np.int64)])
        cuts = labels[len(labels) * np.arange(1, partitions) // partitions]
        slices = [Slice(listed, n, min(n + _PAIRS_SPREAD, len(pairs))) for n in range(0, len(pairs), _PAIRS_SPREAD)]
        outs = [self.files.spread_pairs(f"{label}-{n}") for n in range(len(slices))]
        spread = list(self.executor.map(spread_pairs, slices, outs, repeat(self.files), repeat(cuts)))
        parts = gather(spread, np.uint64, partitions, self.executor)
        most = min(PAIRS_A_JOB, max(_FEW_PAIRS, -(-len(pairs) // _JOBS)))
        to_verify = [self.files.to_verify(f"{label}-{n}") for n in range(partitions)]
        cut = self.executor.map(cut_jobs, parts, to_verify, *map(repeat, (self.files, most, partitions > 1)))
        return [job for some in cut for job in some.jobs()]

    def brought(
        self, label: str, sets: ShingleSets, asked: Sequence[Asked], jobs: int, pairs: int | None = None
    ) -> Sequence[ShingleSets | Brought]:
        """The same as `brought_together`, of one kind of sets."""
        [found] = self.brought_together(label, [(sets, asked)], jobs, pairs)
        return found

    def brought_together(
        self,
        label: str,
        kinds: Sequence[tuple[Given, Sequence[Asked]]],
        jobs: int,
        pairs: int | None = None,
    ) -> list[Sequence[ShingleSets | Brought]]:
        """The sets that jobs ask for, kind by kind and job by job: where they were written, or, from a store, brought.

        What a worker sends of the sets in one file of each kind is one file. For a few `pairs` not all files are read.
        """
        files, executor = self.files, self.executor
        found: list[Sequence[ShingleSets | Brought]] = [[sets] * jobs for sets, _ in kinds]
        if not jobs or not is_exchanged(files.folder):
            return found
        lists: dict[int, tuple[ShingleSets, Iterable[PartitionedFile]]] = {}
        for kind, (sets, asked) in enumerate(kinds):
            if isinstance(sets, ShingleSets) and (pairs is None or pairs >= _FEW_A_FILE * len(sets.parts)):
                some = [asked[n : n + JOBS_LISTED] for n in range(0, len(asked), JOBS_LISTED)]
                outs = [files.wanted_sets(f"{label}-{kind}-{n}") for n in range(len(some))]
                lists[kind] = sets, executor.map(list_wanted, some, outs, repeat(sets))
        wanted = [gather(list(made), WANTED, len(sets.parts), executor) for sets, made in lists.values()]
        parts = [list(zip(sets.parts, of, strict=True)) for (sets, _), of in zip(lists.values(), wanted, strict=True)]
        packs = list(zip_longest(*parts))
        outs = [files.sets_for(f"{label}-{n}") for n in range(len(packs))]
        sent = executor.map(send_sets, packs, outs, repeat(jobs))
        halves = gather(list(filter(None, sent)), np.uint64, 2 * jobs * len(lists), executor)
        brought = [Brought(one.files, one.number) for one in halves[::2]]
        for n, kind in enumerate(lists):
            found[kind] = brought[n * jobs : (n + 1) * jobs]
        return found

    def compare(
        self,
        job: Callable[..., ArrayFile],
        pairs: NDArray[np.uint64],
        label: str,
        sets: ShingleSets,
        out: Callable[[str], ArrayFile],
        *same: object,
    ) -> list[ArrayFile]:
        """What a `job` finds of pairs, a file for each job."""
        jobs = self.jobs(pairs, label)
        brought = self.brought(label, sets, [Asked(some, n) for n, some in enumerate(jobs)], len(jobs), len(pairs))
        outs = [out(f"{label}-{n}") for n in range(len(jobs))]
        found = list(self.executor.map(job, jobs, outs, brought, *map(repeat, same)))
        clear(brought)
        return found

    def told_apart(
        self, close: Sequence[ArrayFile], label: str, apart: Sequence[ToldApart], pairs: int
    ) -> list[ArrayFile]:
        """Of pairs (VERIFIED) those of which the first document has what tells the later one apart, file by file.

        They are of so many `pairs` that were compared.
        """
        if not apart:
            return list(close)

        def asked(by: By) -> list[Asked]:
            return [Asked(rows, n, by) for n, rows in enumerate(close)]

        told = self._apart(label, apart, asked, len(close), pairs)
        outs = [self.files.verified(f"{label}-told-{n}") for n in range(len(close))]
        found = list(self.executor.map(tell_apart, close, outs, told))
        _clear_all(told)
        return found

    def _apart(
        self,
        label: str,
        apart: Sequence[ToldApart],
        asked: Callable[[By], Sequence[Asked]],
        jobs: int,
        pairs: int | None = None,
    ) -> list[tuple[ToldApart, ...]]:
        """What tells documents apart, for each job, given whose sets it asks for; each of these is brought once."""
        asks = {(id(sets), by): (sets, asked(by)) for own in apart for sets, by in own.asks()}
        known = dict(zip(asks, self.brought_together(f"{label}-apart", list(asks.values()), jobs, pairs), strict=True))
        return [
            tuple(own.given(*(known[id(sets), by][n] for sets, by in own.asks())) for own in apart) for n in range(jobs)
        ]

    def bounds(
        self, buckets: Rows, five: ShingleSets, apart: Sequence[ToldApart], settings: DeduplicateSettings
    ) -> Rows:
        """How alike the documents of large `buckets` (KEYED) may be with others of theirs, sorted by rank (BOUND).

        Those of buckets that have documents in common are counted together.
        """
        ranks = distinct_values(buckets["rank"])
        at, inside = np.searchsorted(ranks, buckets["rank"]), np.flatnonzero(~run_starts(buckets["key"]))
        labels = np.empty(len(ranks), np.uint32)
        components([(at[inside - 1], at[inside])], labels)
        order = np.argsort(labels, kind="stable")
        begins = run_starts(labels[order])
        held = np.cumsum(8 * load_order(self.files).n_shingles[ranks[order]], dtype=np.int64)
        pack = (held[begins] // _SETS_COUNTED)[np.cumsum(begins) - 1]
        listed = self.files.in_buckets.save(ranks[order][np.lexsort((order, pack))])
        ends = np.flatnonzero(np.append(run_starts(pack), True)).tolist()
        packs = [Slice(listed, *bounds) for bounds in pairwise(ends)]
        asked = [Asked(some, n) for n, some in enumerate(packs)]
        brought = self.brought("buckets", five, asked, len(packs))
        # Of contraries there are few, so all may be copies.
        own_words = [own for own in apart if isinstance(own, OwnWords)]
        told = self._apart("buckets", own_words, lambda by: asked, len(packs))
        outs = [self.files.bounds(n) for n in range(len(packs))]
        found = list(self.executor.map(bound_alike, packs, outs, brought, told, repeat(settings)))
        clear(brought)
        _clear_all(told)
        rows = merged(list(load_each(found)), BOUND)
        return rows[np.argsort(rows["rank"])]


def clear(brought: Sequence[ShingleSets | Brought]) -> None:
    """Removes what was brought together for jobs that are done."""
    remove_files(sorted({file.path for one in brought if isinstance(one, Brought) for file in one.files}))


def _clear_all(told: Sequence[Sequence[ToldApart]]) -> None:
    clear([sets for some in told for own in some for sets, _ in own.asks()])
