"""Check what stands on disk against the manifests: every byte, every row, every promise that the tables can show."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow as pa

from winnow.base.contracts import TABLES
from winnow.base.disk import same_file
from winnow.base.errors import DatasetError
from winnow.base.files import parquet_file
from winnow.base.staging import sha256_of
from winnow.publish.conservation import Undo, conservation
from winnow.publish.dataset import Dataset, Problem
from winnow.publish.erasure import erased_ids, found_in
from winnow.publish.manifest import MANIFEST, FileEntry, Manifest, TableEntry
from winnow.publish.mend import log_fault, published_commit, readable
from winnow.publish.tables.delta import active_files, bring_log, fault_of, open_table, recorded_sums
from winnow.publish.tables.schema import plain


def verify(dataset: Dataset, version: int | None = None, undo: Undo | None = None) -> list[Problem]:
    """Checks one version, or all of them and the tables if None; returns what is wrong.

    Checks each file's size, SHA-256, rows and columns, files that are missing or too many, links, `latest`,
    and that no text was lost (see `winnow.publish.conservation`). With `undo`, the ledger's inverse, also that
    each document's edits can be taken back. Raises DatasetError for a version that there is not.
    """
    dataset.lay_out(dataset.version_numbers() if version is None else [version])
    numbers = dataset.version_numbers()
    if version is not None and version not in numbers:
        dataset.manifest(version)
    hashes: dict[tuple[int, int], str] = {}
    chosen = numbers if version is None else [version]
    problems = [problem for number in chosen for problem in _version(dataset, number, hashes, undo)]
    return (
        problems
        if version is not None
        else [*problems, *_latest(dataset), *_logs(dataset), *_tables(dataset), *_erased(dataset)]
    )


def _version(dataset: Dataset, number: int, hashes: dict[tuple[int, int], str], undo: Undo | None) -> list[Problem]:
    view = dataset.view(number)
    try:
        manifest = dataset.manifest(number)
    except DatasetError as error:
        return [Problem(number, f"{view.name}/{MANIFEST}", str(error))]
    if manifest.version != number:
        return [Problem(number, f"{view.name}/{MANIFEST}", f"says it is version {manifest.version}")]
    bad = dict(_files(view, manifest, hashes))
    # A file whose bytes are wrong has a footer and a twin that are wrong too: say it once.
    for place, what in (*_rows(view, manifest, bad), *_strangers(view, manifest), *_links(dataset, view, manifest)):
        bad.setdefault(place, what)
    problems = [Problem(number, f"{view.name}/{place}", what) for place, what in bad.items()]
    if problems:
        return problems  # what follows reads the rows, and would only say the same in more words
    return [Problem(number, view.name, what) for what in conservation(view, manifest, undo)]


def _files(view: Path, manifest: Manifest, hashes: dict[tuple[int, int], str]) -> Iterator[tuple[str, str]]:
    """Sizes and hashes. `hashes` remembers files by device and inode, so that a link is read once for all versions."""
    listed = {f.name: (f.bytes, f.sha256) for t in manifest.tables.values() for f in t.files}
    for name, (size, wanted) in {**listed, **{n: (None, s) for n, s in manifest.files.items()}}.items():
        path = view / name
        if not path.is_file():
            yield name, "is missing"
            continue
        stat = path.stat()
        if size is not None and stat.st_size != size:
            yield name, f"has {stat.st_size} bytes, the manifest says {size}"
            continue
        key = stat.st_dev, stat.st_ino
        if key not in hashes:
            hashes[key] = sha256_of(path)
        if hashes[key] != wanted:
            yield name, f"was changed: SHA-256 is {hashes[key]}, the manifest says {wanted}"


def _rows(view: Path, manifest: Manifest, bad: Collection[str]) -> Iterator[tuple[str, str]]:
    for name, table in manifest.tables.items():
        if table.rows != sum(f.rows for f in table.files):
            yield name, f"files have {sum(f.rows for f in table.files)} rows, the manifest says {table.rows}"
        for file in table.files:
            if file.name not in bad:
                yield from _columns(view, file, table)


def _columns(view: Path, file: FileEntry, table: TableEntry) -> Iterator[tuple[str, str]]:
    try:
        with parquet_file(view / file.name) as opened:
            meta, schema = opened.metadata, opened.schema_arrow
    except (OSError, pa.ArrowException) as error:
        yield file.name, f"cannot be read as Parquet: {error}"
        return
    if meta.num_rows != file.rows:
        yield file.name, f"has {meta.num_rows} rows, the manifest says {file.rows}"
    have = [(f.name, str(plain(f.type))) for f in schema]
    want = [(c.name, c.type) for c in table.columns]
    if [n for n, _ in have] != [n for n, _ in want]:
        yield file.name, f"has columns {[n for n, _ in have]}, the manifest says {[n for n, _ in want]}"
    for (column, found), (_, wanted) in zip(have, want, strict=False):
        if found != wanted:
            yield file.name, f"column {column} is {found}, the manifest says {wanted}"


def _strangers(view: Path, manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Files that no manifest lists: a reader of the folder would take their rows for the table's."""
    known = {f.name for t in manifest.tables.values() for f in t.files} | {*manifest.files, MANIFEST}
    for path in sorted(p for p in view.rglob("*") if not p.is_dir()):
        name = path.relative_to(view).as_posix()
        if name not in known:
            yield name, "is not in the manifest"


