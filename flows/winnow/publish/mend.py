"""Find what a dataset has lost or what was changed in it, and restore it from what stands elsewhere.

The last version's manifest is the measure: its view names every file with size and SHA-256, and the tables' logs must
name the same files. View and table hold each file under a name of their own (hard links, or copies), and older views
hold it too; a log says nothing that the views do not. So a lost file is linked from its other name, a lost log is
written anew from the views, and a lost view is laid out from the tables. What nothing can restore stops the caller
before anything is written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow.dataset as pads
from deltalake import DeltaTable

from winnow.base.contracts import TABLES
from winnow.base.disk import flush, flush_tree, link_or_copy, move, remove_any
from winnow.base.errors import DatasetDamaged, DatasetError
from winnow.base.files import arrow_dataset, at_hand
from winnow.base.pointers import is_pointer
from winnow.base.recipe import PublishSettings
from winnow.base.staging import sha256_of, write_file
from winnow.publish.dataset import Dataset
from winnow.publish.manifest import MANIFEST, FileEntry, Manifest, TableEntry
from winnow.publish.proof import BACKUP, Sums, has_size, ways_back
from winnow.publish.tables.delta import (
    KEYS,
    LOG,
    PURPOSE,
    WriteJob,
    active_files,
    bring_log,
    commit,
    create_table,
    flush_log,
    is_whole_commit,
    open_table,
)
from winnow.publish.tables.row_files import WrittenFile, key_bounds, write_empty
from winnow.publish.tables.schema import storable
from winnow.publish.version import Extras, descriptions, lay_out_table

PageMaker = Callable[[Manifest], Extras]
"""Given a manifest: what makes the further files of its view (report.html) from the view's folder."""


def prepare_to_mend(dataset: Dataset, to_go_back: bool = False) -> list[str]:
    """Brings the last version's view and manifest back; returns what was done, one line each.

    Raises DatasetDamaged where they cannot be restored; `to_go_back` to an older version, what is left is set aside.
    """
    done = list(_clear_the_way(dataset))
    try:
        done += _restore_last_view(dataset)
    except DatasetDamaged:
        if not to_go_back:
            raise
        done += _set_damaged_aside(dataset)
    return done


def mend(
    dataset: Dataset, manifests: Sequence[Manifest], page_of: PageMaker | None = None, to_go_back: bool = False
) -> list[str]:
    """Restores what is damaged in the versions and the tables; returns what was done, one line each.

    `manifests` are those that can be read, oldest first.

    Call it as the dataset's only writer, after `prepare_to_mend`. Raises DatasetDamaged, naming each file and the ways
    back, where something that the next version is built on cannot be restored; not `to_go_back` to an older version.
    """
    done: list[str] = []
    if not manifests:
        return done + _drop_unreadable(dataset)
    last = manifests[-1]
    lost: list[str] = []
    sums = Sums()
    for manifest in reversed(manifests):
        # What the next version is built on is read through its checksums; of older versions sizes are compared.
        fits = sums.fits if manifest is last else has_size
        for name, entry in manifest.tables.items():
            for file in entry.files:
                did = _restore_file(dataset, manifests, manifest, name, file, fits)
                if did is None and manifest is last:
                    lost.append(f"v{manifest.version}/{file.name}: is missing or was changed, and no copy is left")
                elif did:
                    done.append(did)
        done += _restore_pages(dataset, manifest, page_of)
    if lost and not to_go_back:
        raise DatasetDamaged(f"{dataset.name}: {'; '.join(lost[:5])}; {ways_back(dataset, last.version)}")
    for name, entry in last.tables.items():
        if fault := log_fault(dataset, name, entry):
            rebuild_log(dataset.table(name), manifests)
            done.append(f"tables/{name}/_delta_log: {fault}; written anew from the views")
    return done


