import numpy as np

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.remainders import judge_remainders
from winnow.deduplicate.work_files import CHARS, NO_RANK, REMOVED

NOBODY = np.empty(0, np.uint32)


def gone(*rows: tuple[int, int, int]) -> np.ndarray:
    """Passages that go: (document, characters, document that holds them)."""
    out = np.zeros(len(rows), REMOVED)
    for n, (rank, chars, kept) in enumerate(rows):
        out[n]["rank"], out[n]["position"], out[n]["chars"], out[n]["kept"] = rank, n, chars, kept
    return out


def judged(*kept_for_others: bool) -> list[tuple[int, int, bool]]:
    """Of two documents the second has all but 20 of its 2,000 characters in the first."""
    found: list[tuple[int, int, bool]] = judge_remainders(
        chars=np.array([(1, 900), (0, 5000), (1, 1100)], CHARS),
        removed=gone((1, 1980, 0)),
        with_inner_repeats=NOBODY,
        kept_for_others=np.array(kept_for_others),
        settings=DeduplicateSettings(),
    ).tolist()
    return found


def test_a_document_that_another_one_holds_whole_is_a_copy_of_it() -> None:
    assert judged(False, False) == [(1, 0, False)]


def test_a_document_that_others_are_copies_of_stays_for_them() -> None:
    assert judged(False, True) == [(1, int(NO_RANK), False)]
