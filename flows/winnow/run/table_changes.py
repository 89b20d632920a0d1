"""From repaired documents to the rows of a version: deduplicate, and lay out what each table gains and loses."""

from __future__ import annotations

from collections.abc import Sequence, Set
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from winnow.base.contracts import TABLES
from winnow.base.doc_ids import NO_DOCUMENTS, DocIds, as_set, doc_keys
from winnow.base.files import (
    arrow_dataset,
    files_in,
    metadata_of,
    parquet_file,
    read_ahead,
    remove_folder,
    scan_parquet,
)
from winnow.base.staging import REPAIRED, key_of, write_parquet
from winnow.deduplicate.prepare import Preparation, prepare_shard
from winnow.deduplicate.removals import find_removals
from winnow.deduplicate.settled import Settled
from winnow.publish.erasure import erased_ids
from winnow.run.assemble import Assembly, assemble_job, assembly_by_range
from winnow.run.executor import map_shards
from winnow.run.intake import Checked, Documents, Repaired
from winnow.run.previous_version import (
    changed_decisions,
    changed_inputs,
    changed_similar,
    rows_without,
    skipped_inputs,
    unchanged_documents,
    without,
)
from winnow.run.rejects import Settling, reject_rows, replayed_keys, waiting_rejects
from winnow.run.run_context import Run
from winnow.run.site_table import changed_sites
from winnow.run.sorted_runs import assembly_ranges
from winnow.run.version_facts import facts_of_version
from winnow.run.work_plan import NEEDS_CLEANING, Moved, input_frame, paths_of
from winnow.validate.facts import Facts

