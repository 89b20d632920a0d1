"""Worker processes on this machine, each behind a pipe of its own.

Not the pool of the standard library: where one of its workers is killed it breaks and takes all waiting calls along,
and its queues need named semaphores, which stay in /dev/shm for ever where a whole group of processes is killed.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import pickle
import queue
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from winnow.base.errors import WinnowError
from winnow.base.files import Mount, mount, mounts

MUCH = 8  # calls, after which it is worth the seconds of a new start to have back what workers hold
MAX_REPEATS = 3  # times a call is made again whose worker died, before it is named as the one that kills

ONE_THREAD = {
    "POLARS_MAX_THREADS": "1",  # there is a worker for each core already; threads beside it only hold memory
    "OMP_NUM_THREADS": "1",
}
"""Set in a worker before it loads polars, which reads it then. What a user has set stays."""

_M_TRIM_THRESHOLD, _M_ARENA_MAX = -1, -8  # malloc.h of glibc

# A fork would copy locks that other threads (polars, Prefect) hold.
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class _Call:
    fn: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    future: Future[Any] = field(default_factory=Future)


class WorkerPool(Executor):
    """Processes that make calls, one at a time each; calls must be safe to repeat.

    When the kernel kills a worker (out of memory, say) its call is made again by a new one, with no other beside it.
    Raises WinnowError from the call that kills every worker, and names it.
    """

    def __init__(self, workers: int) -> None:
        self._limit = workers
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._workers: list[_Worker] = []
        self._threads: list[threading.Thread] = []
        self._turns = _Turns()
        self._begun = 0
        self._open = 0  # calls without an answer; as long as a worker is free, no other is started
        self._changing = threading.Lock()
        self._stopped = self._killed = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self._stopped:
            raise RuntimeError("the pool was shut down")
        call = _Call(fn, args, kwargs)
        self._begun += 1
        with self._changing:
            self._open += 1
            more = len(self._threads) < min(self._open, self._limit)
        self._calls.put(call)
        if more:
            worker = _Worker()
            self._workers.append(worker)
            self._threads.append(threading.Thread(target=self._serve, args=(worker,), daemon=True))
            self._threads[-1].start()
        return call.future

    def _serve(self, worker: _Worker) -> None:
        while (call := self._calls.get()) is not None:
            self._make(worker, call)
        worker.end()

    def _make(self, worker: _Worker, call: _Call) -> None:
        wanted, answer = call.future.set_running_or_notify_cancel(), _Answer()
        if wanted:
            answer = self._answer(worker, call)
        with self._changing:
            self._open -= 1  # before who asked can ask again
        if answer.error:
            call.future.set_exception(answer.error)
        elif wanted:
            call.future.set_result(answer.result)

    def _answer(self, worker: _Worker, call: _Call) -> _Answer:
        try:
            asked = pickle.dumps((call.fn, call.args, call.kwargs))
            for repeat in range(MAX_REPEATS + 1):
                if self._killed:
                    raise CancelledError
                try:
                    with self._turns.taken(alone=repeat > 0):
                        return worker.answer(asked)
                except (EOFError, OSError):  # the worker died; what a call raises comes as an answer
                    continue
            raise WinnowError(
                f"a worker died {MAX_REPEATS + 1} times in {call.fn.__name__}{call.args!r}; most likely it ran out of "
                "memory: lower read.shard_mb in the recipe or use fewer --workers"
            )
        except Exception as error:
            return _Answer(error=error)

    def end_workers(self) -> None:
        """Lets workers that have done much end, and their memory with them; the next call starts new ones."""
        if self._begun >= MUCH:
            self._begun = 0
            for worker in self._workers:
                worker.end()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Without `wait`, workers are killed in the midst of their calls."""
        self._stopped = True
        if cancel_futures:
            while not self._calls.empty():
                if (call := self._calls.get()) is not None:
                    call.future.cancel()
        for _ in self._threads:
            self._calls.put(None)
        if not wait:
            self._killed = True
            for worker in self._workers:
                worker.kill()
        for thread in self._threads:
            thread.join()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What a call returned or raised; the place of an error does not travel with it."""

    result: Any = None
    error: Exception | None = None
    place: str = ""


class _Worker:
    """One worker: a process that is started when it is first asked, and anew after its death."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # an answer is not cut short by who ends the process
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection[Any, Any] | None = None

    def answer(self, asked: bytes) -> _Answer:
        """Makes a call in the process; returns its answer.

        Raises EOFError or OSError where the process died.
        """
        with self._lock:
            try:
                if self._pipe is None:
                    self._pipe = self._start()
                self._pipe.send_bytes(asked)
                answer: _Answer = pickle.loads(self._pipe.recv_bytes())
            except (EOFError, OSError):
                self._end()
                raise
            if answer.error:
                answer.error.add_note(answer.place)
            return answer

    def _start(self) -> Connection[Any, Any]:
        ours, theirs = _SPAWN.Pipe()
        with theirs:  # the end of the process closes its side, and no other process has it
            process = _SPAWN.Process(target=_work, args=(theirs, mounts()), daemon=True)
            process.start()
        self._process = process
        return ours

    def end(self) -> None:
        """Lets the process end, after the call that it is at."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.join()
        self._pipe = self._process = None

    def kill(self) -> None:
        if (process := self._process) is not None:
            process.kill()


class _Turns:
    """Calls that run beside one another, and now and then one that runs alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = 0
        self._waiting = 0  # to run alone

    @contextmanager
    def taken(self, alone: bool) -> Iterator[None]:
        with self._changed:
            self._waiting += alone
            self._changed.wait_for(lambda: self._running == 0 if alone else self._running >= 0 and not self._waiting)
            self._waiting -= alone
            self._running += -1 if alone else 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= -1 if alone else 1
                self._changed.notify_all()


def _work(calls: Connection[Any, Any], mounted: Sequence[Mount]) -> None:
    """What a worker process does: one call after the other, until no more can come."""
    begin_worker()
    for one in mounted:
        mount(one)
    while True:
        try:
            asked = calls.recv_bytes()
        except EOFError:
            return
        try:
            fn, args, kwargs = pickle.loads(asked)
            answer = pickle.dumps(_Answer(result=fn(*args, **kwargs)))
        except Exception as error:
            answer = _pickled(error)
        calls.send_bytes(answer)


def _pickled(error: Exception) -> bytes:
    """An error with its place in the worker; in words, where it cannot travel."""
    place = f"in a worker process:\n{traceback.format_exc()}"
    try:
        answer = pickle.dumps(_Answer(error=error, place=place))
        pickle.loads(answer)
    except Exception:
        answer = pickle.dumps(_Answer(error=RuntimeError(f"{type(error).__name__} {place}")))
    return answer


def begin_worker() -> None:
    """What a worker process does first: take one core, give memory back after each shard, end with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent as well, which ends its workers
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
