"""Copy a version to object storage or any other place that has a URL.

The copy is for readers: no run goes on from it (a dataset that runs write to stands under ``--into s3://...``, see
`winnow.storage`). It is whole once its ``manifest.json`` is there, which is written last.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pyarrow as pa
from pyarrow import fs

from winnow.base.addresses import redacted
from winnow.base.errors import UsageError, WinnowError
from winnow.publish.dataset import Dataset

MANIFEST = "manifest.json"
_CHUNK_BYTES = 8 << 20


def upload(dataset: Dataset, version: int, url: str) -> str:
    """Copy the view of a version to `url` (s3://, gs://, ...); returns the address without credentials.

    A copy that was cut off is made again from the start. Credentials and the endpoint come from the environment
    (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, ...) or from the URL's options, and are never shown.
    Raises UsageError where a whole copy stands there already, and WinnowError where the store refuses.
    """
    dataset.manifest(version)
    view = dataset.view(version)
    names = sorted(p.relative_to(view).as_posix() for p in view.rglob("*") if p.is_file())
    names.sort(key=lambda name: name == MANIFEST)
    try:
        system, root = _system(url)
        if system.get_file_info(f"{root}/{MANIFEST}").type != fs.FileType.NotFound:
            raise UsageError(f"{redacted(url)}: a version stands there already; give --to an address that is free")
        for name in names:
            _copy(view / name, system, f"{root}/{name}")
    except (OSError, pa.ArrowException) as error:
        why = str(error).split("\n")[0]
        raise WinnowError(
            f"{redacted(url)}: cannot be written: {why}; check the address and the credentials"
        ) from error
    return redacted(url)


def _system(url: str) -> tuple[fs.FileSystem, str]:
    parts = urlsplit(url)
    try:
        system, root = fs.FileSystem.from_uri(urlunsplit((parts.scheme, parts.netloc, parts.path, parts.query, "")))
    except (pa.ArrowInvalid, ValueError) as error:
        raise UsageError(
            f"{redacted(url)}: is no address that can be written to: {str(error).split(': ')[-1]}"
        ) from error
    return system, root.rstrip("/")


def _copy(source: Path, system: fs.FileSystem, target: str) -> None:
    folder = target.rpartition("/")[0]
    if not isinstance(system, fs.S3FileSystem):  # S3 has no folders; to make them is to ask for rights to do so
        system.create_dir(folder, recursive=True)
    with source.open("rb") as file, system.open_output_stream(target) as out:
        while chunk := file.read(_CHUNK_BYTES):
            out.write(chunk)
