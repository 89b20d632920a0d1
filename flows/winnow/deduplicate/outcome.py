"""The decisions, written as the staged tables that publishing reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from winnow.base.recipe import DeduplicateSettings
from winnow.base.staging import DOCUMENT_DECISIONS, PASSAGE_DECISIONS
from winnow.deduplicate.decide import Standing
from winnow.deduplicate.order import NO_RANK, load_order
from winnow.deduplicate.rests import Rests


def write_outcome(
    doc_ids: Sequence[str],
    standing: Standing,
    rests: Rests,
    copies: NDArray[Any],
    work: Path,
    settings: DeduplicateSettings,
) -> tuple[tuple[Path, ...], tuple[Path, ...], Mapping[str, int]]:
    """Write documents.parquet and passages.parquet; return both, and how many of each kind and reason."""
    documents = _documents(doc_ids, standing, copies, work, settings)
    passages = _passages(doc_ids, standing, rests, work, settings)
    paths = work / "documents.parquet", work / "passages.parquet"
    for table, schema, path in zip((documents, passages), (DOCUMENT_DECISIONS, PASSAGE_DECISIONS), paths, strict=True):
        arrow = pa.table({f.name: table[f.name].to_arrow().cast(f.type) for f in schema}, schema=schema)
        temporary = path.with_suffix(".tmp")
        pq.write_table(arrow, temporary, compression="zstd", compression_level=1)
        temporary.rename(path)
    counts: Counter[str] = Counter(documents["kind"].to_list())
    counts.update(passages["reason"].to_list())
    return (paths[0],), (paths[1],), dict(sorted(counts.items()))


def _documents(
    doc_ids: Sequence[str], standing: Standing, copies: NDArray[Any], work: Path, settings: DeduplicateSettings
) -> pl.DataFrame:
    out = np.flatnonzero(standing.left_out)
    exact_of = load_order(work).exact_of
    rows: dict[str, list[Any]] = {n: [] for n in DOCUMENT_DECISIONS.names}
    for d in out.tolist():
        kept = int(standing.kept[d])
        jaccard = float(standing.jaccard[d])
        same = int(exact_of[d]) == int(exact_of[kept])
        kind = "exact" if same else "near" if jaccard >= settings.document_threshold else "contained"
        _append(rows, doc_ids, d, kept, jaccard, float(standing.contained[d]), kind)
    for kept, copy, jaccard, contained in copies.tolist():
        _append(rows, doc_ids, copy, kept, jaccard, contained, "contained")
    return pl.DataFrame(
        rows,
        schema={"doc_id": pl.String, "kept_doc_id": pl.String, "similarity": pl.Float32,
                "containment": pl.Float32, "kind": pl.String},
    ).sort("doc_id")  # fmt: skip


def _append(
    rows: dict[str, list[Any]], doc_ids: Sequence[str], d: int, kept: int, jaccard: float, share: float, kind: str
) -> None:
    values = doc_ids[d], doc_ids[kept], jaccard, share, kind
    for name, value in zip(("doc_id", "kept_doc_id", "similarity", "containment", "kind"), values, strict=True):
        rows[name].append(value)


def _passages(
    doc_ids: Sequence[str], standing: Standing, rests: Rests, work: Path, settings: DeduplicateSettings
) -> pl.DataFrame:
    """Passages that go, of the documents that stay.

    Where the passage that a repeat inside a document points to goes itself, the repeat points to what was kept for
    that one, and takes its reason if nothing was.
    """
    away = standing.left_out.copy()
    away[list(rests.copies)] = True
    gone = np.load(work / "gone.npy")
    gone = gone[~away[gone["rank"]] & ~np.isin(gone["rank"], np.fromiter(rests.restored, np.int64))]
    cross = pl.DataFrame(
        {n: np.ascontiguousarray(gone[n]) for n in ("rank", "position", "part", "boilerplate", "kept", "kept_position")}
    ).select(
        "rank", "position", "part",
        pl.when("boilerplate").then(pl.lit("boilerplate")).otherwise(pl.lit("repeat")).alias("reason"),
        pl.when(pl.col("kept") != int(NO_RANK)).then("kept").alias("kept"),
        pl.when(pl.col("kept") != int(NO_RANK)).then("kept_position").alias("kept_position"),
        pl.when(pl.col("kept") != int(NO_RANK)).then(1.0).cast(pl.Float32).alias("similarity"),
    )  # fmt: skip
    inner = pl.read_ipc(work / "inner.arrow")
    stays = away.copy()
    stays[list(rests.bare)] = True
    inner = inner.filter(pl.Series(~stays[inner["rank"].to_numpy()], dtype=pl.Boolean))
    if not settings.passages:
        inner = inner.clear()
    targets = cross.filter(pl.col("part") == 0).select(
        "rank", pl.col("position").alias("kept_position"), pl.col("reason").alias("then_reason"),
        pl.col("kept").alias("then_kept"), pl.col("kept_position").alias("then_position"),
    )  # fmt: skip
    moved = pl.col("then_reason").is_not_null()
    inner = inner.join(targets, on=["rank", "kept_position"], how="left").select(
        "rank", "position", "part",
        pl.when(moved & pl.col("then_kept").is_null()).then("then_reason").otherwise("reason").alias("reason"),
        pl.when(moved).then("then_kept").when(pl.col("kept_position").is_not_null()).then("rank").alias("kept"),
        pl.when(moved).then("then_position").otherwise("kept_position").alias("kept_position"),
        pl.when(moved & pl.col("then_kept").is_null()).then(None).otherwise("similarity").alias("similarity"),
    )  # fmt: skip
    ranks = np.arange(len(doc_ids), dtype=np.uint32)
    names = pl.DataFrame({"rank": ranks, "doc_id": list(doc_ids)}, {"rank": pl.UInt32, "doc_id": pl.String})
    kept_names = names.rename({"rank": "kept", "doc_id": "kept_doc_id"})
    return (
        pl.concat([cross, inner], how="vertical_relaxed")
        .with_columns(pl.col("kept").cast(pl.UInt32))
        .join(names, on="rank", how="left")
        .join(kept_names, on="kept", how="left")
        .sort("doc_id", "position", "part")
        .select(*PASSAGE_DECISIONS.names)
    )
