"""The texts that the report shows: a few changes in their surroundings, and a few documents side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from winnow.report.data import Example, Sample, Tally
from winnow.report.pieces import Misfit, Step, align, decoded, mark_removed, shorten

EXAMPLES = 3  # of each rule and reason
CANDIDATES = 12  # looked at to find them
AROUND = 48  # characters shown on each side of a change
LONGEST_CHANGE = 160
LONGEST_REMOVAL = 320
LONGEST_SAMPLE = 6000  # characters of a document side by side
MOST_EDITS = 600  # of a document that is shown; aligning takes edits times pieces
LONGEST_TEXT = 40_000


def repair_tallies(
    view: Path, edits: pl.LazyFrame, documents: pl.LazyFrame
) -> tuple[dict[str, int], tuple[Tally, ...]]:
    """How often each rule acted, with examples; besides, suspicions and the characters repair added."""
    frame = (
        edits.group_by("rule")
        .agg(
            pl.col("applied").sum().alias("made"),
            (~pl.col("applied")).sum().alias("suspected"),
            pl.col("doc_id").filter(pl.col("applied")).n_unique().alias("documents"),
            (pl.col("after").str.len_chars().cast(pl.Int64) - pl.col("before").str.len_chars().cast(pl.Int64))
            .filter(pl.col("applied"))
            .sum()
            .alias("grown"),
        )
        .collect(engine="streaming")
        .sort("made", "rule", descending=[True, False])
    )
    candidates = _candidates(
        view / "edits",
        "rule",
        ["doc_id", "seq", "rule"],
        pc.field("applied")
        & (pc.utf8_length(pc.field("before")) <= LONGEST_CHANGE)
        & (pc.utf8_length(pc.field("after")) <= LONGEST_CHANGE),
    )
    shown = _in_context([row for rows in candidates.values() for row in rows], view, documents)
    tallies = tuple(
        Tally(
            row["rule"],
            row["made"],
            row["documents"],
            _distinct(shown[key] for c in candidates.get(row["rule"], ()) if (key := (c["doc_id"], c["seq"])) in shown),
        )
        for row in frame.to_dicts()
        if row["made"]
    )
    return {"suspicions": int(frame["suspected"].sum()), "grown": int(frame["grown"].sum())}, tallies


def removal_tallies(
    view: Path, passages: pl.LazyFrame, documents: pl.LazyFrame, duplicates: pl.LazyFrame
) -> tuple[Tally, ...]:
    """How many passages each reason removed, with examples and where the kept copy stands."""
    frame = (
        passages.filter(pl.col("status") == "removed")
        .group_by("reason")
        .agg(pl.len().alias("count"), pl.col("doc_id").n_unique().alias("documents"))
        .collect(engine="streaming")
        .sort("count", "reason", descending=[True, False])
    )
    columns = ["doc_id", "position", "reason", "text", "kept_doc_id", "kept_position", "similarity"]
    candidates = _candidates(view / "passages", "reason", columns, pc.field("status") == "removed")
    ids = {i for rows in candidates.values() for r in rows for i in (r["doc_id"], r["kept_doc_id"]) if i}
    sources = _sources(ids, documents) | _sources(ids, duplicates)
    return tuple(
        Tally(
            reason or "unknown",
            count,
            n_documents,
            _distinct(_removal(row, sources) for row in candidates.get(reason, ())),
        )
        for reason, count, n_documents in frame.iter_rows()
    )


def reject_tallies(rejects: pl.LazyFrame) -> tuple[Tally, ...]:
    """Waiting rejects by stage and expectation, with examples."""
    waiting = rejects.filter(pl.col("replayed_in").is_null())
    frame = (
        waiting.group_by("stage", "expectation")
        .agg(
            pl.len().alias("count"),
            pl.col("doc_id").n_unique().alias("documents"),
            pl.struct("doc_id", pl.col("source").str.slice(0, 300), pl.col("reason").str.slice(0, 500))
            .sort_by("doc_id")
            .head(EXAMPLES)
            .alias("examples"),
        )
        .sort("count", "stage", "expectation", descending=[True, False, False])
        .collect(engine="streaming")
    )
    return tuple(
        Tally(
            f"{row['stage']}: {row['expectation']}",
            row["count"],
            row["documents"],
            tuple(Example(e["doc_id"], e["source"], "", "", "", "", e["reason"]) for e in row["examples"]),
        )
        for row in frame.to_dicts()
    )


def samples_of(view: Path, documents: pl.LazyFrame, count: int) -> tuple[Sample, ...]:
    """Documents to read side by side: those with most repairs, with most removals, and some of the rest."""
    fit = documents.filter(
        (pl.col("n_edits") <= MOST_EDITS) & (pl.col("n_chars") <= LONGEST_TEXT) & (pl.col("n_chars") > 0)
    ).select("doc_id", "n_edits", "n_removed")
    picks = [
        fit.sort("n_edits", "doc_id", descending=[True, False]).head(count),
        fit.sort("n_removed", "doc_id", descending=[True, False]).head(count),
        fit.sort("doc_id").head(count),
    ]
    ranked = [p.collect(engine="streaming")["doc_id"].to_list() for p in picks]
    chosen: list[str] = []
    for share, ids in zip((2, 3, 1), ranked, strict=True):  # a half, then a third, then what is left
        room = count - len(chosen) if share == 1 else -(-count // share)
        chosen += [i for i in ids if i not in chosen][:room]
    shown = []
    for doc_id, (text, passages, steps) in _texts(view, chosen).items():
        try:
            pieces = align(text, steps)
        except Misfit:
            continue
        short, cut = shorten(mark_removed(pieces, passages), LONGEST_SAMPLE)
        shown.append(Sample(doc_id, tuple(short), cut))
    return tuple(sorted(shown, key=lambda s: chosen.index(s.doc_id)))


def _in_context(
    rows: Sequence[Mapping[str, Any]], view: Path, documents: pl.LazyFrame
) -> dict[tuple[str, int], Example]:
    """Each edit with the text around it as it stood at the time of the edit."""
    ids = {row["doc_id"] for row in rows}
    small = documents.filter(
        pl.col("doc_id").is_in(list(ids)) & (pl.col("n_edits") <= MOST_EDITS) & (pl.col("n_chars") <= LONGEST_TEXT)
    )
    sources = dict(small.select("doc_id", pl.col("source").str.slice(0, 300)).collect().iter_rows())
    texts = _texts(view, sorted(sources), with_seq=True)
    shown = {}
    for row in rows:
        if row["doc_id"] not in texts:
            continue
        text, _, steps = texts[row["doc_id"]]
        numbered = [(seq, step) for seq, step in steps if seq >= row["seq"]]
        step = numbered[0][1]
        try:
            then = decoded(align(text, [s for _, s in numbered]))
        except Misfit:
            continue
        end = step.start + len(step.before)
        shown[row["doc_id"], row["seq"]] = Example(
            row["doc_id"], sources[row["doc_id"]],
            then[max(step.start - AROUND, 0) : step.start], step.before, step.after, then[end : end + AROUND],
        )  # fmt: skip
    return shown


def _texts(view: Path, ids: Sequence[str], with_seq: bool = False) -> dict[str, tuple[str, list[Any], list[Any]]]:
    """Repaired text, ``(length, reason)`` of the passages, and applied steps of some documents."""
    wanted = pl.col("doc_id").is_in(list(ids))
    texts: dict[str, tuple[list[str], list[Any], list[Any]]] = {}
    passages = pl.scan_parquet(str(view / "passages" / "*.parquet")).filter(wanted)
    for doc_id, text, gap, status, reason in (
        passages.sort("doc_id", "position", "part")
        .select("doc_id", "text", "gap", "status", "reason")
        .collect(engine="streaming")
        .iter_rows()
    ):
        parts, spans, _ = texts.setdefault(doc_id, ([], [], []))
        parts.append(text + gap)
        spans.append((len(text) + len(gap), reason if status == "removed" else None))
    edits = pl.scan_parquet(str(view / "edits" / "*.parquet")).filter(wanted & pl.col("applied"))
    for doc_id, seq, rule, start, before, after in (
        edits.sort("doc_id", "seq")
        .select("doc_id", "seq", "rule", "start", "before", "after")
        .collect(engine="streaming")
        .iter_rows()
    ):
        if doc_id in texts:
            step = Step(rule, start, before, after)
            texts[doc_id][2].append((seq, step) if with_seq else step)
    return {doc_id: ("".join(parts), spans, steps) for doc_id, (parts, spans, steps) in texts.items()}


def _candidates(
    folder: Path, key: str, columns: Sequence[str], condition: pc.Expression
) -> dict[str, list[dict[str, Any]]]:
    """The first rows of each value of `key`, of different documents where there are such; a batch in memory."""
    found: dict[str, list[dict[str, Any]]] = {}
    spare: dict[str, list[dict[str, Any]]] = {}
    seen: set[tuple[str, str]] = set()
    for batch in batches(folder, columns, condition):
        names = batch.column(key)
        for name in pc.unique(names).to_pylist():
            rows = found.setdefault(name, [])
            if len(rows) >= CANDIDATES:
                continue
            places = pc.indices_nonzero(pc.equal(names, name))
            for row in batch.take(places.slice(0, 40 * CANDIDATES)).to_pylist():
                same = (name, row["doc_id"]) in seen
                seen.add((name, row["doc_id"]))
                chosen = spare.setdefault(name, []) if same else rows
                if len(chosen) < CANDIDATES:
                    chosen.append(row)
    return {name: [*rows, *spare.get(name, ())][: 2 * CANDIDATES] for name, rows in found.items()}


def batches(folder: Path, columns: Sequence[str], condition: pc.Expression | None = None) -> Iterator[pa.RecordBatch]:
    """The rows of a table's files, some at a time; nothing is read ahead, for a row group of texts is a large thing."""
    data = ds.dataset(folder, format="parquet", exclude_invalid_files=False)
    scanner = data.scanner(
        columns=list(columns), filter=condition, batch_size=16_384, batch_readahead=1, fragment_readahead=1
    )
    return iter(scanner.to_batches())


