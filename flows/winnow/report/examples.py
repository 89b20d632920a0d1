"""The texts that the report shows: a few changes in their surroundings, and a few documents side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from winnow.base.doc_ids import doc_id_ranges
from winnow.base.files import arrow_dataset, scan_folder
from winnow.report.report_data import Example, Sample, Tally
from winnow.report.side_by_side import Misfit, PassageEnd, Step, align, decoded, mark_removed, shorten

EXAMPLES = 3  # of each rule and reason
HELD = 20_000_000  # rows of which some are told apart at a time
CANDIDATES = 12  # looked at to find them
AROUND = 48  # characters shown on each side of a change
LONGEST_CHANGE = 160
LONGEST_SAMPLE = 6000  # characters of a document side by side
MOST_EDITS = 600  # of a document that is shown; aligning takes edits times pieces
LONGEST_TEXT = 40_000


class _OfDocument(Protocol):
    @property
    def doc_id(self) -> str: ...


R = TypeVar("R", bound=_OfDocument)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The columns of table ``edits`` that name a change to show."""

    doc_id: str
    seq: int
    rule: str


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
    frame = sums_by(
        "rule",
        edits,
        pl.col("applied").sum().alias("made"),
        pl.col("doc_id").filter(pl.col("applied")).n_unique().alias("documents"),
        (~pl.col("applied")).sum().alias("suspected"),
        grown.filter(pl.col("applied")).sum().alias("grown"),
    ).sort("made", "rule", descending=[True, False])
    short = pc.field("applied")
    for column in ("before", "after"):
        short &= pc.utf8_length(pc.field(column)) <= LONGEST_CHANGE
    chosen = Candidates("rule", Change)
    for batch in batches(files_of(view, "edits"), chosen.columns, short):
        chosen.look_at(batch)
    candidates = chosen.by_name()
    shown = in_context([change for changes in candidates.values() for change in changes], view, documents)
    tallies = tuple(
        Tally(rule, made, n_documents, distinct(shown[c] for c in candidates.get(rule, ()) if c in shown))
        for rule, made, n_documents in frame.select("rule", "made", "documents").iter_rows()
        if made
    )
    return Repairs(tallies=tallies, n_suspicions=int(frame["suspected"].sum()), n_chars_added=int(frame["grown"].sum()))


def sums_by(key: str, rows: pl.LazyFrame, *sums: pl.Expr) -> pl.DataFrame:
    """Sums over the rows of each value of a column; to count documents is one.

    They are added up over ranges of doc_ids, for different ones can be told apart only where they are held.
    """
    parts = [
        some.group_by(key).agg(pl.len().cast(pl.Int64).alias("count"), *(one.cast(pl.Int64) for one in sums))
        for some in ranges_of_ids(rows)
    ]
    return pl.concat(part.collect(engine="streaming") for part in parts).group_by(key).sum()


def ranges_of_ids(rows: pl.LazyFrame, column: str = "doc_id") -> Iterator[pl.LazyFrame]:
    """The rows by ranges of the doc_ids in a column, so many at a time as may be held."""
    count = int(rows.select(pl.len()).collect(engine="streaming").item())
    for low, high in doc_id_ranges(max(1, -(-count // HELD))):
        yield rows.filter(pl.col(column) >= low, pl.col(column) < high) if count > HELD else rows


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


def files_of(view: Path, table: str) -> list[Path]:
    """The files of a table of a view, in the order of their rows."""
    return sorted((view / table).glob("*.parquet"))


def batches(
    files: Sequence[Path], columns: Sequence[str], condition: pc.Expression | None = None
) -> Iterator[pa.RecordBatch]:
    """The rows of a table's files, some at a time; nothing is read ahead, for a row group of texts is a large thing."""
    scanner = arrow_dataset(files).scanner(
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


class Candidates(Generic[R]):
    """The first rows of each value of a key, of different documents where there are such."""

    def __init__(self, key: str, kind: Callable[..., R]) -> None:
        self.columns = [f.name for f in fields(kind) if f.default is MISSING]  # type: ignore[arg-type]
        self._key, self._kind = key, kind
        self._found: dict[str, list[R]] = {}
        self._spare: dict[str, list[R]] = {}
        self._seen: set[tuple[str, str]] = set()

    def look_at(self, rows: pa.RecordBatch) -> None:
        """Takes what is wanted of some rows."""
        names = rows.column(self._key)
        for name in pc.unique(names).to_pylist():
            if len(self._found.get(name, ())) < CANDIDATES:
                places = pc.indices_nonzero(pc.equal(names, name))
                few = rows.select(self.columns).take(places.slice(0, 40 * CANDIDATES))
                self.add(name, (self._kind(**row) for row in few.to_pylist()))

    def add(self, name: str, rows: Iterable[R]) -> None:
        """The same, given the rows of one value."""
        first = self._found.setdefault(name, [])
        for row in rows:
            at = name, row.doc_id
            chosen = self._spare.setdefault(name, []) if at in self._seen else first
            self._seen.add(at)
            if len(chosen) < CANDIDATES:
                chosen.append(row)

    def by_name(self) -> dict[str, list[R]]:
        return {name: [*rows, *self._spare.get(name, ())][: 2 * CANDIDATES] for name, rows in self._found.items()}


def sources_of(ids: Iterable[str], table: pl.LazyFrame) -> dict[str, str]:
    frame = table.filter(pl.col("doc_id").is_in(list(ids))).select("doc_id", pl.col("source").str.slice(0, 300))
    return dict(frame.collect(engine="streaming").iter_rows())


def distinct(examples: Iterable[Example]) -> tuple[Example, ...]:
    """The first few that do not show the same change twice."""
    first: dict[tuple[str, str], Example] = {}
    for example in examples:
        first.setdefault((example.before, example.after), example)
    return tuple(first.values())[:EXAMPLES]
