"""From input files to repaired documents that may be published: read, repair, check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from winnow.base.staging import RAW, REJECTED, key_of, write_parquet
from winnow.read import Listing, list_inputs, plan_shards
from winnow.repair import rule_versions
from winnow.run.executor import InlineExecutor, map_shards
from winnow.run.jobs import ReadCounts, RepairCounts, ShardFiles, read_job, repair_job, reread_job
from winnow.run.rejects import waiting_shards
from winnow.run.run_context import Run
from winnow.run.work_plan import WITHDRAWN, InputPlan, RowPlan, find_sources, no_inputs, plan_inputs, plan_rows
from winnow.validate.expectations import Failure, check_rows, merge_small_tables
from winnow.validate.reject_rows import reject_failures

MEASURES = ["doc_id", "n_chars", "n_words", "letter_share", "residual_markup"]


@dataclass(slots=True, kw_only=True)
class InputCounts(ReadCounts):
    """What was read in a run; ``unchanged`` are documents that needed no work, ``repeated_ids`` records left out."""

    inputs: int
    unchanged: int
    repeated_ids: int


@dataclass(frozen=True, slots=True)
class Documents:
    """What was read: the shards' files, which inputs and rows there is work for, and counts.

    ``replayed`` are the files of rejects that the shards were read from, where they did not come from the input.
    """

    shards: tuple[ShardFiles, ...]
    inputs: InputPlan
    rows: RowPlan
    counts: InputCounts
    skipped: tuple[str, ...]
    replayed: tuple[Path, ...] = ()

    @property
    def nothing_to_do(self) -> bool:
        return not (self.shards or self.inputs.changed or self.rows.withdrawn or self.rows.barred)


@dataclass(frozen=True, slots=True)
class Repaired:
    """Shards with ``repair_key`` set, and counts over all of them."""

    shards: tuple[ShardFiles, ...]
    counts: RepairCounts


@dataclass(frozen=True, slots=True)
class Checked:
    """Documents that broke a row rule, and one Parquet file with the rejects of all stages so far."""

    failures: tuple[Failure, ...]
    rejects: Path

    @property
    def doc_ids(self) -> frozenset[str]:
        return frozenset(f.doc_id for f in self.failures)


def unchanged(run: Run) -> Documents | None:
    """What `read` would say, if every input is as the last version has it; None where there is work to do."""
    plan = plan_inputs(_list_inputs(run).files, run.dataset, run.recipe_id, run.order.full)
    if plan.changed or (run.order.mirror and plan.vanished):
        return None
    return read(run, InlineExecutor())


def read(run: Run, executor: Executor) -> Documents:
    """List the inputs, leave out the files that did not change, and decode the others shard by shard."""
    if run.order.intake != "source":
        return _read_without_input(run, executor)
    listing = _list_inputs(run)
    plan = plan_inputs(listing.files, run.dataset, run.recipe_id, run.order.full)
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
    barred = find_sources(run.dataset, run.order.withdraw)
    rows = plan_rows(
        files, plan, run.dataset,
        recipe_id=run.recipe_id, full=run.order.full, mirror=run.order.mirror, barred=barred,
    )  # fmt: skip
    counts = _input_counts(results, rows, len(listing.files))
    return Documents(files, plan, rows, counts, tuple(f"{s.path}: not read, {s.reason}" for s in listing.skipped))


def _read_without_input(run: Run, executor: Executor) -> Documents:
    """The rejects that wait, decoded again from their bytes, where the run's intake is the quarantine."""
    plan = no_inputs(run.dataset)
    again = waiting_shards(run) if run.order.intake == "quarantine" else ()
    files = tuple(ShardFiles(run.staging, key) for key, _ in again)
    settings = [run.recipe.read] * len(files)
    waiting = [path for _, path in again]
    results = map_shards(executor, reread_job, waiting, files, settings, progress=run.progress("read"))
    barred = find_sources(run.dataset, run.order.withdraw)
    # They were settled once, as rejects; to say so again would be to skip them.
    rows = plan_rows(files, plan, run.dataset, recipe_id=run.recipe_id, full=True, barred=barred)
    return Documents(files, plan, rows, _input_counts(results, rows, 0), (), tuple(waiting))


def _list_inputs(run: Run) -> Listing:
    return list_inputs(run.order.source, [run.dataset.root])


def _input_counts(shards: Sequence[ReadCounts], rows: RowPlan, inputs: int) -> InputCounts:
    return InputCounts(
        documents=sum(s.documents for s in shards),
        rejects=sum(s.rejects for s in shards),
        chars=sum(s.chars for s in shards),
        inputs=inputs,
        unchanged=rows.unchanged,
        repeated_ids=rows.repeated.height,
    )


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
        rules.update(result.rules)
    counts = RepairCounts(
        documents=sum(r.documents for r in results),
        rejects=sum(r.rejects for r in results),
        edits=sum(r.edits for r in results),
        suspicions=sum(r.suspicions for r in results),
        chars_in=sum(r.chars_in for r in results),
        chars_out=sum(r.chars_out for r in results),
        rules=dict(rules.most_common()),
    )
    return Repaired(shards, counts)


def check(run: Run, documents: Documents, repaired: Repaired) -> Checked:
    """Judge every repaired document by its measures, before any of them can be the copy that is kept.

    Writes the rejects of this run: unreadable, repeated ids, failed repairs, and rows that break an expectation.
    """
    failures: list[Failure] = []
    for rows in merge_small_tables(pq.read_table(shard.repaired, columns=MEASURES) for shard in repaired.shards):
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
