"""Input files: which there are under a folder, a file or a URL, what is left out and why, and how they are opened.

Local files are opened by the system's own calls, for speed and because pyarrow cannot name undecodable paths; the
web and buckets of S3, Google and Azure are in `remote_files`, and anything else with ``://`` goes through one
`pyarrow.fs.FileSystem` (and fsspec where it is known). Credentials come from the
environment or the URL, and are never shown.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit, urlunsplit

from winnow.base.addresses import is_url, redacted
from winnow.base.errors import EmptyInput, ReadError, UsageError
from winnow.base.recipe import ReadSettings
from winnow.read.formats import endings, type_of
from winnow.read.listing import Gathered, InputFile, InputFiles, Listing, Skipped, SkippedFiles
from winnow.read.remote_files import (
    BUCKETS,
    WEB,
    RemoteFile,
    is_list,
    lines_of_list,
    list_bucket,
    listed,
    open_remote,
)
from winnow.read.sources import fits_any, left_out, source_of
from winnow.read.zip_members import ENDING, archive_of, members_of, open_member

_DEFAULTS = ReadSettings()


def list_inputs(root: str | Path, leave_out: Iterable[str | Path] = (), settings: ReadSettings = _DEFAULTS) -> Listing:
    """The files to read under `root`, and the rest.

    `root` is a folder, a file, a URL such as ``s3://bucket/prefix``, a file on the web, or a list of such (``.urls``).

    Left out are hidden names, what the recipe leaves out, endings no reader knows (but for those of files whose format
    the recipe tells), folders in `leave_out` and any Winnow dataset, links that leave
    the root, and links to what is read under its own name. Links to folders are never followed, so loops end. A dead
    link, a pipe or a device with a known ending is listed, never opened, and becomes a reject when it is read.

    Raises UsageError where `root` does not exist or lies in one of `leave_out`, EmptyInput where it holds nothing that
    can be read.
    """
    found = _Found(settings)
    scheme = str(root).partition("://")[0].lower()
    if is_list(str(root)) and not Path(root).is_dir():
        _list_of_addresses(str(root), found)
    elif scheme in WEB or scheme in BUCKETS:
        _list_remote(str(root), found)
    elif is_url(str(root)):
        _list_url(str(root), found)
    else:
        _list_path(Path(root), leave_out, found)
    files = InputFiles(found.files.table()).by_path()
    skipped = SkippedFiles(found.skipped.table()).by_path()
    if not files:
        what = f"holds no file with a known ending ({len(skipped)} not read)" if skipped else "is empty"
        first = f"; not read: {skipped[0].path} ({skipped[0].reason})" if skipped else ""
        raise EmptyInput(f"{redacted(str(root))}: {what}{first}; Winnow reads {', '.join(endings())}")
    fitting = {source_of(f.path, settings) for f in files} if settings.sources else set()
    return Listing(files, skipped, tuple(entry for entry in settings.sources if entry not in fitting))


def readable_name(name: str) -> str:
    r"""A file name as valid Unicode without control characters, different for different names.

    Bytes that are not UTF-8 and control characters become ``%XX``. So that no two names meet, the ``%`` of what already
    looks like such an escape becomes ``%25``; other names, also percent-encoded ones, stay as they are.

    >>> readable_name("caf\udce9\n.txt"), readable_name("caf%E9.txt"), readable_name("a%20b%C3%A9 100%.txt")
    ('caf%E9%0A.txt', 'caf%25E9.txt', 'a%20b%C3%A9 100%.txt')
    """
    escaped = _ESCAPES.sub(_guarded, name)
    return _UNSAFE.sub(lambda m: "".join(f"%{b:02X}" for b in os.fsencode(m[0])), escaped)


def is_hidden(name: str) -> bool:
    """Whether a file or a folder that it lies in has a hidden name."""
    return any(part.startswith(".") for part in name.split("/"))


LONGEST_ENDING = 12  # what is longer stands after the last dot of a sentence
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSAFE_OR_PERCENT = re.compile("[%\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def _guarded(run: re.Match[str]) -> str:
    meant = unquote_to_bytes(run[0]).decode("utf-8", "surrogateescape")
    return run[0].replace("%", "%25") if _UNSAFE_OR_PERCENT.search(meant) else run[0]


@dataclass(slots=True)
class _Found:
    """A listing as it grows; names are made readable here."""

    settings: ReadSettings
    files: Gathered[InputFile] = field(default_factory=lambda: Gathered(InputFiles))
    skipped: Gathered[Skipped] = field(default_factory=lambda: Gathered(SkippedFiles))
    archives: set[str] = field(default_factory=set)
    """Addresses of those whose files are listed."""

    def add(self, name: str, address: str, size: int) -> None:
        self.files.add(InputFile(readable_name(name), address, size))

    def skip(self, name: str, reason: str, size: int = 0, *, meant: bool = True) -> None:
        self.skipped.add(Skipped(readable_name(name), reason, size, meant))

    def is_archive(self, name: str) -> bool:
        """Whether a file is not read itself, but what is packed in it."""
        path = readable_name(name)
        is_zip = path.lower().endswith(ENDING) and type_of(path, self.settings) is None
        return is_zip and not fits_any(path, self.settings.exclude)

    def add_path(self, name: str, address: str, size: int) -> None:
        """A file on disk, or the files in it; an archive that cannot be read is a file with a fault."""
        if not self.is_archive(name):
            self.add(name, address, size)
            return
        known: set[str] = set()
        self.archives.add(address)
        try:
            for member, unpacked in members_of(address, self.settings):
                within = posixpath.normpath(member).lstrip("/")
                path = f"{name}/{within}"
                if is_hidden(within):  # also what is to lie above its archive
                    self.skip(path, "hidden", unpacked)
                elif within in known:
                    self.skip(path, "an older file of a name that its archive has again", unpacked, meant=False)
                elif self.has_reader(path, partial(int, unpacked)):
                    self.add(path, f"{address}/{member}", unpacked)
                known.add(within)
        except (OSError, ReadError) as error:
            fault = str(unreadable(error) if isinstance(error, OSError) else error)
            self.files.add(InputFile(readable_name(name), address, size, fault=fault))

    def has_reader(self, name: str, size: Callable[[], int]) -> bool:
        """Whether the recipe wants it and a reader knows its ending; if not, it is skipped."""
        path = readable_name(name)
        if why := left_out(path, self.settings):
            self.skip(name, why, size())
            return False
        if type_of(path, self.settings) is not None:
            return True
        ending = readable_name(Path(name).suffix.lower())
        what = ending if 1 < len(ending) <= LONGEST_ENDING else "files without an ending"
        self.skip(name, f"no reader for {what}", size(), meant=False)
        return False


def _list_path(root: Path, leave_out: Iterable[str | Path], found: _Found) -> None:
    try:
        real_root = os.path.realpath(root, strict=True)
    except OSError as error:
        raise UsageError(
            f"{readable_name(str(root))}: {(error.strerror or str(error)).lower()}; "
            "give an existing folder, file or URL to read"
        ) from error
    out = {os.path.realpath(p) for p in leave_out if not is_url(str(p))}
    if any(os.path.commonpath([p, real_root]) == p for p in out):
        raise UsageError(f"{root}: is the dataset itself, or lies in it; give the folder that the texts are in")
    if not Path(real_root).is_dir():
        size = Path(real_root).stat().st_size
        if found.is_archive(root.name) or found.has_reader(root.name, lambda: size):
            found.add_path(root.name, real_root, size)
        return
    links: list[tuple[str, str]] = []
    for entry, name in _walk(real_root, out, found):
        if not found.is_archive(name) and not found.has_reader(name, partial(_size_of, entry)):
            continue
        if entry.is_symlink():
            links.append((name, entry.path))
        else:
            found.add_path(name, entry.path, _size_of(entry))
    targets = [os.path.realpath(address) for _, address in links]
    read_already = InputFiles(found.files.table()).addresses_among(targets) | found.archives
    for name, address in links:
        _follow(name, address, real_root, read_already, found)


def _size_of(entry: os.DirEntry[str]) -> int:
    try:
        return _size(entry.stat(follow_symlinks=False))
    except OSError:  # it went while its folder was listed; reading it tells whether it is back
        return 0


def _size(status: os.stat_result) -> int:
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _follow(name: str, address: str, root: str, read_already: set[str], found: _Found) -> None:
    try:
        target = os.path.realpath(address, strict=True)
    except OSError:  # dead, or a loop: its document is missing, which a reject says louder than a skip
        found.add(name, address, 0)
        return
    if Path(target).is_dir():
        found.skip(name, "a link to a folder")
    elif os.path.commonpath([root, target]) != root:
        found.skip(name, "a link that leaves the input root", meant=False)
    elif target in read_already:
        found.skip(name, "a link to a file that is read under its own name")
    else:
        try:
            found.add_path(name, target, _size(Path(target).stat()))
        except OSError:
            found.add(name, target, 0)


def _walk(root: str, leave_out: set[str], found: _Found) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Every entry that is no folder, with its relative name; folders are walked with a list, so depth is no limit."""
    folders = [(root, "")]
    while folders:
        folder, prefix = folders.pop()
        for entry in _entries(folder, prefix, found):
            name = prefix + entry.name
            if entry.name.startswith("."):
                found.skip(name, "hidden")
            elif not entry.is_dir(follow_symlinks=False):
                if entry.is_symlink() and Path(entry.path).is_dir():
                    found.skip(name, "a link to a folder")
                else:
                    yield entry, name
            elif entry.path in leave_out or _is_dataset(entry.path):
                found.skip(name, "a dataset, not input")
            else:
                folders.append((entry.path, name + "/"))


def _entries(folder: str, prefix: str, found: _Found) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError as error:
        found.skip(prefix, f"folder cannot be read: {(error.strerror or str(error)).lower()}", meant=False)


def _is_dataset(folder: str) -> bool:
    try:
        return (Path(folder) / "tables" / "documents" / "_delta_log").is_dir()
    except OSError:  # it may not be entered, and is skipped for that
        return False


def _list_url(url: str, found: _Found) -> None:
    """Every file at or under `url`. Raises UsageError where nothing is there or the store refuses."""
    from pyarrow import fs

    try:
        system, root = _system(url)
        info = system.get_file_info(root)
        if info.type == fs.FileType.NotFound:
            raise UsageError(f"{redacted(url)}: there is nothing there; give an existing folder, file or URL to read")
        is_file = info.type == fs.FileType.File
        files = [info] if is_file else system.get_file_info(fs.FileSelector(root, recursive=True))
    except (OSError, ValueError, ImportError) as error:
        why = str(error).split("\n")[0]
        raise UsageError(f"{redacted(url)}: cannot be listed: {why}; check the URL and the credentials") from error
    parts = urlsplit(url)
    for file in files:
        if file.type != fs.FileType.File:
            continue
        name = file.base_name if is_file else file.path.removeprefix(root).lstrip("/")
        if is_hidden(name):
            found.skip(name, "hidden")
        elif found.has_reader(name, partial(int, file.size or 0)):
            path = parts.path if is_file else f"{parts.path.rstrip('/')}/{quote(name)}"
            found.add(name, urlunsplit((parts.scheme, parts.netloc, path, parts.query, "")), file.size)


def _list_remote(url: str, found: _Found) -> None:
    """One file on the web, or every object at or under an address in a bucket."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UsageError(f"{redacted(url)}: is no address ({error}); check it") from error
    if parts.scheme in WEB:
        name = unquote(parts.path).rpartition("/")[2]
        if found.has_reader(name, int):
            found.add(name, url, 0)
        return
    try:
        _add_remote(list_bucket(url), found)
    except FileNotFoundError as error:
        raise UsageError(f"{redacted(url)}: there is nothing there; give an existing folder or file to read") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{redacted(url)}: cannot be listed: {error}; check the URL and the credentials") from error


def _list_of_addresses(root: str, found: _Found) -> None:
    try:
        with open_input(root if is_url(root) else os.path.realpath(root)) as stream:
            _add_remote(listed(lines_of_list(stream, root), root), found)
    except UsageError as error:
        raise UsageError(f"{redacted(root)}: {error}") from error
    except (OSError, ValueError, ReadError) as error:
        raise UsageError(f"{redacted(root)}: cannot be read: {error}; check the path or address of the list") from error


def _add_remote(files: Iterable[RemoteFile], found: _Found) -> None:
    for file in files:
        if is_hidden(file.name):
            found.skip(file.name, "hidden")
        elif found.has_reader(file.name, partial(int, file.size)):
            found.add(file.name, file.address, file.size)


def open_input(address: str) -> BinaryIO:
    """The file at `address`, for reading and seeking.

    Raises ReadError of kind ``unreadable`` for what is missing, refused, or no regular file: pipes and devices are
    never opened, links are not followed (listing has resolved those that may be).
    """
    try:
        if member := None if is_url(address) else archive_of(address):
            return open_member(*member)
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
    if urlsplit(address).scheme in (*WEB, *BUCKETS):
        return open_remote(address)
    system, path = _system(address)
    stream: BinaryIO = system.open_input_file(path)
    return stream


def _system(url: str) -> tuple[Any, str]:
    """The file system of a URL and the path in it."""
    parts = urlsplit(url)
    if parts.scheme in ("gcs", "hdfs", "abfs", "abfss", "file", "mock"):
        has_bucket = parts.scheme not in ("file", "hdfs", "mock")
        base = urlunsplit((parts.scheme, parts.netloc, "" if has_bucket else "/", parts.query, ""))
        bucket = parts.netloc.rpartition("@")[2] if has_bucket else ""
        return _pyarrow_system(base), (bucket + unquote(parts.path)).rstrip("/")
    import fsspec
    from pyarrow import fs

    inner, path = fsspec.core.url_to_fs(unquote(url))
    return fs.PyFileSystem(fs.FSSpecHandler(inner)), path.rstrip("/")


@lru_cache(maxsize=8)
def _pyarrow_system(base: str) -> Any:
    """The system at `base`; it is kept, for opening a connection costs more than a file."""
    from pyarrow import fs

    return fs.FileSystem.from_uri(base)[0]
