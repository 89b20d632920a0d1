"""Shards on a Dask cluster: one that exists, or one on this machine that listens on 127.0.0.1 alone.

Workers need the same packages as the caller, and must see the dataset and the source under the same paths: only paths
and counts travel. Of a dataset on object storage they need the store alone: each keeps what it fetched in a folder of
its own, and sends what it made. Those of a cluster that exists are asked whether they see all of it before anything is
done. Results are the same as those of a process pool, because every file is written by one call alone.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from shutil import disk_usage
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from winnow.base.addresses import redacted
from winnow.base.environment import cache_bytes
from winnow.base.errors import UsageError, WinnowError
from winnow.base.files import is_there, job, mount, mounts, remove_folder
from winnow.base.log import LOGGER
from winnow.base.mounted import Mount
from winnow.base.staging import write_file

if TYPE_CHECKING:
    from distributed import Client

MAX_DEATHS = 3  # workers that a call may lose before it is named as the one that kills them
CONNECT_SECONDS = 10
WORKER_SECONDS = 60  # a scheduler without workers would keep a run waiting for ever; a cloud takes a while to send one
HERE = "127.0.0.1"


class ClusterExecutor(Executor):
    """A Dask client as an executor.

    Not the client's own ``get_executor``: that takes equal calls for the same call and hands out the first one's
    result, and it tells of a dead worker in Dask's words.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> _Remote:
        made = self._client.submit(_call, mounts(), fn, args, kwargs, pure=False, key=_key(fn))
        return _Remote(fn, args, made)

    def map(
        self,
        fn: Callable[..., Any],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        **_: Any,
    ) -> Iterator[Any]:
        """Like `Executor.map`, in order. Calls lost with a worker are made again by the scheduler."""
        sent = [self.submit(fn, *args) for args in zip(*iterables, strict=False)]
        return _in_order(self._client, sent, timeout)


def _key(fn: Callable[..., Any]) -> str:
    """A name for a call that is made once, by which the dashboard groups it with those of the same function."""
    return f"{fn.__name__}-{uuid4().hex}"


