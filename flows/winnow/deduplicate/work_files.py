"""The work folder of one deduplication: what each file is called, and what its rows are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike, NDArray

from winnow.base.files import at_hand, bytes_of, read_ahead
from winnow.deduplicate.array_files import ArrayFile, PartitionedFile
from winnow.deduplicate.sorted_rows import Rows

NO_RANK = np.uint32(0xFFFFFFFF)
"""Stands for a document that takes no part, and for no document. A rank is a place in the total order of documents."""

NO_POSITION = -1
"""Stands for no passage."""

ORDER = {
    "keys": np.uint64,  # doc_ids as numbers, sorted
    "ranks": np.uint32,  # rank of the document with the key at the same place
    "doc_keys": np.uint64,  # doc_ids as numbers, by rank
    "arrival": np.int32,  # this and the following by rank
    "site": np.int32,
    "n_shingles": np.int32,
    "exact_of": np.uint32,  # rank of the first document with the very same text; its own for that one
}
TEXT = np.dtype([("high", np.uint64), ("low", np.uint64)])
FACTS = np.dtype(
    [("key", np.uint64), ("arrival", np.int32), ("damage", np.int32), ("shorter", np.int64), ("collected_at", np.int64),
     ("site", np.uint64), ("n_shingles", np.int32), ("text", TEXT)]
)  # fmt: skip
SAME_TEXT = np.dtype([("text", TEXT), ("rank", np.uint32), ("first", np.uint32)])
KEYED = np.dtype([("key", np.uint64), ("rank", np.uint32)])
SKETCHED = np.dtype(np.uint16)
"""A sampled shingle in the sketches that pairs are compared by: of so few, hardly two fall together."""
PLACE = np.dtype([("start", np.int64), ("size", np.int32)])
"""Where a document's set lies among others, end to end; NOWHERE for one that has none."""
NOWHERE = -1
PLACED = np.dtype([("rank", np.uint32), *PLACE.descr])
SIZED = np.dtype([("rank", np.uint32), ("size", np.int32)])
WANTED = np.dtype([("rank", np.uint32), ("job", np.uint32)])
BOUND = np.dtype([("rank", np.uint32), ("size", np.int32), ("most", np.int32), ("may", np.bool_)])
TEMPLATE = np.dtype([("key", np.uint64), ("arrival", np.int32)])
COUNTED = np.dtype(
    [("first", np.uint32), ("later", np.uint32), ("of_first", np.int64), ("of_later", np.int64), ("both", np.int64)]
)
VERIFIED = np.dtype([("first", np.uint32), ("later", np.uint32), ("jaccard", np.float64), ("containment", np.float64)])
KEPT = np.dtype([("kept", np.uint32), ("jaccard", np.float32), ("containment", np.float32)])
SIMILAR = np.dtype(
    [("rank", np.uint32), ("other", np.uint32), ("jaccard", np.float64), ("containment", np.float64),
     ("position", np.int32), ("share", np.float64)]
)  # fmt: skip
PASSAGE = np.dtype(
    [("high", np.uint64), ("low", np.uint64), ("rank", np.uint32), ("position", np.int32), ("part", np.int32),
     ("chars", np.int32), ("long", np.bool_), ("call", np.bool_), ("meaning", np.uint8), ("boilerplate", np.bool_)]
)  # fmt: skip
STANDING = np.dtype(
    [("rank", np.uint32), ("position", np.int32), ("low", np.uint64), ("meaning", np.uint8), ("firm", np.bool_),
     ("beside", np.uint64), ("among", np.uint64), ("section", np.uint64), ("windows", np.uint64, 3)]
)  # fmt: skip
REMOVED = np.dtype(
    [("rank", np.uint32), ("position", np.int32), ("part", np.int32), ("chars", np.int32), ("boilerplate", np.bool_),
     ("kept", np.uint32), ("kept_position", np.int32), ("meaning", np.uint8)]
)  # fmt: skip
CHARS = np.dtype([("rank", np.uint32), ("chars", np.int64)])
INNER_REPEAT = np.dtype(
    [("rank", np.uint32), ("position", np.int32), ("part", np.int32), ("reason", np.uint8),
     ("kept_position", np.int32), ("similarity", np.float32)]
)  # fmt: skip
INNER_PLACE = np.dtype([("place", np.uint64), ("part", np.int32)])
REMAINDER = np.dtype([("rank", np.uint32), ("holder", np.uint32), ("bare", np.bool_)])


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """A file of index rows or passages that takes part; the documents `left_out` are passed over in it."""

    path: Path
    name: str  # stands in the names of work files made from it
    left_out: ArrayFile | None = None  # doc_ids as numbers, sorted
    only: tuple[ArrayFile, ...] = ()  # what new documents have, where rows that share nothing with them do not matter


