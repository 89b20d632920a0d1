"""Single rows against their suite: which documents fail, which expectation, and why in one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from winnow.base.recipe import ValidateSettings
from winnow.validate.judge import Verdict, judge

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 100_000  # rows; keeps Great Expectations' copies of a column small, and is no slower than all at once


@dataclass(frozen=True, slots=True)
class Failure:
    """One document that breaks one expectation. `reason` is fit to show to a person."""

    doc_id: str
    expectation: str
    reason: str


@dataclass(frozen=True, slots=True)
class Checked:
    """One expectation over all rows of one table."""

    table: str
    expectation: str
    description: str
    n_rows: int
    n_failed: int
    examples: tuple[str, ...] = ()  # sentences about the first rows that fail

    @property
    def passed(self) -> bool:
        return self.n_failed == 0


def gathered(tables: Iterable[pa.Table], at_least: int = CHUNK) -> Iterator[pa.Table]:
    """The tables brought together until they have `at_least` rows; none that is empty.

    A suite costs half a second before it looks at the first row, and a shard has a few thousand.

    >>> [t.num_rows for t in gathered([pa.table({"n": [1, 2]})] * 3, 3)]
    [4, 2]
    """
    held: list[pa.Table] = []
    for table in tables:
        held.append(table)
        if sum(t.num_rows for t in held) >= at_least:
            yield pa.concat_tables(held)
            held = []
    if any(t.num_rows for t in held):
        yield pa.concat_tables(held)


def check_rows(frame: pd.DataFrame, settings: ValidateSettings) -> list[Failure]:
    """Every failure of every document, in the order of the frame, then of the suite ``repaired``.

    `frame` needs the columns doc_id, n_chars, letter_share, residual_markup; others are not looked at.
    About 0.4 seconds for 100,000 rows.
    """
    failures: list[tuple[int, int, Failure]] = []
    for start in range(0, max(len(frame), 1), CHUNK):
        chunk = frame.iloc[start : start + CHUNK]
        for order, verdict in enumerate(judge(chunk, "repaired", settings)):
            values = chunk[verdict.columns[0]].tolist() if verdict.failed else []
            ids = chunk["doc_id"].tolist() if verdict.failed else []
            failures += [
                (
                    start + row,
                    order,
                    Failure(str(ids[row]), verdict.expectation, sentence(verdict, values[row])),
                )
                for row in verdict.failed
            ]
    return [failure for _, _, failure in sorted(failures, key=lambda f: f[:2])]


def check_table(
    name: str, frames: Iterable[pd.DataFrame], settings: ValidateSettings, n_examples: int = 5
) -> tuple[Checked, ...]:
    """The suite of one table over its rows, frame by frame, so that memory stays that of one frame.

    Uniqueness is checked within each frame: give frames that hold whole documents, in order. What must be
    unique over the whole table is a fact of the gate. No frames at all is a table without rows, and passes.
    """
    seen: dict[str, Checked] = {}
    for frame in frames:
        for verdict in judge(frame, name, settings):
            before = seen.get(verdict.expectation)
            examples = before.examples if before else ()
            for row in verdict.failed[: n_examples - len(examples)]:
                record = {c: frame[c].iloc[row] for c in frame.columns}
                value = record[verdict.columns[0]] if len(verdict.columns) == 1 else ""
                examples += (f"{record.get('doc_id', f'row {row}')}: {sentence(verdict, value)}",)
            seen[verdict.expectation] = Checked(
                name, verdict.expectation, verdict.description,
                (before.n_rows if before else 0) + verdict.n_rows,
                (before.n_failed if before else 0) + (len(verdict.failed) or (not verdict.passed)),
                examples,
            )  # fmt: skip
    return tuple(seen.values())


def sentence(verdict: Verdict, value: Any, detail: str = "") -> str:
    """The verdict's reason with the value and the limits filled in, and the remedy where the suite knows one.

    >>> verdict = Verdict("x", "", ("n",), False, 1, (0,), {"max_value": 0.25}, "{value} is over {max_value}")
    >>> sentence(verdict, 1 / 3)
    '0.3333 is over 0.25'
    """
    words: dict[str, str] = {"min_value": "none", "max_value": "none", "detail": detail}
    words |= {k: plain(v) for k, v in verdict.limits.items()}
    text = verdict.reason.format_map({**words, "value": plain(value)})
    return f"{text}; {verdict.remedy}" if verdict.remedy else text


def plain(value: Any) -> str:
    """A number as a person writes it: 1,234 and 0.25, never 1e-05 or np.float64(...)."""
    if value is None or value != value:  # NaN
        return "none"
    if isinstance(value, bool | str) or not hasattr(value, "__float__"):
        return str(value)
    number = float(value)
    if number.is_integer() and abs(number) < 1e15:
        return f"{int(number):,}"
    if abs(number) < 1e-6:
        return "under 0.000001"
    return f"{number:,.4f}".rstrip("0") if abs(number) >= 0.001 else f"{number:.6f}".rstrip("0")
