"""A machine's folder for a dataset on object storage, which of its files travel, and what is known of them.

It reads as a dataset like any other, and may be removed at any time but for what a run that died left. Beside it lie
the state, a lock that keeps two pulls on one machine apart, and a folder for what is on its way.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

from winnow.base.disk import remove_any
from winnow.base.environment import cache_folder
from winnow.base.errors import DatasetBusy, UsageError
from winnow.base.object_store import Address, Entry
from winnow.base.pointers import Pointer, is_pointer, read_pointer
from winnow.base.staging import write_file
from winnow.publish.dataset import INDEX
from winnow.publish.manifest import MANIFEST, Manifest
from winnow.storage.lock import lock_file, read_writer

_READER = "that looks at the dataset"  # the name under which a reader holds the lock of pulls

LATEST = "latest.json"
HELD = ".staging/held.json"

Kind = Literal["data", "log", "note", "view", "side", "page", "receipt"]
"""data: a table's file, never changed. log: a commit of a table, never changed, in order. note: what Delta keeps beside
its log and can do without. view: a version's file, changed by an erasure alone. side: what may change (a held call,
reviews). page: the one over all versions, drawn anew with each. receipt: of an erasure, in force wherever it is, and
never removed."""

MAY_CHANGE: tuple[Kind, ...] = ("note", "side", "page", "receipt")
COMPARED: tuple[Kind, ...] = (*MAY_CHANGE, "log")
"""Kinds whose content is known by its hash: a log is written anew where it was damaged."""

_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("log", re.compile(r"tables/[^/]+/_delta_log/\d{20}\.json")),
    ("note", re.compile(r"tables/[^/]+/_delta_log/(?!_commit_)[^/]+(?<!\.tmp)")),
    ("data", re.compile(r"tables/.+(?<!\.tmp)")),
    ("view", re.compile(r"v[1-9][0-9]{0,8}/.+")),
    ("side", re.compile(re.escape(HELD) + r"|reviews/v\d{1,9}\.jsonl")),
    ("page", re.compile(re.escape(INDEX))),
    ("receipt", re.compile(r"erasures/[^/]+\.json")),
)


def kind_of(name: str) -> Kind | None:
    """Returns what a file or object is; None for what is not ours, or would not stay in the dataset's folder.

    >>> [kind_of(n) for n in ("tables/runs/_delta_log/00000000000000000000.json", "tables/runs/a.parquet", "v2/x/y")]
    ['log', 'data', 'view']
    >>> [kind_of(n) for n in ("latest.json", "notes.txt", "v1/../../x", "tables/runs/_delta_log/_commit_1.json.tmp")]
    [None, None, None, None]
    """
    if any(part in ("", ".", "..") for part in name.split("/")) or "\\" in name or "_delta_log/_commit_" in name:
        return None
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(name)), None)


def version_of(name: str) -> int:
    """Returns the version of a view's file.

    >>> version_of("v12/documents/part-00000-v12.parquet")
    12
    """
    return int(name[1 : name.index("/")])


def local_names(root: Path) -> Iterator[tuple[str, Kind]]:
    """Yields the files of a working copy that have their place in the store."""
    for top in (*(root / name for name in ("tables", "reviews", "erasures", HELD, INDEX)), *root.glob("v[1-9]*")):
        for path in top.rglob("*") if top.is_dir() and not top.is_symlink() else [top]:
            kind = kind_of(name := path.relative_to(root).as_posix())
            if kind and path.is_file() and not path.is_symlink():
                yield name, kind


def files_here(root: Path) -> Iterator[tuple[str, Pointer | None]]:
    """Yields the files of tables and views, each with its pointer where only the store has it."""
    for name, kind in local_names(root):
        if kind in ("data", "view", "log", "note"):
            yield name, read_pointer(root / name)


@dataclass(frozen=True, slots=True)
class Listed:
    """What a manifest says of a file; of a page it tells no size. ``table_name``: what it is called in its table."""

    sha256: str
    bytes: int | None = None
    table_name: str | None = None


def listed_files(manifests: Iterable[Manifest]) -> dict[str, Listed]:
    """Returns what the manifests say of the files of views and tables, by name."""
    found: dict[str, Listed] = {}
    for manifest in manifests:
        view = f"v{manifest.version}"
        found |= {f"{view}/{name}": Listed(sha256) for name, sha256 in manifest.files.items()}
        for table, entry in manifest.tables.items():
            for file in entry.files:
                name = f"tables/{table}/{file.delta_path}" if file.delta_path else None
                found[f"{view}/{file.name}"] = listed = Listed(file.sha256, file.bytes, name)
                if name:
                    found[name] = listed
    return found


def manifest_name(version: int) -> str:
    """Returns the name of a version's manifest."""
    return f"v{version}/{MANIFEST}"


