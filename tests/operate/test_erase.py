"""Erasing through the whole flow: copies come back, and what is erased stays out of every later run."""

from __future__ import annotations

import json

import pytest
from tests.operate.conftest import GOOD, RIVER, SIGNS, Place
from tests.publish.press import texts_of
from tests.run.test_erasure import erase_all, traces
from typer.testing import CliRunner

from winnow.base.errors import GateHeld, WinnowError
from winnow.base.records import doc_id_of
from winnow.cli.main import app
from winnow.publish.erasure import Receipt
from winnow.publish.verify import verify
from winnow.repair import undo
from winnow.run.run_context import new_run_id

LENIENT = "[validate]\nmax_reject_share = 0.9\n"
OTHER = {"id": "longer", "text": f"{RIVER} One more sentence ends it."}
SECRET = {
    "id": "secret",
    "text": "Quagmire Pemberton &amp;amp; his dog live at seventeen Zanzibar Lane, in a house.",
}
ZORK = {**SIGNS, "id": "zork", "text": f"{SIGNS['text']} Zork"}


@pytest.fixture
def winnow(place: Place):
    """The command on the dataset of the place; what it prints, as JSON."""

    def call(*words: str, code: int = 0):
        made = CliRunner().invoke(app, [*words, "--into", str(place.dataset.root), "--json"])
        if isinstance(made.exception, WinnowError):
            return str(made.exception)
        assert made.exit_code == code, made.output
        return json.loads(made.stdout)

    return call


@pytest.mark.slow
def test_an_erased_document_leaves_all_versions_its_copy_comes_back_and_it_stays_out(place, winnow):
    recipe = place.recipe(LENIENT)
    place.write([*GOOD, OTHER, SECRET, ZORK])
    place.build(recipe=recipe)
    kept = (set(texts_of(place.dataset)) & {"river", "longer"}).pop()
    copy = ({"river", "longer"} - {kept}).pop()
    names = place.folder / "names.txt"
    names.write_text(f"{doc_id_of('secret')}\n\nzork\n")

    told = winnow("erase", kept, "--from-file", str(names), "--dry-run")
    assert told["documents"] == 3
    assert "say in a few words why" in winnow("erase", kept)
    assert traces(place.dataset.root, "Quagmire") != [], "nothing is erased so far"

    done = winnow("erase", kept, "--from-file", str(names), "--reason", "asked", "--recipe", recipe, "--workers", "1")
    assert (done["version"], done["erased"]["versions"]) == (2, [1])
    assert (place.dataset.root / done["erased"]["receipt"]).is_file()
    assert set(texts_of(place.dataset)) == {copy, "kites"}
    assert set(texts_of(place.dataset, 1)) == {"kites"}
    place.build(recipe=recipe, full=True)
    assert set(texts_of(place.dataset)) == {copy, "kites"}, "it is read again, and left out"
    assert traces(place.dataset.root, "Quagmire", "Zork") == []
    assert verify(place.dataset, undo=undo) == []
    winnow("rollback", "1")
    assert set(texts_of(place.dataset)) == {"kites"}, "what was erased from a version does not come back with it"
    assert verify(place.dataset, undo=undo) == []


def test_what_stands_in_a_held_run_alone_is_erased(place, winnow):
    place.write(GOOD)
    place.build()
    place.write([GOOD[0], ZORK])
    with pytest.raises(GateHeld):
        place.build()
    assert traces(place.dataset.root, "Zork") != []
    assert winnow("erase", "zork", "--reason", "asked", "--workers", "1")["erased"]["versions"] == []
    assert traces(place.dataset.root, "Zork") == []


@pytest.mark.slow
def test_a_run_on_unchanged_input_makes_the_version_that_a_killed_erasure_owes(place):
    place.write([*GOOD, OTHER])
    place.build()
    kept = (set(texts_of(place.dataset)) & {"river", "longer"}).pop()
    order = Receipt(run_id=new_run_id(), erased_at=place.dataset.manifest().created_at, reason="asked",
                    doc_ids=(doc_id_of(kept),))  # fmt: skip
    erase_all(place.dataset, order)
    assert set(texts_of(place.dataset)) == {"kites"}
    assert place.build()["version"] == 2
    assert set(texts_of(place.dataset)) == {"river", "longer", "kites"} - {kept}
    assert place.build()["version"] is None
