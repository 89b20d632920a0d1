"""What deduplication is scored on: corpora with planted copies, real revisions, and passages worded many ways."""

from __future__ import annotations

import gzip
import json
import random
import re
import resource
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.deduplicate.corpus import WORDS, article, decide, prepared

from winnow.base.recipe import DeduplicateSettings
from winnow.base.records import doc_id_of

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Outcome:
    """Who was left out for whom, with the similarity reported, and what it took (CPU seconds of one process)."""

    kept: Mapping[str, str]
    rows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    megabytes: float = 0.0

    def root(self, name: str) -> str:
        return self.kept.get(name, name)


def lines_of(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    text = gzip.decompress(data) if path.suffix == ".gz" else data
    return [json.loads(line) for line in text.decode("utf-8").split("\n") if line]


def write_small(folder: Path, documents: int = 60) -> Path:
    """A made-up corpus of the form the scripts read, a third of it edited copies: it shows that they work, no more."""
    rng = random.Random(11)
    rows, near = [], []
    for n in range(documents):
        text = "\n\n".join(article(n, 3))
        rows.append({"id": f"d{n}", "text": text})
        if n % 2:
            continue
        rate = rng.choice((0.01, 0.05))
        words = [f"w{rng.randrange(999)}" if rng.random() < rate else w for w in text.split(" ")]
        rows.append({"id": f"d{n}-copy", "text": " ".join(words)})
        near.append([f"d{n}", f"d{n}-copy", rate])
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    for name in ("clean", "clean_10mb", "damaged", "damaged_10mb"):
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    (folder / "truth.json").write_text(json.dumps({"near": near}), encoding="utf-8")
    return folder


_LITTLE = "the a of to and in that it is was for on with as at by from this be or not are were had has but they".split()


def plain_sentence(rng: random.Random, words: int = 13) -> str:
    """Made-up prose in which every other word is a little one, as in English: distinct texts share some trigrams."""
    said = [rng.choice(_LITTLE if n % 2 else WORDS) for n in range(words)]
    return " ".join(said).capitalize() + "."


def template_pages(pages: int = 5000, templates: int = 20) -> tuple[dict[str, str], list[tuple[str, str, float]]]:
    """Short articles of their own under long templates, a tenth of them copies of another page, and which those are.

    A template has four to eight paragraphs and a line whose number differs; an article has two or three sentences.
    """
    rng = random.Random(7)
    frames = [
        [" ".join(plain_sentence(rng) for _ in range(3)) for _ in range(rng.randrange(4, 9))] for _ in range(templates)
    ]
    texts: dict[str, str] = {}
    copies = []
    for n in range(pages):
        frame = frames[n % templates]
        head, tail = frame[: len(frame) // 2], frame[len(frame) // 2 :]
        original = f"page{n - templates}"
        rate = rng.choice((0.0, 0.02, 0.05))
        if original in texts and rng.random() < 0.1:
            words = texts[original].split("\n\n")[len(head) + 1].split(" ")
            article = " ".join(rng.choice(WORDS) if rng.random() < rate else word for word in words)
            copies.append((original, f"page{n}", rate))
        else:
            article = " ".join(plain_sentence(rng) for _ in range(rng.randrange(2, 4)))
        texts[f"page{n}"] = "\n\n".join((*head, f"Entry number {n} of the register", article, *tail))
    return texts, copies


def tidy(text: str) -> str:
    """Spaces and blank lines as repair leaves them; no word is touched."""
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).strip()


def winnow(texts: Mapping[str, str], settings: DeduplicateSettings, shards: int = 4) -> Outcome:
    """Prepare and decide on one core, through files, as a run does."""
    names = {doc_id_of(n): n for n in texts}
    with tempfile.TemporaryDirectory() as folder:
        prepared(Path(folder) / "warm", {"a": "One two three four five six."}, settings)  # tables are made here
        begun = time.process_time()
        made = prepared(Path(folder) / "p", {n: tidy(t) for n, t in texts.items()}, settings, shards=shards)
        ready = time.process_time()
        documents, passages = decide(Path(folder) / "w", made, settings)
        done = time.process_time()
    rows = {names[d]: {**r, "kept": names[r["kept_doc_id"]]} for d, r in documents.items()}
    return Outcome(
        {d: r["kept"] for d, r in rows.items()},
        rows,
        {"prepare": ready - begun, "decide": done - ready, "passages removed": len(passages)},
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
    )


def shingle_set(text: str) -> frozenset[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    return frozenset(tuple(words[n : n + 5]) for n in range(max(1, len(words) - 4)))


def jaccard(a: frozenset[Any], b: frozenset[Any]) -> float:
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared)


def recall_by_rate(pairs: Iterable[tuple[str, str, float]], outcome: Outcome) -> dict[str, float]:
    """Share of injected copies that end in one group with their original, by share of words edited, and together."""
    found: dict[float, list[int]] = defaultdict(list)
    for a, b, rate in pairs:
        found[rate].append(outcome.root(a) == outcome.root(b))
    scores = {f"{rate:.0%}": sum(hits) / len(hits) for rate, hits in sorted(found.items())}
    every = [hit for hits in found.values() for hit in hits]
    return scores | {"together": sum(every) / len(every)}


def precision(texts: Mapping[str, str], outcome: Outcome, settings: DeduplicateSettings) -> dict[str, float]:
    """Share of documents left out that are within a threshold of the very document kept, by word 5-grams as they are.

    The second figure asks for the Jaccard or containment as reported (characters in scripts without spaces).
    """
    cache: dict[str, frozenset[Any]] = {}
    exact = reported = 0
    for name, kept in outcome.kept.items():
        for n in (name, kept):
            cache.setdefault(n, shingle_set(texts[n]))
        share = len(cache[name] & cache[kept]) / len(cache[name])
        close = jaccard(cache[name], cache[kept]) >= settings.document_threshold
        exact += close or share >= settings.containment_threshold
        row = outcome.rows.get(name)
        if row:
            reported += (
                row["similarity"] > settings.document_threshold - 1e-6  # reported in 32 bits
                or row["containment"] > settings.containment_threshold - 1e-6
                or row["containment"] > settings.containment_threshold - 1e-6
            )
    n = max(1, len(outcome.kept))
    return {"by words": exact / n} | ({"as reported": reported / n} if outcome.rows else {})


def b_cubed(labels: Mapping[str, str], groups: Mapping[str, str]) -> tuple[float, float, float]:
    """B-cubed precision, recall and F1 (Bagga and Baldwin, 1998) of groups against labels."""
    together: Counter[tuple[str, str]] = Counter((groups[n], labels[n]) for n in labels)
    by_group, by_label = Counter(groups[n] for n in labels), Counter(labels.values())
    p = sum(c * c / by_group[g] for (g, _), c in together.items()) / len(labels)
    r = sum(c * c / by_label[x] for (_, x), c in together.items()) / len(labels)
    return p, r, 2 * p * r / (p + r)


def rare_word_cosines(texts: Sequence[str]) -> NDArray[np.float32]:
    """Cosine of each two texts as bags of words, a word counted the more the fewer texts have it."""
    bags = [Counter(_WORD.findall(t.lower())) for t in texts]
    frequency = Counter(w for bag in bags for w in bag)
    numbers = {w: n for n, w in enumerate(sorted(frequency))}
    matrix = np.zeros((len(bags), len(numbers)), np.float32)
    for row, bag in zip(matrix, bags, strict=True):
        for word, times in bag.items():
            row[numbers[word]] = (1 + np.log(times)) * np.log(len(bags) / frequency[word])
    matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)
    return matrix @ matrix.T


