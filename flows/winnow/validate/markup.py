"""How much damaged markup is left in a text, told apart from markup that the text is about."""

from __future__ import annotations

import re2

_TAGS = (
    "a|abbr|acronym|address|article|aside|b|big|blockquote|body|br|button|caption|center|cite|code|col|colgroup|"
    "dd|del|details|dfn|div|dl|dt|em|figcaption|figure|font|footer|form|h[1-6]|head|header|hr|html|i|iframe|img|"
    "input|ins|kbd|label|legend|li|link|main|mark|meta|nav|noscript|object|ol|option|p|param|pre|q|s|samp|script|"
    "section|select|small|span|strike|strong|style|sub|summary|sup|table|tbody|td|textarea|tfoot|th|thead|title|"
    "tr|tt|u|ul|var|video"
)
_LONG_TAGS = "|".join(name for name in _TAGS.split("|") if len(name) > 1)
_SPACE = r"[ \t\x{a0}]"
_ENTITY = r"(?:amp|lt|gt|quot|apos|nbsp|[lr][sd]quo|[nm]dash|hellip|#\d{1,7}|#x[0-9a-f]{1,6})"

# Nobody writes these on purpose: tags with a space inside, entities with one, and entities escaped more
# than once.
_DAMAGED = re2.compile(
    rf"(?i)<{_SPACE}*/{_SPACE}+(?:{_TAGS}){_SPACE}*>"  # < / p >, </ p>
    rf"|<{_SPACE}+/{_SPACE}*(?:{_TAGS}){_SPACE}*>"  # < /p>
    rf"|<{_SPACE}+(?:{_LONG_TAGS}){_SPACE}*/?{_SPACE}*>"  # < li >, but not a < b > c
    rf"|</(?:{_TAGS}){_SPACE}+>"  # </p >
    rf"|&{_SPACE}+(?:{_ENTITY}|#{_SPACE}*\d{{1,7}}){_SPACE}*;"  # & lt ;
    rf"|&{_ENTITY}{_SPACE}+;"  # &lt ;
    rf"|&{_SPACE}*amp{_SPACE}*;(?:{_SPACE}*amp{_SPACE}*;)*{_SPACE}*{_ENTITY}{_SPACE}*;"  # &amp;lt;, &amp;amp;
)
# These may be what a page about HTML is about; they count only beside something that proves damage.
_WHOLE = re2.compile(
    rf"(?i)</?(?:{_TAGS})(?:\s[^<>]{{0,400}})?/?>|<{_SPACE}*[abipqsu]{_SPACE}*>"
    r"|&(?:[a-z]{2,8}|#\d{1,7}|#x[0-9a-f]{1,6});"
)

REACH = 200  # characters; whole tags this near to a damaged one are taken for remains of the same damage


def residual_markup(text: str) -> float:
    """Share of the characters in damaged tags or entities, or in whole ones within `REACH` of those.

    A text about HTML, XML or code measures 0, however many tags it shows, because its markup is in order:
    of 15,491 undamaged documents, 390 of which show tags, none measures above 0.011. Linear in the text.

    >>> residual_markup("Write <b>bold</b> and &amp;, then close with </p>.")
    0.0
    >>> residual_markup("& lt ; p > gone wrong <b>") > 0.3
    True
    """
    if "&" not in text and "<" not in text:
        return 0.0
    damaged = [m.span() for m in _DAMAGED.finditer(text)]
    if not damaged:
        return 0.0
    total = sum(end - start for start, end in damaged)
    at = 0
    for match in _WHOLE.finditer(text):
        start, end = match.span()
        while at < len(damaged) and damaged[at][1] + REACH < start:
            at += 1
        if at == len(damaged):
            break
        # Parts of a damaged piece are counted already; the pieces are in order, so a look at two is enough.
        inside = any(s < end and start < e for s, e in damaged[at : at + 2])
        if damaged[at][0] - REACH <= end and not inside:
            total += end - start
    return float(min(total / len(text), 1.0))
