"""The benchmarks of repair run from a checkout without gold sets, on what the checkout itself holds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def output_of(script: str, *options: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "benchmarks" / script, *options],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_benchmark_names_what_is_missing_and_measures_the_rest(tmp_path: Path) -> None:
    told = output_of("repair_quality.py", "--gold", tmp_path, "--limit", "2")
    assert "set ftfy_cases is not there" in told
    assert "chains: whole sentences harmed" in told


def test_the_benchmark_of_growth_runs_on_small_texts() -> None:
    told = output_of("hostile_speed.py", "--smoke", "--only", "brackets,nested tags")
    assert "brackets and spaces" in told
    assert "nested tags" in told


def test_the_benchmark_of_one_byte_encodings_runs_on_three_sentences() -> None:
    told = output_of("single_byte.py", "--smoke", "--pair", "cp1251 read as cp1252")
    assert "cp1251 read as cp1252" in told
    assert "changed by misread_charset: 0 of 3" in told
