"""RE2 with room for the large expressions of gates and signs: its own limit is made for small ones."""

from __future__ import annotations

import re2


def roomy() -> re2.Options:
    """Options with 64 MiB for a compiled expression and its states."""
    options = re2.Options()
    options.max_mem = 64 << 20
    return options


def compiled(pattern: str) -> re2._Regexp:
    """A large expression, ready to search."""
    return re2.compile(pattern, roomy())
