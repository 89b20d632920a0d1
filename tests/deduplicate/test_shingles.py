"""Shingles made of many texts at once are what plain Python says, and what datasets made earlier hold."""

import hashlib
from itertools import chain, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.deduplicate.corpus import utf8

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.array_files import gather
from winnow.deduplicate.documents import shingles as shingles_module
from winnow.deduplicate.documents import similarity
from winnow.deduplicate.documents.kept_set import KeptSet, choose_kept, spread_connected
from winnow.deduplicate.documents.shingle_store import Slice
from winnow.deduplicate.documents.shingles import Words, letter_table, overlapping, shingle_sets, sign_documents
from winnow.deduplicate.sorted_rows import count_shared
from winnow.deduplicate.work_files import (
    KEPT,
    PLACED,
    VERIFIED,
    InputFile,
    ShingleFile,
    ShingleSets,
    WorkFiles,
    lay_out,
)
from winnow.run.executor import InlineExecutor

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


def every_word(pieces: list[str]) -> list[int]:
    return words_in_python("\n".join(pieces))


@settings(deadline=None)
@given(st.lists(st.lists(st.text(LETTERS, max_size=60), max_size=3), max_size=4), st.sampled_from((1, 1 << 20)))
def test_the_words_of_documents_in_pieces_are_those_of_their_texts(documents: list[list[str]], chunk: int) -> None:
    pieces = [piece for document in documents for piece in document]
    bounds = np.cumsum([0, *map(len, documents)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shingles_module, "_CHUNK", chunk)
        words = Words.of(utf8(pieces), bounds)
        sets, sizes = shingle_sets(words)
    assert words.numbers.tolist() == [word for document in documents for word in every_word(document)]
    assert words.in_pieces.tolist() == [word for piece in pieces for word in every_word([piece])]
    assert words.ends.tolist() == np.cumsum([len(every_word([piece])) for piece in pieces]).tolist()
    ends = np.append(0, np.cumsum(sizes))
    found = [sets[a:b].tolist() for a, b in pairwise(ends)]
    assert found == [shingle_set("\n".join(document)) for document in documents]
    assert sign_documents(words, 1).n_shingles.tolist() == sizes.tolist()


@pytest.mark.parametrize("sizes", [(3, 70, 20_000), (5,) * 100, (20_000,) * 70, (64,) * 65])
def test_words_of_any_length_are_read_to_their_end(sizes: tuple[int, ...]) -> None:
    text = " ".join("ab" * (size // 2) + "c" * (size % 2) + "x" for size in sizes)
    different = {size: words_in_python("ab" * (size // 2) + "c" * (size % 2) + "x")[0] for size in set(sizes)}
    assert Words.of(utf8([text]), np.array([0, 1])).numbers.tolist() == [different[size] for size in sizes]


@pytest.mark.parametrize("at_once", [7, 1 << 16])
def test_bands_and_sketches_are_those_that_earlier_datasets_hold(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shingles_module, "_AT_ONCE", at_once)
    texts = [" ".join(f"Wort{n % m} дом{n}" for n in range(200)) + "日本語の文章です。" for m in (3, 50)]
    signed = sign_documents(Words.of(utf8(texts), np.arange(3)), 1)
    digest = hashlib.sha256(signed.bands.tobytes() + signed.sketch.tobytes()).hexdigest()[:16]
    assert digest == "924824ec40fb109a"


def overlapping_in_python(pieces: list[str]) -> list[bool]:
    """Pieces with six shingles in a row that stood before, and those where these stood first."""
    marks, first = [False] * len(pieces), {}
    for n, piece in enumerate(pieces):
        run = 0
        words = every_word([piece])
        for shingle in shingles_in_python(words) if len(words) >= 5 else ():
            run = run + 1 if shingle in first else 0
            if run >= 6:
                marks[n] = marks[first[shingle]] = True
            first.setdefault(shingle, n)
    return marks


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.lists(st.sampled_from("abcdefgh日本語のひ"), max_size=30).map(" ".join), max_size=6), max_size=3
    )
)
def test_passages_overlap_where_they_share_six_shingles_in_a_row(documents: list[list[str]]) -> None:
    documents = [[*document, *document[:2]] for document in documents]
    pieces = [piece for document in documents for piece in document]
    words = Words.of(utf8(pieces), np.cumsum([0, *map(len, documents)]))
    found = overlapping(words)
    assert found.tolist() == [mark for document in documents for mark in overlapping_in_python(document)]


@settings(deadline=None)
@given(st.lists(st.sets(st.integers(0, 120), max_size=90), min_size=2, max_size=6))
def test_shared_values_are_counted_for_each_pair(sets: list[set[int]]) -> None:
    values = np.array([value for one in sets for value in sorted(one)], np.uint64)
    ends = np.cumsum([len(one) for one in sets])
    pairs = [(a, b) for a in range(len(sets)) for b in range(len(sets)) if (a + b) % 3]  # some lie end to end
    first, later = (np.array(side) for side in zip(*pairs, strict=True))
    found = count_shared(values, ends - [len(one) for one in sets], ends, (first, later))
    assert found.tolist() == [len(sets[a] & sets[b]) for a, b in pairs]


@pytest.mark.parametrize("room", [8, 64 << 20])
def test_pairs_are_verified_alike_however_little_memory_there_is(
    room: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    sets = [np.unique(rng.integers(0, 40, size).astype(np.uint64)) for size in (30, 25, 0, 12, 30, 1)]
    files = WorkFiles(tmp_path)
    inputs = [InputFile(path=tmp_path, name=name) for name in ("a", "b")]
    parts = []
    for one, ranks in zip(inputs, ([4, 0, 2], [1, 5, 3]), strict=True):
        sizes = np.array([len(sets[r]) for r in ranks])
        rows = list(zip(ranks, (np.cumsum(sizes) - sizes).tolist(), sizes.tolist(), strict=True))
        parts.append(ShingleFile(files.shingles("near", [one]), int(sizes.sum()), len(rows)))
        parts[-1].path.write_bytes(b"".join([*(sets[r].tobytes() for r in ranks), np.array(rows, PLACED).tobytes()]))
    starts = lay_out(parts, files.shingle_places("near"), len(sets))
    near = ShingleSets(tuple(parts), tuple(starts), files.shingle_places("near"))
    pairs = [(a, b) for a in range(6) for b in range(a + 1, 6)]
    wanted = files.to_verify("all").save(np.array([a << 32 | b for a, b in pairs], np.uint64))
    monkeypatch.setattr(similarity, "SET_BYTES", room)
    verified = similarity.verify_pairs(Slice(wanted, 0, len(pairs)), files.verified("all"), near).load().tolist()
    assert [(first, later) for first, later, _, _ in verified] == pairs
    for first, later, jaccard, contained in verified:
        one, two = (set(sets[n].tolist()) for n in (first, later))
        assert jaccard == (len(one & two) / len(one | two) if one | two else 1)
        assert contained == (len(one & two) / len(two) if two else 1)


@settings(deadline=None)
@given(st.dictionaries(st.tuples(st.integers(0, 11), st.integers(0, 11)), st.floats(0.5, 1), max_size=40))
def test_documents_are_brought_together_only_where_every_one_is_close_to_the_one_kept(
    likeness: dict[tuple[int, int], float],
) -> None:
    close = np.array([(a, b, j, j) for (a, b), j in likeness.items() if a < b], VERIFIED)
    arrival = np.array([1] * 8 + [2] * 4, np.int32)
    found = KeptSet.of([choose_kept(close, arrival, DeduplicateSettings())], np.empty(len(arrival), KEPT))
    kept_for = np.where(found.copies, found.by_rank["kept"], np.arange(12))
    for kept, document, jaccard, _ in chain.from_iterable(rows.tolist() for rows in found.pairs(0)):
        assert kept_for[document] == kept_for[kept] == kept != document
        assert jaccard == np.float32(likeness[kept, document])
    # Nothing is left that could still be brought together: a kept pair is far apart, or one of them stands for others.
    for a, b in ((a, b) for a, b in likeness if a < b and kept_for[a] == a and kept_for[b] == b):
        followers = np.flatnonzero(kept_for == b).tolist()
        assert any((a, f) not in likeness for f in followers)


@settings(deadline=None)
@given(
    st.dictionaries(st.tuples(st.integers(0, 40), st.integers(0, 40)), st.floats(0.5, 1), max_size=60),
    st.integers(1, 20),
)
def test_pairs_that_are_too_many_to_hold_are_taken_by_what_connects_them_with_the_same_outcome(
    likeness: dict[tuple[int, int], float], held: int
) -> None:
    close = np.array([(a, b, j, j) for (a, b), j in likeness.items() if a < b], VERIFIED)
    arrival = np.array([1] * 20 + [2] * 21, np.int32)
    whole = choose_kept(close, arrival, DeduplicateSettings())
    with TemporaryDirectory() as folder:
        pieces = np.array_split(close, 3)
        outs = [WorkFiles(Path(folder)).close(f"{n}") for n in range(3)]
        spread_connected(pieces, outs, np.empty(len(arrival), np.uint32), held)
        parts = [part.load() for part in gather(outs, VERIFIED, held, InlineExecutor())]
    assert sum(map(len, parts)) == len(close)
    apart = [choose_kept(part, arrival, DeduplicateSettings()) for part in parts]
    assert np.sort(np.concatenate(apart)).tolist() == np.sort(whole).tolist()
