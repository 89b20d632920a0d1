"""The texts that the report shows: a few changes in their surroundings, and a few documents side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TypeVar

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from winnow.base.files import arrow_dataset, scan_folder
from winnow.report.report_data import Example, Sample, Tally
from winnow.report.side_by_side import Misfit, PassageEnd, Step, align, decoded, mark_removed, shorten

EXAMPLES = 3  # of each rule and reason
CANDIDATES = 12  # looked at to find them
AROUND = 48  # characters shown on each side of a change
LONGEST_CHANGE = 160
LONGEST_REMOVAL = 320
LONGEST_SAMPLE = 6000  # characters of a document side by side
MOST_EDITS = 600  # of a document that is shown; aligning takes edits times pieces
LONGEST_TEXT = 40_000


R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The columns of table ``edits`` that name a change to show."""

    doc_id: str
    seq: int
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Removal:
    """The columns of table ``passages`` that show what was left out."""

    doc_id: str
    position: int
    reason: str | None
    text: str
    kept_doc_id: str | None
    kept_position: int | None
    similarity: float | None


@dataclass(slots=True)
class _Text:
    """The repaired text of a document, where its passages end, and the changes that made it."""

    text: str = ""
    passages: list[PassageEnd] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairs:
    """How often each rule acted; besides, suspicions and the characters that repair added, less those it took away."""

    tallies: tuple[Tally, ...]
    n_suspicions: int
    n_chars_added: int


def repairs_of(view: Path, edits: pl.LazyFrame, documents: pl.LazyFrame) -> Repairs:
    """The repairs of a version, with examples of each rule."""
    grown = pl.col("after").str.len_chars().cast(pl.Int64) - pl.col("before").str.len_chars().cast(pl.Int64)
    frame = (
        edits.group_by("rule")
        .agg(
            pl.col("applied").sum().alias("made"),
            pl.col("doc_id").filter(pl.col("applied")).n_unique().alias("documents"),
            (~pl.col("applied")).sum().alias("suspected"),
            grown.filter(pl.col("applied")).sum().alias("grown"),
        )
        .collect(engine="streaming")
        .sort("made", "rule", descending=[True, False])
    )
    short = pc.field("applied")
    for column in ("before", "after"):
        short &= pc.utf8_length(pc.field(column)) <= LONGEST_CHANGE
    candidates = _candidates(view / "edits", "rule", Change, short)
    shown = in_context([change for changes in candidates.values() for change in changes], view, documents)
    tallies = tuple(
        Tally(rule, made, n_documents, _distinct(shown[c] for c in candidates.get(rule, ()) if c in shown))
        for rule, made, n_documents in frame.select("rule", "made", "documents").iter_rows()
        if made
    )
    return Repairs(tallies=tallies, n_suspicions=int(frame["suspected"].sum()), n_chars_added=int(frame["grown"].sum()))


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
    candidates = _candidates(view / "passages", "reason", _Removal, pc.field("status") == "removed")
    ids = {i for rows in candidates.values() for r in rows for i in (r.doc_id, r.kept_doc_id) if i}
    sources = sources_of(ids, documents) | sources_of(ids, duplicates)
    return tuple(
        Tally(
            reason or "unknown",
            count,
            n_documents,
            _distinct(_removal_example(row, sources) for row in candidates.get(reason, ())),
        )
        for reason, count, n_documents in frame.iter_rows()
    )


def not_read_tallies(inputs: pl.LazyFrame) -> tuple[Tally, ...]:
    """Files that were left out, by reason, with the first few of each."""
    if "skipped" not in inputs.collect_schema().names():  # written before what was left out was on record
        return ()
    frame = (
        inputs.filter(pl.col("skipped").is_not_null())
        .group_by("skipped")
        .agg(pl.len().alias("count"), pl.col("path").str.slice(0, 300).sort().head(EXAMPLES))
        .sort("count", "skipped", descending=[True, False])
        .collect(engine="streaming")
    )
    return tuple(
        Tally(why, count, 0, tuple(Example(doc_id="", source=path) for path in paths))
        for why, count, paths in frame.iter_rows()
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
            f"{stage}: {expectation}",
            count,
            n_documents,
            tuple(Example(doc_id=e["doc_id"], source=e["source"], note=e["reason"]) for e in examples),
        )
        for stage, expectation, count, n_documents, examples in frame.iter_rows()
    )


def samples_of(view: Path, documents: pl.LazyFrame, count: int) -> tuple[Sample, ...]:
    """Documents to read side by side: those with most repairs, with most removals, and some of the rest."""
    fit = documents.filter(_can_be_shown() & (pl.col("n_chars") > 0)).select("doc_id", "n_edits", "n_removed")
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
    texts = _texts(view, chosen)
    shown = []
    for doc_id in chosen:
        if (found := texts.get(doc_id)) is None:
            continue
        try:
            pieces = align(found.text, found.steps)
        except Misfit:
            continue
        short, cut = shorten(mark_removed(pieces, found.passages), LONGEST_SAMPLE)
        shown.append(Sample(doc_id, tuple(short), cut))
    return tuple(shown)


