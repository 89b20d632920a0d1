"""What each site gave: the rows of table ``sources``, and which site loses far more than before or than the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa

from winnow.base.contracts import TABLES
from winnow.base.doc_ids import ranges_of
from winnow.base.files import arrow_dataset
from winnow.base.recipe import ValidateSettings
from winnow.deduplicate.prepare import site_of
from winnow.publish.dataset import Dataset
from winnow.run.executor import each_range
from winnow.run.previous_version import WholeTable, whole_version
from winnow.run.rejects import WAITS
from winnow.validate.site_losses import SiteCounts, SiteLoss, largest_loss

_COUNTS = ["n_documents", "n_published", "n_repaired", "n_duplicates", "n_rejected", "n_passages", "n_removed"]
_EXAMPLES = 3
_SITE = (
    pl.when(pl.col("site") != "").then("site").when(pl.col("source") == pl.col("input")).then(pl.lit("."))
    .otherwise("input").alias("site")
)  # fmt: skip
"""The site of a document, given the site that its source names, the source and the input file."""

Parts = Mapping[str, Sequence[Path]]
Replaced = Mapping[str, Set[str]]
RANGE_DOCUMENTS = 200_000  # counted at a time, some 200 bytes each


def changed_sites(
    dataset: Dataset, parts: Parts, replaced: Replaced, version: int, run_id: str, executor: Executor | None = None
) -> tuple[pa.Table, frozenset[str]]:
    """The rows of table ``sources`` that are other than the last version's, and the sites whose rows go for them."""
    ranges = _Tables.of(dataset, parts, replaced).by_range()
    now, before = _added(each_range(executor, _Tables.counts, ranges)), _published(dataset)
    said = ["site", *_COUNTS]
    new = now.join(before, on=said, how="anti").sort("site")
    left = before.join(now, on=said, how="anti")
    stamped = new.with_columns(version=pl.lit(version, pl.Int32), run_id=pl.lit(run_id))
    schema = TABLES["sources"]
    return stamped.select(schema.names).to_arrow().cast(schema), frozenset(left["site"])


def site_loss(dataset: Dataset, parts: Parts, replaced: Replaced, settings: ValidateSettings) -> SiteLoss | None:
    """The site of the next version that loses most beyond what it lost before, or the others lose; with examples."""
    rows = _frame(whole_version(dataset, parts, replaced, "sources").table(["site", *_COUNTS]))
    found = largest_loss(_counts(rows), _counts(_published(dataset)), settings)
    return found and found.with_examples(_Tables.of(dataset, parts, replaced).left_out(found.site))


def _counts(rows: pl.DataFrame) -> dict[str, SiteCounts]:
    names = ("n_documents", "n_duplicates", "n_rejected", "n_passages", "n_removed")
    return {row["site"]: SiteCounts(**{n: row[n] for n in names}) for row in rows.iter_rows(named=True)}


def _published(dataset: Dataset) -> pl.DataFrame:
    """The counts of the last version, if it has any."""
    files = dataset.files("sources")
    schema = pa.schema([TABLES["sources"].field(n) for n in ("site", *_COUNTS)])
    return _frame(arrow_dataset(files, schema).to_table() if files else schema.empty_table())


