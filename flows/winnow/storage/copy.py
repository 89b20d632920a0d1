"""The working copy of a dataset on object storage: its folder, and what is known of the store's objects.

The folder is a dataset like any other. Beside it lie the state, a lock that keeps two pulls on one machine apart, and
a folder for what is on its way.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from winnow.base.errors import DatasetBusy, UsageError
from winnow.base.staging import write_file
from winnow.publish.disk import remove_tree
from winnow.storage.address import Address, cache_folder
from winnow.storage.lock import lock_file
from winnow.storage.store import Entry

_LOOK = "that looks at the dataset"  # the name under which a reader holds the lock of pulls


@dataclass(slots=True)
class State:
    """``tags``: by name, the tag under which an object was last seen to be this copy's file. ``hashes``: SHA-256 of
    files that may change, as they stand in the store."""

    copy_id: str
    tags: dict[str, str | None] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)

    def note(self, name: str, entry: Entry, sha256: str | None = None) -> None:
        self.tags[name] = entry.tag
        if sha256:
            self.hashes[name] = sha256

    def forget(self, name: str) -> None:
        self.tags.pop(name, None)
        self.hashes.pop(name, None)


@dataclass(frozen=True, slots=True)
class WorkingCopy:
    """Where everything of a working copy stands."""

    address: Address
    root: Path

    @property
    def incoming(self) -> Path:
        """Room for what is being fetched, on the same file system."""
        return self.root.with_name(f".{self.root.name}.incoming")

    @property
    def state_path(self) -> Path:
        return state_path(self.root)

    def state(self) -> State:
        """What was known last time; nothing where that was lost, which costs a comparison and no more."""
        try:
            data: dict[str, Any] = json.loads(self.state_path.read_bytes())
            return State(str(data["copy_id"]), dict(data["tags"]), dict(data["hashes"]))
        except (OSError, ValueError, KeyError, TypeError):
            return State(uuid4().hex)

    def lasting_id(self) -> str:
        """The copy's id, on disk before it is used: a lease that a killed run leaves is known by it."""
        state = self.state()
        if not self.state_path.exists():
            self.save(state)
        return state.copy_id

    def save(self, state: State) -> None:
        data = {
            "address": self.address.shown,
            "copy_id": state.copy_id,
            "tags": state.tags,
            "hashes": state.hashes,
        }
        write_file(self.state_path, json.dumps(data).encode())

    @contextmanager
    def pulling(self, run_id: str) -> Iterator[None]:
        """Keep other pulls of this copy away; waits for them, for they are short beside the run that begins."""
        with lock_file(self._pull_lock, run_id, wait_seconds=3600):
            remove_tree(self.incoming)
            yield

    @contextmanager
    def looking(self) -> Iterator[bool]:
        """As `pulling`, for a reader; false, and nothing is held, while a run of this machine works on the copy."""
        end = time.monotonic() + 3600
        while True:
            try:
                with lock_file(self._pull_lock, _LOOK):
                    remove_tree(self.incoming)
                    yield True
                return
            except DatasetBusy:
                if not self._is_a_look() or time.monotonic() > end:
                    break
            time.sleep(0.2)
        yield False

    @property
    def _pull_lock(self) -> Path:
        return self.root.with_name(f"{self.root.name}.pull.lock")

    def _is_a_look(self) -> bool:
        try:
            return bool(json.loads(self._pull_lock.read_bytes())["run"] == _LOOK)
        except (OSError, ValueError, KeyError, TypeError):
            return True  # just taken or just let go


def working_copy(address: Address) -> WorkingCopy:
    """The working copy of an address, in the cache; only its owner may look into it."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    return WorkingCopy(address, cache / address.slug)


def state_path(root: Path) -> Path:
    return root.with_name(f"{root.name}.store.json")


def refuse_working_copy(root: Path) -> None:
    """Raise UsageError where a local folder is the working copy of a dataset: its work would not travel."""
    try:
        address = json.loads(state_path(root).read_bytes())["address"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    raise UsageError(f"{root}: is this machine's working copy of {address}; name that address instead")
