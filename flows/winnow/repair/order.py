"""The order in which the rules run, visible in one place.

Invisible characters and wrong decodings come first, for the other rules look for words and signs; one-byte encodings
before UTF-8, in which a few pieces of such text can be read by chance; markup follows, from the
inside of the escaping to the outside, with the lines that it stood for; then words; the tidying of white space comes
last.
"""

from __future__ import annotations

from winnow.repair.encoding.encoding import ENCODING
from winnow.repair.encoding.misread import MISREAD
from winnow.repair.engine.rule import Rule
from winnow.repair.invisible import INVISIBLE
from winnow.repair.markup.entities import ENTITIES
from winnow.repair.markup.markup import MARKUP
from winnow.repair.markup.remains import REMAINS
from winnow.repair.markup.wiki import OTHER_MARKUP
from winnow.repair.tidy import TIDY
from winnow.repair.words.spacing import SPACING

REPAIRS: tuple[Rule, ...] = (
    *INVISIBLE, MISREAD, *ENCODING, *ENTITIES, *MARKUP, *OTHER_MARKUP, *REMAINS, *SPACING, *TIDY,
)  # fmt: skip
"""Every rule, in the order in which the engine runs them."""

SPACING_NAMES = frozenset(rule.name for rule in SPACING)
"""The rules that the setting ``repair.spacing`` governs: off, near damage, or everywhere."""
