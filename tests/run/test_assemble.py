"""Rows of the published tables: a passage is ``x0`` in the cases, passage 0 of document x, and says ``x0.``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.publish.press import write_rows
from tests.run.small import IDS, LETTERS, ids, letters

from winnow.base.contracts import SORT_KEYS, TABLES
from winnow.base.doc_ids import NO_DOCUMENTS, as_set
from winnow.base.recipe import DeduplicateSettings
from winnow.base.records import DUPLICATE_DOCUMENT
from winnow.base.staging import DOCUMENT_DECISIONS, PASSAGE_DECISIONS, PREPARED, PREPARED_INDEX, REPAIRED
from winnow.run import sorted_runs
from winnow.run.assemble import (
    Assembly,
    assemble_job,
    assembly_by_range,
    edit_rows,
    first_titles,
    judged,
    published_texts,
)
from winnow.run.executor import InlineExecutor
from winnow.run.sorted_runs import RANGE_BYTES, assembly_ranges

Row = dict[str, Any]


def table_of(folder: Path, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    return pq.read_table(write_rows(folder / "rows.parquet", rows, schema), schema=schema)


def passage(name: str, **more: Any) -> Row:
    """A passage of a document with two of them."""
    gap = "\n" if name[1:] == "0" else ""
    place = {"doc_id": IDS[name[0]], "position": int(name[1:]), "part": 0, "kind": "paragraph"}
    return {**place, "text": f"{name}.", "gap": gap, **more}


def decision(name: str, reason: str, kept: str | None = None, **more: Any) -> Row:
    """A removal of a passage; `kept` is the passage that says the same."""
    place = {"doc_id": IDS[name[0]], "position": int(name[1:]), "part": 0, "reason": reason}
    found = {"kept_doc_id": IDS[kept[0]], "kept_position": int(kept[1:]), "similarity": 1.0} if kept else {}
    return {**place, **found, **more}


def copy_of(doc: str, kept: str) -> Row:
    measured = {"similarity": 0.75, "containment": 0.875, "kind": "near"}
    return {"doc_id": IDS[doc], "kept_doc_id": IDS[kept], **measured}


def marked(rows: pa.Table) -> list[str]:
    """``x0 kept``, ``x0 repeat of y1``, ``x0 duplicate_document of y``."""
    found = []
    for row in rows.to_pylist():
        name = f"{LETTERS[row['doc_id']]}{row['position']}"
        assert row["status"] == ("kept" if row["reason"] is None else "removed")
        position = "" if row["kept_position"] is None else row["kept_position"]
        of = f" of {LETTERS[row['kept_doc_id']]}{position}" if row["kept_doc_id"] else ""
        found.append(f"{name} {row['reason'] or 'kept'}{of}")
    return found


JUDGED = {
    "what nobody decided about is kept": ([], [], ["x0 kept", "x1 kept", "y0 kept"]),
    "a repeat points to what is kept": (
        [decision("x1", "repeat", "y0")],
        [],
        ["x0 kept", "x1 repeat of y0", "y0 kept"],
    ),
    "promotion points nowhere": ([decision("x0", "promo")], [], ["x0 promo", "x1 kept", "y0 kept"]),
    "a decision about another part of the block is not its own": (
        [decision("x0", "promo", part=1)],
        [],
        ["x0 kept", "x1 kept", "y0 kept"],
    ),
    "a decision about a document that is not there changes nothing": (
        [decision("z0", "promo")],
        [copy_of("z", "x")],
        ["x0 kept", "x1 kept", "y0 kept"],
    ),
    "every passage of a copy points to the document that is kept": (
        [],
        [copy_of("x", "y")],
        [f"x0 {DUPLICATE_DOCUMENT} of y", f"x1 {DUPLICATE_DOCUMENT} of y", "y0 kept"],
    ),
    "of a copy that it is one counts, and not what was decided inside it": (
        [decision("x1", "repeat", "z0"), decision("y0", "promo")],
        [copy_of("x", "y")],
        [f"x0 {DUPLICATE_DOCUMENT} of y", f"x1 {DUPLICATE_DOCUMENT} of y", "y0 promo"],
    ),
}


@pytest.mark.parametrize(("decisions", "copies", "expected"), JUDGED.values(), ids=JUDGED)
def test_passages_are_judged(decisions: list[Row], copies: list[Row], expected: list[str], tmp_path: Path) -> None:
    blocks = table_of(tmp_path, [passage("y0"), passage("x1"), passage("x0")], PREPARED)
    decided = table_of(tmp_path, decisions, PASSAGE_DECISIONS)
    rows = judged(blocks, decided, pl.DataFrame(table_of(tmp_path, copies, DOCUMENT_DECISIONS)))
    assert rows.schema.equals(TABLES["passages"])
    assert sorted(marked(rows)) == expected
    order = [tuple(row[key] for key in SORT_KEYS["passages"]) for row in rows.to_pylist()]
    assert order == sorted(order)


def test_passages_of_a_copy_are_as_similar_as_their_document(tmp_path: Path) -> None:
    blocks = table_of(tmp_path, [passage("x0"), passage("y0")], PREPARED)
    decided = table_of(tmp_path, [decision("x0", "repeat", "z0"), decision("y0", "repeat", "z0")], PASSAGE_DECISIONS)
    rows = judged(blocks, decided, pl.DataFrame(table_of(tmp_path, [copy_of("x", "z")], DOCUMENT_DECISIONS)))
    found = {LETTERS[row["doc_id"]]: row["similarity"] for row in rows.to_pylist()}
    assert found == {"x": 0.75, "y": 1.0}


HEADING = passage("x0", kind="heading", text="City Opens a New Bridge", gap="\n\n")
PROMOTION = passage("x0", kind="heading", text="Follow us on many channels", gap="\n\n")
TITLE = passage("x1", kind="heading", text="City Opens a New Bridge", gap="\n\n")

TEXTS = {
    "all passages": ([passage("x0"), passage("x1")], "x0.\nx1.", 2, 0),
    "without what is removed": ([passage("x0"), passage("x1", reason="repeat")], "x0.", 1, 1),
    "without what is removed before the first": ([passage("x0", reason="promo"), passage("x1")], "x1.", 1, 1),
    "the widest gap of what is removed between": (
        [passage("x0"), passage("x1", reason="promo", gap="\n\n"), passage("x2")],
        "x0.\n\nx2.",
        2,
        1,
    ),
    "the first of two gaps as wide": (
        [
            passage("x0"),
            passage("x1", reason="promo", gap=" \n"),
            passage("x2", reason="promo", gap="\n "),
            passage("x3"),
        ],
        "x0. \nx3.",
        2,
        2,
    ),
    "the last gap with the passage before it": (
        [passage("x0"), passage("x1", reason="repeat", gap="\n\n"), passage("x2", gap="\n")],
        "x0.\n\nx2.\n",
        2,
        1,
    ),
    "nothing where all is removed": ([passage("x0", reason="boilerplate")], "", 0, 1),
    "a copy keeps its own text": (
        [passage("x0", reason=DUPLICATE_DOCUMENT), passage("x1", reason=DUPLICATE_DOCUMENT)],
        "x0.\nx1.",
        0,
        2,
    ),
}


@pytest.mark.parametrize(("passages", "text", "kept", "removed"), TEXTS.values(), ids=TEXTS)
def test_the_published_text_is(passages: list[Row], text: str, kept: int, removed: int, tmp_path: Path) -> None:
    found = published_texts(table_of(tmp_path, passages, TABLES["passages"]))
    assert found.rows() == [(IDS["x"], kept, removed, text)]


def test_texts_of_several_documents_are_kept_apart(tmp_path: Path) -> None:
    rows = [passage("x0"), passage("x1", reason="repeat"), passage("y0", gap="")]
    found = published_texts(table_of(tmp_path, rows, TABLES["passages"]))
    assert dict(found.select("doc_id", "text").iter_rows()) == {IDS["x"]: "x0.", IDS["y"]: "y0."}


def test_only_texts_that_lose_something_are_put_together_where_the_whole_ones_are_known(tmp_path: Path) -> None:
    rows = [passage("x0"), passage("x1", reason="repeat"), passage("y0"), passage("z0", reason="boilerplate")]
    found = published_texts(table_of(tmp_path, rows, TABLES["passages"]), cut_only=True)
    assert dict(found.select("doc_id", "text").iter_rows()) == {IDS["x"]: "x0.", IDS["y"]: None, IDS["z"]: ""}


TITLES: Mapping[str, tuple[list[Row], list[Row], str | None]] = {
    "none where there is no heading": ([passage("x0"), passage("x1")], [], None),
    "the first heading": ([HEADING, passage("x1")], [], "City Opens a New Bridge"),
    "the heading below a line that ends no sentence": (
        [passage("x0", text="by a reporter"), TITLE, passage("x2")],
        [],
        "City Opens a New Bridge",
    ),
    "none below a paragraph": ([passage("x0", text="It was late. " * 9), TITLE, passage("x2")], [], None),
    "no promotion": (
        [PROMOTION, TITLE, passage("x2")],
        [{"position": 0, "part": 0, "reason": "promo"}],
        "City Opens a New Bridge",
    ),
    "a heading that repeats": (
        [HEADING, passage("x1")],
        [{"position": 0, "part": 0, "reason": "repeat"}],
        "City Opens a New Bridge",
    ),
}


@pytest.mark.parametrize(("passages", "repeats", "title"), TITLES.values(), ids=TITLES)
def test_the_title_is(passages: list[Row], repeats: list[Row], title: str | None, tmp_path: Path) -> None:
    rows = pl.DataFrame(table_of(tmp_path, passages, PREPARED))
    index = table_of(tmp_path, [{"doc_id": IDS["x"], "repeats": repeats}], PREPARED_INDEX)
    found = first_titles(rows, pl.DataFrame({"doc_id": [IDS["x"]]}), index)
    assert [t for t in found["found"] if t] == [t for t in [title] if t]


@pytest.mark.parametrize(
    ("total_bytes", "count"), [(0, 1), (1, 1), (RANGE_BYTES, 1), (RANGE_BYTES + 1, 2), (3 * RANGE_BYTES, 3)]
)
def test_ranges_of_doc_ids_follow_one_another_and_hold_every_doc_id(total_bytes: int, count: int) -> None:
    ranges = assembly_ranges(total_bytes)
    assert len(ranges) == count
    assert all(low < high for low, high in ranges)
    assert all(before[1] == after[0] for before, after in pairwise(ranges))
    assert ranges[0][0] <= "0" * 16
    assert ranges[-1][1] > "f" * 16


def edit(seq: int, rule: str = "entities") -> Row:
    measured = {"confidence": 1.0, "applied": True}
    return {
        "seq": seq,
        "rule": rule,
        "rule_version": 1,
        "start": seq,
        "end": seq,
        "before": "",
        "after": "",
        **measured,
    }


def test_ledgers_become_rows_in_order_each_with_its_document(tmp_path: Path) -> None:
    ledgers = {"x": [edit(0), edit(1, "tags")], "y": [], "z": [edit(0)]}
    repaired = [{"doc_id": IDS[d], "edits": edits} for d, edits in ledgers.items()]
    rows = edit_rows(table_of(tmp_path, repaired, REPAIRED).select(["doc_id", "edits"]))
    assert rows.schema.equals(TABLES["edits"])
    found = [(LETTERS[r["doc_id"]], r["seq"], r["rule"]) for r in rows.to_pylist()]
    assert found == [("x", 0, "entities"), ("x", 1, "tags"), ("z", 0, "entities")]


def test_ledgers_of_several_files_become_rows_too(tmp_path: Path) -> None:
    parts = [table_of(tmp_path, [{"doc_id": IDS[d], "edits": [edit(0)]}], REPAIRED) for d in "xy"]
    rows = edit_rows(pa.concat_tables(parts).select(["doc_id", "edits"]))
    assert [LETTERS[d] for d in rows["doc_id"].to_pylist()] == ["x", "y"]


def test_without_documents_there_are_no_edits() -> None:
    assert edit_rows(REPAIRED.empty_table().select(["doc_id", "edits"])).num_rows == 0


ARRIVAL, NEW_RECIPE, OLD_RECIPE = 7, "n" * 16, "o" * 16
CARRIED = {"first_version": 3, "recipe_id": OLD_RECIPE, "run_id": "before", "row": 4}
MOVED = pa.schema([TABLES["documents"].field(name) for name in ("doc_id", "row")])


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Documents of two passages: `fresh` ones of this run, and those of the previous version."""

    fresh: str = ""
    published: str = ""
    duplicates: str = ""
    changed: str = ""
    moved: str = ""
    copies: tuple[Row, ...] = ()
    removals: tuple[Row, ...] = ()


