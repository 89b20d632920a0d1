"""A command that kills itself before its N-th change of the dataset's folder: N ROOT WORD..., N = 0 for never.

What Python does to names is counted (renames, links, removals, new folders, files opened to be written): each is a
point where something becomes visible. The number of all of them is printed at the end.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

NAMING = {"os.rename", "os.link", "os.symlink", "os.remove", "os.mkdir", "os.rmdir"}


def main(number: int, root: str, words: list[str]) -> int:
    done = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal done
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if not writes and event not in NAMING:
            return
        if not any(isinstance(a, str | os.PathLike) and os.fspath(a).startswith(root) for a in arguments[:2]):
            return
        done += 1
        if done == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    from winnow.cli.main import main as run

    sys.argv = ["winnow", *words]
    try:
        run()
    except SystemExit as end:
        print(f"changes: {done}")
        return int(end.code or 0)
    print(f"changes: {done}")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
