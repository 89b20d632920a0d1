"""Character references: their names by the HTML standard, and where damage left some in a text.

They are found nested, spaced out, cut off and misspelt; whether they are damage is for `entities` to judge.
"""

from __future__ import annotations

import html.entities
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from winnow.base.html_names import COMMON_REFERENCES
from winnow.repair.encoding.plausible import is_word
from winnow.repair.engine.rule import Span
from winnow.repair.markup.tags import end_of_repeats
from winnow.repair.words.lexicon import lexicon_of
from winnow.repair.words.word_index import common_to, known_to

NAMED: dict[str, str] = dict(html.entities.html5)
"""All named character references of the HTML standard; names end in a semicolon unless the standard allows none."""

LEGACY = frozenset(name for name in NAMED if not name.endswith(";"))
"""Names that browsers decode without a semicolon."""

# Numeric references to C1 controls are Windows-1252 by the standard; the five free places stay controls.
CP1252 = {number: bytes([number]).decode("cp1252", "ignore") or chr(number) for number in range(0x80, 0xA0)}

HTML4 = frozenset(html.entities.name2codepoint)
"""The 252 names people really used; the 2,000 younger ones are mathematics that hardly stands in prose."""

OF_MARKUP = frozenset(("lt", "gt", "amp", "quot", "apos", "nbsp"))
TYPOGRAPHIC = frozenset("""
    rsquo lsquo rdquo ldquo mdash ndash hellip bull middot laquo raquo sbquo bdquo nbsp ensp emsp thinsp shy copy reg
    trade euro pound deg sect para times eacute egrave agrave ccedil uuml ouml auml szlig ntilde iacute oacute aacute
""".split())  # fmt: skip
"""Names of signs and letters that articles are full of."""

OFTEN_MISSPELT = frozenset("nbsp quot rsquo lsquo rdquo ldquo mdash ndash hellip pound thinsp trade euro zwnj".split())
"""Names that a misspelling is taken back to; short ones and rare ones would be guesses."""

UNMISTAKABLE = frozenset("""
    rsquo lsquo rdquo ldquo mdash ndash hellip sbquo bdquo ensp emsp thinsp zwnj zwj trade euro oelig scaron rarr larr
    lsaquo rsaquo permil
""".split())  # fmt: skip
"""Younger names that people write without their semicolon all the same, and that are no words."""

MAX_LONE = 40  # characters of a text that may be a reference and little else
MAX_FEW = 600  # characters of a text in which a name is counted
NO_WORD = 560  # centibels, see `lexicon`: rarer ones are what a name and a word may make by chance

ALSO_WORDS = frozenset("""
    and in it not or because between part real times top order half check late phone star period cup union die
    natural race range trade cross product female plus pre therefore block image male map prime square bottom
    cent copy mid ring target equal exist flat leg models sub dollar empty smile cap element exists hat clubs
    gap semi sharp diamond angle hearts ratio del sum bull grave parallel pound quest bullet caps lap par shy
    proportion blank cups divide easter euro les micro tab dot implies integral acute bump dash expectation fork
    minus intersection lang comp marker sung triangle int bot complement prop sim assign equals rang sol colon
    equilibrium proportional wedge dagger subset succeeds approx complexes div malt wreath image reg para sect
    nap eng yen icy alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho
    sigma tau upsilon phi chi psi omega planck pitchfork naturals integers frown caron thorn reals spades
    maltese hyphen comma primes vee ohm aleph bowtie lozenge numero tilde breve twixt natur checkmark excl ast succ rect
    iff ell sext trie hopf diam circ lates tosa becaus ord nis els ange beth gel ape prod cong tint lat num
    spar vert perp eth npr cir
""".split())  # fmt: skip
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
    if number == 0 or number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        return "\ufffd"
    return CP1252.get(number) or chr(number)


Kind = Literal["plain", "nested", "broken", "unfinished", "bare", "misspelt"]


class Reference(NamedTuple):
    """A character reference found in ``text[start:end]`` and the text it stands for."""

    start: int
    end: int
    value: str
    kind: Kind
    name: str


