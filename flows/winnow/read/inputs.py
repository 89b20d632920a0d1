"""Which files there are to read under a folder, a file or a URL, and what is left out and why."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from winnow.base.addresses import is_url, redacted
from winnow.base.errors import EmptyInput, UsageError
from winnow.read.formats import endings, format_of
from winnow.read.storage import list_url


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to read.

    ``path`` is relative to the input root, with ``/``, and valid Unicode: it becomes the source of documents.
    ``address`` is where to open it: an absolute path (undecodable bytes as surrogates) or a URL. ``bytes`` is its size.
    """

    path: str
    address: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something under the root that is not read, and why, in a few words."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What is under an input root; both sorted by path."""

    files: tuple[InputFile, ...]
    skipped: tuple[Skipped, ...]


def list_inputs(root: str | Path, leave_out: Iterable[str | Path] = ()) -> list[InputFile]:
    """The files to read under `root`, sorted by path; `list_inputs_and_skipped` also says what is left out."""
    return list(list_inputs_and_skipped(root, leave_out).files)


def list_inputs_and_skipped(root: str | Path, leave_out: Iterable[str | Path] = ()) -> Listing:
    """The files to read under `root` (a folder, one file, or a URL such as ``s3://bucket/prefix``), and the rest.

    Left out are hidden names, endings no reader knows, folders in `leave_out` and any Winnow dataset, links that leave
    the root, and links to what is read under its own name. Links to folders are never followed, so loops end. A dead
    link, a pipe or a device with a known ending is listed, never opened, and becomes a reject when it is read.

    Raises UsageError where `root` does not exist, EmptyInput where it holds nothing that can be read.
    """
    files, skipped = _of_url(str(root)) if is_url(str(root)) else _of_path(Path(root), leave_out)
    files.sort(key=lambda f: f.path)
    skipped.sort(key=lambda s: s.path)
    if not files:
        what = f"holds no file with a known ending ({len(skipped)} left out)" if skipped else "is empty"
        first = f"; left out: {skipped[0].path} ({skipped[0].reason})" if skipped else ""
        raise EmptyInput(f"{redacted(str(root))}: {what}{first}; Winnow reads {', '.join(endings())}")
    return Listing(tuple(files), tuple(skipped))


def readable_name(name: str) -> str:
    r"""A file name as valid Unicode without control characters, different for different names.

    Bytes that are not UTF-8 and control characters become ``%XX``. So that no two names meet, the ``%`` of what already
    looks like such an escape becomes ``%25``; other names, also percent-encoded ones, stay as they are.

    >>> readable_name("caf\udce9\n.txt"), readable_name("caf%E9.txt"), readable_name("a%20b%C3%A9 100%.txt")
    ('caf%E9%0A.txt', 'caf%25E9.txt', 'a%20b%C3%A9 100%.txt')
    """
    escaped = _ESCAPES.sub(_guarded, name)
    return _UNSAFE.sub(lambda m: "".join(f"%{b:02X}" for b in os.fsencode(m[0])), escaped)


_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSAFE_OR_PERCENT = re.compile("[%\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def _guarded(run: re.Match[str]) -> str:
    meant = unquote_to_bytes(run[0]).decode("utf-8", "surrogateescape")
    return run[0].replace("%", "%25") if _UNSAFE_OR_PERCENT.search(meant) else run[0]


def _of_url(url: str) -> tuple[list[InputFile], list[Skipped]]:
    files: list[InputFile] = []
    skipped: list[Skipped] = []
    for relative, address, size in list_url(url):
        path = readable_name(relative)
        if any(part.startswith(".") for part in relative.split("/")):
            skipped.append(Skipped(path, "hidden"))
        elif format_of(path) is None:
            skipped.append(Skipped(path, "no reader for its ending"))
        else:
            files.append(InputFile(path, address, size))
    return files, skipped


def _of_path(root: Path, leave_out: Iterable[str | Path]) -> tuple[list[InputFile], list[Skipped]]:
    try:
        real_root = os.path.realpath(root, strict=True)
    except OSError as error:
        raise UsageError(
            f"{readable_name(str(root))}: {(error.strerror or str(error)).lower()}; "
            "give an existing folder, file or URL to read"
        ) from error
    if not Path(real_root).is_dir():
        path = readable_name(root.name)
        if format_of(path) is None:
            return [], [Skipped(path, "no reader for its ending")]
        return [InputFile(path, real_root, Path(real_root).stat().st_size)], []
    out = {os.path.realpath(p) for p in leave_out if not is_url(str(p))}
    files: list[InputFile] = []
    skipped: list[Skipped] = []
    links: list[tuple[str, str]] = []
    for entry, relative in _walk(real_root, out, skipped):
        path = readable_name(relative)
        if format_of(path) is None:
            skipped.append(Skipped(path, "no reader for its ending"))
        elif entry.is_symlink():
            links.append((path, entry.path))
        else:
            found = entry.stat(follow_symlinks=False)
            files.append(InputFile(path, entry.path, found.st_size if stat.S_ISREG(found.st_mode) else 0))
    read_already = {f.address for f in files}
    for path, address in links:
        _follow(path, address, real_root, read_already, files, skipped)
    return files, skipped


def _follow(
    path: str, address: str, root: str, read_already: set[str], files: list[InputFile], skipped: list[Skipped]
) -> None:
    try:
        target = os.path.realpath(address, strict=True)
    except OSError:  # dead, or a loop: its document is missing, which a reject says louder than a skip
        files.append(InputFile(path, address, 0))
        return
    if Path(target).is_dir():
        skipped.append(Skipped(path, "a link to a folder"))
    elif os.path.commonpath([root, target]) != root:
        skipped.append(Skipped(path, "a link that leaves the input root"))
    elif target in read_already:
        skipped.append(Skipped(path, "a link to a file that is read under its own name"))
    else:
        found = Path(target).stat()
        files.append(InputFile(path, target, found.st_size if stat.S_ISREG(found.st_mode) else 0))


def _walk(root: str, leave_out: set[str], skipped: list[Skipped]) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Every entry that is not a folder; folders are walked with a list, so depth is no limit."""
    folders = [(root, "")]
    while folders:
        folder, prefix = folders.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda e: e.name)
        except OSError as error:
            skipped.append(Skipped(readable_name(prefix), f"folder cannot be read: {error.strerror or error}"))
            continue
        for entry in entries:
            relative = prefix + entry.name
            if entry.name.startswith("."):
                skipped.append(Skipped(readable_name(relative), "hidden"))
            elif not entry.is_dir(follow_symlinks=False):
                if entry.is_symlink() and Path(entry.path).is_dir():
                    skipped.append(Skipped(readable_name(relative), "a link to a folder"))
                else:
                    yield entry, relative
            elif entry.path in leave_out or _is_dataset(entry.path):
                skipped.append(Skipped(readable_name(relative), "a dataset, not input"))
            else:
                folders.append((entry.path, relative + "/"))


def _is_dataset(folder: str) -> bool:
    return (Path(folder) / "tables" / "documents" / "_delta_log").is_dir()