def is_whole(dataset: Dataset, manifest: Manifest) -> bool:
    """Whether a version and the logs of the tables are as its manifest says, so that `mend` has nothing to do."""
    sums, view = Sums(), dataset.view(manifest.version)
    files = [(name, file) for name, entry in manifest.tables.items() for file in entry.files]
    return (
        all(sums.fits(view / f.name, f) for _, f in files)
        and all(sums.fits(dataset.table(name) / f.delta_path, f) for name, f in files if f.delta_path)
        and not _bad_pages(view, manifest)
        and not any(log_fault(dataset, name, entry) for name, entry in manifest.tables.items())
    )


def _set_damaged_aside(dataset: Dataset) -> Iterator[str]:
    for number in dataset.version_numbers():
        try:
            dataset.manifest(number)
        except DatasetError:
            yield _set_aside(dataset, dataset.view(number))


def _drop_unreadable(dataset: Dataset) -> list[str]:
    """Tables that cannot be read before any version was published hold nothing that anyone has seen."""
    dropped = []
    for name in TABLES:
        try:
            open_table(dataset.table(name))
        except Exception:
            remove_any(dataset.table(name))
            dropped.append(f"tables/{name}: could not be read, and no version was published yet; begun anew")
    return dropped


def readable(dataset: Dataset) -> Iterator[Manifest]:
    """Manifests of the published versions that can be read, oldest first."""
    dataset.lay_out(dataset.version_numbers())
    for number in dataset.version_numbers():
        try:
            yield dataset.manifest(number)
        except DatasetError:
            continue


def published_commit(manifest: Manifest | None, table: str) -> int:
    """Returns the commit of a table's log that a version was made from; 0, which adds no row, where there is none."""
    entry = manifest.tables.get(table) if manifest else None
    return entry.delta_version if entry else 0


def log_fault(dataset: Dataset, name: str, entry: TableEntry) -> str | None:
    """Why a table's log cannot be what the version was made from; None where it is."""
    folder = dataset.table(name)
    if dataset.sound_end(name) == entry.delta_version:
        return None
    wanted = {(f.delta_path, f.bytes) for f in entry.files if f.delta_path}
    try:
        table = open_table(folder)
        if table is None:
            return "is gone"
        if table.version() < entry.delta_version:
            return f"ends at commit {table.version()}, the last version was made from commit {entry.delta_version}"
        if fault := _fault_of_commits(folder / LOG, table.version()):
            return fault
        then = table if table.version() == entry.delta_version else open_table(folder, entry.delta_version)
        if {(f.name, f.bytes) for f in active_files(then, name)} != wanted:
            return f"names other files at commit {entry.delta_version} than the last version"
    except Exception as error:  # a damaged log fails in many ways, and all of them mean the same
        return f"cannot be read ({str(error).splitlines()[0][:200] if str(error) else type(error).__name__})"
    return None


def _fault_of_commits(log: Path, version: int) -> str | None:
    """What is wrong with a commit, also with one before the last checkpoint; of those that are not here only names."""
    for number in range(version + 1):
        path = log / f"{number:020d}.json"
        if not path.is_file():
            return f"lacks {path.name}"
        if not is_pointer(path) and not is_whole_commit(path):
            return f"holds no commit in {path.name}"
    return None


def _clear_the_way(dataset: Dataset) -> Iterator[str]:
    """Move aside what stands where a folder or a link must be; nothing of it is read or removed."""
    for path in (dataset.tables, dataset.staging, *(dataset.table(name) for name in TABLES)):
        if path.exists() and not path.is_dir():
            yield _set_aside(dataset, path)
    if dataset.latest.exists() and not dataset.latest.is_symlink():
        yield _set_aside(dataset, dataset.latest)


def _set_aside(dataset: Dataset, path: Path) -> str:
    number = 1
    while (aside := path.with_name(f"{path.name}.set-aside-{number}")).exists():
        number += 1
    path.rename(aside)
    return f"{path.relative_to(dataset.root)}: stood in the way, and is now {aside.name}"


