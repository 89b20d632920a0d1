"""One holder at a time: others are told who, wait, or take over when it is gone."""

import json
import time

import pytest

from winnow.base.errors import DatasetBusy
from winnow.storage import lease

SHORT = 1.0


def note_of(bucket):
    return json.loads(bucket.store.read(lease.NAME)[0])


def test_a_second_writer_is_told_who_holds_the_lease(bucket):
    with lease.hold(bucket.store, "first", "copy one"):
        assert lease.holder(bucket.store).run == "first"
        with (
            pytest.raises(DatasetBusy, match=r"run first \(process \d+ on .+ runs out in (60|59) s"),
            lease.hold(bucket.store, "second", "copy two"),
        ):
            pass
    assert lease.holder(bucket.store) is None
    with lease.hold(bucket.store, "second", "copy two"):
        assert lease.holder(bucket.store).run == "second"


def test_a_lease_is_renewed_while_its_holder_lives_and_taken_when_it_has_run_out(bucket):
    with lease.hold(bucket.store, "first", "copy one", seconds=SHORT) as first:
        began = note_of(bucket)["expires"]
        time.sleep(1.5 * SHORT)
        first.check()
        assert note_of(bucket)["expires"] > began + SHORT
        first._stop.set()  # as where its process stands still
        with lease.hold(bucket.store, "second", "copy two", wait_seconds=10 * SHORT) as second:
            assert note_of(bucket)["run"] == "second"
            with pytest.raises(DatasetBusy, match="lost its lease"):
                first.check()
            first.end()  # must not let go what is not its own
            assert note_of(bucket)["run"] == "second"
            second.check()


def test_a_holder_that_was_overtaken_learns_it_by_its_next_renewal(bucket):
    with lease.hold(bucket.store, "first", "copy one", seconds=SHORT) as first:
        bucket.store.put(lease.NAME, b'{"run": "other", "copy": "x", "expires": 99999999999}')
        time.sleep(SHORT / 2)
        with pytest.raises(DatasetBusy, match="lost its lease"):
            first.check()
    assert note_of(bucket)["run"] == "other"


def test_the_lease_of_a_dead_run_of_the_same_working_copy_is_taken_at_once(bucket):
    bucket.store.put(lease.NAME, b'{"run": "dead", "copy": "copy one", "expires": 99999999999}')
    with lease.hold(bucket.store, "next", "copy one"):
        assert note_of(bucket)["run"] == "next"


def test_a_lease_of_a_clock_that_is_ahead_is_told_with_what_to_do(bucket):
    with lease.hold(bucket.store, "first", "copy one"):
        behind = time.time() - 3600
        with (
            pytest.raises(DatasetBusy, match=r"one of the two clocks is wrong.*remove \.lock\.json there"),
            lease.hold(bucket.store, "second", "copy two", clock=lambda: behind),
        ):
            pass


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"run": null}'])
def test_what_is_no_lease_holds_nobody_off(bucket, content):
    bucket.store.put(lease.NAME, content)
    with lease.hold(bucket.store, "next", "copy one") as held:
        held.check()
