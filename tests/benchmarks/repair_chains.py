"""Chains of wrong decodings over sentences in many languages: what comes back, and what is harmed.

A chain names the encodings that UTF-8 was read as, one after the other: ``mac_roman > cp1252`` is text encoded as
UTF-8, decoded as Mac Roman, encoded as UTF-8 again, decoded as Windows-1252. Undefined bytes pass through as C1
controls. A sentence is damaged as a whole, or only in every second of its words, beside words that are whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from repair_peers import ENCODING_MODE, PEERS, WINNOW
from repair_score import Score
from repair_sets import rows

SENTENCES = Path(__file__).resolve().parents[1] / "cases" / "sentences.jsonl"

SINGLE = ("latin-1", "cp1252", "mac_roman", "cp1250", "cp1251", "cp437", "cp850")
DOUBLE = tuple(f"{a} > {b}" for a in ("cp1252", "mac_roman", "cp1250", "cp1251", "cp850") for b in SINGLE[1:])
TRIPLE = (
    "cp1252 > cp1252 > cp1252",
    "mac_roman > cp1252 > cp1252",
    "cp1252 > cp850 > mac_roman",
    "cp1251 > cp1250 > cp1252",
)


def misread(text: str, chain: str) -> str:
    """The text after every wrong decoding of the chain.

    >>> misread("é", "mac_roman > cp1252")
    'âˆšÂ©'
    """
    for name in chain.split(" > "):
        text = "".join(bytes([b]).decode(name, "ignore") or chr(b) for b in text.encode())
    return text


def in_places(text: str, chain: str) -> str:
    """Only every second word misread."""
    return " ".join(misread(w, chain) if n % 2 else w for n, w in enumerate(text.split(" ")))


def chain_tables(options: Any) -> Iterator[tuple[str, dict[str, Score | None]]]:
    if not options.wants("chains"):
        return
    sentences = [r["text"] for r in rows(SENTENCES)]
    chosen = list(islice(sentences, options.limit))
    for form, damage in (("whole", misread), ("in places", in_places)):
        for depth, chains in (("single", SINGLE), ("double", DOUBLE), ("triple", TRIPLE)):
            totals: dict[str, list[int]] = {}
            for chain in chains:
                scores = _restored(chosen, chain, damage, options.misses)
                for name, score in scores.items():
                    totals.setdefault(name, [0, 0])
                    totals[name][0] += score.good
                    totals[name][1] += score.of
                if depth == "single":
                    yield f"chains, {form}: {chain}", dict(scores)
            yield f"chains, {form}: {depth}, {len(chains)} chains", {n: Score(*t) for n, t in totals.items()}
    harmed: dict[str, Score | None] = {}
    for peer in (PEERS[0], WINNOW):
        fix = peer.for_set(ENCODING_MODE)
        harmed[peer.name] = Score(sum(fix(s) != s for s in chosen), len(chosen))
    yield "chains: whole sentences harmed", harmed


def _restored(sentences: list[str], chain: str, damage: Callable[[str, str], str], misses: int) -> dict[str, Score]:
    scores = {}
    for peer in (PEERS[0], WINNOW):
        fix = peer.for_set(ENCODING_MODE)
        cases = [(damage(s, chain), s) for s in sentences]
        good = [fix(fed) == want for fed, want in cases if fed != want]
        scores[peer.name] = Score(sum(good), len(good))
        if peer is WINNOW:
            missed = [(f, w) for f, w in cases if f != w and fix(f) != w]
            for fed, want in missed[:misses]:
                print(f"  miss {chain}\n    in   {fed[:160]!r}\n    want {want[:160]!r}\n    got  {fix(fed)[:160]!r}")
    return scores