def tags_name(version: int) -> str:
    """Returns the name of the note that holds the tags under which a writer knew objects to be the version's files."""
    return f".tags/v{version}.json"


def is_folded(root: Path, version: int) -> bool:
    """Whether a version stands here by its number alone, for nobody here has asked for it yet."""
    return is_pointer(root / manifest_name(version))


def whole_views(names: Collection[str], latest: int | None = None) -> set[int]:
    """Returns the versions with their manifest, up to `latest`, the one that ``latest.json`` names; all if None."""
    versions = {version_of(n) for n in names if kind_of(n) == "view"}
    return {v for v in versions if (latest is None or v <= latest) and manifest_name(v) in names}


@dataclass(slots=True, kw_only=True)
class State:
    """What is known of the store: by name, the tag under which an object was last seen to be this copy's file.

    ``hashes``: SHA-256 of files that may change, as they stand in the store. ``erasing``: whether an erasure that was
    seen may not have come to its end then.
    """

    address: str
    copy_id: str = field(default_factory=lambda: uuid4().hex)
    erasing: bool = False
    tags: dict[str, str | None] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)

    def note(self, name: str, entry: Entry, sha256: str | None = None) -> None:
        self.forget(name)
        self.tags[name] = entry.tag
        if sha256:
            self.hashes[name] = sha256

    def forget(self, name: str) -> None:
        self.tags.pop(name, None)
        self.hashes.pop(name, None)


_STATE = TypeAdapter(State)


@dataclass(frozen=True, slots=True)
class WorkingCopy:
    """Where everything of a working copy stands."""

    address: Address
    root: Path
    guest: str = ""
    """Names who looks at the copy while another one has it."""

    @property
    def incoming(self) -> Path:
        """Room for what is being fetched, on the same file system."""
        return self.root.with_name(f".{self.root.name}.incoming{self.guest}")

    @property
    def state_path(self) -> Path:
        return _state_path(self.root)

    def state(self) -> State:
        """Returns what was known last time; nothing where that was lost, which costs a comparison and no more."""
        return _read_state(self.state_path) or State(address=self.address.shown)

    def lasting_id(self) -> str:
        """Returns the copy's id, on disk before it is used: a lease that a killed run leaves is known by it."""
        state = self.state()
        if not self.state_path.exists():
            self.save(state)
        return state.copy_id

    def save(self, state: State) -> None:
        write_file(self.state_path, json.dumps(asdict(state)).encode())

    @contextmanager
    def pulling(self, run_id: str) -> Iterator[None]:
        """Keeps other pulls of this copy away; waits for them, for they are short beside the run that begins."""
        with lock_file(self._pull_lock, run_id, wait_seconds=3600):
            remove_any(self.incoming)
            yield

    @contextmanager
    def reading(self) -> Iterator[bool]:
        """As `pulling`, for a reader; false, and nothing is held, while a run of this machine works on the copy."""
        end = time.monotonic() + 3600
        while True:
            try:
                with lock_file(self._pull_lock, _READER):
                    for left in self.root.parent.glob(f"{self.incoming.name}*"):
                        remove_any(left)
                    yield True
                return
            except DatasetBusy:
                if not self._is_read() or time.monotonic() > end:
                    break
            time.sleep(0.2)
        yield False

    @property
    def _pull_lock(self) -> Path:
        return self.root.with_name(f"{self.root.name}.pull.lock")

    def _is_read(self) -> bool:
        writer = read_writer(self._pull_lock)
        return writer is None or writer.run == _READER  # None: just taken or just let go


def working_copy(address: Address) -> WorkingCopy:
    """Returns the working copy of an address, in the cache; only its owner may look into it."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    return WorkingCopy(address, cache / address.slug)


def refuse_working_copy(root: Path) -> None:
    """Raises UsageError where a local folder is the working copy of a dataset: its work would not travel."""
    if state := _read_state(_state_path(root)):
        raise UsageError(f"{root}: is this machine's working copy of {state.address}; name that address instead")


def _state_path(root: Path) -> Path:
    return root.with_name(f"{root.name}.store.json")


def _read_state(path: Path) -> State | None:
    try:
        return _STATE.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
