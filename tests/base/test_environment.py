import os
import subprocess
import sys

import pytest

from winnow.base.environment import QUIET, reach_loopback_directly, switch_off


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
