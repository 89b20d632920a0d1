"""From input files to repaired documents that may be published: read, repair, check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from winnow.base.errors import WinnowError, is_full_disk
from winnow.base.staging import RAW, REJECTED, key_of, write_parquet
from winnow.read import list_inputs_and_skipped, plan_shards
from winnow.repair import rule_versions
from winnow.run.executor import InlineExecutor, map_shards
from winnow.run.jobs import ShardFiles, read_job, repair_job, reread_job
from winnow.run.rejects import waiting_shards
from winnow.run.run_context import Run
from winnow.run.work_plan import WITHDRAWN, InputPlan, RowPlan, find_sources, no_inputs, plan_inputs, plan_rows
from winnow.validate.quarantine import reject_failures
from winnow.validate.rows import Failure, check_rows, gathered

MEASURES = ["doc_id", "n_chars", "n_words", "letter_share", "residual_markup"]


@dataclass(frozen=True, slots=True)
class Documents:
    """What was read: the shards' files, which inputs and rows there is work for, and counts.

    ``replayed`` are the files of rejects that the shards were read from, where they did not come from the input.
    """

    shards: tuple[ShardFiles, ...]
    inputs: InputPlan
    rows: RowPlan
    counts: dict[str, int]
    skipped: tuple[str, ...]
    replayed: tuple[Path, ...] = ()

    @property
    def nothing_to_do(self) -> bool:
        return not (self.shards or self.inputs.changed or self.rows.withdrawn or self.rows.barred)


@dataclass(frozen=True, slots=True)
class Repaired:
    """Shards with ``repair_key`` set; counts of edits by rule."""

    shards: tuple[ShardFiles, ...]
    counts: dict[str, int]
    rules: dict[str, int]


@dataclass(frozen=True, slots=True)
class Checked:
    """Documents that broke a row rule, and one Parquet file with the rejects of all stages so far."""

    failures: tuple[Failure, ...]
    rejects: Path

    @property
    def doc_ids(self) -> frozenset[str]:
        return frozenset(f.doc_id for f in self.failures)


def worth_retrying(task: Any, run: Any, state: Any) -> bool:
    """Retry what storage or a server may do better next time; never what Winnow refuses on purpose, nor a full disk."""
    try:
        state.result()
    except (WinnowError, ValueError, TypeError, KeyError, AttributeError):
        return False
    except Exception as error:
        return not is_full_disk(error)
    return False


def unchanged(run: Run) -> Documents | None:
    """What `read` would say, if every input is as the last version has it; None where there is work to do."""
    listing = list_inputs_and_skipped(run.source, [run.dataset.root])
    plan = plan_inputs(listing.files, run.dataset, run.recipe_id, run.full)
    if plan.changed or (run.mirror and plan.vanished):
        return None
    return read(run, InlineExecutor())


def read(run: Run, executor: Executor) -> Documents:
    """List the inputs, leave out the files that did not change, and decode the others shard by shard."""
    if run.intake != "source":
        return _read_without_input(run, executor)
    listing = list_inputs_and_skipped(run.source, [run.dataset.root])
    plan = plan_inputs(listing.files, run.dataset, run.recipe_id, run.full)
    settings = run.recipe.read
    # Reading does not depend on the other sections: a changed repair rule finds its input read already.
    reading = settings.model_dump(mode="json")
    shards = plan_shards(plan.changed, settings.shard_mb)
    files = tuple(
        ShardFiles(
            run.staging,
            key_of(
                "read 1",
                reading,
                [(s.file.path, plan.sha256[s.file.path], s.start, s.end) for s in shard.spans],
            ),
        )
        for shard in shards
    )
    results = map_shards(executor, read_job, shards, files, [settings] * len(shards), progress=run.progress("read"))
    barred = find_sources(run.dataset, run.withdraw)
    rows = plan_rows(files, plan, run.dataset, recipe_id=run.recipe_id, full=run.full, mirror=run.mirror, barred=barred)
    counts = {k: sum(r[k] for r in results) for k in ("documents", "rejects", "chars")}
    counts |= {
        "inputs": len(listing.files),
        "unchanged": rows.unchanged,
        "repeated_ids": rows.repeated.height,
    }
    return Documents(files, plan, rows, counts, tuple(f"{s.path}: not read, {s.reason}" for s in listing.skipped))


def _read_without_input(run: Run, executor: Executor) -> Documents:
    """The rejects that wait, decoded again from their bytes, where the run's intake is the quarantine."""
    plan = no_inputs(run.dataset)
    again = waiting_shards(run) if run.intake == "quarantine" else ()
    files = tuple(ShardFiles(run.staging, key) for key, _ in again)
    settings = [run.recipe.read] * len(files)
    waiting = [path for _, path in again]
    results = map_shards(executor, reread_job, waiting, files, settings, progress=run.progress("read"))
    barred = find_sources(run.dataset, run.withdraw)
    # They were settled once, as rejects; to say so again would be to skip them.
    rows = plan_rows(files, plan, run.dataset, recipe_id=run.recipe_id, full=True, barred=barred)
    counts = {k: sum(r[k] for r in results) for k in ("documents", "rejects", "chars")}
    counts |= {"inputs": 0, "unchanged": rows.unchanged, "repeated_ids": rows.repeated.height}
    return Documents(files, plan, rows, counts, (), tuple(waiting))


