"""The benchmark of repair runs from a checkout without gold sets, on what the checkout itself holds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_benchmark_names_what_is_missing_and_measures_the_rest(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "benchmarks" / "repair_quality.py", "--gold", tmp_path, "--limit", "2"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "set ftfy_cases is not there" in done.stdout
    assert "chains: whole sentences harmed" in done.stdout


def test_the_benchmark_of_growth_runs_on_small_texts() -> None:
    done = subprocess.run(
        [
            sys.executable,
            ROOT / "tests" / "benchmarks" / "repair_linear.py",
            "--smoke",
            "--only",
            "brackets,nested tags",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "plain prose" in done.stdout
    assert "nested tags" in done.stdout


def test_the_benchmark_of_one_byte_encodings_runs_on_three_sentences() -> None:
    done = subprocess.run(
        [
            sys.executable,
            ROOT / "tests" / "benchmarks" / "single_byte.py",
            "--smoke",
            "--pair",
            "cp1251 read as cp1252",
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        timeout=120,
        check=True,
    )
    assert "cp1251 read as cp1252" in done.stdout
    assert "changed by misread_charset: 0 of 3" in done.stdout
