"""Opening and listing files: local paths straight from the system, URLs through pyarrow (and fsspec where it is known).

Local files are opened by the system's own calls, for speed and because pyarrow cannot name undecodable paths; anything
with ``://`` goes through one `pyarrow.fs.FileSystem`. Credentials come from the environment or the URL, and are never
shown.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, BinaryIO
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from winnow.base.addresses import is_url, redacted
from winnow.base.errors import ReadError, UsageError


def open_input(address: str) -> BinaryIO:
    """The file at `address`, for reading and seeking.

    Raises ReadError of kind ``unreadable`` for what is missing, refused, or no regular file: pipes and devices are
    never opened, links are not followed (listing has resolved those that may be).
    """
    try:
        return _open_url(address) if is_url(address) else _open_path(address)
    except OSError as error:
        raise unreadable(error) from error


def unreadable(error: OSError) -> ReadError:
    """What the system says about a file that cannot be read, with the remedy."""
    why = (error.strerror or str(error).split("\n")[0]).lower()
    return ReadError("unreadable", f"cannot be read: {why}; check that the file exists and may be read")


def _open_path(address: str) -> BinaryIO:
    if not stat.S_ISREG(os.lstat(address).st_mode):
        raise ReadError("unreadable", "is a dead link, a pipe, a device or a folder, not a file; put a file there")
    # A file may be swapped for a pipe after the look: O_NONBLOCK keeps the call from waiting for a writer.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    handle = os.open(address, flags)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise ReadError("unreadable", "is no regular file; put a file there")
    return os.fdopen(handle, "rb", buffering=0)


def _open_url(address: str) -> BinaryIO:
    system, path = _system(address)
    stream: BinaryIO = system.open_input_file(path)
    return stream


def list_url(url: str) -> Iterator[tuple[str, str, int]]:
    """``(relative path, URL, bytes)`` of every file at or under `url`.

    Raises UsageError where nothing is there or the store refuses.
    """
    from pyarrow import fs

    try:
        system, root = _system(url)
        info = system.get_file_info(root)
        if info.type == fs.FileType.File:
            yield info.base_name, url, info.size
            return
        found = (
            system.get_file_info(fs.FileSelector(root, recursive=True)) if info.type != fs.FileType.NotFound else None
        )
    except (OSError, ValueError, ImportError) as error:
        why = str(error).split("\n")[0]
        raise UsageError(f"{redacted(url)}: cannot be listed: {why}; check the URL and the credentials") from error
    if found is None:
        raise UsageError(f"{redacted(url)}: there is nothing there; give an existing folder, file or URL to read")
    parts = urlsplit(url)
    for file in found:
        if file.type == fs.FileType.File:
            relative = file.path.removeprefix(root).lstrip("/")
            path = f"{parts.path.rstrip('/')}/{quote(relative)}"
            yield relative, urlunsplit((parts.scheme, parts.netloc, path, parts.query, "")), file.size


def _system(url: str) -> tuple[Any, str]:
    """The file system of a URL and the path in it. Systems are kept: opening a connection costs more than a file."""
    from pyarrow import fs

    parts = urlsplit(url)
    if parts.scheme in ("s3", "gs", "gcs", "hdfs", "abfs", "abfss", "file", "mock"):
        system = _pyarrow_system(urlunsplit((parts.scheme, parts.netloc, "", parts.query, "")))
        bucket = "" if parts.scheme in ("file", "hdfs", "mock") else parts.netloc.rpartition("@")[2]
        return system, (bucket + unquote(parts.path)).rstrip("/")
    import fsspec

    inner, path = fsspec.core.url_to_fs(unquote(url))
    return fs.PyFileSystem(fs.FSSpecHandler(inner)), path.rstrip("/")


@lru_cache(maxsize=8)
def _pyarrow_system(base: str) -> Any:
    from pyarrow import fs

    parts = urlsplit(base)
    root = urlunsplit(
        (parts.scheme, parts.netloc, "/" if parts.scheme in ("file", "hdfs", "mock") else "", parts.query, "")
    )
    return fs.FileSystem.from_uri(root)[0]
