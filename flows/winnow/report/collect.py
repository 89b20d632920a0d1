"""Collects what the report shows of a version from its view alone, in constant memory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from winnow.base.contracts import TABLES
from winnow.base.files import scan_parquet
from winnow.report.copies import clusters_of, pairs_alike
from winnow.report.examples import files_of, not_read_tallies, reject_tallies, repairs_of, samples_of
from winnow.report.passage_sums import PassageSums, add_sums, removal_tallies, sum_passages
from winnow.report.report_data import LENGTHS, LanguageLengths, Link, Listed, Point, ReportData, Site

LANGUAGES = 12  # in the table of lengths
LIST_DOCUMENTS = 4000  # rows of the searchable list; about 130 bytes each in the page
SAMPLES = 24
_SITES = 200
BINS_PER_DECADE = 8
MIN_BINS = 16
FATES = {
    "kept": "Published text",
    "duplicate_document": "In duplicates",
    "repeat": "Repeats",
    "near_repeat": "Near repeats",
    "white_space": "White space beside them",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    """Sums over table ``documents`` or ``duplicates``."""

    n: int
    n_chars: int
    n_words: int
    n_repaired: int

    @property
    def n_undamaged(self) -> int:
        return self.n - self.n_repaired


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A row of table ``runs`` with its JSON columns read."""

    run_id: str
    version: int
    status: str
    recipe_id: str
    note: str | None
    recipe: Mapping[str, Any]
    counts: Mapping[str, Any]
    gate: Mapping[str, Any]
    packages: Mapping[str, str]


def collect(
    view: Path,
    *,
    version: int,
    created_at: datetime,
    run_id: str,
    name: str = "dataset",
    previous: int | None = None,
    passages: Sequence[PassageSums] = (),
    chars: Mapping[str, int] | None = None,
) -> ReportData:
    """Everything the report shows of the version in folder `view`, which holds one folder of Parquet a table.

    `passages` are the sums over the files of table ``passages``, `chars` the characters by fate, where they are known.
    Counts come from single columns that are streamed; whole texts are read of a few dozen documents only.
    Lists are capped, see the constants of this module and of `examples`.
    """
    tables = {
        t: _scan(view, t)
        for t in ("documents", "passages", "edits", "duplicates", "rejects", "runs", "inputs", "sources", "similar")
    }
    documents, duplicates = tables["documents"], tables["duplicates"]
    counts, copies = _counts(documents), _counts(duplicates)
    rejects = reject_tallies(tables["rejects"].filter(pl.col("stage") != "withdraw"))  # its marks hold no document
    n_rejected = sum(t.count for t in rejects)
    runs = _runs(tables["runs"])
    own = next((r for r in runs if r.run_id == run_id), None)
    sums = add_sums(passages or (sum_passages(file, chars is None) for file in files_of(view, "passages")))
    fates = dict(sorted((sums.chars if chars is None else chars).items()))
    fates |= {"kept": counts.n_chars, "white_space": fates.get("kept", 0) - counts.n_chars}
    lengths, median = _lengths(documents)
    repairs = repairs_of(view, tables["edits"], documents)
    return ReportData(
        name=name,
        version=version,
        previous=previous,
        created_at=created_at,
        run_id=run_id,
        recipe_id=own.recipe_id if own else "",
        n_published=counts.n,
        n_duplicates=copies.n,
        n_rejected=n_rejected,
        n_chars=counts.n_chars,
        n_words=counts.n_words,
        n_repaired=counts.n_repaired,
        n_suspicions=repairs.n_suspicions,
        documents_flow=_documents_flow(counts, copies, n_rejected),
        characters_flow=_characters_flow(fates, repairs.n_chars_added),
        repairs=repairs.tallies,
        removals=removal_tallies(sums, tables["passages"], documents, duplicates),
        rejects=rejects,
        not_read=not_read_tallies(tables["inputs"]),
        lengths=lengths,
        median_chars=median,
        languages=_tally(documents, "language"),
        language_lengths=_language_lengths(documents),
        clusters=clusters_of(documents, duplicates),
        alike=pairs_alike(documents, tables["similar"]),
        n_alike=int(tables["similar"].select(pl.len()).collect(engine="streaming").item()),
        sites=_sites(tables["sources"]),
        trend=tuple(point_of(r.version, r.counts) for r in runs if r.status != "held" and r.version <= version),
        gate=own.gate if own else {},
        documents=_list(documents),
        samples=samples_of(view, documents, SAMPLES),
        recipe=own.recipe if own else {},
        packages=own.packages if own else {},
        note=own.note if own else None,
    )


def _sites(sources: pl.LazyFrame) -> tuple[Site, ...]:
    """What each site gave, those first that gave most."""
    rows = sources.sort("n_documents", "site", descending=[True, False]).head(_SITES).collect()
    names = ("n_documents", "n_repaired", "n_duplicates", "n_rejected", "n_removed")
    return tuple(Site(name=row["site"], **{n: row[n] for n in names}) for row in rows.iter_rows(named=True))


def _scan(view: Path, table: str) -> pl.LazyFrame:
    """A table of the view, lazily; without rows where the view has no file of it."""
    files = files_of(view, table)
    if not files:
        return pl.DataFrame(pl.from_arrow(TABLES[table].empty_table())).lazy()
    return scan_parquet(files, missing_columns="insert")


def _runs(runs: pl.LazyFrame) -> list[_Run]:
    """The runs of table ``runs``, oldest first."""
    rows = runs.sort("started_at").select(f.name for f in fields(_Run)).collect().iter_rows(named=True)
    return [_Run(**{**row, **{c: _json(row[c]) for c in ("recipe", "counts", "gate", "packages")}}) for row in rows]