_GAP = r"[ \t\xa0]{0,5}"
_COMMON = "(?:" + "|".join(COMMON_REFERENCES) + r"|#\d{2,5})"
_LAYER = re.compile(
    rf"(?P<gap>{_GAP})(?:a(?P<b>{_GAP})m(?P<c>{_GAP})p|#0{{0,4}}38|#x0{{0,4}}26)(?:(?P<d>{_GAP});|(?<=amp)(?={_COMMON};))",
    re.IGNORECASE,
)
_TIGHT = re.compile(r"(#[0-9]+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]{0,31})(;?)")
_SURROGATES = re.compile(r"#(5535[6-8]|[xX][dD]83[c-eC-E]);&(?:amp;){0,9}#(5[67]\d{3}|[xX][dD][c-fC-F][0-9a-fA-F]{2});")
"""The halves of a picture, which a program escaped one by one. By the standard each is U+FFFD."""
_NUMBER = r"#(?:[ ]?[0-9]){2,7}|#[ ]?[xX](?:[ ]?[0-9a-fA-F]){2,6}"
_ACCENT = re.compile(
    r"[A-Za-z]{1,2}(?:acute|grave|circ|uml|tilde|cedil|slash|ring|lig|caron|ogon|macr|breve|dblac|strok)"
)
ACCENTED = frozenset(name[:-1] for name in NAMED if name.endswith(";") and _ACCENT.fullmatch(name[:-1]))
"""Names of accented letters and ligatures; no word or variable is called so."""
_QUOTES_AND_SPACES = (
    "laquo raquo sbquo bdquo lsaquo rsaquo iexcl iquest ensp emsp thinsp zwnj zwj frac12 frac14 frac34".split()
)
_APART = "|".join(
    ["[ \\t\\xa0]?;?".join(name) + "(?![A-Za-z])" for name in COMMON_REFERENCES]
    + [" ?".join(name) + r"(?=\s{0,5};)" for name in (*sorted(ACCENTED), *_QUOTES_AND_SPACES)]
)  # nobody calls a variable so: "& rsquo ;" and "& eacute ;" are no bitwise and
_SPACED = re.compile(rf"{_GAP}({_APART}|{_NUMBER}){_GAP};", re.IGNORECASE)
_SPREAD = 80  # characters: more than the longest of these can take
_LETTERS_APART = re.compile(r"([A-Za-z](?: ?[A-Za-z0-9]){1,18}) ?;")
_CUT_AMP = re.compile(r"(?:amp|am|a)(?=\s|\Z)")
_CUT_LESS = re.compile(
    r" ?l(?: ?t)?(?= ?/? ?(?:b ?r|p|l ?i|t ?d|t ?r|t ?h|u ?l|o ?l|d ?i ?v|s ?t ?r ?o ?n ?g|e ?m) ?/? ?(?:>|& ?g))",
    re.IGNORECASE,
)
_LONG = tuple(name[:-1] for name in NAMED if len(name) > 7 and name.endswith(";") and name.islower())
_ALONE = re.compile(r"([a-z]{5,30});")  # a text that is a name and no word: its ampersand is lost
# No word begins so; a name that stands by itself is judged by what is around it.
_GLUED = re.compile(
    r"nbsp|(?:[lr][sd]quo|[bs][bd]quo|[mn]dash|hellip)(?=.)|apos(?=(?:s|t|d|m|re|ve|ll)\Z)|quot(?=[A-Z][a-z])"
    r"|copy(?=(?:19|20)\d\d\Z)|(?:pound|euro)(?=\d)"
)
_RUN = re.compile(r"(&(?:amp;){0,9}#?\w{1,9};)\1{7}")  # the same one over and over is one place
# Each is looked for by its first sign alone, which is found far faster than one of several.
_AMPERSAND = re.compile(
    r"&(?:((?:amp;){0,9})(#[0-9]{1,7}|#x[0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{0,31});"
    r"|(?=[ \t\xa0]{0,5}[A-Za-z#]|;[A-Za-z]))"
)
_END_OF_BARE = re.compile(r";(?<=[pt ];)")  # `p` and `t` end all of these names
# German words end so: fügt; hält;
_BARE = re.compile(r"(?<![A-Za-z\u00c0-\u024f\u0300-\u036f&;])(?:amp|nbsp|lt|gt|quot) ?\Z|(?<=[a-z])(amp)\Z")
_LAYERED = re.compile(r"[a-z]{2,6};")


