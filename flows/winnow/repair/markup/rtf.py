r"""Rich Text Format: a whole document of it as its text, and bytes written its way, ``caf\'e9``, in prose."""

from __future__ import annotations

import re
from collections.abc import Iterator

from winnow.base.rich_text import text_of_rtf
from winnow.repair.encoding.plausible import is_word, word_around, words
from winnow.repair.engine.rule import Change, Evidence, Rule, apply_changes
from winnow.repair.escapes import is_code


def read_rtf(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""A text that is Rich Text Format from its first sign to its last becomes what it says.

    >>> RTF(r"{\rtf1\ansi Bees \b fly\b0 .\par }"), RTF(r"RTF begins with {\rtf1\ansi and ends.")
    ('Bees fly.', 'RTF begins with {\\rtf1\\ansi and ends.')
    """
    if text.lstrip().startswith("{\\rtf") and (after := text_of_rtf(text)):
        yield Change(0, len(text), after, 0.9)


_BYTES = re.compile(r"\\'[0-9a-fA-F]{2}(?:\\'[0-9a-fA-F]{2})*")


def undo_rtf_bytes(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""Undo ``caf\'e9`` and ``didn\'92t``, bytes of Windows-1252 as RTF writes them, where they make known words.

    >>> RTF_BYTES(r"Die Gr\'fc\'dfe, it didn\'92t"), RTF_BYTES(r"d\'ebut, ma\'ana \'c7")
    ('Die Grüße, it didn’t', "d\\'ebut, ma\\'ana \\'c7")
    """
    if is_code(_BYTES.sub("", text)):
        return
    found = list(_BYTES.finditer(text))
    for charset in ("cp1252", "cp1251", "cp1250"):
        try:
            read = [bytes.fromhex(m[0].replace("\\'", "")).decode(charset) for m in found]
        except UnicodeDecodeError:
            continue
        changes = [Change(m.start(), m.end(), after, 0.8) for m, after in zip(found, read, strict=True)]
        made = [word.split("’")[0] for word in words(apply_changes(text, changes))]
        spelled = [word for word in made if not word.isascii()]
        sure = any(len(word) > 2 for word in spelled) or any(
            c.after == "’" and is_word(word_around(text, c.start, c.end, c.after).split("’")[0]) for c in changes
        )
        if sure and all(map(is_word, spelled)) and all(after.replace("\xa0", "").isprintable() for after in read):
            yield from changes
            return


RTF = Rule("rtf", 2, read_rtf, r"\A\s*\{\\rtf")
RTF_BYTES = Rule("rtf_bytes", 1, undo_rtf_bytes, r"\\'[0-9a-fA-F]{2}")

RICH_TEXT: tuple[Rule, ...] = (RTF, RTF_BYTES)
"""The rules for Rich Text Format, in order."""
