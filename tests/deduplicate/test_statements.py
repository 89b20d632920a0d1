from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from winnow.deduplicate.documents import statements
from winnow.deduplicate.documents.statements import Statement, as_stated
from winnow.deduplicate.passages import contraries

PIECES = [
    *"not does n't do no one can't ' ’ un nonsense unsafe ꟿ ꟾ n'est d'un 不 增 加 ない _ 1 and or".split(),
    *"İ ſ up क ि said ı".split(),
    *("can not", " ", " ", " ", "\n", "Colour", "kyiv", "posted", "3 May", "©", "12 views", "RE-posted", "- by"),
    *("Anna", "Laut", "according to", "сказала", "报道", "ſaid", "saıd", "2,4", "stand: May", "page 3", "©©"),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@given(TEXTS)
def test_a_passage_is_read_word_by_word_as_it_is_as_a_whole(text: str) -> None:
    whole = tuple(statements._heard(way(text)) for way in (contraries.stated, contraries.affirmed))
    assert statements._read(text) == whole


@given(TEXTS)
def test_no_stamp_and_no_report_is_passed_over_for_how_it_begins(text: str) -> None:
    line = text.replace("\n", " ")
    times = all(map(statements._TIMES.match, statements._LETTERS.findall(line)))
    assert statements._stamps(line) == (bool(statements._STAMP.fullmatch(line)) or times)
    assert statements._MAY_REPORT.search(text) or not statements._REPORTS.search(text)


def test_what_a_stamp_may_begin_with_is_known() -> None:
    lines = ["Reposted", "re-posted", "To: me", "3 views", "views", "AD 4", "Filed under", "Impreso", "Zuletzt", "©"]
    assert all(statements._STAMP.fullmatch(line) and statements._stamps(line) for line in lines)


def test_a_long_passage_and_a_long_word_are_read_as_others_are() -> None:
    text, word = "It is not large. " * 200, "Nonsense" * 20
    assert as_stated(Statement([text], [False])) == ["it is ꟿ lrg. " * 200]
    heard = statements._heard(word[3:].lower())
    assert as_stated(Statement([f"It was {word} in May"], [False])) == [f"it vs ꟿ {heard} in may"]
