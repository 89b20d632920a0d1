import os
import subprocess
import sys

import pytest

from winnow.base.environment import QUIET, cache_bytes, reach_loopback_directly, run_hours, switch_off
from winnow.base.errors import UsageError


def test_what_the_user_has_set_stays():
    environment = {"PREFECT_SERVER_ANALYTICS_ENABLED": "true"}
    switch_off(environment)
    assert environment == {**QUIET, "PREFECT_SERVER_ANALYTICS_ENABLED": "true"}


def test_prefect_and_its_server_take_the_word():
    code = (
        "from winnow.base.environment import switch_off; switch_off()\n"
        "from prefect.settings import get_current_settings\n"
        "from prefect._internal.analytics import is_telemetry_enabled\n"
        "print(get_current_settings().server.analytics_enabled, is_telemetry_enabled())"
    )
    clean = {k: v for k, v in os.environ.items() if k not in QUIET and k != "CI"}
    run = subprocess.run([sys.executable, "-c", code], env=clean, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


@pytest.mark.parametrize(
    ("said", "then"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": ".example.org, localhost"}, ".example.org,localhost,127.0.0.1"),
        ({"no_proxy": "a.example", "NO_PROXY": "b.example"}, "a.example,127.0.0.1,localhost"),
        ({"NO_PROXY": "*"}, "*"),
    ],
)
def test_this_machine_is_reached_without_a_proxy_and_what_the_user_has_set_stays(said, then):
    environment = dict(said)
    reach_loopback_directly(environment)
    assert environment == {"no_proxy": then, "NO_PROXY": then}
    reach_loopback_directly(environment)
    assert environment == {"no_proxy": then, "NO_PROXY": then}


NUMBERS = {"WINNOW_CACHE_MB": (cache_bytes, 10**10), "WINNOW_RUN_HOURS": (run_hours, 24)}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_the_environment(name, monkeypatch):
    read, usual = NUMBERS[name]
    for unset in (None, ""):
        monkeypatch.setenv(name, unset) if unset is not None else monkeypatch.delenv(name, raising=False)
        assert read() == usual
    monkeypatch.setenv(name, "36.5")
    assert read() in (36_500_000, 36.5)
    for wrong in ("many", "-1", "nan", "inf", "1e300", "12h"):
        monkeypatch.setenv(name, wrong)
        with pytest.raises(UsageError, match=f"^{name}={wrong}: is no number of"):
            read()


def test_a_cache_may_keep_nothing_and_no_run_lasts_for_ever(monkeypatch):
    monkeypatch.setenv("WINNOW_CACHE_MB", "0")
    assert cache_bytes() == 0
    monkeypatch.setenv("WINNOW_RUN_HOURS", "0")
    with pytest.raises(UsageError):
        run_hours()