@dataclass(frozen=True, slots=True)
class ShingleFile:
    """Shingle sets end to end, so many `hashes`, and behind them where each document's set lies (PLACED)."""

    path: Path
    hashes: int = 0
    documents: int = 0

    def sets(self) -> NDArray[np.uint64]:
        """The sets, mapped."""
        if not self.hashes:  # there is no mapping of nothing
            return np.empty(0, np.uint64)
        return np.memmap(at_hand(self.path), np.uint64, "r", shape=self.hashes)

    def places(self) -> Rows:
        """Where each document's set lies, which is read alone."""
        end = 8 * self.hashes
        return np.frombuffer(bytes_of(self.path, end, end + PLACED.itemsize * self.documents), PLACED)


@dataclass(frozen=True, slots=True)
class ShingleSets:
    """Shingle sets in several files, as if those stood one after the other, one apart.

    `starts` says where each file begins, and the end of the last; `places` where each document's set lies, by rank.
    """

    parts: tuple[ShingleFile, ...]
    starts: tuple[int, ...]
    places: ArrayFile

    def has(self, ranks: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Which documents have a set."""
        here: NDArray[np.bool_] = self.places.load()["start"][ranks] != NOWHERE
        return here

    def file_of(self, ranks: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Which file the set of each document is in."""
        return self.file_at(self.places.load()["start"][ranks])

    def file_at(self, starts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which file each place is in."""
        return np.searchsorted(np.array(self.starts), starts, side="right") - 1


def lay_out(parts: Sequence[ShingleFile], places: ArrayFile, documents: int) -> list[int]:
    """Write where sets lie, by rank (PLACE), given the files that they lie in.

    Returns where each part begins, one apart from the one before, and the end of the last.
    """
    starts = [0]
    with places.filled(documents) as by_rank:
        by_rank["start"] = NOWHERE
        for part, some in zip(parts, read_ahead(ShingleFile.places, parts), strict=True):
            by_rank["start"][some["rank"]] = some["start"] + starts[-1]
            by_rank["size"][some["rank"]] = some["size"]
            starts.append(starts[-1] + part.hashes + 1)
    return starts


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedPart:
    """What is made of one part of the order."""

    by_key: PartitionedFile  # KEYED
    by_text: PartitionedFile  # SAME_TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexParts:
    """What is made of one index file."""

    bands: PartitionedFile
    samples: PartitionedFile  # of the shingles, as the sketches hold them
    sketches: ArrayFile  # end to end
    sketch_places: ArrayFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What is made of one partition of bands and samples."""

    pairs: ArrayFile  # the first document's rank << 32 | the later one's
    large_buckets: ArrayFile
    similar: ArrayFile  # pairs of which a good share may be alike, though too little for a copy


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageParts:
    """What is made of one file of passages."""

    passages: PartitionedFile  # those that may go for what another document has
    chars: PartitionedFile  # by span of doc_ids: a document's characters that do not go for what its own has (CHARS)


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerParts:
    """What the index rows of one file say of repeats in their documents: what goes, and what stays for its meaning."""

    repeats: PartitionedFile  # INNER_REPEAT, by span of doc_ids
    places: PartitionedFile  # INNER_PLACE of what goes, by rank


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanFiles:
    """Parquet: the decisions on the documents of one span of doc_ids (see winnow.base.staging)."""

    documents: Path  # DOCUMENT_DECISIONS
    passages: Path  # PASSAGE_DECISIONS
    similar: Path  # SIMILAR_DOCUMENTS


@dataclass(frozen=True, slots=True)
class WorkFiles:
    """Where each file of a deduplication stands in its folder, and what it holds.

    No file is written twice: workers that have theirs from a store keep what they have fetched.
    """

    folder: Path
    _of_documents: Path | None = None  # the folder with the facts of documents, where that is another one

    def _array(self, name: str, dtype: DTypeLike) -> ArrayFile:
        return ArrayFile(self.folder / f"{name}.npy", np.dtype(dtype))

    def _known(self, name: str, dtype: DTypeLike) -> ArrayFile:
        return ArrayFile((self._of_documents or self.folder) / f"{name}.npy", np.dtype(dtype))

    def order(self, fact: str) -> ArrayFile:
        """A fact of all documents (see ORDER)."""
        return self._known(f"order-{fact}", ORDER[fact])

    def order_part(self, fact: str, part: int) -> ArrayFile:
        """The same of a part of the order, or, where the facts are by doc_id, of a partition of them."""
        return self.order(fact).part(part)

    def sorted_facts(self, index: InputFile) -> ArrayFile:
        """What documents are ordered by, in that order."""
        return self._array(f"sorted-facts-{index.name}", FACTS)

    def facts(self, index: InputFile) -> PartitionedFile:
        """The same; a partition is a part of the order."""
        return PartitionedFile(self.folder / f"facts-{index.name}.npy", np.dtype(FACTS))

    def ranked(self, part: int) -> RankedPart:
        keys, texts = self.folder / f"ranked-{part}.npy", self.folder / f"texts-{part}.npy"
        return RankedPart(by_key=PartitionedFile(keys, KEYED), by_text=PartitionedFile(texts, SAME_TEXT))

    def same_texts(self, partition: int) -> ArrayFile:
        return self._array(f"same-texts-{partition}", SAME_TEXT)

    @property
    def sites(self) -> ArrayFile:
        """Hashes of all sites, sorted; a document's site is a place among them."""
        return self._array("sites", np.uint64)

    @property
    def left_out(self) -> ArrayFile:
        """The doc_ids of published documents that are replaced or withdrawn, as numbers, sorted."""
        return self._array("left-out", np.uint64)

    def inner_parts(self, index: InputFile) -> InnerParts:
        kinds = {"repeats": INNER_REPEAT, "places": INNER_PLACE}
        return InnerParts(
            **{k: PartitionedFile(self.folder / f"inner-{k}-{index.name}.npy", dtype) for k, dtype in kinds.items()}
        )

    @property
    def inner_places(self) -> ArrayFile:
        """Where all passages stand that go for repeats in their document: rank << 32 | position, sorted."""
        return self._array("inner-places", np.uint64)

    @property
    def inner_place_parts(self) -> ArrayFile:
        """The part of each of them."""
        return self._array("inner-place-parts", np.int32)

    def documents_in(self, passages: InputFile) -> ArrayFile:
        """Ranks of the documents with passages in a file."""
        return self._known(f"documents-in-{passages.name}", np.uint32)

    def index_parts(self, index: InputFile) -> IndexParts:
        bands, samples = (PartitionedFile(self.folder / f"{n}-{index.name}.npy", KEYED) for n in ("bands", "samples"))
        sketches = self._array(f"sketches-{index.name}", SKETCHED)
        places = self._array(f"sketch-places-{index.name}", PLACED)
        return IndexParts(bands=bands, samples=samples, sketches=sketches, sketch_places=places)

    @property
    def sketches(self) -> ArrayFile:
        """The sketches of all documents end to end."""
        return self._array("sketches", SKETCHED)

    @property
    def sketch_places(self) -> ArrayFile:
        """By rank, where each sketch starts, and how many values it has: start << 24 | size."""
        return self._array("sketch-places", np.uint64)

    def candidates(self, partition: int) -> Candidates:
        buckets = self._array(f"large-buckets-{partition}", KEYED)
        pairs, similar = (self._array(f"{n}-{partition}", np.uint64) for n in ("pairs", "similar-pairs"))
        return Candidates(pairs=pairs, large_buckets=buckets, similar=similar)

    @property
    def new_prints(self) -> ArrayFile:
        """The fingerprints of all passages that new documents have."""
        return self._array("new-prints", TEXT)

    def new_keys(self, name: str) -> ArrayFile:
        """Which slots the bands or the samples of new documents fall into (see `slots_of`)."""
        return self._array(f"new-{name}", np.bool_)

    def prints(self, passages: InputFile) -> PartitionedFile:
        """Which document has which passage."""
        return PartitionedFile(self.folder / f"prints-{passages.name}.npy", KEYED)

    def templates_in(self, partition: int) -> ArrayFile:
        """Passages that many documents have, sorted by key, with the arrival from which they are a template."""
        return self._array(f"templates-{partition}", TEMPLATE)

    @property
    def templates(self) -> ArrayFile:
        """Those of all partitions."""
        return self._array("templates", TEMPLATE)

    def wanted(self, label: str) -> ArrayFile:
        """By rank, whether a document's shingles are wanted."""
        return self._array(f"wanted-{label}", np.bool_)

    def shingles(self, label: str, inputs: Sequence[InputFile]) -> Path:
        """Of documents whose passages lie in one file, or, given several, in more than one of them."""
        name = f"{label}-{inputs[0].name if len(inputs) == 1 else 'scattered'}"
        return self.folder / f"shingles-{name}.u64"

    def shingle_places(self, label: str) -> ArrayFile:
        """By rank, where each document's set lies among those of a label."""
        return self._array(f"shingle-places-{label}", PLACE)

    def wanted_sets(self, label: str) -> PartitionedFile:
        """Whose sets jobs need, by the file that has them."""
        return PartitionedFile(self.folder / f"wanted-sets-{label}.npy", WANTED)

    def sets_for(self, label: str) -> PartitionedFile:
        """What jobs need of one file of sets: of each job whose they are (SIZED), then these, end to end."""
        return PartitionedFile(self.folder / f"sets-for-{label}.npy", np.dtype(np.uint64))

    @property
    def nearest(self) -> ArrayFile:
        """By rank, the first document that each may be alike with; its own where there is none before it."""
        return self._array("nearest", np.uint32)

    def listed(self, label: str) -> ArrayFile:
        """Pairs of one kind, each once, sorted."""
        return self._array(f"listed-pairs-{label}", np.uint64)

    def spread_pairs(self, label: str) -> PartitionedFile:
        """Some of those, by what they are alike with."""
        return PartitionedFile(self.folder / f"spread-pairs-{label}.npy", np.dtype(np.uint64))

    @property
    def in_buckets(self) -> ArrayFile:
        """Documents of large buckets."""
        return self._array("in-buckets", np.uint32)

    def bounds(self, part: int) -> ArrayFile:
        """How alike some of those may be with others, at the very most."""
        return self._array(f"bounds-{part}", BOUND)

    def candidate_pairs(self, label: str) -> ArrayFile:
        """All pairs of one kind, each once, as in `Candidates`."""
        return self._array(f"candidate-pairs-{label}", np.uint64)

    def to_verify(self, label: str) -> ArrayFile:
        """Pairs, as in `Candidates`."""
        return self._array(f"to-verify-{label}", np.uint64)

    def verified(self, label: str) -> ArrayFile:
        return self._array(f"verified-{label}", VERIFIED)

    def close(self, label: str) -> PartitionedFile:
        """Pairs that are close; what a chain of them connects is in one partition."""
        return PartitionedFile(self.folder / f"close-{label}.npy", VERIFIED)

    def chosen(self, label: str) -> ArrayFile:
        """Of those, the pairs of a document that is kept and one that is left out for it."""
        return self._array(f"chosen-{label}", VERIFIED)

    def counted(self, label: str) -> ArrayFile:
        """Pairs of kept documents, and how many shingles they have in common."""
        return self._array(f"counted-{label}", COUNTED)

    def listed_similar(self, span: int) -> PartitionedFile:
        """Those of them that are listed of a span of doc_ids, by the file that has the shingles of the document."""
        return PartitionedFile(self.folder / f"listed-similar-{span}.npy", SIMILAR)

    def known_similar(self, span: int) -> PartitionedFile:
        """Those that were listed before, too, of a span of doc_ids."""
        return PartitionedFile(self.folder / f"known-similar-{span}.npy", SIMILAR, span)

    @property
    def copies(self) -> ArrayFile:
        """By rank, whether a document is left out as a copy."""
        return self._array("copies", np.bool_)

    def kept_set(self, label: str) -> ArrayFile:
        """By rank, the document that each is left out for."""
        return self._array(f"kept-set-{label}", KEPT)

    @property
    def labels(self) -> ArrayFile:
        """By rank, the smallest document that each is connected with."""
        return self._array("labels", np.uint32)

    @property
    def kept_for_others(self) -> ArrayFile:
        """By rank, whether others are copies of a document."""
        return self._array("kept-for-others", np.bool_)

    @property
    def site_versions(self) -> ArrayFile:
        """The versions in which documents arrived."""
        return self._array("site-versions", np.int32)

    @property
    def site_counts(self) -> ArrayFile:
        """How many documents each site had, site by site, before the first of them, and up to each."""
        return self._array("site-counts", np.int64)

    @property
    def away(self) -> ArrayFile:
        """By rank, whether a document is left out, as a copy or for what removal leaves of it."""
        return self._array("away", np.bool_)

    def passage_parts(self, passages: InputFile) -> PassageParts:
        rows = PartitionedFile(self.folder / f"passages-{passages.name}.npy", PASSAGE)
        return PassageParts(passages=rows, chars=PartitionedFile(self.folder / f"chars-{passages.name}.npy", CHARS))

    def repeated_passages(self, partition: int) -> ArrayFile:
        """Passages that several documents have, sorted; the fingerprint tells them apart."""
        return self._array(f"repeated-passages-{partition}", PASSAGE)

    def asked_passages(self, partition: int) -> ArrayFile:
        """Those of them of which it is asked what speaks for them to stay."""
        return self._array(f"asked-passages-{partition}", PASSAGE)

    def places(self, label: str) -> ArrayFile:
        """Where those of a label stand: rank << 32 | position, sorted."""
        return self._array(f"{label}-places", np.uint64)

    def standings(self, label: str, inputs: Sequence[InputFile]) -> PartitionedFile:
        """What speaks for those to stay, of documents whose passages lie in one file, or in several, given these."""
        name = inputs[0].name if len(inputs) == 1 else "scattered"
        return PartitionedFile(self.folder / f"{label}-standings-{name}.npy", STANDING)

    def removed_passages(self, partition: int) -> PartitionedFile:
        """Passages that go for what another document has, or stay for their meaning although it has them."""
        return PartitionedFile(self.folder / f"removed-passages-{partition}.npy", REMOVED)

    def remainders(self, span: int) -> ArrayFile:
        """Documents of a span of which removal leaves too little."""
        return self._array(f"remainders-{span}", REMAINDER)

    def by_span(self, name: str, part: int, dtype: DTypeLike) -> PartitionedFile:
        """Rows about documents, by span of doc_ids."""
        return PartitionedFile(self.folder / f"{name}-by-span-{part}.npy", np.dtype(dtype))

    def decided(self, span: int) -> SpanFiles:
        kinds = "documents", "passages", "similar"
        return SpanFiles(**{kind: self.folder / f"decided-{kind}-{span}.parquet" for kind in kinds})
