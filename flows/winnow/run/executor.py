"""Where shards run: processes on this machine, or a Dask cluster. The same functions, the same results."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from itertools import repeat
from typing import Any, Literal, TypeVar

from winnow.base.environment import run_no_code_of_the_folder
from winnow.run.cluster import ClusterExecutor, Shared, open_cluster
from winnow.run.worker_pool import WorkerPool, give_memory_back

Kind = Literal["processes", "dask", "inline"]
"""Where shards run: worker processes, a Dask cluster, or this process."""

Result = TypeVar("Result")


class InlineExecutor(Executor):
    """Runs each call where it is submitted; for tests and debuggers."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def open_executor(
    kind: Kind = "processes", workers: int | None = None, address: str | None = None, shared: Shared | None = None
) -> Iterator[Executor]:
    """An executor for shards; shut down at the end.

    ``dask`` connects to the scheduler at `address`, or starts a local cluster of `workers` where there is none.
    Raises UsageError when Dask is asked for and not installed or not reachable, or its workers do not see what is to be
    `shared`.
    """
    give_memory_back()
    run_no_code_of_the_folder()
    workers = workers or os.cpu_count() or 1
    if kind == "inline":
        yield InlineExecutor()
    elif kind == "processes":
        pool = WorkerPool(workers)
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()
    else:
        with open_cluster(workers, address, shared) as cluster:
            yield cluster


def is_cluster(executor: Executor) -> bool:
    """Whether workers may stand on other machines."""
    return isinstance(executor, ClusterExecutor)


def end_workers(executor: Executor, last: bool = False) -> None:
    """Lets workers end: what they loaded for a part of the run is not needed again. The `last` time no more follow."""
    if isinstance(executor, WorkerPool):
        executor.end_workers(last)


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


def each_range(
    executor: Executor | None, job: Callable[..., Result], ranges: Sequence[Any], *same: object
) -> Iterator[Result]:
    """`job` over ranges of doc_ids (and what belongs to each), with the same further arguments; results in order.

    One range is done here: its rows are fewer than it takes to tell another process of them. So are all without an
    `executor`.
    """
    if executor is None or len(ranges) == 1:
        return (job(span, *same) for span in ranges)
    return iter(executor.map(job, ranges, *map(repeat, same)))
