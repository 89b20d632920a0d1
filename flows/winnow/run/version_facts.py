"""The facts of the next version, read off its tables by ranges of doc_ids, which the workers take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from winnow.base.doc_ids import doc_keys, ranges_of
from winnow.base.files import remove_folder
from winnow.deduplicate.array_files import Partition, PartitionedFile, gather
from winnow.publish.dataset import Dataset
from winnow.run.executor import each_range
from winnow.run.previous_version import WholeTable, whole_version
from winnow.validate.facts import Facts, add_facts, count_dangling, gather_facts, kept_for_others

RANGE_DOCUMENTS = 400_000  # looked at a time, with what was removed and repaired in them
_TABLES = ("documents", "duplicates", "rejects", "passages", "edits")
_KEPT = np.dtype([("key", np.uint64), ("removals", np.int64)])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Range:
    """A range of doc_ids, by its number, and the rows that the tables have of it."""

    number: int
    tables: Mapping[str, WholeTable]


def facts_of_version(
    dataset: Dataset,
    parts: Mapping[str, Sequence[Path]],
    replaced: Mapping[str, Set[str]],
    executor: Executor,
    folder: Path,
) -> Facts:
    """Reads the facts but for those that its tables do not tell: how many were read, vanished, are damaged.

    A removal may point to a document of any range; `folder` holds these meanwhile, by the range that they are in.
    """
    ranges = ranges_of((*dataset.files("index"), *parts.get("index", ())), RANGE_DOCUMENTS)
    before = _facts_before(dataset, replaced)
    tables = {t: whole_version(dataset, parts, replaced, t) for t in _TABLES}
    if before:
        tables |= {t: replace(tables[t], published=()) for t in ("passages", "edits")}
    cut = {t: table.by_range(ranges) for t, table in tables.items()}
    jobs = [_Range(number=n, tables={t: tables[n] for t, tables in cut.items()}) for n in range(len(ranges))]
    found = list(each_range(executor, _facts_of_range, jobs, [low for low, _ in ranges], folder))
    kept = gather([_kept_file(folder, n) for n in range(len(ranges))], _KEPT, len(ranges), executor)
    dangling = sum(each_range(executor, _dangling_in_range, list(zip(kept, cut["documents"], strict=True))))
    remove_folder(folder)
    return replace(add_facts([*found, *before]), n_dangling=dangling)


def _facts_before(dataset: Dataset, replaced: Mapping[str, Set[str]]) -> list[Facts]:
    """What the last version's passages and edits add to the facts; nothing where they are to be read again.

    Where no document leaves, none of its removals comes to point to a document that is not published.
    """
    manifest = dataset.latest_manifest()
    told = manifest.counts.get("facts", {}) if manifest and not manifest.erased else {}
    if "chars_by_fate" not in told or told["n_dangling"] or any(replaced.get(t) for t in _TABLES if t != "rejects"):
        return []
    tallies = "edits_by_rule", "removals_by_reason", "chars_by_fate"
    return [Facts(n_read=0, n_published=0, **{tally: told[tally] for tally in tallies})]


def _kept_file(folder: Path, number: int) -> PartitionedFile:
    """The documents that removals of a range point to, by the range that they are in."""
    return PartitionedFile(folder / f"kept-{number}.npy", _KEPT)


def _facts_of_range(some: _Range, starts: Sequence[str], folder: Path) -> Facts:
    keys, counts = kept_for_others(some.tables["duplicates"], some.tables["passages"])
    rows = np.empty(len(keys), _KEPT)
    rows["key"], rows["removals"] = keys, counts
    lows = doc_keys(pa.array([low or "0" * 16 for low in starts]))
    _kept_file(folder, some.number).spread(rows, np.searchsorted(lows, keys, side="right") - 1, len(starts))
    return gather_facts(**some.tables)


def _dangling_in_range(job: tuple[Partition, WholeTable]) -> int:
    kept, documents = job
    rows = kept.load()
    return count_dangling(documents, rows["key"], rows["removals"])
