"""Hand a version out: the whole view as a folder or under a URL, its documents as one file, or what is chosen of it.

What is handed out is for readers: no run goes on from it (a dataset that runs write to stands under
``--into s3://...``, see `winnow.storage`).
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pyarrow as pa
from pyarrow import fs

from winnow.base.addresses import is_url, redacted
from winnow.base.disk import beside, flush, flush_tree
from winnow.base.errors import UsageError, WinnowError
from winnow.base.files import copy_whole, opened, parquet_file
from winnow.publish.dataset import Dataset
from winnow.publish.manifest import MANIFEST
from winnow.publish.selection import Choice, Selected, json_line, write_selection
from winnow.publish.tables.row_files import read_rows, write_empty, write_rows

_CHUNK_BYTES = 8 << 20

FORMS = ("a folder", "*.parquet", "*.jsonl", "*.jsonl.gz")


def export(dataset: Dataset, version: int, to: Path) -> Path:
    """Writes a version to `to`; its name decides the form. A folder gets the view; a file gets the documents.

    What is written appears whole or not at all.
    Raises UsageError where something stands there already, or for a file name of another form.
    """
    manifest = dataset.manifest(version)
    files = [dataset.view(version) / f.name for f in manifest.tables["documents"].files]
    with _in_place(to) as temporary:
        if to.name.endswith(".parquet"):
            _write_parquet(files, temporary)
        elif to.name.endswith((".jsonl", ".jsonl.gz")):
            _write_lines(files, temporary, packed=to.name.endswith(".gz"))
        elif to.suffix in ("", f".{version}") or to.name.startswith("."):
            shutil.copytree(dataset.view(version), temporary, copy_function=copy_whole)
        else:
            raise UsageError(f"{to}: cannot tell the form from this name; give {', '.join(FORMS)}")
    return to


@contextmanager
def _in_place(to: Path) -> Iterator[Path]:
    """A name for what is to stand at `to` when it is whole. Raises UsageError where something stands there already."""
    if to.is_dir() and not any(to.iterdir()):
        to.rmdir()
    if to.exists() or to.is_symlink():
        raise UsageError(f"{to}: exists; give --to a name that is free")
    with beside(to) as temporary:
        yield temporary
        (flush if temporary.is_file() else flush_tree)(temporary)
    flush(to.parent)


def export_selection(dataset: Dataset, version: int, choice: Choice, to: str) -> tuple[str, Selected]:
    """Writes what is chosen of a version to a folder or under a URL; returns where, without credentials, and what.

    In a folder it appears whole or not at all; under a URL its ``manifest.json`` comes last. Raises UsageError where
    something stands there already.
    """
    if not is_url(to):
        with _in_place(Path(to)) as temporary:
            return to, write_selection(dataset, version, choice, temporary)
    _free_place(to)  # before the work, not after it
    with TemporaryDirectory(prefix="winnow-export-") as room:
        folder = Path(room) / "export"
        done = write_selection(dataset, version, choice, folder)
        return upload_folder(folder, to), done


def _write_parquet(files: list[Path], to: Path) -> None:
    schema = parquet_file(files[0]).schema_arrow
    if not write_rows(read_rows(files, schema), schema, iter([to]), "doc_id", 1 << 62):
        write_empty(to, schema)


def _write_lines(files: list[Path], to: Path, packed: bool) -> None:
    with to.open("wb") as raw:
        # No name and no time in the gzip head: the same version gives the same bytes.
        sink: Any = gzip.GzipFile("", "wb", 6, raw, mtime=0) if packed else raw
        for rows in read_rows(files, parquet_file(files[0]).schema_arrow):
            sink.write("".join(map(json_line, rows.to_pylist())).encode("utf-8", "surrogatepass"))
        if packed:
            sink.close()


def upload(dataset: Dataset, version: int, url: str) -> str:
    """Copies the view of a version to `url` (s3://, gs://, ...); returns the address without credentials.

    The copy is whole once its ``manifest.json`` is there, which is written last; one that was cut off is made again
    from the start. Credentials and the endpoint come from the environment (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, ...)
    or from the URL's options, and are never shown. Raises UsageError where a whole copy stands there already, and
    WinnowError where the store refuses.
    """
    dataset.manifest(version)
    return upload_folder(dataset.view(version), url)


def upload_folder(folder: Path, url: str) -> str:
    """Copies a folder with a ``manifest.json`` to `url`; see `upload`."""
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    names.sort(key=lambda name: name == MANIFEST)
    system, root = _free_place(url)
    with _told_of(url):
        for name in names:
            _copy_file(folder / name, system, f"{root}/{name}")
    return redacted(url)


def _free_place(url: str) -> tuple[fs.FileSystem, str]:
    """The store and the prefix that a URL names. Raises UsageError where a whole copy stands there already."""
    with _told_of(url):
        system, root = _file_system(url)
        if system.get_file_info(f"{root}/{MANIFEST}").type != fs.FileType.NotFound:
            raise UsageError(f"{redacted(url)}: a version stands there already; give --to an address that is free")
    return system, root


@contextmanager
def _told_of(url: str) -> Iterator[None]:
    """Raises WinnowError with the address, and never with credentials, for what a store refuses."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        why = str(error).split("\n")[0]
        raise WinnowError(
            f"{redacted(url)}: cannot be written: {why}; check the address and the credentials"
        ) from error


def _file_system(url: str) -> tuple[fs.FileSystem, str]:
    parts = urlsplit(url)
    try:
        system, root = fs.FileSystem.from_uri(urlunsplit((parts.scheme, parts.netloc, parts.path, parts.query, "")))
    except (pa.ArrowInvalid, ValueError) as error:
        raise UsageError(
            f"{redacted(url)}: is no address that can be written to: {str(error).split(': ')[-1]}"
        ) from error
    return system, root.rstrip("/")


def _copy_file(source: Path, system: fs.FileSystem, target: str) -> None:
    folder = target.rpartition("/")[0]
    if not isinstance(system, fs.S3FileSystem):  # S3 has no folders; to make them is to ask for rights to do so
        system.create_dir(folder, recursive=True)
    with opened(source) as file, system.open_output_stream(target) as out:
        while chunk := file.read(_CHUNK_BYTES):
            out.write(chunk)