def _json(text: str | None) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = json.loads(text or "{}")
    except ValueError:
        return {}
    return found


def _counts(table: pl.LazyFrame) -> _Counts:
    sums = table.select(
        pl.len().alias("n"), pl.col("n_chars", "n_words").sum(), (pl.col("n_edits") > 0).sum().alias("n_repaired")
    )
    return _Counts(**{k: int(v or 0) for k, v in sums.collect(engine="streaming").row(0, named=True).items()})


def _documents_flow(counts: _Counts, copies: _Counts, n_rejected: int) -> tuple[Link, ...]:
    links = (
        Link("Read", "Repaired", counts.n_repaired + copies.n_repaired),
        Link("Read", "Undamaged", counts.n_undamaged + copies.n_undamaged),
        Link("Read", "Rejected", n_rejected),
        Link("Repaired", "Published", counts.n_repaired),
        Link("Undamaged", "Published", counts.n_undamaged),
        Link("Repaired", "Duplicates", copies.n_repaired),
        Link("Undamaged", "Duplicates", copies.n_undamaged),
    )
    return tuple(link for link in links if link.value > 0)


def _characters_flow(passages: Mapping[str, int], n_added: int) -> tuple[Link, ...]:
    repaired = sum(n for n in passages.values() if n > 0)
    if not repaired:
        return ()
    links = [Link("Decoded text", "Repaired text", min(repaired, repaired - n_added))]
    if n_added < 0:
        links.append(Link("Decoded text", "Damage undone", -n_added))
    if n_added > 0:
        links.append(Link("Added by repair", "Repaired text", n_added))
    for fate, chars in sorted(passages.items(), key=lambda item: (item[0] != "kept", -item[1], item[0])):
        links.append(Link("Repaired text", FATES.get(fate, fate.replace("_", " ").capitalize()), chars))
    return tuple(link for link in links if link.value > 0)


def _lengths(documents: pl.LazyFrame) -> tuple[tuple[tuple[float, float, int], ...], int]:
    """Histogram of published lengths on a logarithmic scale, and the median."""
    frame = documents.group_by("n_chars").len().collect(engine="streaming").sort("n_chars")
    values, counts = frame["n_chars"].to_numpy(), frame["len"].to_numpy()
    if not len(values):
        return (), 0
    low = np.floor(np.log10(max(values.min(), 1)) * BINS_PER_DECADE)
    high = np.floor(np.log10(max(values.max(), 1)) * BINS_PER_DECADE) + 1
    spread = max(MIN_BINS - int(high - low), 0)  # a handful of documents is not stretched over the whole width
    low, high = max(low - (spread + 1) // 2, 0), high + spread // 2
    edges = 10 ** (np.arange(low, high + 1) / BINS_PER_DECADE)
    hits, _ = np.histogram(np.maximum(values, 1), bins=edges, weights=counts)
    bins = tuple((float(a), float(b), int(n)) for a, b, n in zip(edges[:-1], edges[1:], hits, strict=True))
    return bins, _median(frame)


def _median(lengths: pl.DataFrame) -> int:
    """The median, given how often each length is there, in order."""
    up_to = lengths["len"].cast(pl.Int64).cum_sum().to_numpy()
    middle = np.searchsorted(up_to, [(up_to[-1] - 1) // 2, up_to[-1] // 2], side="right")
    return int(lengths["n_chars"].to_numpy()[middle].mean())


def _tally(table: pl.LazyFrame, column: str) -> tuple[tuple[str, int], ...]:
    frame = table.group_by(column).len().collect(engine="streaming")
    counts = [(value or "", int(n)) for value, n in frame.iter_rows()]
    return tuple(sorted(counts, key=lambda item: (-item[1], item[0])))


def _language_lengths(documents: pl.LazyFrame) -> tuple[LanguageLengths, ...]:
    """The languages of most documents, with the lengths of these."""
    size, edges = pl.col("n_chars"), (0, *LENGTHS, None)
    within = [
        ((size >= low) if high is None else (size >= low) & (size < high)).sum().alias(f"from_{low}")
        for low, high in pairwise(edges)
    ]
    frame = (
        documents.group_by("language")
        .agg(pl.len().alias("count"), *within)
        .sort("count", "language", descending=[True, False], nulls_last=True)
        .head(LANGUAGES)
        .collect(engine="streaming")
    )
    names = frame["language"]
    known = documents.filter(pl.col("language").is_in(names.implode(), nulls_equal=True))
    lengths = known.group_by("language", "n_chars").len().collect(engine="streaming").sort("n_chars")
    median = {name: _median(some) for (name,), some in lengths.partition_by("language", as_dict=True).items()}
    return tuple(
        LanguageLengths(language=name or "", count=n, median_chars=median[name], by_length=tuple(counts))
        for name, n, *counts in frame.iter_rows()
    )


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


def point_of(version: int, counts: Mapping[str, Any]) -> Point:
    """A version in the trend, given the counts of its run."""
    facts = counts.get("facts") or {}
    read, published = facts.get("n_read"), facts.get("n_published")

    def share(part: Any, whole: Any) -> float | None:
        return part / whole if part is not None and whole else None

    return Point(
        version=version,
        published=published,
        mean_chars=share(facts.get("n_chars"), published),
        reject_share=share(facts.get("n_rejected"), read),
        duplicate_share=share(facts.get("n_duplicates"), read),
        repairs_per_document=share(sum((facts.get("edits_by_rule") or {}).values()) if facts else None, published),
        residual_markup=facts.get("mean_residual_markup"),
    )
