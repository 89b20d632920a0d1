"""Repeats inside one document: whole passages, runs of sentences, near-identical passages, glued copies."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from math import ceil
from typing import NamedTuple

from winnow.base.recipe import DeduplicateSettings
from winnow.base.records import Passage
from winnow.deduplicate.passages.contraries import contradicts
from winnow.deduplicate.passages.fingerprint import UNSPACED, fingerprints, keys_of
from winnow.deduplicate.passages.names import is_about_another
from winnow.deduplicate.passages.splitter import split_passages
from winnow.deduplicate.repeats.meaning import HEADING, MEANINGS, ROW, Meaning
from winnow.deduplicate.repeats.promotion import is_promo

PROTECTED = {"heading": HEADING, "table_row": ROW}
"""Kinds that stand more than once for a reason: "Conclusion" under each chapter, a row of a table."""

PROSE = "paragraph", "quote"

_ROUNDS = 4  # of looking whether what stays has a reason left when the rest is gone; then all of it goes

_GLUED_CHARS = 400  # a run of repeated passages with this much prose is a second copy, headings and tables with it

MIN_WORDS = 30  # below, one changed word in a template (a function's name, an option) makes another statement
_MAX_POSTINGS = 16  # earlier passages looked at for one word; keeps hostile repetition linear
_ALONE = "".join(f"{chr(first)}-{chr(last)}" for first, last in UNSPACED)
_ASCII_WORD = re.compile(r"[a-z0-9]+")  # the same there, four times as fast
_UNICODE_WORD = re.compile(r"[^\W_]+")  # twice as fast
_STANDS_ALONE = re.compile(f"[{_ALONE}]")
_WORD = re.compile(rf"{_STANDS_ALONE.pattern}|(?:(?!{_STANDS_ALONE.pattern})[^\W_])+")

# Full stops of scripts without spaces end a sentence wherever they stand; others must be followed by white space.
# The characters before and after are judged in `sentence_starts`, so that the expression itself stays linear. All
# stops stand together at its beginning: an expression that begins with a choice is tried at every character.
_END = re.compile(r"[.!?…؟।॥։።。！？](?:(?<=[。！？])[”’」』）\"]{0,4}|(?<![。！？])[.!?…\"'”’»)\]]{0,4}(?=\s))")
_SPACE = re.compile(r"\s{1,400}")


@dataclass(frozen=True, slots=True)
class InnerRepeat:
    """``text[start:end]`` of the block at `position` says again what stands at `kept_position` (None for promotion).

    It goes for `reason`, or stays for it where that is one of MEANINGS.
    """

    position: int
    start: int
    end: int
    reason: str
    kept_position: int | None
    similarity: float | None

    @property
    def stays(self) -> bool:
        return self.reason in MEANINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A document's whole blocks by position: kind, text, white space after it, fingerprint.

    `may_promote` are the positions of blocks that may be promotion, `may_be_near` those that may be near another,
    `may_run` those with sentences that may stand again: only they are looked at more closely. None stands for all.
    """

    kinds: Sequence[str]
    texts: Sequence[str]
    gaps: Sequence[str]
    prints: Sequence[bytes]
    may_promote: Sequence[int] | None = None
    may_be_near: Sequence[int] | None = None
    may_run: Sequence[int] | None = None

    def may_go(self, n: int, settings: DeduplicateSettings) -> bool:
        """Whether a block is long enough, and of a kind, to be a repeat inside its document."""
        return self.kinds[n] not in PROTECTED and self.is_long(n, settings)

    def is_long(self, n: int, settings: DeduplicateSettings) -> bool:
        """Whether a block is long enough to be found where it stands again."""
        return len(self.texts[n]) >= least_chars(self.kinds[n], settings)


def least_chars(kind: str, settings: DeduplicateSettings) -> int:
    """Characters that a block of a kind has at least to be found where it stands again in its document."""
    return settings.min_repeat_chars if kind in ("list_item", "code") else settings.min_inner_repeat_chars


class CutPassage(NamedTuple):
    """A passage, or a part of one that was cut, and the repeat that removes it, or that it stays as, if any."""

    passage: Passage
    repeat: InnerRepeat | None


