"""How often the processes of a run ask a store for something, by what makes that grow (see scale_model.py)."""

from __future__ import annotations

from winnow.base.files import READ_AHEAD
from winnow.deduplicate.array_files import MOST_PARTS
from winnow.deduplicate.documents import comparison
from winnow.deduplicate.documents.pair_jobs import JOB_BYTES
from winnow.deduplicate.work_files import FACTS, KEYED, PASSAGE
from winnow.run.sorted_runs import GROUP_BYTES, MERGED_RANGES, MERGED_RUNS, MOST_RUNS, RANGE_BYTES
from winnow.run.table_changes import JOB_RANGES
from winnow.run.work_plan import RANGE_ROWS

READ_SECONDS, WRITE_SECONDS = 0.015, 0.03  # until the first byte of a range is there; until a small file is taken
SHARD, RANGE, PARTITION = 64 << 20, RANGE_BYTES, 64 << 20  # bytes; of a shard, what read.shard_mb should be there
FILE = 256 << 20  # bytes of a file of a table
TOGETHER = 1, 3, 1, 1, 1  # kinds of sets brought: of copies, what tells those apart, of alike ones (2), of listed ones
SETS_BROUGHT = sum(TOGETHER)


def parts_of(rows: float, row_bytes: float) -> float:
    """Partitions of so many rows."""
    return max(1.0, rows * row_bytes / PARTITION)


def exchange(files: float, each: float, asked: float = 2) -> tuple[float, float]:
    """Reads and writes of rows that go from files to so many partitions, merged on the way as `gather` does it.

    A piece of a file is read in so many requests as are `asked`: where it begins and ends, and its rows.
    """
    reads, writes, spans = 0.0, files, 1.0
    while min(files, each) > MOST_PARTS:
        reads += 2 * spans * MOST_PARTS * files  # where its piece begins and ends, and the piece
        spans, each, files = spans * MOST_PARTS, each / MOST_PARTS, max(1.0, files / MOST_PARTS)
        writes += spans * files
    return reads + asked * spans * each * files, writes


def counts_at(size: float, brought: float, dataset: float) -> dict[str, float]:
    """What the planning process counts: of pairs there are two kinds of jobs, and the sets of each bound them."""
    parts = size / RANGE / JOB_RANGES
    return {"shards": size / SHARD, "parts": parts, "jobs of pairs": 2 * jobs_of(brought), "files": dataset / FILE}


def jobs_of(brought: float) -> float:
    return max(1.0, brought / SETS_BROUGHT / JOB_BYTES)


def requests(size: float, documents: float, passages: float, brought: float, merged: float) -> dict[str, float]:
    """What is written and read, by what makes it grow: shards, ranges of ids, partitions of hashes, sets compared.

    `merged` are bytes of the rows that tables are assembled from, unpacked.
    """
    shards, ranges = size / SHARD, size / RANGE
    levels, files = 0, 0.0
    runs = shards
    while runs > MOST_RUNS:
        files += 3 * (ranges / MERGED_RANGES if levels else shards)
        runs, levels = runs / MERGED_RUNS, levels + 1
    parts = parts_of(documents, FACTS.itemsize)
    bands = parts_of(documents * 100, KEYED.itemsize)
    kinds = [
        exchange(shards, parts), *[exchange(parts, parts)] * 2, *[exchange(shards, bands)] * 2,
        exchange(shards, parts_of(passages, KEYED.itemsize)),
        *[exchange(shards, parts_of(passages, PASSAGE.itemsize))] * 2,
    ]  # fmt: skip
    jobs = jobs_of(brought)
    # Whose sets they are and the sets, which stand side by side; before that, by file, which ones are wanted.
    sets = [exchange(shards, 2 * together * jobs, 1.5) for together in TOGETHER]
    sets += [exchange(max(1.0, jobs / comparison.JOBS_LISTED), shards)] * SETS_BROUGHT
    return {
        # raw, identities, repaired, prepared and index with their rejects and counts; facts, sketches and shingle sets
        "writes": (
            shards * 26
            + ranges / JOB_RANGES * 5
            + parts * 20
            + levels * 3 * ranges / MERGED_RANGES
            + sum(w for _, w in [*kinds, *sets])
            + SETS_BROUGHT * jobs * 2
        ),
        "reads by shards": shards * 24,
        # A file's end twice, and each row group once.
        "reads by merges of runs": 2 * files + levels * merged / GROUP_BYTES,
        "reads by ranges of ids": 2 * ranges * (3 * runs + 5),
        "reads by the exchange": sum(r for r, _ in kinds),
        # Each file of sets and where they lie in it, and the pairs.
        "reads of shingle sets": sum(r for r, _ in sets) + SETS_BROUGHT * (2 * shards + 2 * jobs),
        # Its files are Parquet: of each piece the footer as well as the rows.
        "reads by the plan": 2 * exchange(shards, max(1.0, documents / RANGE_ROWS))[0],
    }


def waited(asked: dict[str, float], cores: float) -> float:
    """Seconds that the workers wait for requests."""
    in_turn = asked["reads by shards"]
    at_once = sum(asked.values()) - asked["writes"] - in_turn
    return ((in_turn + at_once / READ_AHEAD) * READ_SECONDS + asked["writes"] * WRITE_SECONDS) / cores
