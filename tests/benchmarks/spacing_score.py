"""Score spacing repair: precision, recall and F1 over inserted and deleted spaces.

How F1 is counted. A text is taken as its characters without spaces (U+0020 only) and the set of positions
between those characters at which at least one space stands; position ``k`` lies before the ``k``-th
character that is not a space, so both texts of a row share their positions. The operations that lead from
one text to another are the pairs ``("insert", k)`` for positions only the second has, and ``("delete", k)``
for positions only the first has. True operations lead from ``input`` to ``expected``, predicted ones from
``input`` to the repaired text. True positives, false positives and false negatives are summed over all rows
(micro-average), then precision = tp / (tp + fp), recall = tp / (tp + fn), F1 = 2 tp / (2 tp + fp + fn). A
repaired text whose other characters differ from the input cannot be aligned: its row counts no true
positive, all true operations as missed, and one false positive for every true operation, at least one.

Besides, ``unchanged`` is the share of the rows with ``input == expected`` that came out as they went in, and
``exact`` the share of all rows that came out as expected.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SETS = ("acl", "arxiv_pdftotext", "wiki")


@dataclass(frozen=True, slots=True)
class SpacingScore:
    """Counts over one set of rows; shares are 0 to 1."""

    tp: int
    fp: int
    fn: int
    n_rows: int
    n_exact: int
    n_same: int
    n_unchanged: int

    @property
    def precision(self) -> float:
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else 1.0

    @property
    def recall(self) -> float:
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else 1.0

    @property
    def f1(self) -> float:
        total = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / total if total else 1.0

    @property
    def unchanged(self) -> float:
        return self.n_unchanged / self.n_same if self.n_same else 1.0

    @property
    def exact(self) -> float:
        return self.n_exact / self.n_rows if self.n_rows else 1.0


def spaces_of(text: str) -> tuple[str, frozenset[int]]:
    """The text without spaces, and the positions in it before which spaces stand.

    >>> spaces_of("a  bc d")
    ('abcd', frozenset({1, 3}))
    """
    letters: list[str] = []
    places = set()
    for char in text:
        if char == " ":
            places.add(len(letters))
        else:
            letters.append(char)
    return "".join(letters), frozenset(places)


def operations(before: str, after: str) -> frozenset[tuple[str, int]] | None:
    """What leads from one text to the other; None where they differ in more than spaces.

    >>> sorted(operations("an dthe", "and the"))
    [('delete', 2), ('insert', 3)]
    """
    letters, old = spaces_of(before)
    others, new = spaces_of(after)
    if letters != others:
        return None
    return frozenset([("insert", k) for k in new - old] + [("delete", k) for k in old - new])


def score_rows(rows: Iterable[Mapping[str, str]], fix: Callable[[str], str]) -> SpacingScore:
    """Run `fix` over the inputs of rows (`input`, `expected`) and count.

    >>> score_rows([{"input": "an dthe", "expected": "and the"}], lambda text: text).recall
    0.0
    """
    tp = fp = fn = n_rows = n_exact = n_same = n_unchanged = 0
    for row in rows:
        given, expected = row["input"], row["expected"]
        got = fix(given)
        true = operations(given, expected) or frozenset()
        made = operations(given, got)
        n_rows += 1
        n_exact += got == expected
        if given == expected:
            n_same += 1
            n_unchanged += got == given
        if made is None:
            fp += max(1, len(true))
            fn += len(true)
            continue
        tp += len(true & made)
        fp += len(made - true)
        fn += len(true - made)
    return SpacingScore(tp, fp, fn, n_rows, n_exact, n_same, n_unchanged)


def read_rows(gold: Path, name: str) -> Iterator[dict[str, str]]:
    """The rows of one set, from ``gold/spacing/name.jsonl``."""
    with (gold / "spacing" / f"{name}.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
