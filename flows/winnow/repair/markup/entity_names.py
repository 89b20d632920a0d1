"""Names of character references, and what they stand for by the HTML standard."""

from __future__ import annotations

import html.entities


def _names(line: str) -> frozenset[str]:
    return frozenset(line.split())


NAMED: dict[str, str] = dict(html.entities.html5)
"""All named character references of the HTML standard; names end in a semicolon unless the standard allows none."""

LEGACY = frozenset(name for name in NAMED if not name.endswith(";"))
"""Names that browsers decode without a semicolon."""

CP1252 = {
    number: bytes([number]).decode("cp1252", "ignore") or chr(number) for number in range(0x80, 0xA0)
}  # numeric references to C1 controls are Windows-1252 by the standard; the five free places stay controls

HTML4 = frozenset(html.entities.name2codepoint)
"""The 252 names people really used; the 2,000 younger ones are mathematics that hardly stands in prose."""

MARKUP = ("lt", "gt", "amp", "quot", "apos", "nbsp")
TYPOGRAPHIC = (
    "rsquo", "lsquo", "rdquo", "ldquo", "mdash", "ndash", "hellip", "bull", "middot", "laquo", "raquo", "sbquo",
    "bdquo", "ensp", "emsp", "thinsp", "shy", "copy", "reg", "trade", "euro", "pound", "deg", "sect", "para", "times",
    "eacute", "egrave", "agrave", "ccedil", "uuml", "ouml", "auml", "szlig", "ntilde", "iacute", "oacute", "aacute",
)  # fmt: skip
"""Names common in articles, longest list that is still safe to look for when spaces stand inside them."""

SAFE_SPACED = (
    "lt",
    "gt",
    "amp",
    "quot",
    "apos",
    "nbsp",
    "rsquo",
    "lsquo",
    "rdquo",
    "ldquo",
    "mdash",
    "ndash",
    "hellip",
)
"""No programmer's variable is called so: ``& lsquo ;`` is no bitwise and."""

UNSPELT = _names("nbsp quot rsquo lsquo rdquo ldquo mdash ndash hellip pound thinsp trade euro zwnj")
"""Names that a misspelling is taken back to; short ones and rare ones would be guesses."""

ALSO_WORDS = _names("""
    and in it not or because between part real times top order half check late phone star period cup union die
    natural race range trade cross product female plus pre therefore block image male map prime square bottom
    cent copy mid ring target equal exist flat leg models sub dollar empty smile cap element exists hat clubs
    gap semi sharp diamond angle hearts ratio del sum bull grave parallel pound quest bullet caps lap par shy
    proportion blank cups divide easter euro les micro tab dot implies integral acute bump dash expectation fork
    minus intersection lang comp marker sung triangle int bot complement prop sim assign equals rang sol colon
    equilibrium proportional wedge dagger subset succeeds approx complexes div malt wreath image reg para sect
    nap eng yen icy alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho
    sigma tau upsilon phi chi psi omega planck pitchfork naturals integers frown caron thorn reals spades
    maltese hyphen comma primes
""")
"""Names that are words or identifiers too; without their semicolon they say nothing."""


def numeric(digits: str) -> str:
    """The character for ``#NNN`` or ``#xHHH`` by the HTML standard.

    References to C1 controls mean Windows-1252; NUL, surrogates and numbers beyond Unicode give U+FFFD.

    >>> numeric("#8217"), numeric("#x92"), numeric("#0"), numeric("#x110000")
    ('’', '’', '�', '�')
    """
    body = digits[1:]
    base = 10
    if body[:1] in "xX":
        body, base = body[1:], 16
    body = body.lstrip("0")
    if len(body) > 7:  # beyond Unicode whatever follows; int() of a million digits would not be linear
        return "\ufffd"
    number = int(body or "0", base)
    if number in CP1252:
        return CP1252[number]
    if number == 0 or number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        return "\ufffd"
    return chr(number)