def references(text: str) -> Iterator[Reference]:
    """Every place that is, or may once have been, a character reference, from left to right.

    Bounded look-ahead at each ampersand, so linear in the length of the text.

    >>> [(r.value, r.kind) for r in references("&amp;amp;lt;p> & lt ;/p> &eacute; &rsqo; R&D; &b;")]
    [('<', 'nested'), ('<', 'broken'), ('é', 'plain'), ('’', 'misspelt')]
    """
    if len(text) < 32 and (alone := _ALONE.fullmatch(text)) and alone[1] + ";" in NAMED:
        if alone[1] not in ALSO_WORDS:
            yield Reference(0, len(text), NAMED[alone[1] + ";"], "bare", alone[1])
        return
    at = 0
    ampersand = _AMPERSAND.search(text)
    while True:
        if ampersand and ampersand.start() < at:
            ampersand = _AMPERSAND.search(text, at)
        start = ampersand.start() if ampersand else len(text)
        if text.find(";", at, start) >= 0 and (bare := _next_bare(text, at, start)):
            start, end = bare
            reference = _bare(text, start, text[start:end])
        elif ampersand is None:
            return
        elif (name := ampersand[2]) and (value := _settled(name)):
            reference = Reference(start, ampersand.end(), value, "nested" if ampersand[1] else "plain", name)
        else:
            reference = _at_ampersand(text, start)
        if reference is None:
            at = start + 1
            continue
        if text.startswith("&", reference.end):  # the same one may stand there again
            run = _RUN.match(text, start)
            if run and run.end(1) == reference.end:
                end = end_of_repeats(text, start, run.end(1))
                times = (end - start) // (run.end(1) - start)
                reference = reference._replace(end=end, value=reference.value * times)
        yield reference
        at = reference.end


def _next_bare(text: str, low: int, high: int) -> Span | None:
    """Where in ``text[low:high]`` the next name stands that has lost its ampersand.

    Looked for from their ends, of which a text has few, for letters would be looked at one by one.
    """
    for found in _END_OF_BARE.finditer(text, low, high):
        start, end = found.span()
        if text[start - 2 : start] in ("lt", "gt") and start - 2 >= low and _is_bracket(text, start):
            return start - 2, end
        bare = _BARE.search(text, max(low, start - 5), start)
        if bare and (bare[1] is None or _LAYERED.match(text, end)):
            return bare.start(), end
    return None


_BEFORE_NOUN = re.compile(
    r"(?i)\b(?:the|an?|this|that|my|your|his|her|its|our|their|each|every|one|no|any|old|new|guitar|bass|tube|valve|power"
    r"|to|from|with|of) \Z"
)


# After a figure these are litres, gross tons and amperes: "2 lt; 3 kg", where "1 lt; 2" compares.
_FIGURE = re.compile(r"\d ?\Z")
_NO_COMPARISON = re.compile(r"\s{0,3}(?:\d[\d.,]{0,9}\s?)?[^\W\d_]")
_NO_AND = re.compile(r"\s{0,3}(?:\d[\d.,]{0,9}\s?)?[a-zµ]")


def _bare(text: str, start: int, matched: str) -> Reference | None:
    """What has lost its ampersand: ``nbsp;`` ``amp;lt;``."""
    name = matched.rstrip(" ;")
    end = start + len(matched)
    if name == "amp" and _BEFORE_NOUN.search(text, max(0, start - 12), start):
        return None  # what a guitar is plugged into
    unit = _NO_AND if name == "amp" else _NO_COMPARISON if name in ("lt", "gt") else None
    if unit and _FIGURE.search(text, max(0, start - 2), start) and unit.match(text, end):
        return None
    if name == "amp":
        inner = _at_ampersand(text, end - 1, layers=1)
        if inner is not None and inner.name != "amp":
            return Reference(start, inner.end, inner.value, "nested", inner.name)
    return Reference(start, end, NAMED[name + ";"], "bare", name)


