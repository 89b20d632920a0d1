"""A small dataset to publish: documents with passages and edits that fit them, and runs that publish them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from winnow.base.contracts import SORT_KEYS, TABLES
from winnow.base.files import arrow_dataset
from winnow.base.recipe import PublishSettings
from winnow.base.records import doc_id_of
from winnow.publish.dataset import Dataset
from winnow.publish.manifest import Manifest
from winnow.publish.recover import recover
from winnow.publish.version import Publication, RunRecord, publish_version
from winnow.storage.lock import lock_dataset

START = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = PublishSettings(name="Test", licence="cc0-1.0", file_mb=1)


def rows_of(source: str, word: str = "plain", version: int = 1, removed: int = 1) -> dict[str, list[dict[str, Any]]]:
    """A document of three passages, `removed` of them left out, repaired once, as rows of its tables."""
    doc_id = doc_id_of(source)
    texts = [f"{source} {word} {n}" for n in range(3)]
    kept, left = texts[: 3 - removed], texts[3 - removed :]
    text = "\n".join(kept)
    sha = hashlib.sha256((source + word).encode()).hexdigest()
    document = {
        "doc_id": doc_id,
        "source": source,
        "title": None,
        "text": text,
        "language": "en",
        "language_confidence": 0.5,
        "n_chars": len(text),
        "n_words": len(text.split()),
        "n_passages": len(kept),
        "n_edits": 1,
        "n_removed": len(left),
        "encoding": "utf-8",
        "content_sha256": sha,
        "collected_at": START,
        "metadata": '{"k": "v"}',
        "first_version": version,
        "recipe_id": "r" * 16,
        "run_id": "run",
    }
    passages = [
        {
            "doc_id": doc_id,
            "position": n,
            "part": 0,
            "kind": "paragraph",
            "text": t,
            "gap": "\n" if n < 2 else "",
            "fingerprint": hashlib.md5(t.encode()).digest(),
            "status": "kept" if t in kept else "removed",
            "reason": None if t in kept else "boilerplate",
            "kept_doc_id": None,
            "kept_position": None,
            "similarity": None,
        }
        for n, t in enumerate(texts)
    ]
    edits = [
        {
            "doc_id": doc_id,
            "seq": 0,
            "rule": "entities",
            "rule_version": 1,
            "start": 0,
            "end": 0,
            "before": "",
            "after": source[:1],
            "confidence": 1.0,
            "applied": True,
        }
    ]
    index = [
        {
            "doc_id": doc_id,
            "input": source,
            "arrival": version,
            "damage": 1,
            "length": len(text),
            "collected_at": START,
            "content_sha256": sha,
            "recipe_id": "r" * 16,
            "site": "s",
            "n_shingles": 1,
            "bands": [-1, 2],
            "sketch": [3],
        }
    ]
    inputs = [
        {
            "path": source,
            "bytes": 1,
            "sha256": sha,
            "n_documents": 1,
            "n_rejects": 0,
            "n_left_out": 0,
            "recipe_id": "r" * 16,
            "run_id": "run",
        }
    ]
    return {"documents": [document], "passages": passages, "edits": edits, "index": index, "inputs": inputs}


def _blank(kind: pa.DataType) -> Any:
    """A value for a column that these rows say nothing about."""
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return 0
    if pa.types.is_boolean(kind):
        return False
    if pa.types.is_fixed_size_binary(kind):
        return bytes(kind.byte_width)
    if pa.types.is_binary(kind):
        return b""
    return [] if pa.types.is_nested(kind) else ""


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> Path:
    """Write rows in the order given; the columns that they do not name are null or blank."""
    path.parent.mkdir(parents=True, exist_ok=True)
    blanks = {f.name: None if f.nullable else _blank(f.type) for f in schema}
    pq.write_table(pa.Table.from_pylist([{**blanks, **r} for r in rows], schema=schema), path)
    return path


def write_part(path: Path, name: str, rows: Iterable[Mapping[str, Any]], schema: pa.Schema | None = None) -> Path:
    """Write rows of a table in the table's order."""
    ordered = sorted(rows, key=lambda r: tuple(r[c] for c in SORT_KEYS[name] if c in r))
    return write_rows(path, ordered, schema or TABLES[name])


