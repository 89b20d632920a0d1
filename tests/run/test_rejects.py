"""How rejects settle: new rows, rows that give way, rows that are marked as replayed, and what a replay reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.publish.press import write_rows
from tests.run.small import IDS, LETTERS, OTHER_RECIPE, RECIPE, ids, letters, sha, version

from winnow.base.contracts import TABLES
from winnow.base.doc_ids import DocIds
from winnow.base.errors import UsageError
from winnow.base.recipe import Recipe
from winnow.base.staging import REJECTED
from winnow.publish.dataset import Dataset
from winnow.run.rejects import (
    Key,
    RejectChanges,
    Settling,
    kinds_of_rejects,
    reject_rows,
    rejects_of,
    replayed_keys,
    waiting_rejects,
    waiting_shards,
)
from winnow.run.run_context import Run, RunOrder, begin
from winnow.run.work_plan import WITHDRAWN

Row = dict[str, Any]


def key(name: str) -> Key:
    return IDS[name[0]], sha(name[1:])


def names(keys: Iterable[Key]) -> set[str]:
    """``x1`` for the bytes 1 of source x."""
    contents = {sha(content): content for content in ("", *"123456789")}
    return {LETTERS[doc_id] + contents[digest] for doc_id, digest in keys}


def new(name: str, **more: Any) -> Row:
    """A reject of this run as its stage leaves it."""
    doc_id, content = IDS[name[0]], name[1:].encode()
    row = {"doc_id": doc_id, "source": name[0], "stage": "validate", "expectation": "enough_letters", "reason": "few"}
    return {**row, "content": content, **more}


def known(name: str, **more: Any) -> Row:
    """A reject of the previous version."""
    return {**new(name), "content_sha256": sha(name[1:]), "recipe_id": RECIPE, "run_id": "before", **more}


def mark(name: str) -> Row:
    """What stays of a document that a person withdrew."""
    return new(name, stage="withdraw", expectation=WITHDRAWN, reason="withdrawn")


REPEATED = {"stage": "read", "expectation": "repeated_id"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """``rows`` are those to write, as ``bytes expectation state``; ``refused`` names bytes."""

    before: Sequence[Row] = ()
    now: Sequence[Row] = ()
    accepted: str = ""
    replayed: tuple[str, ...] = ()
    barred: str = ""
    recipe: str = RECIPE
    from_kept_bytes: bool = False
    rows: tuple[str, ...] = ()
    replaced: str = ""
    refused: tuple[str, ...] = ()


CASES = {
    "no rejects at all": Case(accepted="x"),
    "a new reject waits": Case(now=[new("x1")], rows=("x1 enough_letters waits",), refused=("x1",)),
    "what could not be read was never refused": Case(
        now=[new("x1", stage="read", expectation="not_utf8")], rows=("x1 not_utf8 waits",)
    ),
    "the same reject in another run changes nothing": Case(before=[known("x1")], now=[new("x1")], refused=("x1",)),
    "under another recipe it is written anew": Case(
        before=[known("x1")],
        now=[new("x1")],
        recipe=OTHER_RECIPE,
        rows=("x1 enough_letters waits",),
        replaced="x",
        refused=("x1",),
    ),
    "with other metadata it is written anew": Case(
        before=[known("x1")],
        now=[new("x1", metadata=[("title", "t")])],
        rows=("x1 enough_letters waits",),
        replaced="x",
        refused=("x1",),
    ),
    "a new row about the same bytes takes the place of the old": Case(
        before=[known("x1")],
        now=[new("x1", expectation="length_in_limits")],
        rows=("x1 length_in_limits waits",),
        replaced="x",
        refused=("x1",),
    ),
    "other bytes of the same document wait beside it": Case(
        before=[known("x1")],
        now=[new("x2")],
        rows=("x1 enough_letters waits", "x2 enough_letters waits"),
        replaced="x",
        refused=("x2",),
    ),
    "a document that is accepted settles its reject": Case(
        before=[known("x1")], accepted="x", rows=("x1 enough_letters replayed",), replaced="x"
    ),
    "it settles all that wait of it": Case(
        before=[known("x1"), known("x2")],
        accepted="x",
        rows=("x1 enough_letters replayed", "x2 enough_letters replayed"),
        replaced="x",
    ),
    "it does not settle another record with its id": Case(before=[known("x1", **REPEATED)], accepted="x"),
    "what was settled before stays as it is": Case(before=[known("x1", replayed_in="earlier")], accepted="x"),
    "a document that is accepted leaves rejects of others alone": Case(before=[known("y1")], accepted="x"),
    "a reject of other bytes does not unsettle what was settled": Case(
        before=[known("x1", replayed_in="earlier")],
        now=[new("x2")],
        rows=("x1 enough_letters replayed earlier", "x2 enough_letters waits"),
        replaced="x",
        refused=("x2",),
    ),
    "the same bytes rejected after they were settled wait again": Case(
        before=[known("x1", replayed_in="earlier")],
        now=[new("x1")],
        rows=("x1 enough_letters replayed earlier", "x1 enough_letters waits"),
        replaced="x",
        refused=("x1",),
    ),
    "bytes that were read again and led elsewhere settle": Case(
        before=[known("x1")], replayed=("x1",), rows=("x1 enough_letters replayed",), replaced="x"
    ),
    "so does a record whose id another has": Case(
        before=[known("x1", **REPEATED)], replayed=("x1",), rows=("x1 repeated_id replayed",), replaced="x"
    ),
    "only the bytes that were read again settle": Case(
        before=[known("x1"), known("x2")],
        replayed=("x1",),
        rows=("x1 enough_letters replayed", "x2 enough_letters waits"),
        replaced="x",
    ),
    "bytes that were read again and refused wait on": Case(
        before=[known("x1")],
        now=[new("x1", expectation="length_in_limits")],
        replayed=("x1",),
        rows=("x1 length_in_limits waits",),
        replaced="x",
        refused=("x1",),
    ),
    "a reject read from its kept bytes keeps the words that name its place": Case(
        before=[known("x1", reason="line 7: few")],
        now=[new("x1", reason="line 1: few")],
        from_kept_bytes=True,
        refused=("x1",),
    ),
    "read from the input the words are news": Case(
        before=[known("x1", reason="line 7: few")],
        now=[new("x1", reason="line 8: few")],
        rows=("x1 enough_letters waits",),
        replaced="x",
        refused=("x1",),
    ),
    "a withdrawn reject gives way to the mark": Case(
        before=[known("x1")], now=[mark("x")], barred="x", rows=("x withdrawn waits",), replaced="x"
    ),
    "a withdrawn document gets its mark": Case(now=[mark("x")], barred="x", rows=("x withdrawn waits",)),
    "a document that is withdrawn twice has one mark": Case(
        before=[known("x", stage="withdraw", expectation=WITHDRAWN, reason="withdrawn")], now=[mark("x")], barred="x"
    ),
}


def changes(case: Case, folder: Path) -> RejectChanges:
    return reject_rows(
        version(folder, {"rejects": case.before}),
        write_rows(folder / "rejects.parquet", case.now, REJECTED),
        folder / "changes.parquet",
        Settling(
            accepted=DocIds.of(sorted(ids(case.accepted))),
            recipe_id=case.recipe,
            run_id="now",
            replayed=[key(name) for name in case.replayed],
            barred=ids(case.barred),
            from_kept_bytes=case.from_kept_bytes,
        ),
    )


def said(rows: Path) -> tuple[str, ...]:
    found = []
    for row in pq.read_table(rows).to_pylist():
        [name] = names([(row["doc_id"], row["content_sha256"])])
        settled = {None: "waits", "now": "replayed"}.get(row["replayed_in"], f"replayed {row['replayed_in']}")
        found.append(f"{name} {row['expectation']} {settled}")
    return tuple(sorted(found))


@pytest.mark.parametrize("span_bytes", [1 << 20, 200])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_rejects(case: Case, span_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one range of doc_ids, and in several."""
    monkeypatch.setattr("winnow.run.rejects._RANGE_BYTES", span_bytes)
    changed = changes(case, tmp_path)
    assert said(changed.rows) == case.rows
    assert letters(changed.replaced) == case.replaced
    assert names(changed.refused.iter_rows()) == set(case.refused)


