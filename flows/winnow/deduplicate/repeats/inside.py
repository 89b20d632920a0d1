"""Repeats inside one document: whole passages, runs of sentences, near-identical passages, glued copies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from winnow.base.recipe import DeduplicateSettings
from winnow.base.records import Passage
from winnow.deduplicate.passages.fingerprint import fingerprint
from winnow.deduplicate.passages.folding import key_of
from winnow.deduplicate.passages.sentences import sentence_starts
from winnow.deduplicate.repeats.promo import is_promo
from winnow.deduplicate.repeats.similar import near_repeats

PROTECTED = frozenset(("heading", "table_row"))
"""Kinds that stand more than once for a reason: "Conclusion" under each chapter, a row of a table."""

_GLUED_CHARS = 400  # a run of repeated passages with this much prose is a second copy, headings and tables with it


@dataclass(frozen=True, slots=True)
class InnerRepeat:
    """``text[start:end]`` of the block at `position` says again what stands at `kept_position` (None for promotion)."""

    position: int
    start: int
    end: int
    reason: str
    kept_position: int | None
    similarity: float | None


@dataclass(frozen=True, slots=True)
class Outline:
    """A document's whole blocks by position: kind, characters, fingerprint; texts are fetched only where needed.

    `overlaps` are the positions of blocks that share words in a row with another, `may_promote` those that may be
    promotion: only they are looked at more closely. None stands for all.
    """

    kinds: Sequence[str]
    chars: Sequence[int]
    prints: Sequence[bytes]
    text: Callable[[int], str]
    overlaps: Sequence[int] | None = None
    may_promote: Sequence[int] | None = None

    def may_go(self, n: int, settings: DeduplicateSettings) -> bool:
        """Whether a block is long enough, and of a kind, to be a repeat inside its document."""
        if self.kinds[n] in PROTECTED:
            return False
        short = self.kinds[n] in ("list_item", "code")
        return self.chars[n] >= (settings.min_repeat_chars if short else settings.min_inner_repeat_chars)


def inner_repeats(blocks: Sequence[Passage], settings: DeduplicateSettings) -> list[InnerRepeat]:
    """`outline_repeats` of the whole blocks of a document that are at hand."""
    prints = [fingerprint(p.text, settings) for p in blocks]
    kinds, chars = [p.kind for p in blocks], [len(p.text) for p in blocks]
    return outline_repeats(Outline(kinds, chars, prints, lambda n: blocks[n].text), settings)


def outline_repeats(doc: Outline, settings: DeduplicateSettings) -> list[InnerRepeat]:
    """What of a document's whole blocks repeats inside it, in order of position and start.

    A pure function of blocks and settings. Headings, table rows and short passages stay, unless they stand in a second
    copy of a longer stretch. Time is linear in the text.
    """
    if not settings.passages:
        return []
    every = range(len(doc.prints))
    allowed = {fingerprint(text, settings) for text in settings.keep}
    earlier = _aligned(doc.prints)
    again = {*earlier, *earlier.values()}
    gone: dict[int, InnerRepeat] = {}
    for n in (every if doc.may_promote is None else doc.may_promote) if settings.promo_lines else ():
        if doc.prints[n] not in allowed and is_promo(doc.text(n), n in again):
            gone[n] = InnerRepeat(n, 0, doc.chars[n], "promo", None, None)
    for n, m in earlier.items():
        if n not in gone and m not in gone and doc.may_go(n, settings) and doc.prints[n] not in allowed:
            gone[n] = _whole(doc, n, "repeat", m, 1.0)
    left = [
        n
        for n in (every if doc.overlaps is None else doc.overlaps)
        if n not in gone and doc.may_go(n, settings) and doc.prints[n] not in allowed
    ]
    texts = {n: doc.text(n) for n in left}
    prose = [n for n in left if doc.kinds[n] in ("paragraph", "quote")]
    for later, first, similarity in near_repeats([texts[n] for n in prose], settings.passage_threshold):
        n, m = prose[later], prose[first]
        gone[n] = _whole(doc, n, "near_repeat", m, similarity)
        earlier[n] = m
    for n, why in gone.items():  # what stands for a copy may be near to something earlier, and go for that
        then = gone.get(earlier[n]) if why.reason == "repeat" else None
        if then is not None and then.reason == "near_repeat":
            gone[n] = replace(why, reason="near_repeat", kept_position=then.kept_position, similarity=then.similarity)
    _add_glued(doc, earlier, gone, allowed)
    runs = _sentence_runs({n: text for n, text in texts.items() if n not in gone}, settings)
    return sorted([*gone.values(), *runs], key=lambda r: (r.position, r.start))


def cut_at_repeats(
    blocks: Sequence[Passage], repeats: Sequence[InnerRepeat]
) -> list[tuple[Passage, InnerRepeat | None]]:
    """The blocks, each with the repeat that removes it, if any; those with one inside are cut into parts.

    A part's gap is the white space after it, so ``text + gap`` still tiles the document.
    """
    inside: dict[int, list[InnerRepeat]] = {}
    for repeat in repeats:
        inside.setdefault(repeat.position, []).append(repeat)
    out: list[tuple[Passage, InnerRepeat | None]] = []
    for block in blocks:
        found = inside.get(block.position, [])
        if not found or (found[0].start == 0 and found[0].end == len(block.text)):
            out.append((block, found[0] if found else None))
            continue
        pieces: list[tuple[int, int, InnerRepeat | None]] = []
        at = 0
        for repeat in found:
            if repeat.start > at:
                pieces.append((at, repeat.start, None))
            pieces.append((repeat.start, repeat.end, repeat))
            at = repeat.end
        if at < len(block.text):
            pieces.append((at, len(block.text), None))
        for part, (start, end, why) in enumerate(pieces):
            text = block.text[start:end]
            body = text.rstrip()
            gap = text[len(body) :] + (block.gap if end == len(block.text) else "")
            out.append((replace(block, part=part, text=body, gap=gap), why))
    return out


def _whole(doc: Outline, n: int, reason: str, kept_position: int, similarity: float) -> InnerRepeat:
    return InnerRepeat(n, 0, doc.chars[n], reason, kept_position, similarity)


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
        if len(prose) >= 2 and stop - start >= 3 and sum(doc.chars[m] for m in prose) >= _GLUED_CHARS:
            for m in range(start, stop):
                if m not in gone and m - delta not in gone and prints[m] not in allowed:
                    gone[m] = _whole(doc, m, "repeat", m - delta, 1.0)
        tried = stop


def _sentence_runs(texts: Mapping[int, str], settings: DeduplicateSettings) -> list[InnerRepeat]:
    """Runs of at least `min_run_sentences` sentences of one passage that stand in a row earlier in the document."""
    least = settings.min_run_sentences
    keys: list[bytes] = []
    owner: list[tuple[int, int, int]] = []  # block, start and end of each sentence
    for n, text in texts.items():
        if len(text) < settings.min_repeat_chars:
            continue
        starts = sentence_starts(text)
        if len(starts) < least:
            continue
        if keys:
            keys.append(b"")  # no run goes over the end of a passage
            owner.append((-1, 0, 0))
        for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
            keys.append(key_of(text[start:end], settings.fold_digits) or text[start:end].encode())
            owner.append((n, start, end))
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
        block, start, _ = owner[at]
        end = owner[at + size - 1][2]
        if end - start < settings.min_repeat_chars:
            at += 1
            continue
        found.append(InnerRepeat(block, start, end, "repeat", owner[twin][0], 1.0))
        at += size
    return found
