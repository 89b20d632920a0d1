"""Nothing of a run is reported to anyone: the libraries' usage statistics are off unless a user asks."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

QUIET = {
    # Prefect's client asks this before it sends SDK events (prefect._internal.analytics.enabled).
    "DO_NOT_TRACK": "1",
    # Prefect's server, the temporary one included: the heartbeat, and what clients are told about telemetry.
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    # Great Expectations before 1.24 sends events from get_context() and validate().
    "GX_ANALYTICS_ENABLED": "false",
    "GE_USAGE_STATS": "false",
    # datasets and huggingface_hub, where a user has them beside Winnow.
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
"""What is set, and to what. A variable that the user has set already keeps its value."""


def switch_off(environment: MutableMapping[str, str] | None = None) -> None:
    """Set every variable of `QUIET` that is not set yet, in `os.environ` unless another mapping is given.

    Call it before Prefect or Great Expectations is imported: both read their settings at import.

    >>> environment = {"DO_NOT_TRACK": "0"}
    >>> switch_off(environment)
    >>> environment["DO_NOT_TRACK"], environment["GX_ANALYTICS_ENABLED"]
    ('0', 'false')
    """
    target = os.environ if environment is None else environment
    for name, value in QUIET.items():
        target.setdefault(name, value)
