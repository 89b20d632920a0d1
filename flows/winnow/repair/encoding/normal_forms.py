"""Mojibake that was brought to another form before it was repaired: ``fÃ1⁄4r``, ``donâ€TMt``, ``Ã"rzte``, ``A\u0303©``.

Tokenisers and file systems bring text to a normal form of Unicode, and editors make its quotes plain. A sign is taken
back where only a piece of mojibake can stand before it, or where that makes a word.
"""

from __future__ import annotations

import re
import unicodedata
from functools import partial
from itertools import islice, product

from winnow.repair.encoding.charmaps import CHARMAPS, undo
from winnow.repair.encoding.plausible import has_odd_capitals, is_word
from winnow.repair.engine.rule import detector

_WINDOWS = next(c for c in CHARMAPS if c.name == "cp1252")
_REST = "\x80-\x9f" + "".join(c for c in _WINDOWS.table[0x80:0xC0] if c > "\xa0")
_LEADS = "ÃÄÅÎÏÐÑ"  # first bytes of Latin, Greek and Cyrillic letters
_MARKED = "[SZYsz][\u0308\u030c]"
_DECOMPOSED = re.compile(
    f"[A-Za-z][\u0300-\u030c](?:(?=[{_REST}\xa0])|{_MARKED})|(?<=[{_LEADS}âáàèìíîéêëïçãåäÆÈÂ{_REST}]){_MARKED}"
)
_FORMS = {
    " \u0301": "´", " \u0303": "˜", " \u0304": "¯", " \u0308": "¨", " \u0327": "¸", "μ": "µ", "1⁄4": "¼", "1⁄2": "½",
    "3⁄4": "¾", "TM": "™", "(TM)": "™", "(tm)": "™", "...": "…",
}  # fmt: skip
_ONE_SIGN = re.compile(
    f"(?<=[{_LEADS}ÂØÙ])(?: [\u0301\u0303\u0304\u0308\u0327]|μ|[13]⁄[24])|(?<=â€)(?:TM|\\(TM\\)|\\(tm\\))"
    f"|(?<=[a-z][ÃÄÅÈ])(?:\\.\\.\\.|TM)|(?<=[ÃÄÅÈ])(?:\\.\\.\\.|TM)(?=[a-z])|(?<=[ÐÑÏ])\\.\\.\\."
)
# Quotes made plain whose neighbours tell which they were: trade mark and euro, and letters and quotes read twice.
_PLAIN = (('â"¢', "â„¢"), ("â'¬", "â‚¬"), ("ƒÆ'", "ƒÆ’"), ('¬Å"', "¬Å“"), ("Ã'Â", "Ã‚Â"))
_SEVERAL = {'"': "“”„", "'": "‘’‚", "-": "\xad–—", "a": "ª", "o": "º", "1": "¹", "2": "²", "3": "³"}
_ALTERED = re.compile(f"[{_LEADS}]([\"'ao123-])")
_FOLDED = re.compile(f"[{_LEADS}](?:[123]| [\u0301\u0303\u0304\u0308\u0327])|TM")  # in a line of compatible forms
_WORD = re.compile(f"(?<![^\\W\\d_])(?:[A-Za-z]|[{_LEADS}][{_REST}\"'ao123-]){{1,40}}(?![^\\W\\d_Ââ])")
# Wherever one of these changes something, which most lines have not; far faster.
_is_altered = detector(
    rf"[\x{{300}}-\x{{30c}}]|[{_LEADS}ÂØÙ](?: [\x{{301}}-\x{{327}}]|μ|[13]⁄)|â€(?:TM|\(|\")"
    rf"|[ÃÄÅÈ](?:\.\.\.|TM)|[ÐÑÏ]\.\.\.|[{_LEADS}][\"'ao123-]|{'|'.join(plain for plain, _ in _PLAIN)}"
)
SHORTEST = 3  # letters of a word; of the commonest words, 2, and 1 of another alphabet
MAX_TRIED = 200  # forms of a word
_QUOTE = re.compile('â€(?P<opening>œ)|â€"')


def undo_forms(line: str) -> str:
    r"""The line with the signs of Windows-1252 in its mojibake that a normal form or an editor has replaced.

    >>> undo_forms('fÃ1⁄4r, donâ€TMt, Ã"rzte, powiedziaÅ\'a, so â€" or not, 5 â\'¬, A\u0303©')
    'fÃ¼r, donâ€™t, Ã„rzte, powiedziaÅ‚a, so â€” or not, 5 â‚¬, Ã©'
    >>> undo_forms('"IRMÃ" Ã-B, MAÃa, 3Ã2')
    '"IRMÃ" Ã-B, MAÃa, 3Ã2'
    """
    if not _is_altered(line):
        return line
    before = line
    line = _DECOMPOSED.sub(lambda found: unicodedata.normalize("NFC", found[0]), line)
    line = _ONE_SIGN.sub(lambda found: _FORMS[found[0]], line)
    for plain, sign in _PLAIN:
        line = line.replace(plain, sign)
    if 'â€"' in line:
        line = _with_dashes(line)
    return _WORD.sub(partial(_word, _FOLDED.search(before) is not None), line) if _ALTERED.search(line) else line


def _word(folded: bool, found: re.Match[str]) -> str:
    altered = list(_ALTERED.finditer(found[0]))
    if not folded and any(place[1] in "ao" for place in altered):
        return found[0]  # `dÃa` lost a soft hyphen
    if not altered or is_word(found[0].rstrip("\"'-")):
        return found[0]
    made: dict[str, str] = {}
    for signs in islice(product(*(_SEVERAL[place[1]] for place in altered)), MAX_TRIED):
        form = list(found[0])
        for place, sign in zip(altered, signs, strict=True):
            form[place.start(1)] = sign
        whole = "".join(form)
        made |= {read: whole for charmap in CHARMAPS[:2] for read in undo(whole, charmap) if _is_whole_word(read)}
    common = [read for read in made if is_word(read, common=True)]
    known = common if len(made) > 1 else list(made)
    return made[known[0]] if len(known) == 1 else found[0]


def _is_whole_word(read: str) -> bool:
    known = is_word(read, common=len(read) < SHORTEST) and (len(read) > 1 or read > "\u0370")
    return known and not has_odd_capitals(read)


def _with_dashes(line: str) -> str:
    """The line with dashes for ``â€"`` where such stand, and closing quotes where an opening one waits for its own.

    Which dash it was is lost; between figures it is the short one.

    >>> _with_dashes('1914â€"1918, â€œso itâ€" was'), _with_dashes('â€"yesâ€"')
    ('1914â€“1918, â€œso itâ€\x9d was', 'â€"yesâ€"')
    """
    opened = False

    def sign(found: re.Match[str]) -> str:
        nonlocal opened
        before, after = line[max(0, found.start() - 1) : found.start()], line[found.end() : found.end() + 1]
        if found["opening"] or (opened and before.strip() and not after.isalnum()):
            opened = bool(found["opening"])
            return found[0] if opened else "â€\x9d"
        if before.isdigit() and after.isdigit():
            return "â€“"
        alone = not before.strip() and not after.strip() and bool(after)
        return "â€”" if alone or (before.isalpha() and after.isalpha()) else found[0]

    return _QUOTE.sub(sign, line)