def test_rows_to_write_are_those_of_this_run_and_its_recipe_and_keep_those_of_others(tmp_path: Path) -> None:
    rows = pq.read_table(changes(Case(before=[known("x1")], now=[new("x2")], recipe=OTHER_RECIPE), tmp_path).rows)
    assert rows.schema.equals(TABLES["rejects"])
    found = {r["content"]: (r["recipe_id"], r["run_id"]) for r in rows.to_pylist()}
    assert found == {b"1": (RECIPE, "before"), b"2": (OTHER_RECIPE, "now")}


def test_of_a_withdrawn_document_no_bytes_are_kept(tmp_path: Path) -> None:
    case = Case(before=[known("x1", replayed_in="earlier")], now=[mark("x")], barred="x")
    assert set(pq.read_table(changes(case, tmp_path).rows)["content"].to_pylist()) == {b""}


WAITING = {
    "none": ([], [], "", set()),
    "those of the previous version": ([known("x1"), known("y1")], [], "", {"x1", "y1"}),
    "new ones besides": ([known("x1")], [known("y1")], "", {"x1", "y1"}),
    "new ones in place of those replaced": ([known("x1"), known("y1")], [known("x2")], "x", {"x2", "y1"}),
    "none that a replay settled": ([known("x1", replayed_in="earlier")], [known("y1", replayed_in="now")], "", set()),
    "no mark of a withdrawal": ([known("x", stage="withdraw")], [known("y", stage="withdraw")], "", set()),
}