JOB_RANGES, MANY_RANGES = 4, 4096
"""Ranges of doc_ids that one call assembles where they are so many: each file that it leaves is asked about often.

A worker has the rows of all of them on its disk at a time.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableChanges:
    """The rows that a version adds (files of them) and the keys whose rows it replaces, table by table.

    ``facts`` are those of the version that this makes. ``rejects`` counts those that wait, by kind; ``vanished_files``
    are files of a mirrored source that are gone; ``decided_by`` says what all decisions depended on.
    """

    parts: dict[str, tuple[Path, ...]]
    replaced: dict[str, Set[str]]
    facts: Facts
    decided_by: str
    rejects: dict[str, int]
    withdrawn: int
    vanished_files: tuple[str, ...]


def deduplicate(
    run: Run, executor: Executor, documents: Documents, repaired: Repaired, checked: Checked
) -> TableChanges:
    """Compares the new documents with each other and with everything published; writes the rows this leads to."""
    gone = documents.rows.withdrawn | documents.rows.refused | documents.rows.renamed
    left_out = documents.rows.replaced | gone
    decided = _decide(run, executor, documents, repaired, checked, left_out)
    moved = documents.rows.moved
    parts = _assemble(run, executor, decided, repaired.counts.chars_out + moved.chars)
    replay = run.order.intake == "quarantine"
    origins = [s.origins for s in documents.shards] if replay else []
    # Of the documents that this run accepted, those that a reject may be about.
    accepted = DocIds.of_files(parts["index"], among=_rejected(run, checked, origins))
    if same := unchanged_documents(run.dataset, parts, documents.rows.replaced, executor):
        parts = {t: without(files, same, t) for t, files in parts.items()}
        left_out -= same
    vanished = documents.inputs.vanished
    gone_too = vanished if run.order.mirror else vanished.clear()
    settling = Settling(
        accepted=accepted,
        recipe_id=run.recipe_id,
        run_id=run.run_id,
        replayed=replayed_keys(origins, accepted),
        barred=documents.rows.barred.keys(),
        read_again=_with_rejects(run, pl.concat([paths_of(documents.inputs.changed), gone_too])),
        from_kept_bytes=replay,
        obsolete=documents.rows.obsolete,
        vanished=_with_rejects(run, vanished),
        unread=_with_rejects(run, documents.inputs.unchanged),
        erased=erased_ids(run.dataset),
    )
    parts["rejects"] = (run.work / "parts" / "rejects" / "all.parquet",)
    rejects = reject_rows(run.dataset, checked.rejects, parts["rejects"][0], settling)
    inputs = changed_inputs(run.dataset, _input_rows(run, documents))
    parts["inputs"] = (run.work / "parts" / "inputs" / "all.parquet",)
    write_parquet(parts["inputs"][0], [inputs], TABLES["inputs"])
    parts["similar"], unlike_before = changed_similar(
        run.dataset, decided.similar, run.run_id, run.work / "parts" / "similar", executor
    )
    waiting = waiting_rejects(run.dataset, rejects.rows, rejects.replaced)
    # What this run read has to come out somewhere; counted from the input's side, so that a loss shows.
    published = sum(meta.num_rows for meta in metadata_of(run.dataset.files("index")))
    known = published - len(gone) - len(documents.rows.replaced) + documents.rows.fresh
    identity = rejects.refused.columns
    known_rejects = waiting.select(identity).unique().join(rejects.refused, on=identity, how="anti").height
    rewritten = left_out | decided.changed
    replaced: dict[str, Set[str]] = {
        **dict.fromkeys(("documents", "duplicates"), rewritten | moved.doc_ids),
        "passages": rewritten,
        **dict.fromkeys(("edits", "index"), left_out),
        "rejects": rejects.replaced,
        "similar": unlike_before,
        "inputs": frozenset([*inputs["path"].to_pylist(), *gone_too, *_no_longer_skipped(run, documents)]),
    }
    sites, replaced["sources"] = changed_sites(run.dataset, parts, replaced, run.version, run.run_id, executor)
    parts["sources"] = (run.work / "parts" / "sources" / "all.parquet",)
    write_parquet(parts["sources"][0], [sites], TABLES["sources"])
    facts = replace(
        facts_of_version(run.dataset, parts, replaced, executor, run.work / "facts"),
        n_read=known + known_rejects,
        n_vanished=len(documents.rows.withdrawn) if run.order.mirror else 0,
        mean_residual_markup=checked.mean_residual_markup,
    )
    return TableChanges(
        parts=parts,
        replaced=replaced,
        facts=facts,
        decided_by=_decided_by(run),
        rejects=dict(waiting.group_by("expectation").len().sort("expectation").iter_rows()),
        withdrawn=len(documents.rows.withdrawn),
        vanished_files=tuple(gone_too),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decided:
    """What the rows of the tables are assembled from.

    ``changed`` are the published documents with another decision, ``similar`` holds the pairs that are alike and kept.
    """

    assembly: Assembly
    changed: DocIds
    similar: tuple[Path, ...]


def _decide(
    run: Run, executor: Executor, documents: Documents, repaired: Repaired, checked: Checked, left_out: DocIds
) -> _Decided:
    """Decides which documents and passages are removed."""
    settings, dataset = run.recipe.deduplicate, run.dataset
    failed = as_set(checked.failed)
    shards = [_accepted(run, s.repaired, failed) for s in repaired.shards]
    preparation = Preparation(
        folder=run.work / "prepared", version=run.version, settings=settings, recipe_id=run.recipe_id
    )
    how = [replace(preparation, arrivals=_arrivals(run, documents, n)) for n in range(len(shards))]
    only_added = not left_out and all(h.arrivals is None for h in how)
    prepared = map_shards(executor, prepare_shard, shards, how, progress=run.progress("prepare"))
    index, passages = [p.index for p in prepared], [p.passages for p in prepared]
    run.log("deduplicate: comparing with everything published", "deduplicate")
    remove_folder(run.work / "removals")
    removals = find_removals(
        index,
        passages,
        run.work / "removals",
        settings,
        executor,
        published_index=dataset.files("index"),
        published_passages=dataset.files("passages"),
        leave_out=_id_file(run, left_out),
        settled=_settled(run) if only_added else None,
    )
    removals.clear(run.work / "removals")
    changed = (
        NO_DOCUMENTS
        if removals.of_new
        else changed_decisions(
            dataset,
            left_out=left_out,
            document_decisions=removals.document_files,
            passage_decisions=removals.passage_files,
            executor=executor,
        )
    )
    assembly = Assembly(
        repaired=tuple(shards),
        prepared=tuple(passages),
        index=tuple(index),
        document_decisions=removals.document_files,
        passage_decisions=removals.passage_files,
        published_documents=(*dataset.files("documents"), *dataset.files("duplicates")),
        published_passages=tuple(dataset.files("passages")),
        moved=_moved_file(run, documents.rows.moved),
        settings=settings,
        recipe_id=run.recipe_id,
        run_id=run.run_id,
    )
    return _Decided(assembly=assembly, changed=changed, similar=removals.similar_files)


def _settled(run: Run) -> Settled | None:
    """What the last version decided, if this run would decide in the same way."""
    manifest = run.dataset.latest_manifest()
    if manifest is None or manifest.counts.get("decided_by") != _decided_by(run):
        return None
    rows = {name: table.rows for name, table in manifest.tables.items()}
    if rows["index"] != rows["documents"] + rows["duplicates"]:
        return None
    files = run.dataset.files
    return Settled(duplicates=files("duplicates"), similar=files("similar"))


def _decided_by(run: Run) -> str:
    """What decisions on the same documents depend on: settings and versions, and which documents were erased."""
    return key_of(run.recipe_id, *sorted(erased_ids(run.dataset)))


def _assemble(run: Run, executor: Executor, decided: _Decided, chars: int) -> dict[str, tuple[Path, ...]]:
    """Writes the rows of the tables that are made from documents; returns the files by table."""
    folder = run.work / "parts"
    remove_folder(folder)
    ranges = assembly_ranges(chars)
    inside = [decided.changed.within(span) for span in ranges]
    progress = run.progress("assemble")
    assemblies = list(assembly_by_range(decided.assembly, ranges, executor, run.work / "runs"))
    step = JOB_RANGES if len(ranges) >= MANY_RANGES else 1
    jobs = [[of[n : n + step] for n in range(0, len(ranges), step)] for of in (ranges, inside, assemblies)]
    map_shards(executor, assemble_job, *jobs, [folder] * len(jobs[0]), progress=progress)
    for done in ("prepared", "runs"):  # all of it stands in the rows now
        remove_folder(run.work / done)
    made = [path for path in files_in(folder) if path.suffix == ".parquet"]
    tables = ("documents", "duplicates", "passages", "edits", "index")
    return {table: tuple(path for path in made if path.parent.name == table) for table in tables}


def _accepted(run: Run, file: Path, rejected: DocIds) -> Path:
    """Returns the file, or a copy of it without the documents that were rejected; most shards have none."""
    if not rejected or not DocIds.of_files([file], among=rejected):
        return file
    path = run.work / "accepted" / file.name
    left = rows_without(arrow_dataset([file], REPAIRED), rejected, 512)
    write_parquet(path, left, REPAIRED, 512)
    return path


def _id_file(run: Run, doc_ids: DocIds) -> Path:
    path = run.work / "left_out.parquet"
    schema = pa.schema([TABLES["index"].field("doc_id")])
    write_parquet(path, doc_ids.tables(schema), schema)
    return path


def _moved_file(run: Run, moved: Moved) -> Path:
    path = run.work / "moved.parquet"
    schema = pa.schema([TABLES["documents"].field(name) for name in ("doc_id", "row")])
    rows = pa.array(moved.rows, mask=moved.rows < 0)
    write_parquet(path, [pa.table([moved.doc_ids.column(), rows], schema=schema)], schema)
    return path


def _arrivals(run: Run, documents: Documents, shard: int) -> Path | None:
    """Returns a file of ``(doc_id, arrival)`` of the documents of a shard that were seen before; None for none."""
    planned = documents.rows.rows[shard]
    known = np.flatnonzero(planned > NEEDS_CLEANING)
    if not len(known):
        return None
    path = run.work / "arrivals" / f"{shard}.parquet"
    schema = pa.schema([TABLES["index"].field("doc_id"), TABLES["index"].field("arrival")])
    doc_ids = parquet_file(documents.shards[shard].raw).read(["doc_id"])["doc_id"].take(known)
    write_parquet(path, [pa.table([doc_ids, planned[known]], schema=schema)], schema)
    return path


def _rejected(run: Run, checked: Checked, origins: Sequence[Path]) -> DocIds:
    """The doc_ids of all rejects, those of this run too, and of what was read from the bytes of any."""
    made = [doc_keys(parquet_file(path).read(["made"])["made"]) for path in origins]
    rejects = DocIds.of_files([checked.rejects, *run.dataset.files("rejects")])
    return rejects | DocIds.of_batches(made)[0]


def _with_rejects(run: Run, inputs: pl.Series) -> frozenset[str]:
    """Those of the input files, which may be very many, that the dataset has rejects of."""
    files = run.dataset.files("rejects")
    if not files:
        return frozenset()
    known = scan_parquet(files).select("input").unique().collect()["input"].cast(pl.String)
    return frozenset(inputs.filter(inputs.is_in(known.implode())))


def _no_longer_skipped(run: Run, documents: Documents) -> frozenset[str]:
    """What an earlier run left out and a mirrored source does not hold any more."""
    if run.order.intake != "source" or not run.order.mirror:
        return frozenset()
    return skipped_inputs(run.dataset).difference(documents.skipped.paths.to_pylist())


def _input_rows(run: Run, documents: Documents) -> pa.Table:
    """Returns the rows of table ``inputs`` for the files that were read in this run, or left out."""
    read = input_frame(documents.inputs.changed)
    for name, kind in (("n_documents", "raw"), ("n_rejects", "read_rejects")):
        files = (getattr(shard, kind) for shard in documents.shards)
        counts = read_ahead(lambda path: scan_parquet([path]).group_by("input").len().collect(), files)
        none = pl.DataFrame(schema={"input": pl.String, "len": pl.UInt32})
        found = pl.concat([none, *counts], how="vertical_relaxed").group_by("input").agg(pl.col("len").sum())
        read = read.join(found.rename({"input": "path", "len": name}), on="path", how="left")
    read = read.with_columns(pl.col("n_documents", "n_rejects").fill_null(0))
    left_out = pl.DataFrame(
        {"path": list(documents.left_out), "n_left_out": list(documents.left_out.values())},
        schema={"path": pl.String, "n_left_out": pl.Int64},
    )
    skipped = pl.DataFrame(documents.skipped.table.select(["path", "bytes", "reason"])).select(
        pl.col("path").cast(pl.String), "bytes", pl.col("reason").cast(pl.String).alias("skipped"),
        sha256=pl.lit(""), n_documents=pl.lit(0), n_rejects=pl.lit(0), n_left_out=pl.lit(0),
    )  # fmt: skip
    rows = pl.concat([read.join(left_out, on="path", how="left"), skipped], how="diagonal_relaxed")
    rows = rows.with_columns(recipe_id=pl.lit(run.recipe_id), run_id=pl.lit(run.run_id))
    schema = TABLES["inputs"]
    return rows.select(schema.names).to_arrow().cast(schema).sort_by("path")
