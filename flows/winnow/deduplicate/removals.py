"""Find what to leave out of a whole dataset: documents first, then passages; everything large goes through files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from numpy.typing import NDArray

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.decide import Standing, close_pairs, merge, next_pairs, settle, with_exact
from winnow.deduplicate.documents import candidates, verify
from winnow.deduplicate.exchange import distinct_values, partitions_for, save
from winnow.deduplicate.order import NO_RANK, build_order, load_order
from winnow.deduplicate.outcome import write_outcome
from winnow.deduplicate.repeats.holders import GONE, solve_passages, spread_passages
from winnow.deduplicate.rests import Rests, confirm, judge_rests

_PAIRS_A_JOB = 20_000
_MAX_ROUNDS = 64  # then a bucket's documents have been compared with its first 1,024; beyond that they are kept


@dataclass(frozen=True, slots=True)
class Removals:
    """Files of winnow.base.staging.DOCUMENT_DECISIONS and PASSAGE_DECISIONS, and counts by kind and reason."""

    document_files: tuple[Path, ...]
    passage_files: tuple[Path, ...]
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    name: str
    left_out: frozenset[str]


def find_removals(
    index_files: Sequence[Path],
    passage_files: Sequence[Path],
    work: Path,
    settings: DeduplicateSettings,
    executor: Executor,
    *,
    carried_index: Sequence[Path] = (),
    carried_passages: Sequence[Path] = (),
    leave_out: Path | None = None,
) -> Removals:
    """Decide over new documents (`index_files`, `passage_files`) and those a dataset holds (`carried_…`) together.

    `leave_out` is a Parquet file with a column doc_id: carried documents that were withdrawn or replaced; their rows
    in the carried files are passed over. The outcome is a pure function of documents, arrivals and settings: how they
    are cut into files, the order of the files, the executor and its workers change nothing. Passages of documents
    left out are not listed among the passages. `work` is an empty folder for files that may be deleted afterwards.
    """
    work.mkdir(parents=True, exist_ok=True)
    out = _ids(leave_out)
    none: frozenset[str] = frozenset()
    indexes = [_File(p, f"i{n}", none) for n, p in enumerate(index_files)]
    indexes += [_File(p, f"c{n}", out) for n, p in enumerate(carried_index)]
    passages = [_File(p, f"i{n}", none) for n, p in enumerate(passage_files)]
    passages += [_File(p, f"c{n}", out) for n, p in enumerate(carried_passages)]
    doc_ids = build_order(index_files, carried_index, out, work)
    _gather_inner(indexes, work)
    split = _split_documents(passages, work, executor, len(doc_ids)) if passages else []
    standing = _decide_documents(indexes, passages, split, work, settings, executor, len(doc_ids))
    rests = _decide_passages(passages, standing, work, settings, executor)
    pairs = _verify_copies(passages, split, rests, work, executor, len(doc_ids))
    rests, pairs = confirm(rests, pairs, load_order(work).n_shingles, settings)
    return Removals(*write_outcome(doc_ids, standing, rests, pairs, work, settings))


def _ids(path: Path | None) -> frozenset[str]:
    return frozenset() if path is None else frozenset(pq.read_table(path, columns=["doc_id"])["doc_id"].to_pylist())


def _gather_inner(files: Sequence[_File], work: Path) -> None:
    """Bring together what each document's index row says of repeats inside it, with ranks, in one Arrow file."""
    order = load_order(work)
    frames = []
    for file in files:
        frame = pl.read_parquet(file.path, columns=["doc_id", "repeats"])
        ranks = order.ranks_of(frame["doc_id"].to_list(), file.left_out)
        frames.append(
            frame.select(pl.Series("rank", ranks), pl.col("repeats"))
            .filter((pl.col("rank") != int(NO_RANK)) & (pl.col("repeats").list.len() > 0))
            .explode("repeats")
            .unnest("repeats")
            .select(
                pl.col("rank").cast(pl.UInt32),
                pl.col("position", "part").cast(pl.Int32),
                pl.col("reason").cast(pl.String),
                pl.col("kept_position").cast(pl.Int32),
                pl.col("similarity").cast(pl.Float32),
            )
        )
    schema = {"rank": pl.UInt32, "position": pl.Int32, "part": pl.Int32, "reason": pl.String,
              "kept_position": pl.Int32, "similarity": pl.Float32}  # fmt: skip
    table = pl.concat(frames) if frames else pl.DataFrame(schema=schema)
    table.sort("rank", "position", "part").write_ipc(work / "inner.arrow", compression="uncompressed")


