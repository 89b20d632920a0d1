"""Rows of the published tables from repaired documents, their passages, and what was decided about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads

from winnow.base.conform import conform
from winnow.base.contracts import SORT_KEYS, TABLES
from winnow.base.doc_ids import DocIds, Range, files_by_range, in_range
from winnow.base.files import arrow_dataset
from winnow.base.recipe import DeduplicateSettings
from winnow.base.records import DUPLICATE_DOCUMENT, Passage, fields_as_json
from winnow.base.staging import (
    DOCUMENT_DECISIONS,
    PASSAGE_DECISIONS,
    PREPARED,
    PREPARED_INDEX,
    REPAIRED,
    parquet_writer,
    write_parquet,
)
from winnow.deduplicate.passages.splitter import title_of
from winnow.run.sorted_runs import few_runs, files_of, rows_of_range
from winnow.validate.measures import measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """The files that rows are made of, and what every row carries.

    ``moved`` is a file of documents that stand in another row of their input file than the dataset says, and of these
    rows; what else their rows say stays.
    """

    repaired: tuple[Path, ...]
    prepared: tuple[Path, ...]
    index: tuple[Path, ...]
    document_decisions: tuple[Path, ...]
    passage_decisions: tuple[Path, ...]
    published_documents: tuple[Path, ...]
    published_passages: tuple[Path, ...]
    moved: Path
    settings: DeduplicateSettings
    recipe_id: str
    run_id: str


_ASSEMBLED = "documents", "duplicates", "passages", "edits", "index"


def assembly_by_range(
    assembly: Assembly, ranges: Sequence[Range], executor: Executor, folder: Path
) -> Iterator[Assembly]:
    """For each of the ranges the same from few files, however many shards there are; some of them are in `folder`."""
    made = ("repaired", REPAIRED), ("prepared", PREPARED), ("index", PREPARED_INDEX)
    runs = {kind: few_runs(getattr(assembly, kind), schema, executor, folder / kind) for kind, schema in made}
    kinds = "document_decisions", "passage_decisions"
    decided = zip(*(files_by_range(getattr(assembly, kind), ranges) for kind in kinds), strict=True)
    for span, decisions in zip(ranges, decided, strict=True):
        few: dict[str, Any] = {kind: tuple(files_of(some, span)) for kind, some in runs.items()}
        yield replace(assembly, **few, **dict(zip(kinds, decisions, strict=True)))


def assemble_job(
    ranges: Sequence[Range], changed: Sequence[DocIds], assemblies: Sequence[Assembly], folder: Path
) -> dict[str, int]:
    """Writes the rows of ranges of doc_ids that follow one another, one file a table; returns how many, by table.

    `changed` are documents of earlier versions in each range for which another decision was made this time; their rows
    are made anew from the dataset's own tables (``published_*``). The rows of one range are held at a time.
    """
    counts: Counter[str] = Counter()
    name = f"{ranges[0][0] or '0' * 16}.parquet"
    if len(ranges) == 1:  # each file goes before the next is written: a small disk need not have room for all
        tables = _assembled(ranges[0], changed[0], assemblies[0])
        return {t: write_parquet(folder / t / name, [rows], TABLES[t]) for t, rows in tables.items()}
    with ExitStack() as files:
        write = {t: files.enter_context(parquet_writer(folder / t / name, TABLES[t])) for t in _ASSEMBLED}
        for one in zip(ranges, changed, assemblies, strict=True):
            for table, rows in _assembled(*one).items():
                write[table](rows)
                counts[table] += rows.num_rows
    return counts


def _assembled(doc_ids: Range, changed: DocIds, assembly: Assembly) -> dict[str, pa.Table]:
    """The rows of one range, by table."""
    span = in_range(doc_ids)
    fresh = rows_of_range(assembly.repaired, REPAIRED, doc_ids)
    passages = rows_of_range(assembly.prepared, PREPARED, doc_ids)
    index = rows_of_range(assembly.index, PREPARED_INDEX, doc_ids).sort_by("doc_id")
    copies = _frame(rows_of_range(assembly.document_decisions, DOCUMENT_DECISIONS, doc_ids))
    decided = rows_of_range(assembly.passage_decisions, PASSAGE_DECISIONS, doc_ids)
    infos, blocks = new_documents(fresh, passages, index, assembly), judged(passages, decided, copies)
    made = [_made(infos, blocks, copies, assembly, whole=True)]
    moved = _frame(arrow_dataset([assembly.moved]).to_table(filter=span))
    if changed:
        among = pads.field("doc_id").isin(changed.column())
        published = _published(assembly.published_passages, among)
        for path in assembly.published_documents:
            rows = arrow_dataset([path], TABLES["documents"])  # files of before a column came lack it
            placed = _placed(rows.to_table(columns=_CARRIED, filter=among), moved)
            theirs = published.filter(pc.is_in(published["doc_id"], placed["doc_id"].combine_chunks()))
            made.append(_made(_frame(placed), judged(theirs, decided, copies), copies, assembly, whole=False))
    only_moved = list(_only_moved(moved.filter(~pl.col("doc_id").is_in(list(changed))), assembly))
    documents, duplicates = ([t for name, t in only_moved if name == wanted] for wanted in ("documents", "duplicates"))
    return {
        "documents": pa.concat_tables([*(m.documents for m in made), *documents]).sort_by("doc_id"),
        "duplicates": pa.concat_tables([*(m.duplicates for m in made), *duplicates]).sort_by("doc_id"),
        "passages": _in_order(made),
        "edits": edit_rows(fresh.select(["doc_id", "edits"]).sort_by("doc_id")),
        "index": index,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """Rows of the tables of some documents; passages are in order."""

    documents: pa.Table
    duplicates: pa.Table
    passages: pa.Table


def _in_order(made: Sequence[_Made]) -> pa.Table:
    """All passages in the order of their table."""
    rows = [m.passages for m in made if m.passages.num_rows]
    if len(rows) == 1:  # as judged, which sorted them
        return rows[0]
    keys = [(k, "ascending") for k in SORT_KEYS["passages"]]
    return pa.concat_tables(rows).sort_by(keys) if rows else TABLES["passages"].empty_table()


def _placed(infos: pa.Table, moved: pl.DataFrame) -> pa.Table:
    """Published rows with the place that their document has in its input file now, where it moved."""
    now = moved.select("doc_id", now="row", has_moved=pl.lit(True))
    rows = _frame(infos.select(["doc_id", "row"])).join(now, on="doc_id", how="left", maintain_order="left")
    row = rows.select(pl.when("has_moved").then("now").otherwise("row")).to_series().to_arrow()
    return infos.set_column(infos.column_names.index("row"), infos.schema.field("row"), row)


def _only_moved(moved: pl.DataFrame, assembly: Assembly) -> Iterator[tuple[str, pa.Table]]:
    """The rows, with their table's name, of documents about which nothing else is new."""
    if not moved.height:
        return
    among = pads.field("doc_id").isin(moved["doc_id"].to_arrow().cast(pa.string()))
    for path in assembly.published_documents:
        name = "duplicates" if "kept_doc_id" in arrow_dataset([path]).schema.names else "documents"
        rows = arrow_dataset([path], TABLES[name]).to_table(filter=among)
        run_ids = pa.array([assembly.run_id] * rows.num_rows, pa.string())
        rows = rows.set_column(rows.column_names.index("run_id"), rows.schema.field("run_id"), run_ids)
        yield name, conform(_placed(rows, moved), TABLES[name], name)


