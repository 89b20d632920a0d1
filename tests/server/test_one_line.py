"""What is expected while a dataset is served is one log line; what is not keeps its traceback."""

from __future__ import annotations

import logging

import pytest

from winnow.base.errors import GateHeld, LedgerError, RecipeError
from winnow.server.one_line import OneLine, outage_in_one_line, tell_in_one_line


def lines(logger: logging.Logger, caplog: pytest.LogCaptureFixture, *errors: BaseException) -> list[str]:
    caplog.clear()
    for error in errors:
        try:
            raise error
        except BaseException:
            logger.exception("Encountered exception during execution")
    return [caplog.handler.format(record) for record in caplog.records]


def test_a_mistake_in_a_recipe_is_told_once_and_a_held_version_by_its_state_alone(caplog):
    logger = logging.getLogger("flow runs of a test")
    logger.addFilter(OneLine())
    mistake = RecipeError("r.toml:1: a is no setting\nr.toml:2: b is no setting")
    [line] = lines(logger, caplog, mistake, mistake, GateHeld("v1 is held"))
    assert line.endswith("r.toml:1: a is no setting; r.toml:2: b is no setting") and "\n" not in line


@pytest.mark.parametrize("error", [KeyError("x"), LedgerError("a fault of Winnow")])
def test_what_nobody_expects_keeps_its_traceback(caplog, error):
    logger = logging.getLogger("flow runs of another test")
    logger.addFilter(OneLine())
    with outage_in_one_line():
        [said] = lines(logger, caplog, error)
    assert "Traceback" in said


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(111, "refused"),
        RuntimeError("Service exceeded error threshold."),
        ExceptionGroup("a group", [ExceptionGroup("another", [ConnectionResetError(104, "reset")])]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_server_that_is_away_is_one_line(caplog, error):
    with outage_in_one_line():
        [said] = lines(logging.getLogger("prefect of a test"), caplog, error)
    assert "Traceback" not in said and "\n" not in said and str(error) in said


@pytest.mark.parametrize(("served", "lines_said"), [(True, 1), (False, 5)])
def test_where_a_flow_is_served_a_server_that_went_away_is_one_line_too(monkeypatch, caplog, served, lines_said):
    before = logging.getLogRecordFactory()
    if served:
        monkeypatch.setenv("PREFECT__FLOW_RUN_ID", "1")
    try:
        tell_in_one_line()
        tell_in_one_line()
        error = RuntimeError("Failed to reach API at http://127.0.0.1:4200/api/")
        error.__cause__ = ConnectionRefusedError(111, "refused")
        [said] = lines(logging.getLogger("prefect engine of a test"), caplog, error)
    finally:
        logging.setLogRecordFactory(before)
    assert min(len(said.split("\n")), 5) == lines_said
