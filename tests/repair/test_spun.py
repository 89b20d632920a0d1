"""Articles that a generator has spun come back word by word, and clean ones stay."""

from __future__ import annotations

import importlib.util
import statistics
from pathlib import Path

from winnow.repair import repair

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location("spin", ROOT / "tests" / "benchmarks" / "spin.py")
assert _spec is not None and _spec.loader is not None
spin = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(spin)

ARTICLES = [
    spin.plain(spin.blocks_of(path.read_text("utf-8")))
    for path in sorted((ROOT / "tests" / "golden" / "seeds").glob("*.txt"))
]


def test_spun_articles_come_back_word_by_word() -> None:
    scores = []
    for article in ARTICLES:
        for seed in range(1000, 1004):
            damaged, wanted = spin.spin(article, seed)
            scores.append(spin.similarity(repair(damaged).text, wanted))
    assert statistics.mean(scores) >= 0.998
    assert sum(s >= 0.99 for s in scores) >= 0.95 * len(scores)


def test_clean_articles_stay_as_they_are() -> None:
    for article in ARTICLES:
        assert repair(article).text == article.rstrip("\n")


def test_the_same_seed_spins_the_same_damage() -> None:
    assert spin.spin(ARTICLES[0], 7) == spin.spin(ARTICLES[0], 7)