def judged(blocks: pa.Table, decided: pa.Table, copies: pl.DataFrame) -> pa.Table:
    """Rows of table ``passages``: each passage with what was decided about it, or about its whole document."""
    keys = ["doc_id", "position", "part"]
    whole = copies.select("doc_id", copy_of="kept_doc_id", copy_similarity="similarity")
    rows = _frame(blocks.select(keys)).with_row_index("at")  # the texts are not carried through the joins
    joined = rows.join(_frame(decided), on=keys, how="left").join(whole, on="doc_id", how="left")
    of_copy = pl.col("copy_of").is_not_null()
    told = joined.sort(keys).select(
        "at",
        status=pl.when(of_copy | pl.col("reason").is_not_null()).then(pl.lit("removed")).otherwise(pl.lit("kept")),
        reason=pl.when(of_copy).then(pl.lit(DUPLICATE_DOCUMENT)).otherwise(pl.col("reason")),
        kept_doc_id=pl.when(of_copy).then(pl.col("copy_of")).otherwise(pl.col("kept_doc_id")),
        kept_position=pl.when(of_copy).then(None).otherwise(pl.col("kept_position")),
        similarity=pl.when(of_copy).then(pl.col("copy_similarity")).otherwise(pl.col("similarity")),
        suspicion=pl.when(~of_copy).then("suspicion"),
    )
    at = told["at"].to_numpy()
    ordered = blocks if (at == np.arange(len(at))).all() else blocks.combine_chunks().take(at)
    columns = [ordered[n] if n in PREPARED.names else told[n].to_arrow() for n in TABLES["passages"].names]
    return pa.table(columns, names=TABLES["passages"].names).cast(TABLES["passages"])


