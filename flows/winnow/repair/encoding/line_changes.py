"""A text in lines that are read anew, and the changes from a line to its reading."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from winnow.repair.encoding.plausible import are_words, is_word, word_around, words
from winnow.repair.engine.rule import Change, Span, apply_changes, detector, in_any_case
from winnow.repair.words.frequencies import costs_in
from winnow.repair.words.word_index import KNOWN

MAX_PIECE = 8_000  # characters; longer lines are looked at in pieces, so that no line costs more than its length


def foreign_lines(text: str) -> tuple[tuple[int, str], ...]:
    r"""The lines that hold more than ASCII, with their offsets; long ones cut at spaces.

    >>> foreign_lines("é\nb\nü")
    ((0, 'é'), (4, 'ü'))
    """
    found: list[tuple[int, str]] = []
    at = 0
    for line in text.split("\n"):
        if not line.isascii():
            start = 0
            while len(line) - start > MAX_PIECE:
                cut = line.rfind(" ", start + MAX_PIECE // 2, start + MAX_PIECE)
                cut = _between_sequences(line, start + MAX_PIECE) if cut < 0 else cut
                found.append((at + start, line[start:cut]))
                start = cut
            found.append((at + start, line[start:]))
        at += len(line) + 1
    return tuple(piece for piece in found if not piece[1].isascii())


def _between_sequences(line: str, at: int) -> int:
    """Where to cut near `at`: before the letter that a UTF-8 sequence begins with in Latin-1, or at `at` itself."""
    return next((n for n in range(at, at - 4, -1) if "\xc2" <= line[n] <= "\xf4"), at)


def tight_changes(at: int, before: str, after: str, confidence: float) -> Iterator[Change]:
    """Changes that lead from `before`, which stands at offset `at`, to `after`; one a damaged spot where that is exact.

    Wrong decoding leaves printable ASCII as it is, so the same runs of it stand in both forms, in the same order; and
    often the same white space and signs. Both forms are cut at those; where that fails, one trimmed change is given.

    >>> [(c.start, c.end, c.after) for c in tight_changes(0, "«Ã©» dÃ©jÃ\xa0 vu", "«é» déjà vu", 1.0)]
    [(1, 3, 'é'), (6, 8, 'é'), (9, 11, 'à')]
    """
    for spot in _spots(before, after):
        yield Change(at + spot.start, at + spot.end, spot.after, confidence)


_SIGNS = re.compile(r"[^\w!-~]")


@lru_cache(maxsize=64)  # a line's reading is judged by its spots before it is made of them
def _spots(before: str, after: str) -> tuple[Change, ...]:
    signs = {c for c in set(_SIGNS.findall(after)) if before.count(c) == after.count(c)}
    for extra in (re.escape("".join(sorted(signs))), ""):
        fixed = re.compile(f"([!-~{extra}]+)")
        gaps, made = fixed.split(before), fixed.split(after)  # each but the last with the run behind it
        if gaps[1::2] == made[1::2]:
            break
    else:
        return tuple(trimmed(0, before, after, 1.0))
    found: list[Change] = []
    at = 0
    for left, right in zip(gaps, made, strict=True):
        if left != right:
            found += trimmed(at, left, right, 1.0)
        at += len(left)
    return tuple(found)


def trimmed(at: int, before: str, after: str, confidence: float) -> Iterator[Change]:
    """One change without the characters that both forms begin and end with; none where they are equal.

    >>> list(trimmed(5, "abXc", "abYYc", 0.9))
    [Change(start=7, end=8, after='YY', confidence=0.9)]
    """
    if before == after:
        return
    limit = min(len(before), len(after))
    head = 0
    while head < limit and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < limit - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    yield Change(at + head, at + len(before) - tail, after[head : len(after) - tail], confidence)


_QUOTES = frozenset("“”\"'‘’«»„`「」『』()<>")
_DASHES = frozenset("–—―…•·\xa0 ")
MAX_MENTION = 5  # characters of one sign that is quoted

_IN_TABLE = re.compile(r"(?:^|\s)(?:[ÂÃ]  |Â )")
# Ångströms, diameters (an Arabic letter looks so too, but is one of several), and from one letter to another.
_UNIT = re.compile(r"(?<![^\W\d_])(?:(?:Å[²³±]|Ø[±¼½¾])(?![^\W\d_])|[ÄÅ]–(?=[A-ZÀ-ÖØ-Þ](?![^\W\d_])))")
_UNITS = "ÄÅØ"
_ARABIC = re.compile("[\u0620-\u06ff]")
_CAPITALS = re.compile(r"[A-ZÀ-ÖØ-Þ][ÂÃ]\xa0(?:[A-ZÀ-ÖØ-Þ]|$)")


# Words of those who speak of encodings; a text with one of them may show mojibake on purpose.
_TALK = re.compile(
    r"(?i)mojibake|\bgarbled|\b(?:en|de)cod|\bunicode|\butf-?8|\blatin-?[19]\b|iso-?8859|\bcp-?\d{3,4}\b|windows-?125"
    r"|char(?:acter)? ?sets?\b|code ?(?:page|point)|\bascii\b|\bbytes?\b|codage\b|kodierung|codificaci|кодировк"
    r"|编码|乱码|文字化け"
)
_may_talk = detector(in_any_case(_TALK.pattern))  # far faster, and most texts have none


def speaks_of_encodings(text: str) -> bool:
    """Whether a text has a word of those who write about encodings.

    >>> speaks_of_encodings("saved as UTF-8"), speaks_of_encodings("she wrote it on the door")
    (True, False)
    """
    return bool(_may_talk(text)) and _TALK.search(text) is not None


def is_doubtful_change(before: str, after: str) -> bool:
    """Whether leading from `before` to `after` is better left to a person.

    True where mojibake is mentioned, or shown as an example or beside what it stands for. Where a lone Â, or Ã stands
    in a table. Where capitals end in Â before a no-break space: `MISUTÂ AJIKKO` is written so.

    >>> is_doubtful_change("such as “Ã©” or “Ã¨”", "such as “é” or “è”")
    True
    >>> is_doubtful_change("he said “dÃ©jÃ vu”", "he said “déjà vu”"), is_doubtful_change("s/Ã©/é/", "s/é/é/")
    (False, True)
    """
    spots = _spots(before, after)
    tests = (_are_mentioned, _are_shown, _are_examples, _all_lone, _is_named)
    return any(is_so(before, spots) for is_so in tests)


def is_mention(before: str, after: str) -> bool:
    """Whether all that changes are short signs that stand alone, at least one of them in quotes."""
    spots = _spots(before, after)
    return _are_mentioned(before, spots) and not _all_lone(before, spots) and not _are_shown(before, spots)


def _are_mentioned(before: str, spots: Sequence[Change]) -> bool:
    quoted = False
    for spot in spots:
        if spot.end - spot.start > MAX_MENTION or not _stands_alone(before, spot):
            return False
        left, right = before[max(spot.start - 2, 0) : spot.start], before[spot.end : spot.end + 2]
        quoted = quoted or (left.strip()[-1:] in _QUOTES and right.strip()[:1] in _QUOTES)
    return quoted


# What stands between a misread word and what it stands for, in either order; and between such signs.
_SHOWS = re.compile(
    r"(?i)[^\w\n]{0,6}(?:[-=]+>|[→⇒|=]|\b(?:instead of|rather than|should (?:be|read)|becomes?|turns into|into|statt"
    r"|anstatt|wird(?: zu)?|au lieu de|devient|en vez de|en lugar de|invece di|in plaats van|вместо)\b)[^\w\n]{0,6}"
)
_PARTS = re.compile(r"[^\w\n]{1,8}")
MAX_SHOWN = 40  # characters from a word to what it stands for


def _are_shown(before: str, spots: Sequence[Change]) -> bool:
    """Whether most of what changes stands beside what it would become: ``Ã¤ | ä``, ``s/Ã©/é/``, "Ã¼ instead of ü"."""
    return 2 * sum(_is_shown(before, spot) for spot in spots) > len(spots)


def _is_shown(before: str, spot: Change) -> bool:
    if not spot.after or spot.after in _DASHES or spot.after not in before:
        return False
    word = word_around(before, spot.start, spot.end, spot.after)
    at = word.index(spot.after)
    start, end = spot.start - at, spot.end + len(word) - at - len(spot.after)
    behind = before.find(word, end, end + MAX_SHOWN + len(word))
    ahead = before.rfind(word, max(0, start - MAX_SHOWN - len(word)), start)
    gaps = [before[end:behind]] * (behind >= 0) + [before[ahead + len(word) : start]] * (ahead >= 0)
    return any(_SHOWS.fullmatch(gap) or (word == spot.after and _PARTS.fullmatch(gap)) for gap in gaps)


def _stands_alone(before: str, spot: Change) -> bool:
    return not (before[max(spot.start - 1, 0) : spot.start].isalnum() or before[spot.end : spot.end + 1].isalnum())


def _are_examples(before: str, spots: Sequence[Change]) -> bool:
    """Whether a line about encodings shows signs misread: most stand alone, and are several or stand there rightly too.

    Dashes stand alone in any line.
    """
    if not speaks_of_encodings(before):
        return False
    short = [spot for spot in spots if spot.end - spot.start <= MAX_MENTION]
    alone = {spot.after for spot in short if spot.after and spot.after not in _DASHES and _stands_alone(before, spot)}
    n_alone = sum(spot.after in alone and _stands_alone(before, spot) for spot in spots)
    misread = "".join(before[spot.start : spot.end] for spot in spots)
    return 2 * n_alone > len(spots) and (
        len(alone) > 1 or any(before.count(sign) > misread.count(sign) for sign in alone)
    )


# Chinese, Japanese and Korean beside it was decoded rightly; so was Cyrillic of which nothing changes.
_FOREIGN_RUN = re.compile(r"[^\x00-\x7f\u3041-\u9fff\uac00-\ud7a3]{5,}")
_WESTERN_RUN = re.compile(r"[^\x00-\x7f\u0400-\u04ff\u3041-\u9fff\uac00-\ud7a3]{5,}")
_has_foreign_run = detector(r"[^\x00-\x7f]{5}")  # far faster, and most lines have none


def is_chewed(before: str, after: str) -> bool:
    """Whether a change takes single pieces out of longer runs beyond ASCII: text of another charset reads so by chance.

    >>> is_chewed("ÎÒÃÇµÄÍøÕ¾", "ÎÒÃǵÄÍøÕ¾"), is_chewed("Ð¿Ñ€Ð¸Ð²ÐµÑ‚", "привет")
    (True, False)
    """
    if not _has_foreign_run(before):
        return False
    spots = _spots(before, after)
    at = 0
    cyrillic = any("\u0400" <= max(before[spot.start : spot.end], default="") < "\u0500" for spot in spots)
    for run in (_FOREIGN_RUN if cyrillic else _WESTERN_RUN).finditer(before):
        changed = 0
        while at < len(spots) and spots[at].start < run.end():
            changed += max(0, min(spots[at].end, run.end()) - max(spots[at].start, run.start()))
            if spots[at].end > run.end():
                break
            at += 1
        if changed and 2 * changed < run.end() - run.start():
            return True
    return False


def keep_units(before: str, after: str) -> str:
    """`after` with what is UTF-8 by chance as it stood: ``Å²`` (no ``Ų``), ``Ø½`` (no ``ؽ``), ``Ä–Z``, and capitals.

    >>> keep_units("5 Å² of the cafÃ©, jÅ³", "5 Ų of the café, jų"), keep_units("СВІТІВ, cafÃ©", "С²ҲВ, café")
    ('5 Å² of the café, jų', 'СВІТІВ, café')
    """
    kept = {found.span() for found in _UNIT.finditer(before)} if any(c in before for c in _UNITS) else set[Span]()
    in_capitals = _CYRILLIC_PAIRS.search(before) is not None
    if not kept and not in_capitals:
        return after
    changes = _spots(before, after)
    if any(_ARABIC.search(change.after) and (change.start, change.end) not in kept for change in changes):
        kept = {(start, end) for start, end in kept if before[start] != "Ø"}
    if in_capitals:
        chance = {(c.start, c.end): _of_capitals(before, c) for c in changes}
        # A line of which other Cyrillic letters were misread may have these misread as well.
        alone = not any("\u0400" <= max(before[a:b]) < "\u0500" for (a, b), known in chance.items() if known is None)
        kept |= {span for span, known in chance.items() if known or (alone and known is not None)}
    return apply_changes(before, (c for c in changes if (c.start, c.end) not in kept))


_CYRILLIC_PAIRS = re.compile("(?:[В-Я][ЂЃЉЊЌЋЏЎЈҐЁЄЇІ]){2}")  # two letters in UTF-8, read as Windows-1251


def _of_capitals(before: str, change: Change) -> bool | None:
    """Whether Cyrillic capitals that would make no word stand in a word as they are; None for anything else."""
    was = before[change.start : change.end]
    if not was.isupper() or not was.isalpha() or min(was) < "\u0400":
        return None
    if are_words(word_around(before, change.start, change.end, change.after)):
        return None
    return is_word(word_around(before, change.start, change.end, was))


_OPENS = {"”": "“", "“": "„", "’": "‘", "‘": "‚", "»": "«", "«": "»", "›": "‹", "‹": "›"}


def takes_words_apart(before: str, after: str) -> bool:
    """Whether every change makes no word of a word and a sign at its beginning or its end.

    A capital and the sign of a footnote, a trade mark or a quotation are UTF-8 by chance.

    >>> takes_words_apart("IRMÃ² e «ROMÃ»", "IRMò e «ROM\xfb"), takes_words_apart("AVÃ“ e «SÃ©»", "AVÓ e «Sé»")
    (True, False)
    """
    return all(_takes_a_word_apart(before, spot) for spot in _spots(before, after))


def _takes_a_word_apart(before: str, spot: Change) -> bool:
    was, left, right = (
        before[spot.start : spot.end],
        before[spot.start - 1 : spot.start],
        before[spot.end : spot.end + 1],
    )
    if left.islower() and was[:1].isupper():
        return False  # most mojibake
    letters = "".join(c for c in was if c.isalpha() and c not in "ªº")
    ends = was.startswith(letters) and (was[-1:] in ("–", "—") or not right.isalpha())
    if not letters or not (ends or (was.endswith(letters) and not left.isalpha())):
        return False
    end = len(before) if ends else spot.end
    word = "".join(filter(str.isalpha, word_around(before, spot.start, end, letters)))
    if len(word) < 2 or not (word.isupper() or word[1:].islower()):
        return False
    closes = before.count(_OPENS.get(was[-1], "\0"), 0, spot.start) == before.count(was[-1], 0, spot.end)
    made = spot.after.isalpha() and are_words(word_around(before, spot.start, spot.end, spot.after))
    return closes + is_word(word) > made


_WITH_A_GRAVE = ("fr", "it", "pt", "ca")  # languages of which ``à`` is a word


def _is_named(before: str, spots: Sequence[Change]) -> bool:
    """Whether the letter Ã itself stands in English words: ``à`` is none of them, but for ``à la``.

    >>> _is_named("Ã is a letter of it", [Change(0, 1, "à", 1.0)]), _is_named("on va Ã Paris", [Change(6, 7, "à", 1.0)])
    (True, False)
    """
    if (
        not all(before[spot.start : spot.end].strip() == "Ã" and _stands_alone(before, spot) for spot in spots)
        or "Ã la " in before
    ):
        return False
    plain = [word.lower() for word in words(before) if word.isascii()]
    costs = {code: sum(costs_in(code).get(word, KNOWN) for word in plain) for code in ("en", *_WITH_A_GRAVE)}
    return bool(plain) and costs.pop("en") < min(costs.values())


def _all_lone(before: str, spots: Sequence[Change]) -> bool:
    """Whether every spot is Â or Ã beside two spaces, or after a capital and before a no-break space and a capital."""
    for spot in spots:
        around = before[max(spot.start - 2, 0) : spot.end + 3]
        if not (_IN_TABLE.search(around) or _CAPITALS.search(around)):
            return False
    return bool(spots)