def documents_of(path: Path, work: Path, name: str, left_out: frozenset[str]) -> int:
    """Write the ranks of the documents that have passages in a file; return how many."""
    order = load_order(work)
    found = [np.empty(0, np.uint32)]
    # The file's own dictionary has each id of a row group once.
    for batch in pq.ParquetFile(path, read_dictionary=["doc_id"]).iter_batches(batch_size=1 << 20, columns=["doc_id"]):
        found.append(order.ranks_of(batch.column("doc_id").unique().dictionary.to_pylist(), left_out))
    ranks = distinct_values(np.concatenate(found))
    ranks = ranks[ranks != NO_RANK]
    save(work / f"in-{name}.npy", ranks)
    return len(ranks)


def _split_documents(files: Sequence[_File], work: Path, executor: Executor, documents: int) -> list[int]:
    """Documents whose passages lie in more than one file, as a compaction may leave them."""
    list(executor.map(documents_of, *_columns(files, work)))
    seen = np.zeros(documents, np.uint16)
    for f in files:
        seen[np.load(work / f"in-{f.name}.npy")] += 1
    return np.flatnonzero(seen > 1).tolist()


def _columns(files: Sequence[_File], work: Path) -> tuple[list[Any], ...]:
    return [f.path for f in files], [work] * len(files), [f.name for f in files], [f.left_out for f in files]


def _decide_documents(
    indexes: Sequence[_File],
    passages: Sequence[_File],
    split: Sequence[int],
    work: Path,
    settings: DeduplicateSettings,
    executor: Executor,
    documents: int,
) -> Standing:
    order = load_order(work)
    standing = settle(np.empty(0, verify.VERIFIED), order.arrival, settings)
    if settings.documents and documents:
        partitions = partitions_for(documents * 100, candidates.KEYED.itemsize)
        names = [f.name for f in indexes]
        paths, works, tags, outs = _columns(indexes, work)
        n = len(indexes)
        list(executor.map(candidates.spread_index, paths, works, tags, [partitions] * n, outs))
        _join_sketches(names, work, documents)
        found = range(partitions)
        same = [work] * partitions, [names] * partitions
        list(executor.map(candidates.find_candidates, *same, found, [settings] * partitions))
        pairs = distinct_values(merge([np.load(work / f"pairs-{p}.npy") for p in found], np.uint64))
        buckets = merge([np.load(work / f"buckets-{p}.npy") for p in found], candidates.KEYED)
        wanted = np.zeros(documents, bool)
        wanted[(pairs >> np.uint64(32)).astype(np.int64)] = True
        wanted[(pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)] = True
        wanted[buckets["rank"]] = True
        stores = _write_shingles("near", passages, split, wanted, work, executor)
        done = np.empty(0, np.uint64)
        close = np.empty(0, verify.VERIFIED)
        for round_ in range(1, _MAX_ROUNDS + 1):
            verified = _verify(pairs, f"{round_}", stores, work, executor)
            close = np.concatenate((close, close_pairs(verified, settings)))
            done = np.union1d(done, pairs)
            standing = settle(close, order.arrival, settings)
            pairs = np.setdiff1d(next_pairs(buckets, standing.left_out, round_ + 1), done, assume_unique=True)
            if not len(pairs):
                break
        standing = with_exact(standing, order.exact_of)
    save(work / "left-out.npy", standing.left_out)
    return standing


