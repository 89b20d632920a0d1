"""Worker processes on this machine, each behind a socket of its own.

Not the pool of the standard library: where one of its workers is killed it breaks and takes all waiting calls along,
and its queues need named semaphores, which stay in /dev/shm for ever where a whole group of processes is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pickle
import queue
import signal
import socket
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from winnow.base.environment import run_no_code_of_the_folder
from winnow.base.errors import WinnowError
from winnow.base.files import mount, mounts
from winnow.base.mounted import Mount

MAX_REPEATS = 3  # times a call is made again whose worker died, before it is named as the one that kills

ONE_THREAD = {
    "POLARS_MAX_THREADS": "1",  # there is a worker for each core already; threads beside it only hold memory
    "OMP_NUM_THREADS": "1",
}
"""Set in a worker before it loads polars, which reads it then. What a user has set stays."""

PID = struct.Struct("q")
"""How the fork server answers: with the process number of a worker."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h of glibc
_MMAP_THRESHOLD_MAX = 32 << 20
_IDLE = 0.05  # seconds without a call, after which a worker gives back what the last one freed
_MOST_FREE = 48 << 20  # bytes that it keeps for a call that follows at once

_loading: list[_ForkServer] = []
"""A fork server that was begun for the pool to come."""


def begin_loading() -> None:
    """Begins to load what workers need, beside what this process does until it opens its pool."""
    if not _loading:
        _loading.append(_fork_server())


def _fork_server() -> _ForkServer:
    return _ForkServer(_environment())


def _environment() -> dict[str, str]:
    """What a worker's environment is."""
    return {**ONE_THREAD, **os.environ}


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
        self._server: _ForkServer | None = _loading.pop() if _loading else None
        self._open = 0  # calls without an answer; as long as a worker is free, no other is started
        self._changing = threading.Lock()
        self._stopped = self._killed = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self._stopped:
            raise RuntimeError("the pool was shut down")
        call = _Call(fn, args, kwargs)
        with self._changing:
            self._open += 1
            more = len(self._threads) < min(self._open, self._limit)
        self._calls.put(call)
        if more:
            worker = _Worker(self._fork)
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

    def _fork(self) -> _Forked:
        """A new worker, of a new fork server where that died.

        Raises EOFError or OSError where it dies now.
        """
        with self._changing:
            if self._killed:
                raise EOFError
            self._server = server = self._server or _fork_server()
        try:
            return server.fork()
        except (EOFError, OSError):
            with self._changing:
                if self._server is server:
                    self._server = None
            raise

    def end_workers(self, last: bool) -> None:
        """Lets workers end, and their memory with them; the next call starts new ones.

        The `last` time what they are forked from ends as well.
        """
        for worker in self._workers:
            worker.end()
        if last:
            self._stop_server()

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
            with self._changing:
                self._killed = True
            for worker in self._workers:
                worker.kill()
            self._stop_server()
        for thread in self._threads:
            thread.join()
        self._stop_server()

    def _stop_server(self) -> None:
        with self._changing:
            server, self._server = self._server, None
        if server:
            server.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What a call returned or raised; the place of an error does not travel with it."""

    result: Any = None
    error: Exception | None = None
    place: str = ""


class _Worker:
    """One worker: a process that is forked when it is first asked, and anew after its death."""

    def __init__(self, fork: Callable[[], _Forked]) -> None:
        self._fork = fork
        self._lock = threading.Lock()  # an answer is not cut short by who ends the process
        self._process: _Forked | None = None
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
        self._process = self._fork()
        pipe = Connection(os.dup(self._process.socket.fileno()))
        here = _Surroundings(folder=str(Path.cwd()), path=sys.path, environment=_environment(), mounts=mounts())
        pipe.send_bytes(pickle.dumps(here))
        return pipe

    def end(self) -> None:
        """Lets the process end, after the call that it is at."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.end()
        self._pipe = self._process = None

    def kill(self) -> None:
        if (process := self._process) is not None:
            process.kill()


@dataclass(frozen=True, slots=True)
class _Forked:
    """A worker: its process number, and this side of the socket that it reads its calls from."""

    pid: int
    socket: socket.socket

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def end(self) -> None:
        """Lets the worker end after the call that it is at; returns when it has, and its memory with it."""
        with self.socket, contextlib.suppress(OSError):  # one that was killed has ended
            self.socket.shutdown(socket.SHUT_WR)
            while self.socket.recv(1 << 16):
                pass


