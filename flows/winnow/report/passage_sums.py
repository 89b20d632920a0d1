"""What the passages of a version add up to: characters by fate, and what was left out, with examples.

All of them are looked at for it, so workers may take the files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pyarrow.compute as pc

from winnow.base.files import scan_parquet
from winnow.report.examples import Candidates, batches, distinct, sources_of, sums_by
from winnow.report.report_data import Example, Tally

LONGEST_REMOVAL = 320  # characters shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """The columns of table ``passages`` that show what was left out."""

    doc_id: str
    position: int
    part: int
    reason: str | None
    kept_doc_id: str | None
    kept_position: int | None
    similarity: float | None
    text: str = ""  # read of those alone that are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageSums:
    """Characters of repaired text by their fate, ``kept`` or a reason, if asked for; a few removals of each reason."""

    chars: Mapping[str, int]
    removals: Mapping[str, Sequence[Removal]]


def sum_passages(file: Path, with_chars: bool = True) -> PassageSums:
    """Sums over one file of table ``passages``; some of its rows are in memory at a time."""
    removals = Candidates("reason", Removal)
    chars: Counter[str] = Counter()
    if with_chars:
        fate = pl.when(pl.col("status") == "kept").then(pl.lit("kept")).otherwise(pl.col("reason")).alias("fate")
        size = (pl.col("text").str.len_chars() + pl.col("gap").str.len_chars()).sum().cast(pl.Int64)
        for name, count in scan_parquet([file]).group_by(fate).agg(size).collect(engine="streaming").iter_rows():
            chars[name or "removed"] += count
    for batch in batches([file], [*removals.columns, "status"]):
        removals.look_at(batch.filter(pc.equal(batch["status"], "removed")))
    found = removals.by_name()
    texts = _texts(file, {row.doc_id for rows in found.values() for row in rows})
    shown = {
        name: [replace(row, text=texts[row.doc_id, row.position, row.part]) for row in rows]
        for name, rows in found.items()
    }
    return PassageSums(chars=chars, removals=shown)


def _texts(file: Path, doc_ids: Collection[str]) -> dict[tuple[str, int, int], str]:
    """What was left out of some documents, by document, position and part."""
    among = pl.col("doc_id").is_in(sorted(doc_ids)) & (pl.col("status") == "removed")
    rows = scan_parquet([file]).filter(among).select("doc_id", "position", "part", "text")
    return {tuple(place): text for *place, text in rows.collect(engine="streaming").iter_rows()}


def add_sums(parts: Iterable[PassageSums]) -> PassageSums:
    """The sums over files, given those of each in the order of their rows."""
    removals = Candidates("reason", Removal)
    chars: Counter[str] = Counter()
    for part in parts:
        chars.update(part.chars)
        for reason, rows in part.removals.items():
            removals.add(reason, rows)
    return PassageSums(chars=dict(sorted(chars.items())), removals=removals.by_name())


def removal_tallies(
    sums: PassageSums, passages: pl.LazyFrame, documents: pl.LazyFrame, duplicates: pl.LazyFrame
) -> tuple[Tally, ...]:
    """How many passages each reason removed, with examples and where the kept copy stands."""
    removed = passages.filter(pl.col("status") == "removed")
    frame = sums_by("reason", removed, pl.col("doc_id").n_unique().alias("documents")).sort(
        "count", "reason", descending=[True, False]
    )
    ids = {i for rows in sums.removals.values() for r in rows for i in (r.doc_id, r.kept_doc_id) if i}
    sources = sources_of(ids, documents) | sources_of(ids, duplicates)
    return tuple(
        Tally(
            reason or "unknown",
            count,
            n_documents,
            distinct(_example(row, sources) for row in sums.removals.get(reason, ())),
        )
        for reason, count, n_documents in frame.select("reason", "count", "documents").iter_rows()
    )


def _example(row: Removal, sources: Mapping[str, str]) -> Example:
    text = row.text
    shown = text if len(text) <= LONGEST_REMOVAL else f"{text[: LONGEST_REMOVAL - 1].rstrip()}…"
    note = ""
    if row.kept_doc_id:
        where = "the same document" if row.kept_doc_id == row.doc_id else sources.get(row.kept_doc_id, row.kept_doc_id)
        place = f", passage {row.kept_position}" if row.kept_position is not None else ""
        alike = f", similarity {row.similarity:.2f}" if row.similarity is not None else ""
        note = f"kept in {where}{place}{alike}"
    return Example(doc_id=row.doc_id, source=sources.get(row.doc_id, row.doc_id), before=shown, note=note)
