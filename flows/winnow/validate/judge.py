"""Runs a suite over a frame of measures with Great Expectations, in memory; answers in plain values."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from winnow.base.contracts import Expectation, contract
from winnow.base.errors import ContractBroken
from winnow.base.recipe import ValidateSettings
from winnow.base.telemetry import switch_off

if TYPE_CHECKING:
    import pandas as pd

NAME = "frame"  # of the data source, asset and batch that each in-memory context holds


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one expectation found in one frame."""

    expectation: str  # its name in the suite's meta
    description: str
    columns: tuple[str, ...]
    passed: bool
    n_rows: int
    failed: tuple[int, ...] = ()  # positions of the rows that fail, all of them
    limits: Mapping[str, Any] = field(default_factory=dict)  # min_value, max_value, ... as they were applied
    reason: str = ""
    remedy: str = ""


def columns_of(name: str) -> tuple[str, ...]:
    """The columns that the suite looks at, in order of first mention.

    >>> columns_of("repaired")
    ('doc_id', 'n_chars', 'letter_share', 'residual_markup')
    """
    return tuple(dict.fromkeys(c for e in contract(name).expectations for c in e.columns))


def judge(frame: pd.DataFrame, name: str, settings: ValidateSettings) -> tuple[Verdict, ...]:
    """One verdict for each expectation of the suite, in its order.

    `settings` fill the ``$PARAMETER`` places of the suite. Nulls pass every expectation but the one that
    forbids them. Raises ContractBroken where an expectation could not be evaluated: Great Expectations only
    notes such errors in its result, and a check that did not run must not count as passed.
    """
    if missing := [c for c in columns_of(name) if c not in frame.columns]:
        raise ContractBroken(f"suite {name!r} needs the columns {missing}; the frame has {list(frame.columns)}")
    frame = frame.reset_index(drop=True)  # results name rows by index; here that is their position
    with quiet():
        import great_expectations as gx

        context = memory_context()
        batch = (
            context.data_sources.add_pandas(NAME)
            .add_dataframe_asset(NAME)
            .add_batch_definition_whole_dataframe(NAME)
            .get_batch({"dataframe": frame})
        )
        # COMPLETE: unexpected_index_list holds every row; the partial lists of SUMMARY stop at 20.
        result = batch.validate(
            gx.ExpectationSuite(**contract(name).suite()),
            expectation_parameters=settings.model_dump(),
            result_format="COMPLETE",
        )
    by_name = {r.expectation_config.meta["name"]: r for r in result.results}
    return tuple(_verdict(e, by_name.get(e.meta.name), name, len(frame), settings) for e in contract(name).expectations)


def load_great_expectations() -> None:
    """Import it, which takes seconds, where there is time for it."""
    with quiet():
        import great_expectations  # noqa: F401


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


def memory_context() -> Any:
    """A Great Expectations context that writes nothing and draws no progress bars."""
    import great_expectations as gx

    # This module gives its own logger a level when it is imported, so that of the package does not reach it.
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.ERROR)
    context = gx.get_context(mode="ephemeral")
    without_progress_bars(context)
    return context


def without_progress_bars(context: Any) -> None:
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)


def _verdict(expectation: Expectation, found: Any, suite_name: str, n_rows: int, settings: ValidateSettings) -> Verdict:
    meta = expectation.meta
    if found is None:
        raise ContractBroken(f"suite {suite_name!r}: expectation {meta.name!r} gave no result")
    if trouble := exception_of(found):
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


def exception_of(result: Any) -> str:
    """The message of an expectation that raised instead of checking, or an empty string.

    `exception_info` is one record, or one record for each metric that failed.
    """
    info = result.exception_info or {}
    records = [info] if "raised_exception" in info else [v for v in info.values() if isinstance(v, dict)]
    return next((str(r.get("exception_message")) for r in records if r.get("raised_exception")), "")