def _join_sketches(names: Sequence[str], work: Path, documents: int) -> None:
    """Put all sketches end to end in one file that workers map into memory, with each document's place in it."""
    sizes = [np.load(work / f"sketch-{n}.npy", mmap_mode="r").shape[0] for n in names]
    joined = np.lib.format.open_memmap(work / "sketches.npy", "w+", np.uint64, (max(1, sum(sizes)),))
    starts, counts = np.zeros(documents, np.int64), np.zeros(documents, np.int64)
    at = 0
    for name, size in zip(names, sizes, strict=True):
        joined[at : at + size] = np.load(work / f"sketch-{name}.npy", mmap_mode="r")
        places = np.load(work / f"places-{name}.npy")
        starts[places["rank"]] = places["start"] + at
        counts[places["rank"]] = places["size"]
        at += size
    joined.flush()
    save(work / "sketch-starts.npy", starts)
    save(work / "sketch-sizes.npy", counts)


def _write_shingles(
    label: str,
    files: Sequence[_File],
    split: Iterable[int],
    wanted: NDArray[np.bool_],
    work: Path,
    executor: Executor,
) -> list[str]:
    """Shingle sets of the wanted documents, one store a file; those that lie in several files in one of their own."""
    apart = np.zeros(len(wanted), bool)
    apart[list(split)] = True
    whole_path = save(work / f"wanted-{label}.npy", wanted & ~apart)
    split_path = save(work / f"wanted-{label}-split.npy", wanted & apart)
    names = [f"{label}-{f.name}" for f in files]
    lists, outs = [[f.path] for f in files], [[f.left_out] for f in files]
    list(executor.map(verify.write_shingles, lists, [work] * len(files), names, outs, [whole_path] * len(files)))
    if (wanted & apart).any():
        names.append(f"{label}-split")
        every = [f.path for f in files]
        outs_of_all = [f.left_out for f in files]
        executor.submit(verify.write_shingles, every, work, names[-1], outs_of_all, split_path).result()
    return names


def _verify(pairs: NDArray[np.uint64], label: str, stores: list[str], work: Path, executor: Executor) -> NDArray[Any]:
    jobs = []
    for n in range(0, len(pairs), _PAIRS_A_JOB):
        jobs.append(save(work / f"verify-{label}-{n}.npy", pairs[n : n + _PAIRS_A_JOB]))
    outs = [p.with_name(f"verified-{label}-{n}.npy") for n, p in enumerate(jobs)]
    list(executor.map(verify.verify_pairs, [work] * len(jobs), [stores] * len(jobs), jobs, outs))
    return merge([np.load(p) for p in outs], verify.VERIFIED)


def _decide_passages(
    files: Sequence[_File], standing: Standing, work: Path, settings: DeduplicateSettings, executor: Executor
) -> Rests:
    left = np.zeros(len(standing.kept), np.int64)
    gone = np.empty(0, GONE)
    if settings.passages and files:
        rows = sum(pq.ParquetFile(f.path).metadata.num_rows for f in files)
        partitions = partitions_for(rows, 48)
        n = len(files)
        paths, works, names, outs = _columns(files, work)
        list(executor.map(spread_passages, paths, works, names, [partitions] * n, outs, [settings] * n))
        same = [work] * partitions, [names] * partitions
        list(executor.map(solve_passages, *same, range(partitions), [settings] * partitions))
        for name in names:
            sums = np.load(work / f"left-{name}.npy")
            np.add.at(left, sums["rank"], sums["chars"])
        gone = merge([np.load(work / f"gone-{p}.npy") for p in range(partitions)], GONE)
    save(work / "gone.npy", gone)
    inner = pl.read_ipc(work / "inner.arrow")["rank"].unique().to_numpy()
    return judge_rests(left, gone, inner, standing.kept[standing.left_out], settings)


def _verify_copies(
    files: Sequence[_File], split: Iterable[int], rests: Rests, work: Path, executor: Executor, documents: int
) -> NDArray[Any]:
    """Exact similarity of the documents that removal left too little of with those that hold their passages."""
    if not rests.copies:
        return np.empty(0, verify.VERIFIED)
    wanted = np.zeros(documents, bool)
    wanted[list(rests.copies)] = wanted[list(rests.copies.values())] = True
    stores = _write_shingles("rest", files, split, wanted, work, executor)
    pairs = np.array([kept << 32 | copy for copy, kept in sorted(rests.copies.items())], np.uint64)
    return _verify(pairs, "rest", stores, work, executor)
