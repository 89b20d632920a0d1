"""Find what to leave out of a whole dataset: documents first, then passages; everything large goes through files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from winnow.base.files import metadata_of
from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.array_files import ArrayFile, Partition, PartitionedFile, gather, load_each, partitions_for
from winnow.deduplicate.decisions import Decided, Removals, write_decisions
from winnow.deduplicate.documents.candidate_pairs import (
    LargeBuckets,
    find_candidates,
    lay_sketches,
    spread_index,
    write_keys,
)
from winnow.deduplicate.documents.comparison import Comparison, clear
from winnow.deduplicate.documents.document_order import load_order, rank_documents
from winnow.deduplicate.documents.kept_set import (
    PAIRS_HELD,
    KeptSet,
    are_close,
    choose_kept,
    choose_kept_of,
    spread_connected,
)
from winnow.deduplicate.documents.shingle_store import Asked
from winnow.deduplicate.documents.similar_pairs import compare_kept, count_kept, find_evidence, list_closest
from winnow.deduplicate.documents.similarity import (
    Sets,
    SharedShingles,
    verify_pairs,
)
from winnow.deduplicate.documents.templates import (
    OF_STATEMENTS,
    OwnWords,
    ToldApart,
    differ_little,
    find_templates,
    spread_prints,
    titles_of,
    told_by_own_words,
    told_by_statements,
    told_by_titles,
)
from winnow.deduplicate.inputs import asked_for, inputs_of, sorted_keys, whole
from winnow.deduplicate.passage_rows import find_scattered, list_documents, write_prints
from winnow.deduplicate.remainders import confirmed, judge_span
from winnow.deduplicate.repeats.across_documents import (
    count_sites,
    describe_repeats,
    find_asked,
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
    VERIFIED,
    Candidates,
    InputFile,
    ShingleSets,
    WorkFiles,
)

_PAIRS_READ = 1 << 20
_FIVE, _THREE = Sets(label="five"), Sets(label="three", short=True)  # of all documents that are compared with any
_BYTES_DECIDED = 128  # of rows that tell what is decided on a document, at most, but for few
# Then a bucket's documents have been compared with its first 128; beyond that they are kept. Of documents of which a
# twentieth is their own, as few have under one template, copies share five bands that only they have.
_MAX_ROUNDS = 8


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
    left_out = sorted_keys(leave_out, files.left_out) if leave_out else None
    indexes = inputs_of(index_files, published_index, left_out)
    documents = rank_documents(indexes, files, executor)
    passages = inputs_of(passage_files, published_passages, left_out)
    spans = partitions_for(documents, _BYTES_DECIDED)
    listed = executor.map(list_documents, passages, repeat(files))  # while what repeats is gathered
    inner = gather_inner_repeats(indexes, files, spans, executor)
    scattered = find_scattered(listed, documents)
    before = None
    if settled:
        published = sum(meta.num_rows for meta in metadata_of(published_index))
        before = Before.of(settled, files, published)
        passages = asked_for(
            passages, len(passage_files), write_prints(passages[: len(passage_files)], files.new_prints)
        )
        indexes = asked_for(indexes, len(index_files), write_keys(indexes[: len(index_files)], files))
    search = _Search(
        files=files,
        settings=settings,
        executor=executor,
        passages=passages,
        passage_rows=sum(meta.num_rows for meta in metadata_of(file.path for file in passages)),
        comparison=Comparison(files=files, executor=executor, passages=passages, scattered=scattered),
        documents=documents,
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
    similar = search.find_similar()
    decided = list(map(Decided, copies, rests, removed, inner, similar))
    same = map(repeat, (files, settings, search.fresh))
    made = list(executor.map(write_decisions, decided, *same))
    return Removals(
        document_files=tuple(span.documents for span in made),
        passage_files=tuple(span.passages for span in made),
        similar_files=tuple(span.similar for span in made),
        of_new=before is not None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """One search for removals: its files and settings, who does the work, and the documents it is over."""

    files: WorkFiles
    settings: DeduplicateSettings
    executor: Executor
    passages: Sequence[InputFile]
    passage_rows: int  # in all these files
    comparison: Comparison
    documents: int
    spans: int  # of doc_ids, in which the decisions are written
    before: Before | None = None  # what was decided on published documents
    alike: list[ArrayFile] = field(default_factory=list)  # pairs that may be that (see `Candidates`), once found

    @property
    def fresh(self) -> int:
        """The rank from which documents are to be decided on."""
        return self.before.fresh if self.before else 0

    @property
    def _partitions(self) -> int:
        """How many partitions of bands and samples there are."""
        return partitions_for(self.documents * 100, KEYED.itemsize)

    def keep_documents(self, indexes: Sequence[InputFile]) -> KeptSet:
        """Which documents are kept, and which are copies of them."""
        if not self.settings.documents or not self.documents:
            none = KeptSet.of([], self.files.kept_set("decided").room(self.documents))
            return self.before.copies if self.before else none
        found, templates = self._find_candidates(indexes, self.passages, self.fresh)
        decided = self._decide_on(found, templates, in_rounds=not self.before)
        if decided is None:  # it matters what goes on in large buckets
            files = WorkFiles(self.files.folder / "in-rounds", self.files.folder)  # of the same documents
            files.folder.mkdir(parents=True, exist_ok=True)
            anew = replace(self, files=files, comparison=replace(self.comparison, files=files))
            decided = anew._decide_on(*anew._find_candidates(whole(indexes), whole(self.passages), 0))
        assert decided is not None
        return self._with_known(*decided)

    def _decide_on(
        self, found: Sequence[Candidates], templates: ArrayFile, in_rounds: bool = True
    ) -> tuple[KeptSet, NDArray[np.bool_]] | None:
        """Which documents are kept, and (by rank) which were decided on, given the candidate pairs.

        Large buckets are gone through `in_rounds`. If not, only new documents are decided on: where none of them is
        close to any document of its large buckets but those in the pairs, rounds change nothing; else None.
        """
        files, settings = self.files, self.settings
        kept_set = KeptSet.of([], files.kept_set("decided").room(self.documents))
        self.alike[:] = [part.similar for part in found]
        self._find_nearest(found)
        of_copies = [part.pairs for part in found]
        pairs = files.candidate_pairs("copies").distinct(load_each(of_copies), sum(map(len, load_each(of_copies))))
        buckets = merged(list(load_each(part.large_buckets for part in found)), KEYED)
        reached = np.ones(self.documents, np.bool_)
        if self.before:
            reached = self.before.reached(_both(pairs), buckets if in_rounds else buckets[:0], files)
            pairs = pairs[reached[_both(pairs)[1]] & self.before.may_hold(*_both(pairs))]
            buckets = buckets[reached[buckets["rank"]] if in_rounds else self.before.stays(buckets["rank"])]
        in_buckets = distinct_values(buckets["rank"])
        compared = self.marked(chain.from_iterable(_sides(pairs)), [in_buckets])
        for some in load_each(self.alike):
            for ranks in _both(self._with_new(some)):
                compared[ranks] = True
        five, three = self.comparison.write_shingles(compared, [_FIVE, _THREE])
        done = pairs
        near = self._near(pairs, "0", five) if len(pairs) else []
        pairs = np.sort(merged([_paired(rows) for rows in load_each(near)], np.uint64))
        apart: list[ToldApart] = []
        if len(pairs) or len(in_buckets):  # few of all that are compared; the texts of these alone are looked at
            laters = files.wanted("laters").save(self.marked([_both(pairs)[1], in_buckets]) & reached)
            told_by = told_by_own_words(laters, templates, settings)
            n_shingles = load_order(files).n_shingles
            little = (rows[differ_little(rows, n_shingles)] for rows in load_each(near))
            alike = self.marked((rows[side] for rows in little for side in ("first", "later")), [in_buckets])
            stating = files.wanted("stating").save(alike)
            kinds = [*(kind for kind, _ in told_by), *(replace(kind, among=stating) for kind in OF_STATEMENTS)]
            sets = self.comparison.write_shingles(self.marked(_both(pairs), [in_buckets]), kinds)
            apart += (OwnWords(own, three, share) for own, (_, share) in zip(sets, told_by, strict=False))
            apart += told_by_statements(sets[len(told_by) :], files)
            near = self.comparison.told_apart(near, "0", apart, len(pairs))
        bounds = self.comparison.bounds(buckets, five, apart, settings)
        shared = SharedShingles(*(np.ascontiguousarray(bounds[name]) for name in ("rank", "size", "most")))
        large = LargeBuckets(buckets, shared.ranks, bounds["may"] & reached[shared.ranks])
        close: list[Rows] = []
        for round_ in range(1, _MAX_ROUNDS + 1):
            if len(pairs):
                told = near if round_ == 1 else self._close(pairs, f"{round_}", five, apart)
                rows = self._joined(told, f"{round_}")
                if not in_rounds and round_ > 1 and any(map(len, rows)):
                    return None
                close += rows
                kept_set = KeptSet.of(self._choose_kept(close, f"{round_}"), kept_set.by_rank)
            if not in_rounds and round_ > 1:
                break
            copies = kept_set.copies if in_rounds else np.zeros(self.documents, np.bool_)
            pairs = large.next_pairs(copies, round_ + 1 if in_rounds else _MAX_ROUNDS)
            pairs = pairs[~stand_in(pairs, done)]
            if self.before:
                pairs = pairs[self.before.may_hold(*_both(pairs))]
            pairs = pairs[are_close(shared.closest(*_both(pairs)), settings)]
            if large.exhausted and not len(pairs):
                break
            done = np.sort(np.concatenate((done, pairs)), kind="stable")  # which merges what is sorted already
        return kept_set, reached

    def _find_candidates(
        self, indexes: Sequence[InputFile], passages: Sequence[InputFile], fresh: int
    ) -> tuple[list[Candidates], ArrayFile]:
        """Pairs of which the later document has rank `fresh` or more, and the templates that tell those apart."""
        files, partitions = self.files, self._partitions
        # What does not wait for each other is asked for together, so that all workers have work.
        indexed = self.executor.map(spread_index, indexes, repeat(files), repeat(partitions))
        of_prints = partitions_for(self.passage_rows, KEYED.itemsize)
        prints = self.executor.map(spread_prints, passages, repeat(files), repeat(of_prints))
        parts = list(indexed)
        files.sketches.join([part.sketches for part in parts])  # workers map it, with each document's place in it
        lay_sketches([part.sketch_places for part in parts], files.sketch_places, self.documents)
        bands, samples = (
            gather([getattr(part, kind) for part in parts], KEYED, partitions, self.executor)
            for kind in ("bands", "samples")
        )
        same = map(repeat, (files, self.settings, fresh))
        searched = self.executor.map(find_candidates, bands, samples, *same)
        templates = self._find_templates(list(prints), of_prints)
        return list(searched), templates

    def _find_nearest(self, found: Sequence[Candidates]) -> None:
        """Write, by rank, the first document that each may be alike with."""
        with self.files.nearest.filled(self.documents) as nearest:
            nearest[:] = np.arange(self.documents, dtype=np.uint32)
            for pairs in load_each(chain.from_iterable((part.pairs, part.similar) for part in found)):
                for first, later in _sides(pairs):
                    np.minimum.at(nearest, later, first.astype(np.uint32))

    def _with_known(self, decided: KeptSet, reached: NDArray[np.bool_]) -> KeptSet:
        """All copies, exact ones and those of before too, given those among the documents that were `reached`."""
        exact_of = load_order(self.files).exact_of
        if self.before:
            return self.before.with_new(decided, reached, exact_of)
        decided.add_exact_copies(exact_of, 0)
        return decided

    def _with_new(self, pairs: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """The pairs of which a document is to be decided on, the later one then, and none is known to be left out."""
        first, later = _both(pairs)
        new = later >= self.fresh
        return pairs[new & self.before.may_hold(first, later) if self.before else new]

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
        return load_each(done)

    def _find_templates(self, spread: Sequence[PartitionedFile], partitions: int) -> ArrayFile:
        """The passages that many documents have, with the arrival from which they are a template (TEMPLATE)."""
        prints = gather(spread, KEYED, partitions, self.executor)
        found = self.comparison.each(find_templates, prints, self.files, self.settings)
        return self.files.templates.join(found)  # partitions are in the order of the keys

    def marked(self, *ranks: Iterable[NDArray[Any]]) -> NDArray[np.bool_]:
        """By rank, which documents are among these."""
        marked = np.zeros(self.documents, np.bool_)
        for some in chain(*ranks):
            marked[some] = True
        return marked

    def _close(
        self, pairs: NDArray[np.uint64], label: str, five: ShingleSets, apart: Sequence[ToldApart]
    ) -> list[ArrayFile]:
        """The pairs that are close, and of which the first document says what tells the later one apart (VERIFIED)."""
        return self.comparison.told_apart(self._near(pairs, label, five), label, apart, len(pairs))

    def _near(self, pairs: NDArray[np.uint64], label: str, five: ShingleSets) -> list[ArrayFile]:
        """The pairs that are close (VERIFIED)."""
        return self.comparison.compare(verify_pairs, pairs, label, five, self.files.verified, self.settings)

    def _joined(self, told: Sequence[ArrayFile], label: str) -> list[Rows]:
        """The same, some of them at a time."""
        rows = self.files.verified(f"{label}-all").join(told).load()
        return [rows[start : start + _PAIRS_READ] for start in range(0, len(rows), _PAIRS_READ)]

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
        parts = self.comparison.each(spread_passages, self.passages, files, partitions, spans, settings)
        spread = gather([part.passages for part in parts], PASSAGE, partitions, self.executor)
        listed = self.comparison.each(list_repeated, spread, files, settings, self.fresh)
        told = self._describe(listed, partitions) if settings.keep_meaningful_repeats else []
        standings = gather(told, STANDING, partitions, self.executor)
        found = self.comparison.each(remove_passages, standings, files, settings, spans, self.fresh)
        removed = gather(found, REMOVED, spans, self.executor)
        chars = gather([part.chars for part in parts], CHARS, spans, self.executor)
        same = map(repeat, (files, settings, self.fresh))
        judged = self.executor.map(judge_span, removed, chars, inner, *same)
        return removed, self._verify_rest(merged(list(load_each(judged)), REMAINDER))

    def _verify_rest(self, remainders: Rows) -> Rows:
        """The copies among the `remainders` (REMAINDER) that are one by their shingles too (VERIFIED)."""
        held = remainders[remainders["holder"] != NO_RANK]
        if not len(held):
            return np.empty(0, VERIFIED)
        pairs = np.sort(held["holder"].astype(np.uint64) << np.uint64(32) | held["rank"])
        compare = self.comparison
        kinds = [Sets(label="remainder"), titles_of("remainders")]
        sets, titles = compare.write_shingles(self.marked(_both(pairs)), kinds)
        found = compare.compare(verify_pairs, pairs, "remainder", sets, self.files.verified)
        told = compare.told_apart(found, "remainder", [told_by_titles(titles)], len(pairs))
        return confirmed(merged(list(load_each(told)), VERIFIED), load_order(self.files).n_shingles, self.settings)

    def left_out(self, copies: NDArray[np.bool_], rest: Rows) -> NDArray[np.bool_]:
        """By rank, which documents are left out: `copies`, what is one by the `rest` of it, and what was one before."""
        away = copies.copy()
        away[rest["later"]] = True
        if self.before:
            away[self.before.rest] = True
        return away

    def by_span(self, name: str, dtype: np.dtype[Any], pieces: Iterable[Rows], by: str) -> list[Partition]:
        """Rows about documents, given which field has their ranks, by span of doc_ids."""
        return gather(self._spread(name, dtype, pieces, by), dtype, self.spans, self.executor)

    def _spread(self, name: str, dtype: np.dtype[Any], pieces: Iterable[Rows], by: str) -> list[PartitionedFile]:
        order, files = load_order(self.files), self.files
        return [order.spread(rows, files.by_span(name, n, dtype), self.spans, by) for n, rows in enumerate(pieces)]

    def _describe(self, listed: Sequence[ArrayFile], partitions: int) -> list[PartitionedFile]:
        """What speaks for repeated passages to stay (STANDING), a part a file of passages."""
        if self.before:  # published ones are described only where that matters to new ones
            told = self._described("new-repeated", listed, partitions, self.fresh)
            standings = gather(told, STANDING, partitions, self.executor)
            listed = self.comparison.each(find_asked, standings, self.files, self.fresh)
        return self._described("repeated", listed, partitions, 0)

    def _described(self, label: str, listed: Sequence[ArrayFile], partitions: int, fresh: int) -> list[PartitionedFile]:
        wanted = self.marked(list_places(listed, self.files.places(label), fresh))
        return self.comparison.of_documents(label, wanted, describe_repeats, self.files, label, partitions)

    def find_similar(self) -> list[Partition]:
        """Pairs of documents that are alike although both are kept (SIMILAR), by span of doc_ids."""
        files, spans, compare = self.files, self.spans, self.comparison
        if not self.settings.documents or not self.documents:
            return gather([], SIMILAR, spans, self.executor)
        kept = ~files.away.load()
        known = self.before.similar_pairs(load_order(files)) if self.before else []
        of_kept = (
            self._with_new(some[np.logical_and(*(kept[ranks] for ranks in _both(some)))])
            for some in load_each(self.alike)
        )
        pairs = files.candidate_pairs("similar").distinct(of_kept, sum(map(len, load_each(self.alike))))
        least = self.settings.similar_threshold
        five, three = (compare.written[kind.label] for kind in (_FIVE, _THREE))
        counted = compare.compare(count_kept, pairs, "similar", five, files.counted, least)
        both = [Asked(rows, n, ("first", "later")) for n, rows in enumerate(counted)]
        brought = compare.brought("similar-three", three, both, len(both))
        outs = [files.by_span("compared", n, SIMILAR) for n in range(len(both))]
        told = list(self.executor.map(compare_kept, counted, outs, brought, repeat(files), repeat(spans)))
        clear(brought)
        told += self._spread("known", SIMILAR, known, "rank")
        alike = gather(told, SIMILAR, spans, self.executor)
        listed = compare.each(list_closest, alike, files, three, least, self.fresh)
        others = [Asked(rows, None, ("other",)) for rows, _ in listed]
        brought = compare.brought("evidence", three, others, len(three.parts))
        of_files = gather([rows for rows, _ in listed], SIMILAR, len(three.parts), self.executor)
        inputs = [*([file] for file in self.passages), self.passages][: len(of_files)]
        outs = [files.by_span("evidence", n, SIMILAR) for n in range(len(of_files))]
        shown = list(self.executor.map(find_evidence, inputs, of_files, outs, brought, repeat(files), repeat(spans)))
        clear(brought)
        new = gather(shown, SIMILAR, spans, self.executor)
        return [replace(some, files=(*some.files, known)) for some, (_, known) in zip(new, listed, strict=True)]


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
