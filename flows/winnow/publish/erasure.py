"""Erase documents: from every version, the tables with their history, staging, and what describes a version.

Only files that hold a row of theirs are written anew, under new names; all other files and rows stay. Versions are
swapped one by one, each as a whole, then each table with a log that knows nothing but what the versions name. What is
to be done stands in staging before, so that an erasure which was killed is done from its start by whoever writes next:
what is erased already is found erased. A receipt stays, with the doc_ids (hashes of the sources), the reason, counts
and checksums; no document with one of these ids is taken into the dataset again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from itertools import combinations
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from pydantic import TypeAdapter, ValidationError

from winnow.base.contracts import TABLES
from winnow.base.disk import exchange, flush_tree, link_or_copy, remove_any, take_back
from winnow.base.errors import DatasetDamaged, DatasetError
from winnow.base.files import parquet_file
from winnow.base.log import LOGGER
from winnow.base.recipe import PublishSettings
from winnow.base.records import doc_id_of
from winnow.base.staging import sha256_of, write_file
from winnow.publish.dataset import Dataset
from winnow.publish.manifest import MANIFEST, Erased, FileEntry, Manifest, TableEntry
from winnow.publish.mend import PageMaker, rebuild_log
from winnow.publish.tables.delta import (
    KEYS,
    LOG,
    WriteJob,
    active_files,
    bring_log,
    commit,
    name_after_erasure,
    open_table,
    token_of,
)
from winnow.publish.tables.row_files import WrittenFile, key_bounds, read_column, read_rows, write_empty, write_rows
from winnow.publish.tables.schema import storable
from winnow.publish.version import Extras, descriptions

BY_DOCUMENT = tuple(name for name, key in KEYS.items() if key == "doc_id")
HOLDERS = ("documents", "duplicates", "rejects")
"""Tables in which a document stands, one or the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedVersion:
    """What was erased from a version, and what it is since: the SHA-256 of its new files and of its manifest."""

    version: int
    documents: int
    rows: Mapping[str, int]
    files: Mapping[str, str]
    manifest_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """An erasure: whose documents, why, and what was taken from which version; the last is empty in an order."""

    run_id: str
    erased_at: datetime
    reason: str
    doc_ids: tuple[str, ...]
    versions: tuple[ErasedVersion, ...] = ()

    def to_json(self) -> bytes:
        data = {**asdict(self), "erased_at": self.erased_at.isoformat()}
        return (json.dumps({**data, "sha256": _checksum(data)}, indent=2) + "\n").encode()


_RECEIPT = TypeAdapter(Receipt)