def batches(folder: Path, columns: Sequence[str], condition: pc.Expression | None = None) -> Iterator[pa.RecordBatch]:
    """The rows of a table's files, some at a time; nothing is read ahead, for a row group of texts is a large thing."""
    data = arrow_dataset(sorted(folder.glob("*.parquet")))
    scanner = data.scanner(
        columns=list(columns), filter=condition, batch_size=16_384, batch_readahead=1, fragment_readahead=1
    )
    return iter(scanner.to_batches())


def _can_be_shown() -> pl.Expr:
    return (pl.col("n_edits") <= MOST_EDITS) & (pl.col("n_chars") <= LONGEST_TEXT)


def in_context(changes: Sequence[Change], view: Path, documents: pl.LazyFrame) -> dict[Change, Example]:
    """Each change with the text around it as it stood at the time of the change."""
    sources = sources_of({change.doc_id for change in changes}, documents.filter(_can_be_shown()))
    texts = _texts(view, sorted(sources))
    shown = {}
    for change in changes:
        if (found := texts.get(change.doc_id)) is None:
            continue
        later = [step for step in found.steps if step.seq >= change.seq]
        step = later[0]
        try:
            then = decoded(align(found.text, later))
        except Misfit:
            continue
        end = step.start + len(step.before)
        shown[change] = Example(
            doc_id=change.doc_id,
            source=sources[change.doc_id],
            lead=then[max(step.start - AROUND, 0) : step.start],
            before=step.before,
            after=step.after,
            tail=then[end : end + AROUND],
        )
    return shown


def _texts(view: Path, ids: Sequence[str]) -> dict[str, _Text]:
    wanted = pl.col("doc_id").is_in(list(ids))
    texts: dict[str, _Text] = {}
    passages = scan_folder(view / "passages").filter(wanted).sort("doc_id", "position", "part")
    for doc_id, text, gap, status, reason in _rows(passages, "doc_id", "text", "gap", "status", "reason"):
        found = texts.setdefault(doc_id, _Text())
        found.text += text + gap
        found.passages.append(PassageEnd(len(text) + len(gap), reason if status == "removed" else None))
    edits = scan_folder(view / "edits").filter(wanted & pl.col("applied")).sort("doc_id", "seq")
    for doc_id, *step in _rows(edits, "doc_id", *(f.name for f in fields(Step))):
        if doc_id in texts:
            texts[doc_id].steps.append(Step(*step))
    return texts


def _rows(frame: pl.LazyFrame, *columns: str) -> Iterator[tuple]:  # type: ignore[type-arg]
    return frame.select(*columns).collect(engine="streaming").iter_rows()


def _candidates(folder: Path, key: str, kind: Callable[..., R], condition: pc.Expression) -> dict[str, list[R]]:
    """The first rows of each value of `key`, of different documents where there are such; a batch in memory."""
    found: dict[str, list[R]] = {}
    spare: dict[str, list[R]] = {}
    seen: set[tuple[str, str]] = set()
    for batch in batches(folder, [f.name for f in fields(kind)], condition):  # type: ignore[arg-type]
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
                    chosen.append(kind(**row))
    return {name: [*rows, *spare.get(name, ())][: 2 * CANDIDATES] for name, rows in found.items()}


def sources_of(ids: Iterable[str], table: pl.LazyFrame) -> dict[str, str]:
    frame = table.filter(pl.col("doc_id").is_in(list(ids))).select("doc_id", pl.col("source").str.slice(0, 300))
    return dict(frame.collect(engine="streaming").iter_rows())


def _removal_example(row: _Removal, sources: Mapping[str, str]) -> Example:
    text = row.text
    shown = text if len(text) <= LONGEST_REMOVAL else f"{text[: LONGEST_REMOVAL - 1].rstrip()}…"
    note = ""
    if row.kept_doc_id:
        where = "the same document" if row.kept_doc_id == row.doc_id else sources.get(row.kept_doc_id, row.kept_doc_id)
        place = f", passage {row.kept_position}" if row.kept_position is not None else ""
        alike = f", similarity {row.similarity:.2f}" if row.similarity is not None else ""
        note = f"kept in {where}{place}{alike}"
    return Example(doc_id=row.doc_id, source=sources.get(row.doc_id, row.doc_id), before=shown, note=note)


def _distinct(examples: Iterable[Example]) -> tuple[Example, ...]:
    """The first few that do not show the same change twice."""
    first: dict[tuple[str, str], Example] = {}
    for example in examples:
        first.setdefault((example.before, example.after), example)
    return tuple(first.values())[:EXAMPLES]
