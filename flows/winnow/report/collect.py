"""Reads a version's view and tells what the report will show; from the dataset alone, in constant memory."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from winnow.base.contracts import TABLES
from winnow.report.data import Link, Listed, Point, ReportData
from winnow.report.examples import batches, reject_tallies, removal_tallies, repair_tallies, samples_of

LIST_DOCUMENTS = 4000  # rows of the searchable list; about 130 bytes each in the page
SAMPLES = 24
BINS_PER_DECADE = 8
MIN_BINS = 16
FATES = {
    "kept": "Published text",
    "duplicate_document": "In copies",
    "repeat": "Repeats",
    "near_repeat": "Near repeats",
    "white_space": "White space beside them",
}


def collect(
    view: Path,
    version: int,
    created_at: datetime,
    run_id: str,
    name: str = "dataset",
    previous: int | None = None,
    data_docs: str | None = None,
) -> ReportData:
    """Everything the report shows of the version in folder `view`, which holds one folder of Parquet a table.

    Counts come from single columns that are streamed; whole texts are read of a few dozen documents only.
    Lists are capped, see the constants of this module and of `examples`.
    """
    tables = {t: scan(view, t) for t in ("documents", "passages", "edits", "duplicates", "rejects", "runs", "index")}
    counts = _document_counts(tables["documents"])
    copies = _document_counts(tables["duplicates"])
    rejects = reject_tallies(tables["rejects"].filter(pl.col("stage") != "withdraw"))  # its marks hold no document
    runs = run_rows(tables["runs"])
    own = next((r for r in runs if r["run_id"] == run_id), {})
    passages = _passage_chars(view / "passages")
    passages |= {"kept": counts["n_chars"], "white_space": passages.get("kept", 0) - counts["n_chars"]}
    lengths, median = _lengths(tables["documents"])
    removals = removal_tallies(view, tables["passages"], tables["documents"], tables["duplicates"])
    rules, repairs = repair_tallies(view, tables["edits"], tables["documents"])
    sites = _count(tables["index"], "site")
    n_rejected = sum(t.count for t in rejects)
    return ReportData(
        name=name,
        version=version,
        previous=previous,
        created_at=created_at,
        run_id=run_id,
        recipe_id=own.get("recipe_id", ""),
        n_published=counts["n"],
        n_duplicates=copies["n"],
        n_rejected=n_rejected,
        n_chars=counts["n_chars"],
        n_words=counts["n_words"],
        n_repaired=counts["repaired"],
        n_suspicions=rules["suspicions"],
        documents_flow=_documents_flow(counts, copies, n_rejected),
        characters_flow=_characters_flow(passages, rules["grown"]),
        repairs=repairs,
        removals=removals,
        rejects=rejects,
        lengths=lengths,
        median_chars=median,
        languages=_count(tables["documents"], "language"),
        sites=sites[:200],
        n_sites=len(sites),
        trend=tuple(_point(r) for r in runs if r["status"] != "held" and r["version"] <= version),
        gate=own.get("gate", {}),
        documents=_list(tables["documents"]),
        samples=samples_of(view, tables["documents"], SAMPLES),
        recipe=own.get("recipe", {}),
        packages=own.get("packages", {}),
        note=own.get("note"),
        data_docs=data_docs,
    )


def scan(view: Path, table: str) -> pl.LazyFrame:
    """A table of the view, lazily; without rows where the view has no file of it."""
    if next((view / table).glob("*.parquet"), None) is None:
        return pl.DataFrame(pl.from_arrow(TABLES[table].empty_table())).lazy()
    return pl.scan_parquet(str(view / table / "*.parquet"))


def run_rows(runs: pl.LazyFrame) -> list[dict[str, Any]]:
    """The rows of table ``runs`` with their JSON columns read, oldest first."""
    rows = runs.sort("started_at").collect().to_dicts()
    for row in rows:
        for column in ("recipe", "counts", "gate", "packages"):
            try:
                row[column] = json.loads(row[column] or "{}")
            except ValueError:
                row[column] = {}
        row["started_at"] = row["started_at"] or datetime.fromtimestamp(0, UTC)
    return rows


def _document_counts(documents: pl.LazyFrame) -> dict[str, int]:
    totals = documents.select(
        pl.len().alias("n"),
        pl.col("n_chars", "n_words").sum(),
        (pl.col("n_edits") > 0).sum().alias("repaired"),
    )
    counts = {k: int(v or 0) for k, v in totals.collect(engine="streaming").row(0, named=True).items()}
    if "kind" in documents.collect_schema().names():
        kinds = documents.group_by("kind").len().collect(engine="streaming")
        counts |= {f"kind {kind}": n for kind, n in kinds.iter_rows()}
    return counts


def _passage_chars(folder: Path) -> dict[str, int]:
    """Characters of repaired text by what became of them: ``kept``, or the reason they were removed for."""
    counts: Counter[str] = Counter()
    for batch in batches(folder, ["status", "reason", "text", "gap"]):
        frame = pl.DataFrame(pl.from_arrow(batch))
        fates = frame.group_by(
            pl.when(pl.col("status") == "kept").then(pl.lit("kept")).otherwise(pl.col("reason")).alias("fate")
        ).agg((pl.col("text").str.len_chars() + pl.col("gap").str.len_chars()).sum().cast(pl.Int64))
        for fate, chars in fates.iter_rows():
            counts[fate or "removed"] += chars
    return dict(sorted(counts.items()))


def _documents_flow(counts: Mapping[str, int], copies: Mapping[str, int], n_rejected: int) -> tuple[Link, ...]:
    links = [
        Link("Read", "Repaired", counts["repaired"] + copies["repaired"]),
        Link("Read", "Undamaged", counts["n"] - counts["repaired"] + copies["n"] - copies["repaired"]),
        Link("Read", "Rejected", n_rejected),
        Link("Repaired", "Published", counts["repaired"]),
        Link("Undamaged", "Published", counts["n"] - counts["repaired"]),
        Link("Repaired", "Copies left out", copies["repaired"]),
        Link("Undamaged", "Copies left out", copies["n"] - copies["repaired"]),
    ]
    return tuple(link for link in links if link.value > 0)


def _characters_flow(passages: Mapping[str, int], grown: int) -> tuple[Link, ...]:
    """`grown`: characters that repair added, less those it took away."""
    repaired = sum(n for n in passages.values() if n > 0)
    if not repaired:
        return ()
    links = [Link("Decoded text", "Repaired text", min(repaired, repaired - grown))]
    if grown < 0:
        links.append(Link("Decoded text", "Damage undone", -grown))
    if grown > 0:
        links.append(Link("Added by repair", "Repaired text", grown))
    for fate, chars in sorted(passages.items(), key=lambda item: (item[0] != "kept", -item[1], item[0])):
        links.append(Link("Repaired text", FATES.get(fate, fate.replace("_", " ").capitalize()), chars))
    return tuple(link for link in links if link.value > 0)


def _lengths(documents: pl.LazyFrame) -> tuple[tuple[tuple[float, float, int], ...], int]:
    """Histogram of published lengths on a logarithmic scale, and the median."""
    values = documents.select("n_chars").collect(engine="streaming")["n_chars"].to_numpy()
    if not len(values):
        return (), 0
    low = np.floor(np.log10(max(values.min(), 1)) * BINS_PER_DECADE)
    high = np.floor(np.log10(max(values.max(), 1)) * BINS_PER_DECADE) + 1
    spread = max(MIN_BINS - int(high - low), 0)  # a handful of documents is not stretched over the whole width
    low, high = max(low - (spread + 1) // 2, 0), high + spread // 2
    edges = 10 ** (np.arange(low, high + 1) / BINS_PER_DECADE)
    hits, _ = np.histogram(np.maximum(values, 1), bins=edges)
    bins = tuple((float(a), float(b), int(n)) for a, b, n in zip(edges[:-1], edges[1:], hits, strict=True))
    return bins, int(np.median(values))


def _count(table: pl.LazyFrame, column: str) -> tuple[tuple[str, int], ...]:
    frame = table.group_by(column).len().collect(engine="streaming")
    counts = [(value or "", int(n)) for value, n in frame.iter_rows()]
    return tuple(sorted(counts, key=lambda item: (-item[1], item[0])))


def _list(documents: pl.LazyFrame) -> tuple[Listed, ...]:
    """The documents with most done to them, then the rest in order."""
    frame = (
        documents.select(
            "doc_id",
            pl.col("title").fill_null("").str.slice(0, 160),
            pl.col("source").str.slice(0, 240),
            pl.col("language").fill_null(""),
            "n_chars",
            "n_edits",
            "n_removed",
        )
        .with_columns((pl.col("n_edits") + pl.col("n_removed")).alias("done"))
        .sort("done", "doc_id", descending=[True, False])
        .head(LIST_DOCUMENTS)
        .collect(engine="streaming")
    )
    return tuple(Listed(*row[:-1]) for row in frame.iter_rows())


def _point(run: Mapping[str, Any]) -> Point:
    facts = run["counts"].get("facts") or {}
    read, published = facts.get("n_read"), facts.get("n_published")

    def share(part: Any, whole: Any) -> float | None:
        return part / whole if part is not None and whole else None

    return Point(
        version=run["version"],
        published=published,
        mean_chars=share(facts.get("n_chars"), published),
        reject_share=share(facts.get("n_rejected"), read),
        duplicate_share=share(facts.get("n_duplicates"), read),
        repairs_per_document=share(sum((facts.get("edits_by_rule") or {}).values()) if facts else None, published),
        residual_markup=facts.get("mean_residual_markup"),
    )
