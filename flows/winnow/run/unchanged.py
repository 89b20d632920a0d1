"""Rows that were made again and came out as they were: they stay where they are, and make no new version."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from winnow.base.contracts import TABLES
from winnow.base.staging import write_parquet
from winnow.publish.dataset import Dataset

COMPARED = {
    # The index follows from the texts, and metadata from the content, whose hash is compared.
    "documents": [n for n in TABLES["documents"].names if n not in ("run_id", "metadata")],
    "duplicates": [n for n in TABLES["duplicates"].names if n not in ("run_id", "metadata")],
    "passages": TABLES["passages"].names,
    "edits": TABLES["edits"].names,
    "index": ["doc_id", "input", "arrival", "content_sha256", "recipe_id"],
}
"""What must be the same in a document's rows, by table, for the document to be unchanged."""


def unchanged_documents(
    dataset: Dataset, parts: Mapping[str, Sequence[Path]], made_again: Collection[str]
) -> frozenset[str]:
    """Those of `made_again` whose rows in `parts` are the rows that the last version holds, the run aside."""
    same = set(made_again)
    for table, columns in COMPARED.items():
        if not same:
            break
        then, now = (_prints(files, columns, same) for files in (dataset.files(table), parts[table]))
        differ = then.join(now, on=["doc_id", "rows", "print"], how="anti").select("doc_id")
        new = now.join(then, on=["doc_id", "rows", "print"], how="anti").select("doc_id")
        same -= set(pl.concat([differ, new])["doc_id"])
    return frozenset(same)


def _prints(files: Sequence[Path], columns: list[str], among: Collection[str]) -> pl.DataFrame:
    """Number of rows and sum of their 64-bit hashes for each document."""
    if not files:
        return pl.DataFrame(schema={"doc_id": pl.String, "rows": pl.UInt32, "print": pl.UInt64})
    wanted = pl.DataFrame({"doc_id": sorted(among)}, schema={"doc_id": pl.String}).lazy()
    rows = pl.scan_parquet(list(files)).select(columns).join(wanted, on="doc_id", how="semi")
    hashed = rows.select("doc_id", pl.struct(columns).hash(seed=0).alias("print"))
    return hashed.group_by("doc_id").agg(pl.len().alias("rows"), pl.col("print").sum()).collect(engine="streaming")


def without(files: Sequence[Path], doc_ids: Collection[str], table: str) -> tuple[Path, ...]:
    """The files without the rows of `doc_ids`, each written anew in its place; those left empty are dropped."""
    if not doc_ids:
        return tuple(files)
    left = ~pads.field("doc_id").isin(pa.array(sorted(doc_ids), pa.string()))
    kept = []
    for path in files:
        batches = pads.dataset(str(path), schema=TABLES[table]).to_batches(filter=left)
        target = path.with_name(f"new-{path.name}")
        if write_parquet(target, batches, TABLES[table]):
            kept.append(target)
    return tuple(kept)


def changed_inputs(dataset: Dataset, rows: pa.Table) -> pa.Table:
    """Rows of table ``inputs`` that say something else than the last version's, the run aside."""
    files = dataset.files("inputs")
    if not files or not rows.num_rows:
        return rows
    said = [n for n in TABLES["inputs"].names if n != "run_id"]
    held = {tuple(r.values()) for f in files for r in pq.read_table(f, columns=said).to_pylist()}
    new = [tuple(r.values()) not in held for r in rows.select(said).to_pylist()]
    return rows.filter(pa.array(new, pa.bool_()))
