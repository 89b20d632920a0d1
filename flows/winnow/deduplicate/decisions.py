"""The decisions on documents and passages, written as the staged tables that publishing reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from winnow.base.files import files_in, remove_files
from winnow.base.recipe import DeduplicateSettings
from winnow.base.staging import DOCUMENT_DECISIONS, PASSAGE_DECISIONS, SIMILAR_DOCUMENTS, write_parquet
from winnow.deduplicate.array_files import Partition
from winnow.deduplicate.documents.document_order import load_order
from winnow.deduplicate.repeats.inner_rows import REASONS, goes
from winnow.deduplicate.repeats.meaning import MEANINGS
from winnow.deduplicate.sorted_rows import Rows, columns_of, stand_in
from winnow.deduplicate.work_files import NO_POSITION, NO_RANK, SpanFiles, WorkFiles

_ROW_GROUP = 1 << 16  # rows; a range of doc_ids that is read later is much smaller than a span


@dataclass(frozen=True, slots=True, kw_only=True)
class Removals:
    """Files of winnow.base.staging.DOCUMENT_DECISIONS, PASSAGE_DECISIONS and SIMILAR_DOCUMENTS.

    Each file has a span of doc_ids; they follow one another. Where they are `of_new` documents
    alone, the others are decided on as before; similar ones are always all.
    """

    document_files: tuple[Path, ...]
    passage_files: tuple[Path, ...]
    similar_files: tuple[Path, ...] = ()
    of_new: bool = False

    def clear(self, work: Path) -> None:
        """Deletes all other files of their folder; together they are about as large as the text."""
        decided = {*self.document_files, *self.passage_files, *self.similar_files}
        remove_files([path for path in files_in(work) if path not in decided])


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided on the documents of one span of doc_ids, and on their passages."""

    copies: Partition  # VERIFIED: documents that are left out, with the one kept for each
    rest: Partition  # VERIFIED: the same of those of which removal left too little
    removed: Partition  # REMOVED: passages that others have
    inner: Partition  # INNER_REPEAT
    similar: Partition  # SIMILAR: pairs of kept documents


def write_decisions(decided: Decided, files: WorkFiles, settings: DeduplicateSettings, fresh: int) -> SpanFiles:
    """Write what was decided on the documents of one span, of those whose ranks are from `fresh` on."""
    span = _Span(decided, files, settings, fresh)
    out = files.decided(decided.copies.number)
    for path, table, schema in (
        (out.documents, span.documents(), DOCUMENT_DECISIONS),
        (out.passages, span.passages(), PASSAGE_DECISIONS),
        (out.similar, span.similar(), SIMILAR_DOCUMENTS),
    ):
        columns = {f.name: table[f.name].to_arrow().cast(f.type) for f in schema}
        write_parquet(path, [pa.table(columns, schema=schema)], schema, _ROW_GROUP, durable=False)
    return out


