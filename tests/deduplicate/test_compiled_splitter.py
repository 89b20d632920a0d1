from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.deduplicate import corpus

from winnow.deduplicate.passages.compiled_lines import KINDS
from winnow.deduplicate.passages.compiled_splitter import split_documents
from winnow.deduplicate.passages.splitter import split_passages
from winnow.deduplicate.repeats.promotion import is_promo

PIECES = st.sampled_from(corpus.PIECES)


def plain(text: str) -> list[tuple[str, str, str]]:
    return [(p.kind, p.text, p.gap) for p in split_passages(text)]


def compiled(texts: list[str]) -> list[list[tuple[str, str, str]]]:
    laid = corpus.utf8(texts)
    found = split_documents(laid)
    edges = [*found.bounds.reshape(-1).tolist(), int(laid.offsets[-1])]
    pieces = [laid.data[a:b].tobytes().decode() for a, b in pairwise(edges)]
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
    assert split_documents(corpus.utf8([])).ends.tolist() == []
