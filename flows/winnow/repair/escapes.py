r"""Layers of escaping that a program left in prose: ``_x000D_``, ``=C3=A9``, ``%20``, ``\n``.

Each is undone with proof alone: it decodes to words, or the layer's own marks are there. Code, addresses, paths and
texts that speak of escapes keep theirs.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterator
from email.errors import MessageError
from email.header import decode_header
from urllib.parse import unquote

from winnow.repair.encoding.charmaps import undo_runs
from winnow.repair.encoding.plausible import are_words, is_word, strange, word_around, words
from winnow.repair.engine.rule import Change, Evidence, Rule, Span, apply_changes, compiled, in_any_case, line_end

MAX_TOKEN = 400  # characters of a token that may be escaped words

_ABOUT = re.compile(
    r"(?i)\b(?:escap\w*|unicode|utf-?[78]|ascii|regex\w*|json|charsets?|code ?points?|quoted[- ]printable"
    r"|url[- ]?encod\w*|percent[- ]encod\w*|(?:en|de)cod\w*|backslash\w*|ooxml|html|urls?|entit\w+|newlines?|hex\w*)\b"
)
_CODE = re.compile(
    r"\b(?:printf?|echo|return|def|var|const|function|import|console|String|assert|puts|re\.\w+)\b ?[\(\"'=;.]"
    r"|[{}]\s*(?:\n|$)|;\s*$|==|=>|\\[\\dwsbxDWSB][+*\[\\]|\[\\u|/[a-z]{0,3};|[\"'][^\"'\n]{0,80}\\[nrtux][^\"'\n]{0,80}[\"']\s*[,);\]}]",
    re.MULTILINE,
)  # fmt: skip


# Both in RE2's syntax, and somewhat wider.
_MAY_BE_ABOUT = in_any_case(_ABOUT.pattern.replace(r"\w+", r"\w*"))
_MAY_BE_CODE = (
    r"(?:printf?|echo|return|def|var|const|function|import|console|String|assert|puts|re\.[\pL\pN_]+) ?[(\"'=;.]"
    r"|[{}]|;[\s\v\x{1c}-\x{1f}\x{85}\pZ]*(?:\n|\z)|==|=>|\\[\\dwsbxDWSB][+*\[\\]|\[\\u|/[a-z]{0,3};"
    r"|[\"'][^\"'\n]*\\[nrtux][^\"'\n]*[\"']"
)
_LONGEST = 20  # characters of a word above, of which the wider expression may have seen one letter only


def _holds(text: str, pattern: re.Pattern[str], wider: str) -> bool:
    """Whether an expression matches: looked for from where the wider one does, which takes a fifth of the time."""
    raw = text.encode("utf-8", "surrogatepass")
    if (first := compiled(wider).search(raw)) is None:
        return False
    before = raw[: first.start()].decode("utf-8", "surrogatepass")
    return pattern.search(text, max(0, len(before) - _LONGEST)) is not None


def is_about(text: str) -> bool:
    """Whether a text speaks of escapes and encodings."""
    return _holds(text, _ABOUT, _MAY_BE_ABOUT)


def is_code(text: str) -> bool:
    """Whether a text is code, or speaks of escapes."""
    return is_about(text) or _holds(text, _CODE, _MAY_BE_CODE)


# What begins with its sign is found far faster, here and below, than what begins with a run, or a look behind it.
_BYTES = re.compile(
    r"\\(?:x[89a-fA-F][0-9a-fA-F](?:\\x[89a-fA-F][0-9a-fA-F])*"
    r"|3[0-6][0-7](?:\\2[0-7]{2}){1,3}(?:\\3[0-6][0-7](?:\\2[0-7]{2}){1,3})*)"
)
_LITERAL = re.compile(r"[\"'](?<=\b[bu].)|\\x[0-7][0-9a-fA-F]")


def undo_byte_escapes(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""Undo ``caf\xc3\xa9`` and ``caf\xe9``, bytes written out, in prose where each decodes and one makes a word.

    They are UTF-8, in octal figures too, or, where they cannot be, Windows-1252: half of the words must be known then.

    >>> BYTE_ESCAPES(r"the caf\xc3\xa9\xe2\x80\x99s lease"), BYTE_ESCAPES(r"the caf\xe9 didn\x92t")
    ('the café’s lease', 'the café didn’t')
    >>> BYTE_ESCAPES(r"bytes b'caf\xc3\xa9'"), BYTE_ESCAPES(r"caf\xe9 stands for café")
    ("bytes b'caf\\xc3\\xa9'", 'caf\\xe9 stands for café')
    >>> BYTE_ESCAPES(r"the caf\xc3\x83\xc2\xa9 of old")  # which is judged by what it was before
    'the cafÃ© of old'
    """
    if _LITERAL.search(text) or evidence.once(is_code, text):
        return
    found = list(_BYTES.finditer(text))
    raw = [bytes(int(d[1:], 16) if d[0] == "x" else int(d, 8) for d in m[0].split("\\")[1:]) for m in found]
    for charset in ("utf-8", "cp1252"):
        try:
            read = [piece.decode(charset) for piece in raw]
        except UnicodeDecodeError:
            continue
        plain = list(map(undo_runs, read))
        if any(not after.isprintable() and after.strip("\xa0") for after in plain):
            return
        around = [word_around(text, m.start(), m.end(), after) for m, after in zip(found, plain, strict=True)]
        made = [word.split("’")[0] for token in around for word in words(token)]
        spelled = [word for word in made if not word.isascii()]
        n_known = sum(map(is_word, spelled))
        if charset == "utf-8":
            at_length = any(len(after) > 3 and strange(after) == 0 for after in plain)  # in any writing system
            proven = (
                n_known > 1
                or (n_known and any(len(word) > 1 for word in spelled))
                or at_length
                or (len(plain) > 1 and all(after in "‘’“”–—…" for after in plain))
            )
        else:
            in_word = sum(
                after == "’" and len(token) > 2 and are_words(token) for after, token in zip(read, around, strict=True)
            )
            sure = sum(len(word) > 2 and is_word(word) for word in spelled)
            proven = sure + in_word > 0 and 2 * n_known >= len(spelled) and set(words(text)).isdisjoint(spelled)
        if proven:
            yield from (Change(m.start(), m.end(), after, 0.8) for m, after in zip(found, read, strict=True))
        return