@dataclass(frozen=True, slots=True)
class _Span:
    decided: Decided
    files: WorkFiles
    settings: DeduplicateSettings
    fresh: int

    def documents(self) -> pl.DataFrame:
        """Documents that are left out, with the one kept for each and what makes it a copy."""
        copies = _new(self.decided.copies.load(), "later", self.fresh)
        exact_of = load_order(self.files).exact_of
        # As it is published.
        is_near = copies["jaccard"].astype(np.float32) >= np.float32(self.settings.document_threshold)
        is_exact = exact_of[copies["later"]] == exact_of[copies["first"]]
        kinds = np.where(is_exact, "exact", np.where(is_near, "near", "contained"))
        whole = columns_of(copies).with_columns(kind=pl.Series(kinds, dtype=pl.String), of_rest=pl.lit(False))
        held = columns_of(self.decided.rest.load()).with_columns(kind=pl.lit("contained"), of_rest=pl.lit(True))
        rows = pl.concat([whole, held]).rename({"later": "rank", "first": "kept", "jaccard": "similarity"})
        return self._with_doc_ids(rows).sort("doc_id")

    def passages(self) -> pl.DataFrame:
        """Passages that go, of the documents that stay, and those that stay there although they repeat (`suspicion`).

        Where the passage that a repeat inside a document points to goes itself, the repeat points to what was kept for
        that one, and takes its reason if nothing was.
        """
        away, repeated = self.files.away.load(), self.decided.removed.load()
        repeated = repeated[~away[repeated["rank"]]]
        meant = repeated[repeated["meaning"] > 0]
        meant = meant[~away[meant["kept"]]]
        remainders = self.files.remainders(self.decided.removed.number).load()
        left = np.sort(remainders["rank"][~remainders["bare"]])  # those of them that are copies are away
        removed = repeated[~stand_in(repeated["rank"], left) & (repeated["meaning"] == 0)]
        held = pl.col("kept") != int(NO_RANK)
        across = columns_of(removed, "rank", "position", "part", "boilerplate", "kept", "kept_position").select(
            "rank", "position", "part",
            pl.when("boilerplate").then(pl.lit("boilerplate")).otherwise(pl.lit("repeat")).alias("reason"),
            pl.when(held).then("kept").alias("kept"),
            pl.when(held).then("kept_position").alias("kept_position"),
            pl.when(held).then(1.0).cast(pl.Float32).alias("similarity"),
        )  # fmt: skip
        inner = _new(self.decided.inner.load(), "rank", self.fresh if self.settings.passages else int(NO_RANK))
        gone = goes(inner)
        bare = np.sort(remainders["rank"][remainders["bare"]])
        within = _inner_frame(inner[gone & ~away[inner["rank"]] & ~stand_in(inner["rank"], bare)])
        stays = _inner_frame(inner[~gone & ~self.files.copies.load()[inner["rank"]]])
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
        going = pl.concat([across, within], how="vertical_relaxed").with_columns(suspicion=pl.lit(None, pl.String))
        found = stays.join(going, on=["rank", "position", "part"], how="anti").select(
            "rank", "position", "part", pl.lit(None, pl.String).alias("reason"), pl.col("rank").alias("kept"),
            "kept_position", "similarity", pl.col("reason").alias("suspicion"),
        )  # fmt: skip
        others = columns_of(meant, "rank", "position", "part", "kept", "kept_position").with_columns(
            reason=pl.lit(None, pl.String), similarity=pl.lit(1.0, pl.Float32),
            suspicion=pl.Series(np.array(["", *MEANINGS])[meant["meaning"]].tolist(), dtype=pl.String),
        )  # fmt: skip
        others = others.join(
            pl.concat([going, found], how="vertical_relaxed"), on=["rank", "position", "part"], how="anti"
        )
        rows = pl.concat([going, found, others.select(going.columns)], how="vertical_relaxed")
        return self._with_doc_ids(rows).sort("doc_id", "position", "part")

    def similar(self) -> pl.DataFrame:
        """Pairs of documents that are alike and both stay."""
        told = pl.col("position") >= 0
        table = columns_of(self.decided.similar.load()).select(
            "rank", "containment", pl.col("other").alias("kept"), pl.col("jaccard").alias("similarity"),
            pl.when(told).then("position").alias("position"), pl.when(told).then("share").alias("passage_share"),
        )  # fmt: skip
        return self._with_doc_ids(table).rename({"kept_doc_id": "similar_doc_id"}).sort("doc_id", "similar_doc_id")

    def _with_doc_ids(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows with the doc_ids of their documents (`rank`) and of those kept for them (`kept`)."""
        order = load_order(self.files)
        held = rows["kept"].is_not_null()
        kept = pl.Series("kept_doc_id", order.doc_ids(rows["kept"].fill_null(0).to_numpy()), pl.String).set(~held, None)
        return rows.with_columns(pl.Series("doc_id", order.doc_ids(rows["rank"].to_numpy()), pl.String), kept)


def _new(rows: Rows, by: str, fresh: int) -> Rows:
    new: Rows = rows[rows[by] >= fresh]
    return new


def _inner_frame(rows: Rows) -> pl.DataFrame:
    """Rows (INNER_REPEAT) with their reasons, and null where they have no value."""
    return columns_of(rows).with_columns(
        pl.Series("reason", np.array(REASONS)[rows["reason"]].tolist(), pl.String),
        pl.when(pl.col("kept_position") != NO_POSITION).then("kept_position").alias("kept_position"),
        pl.col("similarity").fill_nan(None),
    )
