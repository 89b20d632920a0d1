"""The decisions on documents and passages, written as the staged tables that publishing reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from winnow.base.files import at_hand, files_in, remove_files
from winnow.base.recipe import DeduplicateSettings
from winnow.base.staging import DOCUMENT_DECISIONS, PASSAGE_DECISIONS, SIMILAR_DOCUMENTS, write_parquet
from winnow.deduplicate.documents.document_order import load_order
from winnow.deduplicate.documents.kept_set import KeptSet
from winnow.deduplicate.repeats.meaning import MEANINGS
from winnow.deduplicate.settled import Before
from winnow.deduplicate.sorted_rows import Rows
from winnow.deduplicate.work_files import NO_RANK, WorkFiles

_SHORT = 60  # shingles; a document of about 400 characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Remainders:
    """Documents of which the removal of passages leaves too little.

    `copies` maps a document to the one that holds it; those `left_whole` keep all that another document has. Of those
    with `nothing_else` even what repeats or promotes something inside them stays.
    """

    copies: dict[int, int]
    left_whole: frozenset[int]
    nothing_else: frozenset[int]

    def confirmed(
        self, verified: Rows, n_shingles: NDArray[np.int32], settings: DeduplicateSettings
    ) -> tuple[Remainders, Rows]:
        """The same without copies of which the shingles say less than the passages did: those documents stay whole.

        Short documents are not asked: there a title of three words breaks up more shingles than it adds text.
        """
        long = n_shingles[verified["later"]] >= _SHORT
        fails = long & (verified["containment"] < settings.containment_threshold)
        taken_back = set(verified["later"][fails].tolist())
        copies = {copy: kept for copy, kept in self.copies.items() if copy not in taken_back}
        left_whole = self.left_whole | taken_back
        return Remainders(copies=copies, left_whole=left_whole, nothing_else=self.nothing_else), verified[~fails]


def judge_remainders(
    *,
    chars: NDArray[np.int64],
    removed: Rows,
    with_inner_repeats: NDArray[np.uint32],
    kept_for_others: NDArray[np.uint32],
    settings: DeduplicateSettings,
) -> Remainders:
    """Judge the documents with less than `min_rest_chars` left after the passages `removed` (REMOVED) are taken away.

    ``chars[rank]`` are a document's characters before that, less what it loses to itself. Documents that others are
    copies of stay for them. Any other is a copy if one document holds at least `containment_threshold` of what it says
    on its own; what several documents hold together is no copy of any of them, and boilerplate alone has no holder:
    those stay as they are. Documents that lose nothing are not judged.
    """
    # A document that holds a passage for others has that much left, so it must never be judged away.
    least = min(settings.min_rest_chars, settings.min_repeat_chars)
    ranks, at = np.unique(removed["rank"], return_inverse=True)
    lost = np.zeros(len(ranks), np.int64)
    np.add.at(lost, at, removed["chars"])
    poor = (lost > 0) & (chars[ranks] - lost < least)
    of_one = removed["kept"] != NO_RANK
    repeats = removed[poor[at] & of_one]
    own = chars[ranks]  # without boilerplate
    np.subtract.at(own, at[~of_one], removed["chars"][~of_one])
    held: dict[int, dict[int, int]] = {}
    for rank, size, kept in zip(*(repeats[n].tolist() for n in ("rank", "chars", "kept")), strict=True):
        by_holder = held.setdefault(rank, {})
        by_holder[kept] = by_holder.get(kept, 0) + size
    for rank in kept_for_others.tolist():
        held.pop(rank, None)
    copies: dict[int, int] = {}
    for rank, by_holder in held.items():
        holder = min(by_holder, key=lambda k: (-by_holder[k], k))
        if by_holder[holder] >= settings.containment_threshold * int(own[np.searchsorted(ranks, rank)]):
            copies[rank] = holder
    bare = with_inner_repeats[chars[with_inner_repeats] == 0] if len(chars) else with_inner_repeats
    left_whole = frozenset(ranks[poor].tolist()) - copies.keys()
    return Remainders(copies=copies, left_whole=left_whole, nothing_else=frozenset(bare.tolist()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Removals:
    """Files of winnow.base.staging.DOCUMENT_DECISIONS, PASSAGE_DECISIONS and SIMILAR_DOCUMENTS.

    Where they are `of_new` documents alone, the others are decided on as before; similar ones are always all.
    """

    document_files: tuple[Path, ...]
    passage_files: tuple[Path, ...]
    similar_files: tuple[Path, ...] = ()
    of_new: bool = False

    def clear(self, work: Path) -> None:
        """Deletes all other files of their folder; together they are about as large as the text."""
        decided = {*self.document_files, *self.passage_files, *self.similar_files}
        remove_files([path for path in files_in(work) if path not in decided])


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """All that was decided: on documents, by rank, and on passages that other documents have (`repeated`, REMOVED).

    Where it is known what was decided `before`, only what was on new documents is written.
    """

    kept_set: KeptSet
    remainders: Remainders
    remainder_copies: Rows  # `remainders.copies` as VERIFIED
    repeated: Rows
    similar: Rows  # pairs of kept documents, as SIMILAR
    before: Before | None = None

    @property
    def _fresh(self) -> int:
        """The rank from which documents are new."""
        return self.before.fresh if self.before else 0

    def write(self, files: WorkFiles, settings: DeduplicateSettings) -> Removals:
        paths = files.document_decisions, files.passage_decisions, files.similar_documents
        tables = self._documents(files, settings), self._passages(files, settings), self._similar(files)
        schemas = DOCUMENT_DECISIONS, PASSAGE_DECISIONS, SIMILAR_DOCUMENTS
        for path, table, schema in zip(paths, tables, schemas, strict=True):
            columns = {f.name: table[f.name].to_arrow().cast(f.type) for f in schema}
            write_parquet(path, [pa.table(columns, schema=schema)], schema, 1 << 20, durable=False)
        return Removals(
            document_files=paths[:1], passage_files=paths[1:2], similar_files=paths[2:], of_new=self.before is not None
        )

    def _documents(self, files: WorkFiles, settings: DeduplicateSettings) -> pl.DataFrame:
        """Documents that are left out, with the one kept for each and what makes it a copy."""
        new = self.kept_set.ranks >= self._fresh
        copies, kept = self.kept_set.ranks[new], self.kept_set.kept[new]
        jaccard, exact_of = self.kept_set.jaccard[new], load_order(files).exact_of
        is_near = jaccard.astype(np.float32) >= np.float32(settings.document_threshold)  # as it is published
        whole = {
            "rank": copies,
            "kept": kept,
            "similarity": jaccard,
            "containment": self.kept_set.containment[new],
            "kind": np.where(exact_of[copies] == exact_of[kept], "exact", np.where(is_near, "near", "contained")),
            "of_rest": np.zeros(len(copies), np.bool_),
        }
        pairs = {n: np.ascontiguousarray(self.remainder_copies[n]) for n in self.remainder_copies.dtype.names or ()}
        held = pl.DataFrame(pairs).select(
            pl.col("later").alias("rank"), pl.col("first").alias("kept"), pl.col("jaccard").alias("similarity"),
            "containment", pl.lit("contained").alias("kind"), pl.lit(True).alias("of_rest"),
        )  # fmt: skip
        return _with_doc_ids(pl.concat([pl.DataFrame(whole), held], how="vertical_relaxed"), files).sort("doc_id")

    def _passages(self, files: WorkFiles, settings: DeduplicateSettings) -> pl.DataFrame:
        """Passages that go, of the documents that stay, and those that stay there although they repeat (`suspicion`).

        Where the passage that a repeat inside a document points to goes itself, the repeat points to what was kept for
        that one, and takes its reason if nothing was.
        """
        away = self.kept_set.copies
        away[list(self.remainders.copies)] = True
        if self.before:
            away[self.before.rest] = True
        repeated = self.repeated[~away[self.repeated["rank"]]]
        meant = repeated[repeated["meaning"] > 0]
        meant = meant[~away[meant["kept"]]]
        stays_whole = np.isin(repeated["rank"], np.fromiter(self.remainders.left_whole, np.int64))
        removed = repeated[~stays_whole & (repeated["meaning"] == 0)]
        names = ("rank", "position", "part", "boilerplate", "kept", "kept_position")
        held = pl.col("kept") != int(NO_RANK)
        across = pl.DataFrame({n: np.ascontiguousarray(removed[n]) for n in names}).select(
            "rank", "position", "part",
            pl.when("boilerplate").then(pl.lit("boilerplate")).otherwise(pl.lit("repeat")).alias("reason"),
            pl.when(held).then("kept").alias("kept"),
            pl.when(held).then("kept_position").alias("kept_position"),
            pl.when(held).then(1.0).cast(pl.Float32).alias("similarity"),
        )  # fmt: skip
        of_new = pl.col("rank") >= self._fresh
        within = pl.read_ipc(at_hand(files.inner_repeats)).filter(of_new)
        away[list(self.remainders.nothing_else)] = True
        within = within.filter(pl.Series(~away[within["rank"].to_numpy()], dtype=pl.Boolean))
        stays = pl.read_ipc(at_hand(files.meaningful_repeats)).filter(of_new)
        stays = stays.filter(pl.Series(~self.kept_set.copies[stays["rank"].to_numpy()], dtype=pl.Boolean))
        if not settings.passages:
            within, stays = within.clear(), stays.clear()
        targets = across.filter(pl.col("part") == 0).select(
            "rank", pl.col("position").alias("kept_position"), pl.col("reason").alias("then_reason"),
            pl.col("kept").alias("then_kept"), pl.col("kept_position").alias("then_position"),
        )  # fmt: skip
        moved = pl.col("then_reason").is_not_null()
        unheld = moved & pl.col("then_kept").is_null()
        within = within.join(targets, on=["rank", "kept_position"], how="left").select(
            "rank", "position", "part",
            pl.when(unheld).then("then_reason").otherwise("reason").alias("reason"),
            pl.when(moved).then("then_kept").when(pl.col("kept_position").is_not_null()).then("rank").alias("kept"),
            pl.when(moved).then("then_position").otherwise("kept_position").alias("kept_position"),
            pl.when(unheld).then(None).otherwise("similarity").alias("similarity"),
        )  # fmt: skip
        gone = pl.concat([across, within], how="vertical_relaxed").with_columns(suspicion=pl.lit(None, pl.String))
        found = stays.join(gone, on=["rank", "position", "part"], how="anti").select(
            "rank", "position", "part", pl.lit(None, pl.String).alias("reason"), pl.col("rank").alias("kept"),
            "kept_position", "similarity", pl.col("reason").alias("suspicion"),
        )  # fmt: skip
        columns = {n: np.ascontiguousarray(meant[n]) for n in ("rank", "position", "part", "kept", "kept_position")}
        others = pl.DataFrame(columns).with_columns(
            reason=pl.lit(None, pl.String), similarity=pl.lit(1.0, pl.Float32),
            suspicion=pl.Series(np.array(["", *MEANINGS])[meant["meaning"]].tolist(), dtype=pl.String),
        )  # fmt: skip
        others = others.join(
            pl.concat([gone, found], how="vertical_relaxed"), on=["rank", "position", "part"], how="anti"
        )
        rows = pl.concat([gone, found, others.select(gone.columns)], how="vertical_relaxed")
        return _with_doc_ids(rows, files).sort("doc_id", "position", "part")

    def _similar(self, files: WorkFiles) -> pl.DataFrame:
        """Pairs of documents that are alike and both stay."""
        rows = pl.DataFrame({n: np.ascontiguousarray(self.similar[n]) for n in self.similar.dtype.names or ()})
        told = pl.col("position") >= 0
        table = rows.select(
            "rank", "containment", pl.col("other").alias("kept"), pl.col("jaccard").alias("similarity"),
            pl.when(told).then("position").alias("position"), pl.when(told).then("share").alias("passage_share"),
        )  # fmt: skip
        return _with_doc_ids(table, files).rename({"kept_doc_id": "similar_doc_id"}).sort("doc_id", "similar_doc_id")


def _with_doc_ids(rows: pl.DataFrame, files: WorkFiles) -> pl.DataFrame:
    """Rows with the doc_ids of their documents (`rank`) and of those kept for them (`kept`)."""
    order = load_order(files)
    held = rows["kept"].is_not_null()
    kept = pl.Series("kept_doc_id", order.doc_ids(rows["kept"].fill_null(0).to_numpy()), pl.String).set(~held, None)
    return rows.with_columns(pl.Series("doc_id", order.doc_ids(rows["rank"].to_numpy()), pl.String), kept)