def _call(mounted: Sequence[Mount], fn: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """A call on a worker, which finds the files of these mounts."""
    from distributed import get_worker

    with ExitStack() as jobs:
        for one in mounted:
            mount_on_worker(one, Path(get_worker().local_directory))
            jobs.enter_context(job(one))
        return fn(*args, **kwargs)


def mount_on_worker(mounted: Mount, folder: Path) -> None:
    """Lets a worker find the files of a mount: in its own `folder`, where it has none in common with the planner."""
    if mounted.exchanges:
        most = min(cache_bytes(), disk_usage(folder).total // 2)  # as much is for what is being written
        mount(mounted, folder / f"winnow-{mounted.session}", most)
    else:
        mount(mounted)


def _in_order(client: Client, sent: Sequence[_Remote], timeout: float | None) -> Iterator[Any]:
    done = 0
    try:
        for call in sent:
            yield call.result(timeout)
            done += 1
    finally:
        client.cancel([call.made for call in sent[done:]])


class _Remote(Future[Any]):
    """A call on the cluster."""

    def __init__(self, fn: Callable[..., Any], args: Sequence[Any], made: Any) -> None:
        super().__init__()
        self._fn, self._args, self.made = fn, args, made

    def result(self, timeout: float | None = None) -> Any:
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        try:
            return self.made.result(timeout)
        except KilledWorker as error:
            raise WinnowError(
                f"workers died {MAX_DEATHS + 1} times in {self._fn.__name__}{tuple(self._args)!r}; most likely they "
                "ran out of memory: lower read.shard_mb in the recipe or give the workers more"
            ) from error
        except FutureCancelledError as error:
            raise WinnowError(
                f"the Dask cluster went away in {self._fn.__name__}: {error}; start it and run again: finished shards "
                "are found in staging"
            ) from error


@contextmanager
def open_cluster(workers: int, address: str | None, shared: Shared | None = None) -> Iterator[Executor]:
    """An executor on the cluster whose scheduler is at `address`; a local one of `workers` processes without it.

    Raises UsageError where Dask is not installed, no scheduler answers, or it has no worker, or one that does not see
    what is to be `shared`.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise UsageError("executor dask needs the package: pip install 'winnow-text[dask]'") from error
    if address:
        try:
            client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise UsageError(
                f"no Dask scheduler answers at {redacted(address)}: {str(error).replace(address, redacted(address))}"
            ) from error
        with client, _exchanging(shared.mount if shared else None):
            _await_workers(client, address)
            if shared:
                _ask_workers(client, shared)
            _tell(client)
            yield ClusterExecutor(client)
        return
    # A daemon in Dask's eyes could start no processes of its own; and one thread, so that calls share no interpreter.
    with (
        _semaphores_that_tell_their_owner(),
        dask.config.set({"distributed.scheduler.allowed-failures": MAX_DEATHS}),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host=HERE,
            dashboard_address=f"{HERE}:0",
            worker_dashboard_address=f"{HERE}:0",
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        _tell(client)
        yield ClusterExecutor(client)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What every worker must see under the same path: the dataset's staging, and the source where it is a path.

    Where a ``mount`` is over staging, they must reach its store instead.
    """

    staging: Path
    source: Path | None = None
    mount: Mount | None = None


@contextmanager
def _exchanging(mounted: Mount | None) -> Iterator[None]:
    """Lets what is written in staging go through the store of a mount."""
    if mounted is None:
        yield
        return
    mount(replace(mounted, exchanges=True, session=uuid4().hex))
    try:
        yield
    finally:
        mount(mounted)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What a worker says of itself."""

    version: str
    missing: tuple[str, ...] = ()
    fault: str = ""


def _look(paths: Sequence[Path], mounted: Sequence[Mount], dask_worker: Any = None) -> _Seen:
    """Asked of each worker."""
    ours = version("winnow-text")
    try:
        for one in mounted:
            mount_on_worker(one, Path(dask_worker.local_directory))
        return _Seen(version=ours, missing=tuple(str(path) for path in paths if not (is_there(path) or path.exists())))
    except WinnowError as error:  # no credentials, or no way to the store
        return _Seen(version=ours, fault=str(error))


def _ask_workers(client: Client, shared: Shared) -> None:
    """Raises UsageError where a worker has another Winnow than this process, or does not see what is shared."""
    ours = version("winnow-text")
    mark = shared.staging / f"work-seen-{uuid4().hex[:12]}" / "mark"
    write_file(mark, b"")  # a folder of the same name may be another one
    try:
        seen = client.run(_look, [mark, *([shared.source] if shared.source else [])], mounts())
    except (ImportError, AttributeError) as error:
        raise UsageError(f"a worker of the cluster cannot load Winnow {ours}: {error}") from error
    finally:
        remove_folder(mark.parent)
        with suppress(OSError):
            shared.staging.rmdir()  # where it is empty
    for worker, said in sorted(seen.items()):
        if said.version != ours:
            raise UsageError(f"worker {worker} has Winnow {said.version}, and this process {ours}; install the same")
        if said.fault:
            raise UsageError(f"worker {worker}: {said.fault}")
        if str(mark) in said.missing and shared.mount:
            raise UsageError(
                f"worker {worker} finds another store at {shared.mount.address.shown} than this process; give it the "
                "same AWS_ENDPOINT_URL"
            )
        if said.missing:
            what = shared.source if str(mark) not in said.missing else shared.staging.parent
            raise UsageError(
                f"worker {worker} does not see {what}; mount it there under the same path, as on this machine"
            )


@contextmanager
def _semaphores_that_tell_their_owner(folder: Path = Path("/dev/shm")) -> Iterator[None]:
    """Gives what Dask's nannies make in /dev/shm names that say whose it is, and clears what killed runs left there.

    A group of processes that is killed whole can clear nothing itself.
    """
    try:
        owner = _owner(os.getpid())
        space = Path("/proc/self/ns/pid").stat().st_ino  # process numbers mean nothing in another container
    except OSError:  # a system that keeps no semaphores there
        yield
        return
    for left in folder.glob(f"sem.winnow-{space}-*"):
        of = left.name.split("-")[2]
        try:
            if _owner(int(of.partition(".")[0])) == of:
                continue
        except FileNotFoundError:
            pass  # the process is gone
        except (OSError, ValueError):
            continue
        with suppress(OSError):
            left.unlink()
    config: dict[str, Any] = multiprocessing.current_process()._config  # type: ignore[attr-defined]
    before = config.get("semprefix")
    config["semprefix"] = f"/winnow-{space}-{owner}"
    try:
        yield
    finally:
        config["semprefix"] = before


def _owner(pid: int) -> str:
    """A process by its number and the time it started. Raises FileNotFoundError for one that has ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return f"{pid}.{fields[19]}"


def _await_workers(client: Client, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=WORKER_SECONDS)
    except TimeoutError as error:
        raise UsageError(
            f"the Dask scheduler at {redacted(address)} has no worker after {WORKER_SECONDS} s; start one: "
            f"dask worker {redacted(address)}"
        ) from error


def _tell(client: Client) -> None:
    count = len(client.scheduler_info(n_workers=-1)["workers"])
    logging.getLogger(LOGGER).info(f"Dask: {count} workers, dashboard {client.dashboard_link}", extra={"stage": "dask"})
