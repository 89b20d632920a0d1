"""Small made-up articles with known damage and known copies, the same for every test."""

from __future__ import annotations

import random
from typing import Any

_WHO = ("The council", "A spokeswoman", "The harbour office", "One teacher", "The river board", "A young farmer")
_DID = ("opened", "closed", "repaired", "measured", "painted", "counted", "moved", "photographed", "sold", "described")
_WHAT = (
    "the old bridge",
    "nine wooden boats",
    "a row of lamps",
    "the northern gate",
    "every second window",
    "the winter stores",
    "a broken clock",
    "three narrow streets",
    "the school garden",
    "a map of the coast",
)
_WHEN = (
    "before dawn",
    "after the long rain",
    "in the second week of May",
    "without much noise",
    "for the third time",
    "while the town slept",
    "to the surprise of many",
    "with borrowed tools",
    "as the law requires",
)
NOTICE = "All photographs on these pages belong to the archive of the town and may be seen there on any weekday."


def article(seed: int, paragraphs: int = 5) -> str:
    """A few paragraphs of plain sentences; different seeds give different texts."""
    rng = random.Random(seed)

    def sentence() -> str:
        return " ".join(map(rng.choice, (_WHO, _DID, _WHAT, _WHEN))) + f" near house {rng.randrange(9000)}."

    return "\n\n".join(" ".join(sentence() for _ in range(rng.randrange(3, 6))) for _ in range(paragraphs))


def damaged_batch(count: int = 24) -> list[dict[str, Any]]:
    """Records: clean and damaged articles, near copies, an exact copy, a shared notice."""
    records = []
    for number in range(count):
        text = article(number)
        if number % 4 == 1:
            text = text.replace("the ", "the &amp;amp; ").replace(". ", ".&lt;br/&gt; ", 3)
        if number % 4 == 2:
            text = f"< p >{text}< / p >"
        if number % 6 == 5:
            text = article(number - 5).replace("house", "home", 1) + "\n\n" + article(number, 1)
        if number % 3 == 0:
            text += "\n\n" + NOTICE
        records.append({"id": f"doc-{number}", "text": text, "section": "news"})
    records.append({"id": "doc-copy", "text": article(0) + "\n\n" + NOTICE, "section": "news"})
    return records
