"""The compiled loops over shingles say what plain Python says, and what datasets made earlier hold."""

import hashlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.deduplicate.corpus import utf8

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.documents import similarity
from winnow.deduplicate.documents.kept_set import choose_kept
from winnow.deduplicate.documents.shingles import (
    letter_table,
    shared_at_least,
    shingle_document,
    shingle_sets,
    sign_documents,
)
from winnow.deduplicate.work_files import PLACE, VERIFIED, InputFile, WorkFiles

COMPILED = settings(deadline=None)  # the first call of a loop loads it, or compiles it
MASK = 2**64 - 1
LETTERS = "abXY01_ .,-\n\u0130\u03c2\u03a3é日本ひกข한пр\U00020000\U0001f600\u0301"


def mixed(h: int) -> int:
    h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9 & MASK
    h = (h ^ h >> 27) * 0x94D049BB133111EB & MASK
    return h ^ h >> 31


def shingle_set(text: str) -> list[int]:
    """The different shingle hashes of one document, sorted; 0 stands for an empty place, and counts as 1."""
    return sorted({max(h, 1) for h in shingles_in_python(words_in_python(text))})


def words_in_python(text: str) -> list[int]:
    """A number for each word: letters in lower case up to the next other character, or one without spaces alone."""
    table, prime = letter_table(), 0x100000001B3
    words, h, trail, open_ = [], 0, 0, False
    for char in text + " ":
        entry = int(table[ord(char)]) if ord(char) < len(table) else 0
        if entry and not entry >> 31:
            h = (h ^ entry) * prime & MASK
            h, open_ = h ^ h >> 29, True
            if char != "\u0130":
                continue
        if open_:
            words.append(mixed(h))
            h, trail, open_ = 0, 0, False
        if entry >> 31:
            words.append(mixed((trail & 0x7FFFFFFFFFFFFFFF) * prime & MASK ^ entry))
            trail = (trail << 21 | entry & 0x1FFFFF) & MASK
    return words


def shingles_in_python(words: list[int]) -> list[int]:
    padded = [0] * max(0, 5 - len(words)) + words if words else []
    out = []
    for n in range(len(padded) - 4):
        h = 0
        for word in padded[n : n + 5]:
            h = (h * 0x9E3779B97F4A7C15 + word) & MASK
        out.append(mixed(h))
    return out


@COMPILED
@given(st.lists(st.text(LETTERS, max_size=60), min_size=1, max_size=3))
def test_the_shingles_of_a_document_in_pieces_are_those_of_its_words(pieces: list[str]) -> None:
    laid = utf8(pieces)
    out = np.empty(len(laid.data) + 1, np.uint64)
    count, n_words = shingle_document(laid.data, laid.offsets, letter_table(), out)
    words = words_in_python("\n".join(pieces))
    assert n_words == len(words)
    assert out[:count].tolist() == shingles_in_python(words)


def test_bands_and_sketches_are_those_that_earlier_datasets_hold() -> None:
    texts = [" ".join(f"Wort{n % m} дом{n}" for n in range(200)) + "日本語の文章です。" for m in (3, 50)]
    signed = sign_documents(utf8(texts), 1)
    digest = hashlib.sha256(signed.bands.tobytes() + signed.sketch.tobytes()).hexdigest()[:16]
    assert digest == "924824ec40fb109a"


@COMPILED
@given(st.lists(st.text("ab ", max_size=40), min_size=1, max_size=4))
def test_sets_of_many_documents_are_those_of_each(texts: list[str]) -> None:
    hashes, sizes = shingle_sets(utf8(texts), np.arange(len(texts) + 1))
    ends = [0, *np.cumsum(sizes).tolist()]
    assert [hashes[a:b].tolist() for a, b in pairwise(ends)] == [shingle_set(t) for t in texts]


NUMBERS = st.sets(st.integers(0, 120), max_size=90)


@COMPILED
@given(NUMBERS, NUMBERS, st.integers(0, 90))
def test_counting_gives_up_only_where_the_count_cannot_be_reached(a: set[int], b: set[int], least: int) -> None:
    left, right = (np.array(sorted(s), np.uint64) for s in (a, b))
    assert shared_at_least(left, right, 0) == len(a & b)
    found = shared_at_least(left, right, least)
    assert found == len(a & b) or (found == 0 and len(a & b) < least)


@pytest.mark.parametrize("room", [8, 64 << 20])
def test_pairs_are_verified_alike_however_little_memory_there_is(
    room: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    sets = [np.unique(rng.integers(0, 40, size).astype(np.uint64)) for size in (30, 25, 0, 12, 30, 1)]
    files = WorkFiles(tmp_path)
    inputs = [InputFile(path=tmp_path, name=name) for name in ("a", "b")]
    stores = [files.shingles("near", [one]) for one in inputs]
    for store, ranks in zip(stores, ([4, 0, 2], [1, 5, 3]), strict=True):
        store.sets.write_bytes(b"".join(sets[r].tobytes() for r in ranks))
        sizes = np.array([len(sets[r]) for r in ranks])
        rows = list(zip(ranks, (np.cumsum(sizes) - sizes).tolist(), sizes.tolist(), strict=True))
        store.places.save(np.array(rows, PLACE))
    pairs = [(a, b) for a in range(6) for b in range(a + 1, 6)]
    wanted = files.to_verify("all").save(np.array([a << 32 | b for a, b in pairs], np.uint64))
    monkeypatch.setattr(similarity, "_SET_BYTES", room)
    verified = similarity.verify_pairs(wanted, files.verified("all"), stores).load().tolist()
    assert [(first, later) for first, later, _, _ in verified] == pairs
    for first, later, jaccard, contained in verified:
        one, two = (set(sets[n].tolist()) for n in (first, later))
        assert jaccard == (len(one & two) / len(one | two) if one | two else 1)
        assert contained == (len(one & two) / len(two) if two else 1)


@COMPILED
@given(st.dictionaries(st.tuples(st.integers(0, 11), st.integers(0, 11)), st.floats(0.5, 1), max_size=40))
def test_documents_are_brought_together_only_where_every_one_is_close_to_the_one_kept(
    likeness: dict[tuple[int, int], float],
) -> None:
    close = np.array([(a, b, j, j) for (a, b), j in likeness.items() if a < b], VERIFIED)
    arrival = np.array([1] * 8 + [2] * 4, np.int32)
    kept_set = choose_kept(close, arrival, DeduplicateSettings())
    for document, kept in enumerate(kept_set.kept.tolist()):
        assert kept_set.kept[kept] == kept
        assert document == kept or kept_set.jaccard[document] == likeness[kept, document]
    # Nothing is left that could still be brought together: a kept pair is far apart, or one of them stands for others.
    for a, b in ((a, b) for a, b in likeness if a < b and kept_set.kept[a] == a and kept_set.kept[b] == b):
        followers = np.flatnonzero(kept_set.kept == b).tolist()
        assert any((a, f) not in likeness for f in followers)
