import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.passages.fingerprint import fingerprints, folded

SETTINGS = DeduplicateSettings()
FOLDED = DeduplicateSettings(fold_digits=True)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.text("a é\0“”7٣日本ｱ \u00ad", max_size=90)


def fingerprint(text: str, recipe: DeduplicateSettings) -> bytes:
    return fingerprints([text], recipe)[0]


def by_the_character(text: str, recipe: DeduplicateSettings) -> bytes:
    words = "".join(folded(char, recipe.fold_digits) for char in text).split()
    return xxhash.xxh3_128_digest(" ".join(words).encode() or b"\0" + text.encode())


@settings(deadline=None)
@given(st.lists(_TEXT, max_size=12))
def test_many_texts_at_once_have_the_fingerprints_of_their_characters(texts: list[str]) -> None:
    for recipe in (SETTINGS, FOLDED):
        assert fingerprints(texts, recipe) == [by_the_character(text, recipe) for text in texts]


def test_case_spaces_punctuation_and_composition_make_no_difference() -> None:
    assert fingerprint("Ｃafé — “Zürich”!", SETTINGS) == fingerprint("cafe\u0301  zu\u0308rich", SETTINGS)


def test_different_words_differ_in_every_script() -> None:
    words = "Он ушёл домой.|Она пришла.|これは本です。|これは犬です。|ราคา|रकम|रुकम|C++|C|👍|👎|***|---"
    texts = words.split("|")
    assert len({fingerprint(t, SETTINGS) for t in texts}) == len(texts)


def test_digits_are_folded_only_where_the_recipe_says_so() -> None:
    assert fingerprint("3 May", SETTINGS) != fingerprint("4 May", SETTINGS)
    assert fingerprint("3 May", FOLDED) == fingerprint("4 May", FOLDED)