@pytest.mark.parametrize(("before", "rows", "replaced", "expected"), WAITING.values(), ids=WAITING)
def test_rejects_that_wait(
    before: list[Row], rows: list[Row], replaced: str, expected: set[str], tmp_path: Path
) -> None:
    new_rows = write_rows(tmp_path / "rows.parquet", rows, TABLES["rejects"])
    waiting = waiting_rejects(version(tmp_path, {"rejects": before}), new_rows, ids(replaced))
    assert names(waiting.select("doc_id", "content_sha256").iter_rows()) == expected


def origin(name: str, made: str) -> Row:
    doc_id, digest = key(name)
    return {"doc_id": doc_id, "content_sha256": digest, "made": IDS[made]}


ORIGINS = pa.schema([(name, pa.string()) for name in ("doc_id", "content_sha256", "made")])
ORIGIN_CASES = {
    "nothing was read again": ([], "x", set()),
    "its document is accepted now": ([origin("x1", "x")], "x", {"x1"}),
    "its document is refused again": ([origin("x1", "x")], "", set()),
    "its bytes make a document of another name": ([origin("x1", "y")], "", {"x1"}),
    "its bytes make several documents of other names": ([origin("x1", "y"), origin("x1", "z")], "y", {"x1"}),
    "one of the documents it makes is refused under its own name": (
        [origin("x1", "y"), origin("x1", "x"), origin("x1", "z")],
        "yz",
        set(),
    ),
    "each bytes of a document by themselves": ([origin("x1", "x"), origin("x2", "y"), origin("z1", "z")], "", {"x2"}),
}


@pytest.mark.parametrize(("rows", "accepted", "expected"), ORIGIN_CASES.values(), ids=ORIGIN_CASES)
def test_a_reject_that_was_read_again_is_settled_if(
    rows: list[Row], accepted: str, expected: set[str], tmp_path: Path
) -> None:
    whole = [write_rows(tmp_path / "all.parquet", rows, ORIGINS)]
    one_a_file = [write_rows(tmp_path / f"{n}.parquet", [row], ORIGINS) for n, row in enumerate(rows)]
    for files in (whole, one_a_file):
        assert names(replayed_keys(files, ids(accepted))) == expected


def replay(dataset: Dataset, reason: str | None = None, **read: Any) -> Run:
    order = RunOrder(into=str(dataset.root), intake="quarantine", reason=reason)
    return begin(dataset, Recipe.model_validate({"read": read}), order)


def read_again(run: Run) -> list[set[str]]:
    """The bytes in each file that a replay reads."""
    found = []
    for path in waiting_shards(run):
        rows = pq.read_table(path, schema=TABLES["rejects"])
        found.append(names(zip(rows["doc_id"].to_pylist(), rows["content_sha256"].to_pylist(), strict=True)))
    return found


QUARANTINE = [
    known("a1"),
    known("b2", stage="read", expectation="not_utf8"),
    known("c3", **REPEATED),
    known("d4", replayed_in="earlier"),
    known("e", stage="read", expectation="too_large"),
    known("f", stage="withdraw", expectation=WITHDRAWN),
    known("g5", stage="read", expectation="truncated"),
    known("h6", stage="read", expectation="truncated", row=7),
]
REASONS = {
    "all that has bytes and its own id": (None, [{"a1", "b2", "g5"}]),
    "those of one reason": ("not_utf8", [{"b2"}]),
    "records whose id another has, when they are asked for": ("repeated_id", [{"c3"}]),
    "nothing where there are no bytes": ("too_large", []),
    "a file that breaks off, and not the half record it breaks off in": ("truncated", [{"g5"}]),
}


