"""A damaged corpus against its truth: restored documents, and undamaged documents that were changed."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import ftfy
from repair_peers import PEERS, WHOLE_MODE, WINNOW
from repair_score import Number, Score
from repair_sets import rows

_KEEP = ftfy.TextFixerConfig(
    uncurl_quotes=False, fix_latin_ligatures=False, fix_character_width=False, unescape_html=False
)


def bare(text: str) -> str:
    """White space of every kind and length made one space."""
    return " ".join(text.replace("\xa0", " ").split())


def _fixed(text: str) -> str:
    return bare(ftfy.fix_text(text, _KEEP))


def _letters(text: str) -> str:
    # The corpus' damage puts `&eacute;` where there was nothing, so that letter tells nothing.
    return re.sub(r"[\W_é]", "", ftfy.fix_text(text))


def corpus_tables(options: Any) -> Iterator[tuple[str, dict[str, Score | None]]]:
    """Restored as the corpus' own scorer counts: equal after ftfy on both sides, so its glitches cancel out."""
    if not options.wants("corpus"):
        return
    if options.corpus is None:
        print("set corpus: no --corpus given: skipped")
        return
    truth = json.loads((options.corpus / "truth.json").read_text(encoding="utf-8"))
    clean = {r["id"]: r["text"] for r in rows(options.corpus / "clean.jsonl")}
    damaged = {r["id"]: r["text"] for r in rows(options.corpus / "damaged.jsonl")}
    spoilt = truth["mojibake"].keys() | truth["entities"].keys()
    whole = [i for i in clean if i not in spoilt and damaged.get(i) == clean[i]]
    groups: list[tuple[str, list[str], Callable[[str], str], bool]] = [
        ("mojibake documents restored", sorted(truth["mojibake"]), _fixed, True),
        ("entity documents restored", sorted(truth["entities"]), _letters, True),
        ("undamaged documents changed", whole, bare, False),
    ]
    for measure, ids, form, restored in groups:
        scores: dict[str, Score | None] = {}
        speeds: dict[str, Score | None] = {}
        chosen = list(islice(ids, options.limit))
        for peer in (*PEERS, WINNOW):
            if not peer.ready or peer.name not in ("ftfy", WINNOW.name):
                continue
            fix = peer.for_set("" if "entity" in measure else WHOLE_MODE)
            began = time.process_time()
            got = [fix(damaged[i]) for i in chosen]
            took = time.process_time() - began
            equal = [form(g) == form(clean[i]) for g, i in zip(got, chosen, strict=True)]
            scores[peer.name] = Score(sum(equal) if restored else len(equal) - sum(equal), len(equal))
            size = sum(len(damaged[i].encode()) for i in chosen) / 1e6
            speeds[peer.name] = Number(0, 0, size / took if took else 0)
            if peer is WINNOW:
                missed = [i for i, ok in zip(chosen, equal, strict=True) if not ok]
                for i in missed[: options.misses]:
                    _show(i, form(clean[i]), form(fix(damaged[i])))
        yield f"corpus: {measure}", scores
        yield f"corpus: {measure}, MB/s of one core", speeds


def _show(name: str, want: str, got: str) -> None:
    at = next((n for n, (a, b) in enumerate(zip(want, got, strict=False)) if a != b), min(len(want), len(got)))
    low = max(0, at - 60)
    print(f"  miss {name}\n    want {want[low : at + 60]!r}\n    got  {got[low : at + 60]!r}", file=sys.stdout)