def _at_ampersand(text: str, start: int, layers: int = 0) -> Reference | None:
    """The reference that begins with the ampersand at `start`, all layers of escaping taken off."""
    at = start + 1
    spaced = False
    while layer := _LAYER.match(text, at):
        if layer["gap"] and layers and not layer["d"] and not layer["b"]:
            break  # "&amp; amp;" is an ampersand and a word
        spaced = spaced or bool(layer["gap"] or layer["b"] or layer["c"] or layer["d"])
        layers += 1
        at = layer.end()
    of_amp: Kind = "broken" if spaced else "nested" if layers > 1 else "plain"
    if layers and text[at : at + 1] == "&":
        return Reference(start, at, "&", of_amp, "amp")
    if text.startswith("#", at) and (pair := _SURROGATES.match(text, at)):
        picture = bytes.fromhex("".join(_hexadecimal(half) for half in pair.groups())).decode("utf-16-be", "replace")
        if len(picture) == 1:
            return Reference(start, pair.end(), picture, "nested" if layers else "plain", "#" + pair[1])
    final = _TIGHT.match(text, at)
    if final and final[2] and (value := _value(final[1])):
        value = _cased(value, text[start - 1 : start], final[1], text[final.end() : final.end() + 1])
        return Reference(start, final.end(), value, "broken" if spaced else "nested" if layers else "plain", final[1])
    if text.find(";", at, at + _SPREAD) >= 0 and (apart := _SPACED.match(text, at)):
        name = re.sub(r"[ \t\xa0;]", "", apart[1])
        if value := _value(name):
            return Reference(start, apart.end(), value, "broken", name)
    if cut := _CUT_LESS.match(text, at):
        return Reference(start, cut.end(), "<", "broken", "lt")
    if layers:
        if layers > 1 and text[at - 1] == ";" and (cut := _CUT_AMP.match(text, at)):
            at = cut.end()
        return Reference(start, at, "&", of_amp, "amp")
    if final and not final[2]:
        return _unfinished(text, start, final[1])
    return _misspelt(text, start, at)


def _hexadecimal(number: str) -> str:
    return number[1:] if number[0] in "xX" else f"{int(number):04x}"


def _value(name: str) -> str | None:
    """What a reference of that name stands for, in whatever case damage left it; None for no reference."""
    if name[0] == "#":
        return numeric(name)
    if value := NAMED.get(name + ";"):
        return value
    low = name.lower()
    if low in HTML4 and (name.isupper() or name.istitle()):  # &NBSP; &Pound;
        return NAMED.get(low + ";")
    if name[:1].isupper() and name[0] + low[1:] in HTML4:
        return NAMED[name[0] + low[1:] + ";"]
    return None


@lru_cache(maxsize=4096)
def _settled(name: str) -> str | None:
    """The same of a name that means it whatever stands about it: no layer of escaping, half of a picture, or capitals.

    >>> [_settled(name) for name in ("rsquo", "#38", "ampamp", "UUML", "#55357", "no")]
    ['’', None, None, None, None, None]
    """
    value = None if name.isupper() else _value(name)
    return None if value in ("\ufffd", "&") else value


def _cased(value: str, before: str, name: str, after: str) -> str:
    """The letter as a capital where its name was put in capitals with the word it stands in: ``M&UUML;NCHEN``.

    >>> _cased("ü", "M", "UUML", "N"), _cased("ü", "m", "UUML", "n"), _cased("ü", "M", "uuml", "N")
    ('Ü', 'ü', 'ü')
    """
    beside = [sign for sign in (before, after) if sign.isalpha()]
    raised = name.isupper() and len(name) > 2 and beside and all(map(str.isupper, beside))
    return value.upper() if raised and len(value.upper()) == 1 else value


def _unfinished(text: str, start: int, name: str) -> Reference | None:
    """A reference that has lost its semicolon, or holds a space before it; a name that begins a word is none.

    >>> [r.name for r in references("Law&order, the &notation, caf&eacute au lait, 3 &times 4, old&times, &copy 2015")]
    ['eacute', 'times', 'copy']
    """
    after = start + 1 + len(name)
    if name[0] == "#":
        return Reference(start, after, numeric(name), "unfinished", name)
    if (glued := _GLUED.match(name)) and name + ";" not in NAMED:
        return Reference(start, start + 1 + glued.end(), NAMED[glued[0] + ";"], "unfinished", glued[0])
    if not text[after : after + 1].isalnum() and (name in LEGACY or name + ";" in NAMED):
        spaced = text[after : after + 2] == " ;"
        if spaced or _stands_for_sign(text, start, name):
            return Reference(start, after + 2 * spaced, NAMED[name + ";"], "unfinished", name)
    elif (known := _beginning(text, start, name)) is not None:
        return Reference(start, start + 1 + len(known), NAMED[known + ";"], "unfinished", known)
    return _misspelt(text, start, start + 1)


