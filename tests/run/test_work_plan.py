"""Which inputs and which rows have work: the rows of a case are records, ``x1`` being source x with content 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.publish.press import write_rows
from tests.run.small import IDS, LETTERS, OTHER_RECIPE, RECIPE, letters, sha, version

from winnow.base import files
from winnow.base.contracts import TABLES
from winnow.base.errors import UsageError
from winnow.base.records import doc_id_of
from winnow.base.staging import IDENTITIES, RAW, REJECTED
from winnow.publish.dataset import Dataset
from winnow.read import InputFile, InputFiles, hold
from winnow.run import identity_files, work_plan
from winnow.run.identity_files import IDENTITY
from winnow.run.jobs import ShardFiles
from winnow.run.work_plan import (
    WITHDRAWN,
    InputPlan,
    RowPlan,
    find_sources,
    no_inputs,
    plan_inputs,
    plan_rows,
)

Files = Mapping[str, str]
"""The records of each input file, by its name: ``{"a": "x1 y1"}``."""


def record(name: str, file: str) -> dict[str, Any]:
    """``x1`` in file a, as the columns that RAW, ``index`` and ``rejects`` share."""
    return {"doc_id": IDS[name[0]], "input": file, "content_sha256": sha(name[1:])}


def reject(name: str, file: str, **more: Any) -> dict[str, Any]:
    return {**record(name, file), "source": name[0], "recipe_id": RECIPE, "expectation": "enough_letters", **more}


def before(folder: Path, files: Files, rejects: Sequence[Mapping[str, Any]] = ()) -> Dataset:
    """The version that was made from `files` under RECIPE."""
    tables = {
        "inputs": [{"path": f, "sha256": sha(held), "recipe_id": RECIPE} for f, held in files.items()],
        "index": [{**record(r, f), "recipe_id": RECIPE} for f, held in files.items() for r in held.split()],
        "rejects": rejects,
    }
    return version(folder, tables)


def listed(folder: Path, files: Files) -> InputFiles:
    """The input files as they stand now."""
    for name, held in files.items():
        (folder / name).write_text(held)
    return InputFiles.of(hold(InputFile(name, str(folder / name), len(held))) for name, held in files.items())


def shards_of(folder: Path, files: Files) -> list[ShardFiles]:
    """One shard a file, as reading leaves them."""
    shards = []
    for name, held in files.items():
        shards.append(ShardFiles(folder, name))
        rows = [{**record(r, name), "row": n} for n, r in enumerate(held.split())]
        write_rows(shards[-1].raw, rows, RAW)
        write_rows(shards[-1].identities, rows, IDENTITIES)
        write_rows(shards[-1].read_rejects, [], REJECTED)
    return shards


@dataclass(frozen=True, kw_only=True)
class InputCase:
    before: Files = field(default_factory=dict)
    now: Files = field(default_factory=dict)
    recipe: str = RECIPE
    full: bool = False
    changed: str = ""
    unchanged: str = ""
    vanished: str = ""


INPUTS = {
    "before the first version every file is new": InputCase(now={"a": "x1", "b": "y1"}, changed="ab"),
    "a file with the same bytes needs no reading": InputCase(before={"a": "x1"}, now={"a": "x1"}, unchanged="a"),
    "a file with other bytes is read again": InputCase(
        before={"a": "x1", "b": "y1"}, now={"a": "x1", "b": "y2"}, changed="b", unchanged="a"
    ),
    "a file that is gone has vanished": InputCase(
        before={"a": "x1", "b": "y1"}, now={"b": "y1"}, unchanged="b", vanished="a"
    ),
    "a file under a new name is new, and its old name has vanished": InputCase(
        before={"a": "x1"}, now={"b": "x1"}, changed="b", vanished="a"
    ),
    "under another recipe every file is read again": InputCase(
        before={"a": "x1"}, now={"a": "x1"}, recipe=OTHER_RECIPE, changed="a"
    ),
    "a full run reads every file again": InputCase(before={"a": "x1"}, now={"a": "x1"}, full=True, changed="a"),
}


@pytest.mark.parametrize("case", INPUTS.values(), ids=INPUTS)
def test_inputs(case: InputCase, tmp_path: Path) -> None:
    plan = plan_inputs(listed(tmp_path, case.now), before(tmp_path, case.before), case.recipe, case.full)
    assert "".join(f.path for f in plan.changed) == case.changed
    assert "".join(plan.unchanged) == case.unchanged
    assert "".join(plan.vanished) == case.vanished


def test_documents_that_stand_in_another_row_have_moved_and_need_no_cleaning(tmp_path: Path) -> None:
    files = {"a": "x1 y1 z1"}
    index = [{**record(r, "a"), "recipe_id": RECIPE} for r in files["a"].split()]
    known = [{**record(r, "a"), "row": n} for n, r in enumerate(("x1", "y1"), 1)]
    copies = [{**record("z1", "a"), "kept_doc_id": IDS["x"]}]  # of a version that knew no rows
    refused = [reject("q1", "a", row=4), reject("r1", "a", row=5)]
    tables = {"index": index, "documents": known, "duplicates": copies, "rejects": refused}
    shard = ShardFiles(tmp_path, "a")
    now = ("x1", "r1", "y1", "q1", "z1")
    rows = [{**record(r, "a"), "row": n, "place": n + 1} for n, r in enumerate(now)]
    write_rows(shard.identities, rows, IDENTITIES)
    write_rows(shard.read_rejects, [], REJECTED)
    inputs = InputPlan(listed(tmp_path, files))
    plan = plan_rows([shard], inputs, version(tmp_path, tables), recipe_id=RECIPE)
    moved = zip(plan.moved.doc_ids, plan.moved.rows, strict=True)
    assert {LETTERS[doc_id]: row for doc_id, row in moved} == {"y": 3, "z": 5}
    assert plan.needs_cleaning(0).tolist() == [n == "r1" for n in now], "its row is to be told anew"


def test_records_under_another_name_replace_those_under_the_old_one(tmp_path: Path) -> None:
    dataset = before(tmp_path, {"a": "x1 y2 z3"}, [reject("q4", "a")])
    shards = shards_of(tmp_path, {"a": "u1 y2 v4"})
    inputs = InputPlan(listed(tmp_path, {"a": ""}))
    plan = plan_rows(shards, inputs, dataset, recipe_id=OTHER_RECIPE)
    assert letters(plan.renamed) == "x"
    assert plan.obsolete == {(IDS["q"], sha("4"))}
    assert not plan.withdrawn, "what is gone from a file stays without a mirror"


def test_a_run_without_input_leaves_every_input_as_it_is(tmp_path: Path) -> None:
    plan = no_inputs(before(tmp_path, {"b": "y1", "a": "x1"}))
    assert (len(plan.changed), list(plan.unchanged), len(plan.vanished)) == (0, ["a", "b"], 0)


@dataclass(frozen=True, kw_only=True)
class RowCase:
    before: Files = field(default_factory=dict)
    rejects: Sequence[Mapping[str, Any]] = ()
    now: Files = field(default_factory=dict)
    recipe: str = RECIPE
    full: bool = False
    mirror: bool = False
    barred: str = ""
    cleaned: str = ""
    replaced: str = ""
    withdrawn: str = ""
    skipped: Files = field(default_factory=dict)
    repeated: Files = field(default_factory=dict)
    unchanged: int = 0


LIFTED = {"expectation": WITHDRAWN, "replayed_in": "run"}
ROWS = {
    "before the first version every record is cleaned": RowCase(now={"a": "x1 y1", "b": "z1"}, cleaned="xyz"),
    "records of files that were not read are unchanged": RowCase(
        before={"a": "x1 y1"}, now={"a": "x1 y1"}, unchanged=2
    ),
    "of a changed file only new and changed records are cleaned": RowCase(
        before={"a": "x1 y1"},
        now={"a": "x1 y2 z1"},
        cleaned="yz",
        replaced="y",
        skipped={"a": "x1"},
        unchanged=1,
    ),
    "unchanged records are counted in files that were read and in those that were not": RowCase(
        before={"a": "x1 y1", "b": "z1"}, now={"a": "x1", "b": "z1"}, skipped={"a": "x1"}, unchanged=2
    ),
    "under another recipe the same content is cleaned again": RowCase(
        before={"a": "x1 y1"}, now={"a": "x1 y1"}, recipe=OTHER_RECIPE, cleaned="xy", replaced="xy"
    ),
    "a full run cleans everything again": RowCase(
        before={"a": "x1 y1"}, now={"a": "x1 y1"}, full=True, cleaned="xy", replaced="xy"
    ),
    "a record that moved to another file is cleaned again, for its row names the file": RowCase(
        before={"a": "x1", "b": "y1"}, now={"b": "y1 x1"}, cleaned="x", replaced="x", skipped={"b": "y1"}, unchanged=1
    ),
    "of two files that hold an id the first by name wins": RowCase(
        now={"b": "x1", "a": "x2"}, cleaned="x", skipped={"b": "x1"}, repeated={"b": "x1"}
    ),
    "of two records with one id in a file the smaller hash wins": RowCase(
        now={"a": "x1 x2"}, cleaned="x", skipped={"a": "x2"}, repeated={"a": "x2"}
    ),
    "the smaller hash wins from the later line too": RowCase(
        now={"a": "x2 x1"}, cleaned="x", skipped={"a": "x2"}, repeated={"a": "x2"}
    ),
    "a record that stands twice in a file is cleaned once": RowCase(
        now={"a": "x1 x1"}, cleaned="x", skipped={"a": "x1"}, repeated={"a": "x1"}
    ),
    "an id stays with an unchanged file that comes first by name": RowCase(
        before={"a": "x1"},
        now={"a": "x1", "b": "x2"},
        skipped={"b": "x2"},
        repeated={"b": "x2"},
        unchanged=1,
    ),
    "a changed file that comes first by name takes an id over": RowCase(
        before={"b": "x1"}, now={"a": "x2", "b": "x1"}, cleaned="x", replaced="x", unchanged=1
    ),
    "of an id that is unchanged a second record is still a repeat": RowCase(
        before={"a": "x1"}, now={"a": "x1 x2"}, skipped={"a": "x1 x2"}, repeated={"a": "x2"}, unchanged=1
    ),
    "what waits in quarantine under this recipe is not tried again": RowCase(
        before={"a": "y1"},
        rejects=[reject("x1", "a")],
        now={"a": "x1 y2"},
        cleaned="y",
        replaced="y",
        skipped={"a": "x1"},
        unchanged=1,
    ),
    "a reject is tried again under another recipe": RowCase(
        rejects=[reject("x1", "a", recipe_id=OTHER_RECIPE)], now={"a": "x1"}, cleaned="x"
    ),
    "a reject is tried again when its content changed": RowCase(
        rejects=[reject("x1", "a")], now={"a": "x2"}, cleaned="x"
    ),
    "a reject that a replay settled bars nothing": RowCase(
        rejects=[reject("x1", "a", replayed_in="run")], now={"a": "x1"}, cleaned="x"
    ),
    "a full run tries rejects again": RowCase(rejects=[reject("x1", "a")], now={"a": "x1"}, full=True, cleaned="x"),
    "a document that is withdrawn now leaves": RowCase(
        before={"a": "x1 y1"}, now={"a": "x1 y1"}, barred="x", withdrawn="x", unchanged=2
    ),
    "a document that is withdrawn while its file changes is not cleaned": RowCase(
        before={"a": "x1"}, now={"a": "x2"}, barred="x", withdrawn="x", skipped={"a": "x2"}
    ),
    "a document withdrawn earlier stays out, whatever its content": RowCase(
        rejects=[reject("x", "", expectation=WITHDRAWN)], now={"a": "x2 y1"}, cleaned="y", skipped={"a": "x2"}
    ),
    "a document withdrawn earlier stays out of a full run": RowCase(
        rejects=[reject("x", "", expectation=WITHDRAWN)], now={"a": "x1"}, full=True, skipped={"a": "x1"}
    ),
    "two records of a withdrawn document are no repeats": RowCase(
        rejects=[reject("x", "", expectation=WITHDRAWN)], now={"a": "x1 x2"}, skipped={"a": "x1 x2"}
    ),
    "a withdrawal that was lifted bars nothing": RowCase(
        rejects=[reject("x", "", **LIFTED)], now={"a": "x1"}, cleaned="x"
    ),
    "documents of a vanished file stay": RowCase(before={"a": "x1", "b": "y1"}, now={"b": "y1"}, unchanged=1),
    "documents of a vanished file leave a mirror": RowCase(
        before={"a": "x1", "b": "y1"}, now={"b": "y1"}, mirror=True, withdrawn="x", unchanged=1
    ),
    "a record that its file no longer holds stays": RowCase(
        before={"a": "x1 y1"}, now={"a": "y1"}, skipped={"a": "y1"}, unchanged=1
    ),
    "a record that its file no longer holds leaves a mirror": RowCase(
        before={"a": "x1 y1"}, now={"a": "y1"}, mirror=True, withdrawn="x", skipped={"a": "y1"}, unchanged=1
    ),
    "a record that moved from a vanished file stays in a mirror": RowCase(
        before={"a": "x1"}, now={"b": "x1"}, mirror=True, cleaned="x", replaced="x"
    ),
    "a record that moved between changed files stays in a mirror": RowCase(
        before={"a": "x1 y1", "b": "z1"},
        now={"a": "y1", "b": "z1 x1"},
        mirror=True,
        cleaned="x",
        replaced="x",
        skipped={"a": "y1", "b": "z1"},
        unchanged=2,
    ),
}


@pytest.mark.parametrize("case", ROWS.values(), ids=ROWS)
def test_rows(case: RowCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_plan, "RANGE_ROWS", 1)  # several ranges of doc_ids
    dataset = before(tmp_path, case.before, case.rejects)
    inputs = plan_inputs(listed(tmp_path, case.now), dataset, case.recipe, case.full)
    read = {f.path: case.now[f.path] for f in inputs.changed}
    barred = {IDS[letter]: letter for letter in case.barred}
    plan = plan_rows(
        shards_of(tmp_path, read),
        inputs,
        dataset,
        recipe_id=case.recipe,
        full=case.full,
        mirror=case.mirror,
        barred=barred,
    )
    check(plan, case, read)
    assert plan.barred == barred


def check(plan: RowPlan, case: RowCase, read: Files) -> None:
    assert letters(IDS[r[0]] for r in cleaned(plan, read)) == case.cleaned
    assert plan.fresh == len(case.cleaned)
    assert letters(plan.replaced) == case.replaced
    assert letters(plan.withdrawn) == case.withdrawn
    assert skipped(plan, read) == case.skipped
    assert by_file(enumerate(map(plan.repeated, range(len(read)))), read) == case.repeated
    assert plan.n_repeated == sum(len(records.split()) for records in case.repeated.values())
    assert plan.unchanged == case.unchanged


def cleaned(plan: RowPlan, read: Files) -> list[str]:
    return [
        record
        for shard, held in enumerate(read.values())
        for record, clean in zip(held.split(), plan.needs_cleaning(shard), strict=True)
        if clean
    ]


def skipped(plan: RowPlan, read: Files) -> Files:
    return by_file(((n, np.flatnonzero(~plan.needs_cleaning(n))) for n in range(len(read))), read)


def by_file(rows: Any, read: Files) -> Files:
    """Records by file, from numbers of shards and of their rows."""
    names = list(read)
    found = {names[shard]: [read[names[shard]].split()[r] for r in sorted(numbers)] for shard, numbers in rows}
    return {name: " ".join(records) for name, records in found.items() if records}


def test_the_choice_does_not_depend_on_the_order_of_shards(tmp_path: Path) -> None:
    dataset = before(tmp_path, {})
    files = {"b": "x1 y1", "a": "x2 z1", "c": "y2 z2"}
    inputs = plan_inputs(listed(tmp_path, files), dataset, RECIPE, full=False)
    for order in ("abc", "cba", "bca"):
        read = {name: files[name] for name in order}
        plan = plan_rows(shards_of(tmp_path, read), inputs, dataset, recipe_id=RECIPE)
        assert skipped(plan, read) == {"b": "x1", "c": "y2 z2"}, order


def test_files_that_the_plan_opens_grow_with_shards_and_versions_files_and_not_with_their_square(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan, opened, most = files.scan_parquet, [0], identity_files.MOST_FILES

    def counted(paths: Sequence[Path], **how: Any) -> Any:
        opened[0] += len(paths)
        return scan(paths, **how)

    monkeypatch.setattr(work_plan, "RANGE_ROWS", 8)
    for module in (work_plan, identity_files):
        monkeypatch.setattr(module, "scan_parquet", counted)
    found = []
    for size in (6, 12):  # shards, ranges of doc_ids, and files of the index
        folder = tmp_path / f"{size}"
        records = [
            {"doc_id": doc_id_of(f"{n}"), "content_sha256": sha("1"), "input": "a", "arrival": 1}
            for n in range(8 * size)
        ]
        shards = []
        for n in range(size):
            rows = [{k: record[k] for k in IDENTITY} | {"row": row} for row, record in enumerate(records[n::size])]
            shards.append(ShardFiles(folder, f"{n}"))
            write_rows(shards[-1].identities, sorted(rows, key=itemgetter("doc_id")), IDENTITIES)
            write_rows(shards[-1].read_rejects, [], REJECTED)
        half = sorted((r for n, r in enumerate(records) if n % 3 == 0), key=itemgetter("doc_id"))
        size_of_file = -(-len(half) // size)
        index = [half[n : n + size_of_file] for n in range(0, len(half), size_of_file)]
        paths = [write_rows(folder / f"index-{n}.parquet", rows, TABLES["index"]) for n, rows in enumerate(index)]
        dataset = Published(folder / "dataset", held={"index": paths})
        inputs = plan_inputs(InputFiles.of(()), dataset, RECIPE, full=False)
        plans = []
        for merged_by in (2, most):
            monkeypatch.setattr(identity_files, "MOST_FILES", merged_by)
            opened[0] = 0
            plans.append(plan_rows(shards, inputs, dataset, recipe_id=RECIPE, work=folder))
            found.append(opened[0])
        merged, plain = plans
        assert [rows.tolist() for rows in merged.rows] == [rows.tolist() for rows in plain.rows]
        assert (merged.fresh, merged.replaced, merged.unchanged) == (plain.fresh, plain.replaced, plain.unchanged)
        assert (merged.fresh, len(merged.replaced)) == (8 * size, len(half))
        assert not (folder / "plan").exists()
    small, _, large, unmerged = found
    assert large <= 2.5 * small
    assert large < unmerged  # some of each of 12 shards for each range


@dataclass(frozen=True)
class Published(Dataset):
    """A dataset whose last version has these files."""

    held: Mapping[str, Sequence[Path]] = field(default_factory=dict)

    def files(self, table: str, version: int | None = None) -> list[Path]:
        return list(self.held.get(table, ()))


def test_rows_read_from_quarantine_are_cleaned_though_they_were_settled_as_rejects(tmp_path: Path) -> None:
    dataset = before(tmp_path, {"a": "y1"}, [reject("x1", "a")])
    inputs = no_inputs(dataset)
    plan = plan_rows(shards_of(tmp_path, {"a": "x1"}), inputs, dataset, recipe_id=RECIPE, full=True)
    check(plan, RowCase(cleaned="x", unchanged=1), {"a": "x1"})


SOURCES = {
    "a published document by its source": (["x"], "x"),
    "a published document by its doc_id": ([IDS["x"]], "x"),
    "a copy": (["y"], "y"),
    "a reject": (["z"], "z"),
    "several at once, one of them twice": (["x", "y", IDS["x"]], "xy"),
    "nothing": ([], ""),
}


@pytest.fixture
def three_kinds(tmp_path: Path) -> Dataset:
    tables = zip(("documents", "duplicates", "rejects"), "xyz", strict=True)
    return version(tmp_path, {table: [{"doc_id": IDS[s], "source": s}] for table, s in tables})


@pytest.mark.parametrize(("names", "found"), SOURCES.values(), ids=SOURCES)
def test_a_withdrawal_means(names: list[str], found: str, three_kinds: Dataset) -> None:
    assert find_sources(three_kinds, names) == {IDS[letter]: letter for letter in found}


def test_a_withdrawal_of_something_unknown_names_it(three_kinds: Dataset) -> None:
    with pytest.raises(UsageError, match=r"no document has the source or doc_id 'nobody'$"):
        find_sources(three_kinds, ["x", "nobody"])