def published_texts(passages: pa.Table, cut_only: bool = False) -> pl.DataFrame:
    """doc_id, text, n_passages and n_removed of each document, from sorted rows of table ``passages``.

    A document that is left out whole keeps its own text in its row, so that a person can see what was left out. Of the
    gaps between two kept passages the widest stays, so that a paragraph does not stick to the next; what is removed at
    the end takes the last one with it. With `cut_only` the text is null of documents of which all is shown.
    """
    stays = pl.col("reason").is_null()
    shown = stays | (pl.col("reason") == DUPLICATE_DOCUMENT)
    frame = _frame(passages.select(["doc_id", "text", "gap", "reason"])).with_columns(shown=shown)
    counts = frame.group_by("doc_id", maintain_order=True).agg(
        n_passages=stays.sum(), n_removed=(~stays).sum(), is_whole=pl.col("shown").all() & cut_only
    )
    if cut_only:
        frame = frame.join(counts.filter(~pl.col("is_whole")), on="doc_id", how="semi", maintain_order="left")
    # A stretch is a passage that is shown with what is removed after it; 0 is what is removed before the first.
    frame = frame.with_columns(stretch=pl.col("shown").cum_sum().over("doc_id"))
    cut = frame.filter(~pl.col("shown") & (pl.col("stretch") > 0)).select("doc_id", "stretch").unique()
    last = frame.filter("shown").group_by("doc_id").agg(last=pl.col("stretch").max())
    width = pl.col("gap").str.len_chars()
    gaps = (
        frame.join(cut, on=["doc_id", "stretch"], how="semi")
        .group_by("doc_id", "stretch", maintain_order=True)
        .agg(widest=pl.col("gap").filter(width == width.max()).first())
        .join(last, on="doc_id")
        .with_columns(pl.when(pl.col("stretch") < pl.col("last")).then("widest").otherwise(pl.lit("")).alias("widest"))
        .drop("last")
    )
    texts = (
        frame.filter("shown")
        .join(gaps, on=["doc_id", "stretch"], how="left", maintain_order="left")
        .select("doc_id", text=pl.col("text") + pl.coalesce("widest", "gap"))
        .group_by("doc_id", maintain_order=True)
        .agg(pl.col("text").str.join(""))
    )
    text = pl.when(~pl.col("is_whole")).then(pl.col("text").fill_null(""))
    return counts.join(texts, on="doc_id", how="left").with_columns(text).drop("is_whole")


_CARRIED = [n for n in TABLES["documents"].names if n not in ("n_passages", "n_removed", "run_id")]
"""What a document's row says again when another decision is made about it, but for its text and the size of that."""


def new_documents(fresh: pa.Table, passages: pa.Table, index: pa.Table, assembly: Assembly) -> pl.DataFrame:
    """What the rows of this run's documents say but for their texts."""
    infos = _frame(fresh.select([n for n in _CARRIED if n in REPAIRED.names and n != "metadata"]))
    fields = [fields_as_json(row) for row in fresh["metadata"].to_pylist()]
    infos = infos.with_columns(pl.Series("metadata", fields, pl.String), recipe_id=pl.lit(assembly.recipe_id))
    arrivals = _frame(index.select(["doc_id", "arrival"])).rename({"arrival": "first_version"})
    untitled = infos.filter(pl.col("title").fill_null("") == "").select("doc_id")
    found = first_titles(_frame(passages), untitled, index)
    titled = pl.coalesce(pl.when(pl.col("title") != "").then("title"), "found")
    rows = infos.join(arrivals, on="doc_id").join(found, on="doc_id", how="left")
    return rows.with_columns(title=titled).drop("found")


_SHORT_LINE = 80  # characters; a paragraph that has fewer may stand above the title


