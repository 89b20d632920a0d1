"""Scores a published dataset with the benchmark kit's ``score.py``: restoration, harm, copies found."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain, groupby
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq


def score_published(dataset: Path, corpus: Path, kit: Path, work: Path) -> str:
    """What ``score.py`` prints about the dataset's latest version. `corpus` holds the truth, and ids are sources."""
    view = dataset / "latest"
    cleaned, clusters = work / "CLEANED.jsonl", work / "CLUSTERS.jsonl"
    names = _sources(view)
    with cleaned.open("w", encoding="utf-8") as file:
        for doc_id, text in repaired_texts(view):
            file.write(json.dumps({"id": names[doc_id], "text": text}, ensure_ascii=False) + "\n")
    copies = pl.read_parquet(view / "duplicates/*.parquet", columns=["doc_id", "kept_doc_id"])
    with clusters.open("w", encoding="utf-8") as file:
        for doc_id, kept in copies.iter_rows():
            file.write(json.dumps({"id": names[doc_id], "kept": names[kept]}) + "\n")
    command = [sys.executable, str(kit / "score.py"), str(corpus), str(cleaned), str(clusters)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def repaired_texts(view: Path) -> Iterator[tuple[str, str]]:
    """``(doc_id, text)`` of every document after repair and before anything was left out, from its passages."""
    files = sorted((view / "passages").glob("*.parquet"))
    # A document's rows may go over from one file to the next.
    rows = chain.from_iterable(map(_rows, files))
    for doc_id, group in groupby(rows, key=lambda row: row[0]):
        yield doc_id, "".join(text + gap for _, text, gap in group)


def _rows(path: Path) -> Iterator[tuple[str, str, str]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=["doc_id", "text", "gap"]):
            yield from zip(*(batch[n].to_pylist() for n in ("doc_id", "text", "gap")), strict=True)


def _sources(view: Path) -> dict[str, str]:
    frames = [
        pl.read_parquet(view / f"{t}/*.parquet", columns=["doc_id", "source"]) for t in ("documents", "duplicates")
    ]
    return dict(pl.concat(frames).iter_rows())
