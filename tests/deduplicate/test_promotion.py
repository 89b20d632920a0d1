import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.deduplicate.corpus import PIECES, article, decide, prepared

from winnow.base.recipe import DeduplicateSettings
from winnow.base.records import doc_id_of
from winnow.deduplicate.passages.splitter import split_passages
from winnow.deduplicate.prepare import may_promote
from winnow.deduplicate.repeats.promotion import is_promo

CASES = Path(__file__).parents[1] / "cases"
SETTINGS = DeduplicateSettings()


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CASES / name).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", cases("promo.jsonl"), ids=lambda c: c["text"][:30])
def test_promotion_goes_and_prose_about_it_stays(case: dict[str, Any]) -> None:
    assert is_promo(case["text"]) is case["promo"], case["why"]


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from([*PIECES, "– ", "1) ", " ", "\n"]), max_size=6).map("".join), max_size=20))
def test_what_is_looked_at_for_promotion_holds_all_of_it(texts: list[str]) -> None:
    texts += [case["text"] for case in cases("promo.jsonl")]
    assert may_promote(pl.Series(texts)).tolist() == [is_promo(text, stands_again=True) for text in texts]


@pytest.mark.parametrize("case", cases("passages.jsonl"), ids=lambda c: c["why"])
def test_a_text_is_cut_into_the_passages_a_reader_sees(case: dict[str, Any]) -> None:
    assert [[p.kind, p.text] for p in split_passages(case["text"])] == case["passages"]


def test_a_call_without_other_evidence_goes_once_three_documents_have_it(tmp_path: Path) -> None:
    call = "Subscribe to the evening letter of this paper and receive the stories of the day."
    pages = {f"d{n}": "\n\n".join([*article(n, 3), call]) for n in range(3)}
    pages |= {f"e{n}": "\n\n".join([*article(50 + n, 3), "Click here to save it."]) for n in range(2)}
    _, passages = decide(tmp_path / "w", prepared(tmp_path / "p", pages, SETTINGS), SETTINGS)
    assert {r["doc_id"] for r in passages} == {doc_id_of(f"d{n}") for n in range(3)}
    assert {r["reason"] for r in passages} == {"boilerplate"}