def without_inner_repeats(text: str, settings: DeduplicateSettings) -> tuple[str, list[tuple[Passage, InnerRepeat]]]:
    """The text without promotion and without what repeats inside it, and each passage removed with its reason.

    >>> line = "The minister said that the bridge would be open to all before the winter came."
    >>> article = f"{line}\\n\\nADVERTISEMENT\\n\\nOther words.\\n\\n{line}"
    >>> text, removed = without_inner_repeats(article, DeduplicateSettings())
    >>> text.endswith("Other words."), [why.reason for _, why in removed]
    (True, ['promo', 'repeat'])
    """
    blocks = split_passages(text)
    rows = cut_at_repeats(blocks, inner_repeats(blocks, settings))
    gone = [(p, why) for p, why in rows if why and not why.stays]
    return join_kept((p, why is None or why.stays) for p, why in rows), gone


def join_kept(rows: Iterable[tuple[Passage, bool]]) -> str:
    """The passages that are kept (true) in order, each with its gap; what is removed goes with its own.

    Of the gaps between two kept passages the widest stays, so that a paragraph does not stick to the next.
    """
    out: list[str] = []
    gap, kept = "", False
    for passage, kept in rows:
        if kept:
            out += [gap, passage.text] if out else [passage.text]
            gap = passage.gap
        elif len(passage.gap) > len(gap):
            gap = passage.gap
    return "".join([*out, gap] if kept else out)


def inner_repeats(blocks: Sequence[Passage], settings: DeduplicateSettings) -> list[InnerRepeat]:
    """`outline_repeats` of the whole blocks of a document that are at hand."""
    outline = Outline(
        kinds=[p.kind for p in blocks],
        texts=[p.text for p in blocks],
        gaps=[p.gap for p in blocks],
        prints=fingerprints([p.text for p in blocks], settings),
    )
    return outline_repeats(outline, settings)


def outline_repeats(doc: Outline, settings: DeduplicateSettings) -> list[InnerRepeat]:
    """What of a document's whole blocks repeats inside it, in order of position and start.

    A pure function of blocks and settings. Headings, table rows and short passages stay, and so does what repeats for a
    reason (see `Meaning`), unless they stand in a second copy of a longer stretch. Time is linear in the text.
    """
    if not settings.passages:
        return []
    goes: set[int] = set()
    for _ in range(_ROUNDS):
        found = _repeats(doc, settings, goes)
        if not (adrift := _without_meaning(doc, found)):
            return found
        goes |= adrift
    return _repeats(doc, settings.model_copy(update={"keep_meaningful_repeats": False}), goes)


def _without_meaning(doc: Outline, found: Sequence[InnerRepeat]) -> set[int]:
    """What stays for a reason that is gone with what goes, so that a second pass would find it without one."""
    staying = [r for r in found if r.stays and doc.kinds[r.position] not in PROTECTED]
    away = {r.position for r in found if not r.stays and r.end - r.start == len(doc.texts[r.position])}
    if not staying or not away:
        return set()
    left = [n for n in range(len(doc.prints)) if n not in away]
    place = {n: at for at, n in enumerate(left)}
    kinds, texts, gaps = ([column[n] for n in left] for column in (doc.kinds, doc.texts, doc.gaps))
    meaning = Meaning(kinds, texts, gaps, [doc.prints[n] for n in left])
    pairs = [(r, place[r.position], place.get(r.kept_position or 0)) for r in staying]
    return {r.position for r, n, m in pairs if m is not None and not _means(meaning, n, m, r)}


def _means(meaning: Meaning, n: int, m: int, repeat: InnerRepeat) -> bool:
    """Whether a repeat still has a reason to stay where it is passage `n`, and says again what passage `m` says."""
    if repeat.end - repeat.start < len(meaning.texts[n]):
        return meaning.of_run(n, repeat.start) is not None
    return (meaning.of(n, m) if meaning.prints[n] == meaning.prints[m] else meaning.of_near(n, m)) is not None


