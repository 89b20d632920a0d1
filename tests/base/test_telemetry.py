import os
import subprocess
import sys

from winnow.base.telemetry import QUIET, switch_off


def test_what_the_user_has_set_stays():
    environment = {"PREFECT_SERVER_ANALYTICS_ENABLED": "true"}
    switch_off(environment)
    assert environment == {**QUIET, "PREFECT_SERVER_ANALYTICS_ENABLED": "true"}


def test_prefect_and_its_server_take_the_word():
    code = (
        "from winnow.base.telemetry import switch_off; switch_off()\n"
        "from prefect.settings import get_current_settings\n"
        "from prefect._internal.analytics import is_telemetry_enabled\n"
        "print(get_current_settings().server.analytics_enabled, is_telemetry_enabled())"
    )
    clean = {k: v for k, v in os.environ.items() if k not in QUIET and k != "CI"}
    run = subprocess.run([sys.executable, "-c", code], env=clean, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]
