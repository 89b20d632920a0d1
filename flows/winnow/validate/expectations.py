"""Rows against the expectations of their contract: Great Expectations runs over measures, answers are plain values."""

from __future__ import annotations

import importlib
import logging
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from winnow.base.contracts import Expectation, contract
from winnow.base.environment import switch_off
from winnow.base.errors import ContractBroken
from winnow.base.recipe import ValidateSettings

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 250_000  # rows; keeps Great Expectations' copies of a column small, and is no slower than all at once
_EXAMPLES = 5  # sentences about rows that fail, for each expectation
_NAME = "frame"  # of the data source, asset and batch that each in-memory context holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one expectation found in one frame."""

    expectation: str
    description: str
    columns: tuple[str, ...]
    passed: bool
    n_rows: int
    failed: tuple[int, ...] = ()  # positions of the rows that fail, all of them
    limits: Mapping[str, Any] = field(default_factory=dict)  # min_value, max_value, ... as they were applied
    reason: str = ""
    remedy: str = ""

    def sentence(self, value: Any, detail: str = "") -> str:
        """The reason with the value and the limits filled in, and the remedy where the contract knows one.

        >>> said = {"expectation": "x", "description": "", "reason": "{value} is over {max_value}"}
        >>> Verdict(**said, columns=("n",), passed=False, n_rows=1, limits={"max_value": 0.25}).sentence(1 / 3)
        '0.3333 is over 0.25'
        """
        places = {"min_value": "none", "max_value": "none", "detail": detail}
        places |= {k: plain(v) for k, v in self.limits.items()}
        text = self.reason.format_map({**places, "value": plain(value)})
        return f"{text}; {self.remedy}" if self.remedy else text


@dataclass(frozen=True, slots=True)
class Failure:
    """One document that breaks one expectation. `reason` is fit to show to a person."""

    doc_id: str
    expectation: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCheck:
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


def columns_of(name: str) -> tuple[str, ...]:
    """The columns that a contract's expectations look at, in order of first mention.

    >>> columns_of("repaired")
    ('doc_id', 'n_chars', 'letter_share', 'residual_markup')
    """
    return tuple(dict.fromkeys(c for e in contract(name).expectations for c in e.columns))


def judge(frame: pd.DataFrame, name: str, settings: ValidateSettings) -> tuple[Verdict, ...]:
    """One verdict for each expectation of a contract, in its order.

    `settings` fill the ``$PARAMETER`` places. Nulls pass every expectation but the one that forbids them.
    Raises ContractBroken where an expectation could not be evaluated: Great Expectations only notes such errors in its
    result, and a check that did not run must not count as passed.
    """
    if missing := [c for c in columns_of(name) if c not in frame.columns]:
        raise ContractBroken(f"suite {name!r} needs the columns {missing}; the frame has {list(frame.columns)}")
    # Results name rows by index; here that is their position. Great Expectations compares columns of 64 bits as a
    # whole, others value by value, which takes a hundred times as long.
    whole = {column: "int64" for column, kind in frame.dtypes.items() if kind.kind == "i"}
    frame = frame.reset_index(drop=True).astype(whole)
    with quiet():
        gx = _great_expectations()
        batch = (
            _memory_context()
            .data_sources.add_pandas(_NAME)
            .add_dataframe_asset(_NAME)
            .add_batch_definition_whole_dataframe(_NAME)
            .get_batch({"dataframe": frame})
        )
        suite, given = contract(name).suite(), settings.model_dump()

        def results(some: list[Any], form: str) -> dict[str, Any]:
            asked = gx.ExpectationSuite(**{**suite, "expectations": some})
            found = batch.validate(asked, expectation_parameters=given, result_format=form)
            return {r.expectation_config.meta["name"]: r for r in found.results}

        # Whether it passes, which is told in half the time; and of what does not, each row that fails: the partial
        # lists of SUMMARY stop at 20, unexpected_index_list of COMPLETE does not.
        found = results(suite["expectations"], "BOOLEAN_ONLY")
        if failing := [e for e in suite["expectations"] if (r := found.get(e["meta"]["name"])) and not r.success]:
            found |= results(failing, "COMPLETE")
    n_rows = len(frame)
    # Objects of Great Expectations hold each other and the frame until Python looks for cycles, which is seldom.
    frame.drop(columns=frame.columns, inplace=True)
    expectations = contract(name).expectations
    return tuple(_verdict(e, found.get(e.meta.name), name, n_rows, settings) for e in expectations)


def check_rows(frame: pd.DataFrame, settings: ValidateSettings) -> list[Failure]:
    """Every failure of every document, in the order of the frame, then of the contract ``repaired``.

    `frame` needs the columns doc_id, n_chars, letter_share, residual_markup; others are not looked at.
    A document whose text is empty fails whatever the limits are: no table could hold it. About 0.4 seconds for 100,000
    rows.
    """
    settings = settings.model_copy(update={"min_chars": max(settings.min_chars, 1)})
    failures: list[Failure] = []
    for start in range(0, max(len(frame), 1), CHUNK):
        chunk = frame.iloc[start : start + CHUNK]
        by_row: list[tuple[int, Failure]] = []
        for verdict in judge(chunk, "repaired", settings):
            values = chunk[verdict.columns[0]].tolist() if verdict.failed else []
            ids = chunk["doc_id"].tolist() if verdict.failed else []
            by_row += [
                (row, Failure(str(ids[row]), verdict.expectation, verdict.sentence(values[row])))
                for row in verdict.failed
            ]
        failures += [failure for _, failure in sorted(by_row, key=lambda pair: pair[0])]
    return failures


