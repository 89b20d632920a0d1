"""The expectation suites: one JSON file a table, in Great Expectations 1.x form, beside this module."""

import json
from importlib.resources import files
from typing import Any


def suite_names() -> list[str]:
    """Names of the suites, sorted."""
    return sorted(p.name.removesuffix(".json") for p in files("schemas").iterdir() if p.name.endswith(".json"))


def suite(name: str) -> dict[str, Any]:
    """The suite as plain data, fit for ``great_expectations.ExpectationSuite(**data)``.

    Raises FileNotFoundError for a name that is not in `suite_names`.
    """
    data: dict[str, Any] = json.loads(files("schemas").joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return data
