"""Find what to leave out of a whole dataset: documents first, then passages; everything large goes through files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from winnow.base.doc_ids import doc_keys
from winnow.base.files import parquet_file
from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.array_files import ArrayFile, Partition, PartitionedFile, gather, partitions_for
from winnow.deduplicate.decisions import Decided, Removals, write_decisions
from winnow.deduplicate.documents.candidate_pairs import LargeBuckets, find_candidates, spread_index
from winnow.deduplicate.documents.document_order import load_order, rank_documents
from winnow.deduplicate.documents.kept_set import (
    PAIRS_HELD,
    KeptSet,
    are_close,
    choose_kept,
    choose_kept_of,
    spread_connected,
)
from winnow.deduplicate.documents.similar_pairs import closest, compare_kept, count_kept, find_evidence, with_evidence
from winnow.deduplicate.documents.similarity import (
    Sets,
    SharedShingles,
    verify_pairs,
    write_shingles,
)
from winnow.deduplicate.documents.templates import (
    OF_SHORT,
    OwnWords,
    ToldApart,
    find_templates,
    spread_prints,
    told_by_own_words,
    told_by_statements,
    verify_copies,
)
from winnow.deduplicate.remainders import confirmed, judge_span
from winnow.deduplicate.repeats.across_documents import (
    count_sites,
    describe_repeats,
    list_places,
    list_repeated,
    remove_passages,
    spread_passages,
)
from winnow.deduplicate.repeats.inner_rows import gather_inner_repeats
from winnow.deduplicate.settled import Before, Settled, Unsettled
from winnow.deduplicate.sorted_rows import Rows, distinct_values, merged, stand_in
from winnow.deduplicate.work_files import (
    CHARS,
    KEYED,
    NO_RANK,
    PASSAGE,
    REMAINDER,
    REMOVED,
    SIMILAR,
    STANDING,
    TEMPLATE,
    VERIFIED,
    InputFile,
    ShingleSets,
    WorkFiles,
    lay_out,
)

Item = TypeVar("Item")
Made = TypeVar("Made")
PAIRS_A_JOB, _FEW_PAIRS, _JOBS = 20_000, 1_000, 8
PAIR_JOBS = 5_000  # where more are due, each has more pairs: a job opens about every file of shingle sets
_PAIRS_READ = 1 << 20
_FIVE, _THREE = Sets(label="five"), Sets(label="three", short=True)  # of all documents that are compared with any
_BYTES_DECIDED = 128  # of rows that tell what is decided on a document, at most, but for few
_MAX_ROUNDS = 64  # then a bucket's documents have been compared with its first 1,024; beyond that they are kept


def find_removals(
    index_files: Sequence[Path],
    passage_files: Sequence[Path],
    work: Path,
    settings: DeduplicateSettings,
    executor: Executor,
    *,
    published_index: Sequence[Path] = (),
    published_passages: Sequence[Path] = (),
    leave_out: Path | None = None,
    settled: Settled | None = None,
) -> Removals:
    """Decide over new documents (`index_files`, `passage_files`) and those a dataset holds (`published_…`) together.

    `leave_out` is a Parquet file with a column doc_id: published documents that were withdrawn or replaced; their rows
    in the published files are passed over. The outcome is a pure function of documents, arrivals and settings: how they
    are cut into files, the order of the files, the executor and its workers change nothing. Passages of documents
    left out are not listed among the passages. `work` is an empty folder for files that may be deleted afterwards.

    Given what is `settled`, only decisions on new documents are written: those on the published ones hold. Nothing may
    be left out then, and all new documents arrive after the published ones.
    """
    inputs = index_files, passage_files, published_index, published_passages, leave_out
    if settled:
        try:
            return _decide(WorkFiles(work), settings, executor, *inputs, settled)
        except Unsettled:
            work = work / "again"
    return _decide(WorkFiles(work), settings, executor, *inputs)


def _decide(
    files: WorkFiles,
    settings: DeduplicateSettings,
    executor: Executor,
    index_files: Sequence[Path],
    passage_files: Sequence[Path],
    published_index: Sequence[Path],
    published_passages: Sequence[Path],
    leave_out: Path | None,
    settled: Settled | None = None,
) -> Removals:
    """`find_removals`; raises Unsettled where what is `settled` is not."""
    files.folder.mkdir(parents=True, exist_ok=True)
    left_out = _sorted_keys(leave_out, files.left_out) if leave_out else None
    indexes = _inputs(index_files, published_index, left_out)
    documents = rank_documents(indexes, files, executor)
    passages = _inputs(passage_files, published_passages, left_out)
    spans = partitions_for(documents, _BYTES_DECIDED)
    listed = executor.map(list_documents, passages, repeat(files))  # while what repeats is gathered
    inner = gather_inner_repeats(indexes, files, spans, executor)
    scattered = find_scattered(listed, documents)
    before = None
    if settled:
        published = sum(parquet_file(path).metadata.num_rows for path in published_index)
        before = Before.of(settled, files, published)
    search = _Search(
        files=files,
        settings=settings,
        executor=executor,
        passages=passages,
        passage_rows=sum(parquet_file(file.path).metadata.num_rows for file in passages),
        scattered=scattered,
        spans=spans,
        before=before,
    )
    kept_set = search.keep_documents(indexes)
    files.copies.save(kept_set.copies)
    files.kept_for_others.save(search.marked(rows["first"] for rows in kept_set.pairs(0)))
    removed, rest = search.remove_passages(inner)
    files.away.save(search.left_out(kept_set.copies, rest))
    copies = search.by_span("copies", VERIFIED, kept_set.pairs(search.fresh), "later")
    rests = search.by_span("rest", VERIFIED, [rest], "later")
    similar = search.by_span("similar", SIMILAR, [search.find_similar()], "rank")
    decided = list(map(Decided, copies, rests, removed, inner, similar))
    same = map(repeat, (files, settings, search.fresh))
    made = list(executor.map(write_decisions, decided, *same))
    return Removals(
        document_files=tuple(span.documents for span in made),
        passage_files=tuple(span.passages for span in made),
        similar_files=tuple(span.similar for span in made),
        of_new=before is not None,
    )


def _sorted_keys(doc_ids: Path, out: ArrayFile) -> ArrayFile:
    """Write the doc_ids of a Parquet file as numbers, sorted; they are not held."""
    with parquet_file(doc_ids, pre_buffer=False) as file, out.filled(file.metadata.num_rows) as keys:
        at = 0
        for batch in file.iter_batches(batch_size=1 << 16, columns=["doc_id"]):
            keys[at : at + len(batch)] = doc_keys(batch.column(0))
            at += len(batch)
        keys.sort()
    return out


def _inputs(new: Sequence[Path], published: Sequence[Path], left_out: ArrayFile | None) -> list[InputFile]:
    inputs = [InputFile(path=path, name=f"new-{n}") for n, path in enumerate(new)]
    return inputs + [InputFile(path=path, name=f"published-{n}", left_out=left_out) for n, path in enumerate(published)]


def list_documents(passages: InputFile, files: WorkFiles) -> ArrayFile:
    """Write the ranks of the documents that have passages in a file."""
    order = load_order(files)
    found = [np.empty(0, np.uint32)]
    # The file's own dictionary has each id of a row group once.
    parquet = parquet_file(passages.path, read_dictionary=["doc_id"])
    for batch in parquet.iter_batches(batch_size=1 << 20, columns=["doc_id"]):
        found.append(order.ranks_of(batch.column("doc_id").unique().dictionary, passages))
    ranks = distinct_values(np.concatenate(found))
    return files.documents_in(passages).save(ranks[ranks != NO_RANK])


def find_scattered(listed: Iterable[ArrayFile], documents: int) -> NDArray[np.bool_]:
    """Documents whose passages lie in more than one file, as a compaction may leave them, given those of each file."""
    seen, scattered = np.zeros(documents, np.bool_), np.zeros(documents, np.bool_)
    for found in listed:
        ranks = found.load()
        scattered[ranks[seen[ranks]]] = True
        seen[ranks] = True
    return scattered


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """One search for removals: its files and settings, who does the work, and the documents it is over."""

    files: WorkFiles
    settings: DeduplicateSettings
    executor: Executor
    passages: Sequence[InputFile]
    passage_rows: int  # in all these files
    scattered: NDArray[np.bool_]  # by rank, whether a document's passages lie in more than one file
    spans: int  # of doc_ids, in which the decisions are written
    before: Before | None = None  # what was decided on published documents
    written: dict[str, ShingleSets] = field(default_factory=dict)  # by label

    @property
    def documents(self) -> int:
        return len(self.scattered)

    @property
    def fresh(self) -> int:
        """The rank from which documents are to be decided on."""
        return self.before.fresh if self.before else 0

    @property
    def _partitions(self) -> int:
        """How many partitions of bands and samples there are."""
        return partitions_for(self.documents * 100, KEYED.itemsize)

    def _each(self, job: Callable[..., Made], items: Iterable[Item], *same: object) -> list[Made]:
        """`job` done to each of the items, with the same further arguments."""
        return list(self.executor.map(job, items, *map(repeat, same)))

    def keep_documents(self, indexes: Sequence[InputFile]) -> KeptSet:
        """Which documents are kept, and which are copies of them."""
        files, settings = self.files, self.settings
        kept_set = KeptSet.of([], files.kept_set("decided").room(self.documents))
        if not settings.documents or not self.documents:
            return self.before.copies if self.before else kept_set
        partitions = self._partitions
        # What does not wait for each other is asked for together, so that all workers have work.
        indexed = self.executor.map(spread_index, indexes, repeat(files), repeat(partitions))
        of_prints = partitions_for(self.passage_rows, KEYED.itemsize)
        prints = self.executor.map(spread_prints, self.passages, repeat(files), repeat(of_prints))
        parts = list(indexed)
        files.sketches.join([part.sketches for part in parts])  # workers map it, with each document's place in it
        lay_out([part.sketch_places for part in parts], files.sketch_places, self.documents)
        bands, samples = (
            gather([getattr(part, kind) for part in parts], KEYED, partitions, self.executor)
            for kind in ("bands", "samples")
        )
        searched = self.executor.map(
            find_candidates, bands, samples, repeat(files), repeat(settings), repeat(self.fresh)
        )
        templates = self._find_templates(list(prints), of_prints)
        found = list(searched)
        if self.fresh and any(len(part.large_buckets.load()) for part in found):  # it matters what goes on in those
            found = list(self.executor.map(find_candidates, bands, samples, repeat(files), repeat(settings), repeat(0)))
        parts_of_pairs = [f.pairs.load() for f in found]
        pairs = files.candidate_pairs("copies").distinct(parts_of_pairs, sum(map(len, parts_of_pairs)))
        buckets = merged([f.large_buckets.load() for f in found], KEYED)
        reached = np.ones(self.documents, np.bool_)
        if self.before:
            reached = self.before.reached(_both(pairs), buckets, files)
            pairs, buckets = pairs[reached[_both(pairs)[1]]], buckets[reached[buckets["rank"]]]
        in_buckets = distinct_values(buckets["rank"])
        laters = files.wanted("laters").save(self.marked((later for _, later in _sides(pairs)), [in_buckets]))
        told_by = told_by_own_words(laters, templates, settings) if len(pairs) or len(in_buckets) else []
        compared = self.marked(chain.from_iterable(_sides(pairs)), [in_buckets])
        for part in found:
            for ranks in _both(self._with_new(part.similar.load())):
                compared[ranks] = True
        five, three, *own_words = self._write_shingles(compared, [_FIVE, _THREE, *(kind for kind, _ in told_by)])
        shared = SharedShingles.of(in_buckets, five)
        apart: list[ToldApart] = [
            OwnWords(own, three, share) for own, (_, share) in zip(own_words, told_by, strict=True)
        ]
        done = pairs
        near = self._verify(verify_copies, pairs, "0", five, apart, settings) if len(pairs) else []
        pairs = np.sort(merged([_paired(rows) for rows in near], np.uint64))
        if len(pairs) or len(in_buckets):  # few of all that are compared; the texts of these alone are looked at
            of_short = self._write_shingles(self.marked(_both(pairs), [in_buckets]), OF_SHORT)
            apart += told_by_statements(of_short)
        may_be_copies = [own.may_be_said_again(in_buckets) for own in apart]
        may = np.logical_and.reduce([shared.may_be_close(settings), *may_be_copies])
        large = LargeBuckets(buckets, in_buckets, may)
        close: list[Rows] = []
        for round_ in range(1, _MAX_ROUNDS + 1):
            if len(pairs):
                for rows in self._verify(verify_copies, pairs, f"{round_}", five, apart, settings):
                    close.append(self.before.of_kept(rows) if self.before else rows)
                kept_set = KeptSet.of(self._choose_kept(close, f"{round_}"), kept_set.by_rank)
            pairs = large.next_pairs(kept_set.copies, round_ + 1)
            pairs = pairs[~stand_in(pairs, done)]
            pairs = pairs[are_close(shared.closest(*_both(pairs)), settings)]
            if large.exhausted and not len(pairs):
                break
            done = np.sort(np.concatenate((done, pairs)), kind="stable")  # which merges what is sorted already
        return self._with_known(kept_set, reached)

    def _with_known(self, decided: KeptSet, reached: NDArray[np.bool_]) -> KeptSet:
        """All copies, exact ones and those of before too, given those among the documents that were `reached`."""
        exact_of = load_order(self.files).exact_of
        if self.before:
            return self.before.with_new(decided, reached, exact_of)
        decided.add_exact_copies(exact_of, 0)
        return decided

    def _with_new(self, pairs: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """The pairs of which a document is to be decided on: the later one is, then."""
        return pairs[_both(pairs)[1] >= self.fresh]

    def _choose_kept(self, close: Sequence[Rows], label: str) -> Iterable[Rows]:
        """Which documents are kept, given the pairs that are close; workers take apart what is too much for one."""
        files, settings = self.files, self.settings
        if (size := sum(map(len, close))) <= PAIRS_HELD:
            return [choose_kept(merged(close, VERIFIED), load_order(files).arrival, settings)]
        parts = [files.close(f"{label}-{n}") for n in range(len(close))]
        partitions = -(-size // PAIRS_HELD)
        spread_connected(close, parts, files.labels.room(self.documents), partitions)
        apart = gather(parts, VERIFIED, partitions, self.executor)
        outs = [files.chosen(f"{label}-{n}") for n in range(len(apart))]
        done = self.executor.map(choose_kept_of, apart, outs, repeat(files), repeat(settings))
        return (out.load() for out in done)

    def _find_templates(self, spread: Sequence[PartitionedFile], partitions: int) -> ArrayFile:
        """The passages that many documents have, with the arrival from which they are a template (TEMPLATE)."""
        prints = gather(spread, KEYED, partitions, self.executor)
        found = self._each(find_templates, prints, self.files, self.settings)
        templates = merged([part.load() for part in found], TEMPLATE)
        return self.files.templates.save(templates[np.argsort(templates["key"])])

    def marked(self, *ranks: Iterable[NDArray[Any]]) -> NDArray[np.bool_]:
        """By rank, which documents are among these."""
        marked = np.zeros(self.documents, np.bool_)
        for some in chain(*ranks):
            marked[some] = True
        return marked

    def _write_shingles(self, wanted: NDArray[np.bool_], kinds: Sequence[Sets]) -> list[ShingleSets]:
        """Shingle sets of documents, kind by kind."""
        made = self._of_documents(kinds[0].label, wanted, write_shingles, self.files, kinds)
        for kind, parts in zip(kinds, zip(*made, strict=True), strict=True):
            places = self.files.shingle_places(kind.label)
            starts = lay_out([part.places for part in parts], places, self.documents)
            self.written[kind.label] = ShingleSets(tuple(part.sets for part in parts), tuple(starts), places)
        return [self.written[kind.label] for kind in kinds]

    def _of_documents(
        self, label: str, wanted: NDArray[np.bool_], job: Callable[..., Made], *same: object
    ) -> list[Made]:
        """`job` done to the passages of documents, once a file; of those that lie in several, to all files together."""
        whole = self.files.wanted(label).save(wanted & ~self.scattered)
        made = self._each(job, [[file] for file in self.passages], whole, *same)
        if (wanted & self.scattered).any():
            apart = self.files.wanted(f"{label}-scattered").save(wanted & self.scattered)
            made += self._each(job, [self.passages], apart, *same)
        return made

    def _pair_jobs(self, pairs: NDArray[np.uint64], label: str) -> list[ArrayFile]:
        """The pairs in files of some thousands, or of fewer, so that there is one for every worker."""
        size = min(PAIRS_A_JOB, max(_FEW_PAIRS, -(-len(pairs) // _JOBS)))
        size = max(size, -(-len(pairs) // PAIR_JOBS))
        starts = range(0, len(pairs), size)
        return [self.files.to_verify(f"{label}-{n}").save(pairs[s : s + size]) for n, s in enumerate(starts)]

    def _verify(
        self, job: Callable[..., ArrayFile], pairs: NDArray[np.uint64], label: str, *same: object
    ) -> list[Rows]:
        """What a `job` finds of pairs (VERIFIED), some thousands each."""
        jobs = self._pair_jobs(pairs, label)
        outs = [self.files.verified(f"{label}-{n}") for n in range(len(jobs))]
        return [out.load() for out in self.executor.map(job, jobs, outs, *map(repeat, same))]

    def remove_passages(self, inner: Sequence[Partition]) -> tuple[list[Partition], Rows]:
        """Passages that go, or stay, though others have them (REMOVED, by span), and what is a copy by what is left.

        Those are documents that lose so much by it that what another one holds is all they say (VERIFIED).
        """
        files, settings, spans = self.files, self.settings, self.spans
        if not settings.passages or not self.passages:
            for span in range(spans):
                files.remainders(span).save(np.empty(0, REMAINDER))
            return gather([], REMOVED, spans, self.executor), np.empty(0, VERIFIED)
        count_sites(files)
        partitions = partitions_for(self.passage_rows, PASSAGE.itemsize)
        parts = self._each(spread_passages, self.passages, files, partitions, spans, settings)
        spread = gather([part.passages for part in parts], PASSAGE, partitions, self.executor)
        listed = self._each(list_repeated, spread, files, settings, self.fresh)
        told = self._describe(listed, partitions) if settings.keep_meaningful_repeats else []
        standings = gather(told, STANDING, partitions, self.executor)
        found = self._each(remove_passages, standings, files, settings, spans, self.fresh)
        removed = gather(found, REMOVED, spans, self.executor)
        chars = gather([part.chars for part in parts], CHARS, spans, self.executor)
        same = map(repeat, (files, settings, self.fresh))
        judged = self.executor.map(judge_span, removed, chars, inner, *same)
        return removed, self._verify_rest(merged([some.load() for some in judged], REMAINDER))

    def _verify_rest(self, remainders: Rows) -> Rows:
        """The copies among the `remainders` (REMAINDER) that are one by their shingles too (VERIFIED)."""
        held = remainders[remainders["holder"] != NO_RANK]
        if not len(held):
            return np.empty(0, VERIFIED)
        pairs = np.sort(held["holder"].astype(np.uint64) << np.uint64(32) | held["rank"])
        [sets] = self._write_shingles(self.marked(_both(pairs)), [Sets(label="remainder")])
        verified = merged(self._verify(verify_pairs, pairs, "remainder", sets), VERIFIED)
        return confirmed(verified, load_order(self.files).n_shingles, self.settings)

    def left_out(self, copies: NDArray[np.bool_], rest: Rows) -> NDArray[np.bool_]:
        """By rank, which documents are left out: `copies`, what is one by the `rest` of it, and what was one before."""
        away = copies.copy()
        away[rest["later"]] = True
        if self.before:
            away[self.before.rest] = True
        return away

    def by_span(self, name: str, dtype: np.dtype[Any], pieces: Iterable[Rows], by: str) -> list[Partition]:
        """Rows about documents, given which field has their ranks, by span of doc_ids."""
        order, files = load_order(self.files), self.files
        parts = [order.spread(rows, files.by_span(name, n, dtype), self.spans, by) for n, rows in enumerate(pieces)]
        return gather(parts, dtype, self.spans, self.executor)

    def _describe(self, listed: Sequence[ArrayFile], partitions: int) -> list[PartitionedFile]:
        """What speaks for repeated passages to stay (STANDING), a part a file of passages."""
        wanted = self.marked(list_places(listed, self.files))
        return self._of_documents("repeated", wanted, describe_repeats, self.files, partitions)

    def find_similar(self) -> Rows:
        """Pairs of documents that are alike although both are kept (SIMILAR)."""
        if not self.settings.documents or not self.documents:
            return np.empty(0, SIMILAR)
        kept = ~self.files.away.load()
        known = self.before.similar_pairs(load_order(self.files)) if self.before else np.empty(0, SIMILAR)
        found = [self.files.candidates(partition).similar.load() for partition in range(self._partitions)]
        of_kept = (self._with_new(some[np.logical_and(*(kept[ranks] for ranks in _both(some)))]) for some in found)
        pairs = self.files.candidate_pairs("similar").distinct(of_kept, sum(map(len, found)))
        least = self.settings.similar_threshold
        five, three = (self.written[kind.label] for kind in (_FIVE, _THREE))
        jobs = self._pair_jobs(pairs, "similar")
        outs = [self.files.counted(f"similar-{n}") for n in range(len(jobs))]
        counted = list(self.executor.map(count_kept, jobs, outs, repeat(five), repeat(least)))
        told = [self.files.compared(f"similar-{n}") for n in range(len(jobs))]
        done = self.executor.map(compare_kept, counted, told, repeat(three))
        rows = closest(merged([known, *(part.load() for part in done)], SIMILAR), least)
        new = np.maximum(rows["rank"], rows["other"]) >= self.fresh
        return np.concatenate((rows[~new], with_evidence(rows[new], self._evidence(rows[new], three))))

    def _evidence(self, rows: Rows, three: ShingleSets) -> list[Rows]:
        """The passages that speak for pairs (EVIDENCE), a part a file of passages."""
        if not len(rows):
            return []
        files = self.files
        listed = files.compared("listed").save(rows)
        marked = np.zeros(self.documents, np.bool_)
        marked[rows["rank"]] = True
        whole = files.wanted("evidence").save(marked & ~self.scattered)
        outs = [files.evidence(file.name) for file in self.passages]
        inputs = [[file] for file in self.passages]
        same = map(repeat, (files, three))
        found = list(self.executor.map(find_evidence, inputs, repeat(whole), repeat(listed), outs, *same))
        if (marked & self.scattered).any():
            apart = files.wanted("evidence-scattered").save(marked & self.scattered)
            out = files.evidence("scattered")
            found += self._each(find_evidence, [self.passages], apart, listed, out, files, three)
        return [part.load() for part in found]


def _sides(pairs: NDArray[np.uint64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """`_both`, some pairs at a time."""
    return (_both(pairs[start : start + _PAIRS_READ]) for start in range(0, len(pairs), _PAIRS_READ))


def _paired(rows: Rows) -> NDArray[np.uint64]:
    """The pairs that are compared in some rows (VERIFIED)."""
    paired: NDArray[np.uint64] = rows["first"].astype(np.uint64) << np.uint64(32) | rows["later"]
    return paired


def _both(pairs: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ranks of the first and of the later document of each pair."""
    return (pairs >> np.uint64(32)).astype(np.int64), (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)