@dataclass(frozen=True, slots=True)
class _Tables:
    """Tables of the next version, all their rows or those of a range of doc_ids, which are held."""

    tables: Mapping[str, WholeTable]

    @classmethod
    def of(cls, dataset: Dataset, parts: Parts, replaced: Replaced) -> _Tables:
        names = "index", "documents", "duplicates", "rejects"
        return cls({name: whole_version(dataset, parts, replaced, name) for name in names})

    def by_range(self) -> list[_Tables]:
        index = self.tables["index"]
        ranges = ranges_of((*index.published, *index.new), RANGE_DOCUMENTS)
        cut = zip(*(table.by_range(ranges) for table in self.tables.values()), strict=True)
        return [_Tables(dict(zip(self.tables, of_range, strict=True))) for of_range in cut]

    def rows(self, table: str, columns: list[str]) -> pl.DataFrame:
        return _frame(self.tables[table].table(columns))

    def waiting(self) -> pl.DataFrame:
        """Rejects that wait, one a content, with their sites; a mark that keeps a document out is no reject."""
        rows = self.rows("rejects", ["doc_id", "source", "input", "content_sha256", "replayed_in", "stage"])
        waiting = rows.filter(WAITS).unique(["doc_id", "content_sha256"], keep="any")
        sites = pl.Series("site", [site_of(source) for source in waiting["source"]], pl.String)
        return waiting.with_columns(sites).with_columns(_SITE)

    def counts(self) -> pl.DataFrame:
        """Their counts, by site."""
        known = self.rows("index", ["doc_id", "site", "input"])
        one, zero = pl.lit(1, pl.Int64), pl.lit(0, pl.Int64)
        passages = pl.col("n_passages") + pl.col("n_removed")
        frames = []
        for table, published in (("documents", True), ("duplicates", False)):
            columns = ["doc_id", "source", "n_edits", "n_passages", "n_removed"]
            rows = self.rows(table, columns).join(known, on="doc_id")
            frames.append(
                rows.select(
                    _SITE, one.alias("n_documents"), (one if published else zero).alias("n_published"),
                    (pl.col("n_edits") > 0).cast(pl.Int64).alias("n_repaired"),
                    (zero if published else one).alias("n_duplicates"), zero.alias("n_rejected"),
                    (passages.cast(pl.Int64) if published else zero).alias("n_passages"),
                    (pl.col("n_removed").cast(pl.Int64) if published else zero).alias("n_removed"),
                )
            )  # fmt: skip
        rejects = self.waiting().select("site", **dict.fromkeys(_COUNTS, zero))
        frames.append(rejects.with_columns(n_documents=one, n_rejected=one).select("site", *_COUNTS))
        return _by_site(frames)

    def left_out(self, site: str) -> list[str]:
        """Sources of a few documents of a site that are left out, rejected or cut most."""
        rejects: list[str] = []
        copies: list[str] = []
        cut: list[tuple[int, str]] = []
        for some in self.by_range():
            index = some.rows("index", ["doc_id", "site", "input"])
            of_range = some.rows("duplicates", ["doc_id", "source"]).join(index, on="doc_id")
            shortened = some.rows("documents", ["doc_id", "source", "n_removed"]).join(index, on="doc_id")
            rejects += some.waiting().filter(pl.col("site") == site)["source"].sort().head(_EXAMPLES).to_list()
            copies += of_range.filter(site == _SITE)["source"].sort().head(_EXAMPLES).to_list()
            most = shortened.filter(site == _SITE).sort("n_removed", "source", descending=[True, False])
            cut += [(-n, source) for n, source in most.select("n_removed", "source").head(_EXAMPLES).iter_rows()]
        named = [
            *sorted(rejects)[:_EXAMPLES], *sorted(copies)[:_EXAMPLES], *(source for _, source in sorted(cut))
        ]  # fmt: skip
        return named[:_EXAMPLES]


def _added(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Counts of the same site added up; of many sites not much more is held than one row each."""
    held, size = [pl.DataFrame(schema={"site": pl.String, **dict.fromkeys(_COUNTS, pl.Int64)})], 0
    for frame in frames:
        held.append(frame)
        size += frame.height
        if size > max(held[0].height, RANGE_DOCUMENTS):
            held, size = [_by_site(held)], 0
    return _by_site(held)


def _by_site(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Counts of the same site added up."""
    sums = pl.concat([frame.group_by("site").agg(pl.col(_COUNTS).sum()) for frame in frames])
    return sums.group_by("site").agg(pl.col(_COUNTS).sum())


def _frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame
