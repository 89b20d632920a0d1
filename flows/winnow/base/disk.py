"""What is done to files and folders of this machine: hashed, written beside their place, flushed, renamed, linked.

What is renamed into place is flushed before, and the folder after: a power loss leaves the old state or the new.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

# A file system without hard links, another device, or a file that has as many links as it may have.
_CANNOT_LINK = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS, errno.EACCES}

_AWAY = "away-"
_RENAME_EXCHANGE = 2  # linux/fs.h
_AT_FDCWD = -100

Checkpoint = Callable[[str], None]
"""Called with its name after each step of publication; tests end the process there."""


def no_checkpoint(name: str) -> None:
    """Does nothing."""


def hash_of(path: Path) -> str:
    """Returns the SHA-256 (hex) of the bytes that stand there, a pointer's too (compare `sha256_of`)."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def flush(path: Path) -> None:
    """Flushes a file's content, or a folder's entries, so that a rename in it survives a power loss."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def beside(place: Path) -> Iterator[Path]:
    """Gives a free name beside `place`; what the body writes there takes the place when it is done, else it is removed.

    The name is a random one: process numbers repeat among machines that share the folder.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(f".{place.name}.{uuid4().hex[:12]}.tmp")
    try:
        yield temporary
        temporary.replace(place)
    finally:
        remove_any(temporary)


def link_or_copy(source: Path, target: Path) -> None:
    """Gives `source` a second name, in a folder that is made; copies it where the file system cannot."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _CANNOT_LINK:
            raise
        shutil.copyfile(source, target)
        flush(target)


def flush_tree(folder: Path) -> None:
    """Flushes the entries of a folder and of all folders below it."""
    for path, _, _ in os.walk(folder, topdown=False):
        flush(Path(path))


def move(source: Path, target: Path) -> None:
    """Renames a folder into place and flushes both parents."""
    source.rename(target)
    flush(target.parent)
    if source.parent != target.parent:
        flush(source.parent)


def exchange(new: Path, old: Path) -> None:
    """Swaps two folders: a reader finds one or the other under the name `old`, and at no moment none.

    Where the system cannot do that in one step, `old` is away for a moment; `take_back` helps after a kill just then.
    """
    if not _swap(new, old):
        apart = new.with_name(f"{_AWAY}{new.name}")
        old.rename(apart)
        new.rename(old)
        apart.rename(new)
    flush(old.parent)
    flush(new.parent)


def take_back(folder: Path, home: Path) -> None:
    """Puts back what an `exchange` of a folder's entries with those of `home` left away when it was killed."""
    for apart in folder.glob(f"{_AWAY}*"):
        place = home / apart.name.removeprefix(_AWAY)
        if place.exists():
            remove_any(apart)
        else:
            move(apart, place)


def _swap(a: Path, b: Path) -> bool:
    """Swaps two names by Linux's renameat2; false where the system or its file system has no such call."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    return bool(rename(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE) == 0)


def point(link: Path, target: str) -> None:
    """Lets the symbolic link point to `target`, in one step: a reader finds the old target or the new."""
    temporary = link.with_name(f".{link.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)
    flush(link.parent)


def remove_any(path: Path) -> None:
    """Removes a file, a link, or a folder with all that is in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_empty(*folders: Path) -> None:
    """Removes those of the folders, one after the other, that are there and empty."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def same_file(a: Path, b: Path) -> bool:
    """Whether two paths name one file (hard links)."""
    try:
        return a.samefile(b)
    except FileNotFoundError:
        return False
