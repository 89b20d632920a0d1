"""The order in which the rules run, visible in one place.

Invisible characters and wrong decodings come first, for the other rules look for words and signs; one-byte encodings
before UTF-8, in which a few pieces of such text can be read by chance; markup follows, from the
inside of the escaping to the outside, with the lines that it stood for; then words; the tidying of white space comes
last.
"""

from __future__ import annotations

from flows.repair.encoding import ENCODING
from flows.repair.entities import ENTITIES
from flows.repair.invisible import INVISIBLE
from flows.repair.markup import MARKUP
from flows.repair.misread import MISREAD
from flows.repair.remains import REMAINS
from flows.repair.rule import Rule
from flows.repair.spacing import SPACING
from flows.repair.tidy import TIDY
from flows.repair.wiki import OTHER_MARKUP

REPAIRS: tuple[Rule, ...] = (
    *INVISIBLE, MISREAD, *ENCODING, *ENTITIES, *MARKUP, *OTHER_MARKUP, *REMAINS, *SPACING, *TIDY,
)  # fmt: skip
"""Every rule, in the order in which the engine runs them."""

SPACING_NAMES = frozenset(rule.name for rule in SPACING)
"""The rules that the setting ``repair.spacing`` governs: off, near damage, or everywhere."""
