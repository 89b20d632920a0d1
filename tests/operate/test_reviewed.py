"""A gate that asks for a review holds a version back until people found the one before it right."""

from __future__ import annotations

import pytest
from tests.operate.conftest import GOOD, Place

from winnow.base.errors import GateHeld
from winnow.publish.reviews import Verdict, keep_verdicts
from winnow.report.review import sample_items
from winnow.storage.lock import lock_dataset

BOARDS = {"id": "boards", "text": "Signs &amp;amp; boards stand along the road, and nobody reads what is on them."}


def judge(place: Place, said: str) -> None:
    manifest = place.dataset.manifest()
    items = sample_items(place.dataset.view(manifest.version), 50, None, manifest.run_id)
    verdicts = [
        Verdict(version=manifest.version, run_id=manifest.run_id, kind=i.kind, rule=i.rule, doc_id=i.doc_id, at=i.at,
                verdict=said)
        for i in items
    ]  # fmt: skip
    with lock_dataset(place.dataset, "review"):
        keep_verdicts(place.dataset, verdicts)


@pytest.mark.slow
def test_a_version_waits_until_the_one_before_it_was_reviewed(place):
    asks = place.recipe("[validate]\nmin_review_precision = 0.2\n")
    place.write([GOOD[0], BOARDS])
    assert place.build(recipe=asks)["version"] == 1, "there is none before the first"
    place.write([*GOOD, BOARDS])
    with pytest.raises(GateHeld, match=r"v1 has no review; it must be 0\.2 at least"):
        place.build(recipe=asks)
    judge(place, "wrong")
    with pytest.raises(GateHeld, match=r"was right 0 times of 1 in the review of v1, likely 0\.00 of all at least"):
        place.build(recipe=asks)
    judge(place, "right")
    assert place.build(recipe=asks)["version"] == 2