@dataclass
class Press:
    """Publishes batches of documents into one dataset, under a clock that moves a minute a call."""

    dataset: Dataset
    work: Path
    ticks: int = 0
    expected: dict[int, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)

    def clock(self) -> datetime:
        self.ticks += 1
        return START + timedelta(minutes=self.ticks)

    def run(self, run_id: str | None = None) -> RunRecord:
        started = self.clock()
        return RunRecord(
            run_id=run_id or f"run-{self.ticks}",
            started_at=started,
            recipe={"x": 1, "publish": SETTINGS.model_dump(mode="json")},
            recipe_id="r" * 16,
            packages={"pyarrow": pa.__version__},
            counts={"read": {"documents": 1}},
        )

    def publication(self, run: RunRecord | None = None, **how: Any) -> Publication:
        """What `run` (a new one if None) needs to publish; `how` in place of what is usual here."""
        usual = {"dataset": self.dataset, "run": run or self.run(), "settings": SETTINGS, "clock": self.clock}
        return Publication(**{**usual, **how})

    def parts(self, sources: Mapping[str, str], version: int, removed: int = 1) -> dict[str, list[Path]]:
        tables: dict[str, list[dict[str, Any]]] = {}
        for source, word in sources.items():
            for name, rows in rows_of(source, word, version, removed).items():
                tables.setdefault(name, []).extend(rows)
        folder = self.work / f"parts-{self.ticks}"
        return {n: [write_part(folder / f"{n}.parquet", n, rows)] for n, rows in tables.items()}

    def publish(
        self,
        sources: Mapping[str, str],
        withdrawn: Sequence[str] = (),
        run_id: str | None = None,
        more: Mapping[str, list[Path]] | None = None,
        removed: int = 1,
        **how: Any,
    ) -> Manifest | None:
        """Publish `sources` (source to a word of its text) in place of what they were before; `how` as Publication."""
        run = how.pop("run", None) or self.run(run_id)
        with lock_dataset(self.dataset, run.run_id):
            recover(self.dataset)
            parts = self.parts(sources, self.dataset.next_version(), removed) | dict(more or {})
            paths = [*sources, *withdrawn]
            ids = [doc_id_of(s) for s in paths]
            replaced = {n: paths if n == "inputs" else ids for n in TABLES if n != "runs"}
            return publish_version(self.publication(run, **how), parts, replaced)


def copied(press: Press, to: Path) -> Press:
    """The dataset of `press` in the folder `to`, with its hard links, and a press that goes on with it."""
    links: dict[int, Path] = {}
    (to / "dataset").mkdir(parents=True)
    for path in sorted(press.dataset.root.rglob("*")):
        target = to / "dataset" / path.relative_to(press.dataset.root)
        if path.is_symlink():
            target.symlink_to(path.readlink())
        elif path.is_dir():
            target.mkdir(parents=True)
        elif first := links.get(path.stat().st_ino):
            target.hardlink_to(first)
        else:
            shutil.copy2(path, target)
            links[path.stat().st_ino] = target
    return replace(press, dataset=Dataset(to / "dataset"), work=to / "work", expected=dict(press.expected))


def sources(*names: str, word: str = "plain") -> dict[str, str]:
    return dict.fromkeys(names, word)


def texts_of(dataset: Dataset, version: int | None = None) -> dict[str, str]:
    """Published texts by source, from the plain files of a view."""
    number = version or dataset.latest_version()
    assert number is not None
    dataset.lay_out([number])
    table = arrow_dataset(sorted((dataset.view(number) / "documents").iterdir())).to_table(["source", "text"])
    return dict(zip(table["source"].to_pylist(), table["text"].to_pylist(), strict=True))


def first_file(dataset: Dataset, version: int, table: str) -> Path:
    """The first Parquet file of a table in a view."""
    return min((dataset.view(version) / table).iterdir())