@pytest.mark.parametrize(("reason", "expected"), REASONS.values(), ids=REASONS)
def test_a_replay_reads(reason: str | None, expected: list[set[str]], tmp_path: Path) -> None:
    assert read_again(replay(version(tmp_path, {"rejects": QUARANTINE}), reason)) == expected


@pytest.mark.parametrize("reason", ["nobody", WITHDRAWN])
def test_a_replay_for_a_reason_that_nothing_waits_for_names_those_there_are(reason: str, tmp_path: Path) -> None:
    run = replay(version(tmp_path, {"rejects": QUARANTINE}), reason)
    with pytest.raises(
        UsageError, match=r"reasons there are: enough_letters, not_utf8, repeated_id, too_large, truncated$"
    ):
        waiting_shards(run)


def test_before_the_first_version_a_replay_reads_nothing(tmp_path: Path) -> None:
    dataset = version(tmp_path, {})
    assert waiting_shards(replay(dataset)) == ()
    with pytest.raises(UsageError, match=r"reasons there are: none$"):
        waiting_shards(replay(dataset, "enough_letters"))


def test_a_large_quarantine_is_cut_into_shards_that_lose_nothing(tmp_path: Path) -> None:
    rows = [known("x1", content_sha256=f"{n:064x}", content=b"1" * 1000) for n in range(300)]
    shards = waiting_shards(replay(version(tmp_path, {"rejects": rows}), shard_mb=0.1))
    tables = [pq.read_table(path) for path in shards]
    assert len(shards) > 1
    assert max(t.nbytes for t in tables) < 0.1e6 + 64 * 1500  # one batch more than a shard's size
    found = [digest for t in tables for digest in t["content_sha256"].to_pylist()]
    assert sorted(found) == [row["content_sha256"] for row in rows]


def test_a_file_of_a_replay_is_named_after_its_rows_and_the_settings_it_is_read_under(tmp_path: Path) -> None:
    dataset = version(tmp_path, {"rejects": QUARANTINE})

    def named(run: Run) -> list[str]:
        return [path.stem for path in waiting_shards(run)]

    assert named(replay(dataset)) == named(replay(dataset))
    assert named(replay(dataset)) != named(replay(dataset, text_field="body"))
    assert named(replay(dataset)) != named(replay(dataset, "not_utf8"))


LISTED = {
    "all that wait": (None, False, "abcefgh"),
    "settled ones too": (None, True, "abcdefgh"),
    "one kind": ("enough_letters", False, "a"),
    "one kind with those that are settled": ("enough_letters", True, "ad"),
}


@pytest.mark.parametrize(("reason", "settled", "expected"), LISTED.values(), ids=LISTED)
def test_the_list_of_rejects_holds(reason: str | None, settled: bool, expected: str, tmp_path: Path) -> None:
    rows = rejects_of(version(tmp_path, {"rejects": QUARANTINE}), reason, settled)
    assert letters(row["doc_id"] for row in rows) == expected
    assert {row["source"]: row["bytes"] for row in rows}["a"] == 1
    assert all("content" not in row for row in rows)


def test_the_kinds_of_rejects_that_wait_are_counted_with_three_sources_each(tmp_path: Path) -> None:
    few = [known(name, source=f"source {name}") for name in "mnop"]
    found = kinds_of_rejects(version(tmp_path, {"rejects": [*few, *QUARANTINE[1:4], QUARANTINE[5]]}))
    assert [(kind.reason, kind.count, len(kind.examples)) for kind in found] == [
        ("enough_letters", 4, 3), ("not_utf8", 1, 1), ("repeated_id", 1, 1)
    ]  # fmt: skip
    assert found[0].examples == ("source m", "source n", "source o")


def test_the_list_of_rejects_of_an_unknown_kind_names_the_nearest(tmp_path: Path) -> None:
    dataset = version(tmp_path, {"rejects": QUARANTINE})
    with pytest.raises(UsageError, match="did you mean 'enough_letters'"):
        rejects_of(dataset, "enough_leters", False)
