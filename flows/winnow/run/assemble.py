"""Rows of the published tables from repaired documents, their passages, and what was decided about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads

from winnow.base.conform import table_of
from winnow.base.contracts import SORT_KEYS, TABLES
from winnow.base.recipe import DeduplicateSettings
from winnow.base.records import DUPLICATE_DOCUMENT, Passage, fields_as_json
from winnow.base.staging import DOCUMENT_DECISIONS, PASSAGE_DECISIONS, PREPARED, PREPARED_INDEX, REPAIRED, write_parquet
from winnow.deduplicate.passages.splitter import title_of
from winnow.deduplicate.repeats.within_document import inner_repeats, join_kept
from winnow.validate.measures import measure

RANGE_BYTES = 16 << 20  # text of the documents that one call holds in memory, some ten times in all


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """The files that rows are made of, and what every row carries.

    ``changed`` lists documents of earlier versions for which another decision was made this time; their rows are
    made anew from the dataset's own tables (``published_*``).
    """

    repaired: tuple[Path, ...]
    prepared: tuple[Path, ...]
    index: tuple[Path, ...]
    document_decisions: tuple[Path, ...]
    passage_decisions: tuple[Path, ...]
    published_documents: tuple[Path, ...]
    published_passages: tuple[Path, ...]
    changed: tuple[str, ...]
    settings: DeduplicateSettings
    recipe_id: str
    run_id: str


def doc_id_ranges(total_bytes: int) -> list[tuple[str, str]]:
    """Cut the space of doc_ids into equal ranges ``[low, high)``; hashes fill them evenly.

    >>> doc_id_ranges(0)
    [('', 'g')]
    """
    count = max(1, -(-total_bytes // RANGE_BYTES))
    inner = (f"{(i << 64) // count:016x}" for i in range(1, count))
    return list(pairwise(["", *inner, "g"]))  # "g" sorts after all hex digits


def assemble_job(low: str, high: str, assembly: Assembly, folder: Path) -> dict[str, int]:
    """Writes the rows of one range of doc_ids, one file a table; returns how many, by table."""
    span = (pads.field("doc_id") >= low) & (pads.field("doc_id") < high)
    fresh = _rows(assembly.repaired, REPAIRED, span)
    passages = _rows(assembly.prepared, PREPARED, span)
    index = _rows(assembly.index, PREPARED_INDEX, span).sort_by("doc_id")
    arrivals = dict(zip(index["doc_id"].to_pylist(), index["arrival"].to_pylist(), strict=True))
    copies = {r["doc_id"]: r for r in _rows(assembly.document_decisions, DOCUMENT_DECISIONS, span).to_pylist()}
    decided = _rows(assembly.passage_decisions, PASSAGE_DECISIONS, span)
    documents: list[pa.Table] = [TABLES["documents"].empty_table()]
    duplicates: list[pa.Table] = [TABLES["duplicates"].empty_table()]
    rows: list[pa.Table] = []

    def add(infos: pa.Table, blocks: pa.Table, ours: bool) -> None:
        blocks = judged(blocks, decided, copies)
        rows.append(blocks)
        texts = published_texts(blocks, assembly.settings)
        for batch in infos.to_batches(max_chunksize=256):
            made = [_document(r, texts, copies, arrivals, assembly, ours) for r in batch.to_pylist()]
            documents.append(_table([m for m in made if "kind" not in m], "documents"))
            duplicates.append(_table([m for m in made if "kind" in m], "duplicates"))

    add(fresh.drop_columns("edits"), passages, ours=True)
    changed = [d for d in assembly.changed if low <= d < high]
    if changed:
        among = pads.field("doc_id").isin(pa.array(changed, pa.string()))
        published = _rows(assembly.published_passages, PREPARED, among)
        for path in assembly.published_documents:
            infos = pads.dataset(str(path)).to_table(filter=among)
            ids = pads.field("doc_id").isin(pa.array(infos["doc_id"].to_pylist(), pa.string()))
            add(infos, pads.dataset(published).to_table(filter=ids), ours=False)
    tables = {
        "documents": pa.concat_tables(documents).sort_by("doc_id"),
        "duplicates": pa.concat_tables(duplicates).sort_by("doc_id"),
        "passages": pa.concat_tables(rows).sort_by([(k, "ascending") for k in SORT_KEYS["passages"]]),
        "edits": edit_rows(fresh.select(["doc_id", "edits"]).sort_by("doc_id")),
        "index": index,
    }
    name = f"{low or '0' * 16}.parquet"
    return {t: write_parquet(folder / t / name, [data], TABLES[t]) for t, data in tables.items()}


def judged(blocks: pa.Table, decided: pa.Table, copies: Mapping[str, Mapping[str, Any]]) -> pa.Table:
    """Rows of table ``passages``: each passage with what was decided about it, or about its whole document."""
    keys = ["doc_id", "position", "part"]
    left = pl.from_arrow(blocks.select(PREPARED.names))
    right = pl.from_arrow(decided)
    whole = pl.DataFrame(
        [(d, c["kept_doc_id"], c["similarity"]) for d, c in copies.items()],
        schema={"doc_id": pl.String, "copy_of": pl.String, "copy_similarity": pl.Float32},
        orient="row",
    )
    assert isinstance(left, pl.DataFrame) and isinstance(right, pl.DataFrame)
    joined = left.join(right, on=keys, how="left").join(whole, on="doc_id", how="left")
    of_copy = pl.col("copy_of").is_not_null()
    frame = joined.with_columns(
        status=pl.when(of_copy | pl.col("reason").is_not_null()).then(pl.lit("removed")).otherwise(pl.lit("kept")),
        reason=pl.when(of_copy).then(pl.lit(DUPLICATE_DOCUMENT)).otherwise(pl.col("reason")),
        kept_doc_id=pl.when(of_copy).then(pl.col("copy_of")).otherwise(pl.col("kept_doc_id")),
        kept_position=pl.when(of_copy).then(None).otherwise(pl.col("kept_position")),
        similarity=pl.when(of_copy).then(pl.col("copy_similarity")).otherwise(pl.col("similarity")),
        suspicion=pl.when(~of_copy).then("suspicion"),
    ).sort(keys)
    return frame.select(TABLES["passages"].names).to_arrow().cast(TABLES["passages"])


@dataclass(slots=True)
class _Text:
    text: str
    kept: int
    removed: int
    title: str | None


NO_TEXT = _Text("", 0, 0, None)


def published_texts(passages: pa.Table, settings: DeduplicateSettings) -> dict[str, _Text]:
    """Text, counts and title by doc_id, from sorted rows of table ``passages``.

    A document that is left out whole keeps its own text in its row, so that a person can see what was left out. The
    title is that of the repaired text, promotion left out: it must not change because a copy was found.
    """
    columns = [passages[c].to_pylist() for c in ("doc_id", "position", "part", "kind", "text", "gap", "reason")]
    texts: dict[str, _Text] = {}
    for doc_id, group in groupby(zip(*columns, strict=True), key=lambda row: row[0]):
        blocks = [
            (Passage(position, kind, text, gap, part), reason) for _, position, part, kind, text, gap, reason in group
        ]
        kept = [reason is None for _, reason in blocks]
        promo = {n for n, (_, reason) in enumerate(blocks) if reason == "promo"}
        if blocks[0][1] == DUPLICATE_DOCUMENT:  # the passages of a copy are not decided one by one
            repeats = inner_repeats([p for p, _ in blocks], settings)
            promo = {r.position for r in repeats if r.reason == "promo"}
        titled = title_of([p for n, (p, _) in enumerate(blocks) if n not in promo])
        text = join_kept([(p, reason in (None, DUPLICATE_DOCUMENT)) for p, reason in blocks])
        texts[doc_id] = _Text(text, sum(kept), len(kept) - sum(kept), titled)
    return texts


def _document(
    info: Mapping[str, Any],
    texts: Mapping[str, _Text],
    copies: Mapping[str, Mapping[str, Any]],
    arrivals: Mapping[str, int],
    assembly: Assembly,
    fresh: bool,
) -> dict[str, Any]:
    """Returns a row of ``documents``, or, with a ``kind``, of ``duplicates``."""
    doc_id = info["doc_id"]
    made = texts.get(doc_id, NO_TEXT)  # a text that is empty after repair has no passage
    # What lost nothing was measured when it was repaired, or published.
    n_chars, n_words = (info["n_chars"], info["n_words"]) if made.text == info["text"] else counted(made.text)
    row = {
        **{n: info[n] for n in ("doc_id", "source", "language", "language_confidence", "n_edits", "encoding")},
        **{n: info[n] for n in ("content_sha256", "collected_at")},
        "metadata": fields_as_json(info["metadata"]) if fresh else info["metadata"],
        "title": info["title"] or (made.title if fresh else None),
        "text": made.text,
        "n_chars": n_chars,
        "n_words": n_words,
        "n_passages": made.kept,
        "n_removed": made.removed,
        "first_version": arrivals[doc_id] if fresh else info["first_version"],
        "recipe_id": assembly.recipe_id if fresh else info["recipe_id"],
        "run_id": assembly.run_id,
    }
    if doc_id in copies:
        copy = copies[doc_id]
        row |= {n: copy[n] for n in ("kept_doc_id", "similarity", "containment", "kind")}
    return row


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


def _table(rows: Sequence[Mapping[str, Any]], name: str) -> pa.Table:
    return table_of(rows, TABLES[name], name)


def _rows(files: Sequence[Path], schema: pa.Schema, condition: pads.Expression) -> pa.Table:
    if not files:
        return schema.empty_table()
    dataset = pads.dataset([str(f) for f in files], schema=schema)
    # One row group at a time: reading ahead would hold as much of the rows that are left out as of those wanted.
    return dataset.to_table(filter=condition, batch_readahead=0, fragment_readahead=1, use_threads=False)