def repair(run: Run, executor: Executor, documents: Documents) -> Repaired:
    """Repair every row that needs work."""
    settings = run.recipe.repair
    versions = rule_versions()
    shards = tuple(
        ShardFiles(
            files.folder,
            files.read_key,
            key_of(
                "repair 1",
                files.read_key,
                settings.model_dump(mode="json"),
                versions,
                documents.rows.skip[number],
            ),
        )
        for number, files in enumerate(documents.shards)
    )
    results = map_shards(
        executor,
        repair_job,
        shards,
        documents.rows.skip,
        [settings] * len(shards),
        progress=run.progress("repair"),
    )
    rules: Counter[str] = Counter()
    for result in results:
        rules.update(result["rules"])
    names = ("documents", "rejects", "edits", "suspicions", "chars_in", "chars_out")
    counts = {k: sum(r[k] for r in results) for k in names}
    return Repaired(shards, counts, dict(rules.most_common()))


def check(run: Run, documents: Documents, repaired: Repaired) -> Checked:
    """Judge every repaired document by its measures, before any of them can be the copy that is kept.

    Writes the rejects of this run: unreadable, repeated ids, failed repairs, and rows that break an expectation.
    """
    failures: list[Failure] = []
    for rows in gathered(pq.read_table(shard.repaired, columns=MEASURES) for shard in repaired.shards):
        failures += check_rows(rows.to_pandas(), run.recipe.validate_)
    path = run.work / "rejects.parquet"
    write_parquet(path, _rejects(documents, repaired, failures), REJECTED)
    run.log(f"check: {len({f.doc_id for f in failures})} documents break a rule", "check")
    return Checked(tuple(failures), path)


def _rejects(documents: Documents, repaired: Repaired, failures: list[Failure]) -> Iterator[pa.Table]:
    yield _withdrawn_marks(documents.rows.barred)
    failed = sorted({f.doc_id for f in failures})
    for number, shard in enumerate(repaired.shards):
        yield pq.read_table(shard.unread, schema=REJECTED)
        yield _with_bytes(shard, pq.read_table(shard.broken, schema=REJECTED))
        rows = documents.rows.repeated.filter(pl.col("shard") == number)["row"]
        if len(rows):
            yield _repeated_ids(shard, rows.to_list())
        if failed:
            table = pads.dataset(str(shard.raw), schema=RAW).to_table(filter=pads.field("doc_id").isin(failed))
            if table.num_rows:
                yield reject_failures(table.to_pylist(), failures)


def _with_bytes(shard: ShardFiles, broken: pa.Table) -> pa.Table:
    """Rejects of the repair with the bytes as they were read, so that a replay reads what the first run read."""
    if not broken.num_rows:
        return broken
    ids = pa.array(sorted(set(broken["doc_id"].to_pylist())), pa.string())
    among = pads.field("doc_id").isin(ids)
    raw = pads.dataset(str(shard.raw), schema=RAW).to_table(["doc_id", "content"], filter=among)
    kept = {row["doc_id"]: row["content"] for row in raw.to_pylist() if row["content"] is not None}
    rows = [{**r, "content": kept.get(r["doc_id"], r["content"])} for r in broken.to_pylist()]
    return pa.Table.from_pylist(rows, schema=REJECTED)


def _withdrawn_marks(barred: Mapping[str, str]) -> pa.Table:
    """A reject without content for each document that a person withdrew: it says why the document stays out."""
    said = "withdrawn by a person; a rollback to a version that has it brings it back"
    rows = [
        {
            "doc_id": doc_id, "source": source, "stage": "withdraw", "reason": f"{source}: {said}",
            "expectation": WITHDRAWN, "content": b"", "metadata": {}, "input": "",
        }
        for doc_id, source in sorted(barred.items())
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=REJECTED)


def _repeated_ids(shard: ShardFiles, rows: list[int]) -> pa.Table:
    table = pq.read_table(shard.raw, schema=RAW).take(rows)
    rejects = [
        {
            "doc_id": row["doc_id"],
            "source": row["source"],
            "stage": "read",
            "reason": f"{row['input']}: another record has the id {row['source']!r}; give each record its own",
            "expectation": "repeated_id",
            "content": row["content"] if row["content"] is not None else row["text"].encode("utf-8"),
            "metadata": row["metadata"],
            "input": row["input"],
        }
        for row in table.to_pylist()
    ]
    return pa.Table.from_pylist(rejects, schema=REJECTED)