def _restore_file(
    dataset: Dataset,
    manifests: Sequence[Manifest],
    manifest: Manifest,
    name: str,
    file: FileEntry,
    fits: Callable[[Path, FileEntry], bool],
) -> str | None:
    """Give a file of a view back its names; an empty text where nothing is missing, None where no copy is left."""
    view = dataset.view(manifest.version) / file.name
    if file.delta_path is None:
        if fits(view, file):
            return ""
        remove_any(view)
        write_empty(view, storable(TABLES[name]))
        return f"{view.relative_to(dataset.root)}: was missing, and holds no rows"
    table = dataset.table(name) / file.delta_path
    missing = [p for p in (view, table) if not fits(p, file)]
    if not missing:
        return ""
    others = (
        dataset.view(m.version) / f.name
        for m in manifests if name in m.tables for f in m.tables[name].files if f.sha256 == file.sha256
    )  # fmt: skip
    source = next((p for p in (view, table, *others) if Sums().fits(p, file)), None)
    if source is None:
        return None
    for path in missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_any(path)
        link_or_copy(source, path)
        flush(path.parent)
    restored = ", ".join(p.relative_to(dataset.root).as_posix() for p in missing)
    return f"{restored}: restored from {source.relative_to(dataset.root).as_posix()}"


def _bad_pages(folder: Path, manifest: Manifest) -> list[str]:
    return [n for n, sha in manifest.files.items() if not (folder / n).is_file() or sha256_of(folder / n) != sha]


def _restore_pages(dataset: Dataset, manifest: Manifest, page_of: PageMaker | None) -> Iterator[str]:
    """Write the card and the report of a version again where they are missing or changed, from its rows."""
    folder = dataset.view(manifest.version)
    bad = _bad_pages(folder, manifest)
    if not bad:
        return
    bare = replace(manifest, files={})
    try:
        settings = PublishSettings.model_validate(manifest.recipe.get("publish", {}))
        pages = descriptions(folder, bare, settings)
        if page_of is not None:
            pages |= page_of(manifest)(folder, bare)
    except Exception:  # a page is for people; what it is made from is checked elsewhere
        return
    for name in bad:
        if name in pages:
            remove_any(folder / name)
            write_file(folder / name, pages[name])
            sha256 = hashlib.sha256(pages[name]).hexdigest()
            same = "" if sha256 == manifest.files[name] else ", by a later program: verify goes on to tell of it"
            yield f"{folder.name}/{name}: written again{same}"


def rebuild_log(folder: Path, manifests: Sequence[Manifest]) -> None:
    """Write a table's log anew, so that each version's commit has the number and the files that its manifest names."""
    name = folder.name
    remove_any(folder / LOG)
    create_table(folder, storable(TABLES[name]))
    number, now = 0, {}  # type: tuple[int, dict[str, FileEntry]]
    sums = Sums()
    for manifest in manifests:
        entry = manifest.tables.get(name)
        if entry is None:
            continue
        wanted = {f.delta_path: f for f in entry.files if f.delta_path}
        if wanted == now and entry.delta_version <= number:
            continue
        _reserve(folder, number + 1, entry.delta_version)
        add = []
        for path, file in wanted.items():
            if path not in now and sums.fits(folder / path, file):
                low, high = key_bounds(folder / path, KEYS[name])
                size, sha256 = file.bytes, file.sha256
                add.append(
                    WrittenFile(path=folder / path, rows=file.rows, bytes=size, sha256=sha256, low=low, high=high)
                )
        table = DeltaTable(str(folder))
        gone = [f for f in active_files(table, name) if f.name not in wanted]
        job = WriteJob(run_id="recovered", version=manifest.version, file_bytes=0, started_at=manifest.created_at)
        commit(table, folder, storable(TABLES[name]), job, "recovered", add=add, remove=gone, data_change=True)
        number = table.version()
        now = wanted
    flush_log(folder)


