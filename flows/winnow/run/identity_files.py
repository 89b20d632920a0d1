"""The files that say which documents were read or rejected, and what reads ranges of doc_ids from them.

A shard holds documents of every range, so ranges times shards would be opened. Where both are many, the shards' rows
are merged first, many shards and a share of the ranges at a time, so that the files opened grow with the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from winnow.base.contracts import column, table
from winnow.base.doc_ids import DocIds, Range, doc_keys
from winnow.base.files import read_ahead, remove_files, scan_parquet
from winnow.base.staging import IDENTITIES, write_parquet

MOST_FILES = 64
"""Files that a range is read from, and shares into which merging cuts the ranges; also how many are merged."""

IDENTITY = ["doc_id", "content_sha256", "input"]

_MERGED = table(
    "Plan: which document each row of several shards is, sorted by doc_id.",
    column("shard", pa.int32(), "Number of the shard"),
    *(IDENTITIES.field(name) for name in ("row", "place", *IDENTITY)),
)


@dataclass(frozen=True, slots=True)
class IdentityFile:
    """A file that says which documents were read: those of a shard, or (None) of several."""

    path: Path
    shard: int | None = None

    def scan(self) -> pl.LazyFrame:
        """Its rows, with the number of their shard."""
        rows = scan_parquet([self.path])
        return rows if self.shard is None else rows.with_columns(pl.lit(self.shard, pl.Int32).alias("shard"))


def of_range(span: Range) -> pl.Expr:
    """Whether a document is in a range."""
    return (pl.col("doc_id") >= span[0]) & (pl.col("doc_id") < span[1])


def read_identities(files: Sequence[IdentityFile], span: Range) -> pl.DataFrame:
    """The rows of a range."""
    none = pl.DataFrame(pl.from_arrow(_MERGED.empty_table()))
    found = read_ahead(lambda file: file.scan().filter(of_range(span)).select(none.columns).collect(), files)
    return pl.concat([none, *found])


def gather_identities(
    files: Sequence[IdentityFile], ranges: Sequence[Range], executor: Executor, folder: Path
) -> list[tuple[IdentityFile, ...]]:
    """For each of the ranges, which follow one another, the files that hold its rows; some of these are in `folder`.

    A level of merging leaves a 64th of the files, cut into as many shares of the ranges; what was merged twice goes.
    """
    found: list[tuple[IdentityFile, ...]] = [tuple(files)] * len(ranges)
    todo = [range(len(ranges))]
    numbers = count()
    while todo := [some for some in todo if min(len(some), len(found[some.start])) > MOST_FILES]:
        jobs: list[tuple[Sequence[IdentityFile], Range, Path]] = []
        before = [found[some.start] for some in todo]
        shares = []
        for some in todo:
            step = -(-len(some) // MOST_FILES)
            merging = found[some.start]
            groups = [merging[n : n + MOST_FILES] for n in range(0, len(merging), MOST_FILES)]
            for share in (some[n : n + step] for n in range(0, len(some), step)):
                span = ranges[share.start][0], ranges[share.stop - 1][1]
                made = [(group, span, folder / f"{next(numbers)}.parquet") for group in groups]
                found[share.start : share.stop] = [tuple(IdentityFile(path) for *_, path in made)] * len(share)
                jobs += made
                shares.append(share)
        list(executor.map(_merge, *zip(*jobs, strict=True)))
        remove_files([file.path for files in before for file in files if file.shard is None])
        todo = shares
    return found


def _merge(files: Sequence[IdentityFile], span: Range, path: Path) -> int:
    rows = read_identities(files, span).sort("doc_id")
    return write_parquet(path, [rows.to_arrow().cast(_MERGED)], _MERGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRejects:
    """What the reading rejected: records by their doc_ids, and input files that break off."""

    doc_ids: DocIds
    broken: frozenset[str]

    @classmethod
    def of(cls, files: Sequence[Path]) -> ReadRejects:
        """Files that could not be read at all are no records."""
        is_file, breaks_off = pl.col("source") == pl.col("input"), ~pl.col("expectation").is_in(["empty", "unreadable"])
        broken: set[str] = set()

        def keys() -> Iterator[NDArray[np.uint64]]:
            columns = "doc_id", "source", "input", "expectation"
            for rows in read_ahead(lambda path: scan_parquet([path]).select(columns).collect(), files):
                broken.update(rows.filter(is_file, breaks_off)["input"])
                yield doc_keys(rows.filter(pl.col("expectation") != "unreadable")["doc_id"].to_arrow())

        doc_ids, _ = DocIds.of_batches(keys())
        return cls(doc_ids=doc_ids, broken=frozenset(broken))