def check_table(name: str, frames: Iterable[pd.DataFrame], settings: ValidateSettings) -> tuple[TableCheck, ...]:
    """The expectations of one table over its rows, frame by frame, so that memory stays that of one frame.

    Uniqueness is checked within each frame: give frames that hold whole documents, in order. What must be
    unique over the whole table is a fact of the gate. No frames at all is a table without rows, and passes.
    """
    return merge_checks(_check_frame(name, frame, settings) for frame in frames)


def _check_frame(name: str, frame: pd.DataFrame, settings: ValidateSettings) -> Iterator[TableCheck]:
    for verdict in judge(frame, name, settings):
        examples = []
        for row in verdict.failed[:_EXAMPLES]:
            identity = frame["doc_id"].iloc[row] if "doc_id" in frame.columns else f"row {row}"
            value = frame[verdict.columns[0]].iloc[row] if len(verdict.columns) == 1 else ""
            examples.append(f"{identity}: {verdict.sentence(value)}")
        yield TableCheck(
            table=name,
            expectation=verdict.expectation,
            description=verdict.description,
            n_rows=verdict.n_rows,
            n_failed=len(verdict.failed) or (not verdict.passed),
            examples=tuple(examples),
        )


def merge_checks(parts: Iterable[Iterable[TableCheck]]) -> tuple[TableCheck, ...]:
    """One check for each expectation of each table over the rows of all parts, in order of first mention."""
    checks: dict[tuple[str, str], TableCheck] = {}
    for check in chain.from_iterable(parts):
        key = check.table, check.expectation
        before = checks.get(key)
        checks[key] = (
            check
            if before is None
            else replace(
                before,
                n_rows=before.n_rows + check.n_rows,
                n_failed=before.n_failed + check.n_failed,
                examples=(before.examples + check.examples)[:_EXAMPLES],
            )
        )
    return tuple(checks.values())


def merge_small_tables(tables: Iterable[pa.Table], at_least: int = CHUNK) -> Iterator[pa.Table]:
    """The tables brought together until they have `at_least` rows; none that is empty.

    A suite costs half a second before it looks at the first row, and a shard has a few thousand.

    >>> [t.num_rows for t in merge_small_tables([pa.table({"n": [1, 2]})] * 3, 3)]
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


def load_great_expectations() -> None:
    """Begins to import it beside other work, for that takes three seconds.

    Who needs it earlier waits for the import, as for any other. It shares pandas with that work: whole packages are
    loaded first, for two threads that are inside one package at once may see it half made.
    """
    import pandas  # noqa: F401

    threading.Thread(target=_great_expectations, daemon=True).start()


def _great_expectations() -> ModuleType:
    """Imports it without what only its drawings and its tests of distributions use: a third of the time it takes.

    Those modules stand for themselves meanwhile; what is asked of one imports it.
    """
    switch_off()
    later = [] if "great_expectations" in sys.modules else [m for m in _SELDOM_USED if m not in sys.modules]
    for name in later:
        sys.modules[name] = _Later(name)
    try:
        return importlib.import_module("great_expectations")
    finally:
        for name in later:
            if isinstance(sys.modules.get(name), _Later):
                del sys.modules[name]


_SELDOM_USED = ("altair", "scipy.stats")


class _Later(ModuleType):
    """A module that is imported when something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


@contextmanager
def quiet() -> Iterator[None]:
    """Great Expectations without its telemetry, its warnings and its chatter; `judge` raises its errors."""
    switch_off()
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def hide_progress_bars(context: Any) -> None:
    """Switch off the progress bars of a Great Expectations context."""
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)


def _memory_context() -> Any:
    """A Great Expectations context that writes nothing and draws no progress bars."""
    import great_expectations as gx

    # This module gives its own logger a level when it is imported, so that of the package does not reach it.
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.ERROR)
    context = gx.get_context(mode="ephemeral")
    hide_progress_bars(context)
    return context


def _verdict(expectation: Expectation, found: Any, suite_name: str, n_rows: int, settings: ValidateSettings) -> Verdict:
    meta = expectation.meta
    if found is None:
        raise ContractBroken(f"suite {suite_name!r}: expectation {meta.name!r} gave no result")
    if trouble := _exception_in(found):
        raise ContractBroken(f"suite {suite_name!r}: expectation {meta.name!r} could not run: {trouble}")
    return Verdict(
        expectation=meta.name,
        description=expectation.description,
        columns=expectation.columns,
        passed=bool(found.success),
        n_rows=n_rows,
        failed=() if found.success else tuple(int(i) for i in found.result.get("unexpected_index_list") or ()),
        limits=expectation.limits(settings),
        reason=meta.reason,
        remedy=meta.remedy,
    )


def _exception_in(result: Any) -> str:
    """The message of an expectation that raised instead of checking, or an empty string.

    `exception_info` is one record, or one record for each metric that failed.
    """
    info = result.exception_info or {}
    records = [info] if "raised_exception" in info else [v for v in info.values() if isinstance(v, dict)]
    return next((str(r.get("exception_message")) for r in records if r.get("raised_exception")), "")
