"""Documents of earlier versions: which of them a new decision touches, and how a whole version looks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads

from winnow.base.contracts import TABLES
from winnow.base.records import OF_A_COPY
from winnow.publish.dataset import Dataset
from winnow.publish.tables.delta import KEYS

COPY = ["doc_id", "kept_doc_id", "similarity", "containment", "kind"]
REMOVAL = ["doc_id", "position", "part", "reason", "kept_doc_id", "kept_position", "similarity"]


def changed_decisions(
    dataset: Dataset, leave_out: Collection[str], documents: Sequence[Path], passages: Sequence[Path]
) -> frozenset[str]:
    """Carried documents whose removals are no longer what the last version says.

    `leave_out` are documents that are replaced or withdrawn; their rows are made anew or go anyway. `documents` and
    `passages` are the decision files of this run.
    """
    index = dataset.files("index")
    if not index:
        return frozenset()
    gone = pl.Series("gone", sorted(leave_out), pl.String)
    carried = pl.scan_parquet(index).select("doc_id").filter(~pl.col("doc_id").is_in(gone.implode()))

    def now(files: Sequence[Path], columns: list[str]) -> pl.LazyFrame:
        return pl.scan_parquet(list(files)).select(columns).join(carried, on="doc_id", how="semi")

    copies = _difference(now([*dataset.files("duplicates")], COPY), now(documents, COPY), COPY)
    # The passages of a copy are not decided one by one, neither then nor now.
    whole = pl.concat([now(documents, COPY).select("doc_id"), now(dataset.files("duplicates"), COPY).select("doc_id")])
    then = pl.scan_parquet(dataset.files("passages")).filter(
        (pl.col("status") == "removed") & (pl.col("reason") != OF_A_COPY)
    )
    removals = _difference(
        then.select(REMOVAL).join(carried, on="doc_id", how="semi").join(whole, on="doc_id", how="anti"),
        now(passages, REMOVAL).join(whole, on="doc_id", how="anti"),
        REMOVAL,
    )
    return frozenset(copies) | frozenset(removals)


def _difference(then: pl.LazyFrame, now: pl.LazyFrame, columns: list[str]) -> list[str]:
    """doc_ids of rows that stand in one of the two frames only."""
    gone = then.join(now, on=columns, how="anti", nulls_equal=True).select("doc_id")
    come = now.join(then, on=columns, how="anti", nulls_equal=True).select("doc_id")
    return pl.concat([gone, come]).unique().collect(engine="streaming")["doc_id"].to_list()


def whole_version(
    dataset: Dataset, parts: Mapping[str, Sequence[Path]], replaced: Mapping[str, Collection[str]], table: str
) -> pads.Dataset:
    """A table as it would stand in the next version: carried rows that are not replaced, and the new parts."""
    schema = TABLES[table]
    key = KEYS[table]
    gone = pa.array(sorted(replaced.get(table, ())), pa.string())
    sources = []
    if files := dataset.files(table):
        carried = pads.dataset([str(f) for f in files], schema=schema)
        sources.append(carried.filter(~pc.field(key).isin(gone)) if len(gone) else carried)
    if new := parts.get(table):
        sources.append(pads.dataset([str(f) for f in new], schema=schema))
    if not sources:
        return pads.dataset(schema.empty_table())
    return sources[0] if len(sources) == 1 else _Both(sources)


class _Both:
    """Two filtered datasets one after the other; pyarrow's own union drops their filters."""

    def __init__(self, sources: Sequence[pads.Dataset]) -> None:
        self._sources = sources

    def scanner(self, **options: object) -> _Scans:
        return _Scans([s.scanner(**options) for s in self._sources])


class _Scans:
    def __init__(self, scanners: Sequence[pads.Scanner]) -> None:
        self._scanners = scanners

    def to_batches(self):  # type: ignore[no-untyped-def]
        for scanner in self._scanners:
            yield from scanner.to_batches()
