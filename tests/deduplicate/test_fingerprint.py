from hypothesis import given, settings
from hypothesis import strategies as st
from tests.deduplicate.corpus import utf8

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.passages.fingerprint import fingerprint
from winnow.deduplicate.passages.utf8_texts import fingerprints

SETTINGS = DeduplicateSettings()
FOLDED = DeduplicateSettings(fold_digits=True)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@settings(deadline=None)
@given(st.lists(_TEXT, max_size=12))
def test_the_compiled_loop_says_what_the_plain_function_says(texts: list[str]) -> None:
    assert fingerprints(utf8(texts), False) == [fingerprint(t, SETTINGS) for t in texts]
    assert fingerprints(utf8(texts), True) == [fingerprint(t, FOLDED) for t in texts]


def test_case_spaces_punctuation_and_composition_make_no_difference() -> None:
    assert fingerprint("Ｃafé — “Zürich”!", SETTINGS) == fingerprint("cafe\u0301  zu\u0308rich", SETTINGS)


def test_different_words_differ_in_every_script() -> None:
    words = "Он ушёл домой.|Она пришла.|これは本です。|これは犬です。|ราคา|रकम|रुकम|C++|C|👍|👎|***|---"
    texts = words.split("|")
    assert len({fingerprint(t, SETTINGS) for t in texts}) == len(texts)


def test_digits_are_folded_only_where_the_recipe_says_so() -> None:
    assert fingerprint("3 May", SETTINGS) != fingerprint("4 May", SETTINGS)
    assert fingerprint("3 May", FOLDED) == fingerprint("4 May", FOLDED)