def _reserve(folder: Path, first: int, end: int) -> None:
    """Write commits `first` to `end` - 1 that change nothing, so that the next one has the number `end`."""
    for number in range(first, end):
        line = json.dumps({"commitInfo": {"timestamp": 0, "operation": "RESERVED", PURPOSE: "recovered"}})
        write_file(folder / LOG / f"{number:020d}.json", line.encode() + b"\n")


def _restore_last_view(dataset: Dataset) -> Iterator[str]:
    """Lay the last version's view out again where it, or its manifest, is gone or damaged.

    Raises DatasetDamaged where the tables cannot tell what it held.
    """
    number = dataset.last_number()
    if number is None:
        return
    view = dataset.view(number)
    try:
        dataset.manifest(number)
        return
    except DatasetError as error:
        fault = "is gone" if not view.is_dir() else str(error)
    if dataset.building.exists() and not dataset.building.is_dir():
        dataset.building.unlink()
    try:
        manifest = _lay_out_again(dataset, number)
    except Exception as error:
        older = [n for n in dataset.version_numbers() if n < number]
        back = f", or go on from an older version: winnow rollback {older[-1]} --into {dataset.name}" if older else ""
        raise DatasetDamaged(
            f"{dataset.name}: v{number} was published and is damaged ({fault}), and the tables cannot restore it "
            f"({str(error).splitlines()[0][:200] if str(error) else type(error).__name__}); {BACKUP}{back}"
        ) from error
    yield f"v{manifest.version}: {fault}; laid out again from the tables"


def _lay_out_again(dataset: Dataset, number: int) -> Manifest:
    """A published version's view from its run's row and from the tables as its commits left them."""
    versions: dict[str, int] = {}
    row = None
    runs = open_table(dataset.table("runs"))
    assert runs is not None, "table runs is gone"
    bring_log(dataset.table("runs"), since=0)  # for its history
    rows = arrow_dataset([dataset.table("runs") / f.name for f in active_files(runs, "runs")], TABLES["runs"])
    for found in rows.to_table(filter=pads.field("version") == number).to_pylist():
        if found["status"] != "held":
            row = found
    assert row is not None, f"table runs knows no run that published v{number}"
    versions = json.loads(row["table_versions"])
    mine = [
        h["version"] for h in runs.history() if h.get("winnow_run") == row["run_id"] and h.get(PURPOSE) == "publish"
    ]
    versions["runs"] = max(mine, default=runs.version())
    lost = [name for name, at in versions.items() if at and open_table(dataset.table(name)) is None]
    assert not lost, f"the log of table {', '.join(lost)} is gone too"
    folder = dataset.building / f"v{number}"
    remove_any(folder)
    folder.mkdir(parents=True)
    previous = [n for n in dataset.version_numbers() if n < number]
    manifest = Manifest(
        version=number,
        previous=previous[-1] if previous else None,
        created_at=row["finished_at"],
        run_id=row["run_id"],
        recipe_id=row["recipe_id"],
        recipe=json.loads(row["recipe"]),
        packages=json.loads(row["packages"]),
        counts=json.loads(row["counts"]),
        tables={
            name: lay_out_table(dataset, folder, number, name, open_table(dataset.table(name), versions.get(name)), {})
            for name in TABLES
        },
        note=row["note"],
    )
    settings = PublishSettings.model_validate(manifest.recipe.get("publish", {}))
    files = descriptions(folder, manifest, settings)
    report = dataset.view(number) / "report.html"
    if report.is_file():
        files["report.html"] = at_hand(report).read_bytes()
    manifest = replace(manifest, files={n: hashlib.sha256(c).hexdigest() for n, c in files.items()})
    for name, content in (*files.items(), (MANIFEST, manifest.to_json().encode())):
        write_file(folder / name, content)
    flush_tree(folder)
    remove_any(dataset.view(number))
    move(folder, dataset.view(number))
    return manifest