_ESCAPED_QUOTE = re.compile(r"\\\\{0,2}(['\"/])")
_ESCAPED_ADDRESS = re.compile(r"\bhttps?:\\/\\/\w")
_IN_WORD = re.compile(r"[A-Za-z]\\{1,3}'[A-Za-z]")
_RTF_BYTE = re.compile(r"\\'(?:\d[0-9a-fA-F]|[a-fA-F]\d)")


def undo_escaped_quotes(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""Undo ``didn\'t``, ``\"so\"`` and ``http:\/\/``, which databases and JSON leave in prose.

    Only where no such quote or slash stands without its backslash, as the ends of a program's string or expression do.

    >>> ESCAPED_QUOTES(r"O\'Brien didn\'t say \"no\"."), ESCAPED_QUOTES(r"print('didn\'t')")
    ('O\'Brien didn\'t say "no".', "print('didn\\'t')")
    """
    found = list(_ESCAPED_QUOTE.finditer(text))
    if text.count("\\") != sum(m.end() - m.start() - 1 for m in found):
        return
    if evidence.once(is_code, text) or _RTF_BYTE.search(text):
        return
    n_double = sum(m[1] == '"' for m in found)
    n_slashes = sum(m[1] == "/" for m in found)
    n_single = len(found) - n_double - n_slashes
    undone = {
        '"': n_double % 2 == 0 and text.count('"') == n_double,
        "'": text.count("'") == n_single and _IN_WORD.search(text) is not None,
    }
    by_json = _ESCAPED_ADDRESS.search(text) is not None or (undone['"'] and n_double > 0)
    undone["/"] = by_json and text.count("/") == n_slashes
    for m in found:
        if undone[m[1]]:
            yield Change(m.start(), m.end(), m[1], 0.7)


_ACCENTS = {
    "'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "c": "\u0327", "v": "\u030c", "u": "\u0306", "H": "\u030b", "k": "\u0328", "r": "\u030a",
}  # fmt: skip
_LIGATURES = {
    "ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "aa": "å", "AA": "Å", "l": "ł", "L": "Ł",
    "i": "ı",
}  # fmt: skip
_TEX = re.compile(
    r"""(?P<brace>\{)?\\(?:(?P<sign>['`^"~=.])(?:\{(?P<a>\\i|[A-Za-z])\}|(?P<bare>\\i(?![A-Za-z])|[A-Za-z]))"""
    r"""|(?P<name>[cvuHkr])(?:\{(?P<b>[A-Za-z])\}|[ ](?P<c>[A-Za-z])(?=\}))"""
    r"""|(?P<ligature>ss|ae|AE|oe|OE|aa|AA|[oOlLi])(?![A-Za-z])(?P<empty>\{\})?)(?(brace)\})"""
)
_TEX_SOURCE = re.compile(
    r"\\(?:begin|section|emph|text\w\w|cite\w*|ref|label|frac|item)\b|\$[^$\n]{1,200}\$|@[a-z]{4,20}\{"
)


def _tex_accents(text: str) -> Iterator[re.Match[str]]:
    """What `finditer` gives; looked for from backslashes, for each character of a text may begin it otherwise."""
    end = at = 0
    while (at := text.find("\\", at)) >= 0:
        braced = at > end and text[at - 1] == "{" and _TEX.match(text, at - 1)
        if found := braced or _TEX.match(text, at):
            yield found
            end = found.end()
        at = max(at + 1, end)


def undo_tex_accents(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""Undo the accents of TeX in names and prose: ``G{\"o}del``, ``Fran\c{c}ois``, ``M\"uller``.

    A letter in braces is proof. One without is undone where it makes a word of what is none. TeX source keeps its own.

    >>> TEX_ACCENTS(r"by G{\"o}del, Erd\H{o}s and Fran\c{c}ois over M\"unchen")
    'by Gödel, Erdős and François over München'
    >>> TEX_ACCENTS(r"\emph{G{\"o}del}") == r"\emph{G{\"o}del}", TEX_ACCENTS(r"d\'accord, \"a\"") == r"d\'accord, \"a\""
    (True, True)
    """
    if _TEX_SOURCE.search(text) or _RTF_BYTE.search(text):
        return
    every = list(_tex_accents(text))
    if not every or is_code(apply_changes(text, (Change(found.start(), found.end(), "") for found in every))):
        return
    for found in every:
        g = found.groupdict()
        base = g["a"] or g["bare"] or g["b"] or g["c"]
        braced = g["brace"] or g["a"] or g["b"] or g["empty"]
        if base is None:
            after = _LIGATURES[g["ligature"]]
        else:
            after = unicodedata.normalize("NFC", base[-1] + _ACCENTS[g["sign"] or g["name"]])
        if len(after) > 1 or not (braced or g["bare"]):
            continue
        left, _, right = word_around(text, found.start(), found.end(), "\x00").partition("\x00")
        right = found[0][-1] + right  # behind what would be an escaped quote, or an apostrophe
        joined = left and g["sign"] != "'" and not is_word(left) and not is_word(right)
        if (
            braced
            or joined
            or (is_word(left + after + right[1:]) and not is_word(f"{left}’{right}" if left else right))
        ):
            yield Change(found.start(), found.end(), after, 0.8)


_OOXML = re.compile(r"_x([0-9A-Fa-f]{4})_")


def undo_ooxml_escapes(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""Undo ``_x000D_``, which Office writes for what XML cannot hold; ``_x005F_x000D_`` is how it writes that itself.

    >>> OOXML_ESCAPES("one_x000D_\ntwo_x0009_three"), OOXML_ESCAPES("_x005F_x000D_ and item_x0041_b")
    ('one\ntwo\tthree', '_x005F_x000D_ and item_x0041_b')
    """
    if "_x005F" in text or "_x005f" in text or is_about(text):
        return
    for found in _OOXML.finditer(text):
        char = chr(int(found[1], 16))
        before, after = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
        if before and before in "'\"`" and before == after:
            continue
        if char in "\r\n":
            again = text.startswith(("_x000A_", "_x000a_"), found.end())
            yield Change(found.start(), found.end(), "" if after in ("\n", "\r") or again else "\n", 0.9)
        elif char == "\t":
            yield Change(found.start(), found.end(), "\t", 0.9)
        elif char < " ":
            yield Change(found.start(), found.end(), "" if before.isspace() or after.isspace() else " ", 0.9)
        elif char.isalpha() and char > "~" and is_word(word_around(text, found.start(), found.end(), char)):
            yield Change(found.start(), found.end(), char, 0.8)


_QUOTED = re.compile(r"=(?:[0-9A-F]{2}(?:=[0-9A-F]{2})*|[ \t]{0,3}\n)")
_BARE_EQUALS = re.compile(r"=(?![0-9A-F]{2}|[ \t]{0,3}\n)")
_SOFT = re.compile(r"=[ \t]{0,3}\n")


def undo_quoted_printable(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""Undo quoted-printable mail: ``=C3=A9``, ``=20`` at line ends, lines that ``=`` continues.

    Only where no sign of equality stands for itself, and where the bytes beyond ASCII are UTF-8 of known words, or
    lines are continued besides. Where they cannot be UTF-8 they are Windows-1252 and make words, each of them.

    >>> QUOTED_PRINTABLE("Ch=C3=A8re Madame,=20\nexp=C3=A9di=C3=A9e hi=\ner")
    'Chère Madame, \nexpédiée hier'
    >>> QUOTED_PRINTABLE("D=E9sol=E9, le caf=E9 est ferm=E9=20\n"), QUOTED_PRINTABLE("sizes A=E9, B=F1")
    ('Désolé, le café est fermé \n', 'sizes A=E9, B=F1')
    >>> QUOTED_PRINTABLE("is =C3=A9 an é?"), QUOTED_PRINTABLE("a=20, b=30\n")
    ('is =C3=A9 an é?', 'a=20, b=30\n')
    """
    if _BARE_EQUALS.search(text) or evidence.once(is_code, text):
        return
    for charset in ("utf-8", "cp1252"):
        try:
            changes = list(_unquoted(text, charset))
        except UnicodeDecodeError:
            continue
        beyond = sum(not c.after.isascii() for c in changes)
        continued = _SOFT.search(text) is not None
        if not beyond and not (continued and len(changes) > 2):
            return
        made = [word for word in words(undo_runs(apply_changes(text, changes))) if not word.isascii()]
        known = sum(map(is_word, made))
        at_length = any(map(_is_of_other_script, map(undo_runs, (c.after for c in changes))))
        if made and 2 * known < len(made) and not at_length:
            return
        lone = [c for c in changes if not c.after.isascii() and not text[c.start - 1 : c.start].isalpha()]
        if charset == "utf-8":
            proven = continued or (len(changes) > 1 and len(lone) < beyond) or at_length
        else:
            enough = continued or sum(len(word) > 2 for word in made) > 1
            proven = enough and known == len(made) > 0 and set(words(text)).isdisjoint(made)
        if proven:
            yield from changes
        return


def _is_of_other_script(after: str) -> bool:
    """Whether a run of escapes is several letters of another script than the Latin one."""
    return len(after) > (1 if after > "\u2e80" else 3) and min(after) > "\u0370" and not strange(after)


def _unquoted(text: str, charset: str) -> Iterator[Change]:
    for found in _QUOTED.finditer(text):
        after = "" if found[0][-1] == "\n" else bytes.fromhex(found[0].replace("=", "")).decode(charset)
        yield Change(found.start(), found.end(), after, 0.9)


_MAIL_WORD = r"=\?[A-Za-z][\w.-]{1,30}(?:\*\w{1,8})?\?[QqBb]\?[!->@-~]{1,400}\?="
_MAIL_WORDS = re.compile(rf"{_MAIL_WORD}(?:\s{{1,4}}{_MAIL_WORD})*")


def undo_mail_words(text: str, evidence: Evidence) -> Iterator[Change]:
    """Undo the encoded words of mail headers (RFC 2047), which archives leave in subjects and names.

    A character may be parted between two of them.

    >>> MAIL_WORDS("Re: =?UTF-8?Q?Caf=C3=A9_au?= =?UTF-8?Q?_lait?= and =?iso-8859-1?B?Q2Fm6Q==?=")
    'Re: Café au lait and Café'
    >>> MAIL_WORDS("is written as =?utf-8?Q?=C3=A9?= in a header that is decoded"), MAIL_WORDS("=?x?Q?a?=")
    ('is written as =?utf-8?Q?=C3=A9?= in a header that is decoded', '=?x?Q?a?=')
    """
    if is_about(_MAIL_WORDS.sub("", text)):
        return
    for found in _MAIL_WORDS.finditer(text):
        try:
            after = "".join(piece.decode(charset or "ascii") for piece, charset in decode_header(found[0]))
        except (ValueError, LookupError, MessageError):  # no charset of that name, or not its bytes
            continue
        if after.isprintable() and not strange(after):
            yield Change(found.start(), found.end(), after, 0.9)


_UTF7 = re.compile(r"\+([A-Za-z0-9+/]{3,120})(?:-|(?![A-Za-z0-9+/-]))")
_UTF7_LENGTHS = frozenset((0, 3, 6))  # of base64 for code units of 16 bits, beyond whole eights


def undo_utf7(text: str, evidence: Evidence) -> Iterator[Change]:
    """Undo UTF-7 (RFC 2152), in which old mail is: ``caf+AOk-``, where its letters make words.

    >>> UTF7("Le caf+AOk- est ferm+AOk- +AOA- midi, it+IBk-s late"), UTF7("A+ and AB+Rh-, +ABC-News")
    ('Le café est fermé à midi, it’s late', 'A+ and AB+Rh-, +ABC-News')
    """
    found = [(m, after) for m in _UTF7.finditer(text) if (after := _from_utf7(m[1])) is not None]
    if not found or evidence.once(is_code, text):
        return
    changes = [Change(m.start(), m.end(), after, 0.85) for m, after in found]
    made = [word for word in {*words(apply_changes(text, changes))} - {*words(text)} if not word.isascii()]
    known = [word for word in made if is_word(word.split("’")[0])]
    if any(len(word) > 2 for word in known) and 2 * len(known) > len(made):
        yield from changes


def _from_utf7(coded: str) -> str | None:
    """The characters of a run of UTF-7; None where it is none, or stands for what needs none."""
    if len(coded) % 8 not in _UTF7_LENGTHS:
        return None
    raw = base64.b64decode(coded + "=" * (-len(coded) % 4))
    size = len(coded) * 6 // 16 * 2
    if any(raw[size:]) or base64.b64encode(raw).rstrip(b"=") != coded.encode():
        return None
    try:
        after = raw[:size].decode("utf-16-be")
    except UnicodeDecodeError:
        return None
    return after if after.isprintable() and after > "\x7f" and not strange(after) else None


_PERCENT = re.compile(r"(?<!\S)[^\s%]{0,60}(?:%[0-9A-Fa-f]{2}[^\s%]{0,60}){1,130}(?!\S)")
SENTENCE = 5  # words
_OF_ADDRESS = re.compile(r"[/?&=@#\\<>{}\[\]$^`|_]|\w\.\w{2,4}$")


def undo_url_escapes(text: str, evidence: Evidence) -> Iterator[Change]:
    """Undo the escapes of addresses in words that stand in none: ``S%C3%A3o``, ``every%20one%20here``.

    >>> URL_ESCAPES("in S%C3%A3o Paulo, see%20you%20there"), URL_ESCAPES("x.org/S%C3%A3o, 5%20off, 100%25")
    ('in São Paulo, see you there', 'x.org/S%C3%A3o, 5%20off, 100%25')
    >>> URL_ESCAPES("S%C3%83%C2%A3o Paulo, %E4%BD%A0%E5%A5%BD")
    'São Paulo, 你好'
    """
    if evidence.once(is_code, text):
        return
    at = text.find("%")
    while at >= 0:
        end = line_end(text, at)
        yield from _unescaped(text, text.rfind("\n", 0, at) + 1, end)
        at = text.find("%", end)


def _unescaped(text: str, low: int, high: int) -> Iterator[Change]:
    for found in _PERCENT.finditer(text, low, high):
        token = found[0]
        if len(token) > MAX_TOKEN or _OF_ADDRESS.search(token):
            continue
        after = undo_runs(_unquoted_words(token))
        made = [part for word in words(after) for part in re.split("['’]", word)]
        enough = len(made) > (1 if after.isascii() else 2) or any(len(w) > 1 and not w.isascii() for w in made)
        sentence = len(made) >= SENTENCE  # may hold names and numbers
        n_unknown = len(made) - sum(map(is_word, made))
        known = 5 * n_unknown < len(made) if sentence else not n_unknown and not any(map(str.isdigit, after))
        known = known or _is_of_other_script("".join(filter(str.isalpha, after)))
        if after.isprintable() and enough and known:
            yield Change(found.start(), found.end(), after, 0.8)


def _unquoted_words(token: str) -> str:
    """A token without escapes, which are UTF-8 or else Windows-1252; of forms it has ``+`` for spaces.

    >>> _unquoted_words("caf%C3%A9+cr%C3%A8me"), _unquoted_words("caf%E9")
    ('café crème', 'café')
    """
    spaced = token if "%20" in token else token.replace("+", " ")
    try:
        return unquote(spaced, errors="strict")
    except UnicodeDecodeError:
        return unquote(spaced, "cp1252")


_LITERAL_END = re.compile(r"\\\\?(?:r\\{1,2}n|n|r)(?:[ \t]|\\{1,2}t)?")
_OTHER_ESCAPE = re.compile(r"\\(?!\\?[nrt\"'])")
_ENDS = frozenset('.!?:;,"”’)»…。！？：；」』،؟۔।>')
_BULLETS = ("-", "*", "•")


def undo_literal_line_ends(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""Make line ends of ``\n`` written out, where each stands where a paragraph ends and there are two at least.

    >>> LITERAL_LINE_ENDS(r"It ended.\n\nThen it began.\nSo be it.")
    'It ended.\n\nThen it began.\nSo be it.'
    >>> LITERAL_LINE_ENDS(r"C:\new\table and print a\nb"), LITERAL_LINE_ENDS(r"It ends with \n and \n alone.")
    ('C:\\new\\table and print a\\nb', 'It ends with \\n and \\n alone.')
    """
    if _OTHER_ESCAPE.search(text):
        return
    found: list[Span] = []
    for literal in _LITERAL_END.finditer(text):
        start, end = literal.span()
        after_blank = text[start - 1 : start] in (" ", "\t") and (not found or found[-1][1] < start)
        found.append((start - after_blank, end))
    if len(found) < 2 or evidence.once(is_code, text):
        return
    after_sentence = 0
    for n, (start, end) in enumerate(found):
        chained = n > 0 and found[n - 1][1] == start
        before, after = text[start - 1 : start], text[end : end + 1]
        follows = n + 1 < len(found) and found[n + 1][0] == end
        begins = after.isalpha() and (chained or not after.islower())
        starts = after == "" or follows or begins or after.isdigit() or after in '-*•"“«(「『<&'
        if not starts or not (chained or before == "" or before in _ENDS or before.isalnum()):
            return
        after_sentence += before in _ENDS or chained or (after in _BULLETS and text.lstrip().startswith(after))
    if 2 * after_sentence > len(found):
        for start, end in found:
            yield Change(start, end, "\n" + "\t" * text.endswith("t", start, end), 0.8)


BYTE_ESCAPES = Rule("byte_escapes", 5, undo_byte_escapes, r"\\x[89a-fA-F][0-9a-fA-F]|\\3[0-6][0-7]\\2[0-7]{2}")
ESCAPED_QUOTES = Rule("escaped_quotes", 3, undo_escaped_quotes, r"\\['\"/]")
TEX_ACCENTS = Rule(
    "tex_accents",
    2,
    undo_tex_accents,
    r"""\\(?:['`^"~=.]\{?\\?[A-Za-z]|[cvuHkr][{ ][A-Za-z]\}|(?:ss|[aA][aeAE]|[oO][eE]|[oOlLi])[\{\}])""",
)
OOXML_ESCAPES = Rule("ooxml_escapes", 1, undo_ooxml_escapes, r"_x[0-9A-Fa-f]{4}_")
UTF7 = Rule("utf7", 1, undo_utf7, r"\+[A-Za-z0-9+/]{3}")
MAIL_WORDS = Rule("mail_words", 2, undo_mail_words, r"=\?[A-Za-z][\w.*-]+\?[QqBb]\?")
QUOTED_PRINTABLE = Rule("quoted_printable", 3, undo_quoted_printable, r"=[0-9A-F]{2}")
URL_ESCAPES = Rule("url_escapes", 4, undo_url_escapes, r"%[0-9A-Fa-f]{2}")
LITERAL_LINE_ENDS = Rule("literal_line_ends", 2, undo_literal_line_ends, r"\\[nr]")

ESCAPES: tuple[Rule, ...] = (
    MAIL_WORDS, QUOTED_PRINTABLE, UTF7, BYTE_ESCAPES, TEX_ACCENTS, ESCAPED_QUOTES, OOXML_ESCAPES, URL_ESCAPES,
    LITERAL_LINE_ENDS,
)  # fmt: skip
"""The rules for layers of escaping, in order."""