def first_titles(passages: pl.DataFrame, wanted: pl.DataFrame, index: pa.Table) -> pl.DataFrame:
    """doc_id and title, as ``found``, of the ``wanted`` documents whose text begins with one.

    It is that of the repaired text, promotion left out: it must not change because a copy was found.
    """
    found = _frame(index.select(["doc_id", "repeats"])).filter(pl.col("repeats").list.len() > 0)
    promotion = found.explode("repeats").unnest("repeats").filter(pl.col("reason") == "promo")
    above = (pl.col("kind") == "paragraph") & (pl.col("text").str.len_chars() < _SHORT_LINE)
    places = passages.select("doc_id", "position", "part", ended=~((pl.col("kind") == "heading") | above))
    at = (
        places.with_row_index("at")  # the texts are not carried through the joins
        .join(wanted, on="doc_id", how="semi")
        .join(promotion, on=["doc_id", "position", "part"], how="anti")
        .sort("doc_id", "position", "part")
        .filter(pl.col("ended").cum_sum().over("doc_id") == 0)["at"]
    )
    rows = passages.select("doc_id", "position", "part", "kind", "text")[at]
    titles = {
        doc_id: title_of([Passage(position, kind, text, "", part) for _, position, part, kind, text in group])
        for doc_id, group in groupby(rows.iter_rows(), key=lambda row: row[0])
    }
    schema = {"doc_id": pl.String, "found": pl.String}
    return pl.DataFrame(list(titles.items()), schema, orient="row")


def _made(infos: pl.DataFrame, blocks: pa.Table, copies: pl.DataFrame, assembly: Assembly, *, whole: bool) -> _Made:
    """The rows of documents, given what they say but for their texts, and their passages as judged.

    The texts of `infos` are `whole`, or what was published of them.
    """
    rows = infos.join(published_texts(blocks, cut_only=whole), on="doc_id", how="left", suffix="_now").with_columns(
        # A text that is empty after repair has no passage.
        pl.coalesce("text_now", pl.col("text") if whole else pl.lit("")).alias("text_now"),
        pl.col("n_passages", "n_removed").fill_null(0),
        run_id=pl.lit(assembly.run_id),
    )
    # What lost nothing was measured when it was repaired, or published.
    other = rows.filter(pl.col("text_now") != pl.col("text")).select("doc_id", "text_now")
    sizes = [counted(text) for text in other["text_now"]]
    measured = other.select("doc_id").with_columns(
        pl.Series("chars_now", [n for n, _ in sizes], pl.Int64), pl.Series("words_now", [n for _, n in sizes], pl.Int64)
    )
    rows = rows.join(measured, on="doc_id", how="left").with_columns(
        text="text_now",
        n_chars=pl.coalesce("chars_now", "n_chars"),
        n_words=pl.coalesce("words_now", "n_words"),
    )
    return _Made(
        documents=_table(rows.join(copies, on="doc_id", how="anti"), "documents"),
        duplicates=_table(rows.join(copies, on="doc_id"), "duplicates"),
        passages=blocks,
    )


def counted(text: str) -> tuple[int, int]:
    """Characters and words.

    >>> counted("Two words.")
    (10, 2)
    """
    measures = measure(text)
    return measures.n_chars, measures.n_words


def edit_rows(fresh: pa.Table) -> pa.Table:
    """Rows of table ``edits`` from the nested ledgers, which are in order."""
    ledgers = fresh["edits"].combine_chunks() if fresh.num_rows else pa.array([], REPAIRED.field("edits").type)
    owner = (
        pc.take(fresh["doc_id"].combine_chunks(), pc.list_parent_indices(ledgers))
        if len(ledgers)
        else pa.array([], pa.string())
    )
    flat = pc.list_flatten(ledgers)
    columns = [owner, *(pc.struct_field(flat, n) for n in TABLES["edits"].names if n != "doc_id")]
    return pa.Table.from_arrays(columns, schema=TABLES["edits"])


def _table(rows: pl.DataFrame, name: str) -> pa.Table:
    schema = TABLES[name]
    return conform(rows.select(schema.names).to_arrow(), schema, name)


def _frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _published(passages: Sequence[Path], condition: pads.Expression) -> pa.Table:
    """Rows of published passages as they were prepared."""
    if not passages:
        return PREPARED.empty_table()
    # One row group at a time: reading ahead would hold as much of the rows that are left out as of those wanted.
    how = {"batch_readahead": 0, "fragment_readahead": 1, "use_threads": False}
    return arrow_dataset(passages, PREPARED).to_table(filter=condition, **how)
