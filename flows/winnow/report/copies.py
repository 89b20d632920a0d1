"""What was taken for copies, to look through: the largest clusters, and the closest pairs that are both kept."""

from __future__ import annotations

import polars as pl

from winnow.report.examples import ranges_of_ids
from winnow.report.report_data import Alike, Cluster, Copy

CLUSTERS = 30
COPIES = 6  # shown of each cluster, those least alike, for they are the ones to doubt
PAIRS = 30
_SOURCE = pl.col("source").str.slice(0, 300)


def clusters_of(documents: pl.LazyFrame, duplicates: pl.LazyFrame) -> tuple[Cluster, ...]:
    """The documents that most copies were removed of, those with most first."""
    copy = pl.struct(_SOURCE, pl.col("similarity").cast(pl.Float64), "kind", "doc_id")
    counts = [
        some.group_by("kept_doc_id").agg(pl.len().alias("count")) for some in ranges_of_ids(duplicates, "kept_doc_id")
    ]
    ids = _most(pl.concat(map(_most, counts))).select("kept_doc_id")
    largest = (
        duplicates.join(ids, on="kept_doc_id", how="semi")
        .group_by("kept_doc_id")
        .agg(pl.len().alias("count"), copy.sort_by("similarity", "doc_id").head(COPIES).alias("copies"))
        .collect(engine="streaming")
    )
    named = documents.select("doc_id", _SOURCE, pl.col("title").fill_null("").str.slice(0, 160))
    kept = named.join(largest.lazy(), left_on="doc_id", right_on="kept_doc_id").collect(engine="streaming")
    return tuple(
        Cluster(
            source=row["source"],
            title=row["title"],
            count=row["count"],
            copies=tuple(Copy(source=c["source"], similarity=c["similarity"], kind=c["kind"]) for c in row["copies"]),
        )
        for row in kept.sort("count", "doc_id", descending=[True, False]).iter_rows(named=True)
    )


def _most(counts: pl.LazyFrame) -> pl.LazyFrame:
    return counts.sort("count", "kept_doc_id", descending=[True, False]).head(CLUSTERS)


def pairs_alike(documents: pl.LazyFrame, similar: pl.LazyFrame) -> tuple[Alike, ...]:
    """The pairs of which the greatest share of the one stands in the other."""
    keys = "doc_id", "similar_doc_id"
    order = pl.col("containment", "similarity").cast(pl.Float64)
    pairs = (
        similar.select(*keys, order)
        .sort("containment", "similarity", *keys, descending=[True, True, False, False])
        .head(PAIRS)
        .collect(engine="streaming")
    )
    wanted = pl.concat([pairs["doc_id"], pairs["similar_doc_id"]]).unique()
    names = documents.filter(pl.col("doc_id").is_in(wanted.implode())).select("doc_id", _SOURCE)
    source = dict(names.collect(engine="streaming").iter_rows())
    return tuple(
        Alike(source=source.get(one, one), other=source.get(other, other), similarity=alike, containment=share)
        for one, other, share, alike in pairs.iter_rows()
    )
