"""What differs from the previous version: earlier decisions, documents that are made again, inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.publish.press import Press, rows_of, sources, write_part, write_rows
from tests.run.small import IDS, ids, letters, version

from winnow.base.contracts import TABLES
from winnow.base.records import DUPLICATE_DOCUMENT
from winnow.base.staging import DOCUMENT_DECISIONS, PASSAGE_DECISIONS
from winnow.publish.dataset import Dataset
from winnow.run.previous_version import changed_decisions, changed_inputs, unchanged_documents, whole_version, without

Row = dict[str, Any]


def copy(doc: str, kept: str, **more: Any) -> Row:
    measured = {"similarity": 0.75, "containment": 1.0, "kind": "near", "of_rest": False}
    return {"doc_id": IDS[doc], "kept_doc_id": IDS[kept], **measured, **more}


def removal(passage: str, kept: str | None, **more: Any) -> Row:
    """``x2`` is passage 2 of document x; without `kept` nothing of the kind is kept anywhere."""
    place = {"doc_id": IDS[passage[0]], "position": int(passage[1:]), "part": 0}
    found = {"kept_doc_id": kept and IDS[kept], "kept_position": kept and 0, "similarity": kept and 1.0}
    return {**place, "reason": "repeat", **found, **more}


KEPT: Row = {"reason": None, "suspicion": "answer"}


@dataclass(frozen=True, kw_only=True)
class Decisions:
    copies: tuple[Row, ...] = ()
    removals: tuple[Row, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DecisionCase:
    before: Decisions = Decisions()
    now: Decisions = Decisions()
    left_out: str = ""
    changed: str = ""


def same(decisions: Decisions, **more: str) -> DecisionCase:
    return DecisionCase(before=decisions, now=decisions, **more)


def copies(*rows: Row) -> Decisions:
    return Decisions(copies=rows)


def removals(*rows: Row) -> Decisions:
    return Decisions(removals=rows)


DECISIONS = {
    "without decisions": DecisionCase(),
    "the same copy": same(copies(copy("y", "x"))),
    "a published document is a copy now": DecisionCase(now=copies(copy("y", "x")), changed="y"),
    "a copy is published now": DecisionCase(before=copies(copy("y", "x")), changed="y"),
    "a copy of another document": DecisionCase(before=copies(copy("y", "x")), now=copies(copy("y", "z")), changed="y"),
    "a copy that is more similar": DecisionCase(
        before=copies(copy("y", "x")), now=copies(copy("y", "x", similarity=0.875)), changed="y"
    ),
    "a copy of another kind": DecisionCase(
        before=copies(copy("y", "x")), now=copies(copy("y", "x", kind="contained")), changed="y"
    ),
    "a copy of which it was not known whether it is one by its rest": DecisionCase(
        before=copies(copy("y", "x", of_rest=None)), now=copies(copy("y", "x")), changed="y"
    ),
    "two documents change places": DecisionCase(
        before=copies(copy("y", "x")), now=copies(copy("x", "y")), changed="xy"
    ),
    "the same removal": same(removals(removal("x1", "y"))),
    "the same removal of what is kept nowhere": same(removals(removal("x1", None, reason="promo"))),
    "a passage is removed now": DecisionCase(now=removals(removal("x1", "y")), changed="x"),
    "a removed passage is kept now": DecisionCase(before=removals(removal("x1", "y")), changed="x"),
    "a removal of another passage": DecisionCase(
        before=removals(removal("x1", "y")), now=removals(removal("x2", "y")), changed="x"
    ),
    "a removal of another part": DecisionCase(
        before=removals(removal("x1", "y")), now=removals(removal("x1", "y", part=1)), changed="x"
    ),
    "a removal for another reason": DecisionCase(
        before=removals(removal("x1", None, reason="promo")),
        now=removals(removal("x1", None, reason="boilerplate")),
        changed="x",
    ),
    "a removal for a passage of another document": DecisionCase(
        before=removals(removal("x1", "y")), now=removals(removal("x1", "z")), changed="x"
    ),
    "a removal for another passage of the same document": DecisionCase(
        before=removals(removal("x1", "y")), now=removals(removal("x1", "y", kept_position=3)), changed="x"
    ),
    "one document of several changes": DecisionCase(
        before=removals(removal("x1", "z"), removal("y1", "z")),
        now=removals(removal("x1", "z"), removal("y1", "z"), removal("y2", "z")),
        changed="y",
    ),
    "a replaced document is written anyway": DecisionCase(
        before=Decisions(copies=(copy("y", "x"),), removals=(removal("x1", "z"),)), left_out="xy"
    ),
    "decisions about a new document are no change": DecisionCase(
        now=Decisions(copies=(copy("n", "x"),), removals=(removal("m1", "y"),))
    ),
    "passages of a copy are not decided one by one": same(
        Decisions(copies=(copy("y", "x"),), removals=(removal("y1", "x", reason=DUPLICATE_DOCUMENT),))
    ),
    "the same suspicion": same(removals(removal("x1", "y", **KEPT))),
    "what was removed is kept as a suspicion now": DecisionCase(
        before=removals(removal("x1", "y")), now=removals(removal("x1", "y", **KEPT)), changed="x"
    ),
    "what was a suspicion is none now": DecisionCase(before=removals(removal("x1", "y", **KEPT)), changed="x"),
    "a suspicion for a passage of another document": DecisionCase(
        before=removals(removal("x1", "y", **KEPT)), now=removals(removal("x1", "z", **KEPT)), changed="x"
    ),
    "removals inside a document that stays a copy are no change": DecisionCase(
        before=copies(copy("y", "x")), now=Decisions(copies=(copy("y", "x"),), removals=(removal("y1", "z"),))
    ),
}


@pytest.mark.parametrize("case", DECISIONS.values(), ids=DECISIONS)
def test_earlier_decisions_that_change(case: DecisionCase, tmp_path: Path) -> None:
    removed = [{**r, "status": "removed" if r["reason"] else "kept"} for r in case.before.removals]
    kept = {"doc_id": IDS["z"], "position": 9, "status": "kept"}
    index = [{"doc_id": IDS[letter]} for letter in "xyz"]
    dataset = version(tmp_path, {"index": index, "duplicates": case.before.copies, "passages": [*removed, kept]})
    assert letters(decided_otherwise(dataset, case, tmp_path)) == case.changed


def test_before_the_first_version_no_decision_changes(tmp_path: Path) -> None:
    case = DecisionCase(now=Decisions(copies=(copy("y", "x"),), removals=(removal("x1", "z"),)))
    assert decided_otherwise(version(tmp_path, {}), case, tmp_path) == frozenset()


def decided_otherwise(dataset: Dataset, case: DecisionCase, folder: Path) -> frozenset[str]:
    documents = write_rows(folder / "documents.parquet", case.now.copies, DOCUMENT_DECISIONS)
    passages = write_rows(folder / "passages.parquet", case.now.removals, PASSAGE_DECISIONS)
    return changed_decisions(
        dataset, left_out=ids(case.left_out), document_decisions=[documents], passage_decisions=[passages]
    )


Tables = dict[str, list[Row]]

PER_RUN = {
    "documents": ("run_id", "metadata"),
    "duplicates": ("run_id", "metadata"),
    # What the texts and the ledger lead to without fail.
    "index": (
        "run_id", "damage", "length", "collected_at", "site", "text_hash", "n_shingles", "bands", "sketch", "repeats"
    ),
}  # fmt: skip
"""Columns that may differ in a document that is the same again."""


def other(value: Any, kind: pa.DataType) -> Any:
    """Another value of the type."""
    if pa.types.is_timestamp(kind):
        return None if value else pa.scalar(0, kind).as_py()
    if pa.types.is_map(kind):
        return [*value, ("more", "words")]
    if pa.types.is_list(kind):
        return [*value, 1] if value or pa.types.is_integer(kind.value_type) else value
    if pa.types.is_boolean(kind):
        return not value
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return bytes(16) if value != bytes(16) else b"1" * 16
    if pa.types.is_string(kind):
        return f"{value or ''} otherwise"
    return (value or 0) + 1


def documents_of(named: str) -> Tables:
    """The rows of documents x to z, z being a copy, as the previous version has them."""
    tables: Tables = {table: [] for table in ("documents", "duplicates", "passages", "edits", "index")}
    for letter in named:
        rows = rows_of(letter)
        if letter == "z":
            document = rows["documents"].pop()
            copied = {"kept_doc_id": IDS["x"], "similarity": 0.5, "containment": 0.5, "kind": "near"}
            rows["duplicates"] = [{**{k: v for k, v in document.items() if k in TABLES["duplicates"].names}, **copied}]
        for table in tables:
            tables[table] += rows.get(table, [])
    return tables


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return version(tmp_path_factory.mktemp("previous"), documents_of("xyz"))


def same_again(dataset: Dataset, tables: Tables, folder: Path, made_again: str) -> str:
    parts = {t: [write_part(folder / f"{t}.parquet", t, rows)] for t, rows in tables.items()}
    return letters(unchanged_documents(dataset, parts, ids(made_again)))


@pytest.mark.parametrize(("table", "column"), [(t, c) for t in documents_of("") for c in TABLES[t].names])
def test_a_document_is_the_same_again_unless_a_column_that_counts_differs(
    table: str, column: str, previous: Dataset, tmp_path: Path
) -> None:
    changed = "z" if table == "duplicates" else "y"
    tables = documents_of("xyz")
    row = next(r for r in tables[table] if r["doc_id"] == IDS[changed])
    if column == "doc_id":
        tables[table].remove(row)  # the row is another document's
    else:
        row[column] = other(row.get(column, _BLANKS.get(column)), TABLES[table].field(column).type)
        if table == "passages" and column in ("status", "reason"):
            row |= {"status": "removed", "reason": "promo"}
    expected = "xyz" if column in PER_RUN.get(table, ()) else "xyz".replace(changed, "")
    assert same_again(previous, tables, tmp_path, "xyz") == expected


_BLANKS: dict[str, Any] = {"text_hash": bytes(16), "repeats": []}


def _as_copy(tables: Tables) -> None:
    document = next(r for r in tables["documents"] if r["doc_id"] == IDS["y"])
    tables["documents"].remove(document)
    [like] = tables["duplicates"]
    tables["duplicates"].append({**like, **{k: document[k] for k in like if k in document}})


def _drop_last(table: str) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        tables[table].remove([r for r in tables[table] if r["doc_id"] == IDS["y"]][-1])

    return change


def _add(table: str, **more: Any) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        like = [r for r in tables[table] if r["doc_id"] == IDS["y"]][-1]
        tables[table].append({**like, **more})

    return change


AGAIN: dict[str, tuple[Callable[[Tables], None], str, str]] = {
    "every document": (lambda tables: None, "xyz", "xyz"),
    "of those made again only": (lambda tables: None, "xy", "xy"),
    "not one that nobody asks for": (_drop_last("passages"), "x", "x"),
    "not one that became a copy": (_as_copy, "xyz", "xz"),
    "not one that lost a passage": (_drop_last("passages"), "xyz", "xz"),
    "not one that gained a passage": (_add("passages", position=3), "xyz", "xz"),
    "not one that lost its edit": (_drop_last("edits"), "xyz", "xz"),
    "not one that gained an edit": (_add("edits", seq=1), "xyz", "xz"),
    "not one with the same edit twice": (_add("edits"), "xyz", "xz"),
}


@pytest.mark.parametrize(("change", "made_again", "expected"), AGAIN.values(), ids=AGAIN)
def test_documents_that_are_the_same_again(
    change: Callable[[Tables], None], made_again: str, expected: str, previous: Dataset, tmp_path: Path
) -> None:
    tables = documents_of("xyz")
    change(tables)
    assert same_again(previous, tables, tmp_path, made_again) == expected


def test_the_order_of_rows_does_not_make_a_document_another(previous: Dataset, tmp_path: Path) -> None:
    tables = documents_of("xyz")
    parts = {t: [write_rows(tmp_path / f"{t}.parquet", rows[::-1], TABLES[t])] for t, rows in tables.items()}
    assert letters(unchanged_documents(previous, parts, ids("xyz"))) == "xyz"


def test_before_the_first_version_no_document_is_the_same_again(tmp_path: Path) -> None:
    assert same_again(version(tmp_path, {}), documents_of("xyz"), tmp_path / "parts", "xyz") == ""


WITHOUT = {
    "no document": ("", ["xy", "z"]),
    "a document of one file": ("x", ["y", "z"]),
    "documents of two files": ("xz", ["y"]),
    "a document that no file has": ("w", ["xy", "z"]),
    "every document": ("xyz", []),
}


@pytest.mark.parametrize(("gone", "left"), WITHOUT.values(), ids=WITHOUT)
def test_files_without(gone: str, left: list[str], tmp_path: Path) -> None:
    parts = [write_part(tmp_path / f"{held}.parquet", "edits", documents_of(held)["edits"]) for held in ("xy", "z")]
    kept = without(parts, ids(gone), "edits")
    assert [letters(pq.read_table(path)["doc_id"].to_pylist()) for path in kept] == left
    assert all(pq.read_schema(path).equals(TABLES["edits"]) for path in kept)


def entry(path: str, **more: Any) -> Row:
    return {"path": path, "bytes": 1, "sha256": "1" * 64, "n_documents": 2, "recipe_id": "r", "run_id": "1", **more}


INPUTS = {
    "the same file in another run says nothing new": ([entry("a", run_id="2")], ""),
    "a new file": ([entry("c")], "c"),
    "other bytes": ([entry("a", sha256="2" * 64), entry("b", run_id="2")], "a"),
    "as many bytes, but fewer documents": ([entry("a"), entry("b", n_documents=1, n_rejects=1)], "b"),
    "another recipe": ([entry("a", recipe_id="s"), entry("b", recipe_id="s")], "ab"),
    "no input at all": ([], ""),
}


@pytest.mark.parametrize(("now", "changed"), INPUTS.values(), ids=INPUTS)
def test_inputs_that_say_something_else(now: list[Row], changed: str, tmp_path: Path) -> None:
    dataset = version(tmp_path, {"inputs": [entry("a"), entry("b")]})
    assert "".join(changed_inputs(dataset, inputs_table(now, tmp_path))["path"].to_pylist()) == changed


def test_before_the_first_version_every_input_is_news(tmp_path: Path) -> None:
    table = inputs_table([entry("a"), entry("b")], tmp_path)
    assert changed_inputs(version(tmp_path, {}), table).equals(table)


def inputs_table(rows: Iterable[Mapping[str, Any]], folder: Path) -> pa.Table:
    return pq.read_table(write_rows(folder / "inputs.parquet", rows, TABLES["inputs"]))


@dataclass(frozen=True, kw_only=True)
class WholeCase:
    before: str = ""
    replaced: str = ""
    new: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)


WHOLE = {
    "nothing": WholeCase(),
    "the first version": WholeCase(new="xy", texts={"x": "new", "y": "new"}),
    "a version that changes nothing": WholeCase(before="xy", texts={"x": "old", "y": "old"}),
    "a document that is added": WholeCase(before="x", new="y", texts={"x": "old", "y": "new"}),
    "a document that is replaced": WholeCase(before="xy", replaced="x", new="x", texts={"x": "new", "y": "old"}),
    "a document that is withdrawn": WholeCase(before="xy", replaced="x", texts={"y": "old"}),
}


@pytest.mark.parametrize("case", WHOLE.values(), ids=WHOLE)
def test_the_next_version_holds(case: WholeCase, tmp_path: Path) -> None:
    press = Press(Dataset(tmp_path / "dataset"), tmp_path / "press")
    if case.before:
        press.publish(sources(*case.before, word="old"))
    new = [r for letter in case.new for r in rows_of(letter, "new")["documents"]]
    parts = {"documents": [write_part(tmp_path / "new.parquet", "documents", new)]} if new else {}
    whole = whole_version(press.dataset, parts, {"documents": ids(case.replaced)}, "documents")
    batches = list(whole.batches(["source", "text"]))
    found = {row["source"]: row["text"].split()[1] for batch in batches for row in batch.to_pylist()}
    assert found == case.texts
    assert sum(batch.num_rows for batch in batches) == len(found)