def _stands_for_sign(text: str, start: int, name: str) -> bool:
    """Whether a name without semicolon can hardly be anything else: no word, or beside a number or a reference."""
    after = start + 1 + len(name)
    before, follows = text[start - 1 : start], text[after : after + 1]
    if start == 0 and not follows:
        return name in LEGACY  # nothing around it that would say more than the standard does
    if name.lower() not in ALSO_WORDS:
        if name in LEGACY or name in UNMISTAKABLE:
            return True
        beside = before.isspace() or _in_company(text, start, name)
        if len(name) > 2 and beside and not _is_joined(text, start, name):
            return True
    if follows == "&" and not before.isspace():
        return True
    if name in _GREEK and (_SUBSTANCE.search(text, max(0, start - 12), start) or _OF_SCIENCE.match(text, after)):
        return True
    if (name not in LEGACY and name != "euro") or before.isalnum():
        return False
    return text[after : after + 2].strip()[:1].isdigit() or text[max(start - 2, 0) : start].strip()[-1:].isdigit()


_BEHIND_WORD = re.compile(r"[^\W\d_]{2}[\"'”’)]?\s?\Z")


def _is_joined(text: str, start: int, name: str) -> bool:
    """Whether the ampersand says "and" between words, of which one is a name too: ``Black &Star``, ``Salz&Topf``."""
    parted = name[0].isupper() or (text[start - 1].isspace() and text.count("&" + name, max(0, start - MAX_FEW)) < 2)
    return parted and _BEHIND_WORD.search(text, max(0, start - 4), start) is not None and known_to(name.lower()) > 0


_GREEK = frozenset("alpha beta gamma delta epsilon kappa lambda mu omega sigma tau zeta".split())
LETTERS = ACCENTED | _GREEK
_SUBSTANCE = re.compile(r"(?<![\w=&?/\[-])(?:[A-Z][A-Za-z]{1,5}-|[A-Z]{2,5}-?\d{1,2}-?)\Z")
_OF_SCIENCE = re.compile(
    r"-(?:\d(?![\w.])|(?:actin|adrenergic|amylase|amyloid|blocker|carotene|catenin|cell|galactosidase|globulin|glucan|glucosidase"
    r"|helical|helices|helix|lactam|linolenic|opioid|ray|secretase|sheet|synuclein|thalassemia|tocopherol|tubulin)s?\b)"
)
"""What a Greek letter stands behind, ``TNF-&alpha``, or before, ``&beta-carotene``, and no variable does."""


def _beginning(text: str, start: int, run: str) -> str | None:
    """The name that a run of letters begins with, where the run begins with no word and more speaks for the name."""
    if sure := _of_bare_tag(text, start, run) or _of_accented_word(text, start, run):
        return sure
    known = next((run[:n] for n in range(len(run) - 1, 2, -1) if run[:n] in LEGACY or run[:n] + ";" in NAMED), None)
    if known is None or known in ALSO_WORDS - LEGACY or not run.islower() or not _in_company(text, start, known):
        return None
    english = lexicon_of("en").costs
    if run in english or any(english.get(run[:n], NO_WORD) < NO_WORD for n in range(len(known) + 1, len(run))):
        return None
    return known


_ELEMENT = r"(?:[abipu]|br|em|h[1-6]|li|[ou]l|strong|div|span|su[bp]|t[dhr]|table|img|font|center)"
_BARE_TAG = re.compile(rf"&lt/?{_ELEMENT}(?:[ /][^&<>\n]{{0,100}})?&gt")
_BEFORE_GT = re.compile(rf"&lt;?/?{_ELEMENT}(?:[ /][^&<>\n]{{0,100}})?\Z")
_BEHIND_LT = re.compile(rf"/?{_ELEMENT}(?:[ /][^&<>;\n]{{0,100}})?gt;")
_BEFORE_BARE_GT = re.compile(rf"(?:lt;|<)/?{_ELEMENT}(?:[ /][^&<>;\n]{{0,100}})?\Z")


def _is_bracket(text: str, at: int) -> bool:
    """Whether the semicolon at `at` ends a tag's ``lt;`` or ``gt;`` that has no ampersand: ``lt;pgt;wordlt;/pgt;``."""
    if text[at - 2] == "l":
        return _BEHIND_LT.match(text, at + 1) is not None
    return _BEFORE_BARE_GT.search(text, max(0, at - 120), at - 2) is not None


