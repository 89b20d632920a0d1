"""The order in which the rules run, visible in one place.

Invisible characters and wrong decodings come first, for the other rules look for words and signs; one-byte encodings
before UTF-8, in which a few pieces of such text can be read by chance; markup follows, from the inside of the escaping
to the outside, with the lines that it stood for; then words; the tidying of white space comes last.
"""

from __future__ import annotations

from winnow.repair.encoding.misread import MISREAD
from winnow.repair.encoding.misread_quotes import MISREAD_QUOTES
from winnow.repair.encoding.mojibake import ENCODING
from winnow.repair.encoding.multibyte import MULTIBYTE
from winnow.repair.engine.rule import Rule
from winnow.repair.escapes import ESCAPES
from winnow.repair.font_codes import FONT_CODES
from winnow.repair.invisible import INVISIBLE
from winnow.repair.json_escapes import JSON
from winnow.repair.loose_accents import LOOSE_ACCENTS
from winnow.repair.markup.bare_references import BARE_REFERENCES
from winnow.repair.markup.entities import ENTITIES
from winnow.repair.markup.foreign_tags import FOREIGN
from winnow.repair.markup.lightweight import LIGHTWEIGHT
from winnow.repair.markup.page_code import PAGE_CODE
from winnow.repair.markup.residue import RESIDUE
from winnow.repair.markup.rtf import RICH_TEXT
from winnow.repair.markup.tag_removal import MARKUP
from winnow.repair.soft_hyphens import HYPHEN_SIGNS, SOFT_HYPHENS
from winnow.repair.tidy import TIDY
from winnow.repair.words.apostrophes import APOSTROPHE_SPACES
from winnow.repair.words.formulas import NUMBER_SPACING, SYMBOL_SPACING
from winnow.repair.words.hyphens import HYPHENS
from winnow.repair.words.punctuation import SPACE_AFTER_PUNCTUATION, SPACE_BEFORE_PUNCTUATION
from winnow.repair.words.quotes import IDEOGRAPH_SPACES, QUOTE_SPACES
from winnow.repair.words.sentence_breaks import BROKEN_SENTENCES, GLUED_SENTENCES
from winnow.repair.words.split_words import DROP_CAPS, LIGATURE_SPACES, SPACED_LETTERS, SPLIT_WORDS

SPACING: tuple[Rule, ...] = (
    LIGATURE_SPACES, DROP_CAPS, HYPHENS, BROKEN_SENTENCES, SPACE_BEFORE_PUNCTUATION, SPACE_AFTER_PUNCTUATION,
    QUOTE_SPACES, IDEOGRAPH_SPACES, APOSTROPHE_SPACES, GLUED_SENTENCES, SYMBOL_SPACING, NUMBER_SPACING, SPACED_LETTERS,
    SPLIT_WORDS,
)  # fmt: skip
"""The rules that the setting ``repair.spacing`` governs.

Each acts only beside proven damage and leaves all else alone; with ``spacing = "everywhere"``, for OCR and PDF text, it
reads the whole text. One split word must not make its neighbours suspicious, so none of them counts as proof of damage,
but for `BROKEN_SENTENCES`: a line broken in mid-sentence, in a text of one paragraph per line, is damage.
"""

REPAIRS: tuple[Rule, ...] = (
    FONT_CODES, HYPHEN_SIGNS, *INVISIBLE, *RICH_TEXT, *JSON, *ESCAPES, BARE_REFERENCES, MISREAD_QUOTES, MISREAD,
    MULTIBYTE, *ENCODING, SOFT_HYPHENS, ENTITIES, PAGE_CODE, *FOREIGN, *MARKUP, *LIGHTWEIGHT, *RESIDUE, LOOSE_ACCENTS,
    *SPACING, *TIDY,
)  # fmt: skip
"""Every rule, in the order in which the engine runs them."""

SPACING_NAMES = frozenset(rule.name for rule in SPACING)
OF_WHOLE_TEXTS = frozenset(r.name for r in (QUOTE_SPACES, IDEOGRAPH_SPACES, SYMBOL_SPACING, NUMBER_SPACING))
"""Those that do nothing beside damage: they need ``spacing = "everywhere"``."""
