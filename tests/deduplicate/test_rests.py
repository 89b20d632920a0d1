import numpy as np

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.repeats.holders import GONE
from winnow.deduplicate.rests import judge_rests

SETTINGS = DeduplicateSettings()
NOBODY = np.empty(0, np.uint32)


def gone(*rows: tuple[int, int, int]) -> np.ndarray:
    """Passages that go: (document, characters, document that holds them)."""
    out = np.zeros(len(rows), GONE)
    for n, (rank, chars, kept) in enumerate(rows):
        out[n]["rank"], out[n]["position"], out[n]["chars"], out[n]["kept"] = rank, n, chars, kept
    return out


def test_a_document_that_another_one_holds_whole_is_a_copy_of_it() -> None:
    rests = judge_rests(np.array([5000, 2000]), gone((1, 1980, 0)), NOBODY, NOBODY, SETTINGS)
    assert rests.copies == {1: 0}
    assert not rests.restored


def test_a_document_that_others_are_copies_of_stays_for_them() -> None:
    rests = judge_rests(np.array([5000, 2000]), gone((1, 1980, 0)), NOBODY, np.array([1], np.uint32), SETTINGS)
    assert not rests.copies
    assert rests.restored == {1}
