"""What each site gave: the rows of table ``sources``, and which site loses far more than before or than the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.dataset as pads

from winnow.base.contracts import TABLES
from winnow.base.recipe import ValidateSettings
from winnow.deduplicate.prepare import site_of
from winnow.publish.dataset import Dataset
from winnow.run.previous_version import whole_version
from winnow.validate.site_losses import SiteCounts, SiteLoss, largest_loss

_COUNTS = ["n_documents", "n_published", "n_repaired", "n_duplicates", "n_rejected", "n_passages", "n_removed"]
_EXAMPLES = 3
_SITE = (
    pl.when(pl.col("site") != "").then("site").when(pl.col("source") == pl.col("input")).then(pl.lit("."))
    .otherwise("input").alias("site")
)  # fmt: skip
"""The site of a document, given the site that its source names, the source and the input file."""

Parts = Mapping[str, Sequence[Path]]
Replaced = Mapping[str, Collection[str]]


def changed_sites(
    dataset: Dataset, parts: Parts, replaced: Replaced, version: int, run_id: str
) -> tuple[pa.Table, frozenset[str]]:
    """The rows of table ``sources`` that are other than the last version's, and the sites whose rows go for them."""
    now, before = _site_rows(dataset, parts, replaced), _published(dataset)
    said = ["site", *_COUNTS]
    new = now.join(before, on=said, how="anti").sort("site")
    left = before.join(now, on=said, how="anti")
    stamped = new.with_columns(version=pl.lit(version, pl.Int32), run_id=pl.lit(run_id))
    schema = TABLES["sources"]
    return stamped.select(schema.names).to_arrow().cast(schema), frozenset(left["site"])


def site_loss(dataset: Dataset, parts: Parts, replaced: Replaced, settings: ValidateSettings) -> SiteLoss | None:
    """The site of the next version that loses most beyond what it lost before, or the others lose; with examples."""
    rows = _table(dataset, parts, replaced, "sources", ["site", *_COUNTS])
    found = largest_loss(_counts(rows), _counts(_published(dataset)), settings)
    return found and found.with_examples(_left_out(dataset, parts, replaced, found.site))


def _counts(rows: pl.DataFrame) -> dict[str, SiteCounts]:
    names = ("n_documents", "n_duplicates", "n_rejected", "n_passages", "n_removed")
    return {row["site"]: SiteCounts(**{n: row[n] for n in names}) for row in rows.iter_rows(named=True)}


def _published(dataset: Dataset) -> pl.DataFrame:
    """The counts of the last version, if it has any."""
    files = dataset.files("sources")
    schema = pa.schema([TABLES["sources"].field(n) for n in ("site", *_COUNTS)])
    return _frame(pads.dataset([str(f) for f in files], schema=schema).to_table() if files else schema.empty_table())


def _site_rows(dataset: Dataset, parts: Parts, replaced: Replaced) -> pl.DataFrame:
    """The counts of the next version, by site."""
    known = _table(dataset, parts, replaced, "index", ["doc_id", "site", "input"])
    one, zero = pl.lit(1, pl.Int64), pl.lit(0, pl.Int64)
    passages = pl.col("n_passages") + pl.col("n_removed")
    frames = []
    for table, published in (("documents", True), ("duplicates", False)):
        columns = ["doc_id", "source", "n_edits", "n_passages", "n_removed"]
        rows = _table(dataset, parts, replaced, table, columns).join(known, on="doc_id")
        frames.append(
            rows.select(
                _SITE, one.alias("n_documents"), (one if published else zero).alias("n_published"),
                (pl.col("n_edits") > 0).cast(pl.Int64).alias("n_repaired"),
                (zero if published else one).alias("n_duplicates"), zero.alias("n_rejected"),
                (passages.cast(pl.Int64) if published else zero).alias("n_passages"),
                (pl.col("n_removed").cast(pl.Int64) if published else zero).alias("n_removed"),
            )
        )  # fmt: skip
    rejects = _waiting(dataset, parts, replaced).select("site", **dict.fromkeys(_COUNTS, zero))
    frames.append(rejects.with_columns(n_documents=one, n_rejected=one).select("site", *_COUNTS))
    return (
        pl.concat([frame.group_by("site").agg(pl.col(_COUNTS).sum()) for frame in frames])
        .group_by("site")
        .agg(pl.col(_COUNTS).sum())
    )


def _waiting(dataset: Dataset, parts: Parts, replaced: Replaced) -> pl.DataFrame:
    """Rejects that wait, one a content, with their sites; a mark that keeps a document out is no reject."""
    columns = ["doc_id", "source", "input", "content_sha256", "replayed_in", "stage"]
    rows = _table(dataset, parts, replaced, "rejects", columns)
    waiting = rows.filter(pl.col("replayed_in").is_null() & (pl.col("stage") != "withdraw"))
    waiting = waiting.unique(["doc_id", "content_sha256"], keep="any")
    sites = pl.Series("site", [site_of(source) for source in waiting["source"]], pl.String)
    return waiting.with_columns(sites).with_columns(_SITE)


def _left_out(dataset: Dataset, parts: Parts, replaced: Replaced, site: str) -> list[str]:
    """Sources of a few documents of a site that are left out, rejected or cut most."""
    rejects = _waiting(dataset, parts, replaced).filter(pl.col("site") == site)["source"].sort().head(_EXAMPLES)
    index = _table(dataset, parts, replaced, "index", ["doc_id", "site", "input"])
    copies = _table(dataset, parts, replaced, "duplicates", ["doc_id", "source"]).join(index, on="doc_id")
    cut = _table(dataset, parts, replaced, "documents", ["doc_id", "source", "n_removed"]).join(index, on="doc_id")
    copies, cut = copies.filter(site == _SITE), cut.filter(site == _SITE)
    cut = cut.sort("n_removed", "source", descending=[True, False])
    named = [*rejects, *copies["source"].sort().head(_EXAMPLES), *cut["source"].head(_EXAMPLES)]
    return named[:_EXAMPLES]


def _table(dataset: Dataset, parts: Parts, replaced: Replaced, table: str, columns: list[str]) -> pl.DataFrame:
    whole = whole_version(dataset, parts, replaced, table)
    schema = pa.schema([TABLES[table].field(n) for n in columns])
    batches = [b.select(columns) for b in whole.scanner(columns=columns).to_batches()]
    return _frame(pa.Table.from_batches(batches, schema=None if batches else schema))


def _frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame
