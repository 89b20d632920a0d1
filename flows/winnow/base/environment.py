"""The environment: what Winnow sets in its own, and with it for the servers and workers that it starts.

It names where the cache is, too.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

from winnow.base.errors import UsageError

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

LOOPBACK = "127.0.0.1", "localhost"
"""This machine, as addresses name it. A proxy would look for it in its own place."""


def switch_off(environment: MutableMapping[str, str] | None = None) -> None:
    """Sets every variable of `QUIET` that is not set yet, in `os.environ` unless another mapping is given.

    Call it before Prefect or Great Expectations is imported: both read their settings at import. Nothing of a run is
    reported to anyone then, unless the user asks.

    >>> environment = {"DO_NOT_TRACK": "0"}
    >>> switch_off(environment)
    >>> environment["DO_NOT_TRACK"], environment["GX_ANALYTICS_ENABLED"]
    ('0', 'false')
    """
    target = os.environ if environment is None else environment
    for name, value in QUIET.items():
        target.setdefault(name, value)


def reach_loopback_directly(environment: MutableMapping[str, str] | None = None) -> None:
    """Adds this machine's own addresses to what no proxy is asked for; what the user has set there stays.

    Both spellings of the variable are set, for programs read the one or the other first.

    >>> environment = {"NO_PROXY": ".example.org"}
    >>> reach_loopback_directly(environment)
    >>> environment["no_proxy"]
    '.example.org,127.0.0.1,localhost'
    """
    target = os.environ if environment is None else environment
    said = target.get("no_proxy") or target.get("NO_PROXY") or ""
    names = [name for part in said.split(",") if (name := part.strip())]
    if "*" not in names:
        names += [name for name in LOOPBACK if name not in names]
    target["no_proxy"] = target["NO_PROXY"] = ",".join(names)


def run_no_code_of_the_folder(environment: MutableMapping[str, str] | None = None) -> None:
    """Lets no Python process that is started from here on import modules of the folder one stands in."""
    target = os.environ if environment is None else environment
    target["PYTHONSAFEPATH"] = "1"


def look_for_garbage_rarely() -> None:
    """Lets Python look for unreachable cycles of objects less often.

    At its own pace a look comes every few thousand objects and goes through all that imports left: a sixth of the time
    of a short run. For processes of Winnow alone; call it before what is to be imported.
    """
    gc.set_threshold(50_000, 20, 10)


def leave_pandas_out() -> None:
    """Lets pyarrow not import pandas, which it does for its first scalar: that costs half a second of a processor.

    For processes of Winnow alone. What of pyarrow is asked for pandas objects still imports it then.
    """
    if "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        import pyarrow as pa

        pa.scalar(True)  # it remembers that it found none
    finally:
        sys.meta_path.remove(finder)


class _NoPandas:
    """Says that pandas is not installed."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def cache_folder() -> Path:
    """Returns where is kept what can be made again: WINNOW_CACHE, else ``~/.cache/winnow``."""
    named = os.environ.get("WINNOW_CACHE")
    return Path(named).expanduser() if named else Path.home() / ".cache" / "winnow"


def cache_bytes() -> int:
    """Returns how many bytes of a dataset's files on object storage are kept here: WINNOW_CACHE_MB, else 10 GB.

    Raises UsageError for what is no number.
    """
    return int(_number_in("WINNOW_CACHE_MB", 10_000, "megabytes") * 1e6)


def run_hours() -> float:
    """Returns how long a run may take: WINNOW_RUN_HOURS, else a day. Raises UsageError for what is no number."""
    return _number_in("WINNOW_RUN_HOURS", 24, "hours", least=0.01)


def _number_in(variable: str, usual: float, unit: str, least: float = 0) -> float:
    named = os.environ.get(variable)
    try:
        number = float(named) if named else usual
    except ValueError:
        number = -1
    if not least <= number < 1e12:  # nor is it infinite, or not a number
        raise UsageError(f"{variable}={named}: is no number of {unit}")
    return number