def _checksum(data: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def read_receipt(path: Path) -> Receipt:
    """Reads a receipt.

    Raises DatasetDamaged for a file that is none: without it, what was erased could come in again.
    """
    try:
        data = json.loads(path.read_bytes())
        if data.pop("sha256") != _checksum(data):
            raise ValueError("its checksum does not fit")
        return _RECEIPT.validate_python(data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ValidationError) as error:
        raise DatasetDamaged(
            f"{path}: was changed, and is no receipt of an erasure ({str(error).splitlines()[0]}); bring it back from "
            "a backup, for what it names must stay out"
        ) from error


def receipt_path(dataset: Dataset, run_id: str) -> Path:
    return dataset.erasures / f"{run_id}.json"


def receipts(dataset: Dataset) -> list[Receipt]:
    """Returns all receipts, oldest first."""
    return [read_receipt(p) for p in sorted(dataset.erasures.glob("*.json"))]


def erased_ids(dataset: Dataset) -> frozenset[str]:
    """Returns the documents that were ever erased; they stay out."""
    order = _order(dataset)
    return frozenset(i for r in (*receipts(dataset), *([order] if order else ())) for i in r.doc_ids)


def unfinished(dataset: Dataset, settled: bool = False) -> list[Receipt]:
    """Returns erasures that were killed, and those of which a version has come back as it was before.

    None has where the dataset is `settled`.
    """
    done = () if settled else receipts(dataset)
    found = {r.run_id: r for r in done if not _stands(dataset, r)}
    order = _order(dataset)
    return [*found.values(), *([order] if order and order.run_id not in found else ())]


def _stands(dataset: Dataset, receipt: Receipt) -> bool:
    """Whether its documents are gone from all versions that can be read."""
    for erased in receipt.versions:
        with suppress(DatasetError):  # it was pruned, or nobody can read it
            if all(e.run_id != receipt.run_id for e in dataset.manifest(erased.version).erased):
                return False
    return True


def _folder(dataset: Dataset) -> Path:
    return dataset.staging / "erasure"


def _order(dataset: Dataset) -> Receipt | None:
    path = _folder(dataset) / "order.json"
    return read_receipt(path) if path.is_file() else None


def take_back_exchanged(dataset: Dataset) -> None:
    """Puts back a folder that a killed exchange left away. Call it before anything looks at the versions."""
    take_back(_folder(dataset) / "views", dataset.root)
    take_back(_folder(dataset) / "tables", dataset.tables)


def found_in(dataset: Dataset, doc_ids: Collection[str]) -> dict[int, ErasedVersion]:
    """Returns what an erasure of these documents would take, by version; only versions that hold a row of theirs."""
    cut = _Cut(dataset, Receipt(run_id="", erased_at=datetime.min, reason="", doc_ids=tuple(doc_ids)))
    found = {}
    for manifest in dataset.published():
        rows = {t: n for t, entry in manifest.tables.items() if (n := cut.count(manifest, t, entry))}
        if rows:
            n = cut.documents(manifest)
            number = manifest.version
            found[number] = ErasedVersion(version=number, documents=n, rows=rows, files={}, manifest_sha256="")
    return found


def known_documents(dataset: Dataset, doc_ids: Collection[str]) -> frozenset[str]:
    """Those of `doc_ids` that any published version holds, or staging, where a run was held back or killed."""
    cut = _Cut(dataset, Receipt(run_id="", erased_at=datetime.min, reason="", doc_ids=tuple(doc_ids)))
    published = (
        i for m in dataset.published() for t in HOLDERS if t in m.tables for f in m.tables[t].files
        for i in cut.hits(dataset.view(m.version) / f.name, t, f.sha256)
    )  # fmt: skip
    waiting = (i for shard in dataset.staging.glob("shards/raw/*.parquet") for i in cut.waiting(shard))
    return frozenset([*published, *waiting])


def erase(dataset: Dataset, order: Receipt, page_of: PageMaker) -> Receipt:
    """Erases documents; returns the receipt, whose versions are those that held any of them.

    Call it as the dataset's only writer, after `recover`. `page_of` draws reports again. Raises DatasetDamaged where
    the manifest of a version cannot be read, for nobody knows then what the version holds.
    """
    manifests = dataset.published()
    folder = _folder(dataset)
    write_file(folder / "order.json", order.to_json())
    for path in dataset.staging.iterdir():  # shards, held runs and their rejects: all of it can be made again
        if path != folder:
            remove_any(path)
    _clear(folder)
    remove_any(dataset.root / "gx")  # results of checks, as earlier programs kept them
    remove_any(dataset.index_page)  # it is drawn anew from what the versions say then
    cut = _Cut(dataset, order)
    for manifest in manifests:
        _erase_from_version(dataset, manifest, order, cut, page_of)
    for name in TABLES:
        _erase_from_table(dataset, name, cut)
    done = replace(order, versions=tuple(_proof(dataset, order)))
    write_file(receipt_path(dataset, order.run_id), done.to_json())
    _clear(folder)
    (folder / "order.json").unlink()
    folder.rmdir()
    return done


def _clear(folder: Path) -> None:
    """Empties the folder but for the order, which goes last of all."""
    for path in folder.iterdir():
        if path.name != "order.json":
            remove_any(path)


def _proof(dataset: Dataset, order: Receipt) -> Iterator[ErasedVersion]:
    for manifest in dataset.published():
        for entry in manifest.erased:
            if entry.run_id == order.run_id:
                listed = {f.name: f.sha256 for t in manifest.tables.values() for f in t.files}
                new = {n: s for n, s in listed.items() if f"-{token_of(order.run_id)}." in n}
                yield ErasedVersion(
                    version=manifest.version,
                    documents=entry.documents,
                    rows=entry.rows,
                    files={**new, **manifest.files},
                    manifest_sha256=hashlib.sha256(dataset.manifest_path(manifest.version).read_bytes()).hexdigest(),
                )


@dataclass(slots=True)
class _Cut:
    """Files without the rows of an erasure: each is read once and written once, however many versions have it."""

    dataset: Dataset
    order: Receipt
    _hits: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _written: dict[tuple[str, str], WrittenFile | None] = field(default_factory=dict)

    def hits(self, path: Path, table: str, sha256: str) -> list[str]:
        """Returns the keys of the rows that leave a file, one a row; of table ``runs`` those that are changed."""
        known = self._hits.get((table, sha256))
        if known is None:
            known = self._hits[table, sha256] = self.look(path, table)
        return known

    def look(self, path: Path, table: str) -> list[str]:
        keys = read_column(path, KEYS[table])
        if table in BY_DOCUMENT:
            gone = pc.is_in(keys, value_set=self._ids)
            if table == "similar":
                gone = pc.or_(gone, pc.is_in(read_column(path, "similar_doc_id"), value_set=self._ids))
            return list(keys.filter(gone).to_pylist())
        if table == "inputs":
            return [p for p in keys.to_pylist() if doc_id_of(p) in self.order.doc_ids]
        if table == "runs":
            said = read_column(path, "gate").to_pylist()
            return [k for k, gate in zip(keys.to_pylist(), said, strict=True) if self._silent(gate) != gate]
        return []

    def waiting(self, shard: Path) -> list[str]:
        """Returns the documents that a shard in staging holds; one that is damaged is made again, and not asked."""
        try:
            return self.look(shard, "documents")
        except (OSError, pa.ArrowException):
            return []

    @property
    def _ids(self) -> pa.Array:
        return pa.array(self.order.doc_ids, pa.string())

    def is_in_log(self, folder: Path) -> bool:
        """Whether the bounds of a file, of today or before, name one of the documents: paths of table ``inputs`` may.

        A doc_id does not: it stays known.
        """
        if folder.name != "inputs":
            return False
        bring_log(folder, since=0)
        lines = (json.loads(line) for p in (folder / LOG).glob("*.json") for line in p.read_bytes().splitlines())
        stats = (json.loads(line["add"].get("stats") or "{}") for line in lines if "add" in line)
        bounds = (s.get(name, {}).get("path", "") for s in stats for name in ("minValues", "maxValues"))
        return any(doc_id_of(path) in self.order.doc_ids for path in bounds)

    def count(self, manifest: Manifest, table: str, entry: TableEntry) -> int:
        view = self.dataset.view(manifest.version)
        return sum(len(self.hits(view / f.name, table, f.sha256)) for f in entry.files)

    def documents(self, manifest: Manifest) -> int:
        """How many of the documents a version holds."""
        view = self.dataset.view(manifest.version)
        return len(
            {
                i for t in HOLDERS if t in manifest.tables for f in manifest.tables[t].files
                for i in self.hits(view / f.name, t, f.sha256)
            }
        )  # fmt: skip

    def without(self, path: Path, table: str, name: str, sha256: str) -> WrittenFile | None:
        """Returns a file of what is left of another, whose name in its table is `name`; None where nothing is."""
        key = table, sha256
        if key not in self._written:
            target = _folder(self.dataset) / "cut" / table / name_after_erasure(name, self.order.run_id)
            schema = parquet_file(path).schema_arrow
            rows = (self._left(table, r) for r in read_rows([path], schema))
            written = write_rows(rows, schema, iter([target]), KEYS[table], 1 << 62)
            self._written[key] = written[0] if written else None
        return self._written[key]

    def _left(self, table: str, rows: pa.Table) -> pa.Table:
        if table == "runs":
            gates = pa.array([self._silent(gate) for gate in rows["gate"].to_pylist()], rows.schema.field("gate").type)
            return rows.set_column(rows.schema.get_field_index("gate"), rows.schema.field("gate"), gates)
        if table == "inputs":
            gone = pa.array([doc_id_of(p) in self.order.doc_ids for p in rows["path"].to_pylist()], pa.bool_())
        else:
            gone = pc.is_in(rows["doc_id"], value_set=self._ids)
            if table == "similar":
                gone = pc.or_(gone, pc.is_in(rows["similar_doc_id"], value_set=self._ids))
        return rows.filter(pc.invert(gone))

    def _silent(self, gate: str | None) -> str | None:
        """What the gate said, without examples of these documents and without their sources."""
        said = json.loads(gate or "{}")
        for check in said.get("tables", ()):
            check["examples"] = [e for e in check["examples"] if e[:16] not in self.order.doc_ids]
        for check in said.get("results", ()):
            check["sentence"] = self._nameless(check["sentence"])
        silent = json.dumps(said, ensure_ascii=False, sort_keys=True)
        return gate if not gate or json.loads(gate) == said else silent

    def _nameless(self, sentence: str) -> str:
        """The sentence with a dash for each source in it, which may hold a comma itself."""
        ends = [0, *(n for m in re.finditer(r", |: |for example ", sentence) for n in m.span()), len(sentence)]
        for start, end in combinations(sorted(set(ends))[:200], 2):
            if end - start < 4096 and doc_id_of(part := sentence[start:end]) in self.order.doc_ids:
                return self._nameless(sentence.replace(part, "—"))
        return sentence


def _erase_from_version(dataset: Dataset, manifest: Manifest, order: Receipt, cut: _Cut, page_of: PageMaker) -> None:
    """Swaps a version for one without the documents; leaves it where it holds none, and says so already."""
    counts = {t: n for t, entry in manifest.tables.items() if (n := cut.count(manifest, t, entry))}
    known = next((v for v in order.versions if v.version == manifest.version), None)
    is_told = any(e.run_id == order.run_id for e in manifest.erased)
    if not counts and (is_told or known is None):
        return
    view = dataset.view(manifest.version)
    folder = _folder(dataset) / "views" / view.name
    tables = {name: _table_without(manifest, name, entry, view, folder, cut) for name, entry in manifest.tables.items()}
    rows = {**(known.rows if known else {}), **counts}
    entry = Erased(
        run_id=order.run_id,
        at=order.erased_at,
        documents=known.documents if known else cut.documents(manifest),
        rows={t: n for t, n in rows.items() if t != "runs"},
    )
    told = manifest.erased if is_told else (*manifest.erased, entry)
    bare = replace(manifest, tables=tables, erased=told, files={})
    pages = _pages(folder, bare, page_of)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in pages.items()}
    new = replace(bare, files=sums)
    for name, content in (*pages.items(), (MANIFEST, new.to_json().encode())):
        write_file(folder / name, content)
    flush_tree(folder)
    exchange(folder, view)
    remove_any(folder)