def _repeats(doc: Outline, settings: DeduplicateSettings, goes: Collection[int]) -> list[InnerRepeat]:
    """`outline_repeats`, with what `goes` although it may have had a reason to stay."""
    every = range(len(doc.prints))
    allowed = set(fingerprints(settings.keep, settings)) if settings.keep else set()
    earlier = _aligned(doc.prints)
    again = {*earlier, *earlier.values()}
    meaning = Meaning(doc.kinds, doc.texts, doc.gaps, doc.prints)
    judged = settings.keep_meaningful_repeats
    gone: dict[int, InnerRepeat] = {}
    stays: dict[int, InnerRepeat] = {}
    for n in (every if doc.may_promote is None else doc.may_promote) if settings.promo_lines else ():
        if doc.prints[n] not in allowed and is_promo(doc.texts[n], n in again):
            gone[n] = InnerRepeat(n, 0, len(doc.texts[n]), "promo", None, None)
    for n, m in earlier.items():
        if n not in gone and m not in gone and doc.may_go(n, settings) and doc.prints[n] not in allowed:
            reason = meaning.of(n, m) if judged and n not in goes else None
            (stays if reason else gone)[n] = _whole(doc, n, reason or "repeat", m, 1.0)

    def left(among: Sequence[int] | None) -> dict[int, str]:
        return {
            n: doc.texts[n]
            for n in (every if among is None else among)
            if n not in gone and n not in stays and doc.may_go(n, settings) and doc.prints[n] not in allowed
        }

    texts = {n: text for n, text in left(doc.may_be_near).items() if doc.kinds[n] in PROSE}
    prose = list(texts)
    for later, first, similarity in near_repeats(list(texts.values()), settings.passage_threshold):
        n, m = prose[later], prose[first]
        if judged and (contradicts(texts[n], texts[m]) or is_about_another(texts[n], texts[m])):
            continue
        if judged and n not in goes and (reason := meaning.of_near(n, m)):
            stays[n] = _whole(doc, n, reason, m, similarity)
            continue
        gone[n] = _whole(doc, n, "near_repeat", m, similarity)
        earlier[n] = m
    for n, why in gone.items():  # what stands for a copy may be near to something earlier, and go for that
        then = gone.get(earlier[n]) if why.reason == "repeat" else None
        if then is not None and then.reason == "near_repeat":
            gone[n] = replace(why, reason="near_repeat", kept_position=then.kept_position, similarity=then.similarity)
    _add_glued(doc, earlier, gone, allowed)
    stays |= {
        n: _whole(doc, n, PROTECTED[doc.kinds[n]], m, 1.0)
        for n, m in earlier.items()
        if doc.kinds[n] in PROTECTED and doc.is_long(n, settings) and any(map(str.isalnum, doc.texts[n]))
    }
    runs = []
    for run in _sentence_runs(left(doc.may_run), settings):
        if judged and run.position not in goes and (reason := meaning.of_run(run.position, run.start)):
            stays[run.position] = replace(run, reason=reason)
        else:
            runs.append(run)
    removed = [*gone.values(), *runs]
    away = {repeat.position for repeat in removed}
    kept = [repeat for n, repeat in stays.items() if n not in away]
    return sorted([*removed, *kept], key=lambda r: (r.position, r.start))


def cut_at_repeats(blocks: Sequence[Passage], repeats: Sequence[InnerRepeat]) -> list[CutPassage]:
    """The blocks, each with the repeat that it goes or stays as, if any; those with one inside are cut into parts.

    A part's gap is the white space after it, so ``text + gap`` still tiles the document.
    """
    of_block: dict[int, list[InnerRepeat]] = {}
    for repeat in repeats:
        of_block.setdefault(repeat.position, []).append(repeat)
    out: list[CutPassage] = []
    for block in blocks:
        found = of_block.get(block.position, [])
        size = len(block.text)
        if not found or found[0].stays or (found[0].start == 0 and found[0].end == size):
            out.append(CutPassage(block, found[0] if found else None))
            continue
        cuts = dict.fromkeys((0, *chain.from_iterable((r.start, r.end) for r in found), size))
        removed = {repeat.start: repeat for repeat in found}
        for part, (start, end) in enumerate(pairwise(cuts)):
            text = block.text[start:end]
            body = text.rstrip()
            gap = text[len(body) :] + (block.gap if end == size else "")
            out.append(CutPassage(replace(block, part=part, text=body, gap=gap), removed.get(start)))
    return out


