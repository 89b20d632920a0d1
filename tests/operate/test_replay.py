"""A replay gives what a run from scratch gives, row for row, whatever the format: the kept bytes are all it needs."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.articles import article
from tests.operate.dataset_runs import run_stages, verify_versions

from winnow.base.contracts import TABLES
from winnow.base.recipe import Recipe
from winnow.publish.dataset import Dataset
from winnow.run.rejects import rejects_of

LIMITS = {
    "max_reject_share": 1, "min_documents": 0, "max_mean_residual_markup": 1, "max_reject_share_rise": 1,
    "max_count_drop": 1, "max_mean_length_change": 1, "max_rule_share_change": 1,
}  # fmt: skip
DAMAGED = "Ten caf&amp;eacute;s, “quoted”; and\ta tab, a | bar: {}"


def texts(name: str, count: int) -> list[str]:
    return [DAMAGED.format(name) + f"\n\n{article(crc32(name.encode()) + n)}" for n in range(count)]


def records(name: str, count: int) -> list[dict[str, str]]:
    return [
        {"id": f"{name}-{n}", "body": text, "title": f"Title {n}, “{name}”", "author": f"Æsop; of {name} | {n}"}
        for n, text in enumerate(texts(name, count))
    ]


def as_json(rows: list[dict[str, str]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def as_csv(rows: list[dict[str, str]], delimiter: str = ",", end: str = "\n", escape: str = "") -> str:
    def field(value: str) -> str:
        return '"' + value.replace('"', f'{escape or chr(34)}"') + '"'

    lines = [list(rows[0]), *([*row.values()] for row in rows)]
    return "".join(delimiter.join(map(field, line)) + end for line in lines)


def as_parquet(rows: list[dict[str, str]], path: Path, **columns: Callable[[int], Any]) -> None:
    more = {name: [of(n) for n in range(len(rows))] for name, of in columns.items()}
    frame = pa.table({**{k: [r[k] for r in rows] for k in rows[0]}, **more})
    pq.write_table(frame, path)


def page(text: str) -> str:
    body = "".join(f"<p>{part}</p>" for part in text.replace("&amp;", "&amp;amp;").split("\n\n"))
    return f"<html><head><title>A page</title></head><body><article>{body}</article></body></html>"


def write_every_format(folder: Path, count: int) -> None:
    """One file of each format, dialect, charset and packing; all but texts and pages hold `count` records."""

    def rows(name: str) -> list[dict[str, str]]:
        return records(name, count)

    files = {
        "a.jsonl": as_json(rows("jsonl")),
        "b.jsonl.gz": gzip.compress(as_json(rows("jsonl-gz"))),
        "c.csv": as_csv(rows("csv")).encode(),
        "d.csv": as_csv(rows("semicolons"), ";", "\r\n").encode("cp1252", "replace"),
        "e.csv": b"sep=|\n" + as_csv(rows("bars"), "|").encode(),
        "f.csv": as_csv(rows("utf16")).encode("utf-16"),
        "g.csv.gz": gzip.compress(as_csv(rows("csv-gz"), escape="\\").encode()),
        "h.tsv": as_csv(rows("tabs"), "\t").encode("utf-8-sig"),
        "h.csv.gz": gzip.compress(as_csv(rows("utf16-gz")).encode("utf-16-le")),
        "h.jsonl": as_json(rows("jsonl-utf16")).decode().encode("utf-16"),
        "i.txt": texts("text", 1)[0].encode(),
        "j.txt": texts("western", 1)[0].encode("cp1252", "replace"),
        "k.txt.gz": gzip.compress(texts("text-gz", 1)[0].encode("utf-16")),
        "k.md": texts("utf16-text", 1)[0].encode("utf-16"),
        "l.html": page(texts("html", 1)[0]).encode(),
        "m.htm.gz": gzip.compress(page(texts("html-gz", 1)[0]).encode("cp1252", "xmlcharrefreplace")),
    }
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    as_parquet(rows("parquet"), folder / "n.parquet", score=float, tags=lambda n: ["a", str(n)])
    as_parquet(rows("bytes"), folder / "o.parquet", raw=lambda n: b"\xff\x00" + bytes([n % 256]))


MISTAKES: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "a field of another name": ({"read": {}}, {"read": {"text_field": "body"}}),
    "a kind of file without an entry of its own": (
        {"read": {}},
        {
            "read": {
                "sources": [
                    {"glob": "*.jsonl*", "text_field": ["words", "body"], "title_field": "title"},
                    {
                        "glob": ["*.csv*", "*.[tc]sv", "*.parquet"],
                        "text_field": "body",
                        "ids": "file",
                        "title_field": "author",
                    },
                ]
            }
        },
    ),
    "a limit that nothing reaches": (
        {"read": {"text_field": "body"}, "validate": {"min_chars": 100_000}},
        {"read": {"text_field": "body"}},
    ),
    "a share that nothing reaches": (
        {"read": {"text_field": "body"}, "validate": {"min_letter_share": 1}},
        {"read": {"text_field": "body"}},
    ),
}


def recipe(settings: Mapping[str, Any]) -> Recipe:
    return Recipe.model_validate({**settings, "validate": {**LIMITS, **settings.get("validate", {})}})


NAMES_A_RUN = {"run_id", "recipe_id", "version", "first_version", "arrival"}


def rows_of(dataset: Path, count: int) -> dict[str, list[str]]:
    """What a reader sees, without which run or version it came with; of the rejects, those that wait.

    Among many documents that are alike, each is compared with those that came first: which pairs table `similar` lists
    then depends on the version that each document came with, and a replay brings them later.
    """
    found = {}
    for table in sorted(set(TABLES) - {"runs", "inputs", *(["similar"] if count > 3 else [])}):
        frame = pd.read_parquet(dataset / "latest" / table)
        if table == "rejects":
            frame = frame[frame["replayed_in"].isna()]
        frame = frame.drop(columns=[c for c in frame if c in NAMES_A_RUN])
        found[table] = sorted(map(repr, frame.astype(object).itertuples(index=False)))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("count", [3, 400])
def test_a_replay_under_mended_settings_gives_what_a_run_from_scratch_gives(count: int, mistake: str, tmp_path: Path):
    source, dataset, scratch = tmp_path / "in", tmp_path / "dataset", tmp_path / "scratch"
    write_every_format(source, count)
    wrong, mended = map(recipe, MISTAKES[mistake])
    run_stages(source, dataset, recipe=wrong)
    n_rejected = len(rejects_of(Dataset(dataset), None, settled=False))
    assert n_rejected >= 9, "the mistake rejects what it should"
    assert run_stages(source, dataset, recipe=wrong, replay=True)["version"] is None, "nothing changed"

    source.rename(tmp_path / "away")
    assert run_stages(source, dataset, recipe=mended, replay=True)["version"] == 2
    (tmp_path / "away").rename(source)
    run_stages(source, scratch, recipe=mended)
    replayed, made = rows_of(dataset, count), rows_of(scratch, count)
    for table, rows in made.items():
        assert sorted(set(replayed[table]) ^ set(rows)) == [], table
    assert rejects_of(Dataset(dataset), None, settled=False) == []
    assert run_stages(source, dataset, recipe=mended, replay=True)["version"] is None

    run_stages(source, dataset, recipe=mended)
    assert rows_of(dataset, count) == made, "a run on the input says the same"
    assert verify_versions(Dataset(dataset)) == []


@pytest.mark.slow
def test_a_run_on_the_same_input_settles_what_waits(tmp_path: Path):
    source, dataset = tmp_path / "in", tmp_path / "dataset"
    write_every_format(source, 1)
    wrong, mended = map(recipe, MISTAKES["a field of another name"])
    run_stages(source, dataset, recipe=wrong)
    run_stages(source, dataset, recipe=mended)
    assert rejects_of(Dataset(dataset), None, settled=False) == []
    run_stages(source, tmp_path / "scratch", recipe=mended)
    assert rows_of(dataset, 1) == rows_of(tmp_path / "scratch", 1)
    assert run_stages(source, dataset, recipe=mended, replay=True)["version"] is None