def _pages(folder: Path, bare: Manifest, page_of: PageMaker) -> dict[str, bytes]:
    """What describes a version, made anew; one that can no longer be made is left out: the old one names them."""
    settings = PublishSettings.model_validate(bare.recipe.get("publish", {}))
    pages: dict[str, bytes] = {}
    makers: tuple[Extras, ...] = (lambda place, manifest: descriptions(place, manifest, settings), page_of(bare))
    for make in makers:
        try:
            pages.update(make(folder, bare))
        except Exception as error:
            said = f"v{bare.version}: a page cannot be made again ({type(error).__name__}), and is left out"
            logging.getLogger(LOGGER).warning(said)
    return pages


def _table_without(manifest: Manifest, name: str, entry: TableEntry, view: Path, folder: Path, cut: _Cut) -> TableEntry:
    """Lays out a table of a version in `folder` without the documents; files that hold none are linked."""
    files: list[FileEntry] = []
    for file in entry.files:
        if not cut.hits(view / file.name, name, file.sha256):
            link_or_copy(view / file.name, folder / file.name)
            files.append(file)
            continue
        assert file.delta_path is not None, "a file without rows holds no document"
        left = cut.without(view / file.name, name, file.delta_path, file.sha256)
        if left is not None:
            place = f"{file.name.rpartition('-v')[0]}-v{manifest.version}-{token_of(cut.order.run_id)}.parquet"
            link_or_copy(left.path, folder / place)
            files.append(
                FileEntry(name=place, rows=left.rows, bytes=left.bytes, sha256=left.sha256, delta_path=left.name)
            )
    if not files:
        place = f"{name}/part-00000-v{manifest.version}-{token_of(cut.order.run_id)}.parquet"
        empty = write_empty(folder / place, parquet_file(view / entry.files[0].name).schema_arrow)
        files.append(FileEntry(name=place, rows=0, bytes=empty.bytes, sha256=empty.sha256))
    return replace(entry, files=tuple(files), rows=sum(f.rows for f in files), bytes=sum(f.bytes for f in files))


