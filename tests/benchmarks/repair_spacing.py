"""Stray and missing spaces: F1 over spaces to insert and to delete, and harm to lines that need nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from itertools import islice
from typing import Any

from repair_peers import EVERYWHERE_MODE, WINNOW
from repair_score import Number, Score
from repair_sets import rows

try:
    import wordsegment
except ImportError:
    wordsegment = None

SPACING_SETS = ("acl", "arxiv_pdftotext", "wiki")


def space_operations(before: str, after: str) -> set[tuple[int, str]]:
    """Spaces inserted and deleted, each placed by the number of other characters that stand before it.

    Where a tool changed other characters too, both forms are aligned by longest common blocks.

    >>> sorted(space_operations("a bc d", "ab c d"))
    [(1, 'delete'), (2, 'insert')]
    """
    left, right = before.replace(" ", ""), after.replace(" ", "")
    spaces_left, spaces_right = _gaps(before), _gaps(after)
    if left != right:
        moved: set[int] = set()
        for block in SequenceMatcher(None, right, left, autojunk=False).get_matching_blocks():
            moved |= {p - block.a + block.b for p in spaces_right if block.a < p <= block.a + block.size}
        spaces_right = moved
    return {(p, "insert") for p in spaces_right - spaces_left} | {(p, "delete") for p in spaces_left - spaces_right}


def _gaps(text: str) -> set[int]:
    gaps, seen = set(), 0
    for char in text:
        if char == " ":
            gaps.add(seen)
        else:
            seen += 1
    return gaps


def _f1(cases: list[tuple[str, str]], fix: Callable[[str], str]) -> Number:
    hits = proposed = wanted = 0
    for fed, expected in cases:
        gold, got = space_operations(fed, expected), space_operations(fed, fix(fed))
        hits, proposed, wanted = hits + len(gold & got), proposed + len(got), wanted + len(gold)
    return Number(hits, wanted, 2 * hits / max(1, proposed + wanted))


def _segmented(text: str) -> str:
    """wordsegment drops case and punctuation; only its spaces are carried over, put where its letters end."""
    words = wordsegment.segment(text)
    out, at = [], 0
    for word in words:
        seen = 0
        while at < len(text) and seen < len(word):
            if text[at].isalnum() and text[at].isascii():
                seen += 1
            if text[at] != " ":
                out.append(text[at])
            at += 1
        while at < len(text) and not (text[at].isalnum() and text[at].isascii()):
            if text[at] != " ":
                out.append(text[at])
            at += 1
        out.append(" ")
    return "".join(out).strip()


def spacing_tables(options: Any) -> Iterator[tuple[str, dict[str, Score | None]]]:
    for name in SPACING_SETS:
        path = options.gold / "spacing" / f"{name}.jsonl"
        if not options.wants(f"spacing {name}") and not options.wants(name):
            continue
        if not path.exists():
            print(f"set spacing {name} is not there ({path}): skipped")
            continue
        cases = [(r["input"], r["expected"]) for r in islice(rows(path), options.limit)]
        everywhere, default = WINNOW.for_set(EVERYWHERE_MODE), WINNOW.for_set("")
        yield f"spacing {name}: F1 of space operations, everywhere", {WINNOW.name: _f1(cases, everywhere)}
        if wordsegment is None or not options.slow:
            print("peer wordsegment is not installed or --slow is not given: skipped")
        else:
            if not wordsegment.UNIGRAMS:
                wordsegment.load()
            yield (
                f"spacing {name}: F1 of space operations, wordsegment",
                {WINNOW.name: _f1(cases, _segmented)},
            )
        idle = [fed for fed, expected in cases if fed == expected]
        for mode, fix in (("default", default), ("everywhere", everywhere)):
            touched = [fed for fed in idle if " ".join(fix(fed).split()) != " ".join(fed.split())]
            for fed in touched[: options.misses]:
                print(f"  harm ({mode}) {name}\n    in   {fed[:300]!r}\n    got  {fix(fed)[:300]!r}")
            yield (
                f"spacing {name}: lines needing nothing, changed, {mode}",
                {WINNOW.name: Score(len(touched), len(idle))},
            )