def _links(dataset: Dataset, view: Path, manifest: Manifest) -> Iterator[tuple[str, str]]:
    """A view's file and the table's are one file, or copies of one another."""
    for name, table in manifest.tables.items():
        for file in table.files:
            other = dataset.table(name) / (file.delta_path or "")
            if file.delta_path is None or not other.is_file() or same_file(view / file.name, other):
                continue
            if other.stat().st_size != file.bytes or sha256_of(other) != file.sha256:
                yield file.name, f"differs from tables/{name}/{file.delta_path}, the file it was made from"


def _latest(dataset: Dataset) -> list[Problem]:
    number = dataset.latest_version()
    if number is None:
        return []
    if not dataset.latest.is_symlink():
        return [Problem(None, "latest", f"is missing; it should point to v{number}")]
    target = dataset.latest.readlink().as_posix()
    return [] if target == f"v{number}" else [Problem(None, "latest", f"points to {target}, not to v{number}")]


def _logs(dataset: Dataset) -> Iterator[Problem]:
    """The last version is there, and the tables' logs name its files."""
    numbers, last = dataset.version_numbers(), dataset.last_number()
    if last is not None and last not in numbers:
        yield Problem(last, f"v{last}", "was published and is gone")
    manifests = list(readable(dataset))
    for name, entry in manifests[-1].tables.items() if manifests else ():
        bring_log(dataset.table(name), since=0)
        if fault := log_fault(dataset, name, entry):
            yield Problem(None, f"tables/{name}/_delta_log", fault)


def _erased(dataset: Dataset) -> Iterator[Problem]:
    """Every receipt of an erasure can be read, and no version holds what it names."""
    try:
        doc_ids = erased_ids(dataset)
        found = found_in(dataset, doc_ids) if doc_ids else {}
    except DatasetError as error:
        yield Problem(None, dataset.erasures.name, str(error))
        return
    for number, held in found.items():
        for table, rows in held.rows.items():
            yield Problem(number, f"v{number}/{table}", f"{rows} rows are of documents that were erased")


def _tables(dataset: Dataset) -> list[Problem]:
    """The Delta tables as they stand: every file that the log names is there, as the log says."""
    problems = []
    last = next(reversed(list(readable(dataset))), None)
    for name in TABLES:
        folder = dataset.table(name)
        try:
            table = open_table(folder)
            files = active_files(table, name)
            sums = recorded_sums(table, published_commit(last, name)) if table else {}
        except Exception as error:  # a damaged log fails in many ways, all of them one problem
            problems.append(Problem(None, f"tables/{name}", f"cannot be read as a Delta table: {error}"))
            continue
        for file in files:
            if what := fault_of(folder / file.name, file, sums.get(file.name)):
                problems.append(Problem(None, f"tables/{name}/{file.name}", what))
    return problems
