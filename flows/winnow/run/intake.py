"""From input files to repaired documents that may be published: read, repair, check."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from winnow.base.errors import InputChanged, UsageError
from winnow.base.files import arrow_dataset, at_hand, parquet_file, read_ahead
from winnow.base.recipe import NOT_SHAPING, ReadSettings
from winnow.base.records import REPEATED_ID
from winnow.base.staging import RAW, REJECTED, key_of, sha256_of, write_parquet
from winnow.publish.reviews import review_path
from winnow.read import InputFiles, Listing, Shard, SkippedFiles, hold, list_inputs, plan_shards
from winnow.repair import repair_versions
from winnow.run.executor import map_shards
from winnow.run.jobs import ReadCounts, RepairCounts, ShardFiles, read_job, repair_job, reread_job
from winnow.run.rejects import waiting_shards
from winnow.run.run_context import Run
from winnow.run.summary import files_in_words, not_read
from winnow.run.table_checks import check_repaired
from winnow.run.work_plan import (
    WITHDRAWN,
    InputPlan,
    RowPlan,
    contested_inputs,
    find_sources,
    no_inputs,
    plan_inputs,
    plan_rows,
)
from winnow.validate.expectations import Failure, load_great_expectations
from winnow.validate.facts import mean_residual_markup
from winnow.validate.reject_rows import reject_failures


@dataclass(frozen=True, slots=True, kw_only=True)
class InputCounts:
    """What was read in a run.

    ``unchanged`` are documents that needed no work, ``repeated_ids`` records whose id another has, ``left_out``
    records that hold no document.
    """

    documents: int
    rejects: int
    chars: int
    inputs: int
    not_read: int
    unchanged: int
    repeated_ids: int
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """What was read: the shards' files, which inputs and rows there is work for, counts, and what was not read.

    ``left_out`` counts the records without a document by the input file they stand in.
    ``erased`` says that documents were erased from the last version, so that others are to be compared anew.
    ``made_from`` is the same for a run that would make the same version of the same input, and empty for one that reads
    no input.
    """

    shards: tuple[ShardFiles, ...]
    inputs: InputPlan
    rows: RowPlan
    counts: InputCounts
    left_out: Mapping[str, int]
    skipped: SkippedFiles
    made_from: str
    erased: bool = False

    @property
    def nothing_to_do(self) -> bool:
        rows = self.rows
        return not (self.shards or self.inputs.changed or rows.withdrawn or rows.obsolete or rows.barred or self.erased)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """Shards with ``repair_key`` set, and counts over all of them."""

    shards: tuple[ShardFiles, ...]
    counts: RepairCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The doc_ids of documents that broke a row rule, and one Parquet file with the rejects of all stages so far.

    ``mean_residual_markup`` is over all that were repaired.
    """

    failed: frozenset[str]
    rejects: Path
    mean_residual_markup: float


def read_if_unchanged(run: Run) -> Documents | None:
    """Returns what `read` returns if every input is as the last version has it; None where there is work to do."""
    listing, inputs = plan_source(run)
    if (
        _is_erased_from(run)
        or inputs.changed
        or (run.order.mirror and len(inputs.vanished))
        or contested_inputs((), inputs, run.dataset)
    ):
        return None
    return _documents(run, listing, inputs, (), [])


def read(run: Run, executor: Executor) -> Documents:
    """Lists the inputs, leaves out the files that did not change, and decodes the others shard by shard.

    Where the run's intake is the quarantine, the rejects that wait are decoded again from their bytes.
    """
    order, settings, progress = run.order, run.recipe.read, run.progress("read")
    listing = Listing(InputFiles.of(()), SkippedFiles.of(()))
    if order.intake == "source":
        listing, inputs, files, results = _read_source(run, executor)
    else:
        inputs = no_inputs(run.dataset)
        waiting = waiting_shards(run) if order.intake == "quarantine" else ()
        files = tuple(ShardFiles(run.staging, path.stem) for path in waiting)
        results = map_shards(executor, reread_job, waiting, files, [settings] * len(files), progress=progress)
    return _documents(run, listing, inputs, files, results, executor)


def _documents(
    run: Run,
    listing: Listing,
    inputs: InputPlan,
    files: tuple[ShardFiles, ...],
    results: Sequence[ReadCounts],
    executor: Executor | None = None,
) -> Documents:
    order = run.order
    # A reject that is read again was settled once, and would be skipped for it.
    rows = plan_rows(
        files,
        inputs,
        run.dataset,
        recipe_id=run.recipe_id,
        full=order.full or order.intake != "source",
        mirror=order.mirror,
        barred=find_sources(run.dataset, order.withdraw),
        executor=executor,
        work=run.work,
    )
    read = sum(results, ReadCounts())
    counts = InputCounts(
        documents=read.documents,
        rejects=read.rejects,
        chars=read.chars,
        inputs=len(listing.files),
        not_read=len(listing.skipped),
        unchanged=rows.unchanged,
        repeated_ids=rows.n_repeated,
        left_out=sum(read.left_out.values()),
    )
    return Documents(
        shards=files,
        inputs=inputs,
        rows=rows,
        counts=counts,
        left_out=read.left_out,
        skipped=listing.skipped,
        made_from=made_from(run, listing),
        erased=_is_erased_from(run),
    )