def _whole(doc: Outline, n: int, reason: str, kept_position: int, similarity: float) -> InnerRepeat:
    return InnerRepeat(n, 0, len(doc.texts[n]), reason, kept_position, similarity)


def _aligned(prints: Sequence[bytes]) -> dict[int, int]:
    """Where each repeated passage stands earlier: next to its predecessor's twin if it can, else the first place."""
    first: dict[bytes, int] = {}
    earlier: dict[int, int] = {}
    for n, key in enumerate(prints):
        m = first.setdefault(key, n)
        if m == n:
            continue
        follows = earlier.get(n - 1, -1) + 1
        m = follows if 0 < follows < n and prints[follows] == key else m
        earlier[n] = earlier.get(m, m)  # of three copies, the third points to the first too
    return earlier


def _add_glued(doc: Outline, earlier: dict[int, int], gone: dict[int, InnerRepeat], allowed: set[bytes]) -> None:
    """Where passage after passage repeats, remove the headings and rows among them too: it is a second copy."""
    prints = doc.prints
    tried = -1
    for n in sorted(gone):
        if n < tried or n not in earlier:
            continue
        start, delta = n, n - earlier[n]
        while start > delta and start - 1 not in gone and prints[start - 1] == prints[start - 1 - delta]:
            start -= 1
        stop = n + 1
        while stop < len(prints) and (
            earlier.get(stop) == stop - delta
            or (stop not in gone and stop - delta < start and prints[stop] == prints[stop - delta])
        ):
            stop += 1
        prose = [m for m in range(start, stop) if m in gone]
        if len(prose) >= 2 and stop - start >= 3 and sum(len(doc.texts[m]) for m in prose) >= _GLUED_CHARS:
            for m in range(start, stop):
                if m not in gone and m - delta not in gone and prints[m] not in allowed:
                    gone[m] = _whole(doc, m, "repeat", m - delta, 1.0)
        tried = stop


class _Sentence(NamedTuple):
    block: int
    start: int
    end: int


def _sentence_runs(texts: Mapping[int, str], settings: DeduplicateSettings) -> list[InnerRepeat]:
    """Runs of at least `min_run_sentences` sentences of one passage that stand in a row earlier in the document."""
    least = settings.min_run_sentences
    said: list[str] = []
    places: list[_Sentence] = []
    for n, text in texts.items():
        if len(text) < settings.min_repeat_chars:
            continue
        starts = sentence_starts(text)
        if len(starts) < least:
            continue
        sentences = [_Sentence(n, start, end) for start, end in pairwise([*starts, len(text)])]
        said += ["", *(text[s.start : s.end] for s in sentences)]  # no run goes over the end of a passage
        places += [_Sentence(-1, 0, 0), *sentences]
    if len(said) < 2 * least:
        return []
    keys = [key or text.encode() for key, text in zip(keys_of(said, settings.fold_digits), said, strict=True)]
    first: dict[tuple[bytes, ...], int] = {}
    found = []
    at = 0
    while at + least <= len(keys):
        window = tuple(keys[at : at + least])
        if b"" in window:
            at += 1
            continue
        twin = first.setdefault(window, at)
        if twin + least > at:
            at += 1
            continue
        size = least
        while at + size < len(keys) and twin + size < at and keys[at + size] == keys[twin + size] != b"":
            size += 1
        block, start, end = places[at].block, places[at].start, places[at + size - 1].end
        if end - start < settings.min_repeat_chars:
            at += 1
            continue
        found.append(InnerRepeat(block, start, end, "repeat", places[twin].block, 1.0))
        at += size
    return found