def _sources(ids: Iterable[str], table: pl.LazyFrame) -> dict[str, str]:
    frame = table.filter(pl.col("doc_id").is_in(list(ids))).select("doc_id", pl.col("source").str.slice(0, 300))
    return dict(frame.collect(engine="streaming").iter_rows())


def _removal(row: Mapping[str, Any], sources: Mapping[str, str]) -> Example:
    text = row["text"]
    shown = text if len(text) <= LONGEST_REMOVAL else f"{text[: LONGEST_REMOVAL - 1].rstrip()}…"
    note = ""
    if row["kept_doc_id"]:
        where = sources.get(row["kept_doc_id"], row["kept_doc_id"])
        where = "the same document" if row["kept_doc_id"] == row["doc_id"] else where
        place = f", passage {row['kept_position']}" if row["kept_position"] is not None else ""
        alike = f", similarity {row['similarity']:.2f}" if row["similarity"] is not None else ""
        note = f"kept in {where}{place}{alike}"
    return Example(row["doc_id"], sources.get(row["doc_id"], row["doc_id"]), "", shown, "", "", note)


def _distinct(examples: Iterable[Example]) -> tuple[Example, ...]:
    """The first few that do not show the same change twice; shorter lists are filled up."""
    every = list(examples)
    first: dict[tuple[str, str], Example] = {}
    for example in every:
        first.setdefault((example.before, example.after), example)
    chosen = list(first.values())[:EXAMPLES]
    return tuple(chosen)
