"""The sample articles, damaged again by a generator: how much of each comes back, word by word."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

from repair_peers import PEERS, WINNOW
from repair_score import Number, Score

WHOLE = ("000", "002", "003")  # articles without damage of their own
ROUNDS = 20
GOOD = 0.99


def spun_tables(options: Any) -> Iterator[tuple[str, dict[str, Score | None]]]:
    """Mean similarity of words, documents at .99 or better, and the articles unspun, which must not change."""
    if not options.wants("spun"):
        return
    try:
        from spin import blocks_of, plain, similarity, spin
    except ImportError:
        print("set spun: tests/benchmarks/spin.py is not there: skipped")
        return
    articles = [p.read_text(encoding="utf-8") for p in sorted(options.seeds.glob("*.txt")) if p.name[:3] in WHOLE]
    if not articles:
        print(f"set spun: no articles under {options.seeds}: skipped")
        return
    rounds = min(ROUNDS, options.limit or ROUNDS)
    pairs = [spin(article, seed) for article in articles for seed in range(rounds)]
    means: dict[str, Score | None] = {}
    shares: dict[str, Score | None] = {}
    tools = [(p.name, p.for_set("")) for p in (*PEERS, WINNOW) if p.ready]
    strip = next(fix for name, fix in tools if name == "tag regex")
    tools[1] = ("html.unescape", lambda text: strip(html.unescape(html.unescape(text))))
    for name, fix in tools:
        scores = [similarity(fix(damaged), wanted) for damaged, wanted in pairs]
        means[name] = Number(0, 0, sum(scores) / len(scores))
        shares[name] = Score(sum(s >= GOOD for s in scores), len(scores))
    yield "spun: mean similarity of words (html.unescape: twice, tags stripped)", means
    yield f"spun: documents at {GOOD} or better", shares
    controls = [plain(blocks_of(article)) for article in articles]
    fix = WINNOW.for_set("")
    unchanged = sum(fix(c) == c.strip("\n") for c in controls)
    yield "spun: articles without damage unchanged", {WINNOW.name: Score(unchanged, len(controls))}