def sentence_starts(text: str) -> list[int]:
    """Offsets at which sentences start, 0 first; pieces between them tile the text, white space after each included.

    A stop after a single letter or before a lower-case word ("e. g. this", "p. 3") ends nothing.

    >>> text = "He came. She left at 3 p.m. sharp! J. Doe stayed."
    >>> starts = sentence_starts(text)
    >>> [text[a:b] for a, b in zip(starts, [*starts[1:], None])]
    ['He came. ', 'She left at 3 p.m. sharp! ', 'J. Doe stayed.']
    """
    starts = [0]
    for found in _END.finditer(text):
        end = found.end()
        space = _SPACE.match(text, end)
        after = space.end() if space else end
        if after >= len(text):
            break
        at = found.start()
        if text[at] == "." and (
            text[after].islower()
            or (text[after].isdigit() and text[at - 1 : at].islower() and not text[max(at - 4, 0) : at].isalpha())
            or ((at == 1 or (at > 1 and not text[at - 2].isalnum())) and text[at - 1].isalpha())
        ):
            continue
        starts.append(after)
    return starts


def words_of(text: str) -> list[str]:
    """Words in lower case; single characters in scripts written without spaces."""
    lower = text.lower()
    if text.isascii():
        return _ASCII_WORD.findall(lower)
    return (_WORD if _STANDS_ALONE.search(lower) else _UNICODE_WORD).findall(lower)


def passage_similarity(a: Sequence[str], b: Sequence[str]) -> float:
    """Jaccard of the two multisets of words, 0 to 1; 0 where fewer than half of the word pairs stand in both.

    The pairs see to it that a passage of the same words in another order is no copy.

    >>> one = "the council met on monday to talk about the old bridge".split()
    >>> round(passage_similarity(one, [w.replace("monday", "friday") for w in one]), 3)
    0.833
    """
    left, right = Counter(a), Counter(b)
    shared = sum((left & right).values())
    union = len(a) + len(b) - shared
    pairs_a, pairs_b = set(pairwise(a)), set(pairwise(b))
    if len(pairs_a & pairs_b) * 2 < min(len(pairs_a), len(pairs_b)):
        return 0.0
    return shared / union if union else 1.0


def near_repeats(texts: Sequence[str], threshold: float) -> list[tuple[int, int, float]]:
    """``(later, earlier, similarity)`` for each text that is near an earlier text which is not near another itself.

    Candidates come from prefix filtering (Chaudhuri et al., ICDE 2006; Xiao et al., PPJoin, WWW 2008): two sets at or
    above the threshold share one of their rarest words. Each candidate is verified.
    """
    found_words = {n: words_of(t) for n, t in enumerate(texts) if len(t) >= 2 * MIN_WORDS or not t.isascii()}
    sizes = sorted(size for size in map(len, found_words.values()) if size >= MIN_WORDS)
    alike = {size for pair in pairwise(sizes) if pair[0] >= threshold * pair[1] for size in pair}
    bags = {n: words for n, words in found_words.items() if len(words) in alike}  # others are near to nothing
    sets = {n: set(bag) for n, bag in bags.items()}
    seen: set[str] = set()
    again: set[str] = set()
    for words in sets.values():
        again |= seen & words
        seen |= words
    # Of multisets at Jaccard t at most (1 - t) / (1 + t) of all words differ; distinct words may be fewer.
    allowed = {n: max(ceil(len(bag) * (1 - threshold) / threshold) + 1, 1) for n, bag in bags.items()}
    # Where so many words stand nowhere else, the rarest do.
    left = [n for n in bags if len(sets[n] - again) < allowed[n]]
    if len(left) < 2:
        return []
    frequency = Counter(chain.from_iterable(sets.values()))
    postings: dict[str, list[int]] = {}
    found = []
    for n in left:
        bag = bags[n]
        prefix = sorted(sorted(sets[n]), key=frequency.__getitem__)[: allowed[n]]
        likeness = {
            m: passage_similarity(bags[m], bag)
            for m in sorted({m for w in prefix for m in postings.get(w, ())})
            if min(len(bags[m]), len(bag)) >= threshold * max(len(bags[m]), len(bag))
        }
        best = max(likeness, key=lambda m: likeness[m], default=n)
        if likeness.get(best, -1.0) >= threshold:
            found.append((n, best, likeness[best]))
            continue
        for word in prefix:
            held = postings.setdefault(word, [])
            if len(held) < _MAX_POSTINGS:
                held.append(n)
    return found
