from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.deduplicate import corpus

from winnow.deduplicate.documents.keys import as_bytes
from winnow.deduplicate.passages.compiled_lines import KINDS
from winnow.deduplicate.passages.passages import split_passages
from winnow.deduplicate.repeats.promo import is_promo
from winnow.deduplicate.repeats.spans import split_documents

PIECES = st.sampled_from(corpus.PIECES)


def plain(text: str) -> list[tuple[str, str, str]]:
    return [(p.kind, p.text, p.gap) for p in split_passages(text)]


def compiled(texts: list[str]) -> list[list[tuple[str, str, str]]]:
    data, offsets = as_bytes(texts)
    found = split_documents(data, offsets)
    pieces = [data[a:b].tobytes().decode() for a, b in pairwise(found.edges(int(offsets[-1])).tolist())]
    rows = [(KINDS[k], *pieces[2 * n : 2 * n + 2]) for n, k in enumerate(found.kinds)]
    assert [len(row[1]) for row in rows] == found.chars.tolist()
    for row, may in zip(rows, found.may_promote.tolist(), strict=True):
        assert may or not (is_promo(row[1]) or is_promo(row[1], stands_again=True))
    bounds = [0, *found.ends.tolist()]
    return [rows[a:b] for a, b in pairwise(bounds)]


_TEXT = st.lists(PIECES, max_size=30).map("".join) | st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@settings(deadline=None, max_examples=400)
@given(st.lists(_TEXT, max_size=5))
def test_the_compiled_splitter_says_what_the_plain_one_says(texts: list[str]) -> None:
    assert compiled(texts) == [plain(t) for t in texts]


def test_nothing_and_white_space_alone_are_split_alike() -> None:
    texts = ["", "\n", "  \n\n ", "", "a"]
    assert compiled(texts) == [plain(t) for t in texts]
    assert split_documents(np.empty(0, np.uint8), np.zeros(1, np.int64)).ends.tolist() == []