_SPANISH = re.compile(r"(iquest|iexcl)[A-ZÁÉÍÓÚÑ]")


def _of_bare_tag(text: str, start: int, run: str) -> str | None:
    """``lt`` and ``gt`` about an element's name, ``&ltb&gt``; a Spanish sign before a capital; ``20 &degC``."""
    if run.startswith("lt") and _BARE_TAG.match(text, start):
        return "lt"
    if run.startswith("gt") and _BEFORE_GT.search(text, max(0, start - 120), start):
        return "gt"
    if run in ("degC", "degF") and text[max(start - 2, 0) : start].strip()[-1:].isdigit():
        return "deg"
    spanish = _SPANISH.match(run)
    return spanish[1] if spanish and not text[max(0, start - 1) : start].isalnum() else None


_LETTERS_BEFORE = re.compile(r"[^\W\d_]{1,30}\Z")


def _of_accented_word(text: str, start: int, run: str) -> str | None:
    """The name of a letter with which letters about it make a known word: ``na&iumlve``, ``&ecirctre``."""
    before = _LETTERS_BEFORE.search(text, max(0, start - 30), start)
    name = next((run[:n] for n in range(min(len(run) - 1, 6), 2, -1) if run[:n] in LEGACY or run[:n] in ACCENTED), None)
    if name is None or not (value := NAMED[name + ";"]).isalpha() or value in "ªº":
        return None
    rest = _REST_OF_WORD.match(text, start + 1 + len(name))
    word = (before[0] if before else "") + value + (_REFERENCE_IN_WORD.sub(_letter, rest[0]) if rest else "")
    return name if (before or name in ACCENTED) and is_word(word) else None


_REFERENCE_IN_WORD = re.compile(rf"&({'|'.join(sorted(ACCENTED))});?")
_REST_OF_WORD = re.compile(rf"(?:{_REFERENCE_IN_WORD.pattern}|[^\W\d_]){{1,30}}")


def _letter(reference: re.Match[str]) -> str:
    return NAMED[reference[1] + ";"]


def _in_company(text: str, start: int, name: str) -> bool:
    """Whether the name begins a text without spaces, or hangs on something in one, or stands in the text again."""
    if len(text) <= MAX_FEW and text.count("&" + name) > 1:
        return True
    return len(text) <= MAX_LONE and (start == 0 or text.endswith("&" + name)) and not any(map(str.isspace, text))


def _misspelt(text: str, start: int, at: int) -> Reference | None:
    """``&nbs;`` ``&poumd;`` ``&p ound;`` ``&;ang;``: one letter or sign too many, too few, changed or swapped."""
    if text[at] == ";" and (found := _TIGHT.match(text, at + 1)) and found[2] and (value := _value(found[1])):
        return Reference(start, found.end(), value, "misspelt", found[1])
    found = _LETTERS_APART.match(text, at)
    if found is None or at != start + 1:
        return None
    name = found[1].replace(" ", "")
    low = name.lower()
    if len(low) < 3:
        return None
    for known in (name, low):
        if known + ";" in NAMED and (known != name or name != found[1] or text[found.end() - 2] == " "):
            return Reference(start, found.end(), NAMED[known + ";"], "misspelt", known)
    if common_to(low) and not text[found.end() : found.end() + 1].isalnum() and _is_joined(text, start, found[1]):
        return None  # ``lost &found; and``
    near = [known for known in OFTEN_MISSPELT if one_letter_off(low, known)]
    if not near and len(low) >= 8:  # long names are unlike one another
        near = [known for known in _LONG if one_letter_off(low, known)]
    if len(near) == 1:
        return Reference(start, found.end(), NAMED[near[0] + ";"], "misspelt", near[0])
    return None


def one_letter_off(word: str, known: str) -> bool:
    """Whether `word` is `known` with one letter lost, added, changed, or two neighbours swapped.

    >>> [one_letter_off(w, "nbsp") for w in ("nbs", "nnbsp", "npsp", "nsbp", "nbsp", "nb")]
    [True, True, True, True, False, False]
    """
    if word == known or abs(len(word) - len(known)) > 1:
        return False
    at = 0
    while at < min(len(word), len(known)) and word[at] == known[at]:
        at += 1
    rest, true = word[at:], known[at:]
    swapped = rest[1:2] + rest[:1] + rest[2:]
    return true in (rest[1:], swapped) or true[1:] in (rest, rest[1:])
