"""Where shards run: processes on this machine, or a Dask cluster. The same functions, the same results."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any, Literal, TypeVar

from winnow.base.environment import run_no_code_of_the_folder
from winnow.base.errors import WinnowError

Kind = Literal["processes", "dask", "inline"]
"""Where shards run: worker processes, a Dask cluster, or this process."""

Result = TypeVar("Result")

MUCH = 8  # calls, after which it is worth the seconds of a new start to have back what workers hold
MAX_REBUILDS = 3  # times a pool whose worker died is built anew before the shard that kills it is named


class InlineExecutor(Executor):
    """Runs each call where it is submitted; for tests and debuggers."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


ONE_THREAD = {
    "POLARS_MAX_THREADS": "1",  # there is a worker for each core already; threads beside it only hold memory
    "OMP_NUM_THREADS": "1",
}
"""Set in a worker before it loads polars, which reads it then. What a user has set stays."""

_M_TRIM_THRESHOLD, _M_ARENA_MAX = -1, -8  # malloc.h of glibc


def begin_worker() -> None:
    """What a worker process does first: take one core, give memory back after each shard, end with its parent."""
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)
    give_memory_back()
    end_with_parent()


def give_memory_back() -> None:
    """Let the C library return to the system what was freed, rather than keep it for the next shard or stage."""
    try:
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_M_ARENA_MAX, 1)
        libc.mallopt(_M_TRIM_THRESHOLD, 1 << 20)
    except (OSError, AttributeError):  # another C library: the process only holds more
        pass


def end_with_parent() -> None:
    """Let a worker end when the process that started it does, however that ended.

    A worker whose parent was killed would go on with its call beside the next run. Not left to the kernel
    (``PR_SET_PDEATHSIG`` follows the thread that started the worker, and Prefect's threads come and go).
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_wait_and_exit, args=(parent.sentinel,), daemon=True).start()


def _wait_and_exit(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


class SturdyPool(Executor):
    """A process pool that outlives its workers.

    When the kernel kills a worker (out of memory, say) a plain pool breaks and takes all waiting calls with it. This
    one starts a new pool and makes the lost calls again; calls must therefore be safe to repeat.
    Workers are started by ``spawn``: a fork would copy locks that other threads (polars, Prefect) hold.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._begun = 0
        self._pool = self._start()

    def _start(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._workers, mp_context=context, initializer=begin_worker)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """A call whose ``result()`` survives the death of its worker."""
        return _Call(self, fn, args, kwargs)

    def begin(self, call: _Call) -> Future[Any]:
        """Give a call to the workers; to new ones, where the pool is found broken."""
        self._begun += 1
        try:
            return self._pool.submit(call.fn, *call.args, **call.kwargs)
        except BrokenProcessPool:
            self.restart()
            return self._pool.submit(call.fn, *call.args, **call.kwargs)

    def restart(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._start()

    def end_workers(self) -> None:
        """Let workers that have done much end, and their memory with them; the next call starts new ones."""
        if self._begun < MUCH:
            return
        self._begun = 0
        self._pool.shutdown()
        self._pool = self._start()

    def map(
        self,
        fn: Callable[..., Any],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        **_: Any,
    ) -> Iterator[Any]:
        """Like `Executor.map`, in order, but calls lost with a dead worker are made again.

        Raises WinnowError naming the call that stands first in line at every death.
        """
        calls = [_Call(self, fn, args, {}) for args in zip(*iterables, strict=False)]
        return (call.result(timeout) for call in calls)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)


class _Call(Future[Any]):
    """A call to a `SturdyPool`; it is made again, when its result is asked for, if a worker's death took it along."""

    def __init__(self, pool: SturdyPool, fn: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        super().__init__()
        self.fn, self.args, self.kwargs = fn, args, kwargs
        self._pool = pool
        self._made = pool.begin(self)

    def result(self, timeout: float | None = None) -> Any:
        for _ in range(MAX_REBUILDS):
            try:
                return self._made.result(timeout)
            except (BrokenProcessPool, CancelledError):
                # Those behind it were lost as well. They begin when they are asked for, so that this one runs alone
                # and, if it is the one that kills, is told from those beside it.
                self._made = self._pool.begin(self)
        try:
            return self._made.result(timeout)
        except (BrokenProcessPool, CancelledError) as error:
            raise WinnowError(
                f"a worker died {MAX_REBUILDS + 1} times in {self.fn.__name__}{tuple(self.args)!r}; most likely it ran "
                "out of memory: lower read.shard_mb in the recipe or use fewer --workers"
            ) from error


@contextmanager
def open_executor(
    kind: Kind = "processes", workers: int | None = None, address: str | None = None
) -> Iterator[Executor]:
    """An executor for shards; shut down at the end.

    ``dask`` connects to the scheduler at `address`, or starts a local cluster of `workers` where there is none.
    Raises UsageError when Dask is asked for and not installed or not reachable.
    """
    give_memory_back()
    run_no_code_of_the_folder()
    workers = workers or os.cpu_count() or 1
    if kind == "inline":
        yield InlineExecutor()
    elif kind == "processes":
        pool = SturdyPool(workers)
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()
    else:
        from winnow.run.cluster import open_cluster

        with open_cluster(workers, address) as cluster:
            yield cluster


def end_workers(executor: Executor) -> None:
    """Let workers that have done much end: what they loaded for a part of the run is not needed again."""
    if isinstance(executor, SturdyPool):
        executor.end_workers()


def map_shards(
    executor: Executor,
    function: Callable[..., Result],
    *columns: Sequence[Any],
    progress: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """`function` over rows of `columns`, results in order; `progress(done, total)` after each."""
    total = len(columns[0]) if columns else 0
    results: list[Result] = []
    for result in executor.map(function, *columns):
        results.append(result)
        if progress:
            progress(len(results), total)
    return results