def _erase_from_table(dataset: Dataset, name: str, cut: _Cut) -> None:
    """Swaps a table for one that has the files of the versions, and a log that knows no other.

    One that holds nothing of the documents, in no file that its history ever named, stays.
    """
    old = dataset.table(name)
    manifests = dataset.published()
    named = {
        f.delta_path: dataset.view(m.version) / f.name
        for m in manifests if name in m.tables for f in m.tables[name].files if f.delta_path
    }  # fmt: skip
    there = {p.name: p for p in old.glob("*.parquet")}
    strays = [path for file, path in there.items() if file not in named]
    if named.keys() <= there.keys() and not any(cut.look(p, name) for p in strays) and not cut.is_in_log(old):
        return
    new = _folder(dataset) / "tables" / name
    for path, source in named.items():
        link_or_copy(source, new / path)
    rebuild_log(new, manifests)
    if name == "runs":
        _keep_later_runs(old, new, manifests, cut)
    flush_tree(new)
    exchange(new, old)
    remove_any(new)


def _keep_later_runs(old: Path, new: Path, manifests: Sequence[Manifest], cut: _Cut) -> None:
    """Brings what was recorded after the last version into the new table: runs that the gate held back."""
    now = active_files(open_table(old), "runs")
    table = DeltaTable(str(new))
    then = active_files(table, "runs")
    add = []
    for file in now:
        if file.name not in {f.name for f in then}:
            path = old / file.name
            sha256 = sha256_of(path)
            left = cut.without(path, "runs", file.name, sha256)
            assert left is not None, "no row leaves table runs"
            link_or_copy(left.path, new / left.name)
            low, high = key_bounds(new / left.name, KEYS["runs"])
            add.append(replace(left, path=new / left.name, low=low, high=high))
    names = {f.name for f in now} | {name_after_erasure(f.name, cut.order.run_id) for f in now}
    gone = [f for f in then if f.name not in names]
    if add or gone:
        job = WriteJob(
            run_id=cut.order.run_id, version=manifests[-1].version, file_bytes=0, started_at=cut.order.erased_at,
            purpose="record",
        )  # fmt: skip
        commit(table, new, storable(TABLES["runs"]), job, "record", add=add, remove=gone, data_change=True)


def standing_aside(dataset: Dataset) -> Iterable[str]:
    """Names of what a repair of the dataset set aside: nobody reads it, and nothing is erased from it."""
    for folder in (dataset.root, dataset.tables):
        for path in sorted(folder.glob("*.set-aside-*")):
            yield path.relative_to(dataset.root).as_posix()
