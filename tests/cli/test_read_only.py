"""A dataset that may only be read: what looks works on it, what writes is told in one line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LOOKS = ["status", "versions", "show", "report", "rejects", "gate", "diff", "explain river", "why river", "verify"]
WRITES = ["rollback 1", "prune --keep 1", "maintain", "verify --mend", "withdraw river", "run ../in"]

# The superuser writes wherever it likes, unless it gives that up.
AS_OTHERS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


@pytest.mark.slow
@pytest.mark.skipif(bool(AS_OTHERS) and not shutil.which("setpriv"), reason="the superuser may write anywhere")
def test_what_looks_works_and_what_writes_says_that_it_may_not(history: Path, tmp_path: Path):
    shutil.copytree(history / "dataset", tmp_path / "read" / "dataset", symlinks=True)
    shutil.copytree(history / "in", tmp_path / "in")
    (tmp_path / "in" / "more.txt").write_text("A text that the dataset does not have yet.")
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "read").rglob("*")}
    for path in [tmp_path / "read", *(tmp_path / "read").rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)

    def call(words: str) -> tuple[int, str]:
        command = [*AS_OTHERS, sys.executable, "-m", "winnow", *words.split(), "--into", "dataset"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
        environment |= {"HOME": str(tmp_path / "read" / "no home")}
        done = subprocess.run(
            command, cwd=tmp_path / "read", capture_output=True, text=True, timeout=120, env=environment
        )
        return done.returncode, done.stderr

    assert {words: call(words)[0] for words in LOOKS} == dict.fromkeys(LOOKS, 0)
    for words in WRITES:
        code, said = call(words)
        assert code in (2, 5) and "cannot be written: permission denied" in said.lower(), (words, said)
        assert "Traceback" not in said, words
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "read").rglob("*")} == before
