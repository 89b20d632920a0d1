"""Repair: undo damage, touch nothing else, and keep the ledger.

>>> from winnow.repair import repair
>>> repair("No damage: a < b, AT&T.").text
'No damage: a < b, AT&T.'
"""

from __future__ import annotations

import difflib
import sys
from types import ModuleType

from winnow.base.errors import RecipeError
from winnow.base.recipe import RepairSettings
from winnow.repair.engine.engine import Repaired, run_rules
from winnow.repair.engine.ledger import replay, undo
from winnow.repair.order import REPAIRS, SPACING_NAMES

__all__ = ["REPAIRS", "Repaired", "repair", "replay", "rule_versions", "undo"]

DEFAULTS = RepairSettings()


def repair(text: str, settings: RepairSettings = DEFAULTS) -> Repaired:
    """The text with its damage undone, and the ledger of every change.

    Text without damage comes out as it came in, apart from trailing spaces and runs of blank lines. Repairing twice
    changes nothing more. Raises RecipeError where `settings` name a rule that does not exist.
    """
    for name in settings.rules:
        if name not in (known := rule_versions()):
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise RecipeError(f"repair.rules.{name} is no rule; {hint}known rules: {', '.join(known)}")
    rules = []
    for rule in REPAIRS:
        chosen = settings.rules.get(rule.name)
        if chosen is not None and not chosen.enabled:
            continue
        if settings.spacing == "off" and rule.name in SPACING_NAMES:
            continue
        rules.append(rule)
    thresholds = {n: s.threshold for n, s in settings.rules.items() if s.threshold is not None}
    everywhere = SPACING_NAMES if settings.spacing == "everywhere" else frozenset[str]()
    return run_rules(text, rules, settings.threshold, thresholds, everywhere)


def rule_versions() -> dict[str, int]:
    """Name and version of every rule, in order; part of a recipe's fingerprint."""
    return {rule.name: rule.version for rule in REPAIRS}


class _Callable(ModuleType):
    """Lets the stage be called as the function it is named for: Python gives both to ``from winnow import repair``."""

    def __call__(self, text: str, settings: RepairSettings = DEFAULTS) -> Repaired:
        return repair(text, settings)


sys.modules[__name__].__class__ = _Callable
