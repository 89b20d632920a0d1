"""A corpus of any size from a smaller one: more texts of the same make and the same damage, not copies."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

EVERY = 5  # words; with every fifth word another one, no word 5-gram of two rounds is the same


def write_grown(corpus: Path, into: Path, megabytes: float) -> int:
    """Write ``part-N.jsonl`` files of about `megabytes` MB to `into`; returns the bytes written."""
    into.mkdir(parents=True, exist_ok=True)
    written = 0
    limit = int(megabytes * 1e6)
    for number in range(10_000):
        with (into / f"part-{number}.jsonl").open("w", encoding="utf-8") as file:
            for line in _varied(corpus, number):
                if written >= limit:
                    return written
                written += len(line.encode())
                file.write(line)
    return written


def _varied(corpus: Path, number: int) -> Iterator[str]:
    """The corpus as it is in round 0, then with words exchanged by a draw from the round's number."""
    rng = random.Random(number)
    with corpus.open(encoding="utf-8") as file:
        for line in file:
            if number == 0:
                yield line
                continue
            row = json.loads(line)
            words = row["text"].split(" ")
            for at in range(rng.randrange(EVERY), len(words), EVERY):
                # Words with signs in them stay: they are the damage that is to be repaired.
                if words[at].isalpha() and words[at].isascii():
                    words[at] = _word(rng)
            yield json.dumps({**row, "id": f"{row['id']}-{number}", "text": " ".join(words)}, ensure_ascii=False) + "\n"


def _word(rng: random.Random) -> str:
    return "".join(rng.choices("aeiourstnlmd", k=rng.randrange(3, 9)))
