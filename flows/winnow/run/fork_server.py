"""A process that has loaded what workers need, and forks a worker when one is asked for.

To start a worker by itself costs over a second of a processor, nearly all of it imports, and a run starts each of its
workers more than once; a fork costs some hundredths. The process imports and does nothing else: polars and pyarrow
start the threads of their pools at their first query, so that a worker starts its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import signal
import socket
import sys
import traceback
import warnings
from typing import NoReturn

from winnow.base.environment import leave_pandas_out, look_for_garbage_rarely

LOADED = ("winnow.run.jobs", "winnow.deduplicate.prepare", "winnow.deduplicate.removals", "winnow.run.assemble")
"""Modules of the functions that workers call most. A worker imports any other when it is first called."""

_PR_SET_PDEATHSIG = 1  # prctl.h of Linux


def main(handle: int) -> None:
    """Forks a worker for each socket that comes, until no more can come."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the process that asks as well, and that ends this one
    leave_pandas_out()
    from winnow.run.worker_pool import PID, give_memory_back

    give_memory_back()
    gc.disable()
    for name in LOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # what is loaded is no garbage: to look through it would copy its pages into every worker
    gc.enable()
    look_for_garbage_rarely()
    # The threads that Python would warn of are those of memory allocators, which know of forks.
    warnings.filterwarnings("ignore", ".*multi-threaded.*", DeprecationWarning)
    workers: set[int] = set()
    with socket.socket(fileno=handle) as asked:
        while (sent := _next(asked)) is not None:
            pid = os.fork()
            if not pid:
                asked.close()
                _become_worker(sent)
            os.close(sent)
            workers = {one for one in (*workers, pid) if _runs(one)}
            with contextlib.suppress(OSError):
                asked.sendall(PID.pack(pid))
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _next(asked: socket.socket) -> int | None:
    try:
        _, handles, _, _ = socket.recv_fds(asked, 1, 1)
    except OSError:
        return None
    return handles[0] if handles else None


def _runs(pid: int) -> bool:
    return os.waitpid(pid, os.WNOHANG)[0] == 0


def _become_worker(handle: int) -> NoReturn:
    """Makes calls that come from a socket, and ends the process."""
    from winnow.run.worker_pool import work

    code = 1
    try:
        with contextlib.suppress(OSError, AttributeError):  # another C library: it ends when no more calls can come
            ctypes.CDLL("libc.so.6").prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        work(handle)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main(int(sys.argv[1]))