def _is_erased_from(run: Run) -> bool:
    """Whether documents were erased from the last version since it was published."""
    last = run.dataset.latest_manifest()
    return last is not None and bool(last.erased)


def _read_source(run: Run, executor: Executor) -> tuple[Listing, InputPlan, tuple[ShardFiles, ...], list[ReadCounts]]:
    """Reads the files that changed, and unchanged ones that hold an id which is won or lost by what was read.

    A file that changes while it is read is listed and read anew; one that does so again is a reject of this run.
    """
    restless: set[str] = set()
    for attempt in count():
        listing = _list_inputs(run, restless if attempt > 1 else ())
        inputs = _plan_inputs(run, listing)
        for entry in listing.idle:
            run.log(f"read.sources: no file belongs to {entry.called!r}; check its glob and those before it", "read")
        try:
            files, results = _read_files(run, executor, inputs.changed)
            while contested := contested_inputs(files, inputs, run.dataset, executor, run.work):
                again = listing.files.where(
                    pc.is_in(listing.files.paths, pa.array(sorted(contested), pa.large_string()))
                )
                inputs = inputs.reading(again)
                more, counts = _read_files(run, executor, again)
                files, results = (*files, *more), [*results, *counts]
            return listing, inputs, files, results
        except InputChanged as changed:
            restless.add(changed.path)
            run.log(f"{changed.path} changed while it was read; the source is read again", "read")
    raise AssertionError


def _read_files(run: Run, executor: Executor, inputs: InputFiles) -> tuple[tuple[ShardFiles, ...], list[ReadCounts]]:
    settings = run.recipe.read
    shards = plan_shards(inputs, settings)
    files = tuple(ShardFiles(run.staging, _read_key(shard, settings)) for shard in shards)
    progress = run.progress("read")
    results = map_shards(executor, read_job, shards, files, [settings] * len(files), progress=progress)
    if changed := next((r for r in results if isinstance(r, InputChanged)), None):
        raise changed
    return files, [r for r in results if not isinstance(r, InputChanged)]


def plan_source(run: Run) -> tuple[Listing, InputPlan]:
    """The input files, each with what it holds now, and which of them a run has to read."""
    listing = _list_inputs(run)
    return listing, _plan_inputs(run, listing)


def _plan_inputs(run: Run, listing: Listing) -> InputPlan:
    skipped = listing.skipped.paths
    closed = skipped.filter(pc.ends_with(skipped, "/")).to_pylist()  # folders that could not be entered
    order = run.order
    return plan_inputs(listing.files, run.dataset, run.recipe_id, order.full, order.mirror, closed)


def _list_inputs(run: Run, restless: Collection[str] = ()) -> Listing:
    """The input files, each with what it holds now."""
    listing = list_inputs(run.order.source, [run.dataset.root], run.recipe.read)
    if run.order.strict:
        refuse_unknown_files(listing)
    fault = "changes while it is read; run again when it is written whole"
    held = (replace(f, fault=fault) if f.path in restless else hold(f) for f in listing.files)
    return replace(listing, files=InputFiles.of(held))


def made_from(run: Run, listing: Listing) -> str:
    if run.order.intake != "source":
        return ""
    settings = run.recipe.model_dump(mode="json", exclude=set(NOT_SHAPING))
    asked = run.order.full, run.order.mirror
    files = hashlib.sha256()
    for file in listing.files:
        files.update(key_of(file.path, file.sha256, file.fault).encode())
    return key_of("made from 2", run.recipe_id, settings, asked, files.hexdigest(), *_reviews_asked_for(run))


def _reviews_asked_for(run: Run) -> list[str]:
    """What people said of the last version, where the gate asks for it: said since, the gate is to be asked again."""
    number = run.dataset.latest_version()
    path = review_path(run.dataset, number or 0)
    return [sha256_of(path)] if run.recipe.validate_.min_review_precision and path.is_file() else []


def input_of(run: Run) -> str:
    """What a run of this order would be made from, as the input is now."""
    return made_from(run, _list_inputs(run))


def refuse_unknown_files(listing: Listing) -> None:
    """Raises UsageError where something was left out that nobody chose to leave out."""
    if unknown := [s for s in listing.skipped if not s.meant]:
        kinds = "\n".join(f"  {kind}" for kind in not_read(unknown))
        raise UsageError(
            f"--strict: {files_in_words(len(unknown))} cannot be read; nothing was done\n{kinds}\n"
            "move them elsewhere, hide them (a name that begins with a dot), or run without --strict"
        )


def _read_key(shard: Shard, settings: ReadSettings) -> str:
    """Reading does not depend on the other sections: a changed repair rule finds its input read already."""
    spans = [(s.file.path, s.file.sha256, s.file.fault, s.start, s.end) for s in shard.spans]
    return key_of("read 5", settings.model_dump(mode="json"), spans)


