"""What people judged of a version travels to the store and to every machine."""

import pytest
from tests.publish.press import sources
from tests.publish.test_reviews import verdict

from winnow.publish.reviews import keep_verdicts, kept_verdicts
from winnow.storage.lock import lock_dataset


@pytest.mark.slow
def test_a_review_on_one_machine_is_read_and_added_to_on_another(bucket):
    bucket.machine("one").publish(sources("a", "b"), run_id="run-1")
    for machine, source in (("one", "a"), ("two", "b")):
        dataset = bucket.machine(machine).dataset
        with lock_dataset(dataset, f"review-{machine}"):
            keep_verdicts(dataset, [verdict(source, "right")])
    assert len(kept_verdicts(bucket.read("three"), 1)) == 2
    assert len(kept_verdicts(bucket.read("one"), 1)) == 2
    assert bucket.read("three").remote.verify() == []
