"""What a `Dataset` on object storage does besides: pull before it is read or written, push after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from winnow.base.errors import DatasetError, WinnowError
from winnow.publish.dataset import Dataset, Problem, Remote, Writer
from winnow.publish.tables.writing import Checkpoint, no_checkpoint
from winnow.storage import lease
from winnow.storage.check import check_objects
from winnow.storage.copy import WorkingCopy
from winnow.storage.pull import fence, pull, read_latest
from winnow.storage.push import Overtaken, push
from winnow.storage.store import Store


@dataclass(slots=True)
class ObjectStoreRemote(Remote):
    """The store behind a working copy.

    ``published`` is the last version that counts, as of the last pull; None while this process writes. A version that
    the working copy alone has, for its push died, is no version to a reader.
    """

    copy: WorkingCopy
    published: int | None = 0
    lease_seconds: float = lease.SECONDS
    checkpoint: Checkpoint = no_checkpoint

    @property
    def shown(self) -> str:
        return self.copy.address.shown

    def pull(self) -> None:
        """Bring the working copy up to date for reading; while a run of this machine writes, it stays as it is."""
        copy, store = self.copy, Store(self.copy.address)
        with copy.looking() as free:
            if free:
                self.published = pull(copy, store, copy.state()).latest.version
            else:
                self.published = read_latest(store).version

    @contextmanager
    def writing(self, root: Path, run_id: str, wait_seconds: float) -> Iterator[None]:
        """Hold the lease and the newest state, and push what the body did; the caller holds the copy's file lock.

        A body that fails pushes nothing: what it left is here for the next run, as on a file system. Raises DatasetBusy
        naming the holder, or saying that another run came first; the copy is then what the store has.
        """
        copy, store = self.copy, Store(self.copy.address)
        assert copy.root == root
        with (
            lease.hold(store, run_id, copy.lasting_id(), wait_seconds, self.lease_seconds) as held,
            copy.pulling(run_id),
        ):
            state = copy.state()
            if held.overtook:  # its last holder may be asleep, and not dead
                fence(store, run_id)
            pulled = pull(copy, store, state)
            before, self.published = pulled.latest.version, None
            try:
                if (Dataset(root).latest_version() or 0) > before:  # its push died; it is whole, so it goes first
                    pulled = push(copy, store, state, pulled, held, self.checkpoint)
                    before = pulled.latest.version
                yield
                before = push(copy, store, state, pulled, held, self.checkpoint).latest.version
            except Overtaken:
                with suppress(WinnowError):
                    before = pull(copy, store, state, reset=True).latest.version
                raise
            finally:
                self.published = before

    def writer(self) -> Writer | None:
        """Returns who holds the lease, None where nobody does."""
        return lease.holder(Store(self.copy.address))

    def verify(self, version: int | None = None) -> list[Problem]:
        """What is wrong with the objects themselves; the working copy is checked as any dataset."""
        copy, store = self.copy, Store(self.copy.address)
        with copy.looking() as free:
            if not free:
                raise DatasetError(f"{self.shown}: a run of this machine is writing; verify when it has finished")
            return check_objects(copy, store, version)
