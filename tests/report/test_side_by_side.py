from hypothesis import given
from hypothesis import strategies as st

from winnow.report.side_by_side import Misfit, PassageEnd, Step, align, decoded, mark_removed, shorten


@st.composite
def ledgers(draw):
    raw = text = draw(st.text("abc \n", max_size=30))
    steps = []
    for seq in range(draw(st.integers(0, 10))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 4)))
        after = draw(st.text("XYZ", max_size=3))
        steps.append(Step(seq, draw(st.sampled_from(["tags", "entities"])), start, text[start:end], after))
        text = text[:start] + after + text[end:]
    return raw, text, steps


@given(ledgers())
def test_pieces_join_to_both_texts_and_unchanged_ones_are_equal(ledger):
    raw, text, steps = ledger
    pieces = align(text, steps)
    assert decoded(pieces) == raw
    assert "".join(p.clean for p in pieces) == text
    assert all(p.rules or p.raw == p.clean for p in pieces)


@given(ledgers(), st.lists(st.integers(0, 9), max_size=8))
def test_marking_removals_loses_nothing(ledger, lengths):
    raw, text, steps = ledger
    spans = [PassageEnd(n, "promo" if i % 2 else None) for i, n in enumerate(lengths)]
    pieces = mark_removed(align(text, steps), spans)
    assert decoded(pieces) == raw
    assert "".join(p.clean for p in pieces) == text


def test_each_passage_has_its_own_fate():
    pieces = mark_removed(align("one\ntwo\nthree", []), [PassageEnd(4), PassageEnd(4, "repeat"), PassageEnd(5)])
    assert [(p.clean, p.removed) for p in pieces] == [("one\n", None), ("two\n", "repeat"), ("three", None)]


def test_a_ledger_of_another_text_is_refused():
    for steps in ([Step(0, "tags", 1, "x", "b")], [Step(0, "tags", 90, "x", "")]):
        try:
            align("aaa", steps)
        except Misfit:
            continue
        raise AssertionError(steps)


@given(ledgers(), st.integers(1, 40))
def test_a_shortened_document_is_short_and_says_what_it_leaves_out(ledger, limit):
    _, text, steps = ledger
    pieces = align(text, steps)
    short, cut = shorten(pieces, limit, around=2)
    assert cut >= 0
    assert (cut == 0) == (short == pieces)
    assert sum(len(p.clean) for p in short) <= 2 * limit + 10
