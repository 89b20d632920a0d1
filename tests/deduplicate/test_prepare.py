"""What a shard's documents are looked through for at once is what a look at each of them finds."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.deduplicate.corpus import utf8

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.documents.shingles import Words, overlapping
from winnow.deduplicate.passages.fingerprint import fingerprints
from winnow.deduplicate.passages.splitter import cut
from winnow.deduplicate.prepare import Batch
from winnow.deduplicate.repeats.inner_candidates import may_be_near
from winnow.deduplicate.repeats.meaning import Meaning
from winnow.deduplicate.repeats.within_document import Outline, near_repeats, outline_repeats

SAID = [
    "The council of the old town met on Monday to talk about the bridge over the river.",
    "Call read_all_rows(file_name, at_once) before any of the other_functions are called for it.",
    "日本の町の古い橋は冬の前にすべての人に開かれると大臣が言った。",
    "İstanbul’da ΟΔΥΣΣΕΥΣ and Straße, naïve café on 3 May.",
    "Nobody came!",
    "Yes.",
]
sentences = st.lists(st.sampled_from(SAID), min_size=1, max_size=7)
passages = st.builds(
    lambda said, changes: " ".join(
        changes.get(n, word) for n, word in enumerate(" ".join(said).split(" ")) if changes.get(n, word)
    ),
    sentences,
    st.dictionaries(st.integers(0, 90), st.sampled_from(["", "new", "new_word", "語", "The"]), max_size=4),
)
documents = st.lists(passages, max_size=5).flatmap(lambda some: st.permutations([*some, *some[:2]]).map("\n\n".join))


def plainly(text: str, how: DeduplicateSettings) -> list[tuple[int, int, int, str, int | None]]:
    pieces = cut(text)
    overlaps = np.flatnonzero(overlapping(Words.of(utf8(pieces.texts), np.array([0, len(pieces.texts)])))).tolist()
    prints = fingerprints(pieces.texts, how)
    doc = Outline(
        kinds=pieces.kinds,
        texts=pieces.texts,
        gaps=pieces.gaps,
        prints=prints,
        may_be_near=overlaps,
        may_run=overlaps,
    )
    return [(r.position, r.start, r.end, r.reason, r.kept_position) for r in outline_repeats(doc, how)]


@pytest.mark.parametrize("how", [DeduplicateSettings(), DeduplicateSettings(passage_threshold=0.6)], ids=["0.9", "0.6"])
@settings(deadline=None)
@given(texts=st.lists(documents, min_size=1, max_size=4))
def test_documents_that_are_not_looked_at_repeat_nothing(how: DeduplicateSettings, texts: list[str]) -> None:
    batch = Batch.of(pa.record_batch({"doc_id": [str(n) for n in range(len(texts))], "text": texts}), how)
    found = [[row.repeat for row in rows if row.repeat] for rows in batch.repeats()]
    assert [[(r.position, r.start, r.end, r.reason, r.kept_position) for r in rows] for rows in found] == [
        plainly(text, how) for text in texts
    ]


def numbered(stem: str, *others: int) -> str:
    return " ".join(f"{stem}{'x' * (n in others)}{n}_{stem}{n + 50}" for n in range(22))


@pytest.mark.parametrize(
    "texts",
    [
        [
            "".join(chr(0x4E00 + n) for n in range(60)),
            "".join(chr(0x4E00 + n + 900 * (n % 20 == 9)) for n in range(60)),
        ],
        [numbered("a"), numbered("a", 5, 11)],
        [numbered("a"), *map(numbered, "bcdefghijklm"), numbered("a", 3)],
    ],
    ids=["characters", "underscores", "many of one length"],
)
def test_passages_near_by_words_of_their_own_are_among_those_that_may_be(texts: list[str]) -> None:
    assert near_repeats(texts, 0.9)
    assert may_be_near(texts, np.zeros(len(texts), np.int64), 0.9).tolist() == [0]


@given(st.lists(st.tuples(st.integers(0, 2), passages), max_size=12), st.sampled_from([0.3, 0.6, 0.9, 1.0]))
@settings(deadline=None)
def test_passages_that_are_near_are_among_those_that_may_be(rows: list[tuple[int, str]], threshold: float) -> None:
    texts, owners = [text for _, text in rows], np.array([owner for owner, _ in rows], np.int64)
    near = {n for n in range(3) if near_repeats([text for owner, text in rows if owner == n], threshold)}
    assert near <= set(may_be_near(texts, owners, threshold).tolist())


LINES = [
    "The river runs by the mill,",
    "And the wheel is turning still,",
    "O turn, wheel, turn.",
    "- an item",
    "word " * 20,
]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from(["\n", "\n\n"])).map("".join), max_size=24))
def test_a_passage_is_no_verse_where_its_own_lines_tell_so(parts: list[str]) -> None:
    pieces = cut("".join(parts))
    meaning = Meaning(*pieces, list(range(len(pieces.texts))))
    assert [meaning._in_verse(n) for n in range(len(pieces.texts))] == list(meaning._verse)
