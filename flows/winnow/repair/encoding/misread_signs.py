"""Signs that a text was decoded with the wrong one-byte encoding: a gate that clean text hardly ever opens.

A sign proves nothing; it only says that words are worth a look.
"""

from __future__ import annotations

from winnow.repair.engine.rule import detector

# Neighbours of Latin letters that the words of no European language show (less than twice in a million letters in the
# lists of wordfreq) and misread words do: `bc<x>de` for bx, cx, xd and xe. tests/benchmarks/single_byte.py counts how
# many damaged sentences show one.
_LATIN = """
    adeho<µ>akmnou <Æ>o <Ð>aiu k<à> <á>èøąđ <â>j <ã>dlptuz <ä>è oy<æ>a djv<ç>cjnpvýăőŸ ej<è>aejkáíš j<ê>dk
    bdklmnrtv<ë>js <ì>cdhjklrsvzø <í>èąđ <î>bdgv v<ï> k<ð>ý <ñ>cs ao<ò>ou <ó>đ bfky<õ>bdjlrstvz <ö>đ ao<ø>áí
    kp<ù>jlsž <ú>è gjntvy<û>eksvz <ü>þ cy<ý>eþą <þ>klmt aouy<ą>aeiouíč bdfghjlstv<ć>glrtvđ cf<č>gx <ď>bdenrs
    f<đ>lr u<ę>mn ls<ě>ľ efglmnr<ĺ>deglrsv d<Ľ>n nry<ľ>eijáí <ń>aeoí nx<ň>glnpr aegiopry<œ>abclmnrswæ
    cdfijlnr<ŕ>cfglpr jlnrs<ř>gjpry f<š>fè <ţ>aeijrváóú io<ů>ľ o<ű> cmrtv<ƒ>mnrt
"""

_UPPER = "À-ÖØ-ÞŒŠŽŸ"
# No apostrophes, dashes, full stops of any kind, hyphens and superscripts at the end: clean text sets them in words.
_INSIDE = (
    r"\x{80}-\x{9f}¡¢£¤¥¦§¨©ª¬®¯°±²³´µ¶¸¹º¼½¾¿×÷ƒˆ˜“”„‚†‡‰‹›€™"
    r"Ωπ∑∏∫≤≥√∂∆◊≠∞≈ﬂﬁ˘˙˚˝˛ˇ⁄ⁿ⌐⌠⌡∙■░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀"
)
_CYRILLIC_SIGNS = r"¤¦§¬\x{ad}±µ¶№€¢£¥∙√■═-╬░-▓▀-▌┐-┼│─"
_GREEK = "ά-ώΆ-ΡΣ-Ψ"  # without omega and mu, which stand beside Latin letters as units; the Greek mu is one of them
_OTHER = f"а-џА-Я{_GREEK}א-תء-ي"


def _neighbours() -> str:
    alternatives = []
    for entry in _LATIN.split():
        left, rest = entry.split("<")
        letter, right = rest.split(">")
        alternatives += [f"[{left}]{letter}"] * bool(left) + [f"{letter}[{right}]"] * bool(right)
    return "|".join(alternatives)


MISREAD_GATE = "|".join((
    _neighbours(),
    f"[a-zß-ÿ][{_UPPER}][a-z]|[a-z][{_UPPER}]",  # capitals inside words
    f"[A-Za-zÀ-ž][{_INSIDE}][A-Za-zÀ-ž]|[a-z]–[a-z]",
    r"[\x{80}-\x{9f}]|[a-z][‚¡¿¤ˆ˜˘‡]|(?:^|[ (])[¹³¶¼¾][a-z]{2}",
    r"[À-ɏ]{4}|[À-ÿ][À-ÿ¨°-¿Œœ-Ÿˆ˘-˝‚-„†-‰∂-≥]{3}",  # another script in Latin letters
    r"[¢£¤¥¦§¨ª¬®¯]{2}[à-ï¢£¤¥¦§¨ª¬®¯]|[à-ï][¢£¤¥¦§¨ª¬®¯][à-ï¢£¤¥¦§¨ª¬®¯]",  # cp866 read as Latin
    r"(?:^|\n|[.!?] )[ƒ▄─╚╩┴╓†][a-zß-ÿ]{3}",  # a capital at the very beginning
    # One to three letters of another script in a word; a word glued to one of another script is a slip of the hand.
    f"[a-zß-ž][{_OTHER}]{{1,3}}(?:[a-zß-ž]|[^{_OTHER}a-zß-ž]|$)|(?:^|[ '’(«])[а-яё{_GREEK}]{{1,2}}[a-z]",
    f"[а-џ][Ѐ-Я]|[А-џ][{_CYRILLIC_SIGNS}©®°][А-џ{_CYRILLIC_SIGNS}]|[{_CYRILLIC_SIGNS}]{{2}}[А-џ]|[€¬ƒ≥][а-џ]",
    r"[αßδεσφτπΦΘΩΣΓ][≡≤≥∩≈∞√ⁿ±][αßδεσφτπΦΘΩΣΓ≡≥≤∩≈∞√ⁿ]",  # Cyrillic read as cp437
    r"[┴┬┼╒╓╔╘╙╚╞╟╠╤╥╦╧╨╩╪╫╬]{2}|[А-яЁё][═-╬]|[═-╬][А-яЁё]",
    "[аейоуюя]ъ(?:[^а-џ]|$)",  # Hebrew read as Cyrillic, which ends no word so
    r"[a-z ]ŕ[ ,.;:!?]",
    r"[a-z]õ(?:[^\pL]|$)|[ýüö]ţ|ţ[ýüö]|[üö]đ|ΰ",  # Hungarian, Turkish as Central European, Russian as Greek
    r"n[íê]t\b|(?i:\b(?:it|that|he|she|there|what|who|let))[íê]s\b|\b(?:I|[Yy]ou|[Ww]e|[Tt]hey)[íê](?:m|d|ll|re|ve)\b",
))  # fmt: skip
"""RE2 expression that matches in every text in which a misread line may be found."""


_signs_in = detector(MISREAD_GATE)


def has_sign(line: str) -> bool:
    """Whether words are worth a look.

    >>> has_sign("Ïðèâåò"), has_sign("pøíliš"), has_sign("cafŽ au lait"), has_sign("Prešov, où l’été, æther")
    (True, True, True, False)
    """
    return bool(_signs_in(line))