class _ForkServer:
    """The process that workers are forked from. It loads beside what is done until the first is asked for.

    It ends with the process that started it, however that ends, and its workers with it.
    """

    def __init__(self, environment: dict[str, str]) -> None:
        here = str(Path(__file__).resolve().parents[2])
        environment["PYTHONPATH"] = os.pathsep.join([here, *filter(None, [environment.get("PYTHONPATH")])])
        run_no_code_of_the_folder(environment)
        self._asking = threading.Lock()
        self._was_asked = False
        self._asked, theirs = socket.socketpair()
        with theirs:
            handle = theirs.fileno()
            command = [sys.executable, "-m", "winnow.run.fork_server", str(handle)]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[handle], env=environment)

    def fork(self) -> _Forked:
        """A new worker.

        Raises EOFError or OSError where the server has died.
        """
        ours, theirs = socket.socketpair()
        try:
            with theirs, self._asking:
                self._was_asked = True
                socket.send_fds(self._asked, [b"1"], [theirs.fileno()])
                answer = self._asked.recv(PID.size, socket.MSG_WAITALL)
            if len(answer) < PID.size:
                raise EOFError("the fork server died")
        except BaseException:
            ours.close()
            raise
        return _Forked(PID.unpack(answer)[0], ours)

    def stop(self) -> None:
        """Ends it, and the workers that still run."""
        if not self._was_asked:  # it may still load
            self._process.kill()
        self._asked.shutdown(socket.SHUT_RDWR)  # who waits for a worker is told
        self._process.wait()
        self._asked.close()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Surroundings:
    """What a worker takes over from the process that asks for it, as it is when the worker begins."""

    folder: str
    path: Sequence[str]
    environment: Mapping[str, str]
    mounts: Sequence[Mount]

    def take_over(self) -> None:
        os.chdir(self.folder)
        sys.path[:] = self.path
        os.environ.clear()
        os.environ.update(self.environment)
        for one in self.mounts:
            mount(one)


def work(handle: int) -> None:
    """What a worker process does: one call after the other, until no more can come."""
    calls: Connection[Any, Any] = Connection(handle)
    here: _Surroundings = pickle.loads(calls.recv_bytes())
    here.take_over()
    if libc := _libc():
        _keep_memory_during_a_call(libc)
    while True:
        try:
            asked = calls.recv_bytes()
        except EOFError:
            return
        calls.send_bytes(_answer_to(asked))
        if libc and (_free_bytes(libc) > _MOST_FREE or not calls.poll(_IDLE)):
            libc.malloc_trim(0)


def _answer_to(asked: bytes) -> bytes:
    try:
        fn, args, kwargs = pickle.loads(asked)
        return pickle.dumps(_Answer(result=_with_room(fn, args, kwargs)))
    except Exception as error:
        return _pickled(error)


def _with_room(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return fn(*args, **kwargs)


# Python keeps frames in blocks of 16 KB, and gives a block back with its first frame: a loop whose calls pass the end
# of one asks the system for a block each time, which takes a hundred times as long as the call. This frame's block has
# to be larger, and leaves half a megabyte to those above it; what they do not use is never touched.
_with_room.__code__ = _with_room.__code__.replace(co_stacksize=65_536)


def _pickled(error: Exception) -> bytes:
    """An error with its place in the worker; in words, where it cannot travel."""
    place = f"in a worker process:\n{traceback.format_exc()}"
    try:
        answer = pickle.dumps(_Answer(error=error, place=place))
        pickle.loads(answer)
    except Exception:
        answer = pickle.dumps(_Answer(error=RuntimeError(f"{type(error).__name__} {place}")))
    return answer


def give_memory_back() -> None:
    """Lets the C library return to the system what was freed, rather than keep it for the next shard or stage."""
    if libc := _libc():
        libc.mallopt(_M_ARENA_MAX, 1)
        libc.mallopt(_M_TRIM_THRESHOLD, 1 << 20)


def _keep_memory_during_a_call(libc: ctypes.CDLL) -> None:
    """Lets the C library use again what was freed: the system clears each page that it gives out anew."""
    libc.mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD_MAX)
    libc.mallopt(_M_TRIM_THRESHOLD, 2 * _MMAP_THRESHOLD_MAX)


class _Heap(ctypes.Structure):
    """``struct mallinfo2`` of glibc since 2.33, in bytes; ``fordblks`` are free."""

    _names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in _names.split()]


def _free_bytes(libc: ctypes.CDLL) -> int:
    """What is free in the heap, also where it was given back; more than any where this cannot be asked."""
    if not hasattr(libc, "mallinfo2"):
        return sys.maxsize
    libc.mallinfo2.restype = _Heap
    return int(libc.mallinfo2().fordblks)


def _libc() -> ctypes.CDLL | None:
    """The C library where it is glibc; with another one a process only holds more."""
    try:
        libc = ctypes.CDLL("libc.so.6")
        return libc if hasattr(libc, "malloc_trim") else None
    except OSError:
        return None
