"""What the rows of table ``index`` say of repeats in their own documents, for those who decide on documents by rank."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from itertools import repeat

import numpy as np
import polars as pl
from numpy.typing import NDArray

from winnow.base.files import scan_parquet
from winnow.deduplicate.array_files import ArrayFile, Partition, gather, partitions_for
from winnow.deduplicate.documents.document_order import load_order
from winnow.deduplicate.repeats.meaning import MEANINGS
from winnow.deduplicate.sorted_rows import Rows, stand_in, structured
from winnow.deduplicate.work_files import (
    INNER_PLACE,
    INNER_REPEAT,
    NO_POSITION,
    NO_RANK,
    InnerParts,
    InputFile,
    WorkFiles,
)

GOES = ("repeat", "near_repeat", "promo")
REASONS = (*GOES, *MEANINGS)
"""Why a passage goes for what its own document has, or stays; a code is a place among them."""


def place_of(ranks: NDArray[np.uint32], positions: NDArray[np.int32]) -> NDArray[np.uint64]:
    """Where passages stand: rank << 32 | position."""
    return ranks.astype(np.uint64) << np.uint64(32) | positions.astype(np.uint64)


def gather_inner_repeats(
    indexes: Sequence[InputFile], files: WorkFiles, spans: int, executor: Executor
) -> list[Partition]:
    """Bring together what all index rows say of repeats, by span of doc_ids; write where those stand that go."""
    documents = len(load_order(files).arrival)
    stretches = partitions_for(documents, INNER_PLACE.itemsize)
    parts = list(executor.map(_spread, indexes, repeat(files), repeat(spans), repeat(stretches)))
    places = gather([part.places for part in parts], INNER_PLACE, stretches, executor)
    ordered = list(executor.map(_sort_places, places, repeat(files)))
    for out, some in zip((files.inner_places, files.inner_place_parts), zip(*ordered, strict=True), strict=True):
        out.join(some)
    return gather([part.repeats for part in parts], INNER_REPEAT, spans, executor)


def _spread(index: InputFile, files: WorkFiles, spans: int, stretches: int) -> InnerParts:
    order, parts = load_order(files), files.inner_parts(index)
    some = scan_parquet([index.path]).select("doc_id", "repeats").filter(pl.col("repeats").list.len() > 0)
    frame = some.collect(engine="streaming")
    ranks = pl.Series("rank", order.ranks_of(frame["doc_id"].to_arrow(), index), pl.UInt32)
    known = pl.col("rank") != int(NO_RANK)
    table = frame.with_columns(ranks).filter(known).explode("repeats").unnest("repeats")
    codes = {reason: code for code, reason in enumerate(REASONS)}
    rows = structured(
        table.with_columns(
            pl.col("reason").cast(pl.String).replace_strict(codes, return_dtype=pl.UInt8),
            pl.col("kept_position").fill_null(NO_POSITION),
            pl.col("similarity").fill_null(np.nan),
        ),
        INNER_REPEAT,
    )
    gone = rows[goes(rows)]
    places = np.empty(len(gone), INNER_PLACE)
    places["place"], places["part"] = place_of(gone["rank"], gone["position"]), gone["part"]
    stretch = gone["rank"].astype(np.int64) * stretches // max(len(order.arrival), 1)
    order.spread(rows, parts.repeats, spans)
    parts.places.spread(places, stretch, stretches)
    return parts


def goes(rows: Rows) -> NDArray[np.bool_]:
    """Which of the rows (INNER_REPEAT) are passages that go."""
    gone: NDArray[np.bool_] = rows["reason"] < len(GOES)
    return gone


def _sort_places(places: Partition, files: WorkFiles) -> tuple[ArrayFile, ArrayFile]:
    rows = places.load()
    rows = rows[np.lexsort((rows["part"], rows["place"]))]
    return (
        files.inner_places.part(places.number).save(np.ascontiguousarray(rows["place"])),
        files.inner_place_parts.part(places.number).save(np.ascontiguousarray(rows["part"])),
    )


def go_inside(places: NDArray[np.uint64], parts: NDArray[np.int32], files: WorkFiles) -> NDArray[np.bool_]:
    """Which passages go for what their own document has."""
    known, of = files.inner_places.load(), files.inner_place_parts.load()
    gone = stand_in(places, known)
    for n in np.flatnonzero(gone).tolist():
        start, stop = np.searchsorted(known, [places[n], places[n] + np.uint64(1)])
        gone[n] = parts[n] in of[start:stop]
    return gone