def with_leaders(names: Sequence[str], close: NDArray[np.bool_]) -> dict[str, str]:
    """Each name with the first one before it that stands for itself and is close to it, else with itself."""
    leads: list[int] = []
    groups = {}
    for n, name in enumerate(names):
        found = next((m for m in leads if close[m, n]), n)
        if found == n:
            leads.append(n)
        groups[name] = names[found]
    return groups


def licence_ways(rows: list[dict[str, Any]]) -> dict[str, Callable[[], Mapping[str, str]]]:
    """Three ways, some at two thresholds, of bringing passages together that say the same in other words."""
    from winnow.deduplicate.passages.fingerprint import fingerprints

    texts = {r["id"]: r["text"] for r in rows}

    def by_fingerprint() -> Mapping[str, str]:
        prints = fingerprints([*texts.values()], DeduplicateSettings())
        return {n: key.hex() for n, key in zip(texts, prints, strict=True)}

    def by_threshold(near: float, contained: float) -> Mapping[str, str]:
        settings = DeduplicateSettings(
            document_threshold=near, containment_threshold=contained, min_document_words=1, passages=False
        )
        outcome = winnow(texts, settings, 1)
        return {n: outcome.root(n) for n in texts}

    def by_rare_words(least: float) -> Mapping[str, str]:
        names = list(texts)
        return with_leaders(names, rare_word_cosines([texts[n] for n in names]) >= least)

    return {
        "fingerprint of the passage": by_fingerprint,
        "shingles: Jaccard .47 or containment .9": lambda: by_threshold(0.47, 0.9),
        "shingles: Jaccard .7": lambda: by_threshold(0.7, 1.0),
        "rare words: cosine .8": lambda: by_rare_words(0.8),
        "rare words: cosine .9": lambda: by_rare_words(0.9),
    }