def two_passages(named: str) -> list[Row]:
    return [passage(f"{letter}{n}") for letter in sorted(named, key=IDS.__getitem__) for n in (0, 1)]


def info(letter: str, **more: Any) -> Row:
    text = f"{letter}0.\n{letter}1."
    return {"doc_id": IDS[letter], "source": letter, "text": text, "n_chars": 7, "n_words": 2, "encoding": "x", **more}


def assembly_of(batch: Batch, folder: Path) -> Assembly:
    def file(name: str, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> tuple[Path, ...]:
        return (write_rows(folder / f"{name}.parquet", rows, schema),)

    fresh = sorted(batch.fresh, key=IDS.__getitem__)
    carried = batch.published + batch.duplicates
    duplicates = [{**info(d), **CARRIED, **copy_of(d, "k")} for d in batch.duplicates]
    return Assembly(
        repaired=file("repaired", [info(d, edits=[edit(0)], n_edits=1) for d in fresh], REPAIRED),
        prepared=file("prepared", two_passages(batch.fresh), PREPARED),
        index=file("index", [{"doc_id": IDS[d], "arrival": ARRIVAL} for d in fresh], PREPARED_INDEX),
        document_decisions=file("copies", batch.copies, DOCUMENT_DECISIONS),
        passage_decisions=file("removals", batch.removals, PASSAGE_DECISIONS),
        published_documents=(
            *file("documents", [{**info(d), **CARRIED} for d in batch.published], TABLES["documents"]),
            *file("duplicates", duplicates, TABLES["duplicates"]),
        ),
        published_passages=file("passages", two_passages(carried), TABLES["passages"]),
        moved=file("moved", [{"doc_id": IDS[d], "row": 5} for d in batch.moved], MOVED)[0],
        settings=DeduplicateSettings(),
        recipe_id=NEW_RECIPE,
        run_id="now",
    )


def assembled(batch: Batch, folder: Path, low: str = "", high: str = "g") -> dict[str, list[Row]]:
    changed = as_set(ids(batch.changed)).within((low, high))
    counts = assemble_job([(low, high)], [changed], [assembly_of(batch, folder)], folder / "parts")
    found = {}
    for table, count in counts.items():
        [path] = (folder / "parts" / table).iterdir()
        rows = pq.read_table(path)
        assert rows.schema.equals(TABLES[table])
        assert rows.num_rows == count
        found[table] = rows.to_pylist()
        order = [tuple(row[key] for key in SORT_KEYS[table]) for row in found[table]]
        assert order == sorted(order)
    return found


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Texts by document as they are published, the copies by the document kept, and whose edits and index rows."""

    documents: Mapping[str, str]
    duplicates: Mapping[str, str]
    passages: str
    fresh: str


ASSEMBLED = {
    "nothing": (Batch(), Expected(documents={}, duplicates={}, passages="", fresh="")),
    "new documents": (
        Batch(fresh="yx"),
        Expected(documents={"x": "x0.\nx1.", "y": "y0.\ny1."}, duplicates={}, passages="xy", fresh="xy"),
    ),
    "a new document without a repeat": (
        Batch(fresh="x", removals=(decision("x1", "repeat", "y0"),)),
        Expected(documents={"x": "x0."}, duplicates={}, passages="x", fresh="x"),
    ),
    "a new copy": (
        Batch(fresh="xy", copies=(copy_of("y", "x"),)),
        Expected(documents={"x": "x0.\nx1."}, duplicates={"y": "x"}, passages="xy", fresh="xy"),
    ),
    "nothing of earlier documents that did not change": (
        Batch(fresh="x", published="y", duplicates="z", copies=(copy_of("z", "k"),)),
        Expected(documents={"x": "x0.\nx1."}, duplicates={}, passages="x", fresh="x"),
    ),
    "an earlier document that loses a passage": (
        Batch(published="xy", changed="x", removals=(decision("x0", "boilerplate"),)),
        Expected(documents={"x": "x1."}, duplicates={}, passages="x", fresh=""),
    ),
    "an earlier document that becomes a copy": (
        Batch(published="xy", changed="x", copies=(copy_of("x", "y"),)),
        Expected(documents={}, duplicates={"x": "y"}, passages="x", fresh=""),
    ),
    "an earlier copy that comes back": (
        Batch(duplicates="xy", changed="x", copies=(copy_of("y", "k"),)),
        Expected(documents={"x": "x0.\nx1."}, duplicates={}, passages="x", fresh=""),
    ),
    "an earlier document that moved": (
        Batch(published="xy", moved="x"),
        Expected(documents={"x": "x0.\nx1."}, duplicates={}, passages="", fresh=""),
    ),
    "an earlier copy that moved": (
        Batch(duplicates="xy", moved="x"),
        Expected(documents={}, duplicates={"x": "k"}, passages="", fresh=""),
    ),
    "an earlier document that moved and loses a passage": (
        Batch(published="xy", changed="x", moved="x", removals=(decision("x0", "boilerplate"),)),
        Expected(documents={"x": "x1."}, duplicates={}, passages="x", fresh=""),
    ),
    "an earlier copy of another document now": (
        Batch(duplicates="x", changed="x", copies=(copy_of("x", "y"),)),
        Expected(documents={}, duplicates={"x": "y"}, passages="x", fresh=""),
    ),
}


@pytest.mark.parametrize(("batch", "expected"), ASSEMBLED.values(), ids=ASSEMBLED)
def test_rows_are_assembled_of(batch: Batch, expected: Expected, tmp_path: Path) -> None:
    tables = assembled(batch, tmp_path)
    assert {r["source"]: r["text"] for r in tables["documents"]} == expected.documents
    assert {r["source"]: LETTERS[r["kept_doc_id"]] for r in tables["duplicates"]} == expected.duplicates
    assert letters({r["doc_id"] for r in tables["passages"]}) == expected.passages
    assert letters(r["doc_id"] for r in tables["edits"]) == expected.fresh
    assert letters(r["doc_id"] for r in tables["index"]) == expected.fresh
    places = {r["source"]: r["row"] for table in ("documents", "duplicates") for r in tables[table]}
    assert {d: row for d, row in places.items() if d not in batch.fresh} == {
        d: 5 if d in batch.moved else 4 for d in batch.changed + batch.moved
    }


def test_a_new_document_carries_this_recipe_and_the_version_it_arrived_in(tmp_path: Path) -> None:
    [row] = assembled(Batch(fresh="x"), tmp_path)["documents"]
    assert (row["first_version"], row["recipe_id"], row["run_id"]) == (ARRIVAL, NEW_RECIPE, "now")


@pytest.mark.parametrize("batch", [Batch(published="x", changed="x"), Batch(duplicates="x", changed="x")])
def test_an_earlier_document_keeps_the_recipe_and_the_version_it_arrived_in(batch: Batch, tmp_path: Path) -> None:
    [row] = assembled(batch, tmp_path)["documents"]
    assert (row["first_version"], row["recipe_id"], row["run_id"]) == (3, OLD_RECIPE, "now")


def test_a_document_that_lost_a_passage_is_measured_again(tmp_path: Path) -> None:
    [row] = assembled(Batch(fresh="x", removals=(decision("x1", "promo"),)), tmp_path)["documents"]
    assert (row["n_chars"], row["n_words"], row["n_passages"], row["n_removed"]) == (3, 1, 1, 1)


def test_ranges_of_doc_ids_share_the_rows_out(tmp_path: Path) -> None:
    batch = Batch(fresh="abc", published="xyz", changed="xyz", copies=(copy_of("b", "a"), copy_of("y", "x")))
    whole = assembled(batch, tmp_path / "whole")
    edge = sorted(IDS[d] for d in "abcxyz")[3]
    low = assembled(batch, tmp_path / "low", high=edge)
    high = assembled(batch, tmp_path / "high", low=edge)
    assert {table: low[table] + high[table] for table in whole} == whole
    assert low["passages"] and high["passages"]


@pytest.mark.parametrize("shards", [2, 7])
def test_a_range_is_read_from_few_files_however_many_shards_there_are(
    shards: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = Batch(fresh="abcdefgh")
    whole = assembly_of(batch, tmp_path / "whole")
    parts = [assembly_of(Batch(fresh=batch.fresh[n::shards]), tmp_path / f"{n}") for n in range(shards)]
    apart = {kind: tuple(getattr(p, kind)[0] for p in parts) for kind in ("repaired", "prepared", "index")}
    monkeypatch.setattr(sorted_runs, "MOST_RUNS", 2)
    monkeypatch.setattr(sorted_runs, "MERGED_RUNS", 2)
    monkeypatch.setattr(sorted_runs, "RANGE_BYTES", 500)
    monkeypatch.setattr(sorted_runs, "GROUP_BYTES", 500)
    monkeypatch.setattr(sorted_runs, "MERGED_RANGES", 1)
    ranges, runs = assembly_ranges(1500), tmp_path / "runs"
    few = list(assembly_by_range(replace(whole, **apart), ranges, InlineExecutor(), runs))  # type: ignore[arg-type]
    for kind, given in apart.items():
        files = {file for made in few for file in getattr(made, kind)}
        if shards > 2:  # merged; each file has a range of few documents
            assert files == set((runs / kind).iterdir())
            assert all(len(getattr(made, kind)) < len(files) for made in few)
        else:
            assert files == set(given)
        for file in files:
            ids = pq.read_table(file, columns=["doc_id"])["doc_id"].to_pylist()
            assert ids == sorted(ids)
            assert len(set(ids)) < 8
    counts: list[Counter[str]] = [Counter(), Counter()]
    assert assemble_job(ranges, [NO_DOCUMENTS] * 3, few, tmp_path / "z")["documents"] == 8
    for made, told, name in (([whole] * 3, counts[0], "x"), (few, counts[1], "y")):
        for span, one in zip(ranges, made, strict=True):
            told.update(assemble_job([span], [NO_DOCUMENTS], [one], tmp_path / name))
    assert counts[0] == counts[1]
    assert counts[0]["documents"] == 8
    for table in counts[0]:
        first, second, together = (pq.read_table(tmp_path / name / table) for name in "xyz")
        assert first.equals(second), table
        assert first.equals(together), table
