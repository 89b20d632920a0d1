"""Rows of table ``rejects``: new ones, old ones that are settled now, and those that are read again."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads

from winnow.base.contracts import SORT_KEYS, TABLES
from winnow.base.doc_ids import DocIds, Range, doc_id_ranges, in_range, unpacked_bytes
from winnow.base.errors import UsageError
from winnow.base.files import arrow_dataset, parquet_file, scan_parquet
from winnow.base.records import BROKEN_OFF, REPEATED_ID
from winnow.base.staging import REJECTED, key_of, write_parquet
from winnow.publish.dataset import Dataset
from winnow.run.approval import PastRun
from winnow.run.run_context import Run
from winnow.validate.reject_rows import quarantine

Row: TypeAlias = Mapping[str, Any]
Key: TypeAlias = tuple[str, str]
"""``(doc_id, content_sha256)``: one document's bytes in quarantine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """What a run knows by which rejects are settled, gone, or said anew.

    A row that waits is marked as replayed in this run when its document was ``accepted``, or its bytes were read again
    and led elsewhere (``replayed``); not where it is a bad record of an ``unread`` input file beside a good one with
    its id. It gives way to a new row about the same bytes of the same input file, or of any where its own has
    ``vanished``. Rejects of the reading of input files that were ``read_again`` and are not among the new ones are
    gone: a run from scratch would not have them; nor those that are ``obsolete``, whose record is gone or has other
    content. Of a document that is ``barred`` no bytes are kept, of one that was ``erased`` nothing at all. Rows that
    would only change their run stay as they are; so do the words of those that were read ``from_kept_bytes`` and
    failed as before, for they name the place in the file.
    """

    recipe_id: str
    run_id: str
    accepted: DocIds
    replayed: Collection[Key] = ()
    barred: Collection[str] = ()
    read_again: Collection[str] = ()
    from_kept_bytes: bool = False
    obsolete: Collection[Key] = ()
    vanished: Collection[str] = ()
    unread: Collection[str] = ()
    erased: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectChanges:
    """A file of rows of table ``rejects`` to write, the doc_ids whose rows they replace, and what this run refused.

    ``refused`` are ``(doc_id, content_sha256)`` of documents that were read and then rejected.
    """

    rows: Path
    replaced: DocIds
    refused: pl.DataFrame


def reject_rows(dataset: Dataset, staged: Path, rows: Path, how: Settling) -> RejectChanges:
    """Returns what changes in table ``rejects`` with the next version, and writes its new rows to the file `rows`.

    `staged` holds the rejects of this run. What is settled about a document depends on no other, so that they are
    looked at by ranges of doc_ids, and this process holds the contents of one range.
    """
    replaced: list[DocIds] = []
    refused = [pl.DataFrame(schema=_KEY)]
    files = dataset.files("rejects")
    known = {doc_id for doc_id, _ in (*how.obsolete, *how.replayed)}.union(how.barred)

    def settled() -> Iterator[pa.Table]:
        size = sum(unpacked_bytes(parquet_file(path).metadata) for path in (staged, *files))
        for span in doc_id_ranges(max(1, -(-size // _RANGE_BYTES))):
            found = arrow_dataset([staged], REJECTED).to_table(filter=in_range(span))
            new = quarantine(found, how.recipe_id, how.run_id).to_pylist()
            new = [row for row in new if row["doc_id"] not in how.erased]
            keys = {_key(row) for row in new if row["stage"] not in ("read", "withdraw")}
            refused.append(pl.DataFrame(sorted(keys), _KEY, orient="row"))
            accepted = frozenset(how.accepted.within(span))
            touched = known.union(accepted, (row["doc_id"] for row in new))
            before = _rejects_of(files, span, touched, how.read_again)
            table, gone = _settle(new, before.to_pylist(), accepted, how)
            replaced.append(DocIds.of(sorted(gone)))
            yield table

    write_parquet(rows, settled(), TABLES["rejects"])
    return RejectChanges(rows=rows, replaced=DocIds.of_ranges(replaced), refused=pl.concat(refused))


WAITS = pl.col("replayed_in").is_null() & (pl.col("stage") != "withdraw")
"""Rejects that wait; a mark that keeps a document out is none."""

_RANGE_BYTES = 64 << 20  # rejects that are Python objects at a time, with their content
_KEY = {"doc_id": pl.String, "content_sha256": pl.String}


def _settle(
    new: Sequence[Row], known: Sequence[Row], accepted: Collection[str], how: Settling
) -> tuple[pa.Table, set[str]]:
    """The rows to write of some documents, in order, and the doc_ids whose rows they replace."""
    again = {(*_key(row), row["input"]) for row in new}
    again |= {(*_key(row), path) for row in new for path in how.vanished}
    before: dict[str, list[Row]] = defaultdict(list)
    for row in known:
        before[row["doc_id"]].append(row)
    if how.from_kept_bytes:
        said = {(*_key(r), r["stage"], r["expectation"]): r["reason"] for r in known}
        new = [{**r, "reason": said.get((*_key(r), r["stage"], r["expectation"]), r["reason"])} for r in new]
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in new:
        rows[row["doc_id"]].append(row)
    for row in known:
        doc_id = row["doc_id"]
        waits = row["replayed_in"] is None
        if waits and ((*_key(row), row["input"]) in again or doc_id in how.barred):
            continue
        if waits and row["stage"] == "read" and row["input"] in how.read_again:
            continue
        if waits and _key(row) in how.obsolete and doc_id not in accepted:
            continue
        if doc_id in how.barred:
            row = {**row, "content": b""}
        still_bad = row["expectation"] == REPEATED_ID or (row["stage"] == "read" and row["input"] in how.unread)
        accepted_now = doc_id in accepted and not still_bad
        settled = waits and (accepted_now or _key(row) in how.replayed)
        rows[doc_id].append({**row, "replayed_in": how.run_id} if settled else row)
    same = {d for d, of in before.items() if _as_set(of) == _as_set(rows.get(d, []))}
    table = pa.Table.from_pylist([r for d, of in rows.items() if d not in same for r in of], schema=TABLES["rejects"])
    return table.sort_by([(key, "ascending") for key in SORT_KEYS["rejects"]]), set(before) - same


def _key(row: Row) -> Key:
    return row["doc_id"], row["content_sha256"]


def _as_set(rows: Sequence[Row]) -> set[tuple[object, ...]]:
    """Rows as values that compare, without the run that wrote them."""
    return {tuple(v for k, v in sorted(r.items()) if k != "run_id") for r in rows}


def waiting_shards(run: Run) -> tuple[Path, ...]:
    """Writes the rejects that a replay reads again to files in staging, each named by what is read from it.

    Left out are those without bytes (too large, unreadable, withdrawn), the record that a file breaks off in, for half
    a record is none, and records whose id another record has, unless they are asked for by their reason. Raises
    UsageError for a reason that no reject has.
    """
    reason = run.order.reason
    files = run.dataset.files("rejects")
    source = arrow_dataset(files, TABLES["rejects"]) if files else None
    waits = pads.field("replayed_in").is_null() & (pads.field("stage") != "withdraw")
    kinds = set(source.to_table(["expectation"], filter=waits)["expectation"].to_pylist()) if source else set()
    if reason is not None and reason not in kinds:
        known = ", ".join(sorted(kinds)) or "none"
        raise UsageError(f"no reject waits for the reason {reason!r}; reasons there are: {known}")
    if source is None:
        return ()
    kind = pads.field("expectation")
    waits &= kind == reason if reason is not None else kind != REPEATED_ID
    waits &= pc.binary_length(pads.field("content")) > 0
    waits &= ~(kind.isin(BROKEN_OFF) & pads.field("row").is_valid())
    settings = run.recipe.read.model_dump(mode="json")
    shards = []
    for batches in _cut(source.to_batches(filter=waits, batch_size=64), run.recipe.read.shard_mb * 1e6):
        keys = [_key(row) for b in batches for row in b.select(["doc_id", "content_sha256"]).to_pylist()]
        shards.append(run.staging / "waiting" / f"{key_of('replay 2', settings, keys)}.parquet")
        write_parquet(shards[-1], batches, TABLES["rejects"])
    return tuple(shards)


def _cut(batches: Iterable[pa.RecordBatch], limit: float) -> Iterator[list[pa.RecordBatch]]:
    """Yields the batches in groups, each ending where it holds more than `limit` bytes."""
    group: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        if batch.num_rows:
            group.append(batch)
            size += batch.nbytes
        if size > limit:
            yield group
            group, size = [], 0
    if group:
        yield group


_LISTED = (
    "doc_id", "source", "stage", "expectation", "reason", "input", "row", "content_sha256", "recipe_id", "run_id",
    "replayed_in",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectKind:
    """How many rejects wait for a reason, and the sources of the first three."""

    reason: str
    count: int
    examples: tuple[str, ...]


def kinds_of_rejects(dataset: Dataset, held: tuple[PastRun, Path] | None = None) -> tuple[RejectKind, ...]:
    """Returns the rejects of `rejects_of` that wait, by reason, the most frequent first, without their bytes."""
    files = [held[1]] if held else dataset.files("rejects")
    if not files:
        return ()
    kind = pl.col("expectation")
    rows = scan_parquet(files).select("expectation", "source", "stage", "replayed_in").filter(WAITS)
    first = pl.col("source").sort().head(3)
    found = rows.group_by(kind).agg(pl.len(), first).sort(["len", "expectation"], descending=[True, False]).collect()
    return tuple(RejectKind(reason=r, count=n, examples=tuple(of)) for r, n, of in found.iter_rows())


def rejects_of(
    dataset: Dataset, reason: str | None, settled: bool, held: tuple[PastRun, Path] | None = None
) -> list[dict[str, Any]]:
    """Returns the rejects in order, with the bytes of their content and not the content itself.

    They are those of the last version, or of the run that is `held` back, as `held_rejects` finds it. With `settled`
    those too that a later run let pass; with `reason` those of one kind. Raises UsageError for a kind that no reject
    has, with the kinds there are.
    """
    files = [held[1]] if held else dataset.files("rejects")
    source = arrow_dataset(files, TABLES["rejects"])
    columns = {name: pads.field(name) for name in _LISTED} | {"bytes": pc.binary_length(pads.field("content"))}
    rows = [r for r in source.to_table(columns=columns).to_pylist() if settled or r["replayed_in"] is None]
    found = [r for r in rows if reason in (None, r["expectation"])]
    if reason is not None and not found:
        known = sorted({r["expectation"] for r in rows})
        near = difflib.get_close_matches(reason, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known) or 'none'}"
        raise UsageError(f"--reason {reason}: no document waits for that reason; {hint}")
    return found


def replayed_keys(origins: Sequence[Path], accepted: Collection[str]) -> frozenset[Key]:
    """Returns the rejects whose bytes were read again and left the quarantine, or came back to it under another name.

    `origins` are the files in which `winnow.run.jobs.reread_job` says which document came from which reject.
    """
    rows = [row for path in origins for row in parquet_file(path).read().to_pylist()]
    refused = {_key(row) for row in rows if row["made"] == row["doc_id"] and row["made"] not in accepted}
    return frozenset(map(_key, rows)) - refused


def _rejects_of(files: Sequence[Path], span: Range, doc_ids: Set[str], inputs: Collection[str]) -> pa.Table:
    """Returns the rows of documents of these ids in a range, and of all in it that came from these input files."""
    if not files or not (doc_ids or inputs):
        return TABLES["rejects"].empty_table()
    known = arrow_dataset(files, TABLES["rejects"]).to_table(["doc_id", "input"], filter=in_range(span))
    among = set(known["doc_id"].to_pylist()) & doc_ids
    from_inputs = pc.is_in(known["input"], pa.array(sorted(inputs), pa.string()))
    among |= set(known["doc_id"].filter(from_inputs).to_pylist())
    source = arrow_dataset(files, TABLES["rejects"])
    return source.to_table(filter=pads.field("doc_id").isin(pa.array(sorted(among), pa.string())))


def waiting_rejects(dataset: Dataset, rows: Path, replaced: Collection[str]) -> pl.DataFrame:
    """Returns the identity, stage and expectation of all rejects that wait once those of `rows` replace others."""
    columns = ["doc_id", "content_sha256", "stage", "expectation", "replayed_in"]
    frames = [scan_parquet([rows]).select(columns).collect()]
    if files := dataset.files("rejects"):
        published = scan_parquet(files).select(columns)
        frames.append(published.filter(~pl.col("doc_id").is_in(sorted(replaced))).collect())
    return pl.concat(frames).filter(WAITS)
