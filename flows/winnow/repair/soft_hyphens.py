"""Signs that stand for a hyphen: U+00AD and `¬` at a line's end, U+0002 and U+FFFE of PDF programs, `@-@` of Moses.

A plain hyphen, which any word may have, is left to `winnow.repair.words.hyphens`.
"""

from __future__ import annotations

import re

from winnow.repair.encoding.plausible import is_word, word_around
from winnow.repair.engine.rule import Change, Evidence, Rule
from winnow.repair.invisible import is_lost_ligature
from winnow.repair.words.hyphens import CONJUNCTIONS, hyphen_between, written_in
from winnow.repair.words.lexicon import lexicon_of
from winnow.repair.words.text_language import language_of

# re, not re2, for runs of bounded length.
_TO_NEXT_LINE = r"[ \t]{0,9}(?:\r?\n){1,2}[ \t]{0,40}"
_IN_LINE = re.compile(r"(?<=[^\W\d_]{2})(?:¬ ?|\xad )(?=[^\W\d_]{2})")
_AT_END = re.compile(rf"(?:(?<=[^\W\d_])(?:[-‐]|\n)?\xad|(?<=[^\W\d_]{{2}})¬){_TO_NEXT_LINE}(?=([^\W\d_]{{2,40}}))")
_SIGN = re.compile(rf"(?<=[^\W\d_])[\x02\ufffe]({_TO_NEXT_LINE})?(?=([^\W\d_]{{1,40}}))")
_JOINED = re.compile(r"(?<=\w) @(?:-|(?<=\d @)[,.](?=@ \d))@ (?=\w)")
_LETTERS = re.compile(r"[^\W\d_]{1,40}")


def join_at_soft_hyphens(text: str, evidence: Evidence) -> list[Change]:
    r"""Join a word that a soft hyphen, or the sign some programs show for one, parts at the end of a line.

    Where lines were joined a space follows it, and that sign may stand alone: then the pieces must be a known word. A
    hyphen before a soft one is the word's own.
    Left alone: soft hyphens inside a line, the sign of negation, and what hangs on its hyphen: ``Haupt\xad\nund``.

    >>> SOFT_HYPHENS("inhab¬\nitants of the settle\xad\nment"), SOFT_HYPHENS("p ¬\nq, Haupt\xad\nund Nebensatz")
    ('inhabitants of the settlement', 'p ¬\nq, Haupt\xad\nund Nebensatz')
    >>> SOFT_HYPHENS("the inhab¬itants of neigh\xad bouring towns"), SOFT_HYPHENS("if p¬q or not¬quite, foo¬bar")
    ('the inhabitants of neighbouring towns', 'if p¬q or not¬quite, foo¬bar')
    >>> SOFT_HYPHENS("a cross-\xad\nsection")
    'a cross-section'
    """
    changes = [
        Change(found.start(), found.end(), "", 0.8)
        for found in _IN_LINE.finditer(text)
        if is_word(word_around(text, found.start(), found.end(), ""))
    ]
    for found in _AT_END.finditer(text):
        capitals = found[1][0].isupper() and not text[found.start() - 1].isupper()
        if not capitals and found[1].lower() not in CONJUNCTIONS:
            changes.append(Change(found.start() + (found[0][0] in "-‐"), found.end(), "", 0.9))
    return sorted(changes)


def read_hyphen_signs(text: str, evidence: Evidence) -> list[Change]:
    r"""Read U+FFFE and U+0002, which PDFium writes for the hyphen at a line's end: it goes, or a compound keeps it.

    And `` @-@ ``, which Moses writes for the hyphen of a compound, with ``@,@`` and ``@.@`` of numbers.
    Left alone: U+0002 that may be a note's mark at the end of a line, or a ligature of a font.

    >>> HYPHEN_SIGNS("commu\ufffenication, well\x02known"), HYPHEN_SIGNS("Anglo\ufffe\nSaxon, claim\x02\nnext")
    ('communication, well-known', 'Anglo-Saxon, claim\x02\nnext')
    >>> HYPHEN_SIGNS("a state @-@ of @-@ the @-@ art 1 @,@ 000, mail @ home")
    'a state-of-the-art 1,000, mail @ home'
    """
    joined = list(_JOINED.finditer(text))
    sure = 0.9 if len(joined) > 1 else 0.3  # one alone may be a face
    changes = [Change(found.start(), found.end(), found[0][2], sure) for found in joined]
    language = language_of(text) if _SIGN.search(text) else None
    for found in _SIGN.finditer(text):
        at = found.start()
        before = _LETTERS.match(text[max(0, at - 40) : at][::-1])
        assert before is not None
        first, second = before[0][::-1], found[2]
        note = found[0][0] == "\x02"
        if note and not found[1] and is_lost_ligature(text, at):
            continue
        if second[0].isupper() and not first[-1].isupper():
            hyphen = "-"
        elif language:
            hyphen = hyphen_between(first, second, lexicon_of(language), evidence.once(written_in, text)) or ""
        else:
            hyphen = ""
        if not (hyphen and note and found[1]):
            changes.append(Change(at, found.end(), hyphen, 0.9))
    return sorted(changes)


SOFT_HYPHENS = Rule("soft_hyphens", 3, join_at_soft_hyphens, r"[\x{ad}¬][ \t]*\n|¬ ?\pL|\x{ad} \pL")
HYPHEN_SIGNS = Rule("hyphen_signs", 1, read_hyphen_signs, r"[\x02\x{fffe}]| @[-,.]@ ")
