"""A version that the gate holds back: a state a person sees, an approval on record, nothing let through unseen."""

import json
import shutil
import socket
from dataclasses import replace

import pytest
from tests.operate.conftest import GOOD, SIGNS, Place

from winnow.base.errors import GateHeld, UsageError
from winnow.cli.look import rejects, status
from winnow.cli.make import approve
from winnow.run.approval import (
    held_from,
    held_rejects,
    order_to_approve,
    past_runs,
    remember_order,
    run_awaiting_approval,
)
from winnow.storage.lock import current_writer, lock_dataset


@pytest.fixture(scope="module")
def stopped(prefect_server, tmp_path_factory):
    """A dataset whose first version is held back, and the state that Prefect shows."""
    from winnow.build import build

    place = Place(tmp_path_factory.mktemp("held"))
    place.write([GOOD[0], SIGNS])
    state = build(**place.call(source=str(place.folder / "in")), return_state=True)
    return place, state


@pytest.fixture
def place(stopped, tmp_path):
    """A copy of it to write on; the input stays where the held run read it."""
    shutil.copytree(stopped[0].folder / "dataset", tmp_path / "dataset", symlinks=True)
    return Place(tmp_path)


@pytest.fixture
def held(place):
    return run_awaiting_approval(place.dataset)


def test_a_held_version_is_a_state_of_that_name(stopped):
    state = stopped[1]
    assert (state.type.value, state.name) == ("FAILED", "HeldBack")
    assert "winnow approve" in state.message
    with pytest.raises(GateHeld, match="few_rejects"):
        state.result()


def test_the_rejects_of_a_held_run_are_seen_also_before_the_first_version(stopped, place, held, capsys):
    assert "rejects: 1 enough_letters; see them: winnow rejects" in stopped[1].message
    assert rejects(into=str(place.dataset.root)) == 0
    said = capsys.readouterr().out
    assert "1 reject: 1 enough_letters" in said
    assert f"enough_letters: {SIGNS['id']}\n" in stopped[1].message
    assert f"of run {held.run_id}, which the gate held back" in said
    assert "run again" in said and "replay" not in said
    assert rejects(into=str(place.dataset.root), as_json=True) == 0
    [row] = json.loads(capsys.readouterr().out)
    assert (row["expectation"], row["source"]) == ("enough_letters", SIGNS["id"])
    approve(held.run_id, "signs are wanted", into=str(place.dataset.root), as_json=True)
    capsys.readouterr()
    assert rejects(into=str(place.dataset.root)) == 0
    assert "held back" not in capsys.readouterr().out


def test_a_version_that_is_still_held_is_not_built_again(stopped, place, held):
    from winnow.build import build

    call = place.call(source=str(stopped[0].folder / "in"))
    state = build(**call, return_state=True)
    assert (state.type.value, state.name) == ("COMPLETED", "StillHeld")
    assert f"v1 is still held back, and nothing has changed since run {held.run_id}" in state.message
    assert state.result().held.run_id == held.run_id
    assert len(past_runs(place.dataset)) == 1, "no second run was held"
    with pytest.raises(GateHeld, match=r"(?s)few_documents|few_rejects"):
        build(**call, recipe=place.recipe("[validate]\nmin_letter_share = 0.2\n"))
    assert len(past_runs(place.dataset)) == 2, "what changed is judged anew"


def test_an_approval_publishes_it_with_the_reason_on_record(place, held, capsys):
    assert place.dataset.latest_version() is None
    assert status(str(place.dataset.root), as_json=True) == 1
    assert approve(held.run_id, "signs are wanted", into=str(place.dataset.root), as_json=True) == 0
    assert place.dataset.latest_version() == 1
    last = past_runs(place.dataset)[-1]
    assert (last.status, last.note) == ("approved", "signs are wanted")
    with pytest.raises(UsageError, match="no run waits for approval"):
        approve(held.run_id, "again", into=str(place.dataset.root), as_json=True)


@pytest.mark.parametrize("run_id", ["nope", "20260101T000000Z-00000000"])
def test_only_the_run_that_waits_can_be_approved(place, held, run_id):
    with pytest.raises(UsageError, match=f"the one that waits is {held.run_id}"):
        approve(run_id, "because", into=str(place.dataset.root), as_json=True)


def test_an_approval_does_not_cover_what_failed_later(place, held):
    place.write([SIGNS])  # now no document is left either
    with pytest.raises(GateHeld, match="enough_documents"):
        approve(held.run_id, "because", str(place.folder / "in"), str(place.dataset.root), as_json=True)


def test_an_approval_does_not_cover_a_figure_that_is_worse_now(place, held):
    place.write([GOOD[0], *({**SIGNS, "id": n} for n in "abc")])  # three of four are rejects, and one of two was
    with pytest.raises(GateHeld, match=rf"(?s)few_rejects.*0\.75.*run {held.run_id} was approved, but there"):
        approve(held.run_id, "because", str(place.folder / "in"), str(place.dataset.root), as_json=True)
    again = run_awaiting_approval(place.dataset)
    assert approve(again.run_id, "seen too", into=str(place.dataset.root), as_json=True) == 0


@pytest.mark.parametrize("left", [b"", b"{", b"[]", b"null", b"\xff", b'{"run_id": "other"}', None])
def test_what_was_kept_of_a_held_run_may_be_damaged_and_only_has_to_be_made_again(place, held, left, capsys):
    for path in place.dataset.staging.glob("held*"):
        path.unlink() if left is None else path.write_bytes(left)
    assert held_from(place.dataset) is None, "the next run judges anew"
    assert held_rejects(place.dataset) is None
    assert status(str(place.dataset.root), as_json=True) == 1
    with pytest.raises(UsageError, match="is no longer known; run it again, then approve that"):
        order_to_approve(place.dataset, held.run_id, "because")


def test_an_approval_needs_a_reason(place, held):
    with pytest.raises(UsageError, match="say in a few words"):
        approve(held.run_id, "  ", into=str(place.dataset.root), as_json=True)


def test_how_a_held_run_was_called_is_kept_without_credentials(stopped, place, held):
    order = order_to_approve(place.dataset, held.run_id, "because")
    assert (order.source, order.executor) == (str(stopped[0].folder / "in"), "inline")
    remember_order(
        place.dataset, held.run_id, replace(order, source="s3://key:secret@bucket/a", into="s3://key:secret@b/c"), ""
    )
    assert b"secret" not in (place.dataset.staging / "held.json").read_bytes()
    with pytest.raises(UsageError, match="give the source again"):
        order_to_approve(place.dataset, held.run_id, "because")
    assert order_to_approve(place.dataset, held.run_id, "because", "s3://bucket/a").source == "s3://bucket/a"


def test_status_names_the_writer_only_while_it_lives(place):
    with lock_dataset(place.dataset, "run-1"):
        assert current_writer(place.dataset).run == "run-1"
    assert current_writer(place.dataset) is None
    note = {"run": "dead", "pid": 4194304, "host": socket.gethostname()}  # beyond the largest process number
    (place.dataset.root / ".lock").write_text(json.dumps(note))
    assert current_writer(place.dataset) is None
