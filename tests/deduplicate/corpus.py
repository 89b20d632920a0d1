"""Small corpora for tests: repaired documents as the files that the stage reads, and its decisions as plain dicts."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from winnow.base.recipe import DeduplicateSettings
from winnow.base.records import doc_id_of
from winnow.base.staging import REPAIRED
from winnow.deduplicate.passages.utf8_texts import Utf8Texts
from winnow.deduplicate.prepare import Preparation, PreparedShard, prepare_shard
from winnow.deduplicate.removals import find_removals

WORDS = [
    "river", "council", "bridge", "winter", "market", "garden", "letter", "window", "mountain", "doctor", "village",
    "summer", "engine", "harbour", "teacher", "forest", "painter", "journey", "kitchen", "station", "island", "museum",
    "farmer", "captain", "library", "thunder", "blanket", "candle", "festival", "orchard",
]  # fmt: skip

PIECES = [
    "A b.", "word", "\n", "\n\n", "- x", "a | b", " | ", "|", "> q", "```", "~~~", "\n```\n", "    f(x);", "\t",
    "===", "---", " ", "語。", "「引」", "“q”", "1) ", "(a) ", "[12] ", "iv. ", "# Head", "#", "UPPER CASE", "ǅ", "ß",
    "İ", "\xa0", "\u2028", "They said so, and went on to the next place where all was well.", "\n  wrapped on",
    "Title\n=====\n", "x" * 130, "long words " * 20, "“" + "quoted words " * 4 + "”", "ADVERTISEMENT",
    "Subscribe to ours", "https://t.co/Rt6q5t4BCQ", "Don’t miss: ", "ad", "реклама",
]  # fmt: skip
"""Pieces of text in which every kind of passage, and what is taken for one, comes up; for texts made at random."""


def utf8(texts: Sequence[str]) -> Utf8Texts:
    """The texts end to end."""
    return Utf8Texts.of(pa.array(texts, pa.large_string()))


class Here(Executor):
    """An executor that does the work at once, in this process."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


def sentence(rng: random.Random, words: int = 14) -> str:
    return " ".join(rng.choice(WORDS) + str(rng.randrange(90)) for _ in range(words)).capitalize() + "."


def paragraph(rng: random.Random, sentences: int = 5) -> str:
    return " ".join(sentence(rng) for _ in range(sentences))


def article(seed: int, paragraphs: int = 6) -> list[str]:
    rng = random.Random(seed)
    return [paragraph(rng) for _ in range(paragraphs)]


def write_repaired(path: Path, documents: Mapping[str, str], damage: Mapping[str, int] | None = None) -> Path:
    """Sources and texts as one file of repaired documents, sorted by doc_id."""
    rows = sorted(documents.items(), key=lambda row: doc_id_of(row[0]))
    n = len(rows)
    columns: dict[str, list[Any]] = {name: [None] * n for name in REPAIRED.names}
    columns |= {
        "doc_id": [doc_id_of(s) for s, _ in rows],
        "source": [s for s, _ in rows],
        "encoding": ["utf-8"] * n,
        "content_sha256": [hashlib.sha256(t.encode()).hexdigest() for _, t in rows],
        "metadata": [[]] * n,
        "input": ["in.jsonl"] * n,
        "text": [t for _, t in rows],
        "n_chars": [len(t) for _, t in rows],
        "n_words": [len(t.split()) for _, t in rows],
        "n_edits": [(damage or {}).get(s, 0) for s, _ in rows],
        "letter_share": [0.8] * n,
        "residual_markup": [0.0] * n,
        "edits": [[]] * n,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({f.name: pa.array(columns[f.name], f.type) for f in REPAIRED}, schema=REPAIRED), path)
    return path


def prepared(
    folder: Path,
    documents: Mapping[str, str],
    settings: DeduplicateSettings,
    *,
    version: int = 1,
    shards: int = 1,
    arrivals: Mapping[str, int] | None = None,
    damage: Mapping[str, int] | None = None,
) -> list[PreparedShard]:
    """The documents prepared in `shards` files, dealt out in the order given."""
    known = None
    if arrivals:
        known = folder / "arrivals.parquet"
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            pa.table({"doc_id": [doc_id_of(s) for s in arrivals], "arrival": pa.array(arrivals.values(), pa.int32())}),
            known,
        )
    how = Preparation(folder=folder, version=version, settings=settings, recipe_id="recipe", arrivals=known)
    items = list(documents.items())
    shares = [dict(items[n::shards]) for n in range(shards)]
    return [prepare_shard(write_repaired(folder / f"s{n}.parquet", s, damage), how) for n, s in enumerate(shares)]


def decide(
    folder: Path,
    shards: Sequence[PreparedShard],
    settings: DeduplicateSettings,
    executor: Executor | None = None,
    **carried: Any,
) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Document decisions by doc_id, and passage decisions in order."""
    found = find_removals(
        [s.index for s in shards], [s.passages for s in shards], folder, settings, executor or Here(), **carried
    )
    documents = [row for f in found.document_files for row in pq.read_table(f).to_pylist()]
    passages = [row for f in found.passage_files for row in pq.read_table(f).to_pylist()]
    assert len({row["doc_id"] for row in documents}) == len(documents)
    return {row["doc_id"]: row for row in documents}, passages
