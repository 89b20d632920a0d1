r"""Escapes of JSON, JavaScript and Python that a program left in prose: ``\u2019``, ``\u003cbr\u003e``, ``u00e9``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from winnow.base.html_names import ELEMENTS
from winnow.repair.encoding.charmaps import undo_runs
from winnow.repair.encoding.plausible import are_words, is_word, word_around, words
from winnow.repair.engine.rule import REACH, Change, Evidence, Rule, apply_changes
from winnow.repair.escapes import is_code
from winnow.repair.words.frequencies import costs_in

_ESCAPE = r"\\{1,2}(?:u(?:[0-9a-fA-F]{4}|\{[0-9a-fA-F]{1,6}\})|U0001[fF][0-9a-fA-F]{3}|x(?:2[267fF]|3[cCeE]))"
_SPACE = r"(?<!\\x[0-9a-fA-F]{2})\\x[aA][0dD](?!\\x[89a-fA-F])"  # Python's; beside others they are bytes of UTF-8
_JSON = re.compile(rf"{_SPACE}|(?:{_ESCAPE}(?:\\/)?)+|(?:%u[0-9a-fA-F]{{4}})+|(?<=<)\\/(?=[A-Za-z])")
_NAMED = re.compile(r"\A[\s'\"`\[(].*[\s'\"`\])]\Z")  # an escape by itself is spoken of
_POINT = re.compile(r"[0-9a-fA-F]{2,8}|/")
_ASSIGNED = re.compile(r"""[=(,:]\s?[bu]?(["'])[^"'\n]{0,200}\\[uxU]""")  # a program's string
_ALLOWED = frozenset("\n\r\t\xa0\xad\u200b\u200c\u200d\u200e\u200f\u2028\u2029\ufeff")
_CONTRACTION = re.compile(r"(?:s|t|d|m|re|ve|ll)\b")
_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9]{0,10})(?:\s[^<>]{0,300})?/?>")


def undo_json_escapes(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""Undo ``\u2019``, ``caf\u00e9``, ``caf%u00e9``, ``don\x27t`` in prose, where one of them at least is proof.

    That is: it completes a word or a tag, sets words in quotes, is a picture or words of another script, or a space
    between words, ``News\xa0and``.

    >>> JSON_ESCAPES(r"the caf\u00e9\u2019s lease"), JSON_ESCAPES(r"match \u00e9 with [\u00c0-\u017f]")
    ('the café’s lease', 'match \\u00e9 with [\\u00c0-\\u017f]')
    >>> JSON_ESCAPES(r"\u003cp\u003eIt\u0027s late\u003c\/p\u003e"), JSON_ESCAPES(r"type \u00e9 or \u003c here")
    ("<p>It's late</p>", 'type \\u00e9 or \\u003c here')
    >>> JSON_ESCAPES(r"Jos\u00c3\u00a9 and the caf\u00c3\u00a9")  # which is judged by what it was before
    'JosÃ© and the cafÃ©'
    """
    if evidence.once(is_code, text) or _ASSIGNED.search(text):
        return
    changes: list[Change] = []
    for found in _JSON.finditer(text):
        after = _decoded(found[0])
        before = text[found.start() - 1 : found.start()]
        named = after in ("\xa0", "\xad") and _NAMED.search(text[found.start() - 1 : found.end() + 1])
        if after is None or named or before in ("\\", ":") or (before == "/" and after[0] != ">"):
            return
        changes.append(Change(found.start(), found.end(), after, 0.8))
    plain = [change._replace(after=undo_runs(change.after)) for change in changes]
    read = apply_changes(text, plain)
    shift = 0
    for change in plain:
        start = change.start + shift
        shift += len(change.after) - (change.end - change.start)
        if _is_proof(read, start, change.end + shift, "'" not in text):
            yield from changes
            return


_LAST = re.compile(r"([^\W\d_]{2,30})[.,;:!?)]?\Z")
_FIRST = re.compile(r"[^\W\d_]{2,30}")


def _decoded(escapes: str) -> str | None:
    """What a run of escapes stands for; None where it is half a character, or one that no text holds."""
    points = [ord("/") if point == "/" else int(point, 16) for point in _POINT.findall(escapes)]
    try:
        after = "".join(map(chr, points)).encode("utf-16-be", "surrogatepass").decode("utf-16-be")
    except (UnicodeDecodeError, ValueError, OverflowError):
        return None
    return after if all(char.isprintable() or char in _ALLOWED for char in undo_runs(after)) else None


def _is_proof(read: str, start: int, end: int, quotes_only_escaped: bool) -> bool:
    """Whether ``read[start:end]``, which was escaped, can only be what it was decoded to."""
    after = read[start:end]
    if after in ("\xa0", "\xad"):
        left, right = _LAST.search(read, max(0, start - 32), start), _FIRST.match(read, end)
        if left is None or right is None:
            return False
        return is_word(left[1] + right[0]) if after == "\xad" else is_word(left[1]) and is_word(right[0])
    token = word_around(read, start, end, after)
    if len(after) > 1 and min(after) > "\u0370" and (after[0] > "\u2e80" or len(after) > 3):
        return any(map(str.isalpha, after)) or max(after) > "\U0001f300"
    if made := [bare for word in words(token) if not (bare := word.split("’")[0]).isascii()]:
        return all(map(is_word, made)) and any(len(word) > 1 for word in made)
    before, follows = read[start - 1 : start], read[end : end + 1]
    if after == "’":
        return len(token) > 2 and are_words(token)
    if after == "'":
        sure = before.isalpha() and _CONTRACTION.match(read, end) is not None and quotes_only_escaped
        return sure and are_words(token.replace("'", "’"))
    if after == "&":
        beyond = read[end + 1 : end + 2] if before == follows == " " else follows if before.isupper() else ""
        return beyond.isupper()
    if after == "“":
        return follows.isalpha() and "”" in read[end : end + 400]
    if after[0] in "</" and (tag := _TAG.match(read, start - (after[0] == "/"))):
        return tag[1].lower() in ELEMENTS and (after[0] == "<" or f"<{tag[1]}" in read[max(0, start - REACH) : start])
    return any("\U0001f300" <= char <= "\U0001faff" for char in after)


_STRIPPED = re.compile(r"(?<![\\%&#+/])u(00[ace-f][0-9a-f]|01[0-7][0-9a-f]|20(?:1[2-9cd]|2[0-6]|ac))(?![0-9a-f]{4})")


_STRIPPED_TAG = re.compile(r"u003c/?([a-z][a-z0-9]{0,9})(?: ?/?|\s[\w:-]{1,30}=[^<>\n]{0,300}?)u003e", re.IGNORECASE)
_OF_TAGS = re.compile(r"u00(3c|3e|26|27|22)", re.IGNORECASE)


def restore_stripped_escapes(text: str, evidence: Evidence) -> Iterator[Change]:
    """Undo ``cafu00e9``, an escape of JSON that lost its backslash, where one makes a word, and all do.

    So are brackets about the name of an element, ``u003cpu003e``, and what else is escaped beside them.

    >>> STRIPPED_ESCAPES("le cafu00e9 u00e0 Paris u2013 itu2019s closed")
    'le café à Paris – it’s closed'
    >>> STRIPPED_ESCAPES("u003cpu003eItu0027s so.u003c/pu003e"), STRIPPED_ESCAPES("au003cb, xu003e")
    ("<p>It's so.</p>", 'au003cb, xu003e')
    >>> STRIPPED_ESCAPES("Garu00c3u00a7on and Josu00c3u00a9")
    'GarÃ§on and JosÃ©'
    >>> STRIPPED_ESCAPES("menu2019, hash a8u00e9f3 and U+00E9"), STRIPPED_ESCAPES("see emu2019s u2013")
    ('menu2019, hash a8u00e9f3 and U+00E9', 'see emu2019s u2013')
    >>> STRIPPED_ESCAPES("u201cItu2019s late,u201d they said")
    '“It’s late,” they said'
    """
    if evidence.once(is_code, text):
        return
    if any(m[1].lower() in ELEMENTS for m in _STRIPPED_TAG.finditer(text)):
        yield from (Change(m.start(), m.end(), chr(int(m[1], 16)), 0.8) for m in _OF_TAGS.finditer(text))
        return
    changes = [Change(m.start(), m.end(), chr(int(m[1], 16)), 0.8) for m in _STRIPPED.finditer(text)]
    made = [word for word in words(undo_runs(apply_changes(text, changes))) if not word.split("’")[0].isascii()]
    proven = any(len(word) > 2 for word in made) or any(_contracts(text, change) for change in changes)
    if not proven or not all(is_word(word.split("’")[0]) for word in made):
        return
    end, last = 0, ""
    for change in changes:
        follows = change.start == end > 0
        left = last if follows else text[change.start - 1 : change.start]
        misread = follows and undo_runs(left + change.after) != left + change.after
        if misread or change.after.isalpha() or _may_stand(change.after, left, text, change.end):
            yield change
        end, last = change.end, change.after


RARER = 200  # centibels: how much rarer the word must be with the ``u``, which is often a name then
_WORD_BEFORE = re.compile(r"(?<![^\W_])(?:u20[0-9a-f]{2})?([^\W\d_]{2,20})\Z")


def _contracts(text: str, change: Change) -> bool:
    """Whether an apostrophe parts a contraction, of which the word would be none with the ``u``: ``itu2019s``."""
    if change.after != "’" or not _CONTRACTION.match(text, change.end):
        return False
    word = _WORD_BEFORE.search(text, max(0, change.start - 26), change.start)
    costs = costs_in("en")
    return word is not None and costs.get(low := word[1].lower(), 10_000) + RARER < costs.get(low + "u", 9_000)


def _may_stand(sign: str, left: str, text: str, end: int) -> bool:
    """Whether a sign, between `left` and what is at `end`, is at the edge of a word, or parts a contraction."""
    right = text[end : end + 1]
    if sign == "’" and left.isalpha():
        return _CONTRACTION.match(text, end) is not None
    return not left.isalnum() or not right.isalnum()


_BYTES_LITERAL = re.compile(r"\s{0,9}b(?:'((?:[^\\\n']|\\[^\n])*+)'|\"((?:[^\\\n\"]|\\[^\n])*+)\")\s{0,9}")
_IN_BYTES = re.compile(r"(?:\\x[0-9a-f]{2})+|\\(.)")
_SIGNS = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", '"': '"'}
MIN_OF_SENTENCE = 4  # known words


def open_bytes_literals(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""Undo ``b'The caf\xc3\xa9 is open.\n'``, bytes that Python wrote as it shows them, where they are all of a text.

    Only sentences of UTF-8: other bytes, short ones and such as stand among words are a program's.

    >>> BYTES_LITERALS(r"b'The caf\xc3\xa9 isn\'t open.\nIt was.'")
    "The café isn't open.\nIt was."
    >>> BYTES_LITERALS(r"b'caf\xc3\xa9'"), BYTES_LITERALS(r"say b'The caf\xc3\xa9 is not open.'")
    ("b'caf\\xc3\\xa9'", "say b'The caf\\xc3\\xa9 is not open.'")
    """
    whole = _BYTES_LITERAL.fullmatch(text)
    if whole is None or not text.isascii():
        return
    at = 1 if whole[1] is not None else 2
    start, end = whole.span(at)
    changes = [Change(0, start, "", 0.8)]
    for found in _IN_BYTES.finditer(text, start, end):
        try:
            after = _SIGNS[found[1]] if found[1] else bytes.fromhex(found[0].replace("\\x", "")).decode()
        except (KeyError, UnicodeDecodeError):
            return
        changes.append(Change(found.start(), found.end(), after, 0.8))
    changes.append(Change(end, len(text), "", 0.8))
    made = words(undo_runs(apply_changes(text, changes)))
    if sum(word[1:].islower() and is_word(word) for word in made) >= MIN_OF_SENTENCE:
        yield from changes


BYTES_LITERALS = Rule("bytes_literals", 1, open_bytes_literals, r"\A\s*b['\"]")
JSON_ESCAPES = Rule(
    "json_escapes", 5, undo_json_escapes, r"[\\%]u[0-9a-fA-F{]|\\U0001|\\x(?:[23][0-9a-fA-F]|[aA][0dD])|<\\/"
)
STRIPPED_ESCAPES = Rule(
    "stripped_escapes", 4, restore_stripped_escapes, r"u00(?:[c-f][0-9a-f]|3[cC])|[a-z]u2019[stdmrvl]"
)

JSON: tuple[Rule, ...] = (BYTES_LITERALS, JSON_ESCAPES, STRIPPED_ESCAPES)
"""The rules for escapes of JSON and its like, in order."""