def repair(run: Run, executor: Executor, documents: Documents) -> Repaired:
    """Repairs every row that needs work."""
    load_great_expectations()  # the check that follows needs it, and this process waits for its workers
    settings, progress = run.recipe.repair, run.progress("repair")
    cleaned = [np.packbits(documents.rows.needs_cleaning(n)).tobytes() for n in range(len(documents.shards))]
    rules = settings.model_dump(mode="json"), repair_versions(settings)
    languages = [run.recipe.read.languages] * len(documents.shards)
    shards = tuple(
        replace(files, repair_key=key_of("repair 4", files.read_key, *rules, bits.hex()))
        for files, bits in zip(documents.shards, cleaned, strict=True)
    )
    results = map_shards(executor, repair_job, shards, cleaned, [settings] * len(shards), languages, progress=progress)
    return Repaired(shards=shards, counts=sum(results, RepairCounts()))


def check(run: Run, executor: Executor, documents: Documents, repaired: Repaired) -> Checked:
    """Judges every repaired document by its measures, before any of them can be the copy that is kept.

    Writes the rejects of this run: unreadable, repeated ids, failed repairs, and rows that break an expectation.
    """
    files = [shard.repaired for shard in repaired.shards]
    failures, markup = check_repaired(files, run.recipe.validate_, executor)
    path = run.work / "rejects.parquet"
    write_parquet(path, _rejects(documents, repaired, failures), REJECTED)
    failed = frozenset(f.doc_id for f in failures)
    run.log(f"check: {len(failed)} documents break a rule", "check")
    return Checked(failed=failed, rejects=path, mean_residual_markup=mean_residual_markup(markup))


def _rejects(documents: Documents, repaired: Repaired, failures: list[Failure]) -> Iterator[pa.Table]:
    yield _withdrawn_marks(documents.rows.barred)
    failed = sorted({f.doc_id for f in failures})
    rejects = [(shard.read_rejects, shard.repair_rejects) for shard in repaired.shards]
    fetched = read_ahead(lambda paths: [*map(at_hand, paths)], rejects)  # and not held, for they may be large
    for number, (shard, _) in enumerate(zip(repaired.shards, fetched, strict=True)):
        yield pq.read_table(at_hand(shard.read_rejects), schema=REJECTED)
        cleaned = documents.rows.needs_cleaning(number)
        yield _failed_repairs(shard, cleaned)
        if len(rows := documents.rows.repeated(number)):
            yield _repeated_ids(shard, rows)
        if failed and (rows_read := _rows_read(shard, cleaned, failed)):
            yield reject_failures(rows_read, failures)


def _rows_read(shard: ShardFiles, cleaned: NDArray[np.bool_], doc_ids: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of these documents as they were read; not those of other records that bear the same id."""
    ids = parquet_file(shard.raw).read(["doc_id"])["doc_id"]
    wanted = pc.is_in(ids, pa.array(doc_ids, pa.string())).to_numpy() & cleaned
    rows: list[dict[str, Any]] = []
    if wanted.any():
        rows = arrow_dataset([shard.raw], RAW).take(np.flatnonzero(wanted)).to_pylist()
    return rows


def _failed_repairs(shard: ShardFiles, cleaned: NDArray[np.bool_]) -> pa.Table:
    """Returns the rejects of the repair with the bytes as they were read, so that a replay reads those again."""
    rejects = pq.read_table(at_hand(shard.repair_rejects), schema=REJECTED)
    if not rejects.num_rows:
        return rejects
    raw = _rows_read(shard, cleaned, rejects["doc_id"].to_pylist())
    as_read = {row["doc_id"]: row["content"] for row in raw if row["content"] is not None}
    rows = [{**r, "content": as_read.get(r["doc_id"], r["content"])} for r in rejects.to_pylist()]
    return pa.Table.from_pylist(rows, schema=REJECTED)


def _withdrawn_marks(barred: Mapping[str, str]) -> pa.Table:
    """Returns a reject without content for each document that a person withdrew, to keep it out of later runs."""
    why = "withdrawn by a person; a rollback to a version that has it brings it back"
    rows: list[dict[str, Any]] = [
        {
            "doc_id": doc_id, "source": source, "stage": "withdraw", "reason": f"{source}: {why}",
            "expectation": WITHDRAWN, "content": b"", "metadata": {}, "input": "", "row": None,
        }
        for doc_id, source in sorted(barred.items())
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=REJECTED)


def _repeated_ids(shard: ShardFiles, rows: NDArray[np.int64]) -> pa.Table:
    rejects = [
        {
            **{name: row[name] for name in ("doc_id", "source", "metadata", "input", "row")},
            "stage": "read",
            "reason": f"{row['input']}: another record has the id {row['source']!r}; give each record its own, "
            "or say in read.ids where ids are unique",
            "expectation": REPEATED_ID,
            "content": row["content"] if row["content"] is not None else row["text"].encode("utf-8"),
        }
        for row in arrow_dataset([shard.raw], RAW).take(rows).to_pylist()
    ]
    return pa.Table.from_pylist(rejects, schema=REJECTED)
