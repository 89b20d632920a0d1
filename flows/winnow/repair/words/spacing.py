"""The rules of spacing: hyphens, sentences, punctuation, words, in the order in which they run.

Each acts only beside proven damage and leaves all else alone; with ``Evidence.everywhere`` (the recipe's
``repair.spacing = "everywhere"``, for OCR and PDF text) it reads the whole text. None of them counts as
proof of damage: one split word must not make its neighbours suspicious.
"""

from __future__ import annotations

from winnow.repair.engine.rule import Find, Rule
from winnow.repair.words.hyphens import close_hyphens
from winnow.repair.words.punctuation import space_after_punctuation, space_before_punctuation
from winnow.repair.words.sentences import join_broken_sentences, part_glued_sentences
from winnow.repair.words.spaced_letters import join_spaced_letters
from winnow.repair.words.split_words import split_words
from winnow.repair.words.symbols import close_symbols, part_numbers


def _rule(name: str, version: int, find: Find, gate: str) -> Rule:
    return Rule(name, version, find, gate, proves=False, needs_evidence=True)


HYPHENS = _rule("hyphens", 1, close_hyphens, r"\pL-[ \n]\pL")
# A line broken in mid-sentence, in a text of one paragraph per line, is damage: more of it may follow.
BROKEN_SENTENCES = Rule("broken_sentences", 1, join_broken_sentences, r"\n", needs_evidence=True)
SPACE_BEFORE_PUNCTUATION = _rule("space_before_punctuation", 2, space_before_punctuation, r"\S [,.;:!?)\]]")
SPACE_AFTER_PUNCTUATION = _rule("space_after_punctuation", 1, space_after_punctuation, r"\pL,\pL")
GLUED_SENTENCES = _rule("glued_sentences", 1, part_glued_sentences, r"\pL[.!?]\p{Lu}")
SYMBOL_SPACING = _rule("symbol_spacing", 1, close_symbols, r"[\pL\d] [-(\d/|)]")
NUMBER_SPACING = _rule("number_spacing", 1, part_numbers, r"\pL\d|\d\pL|\d,\d")
SPACED_LETTERS = _rule("spaced_letters", 1, join_spaced_letters, r"\pL \pL \pL \pL")
SPLIT_WORDS = _rule("split_words", 2, split_words, r"\pL \pL|\pL{6}")

SPACING: tuple[Rule, ...] = (
    HYPHENS,
    BROKEN_SENTENCES,
    SPACE_BEFORE_PUNCTUATION,
    SPACE_AFTER_PUNCTUATION,
    GLUED_SENTENCES,
    SYMBOL_SPACING,
    NUMBER_SPACING,
    SPACED_LETTERS,
    SPLIT_WORDS,
)
