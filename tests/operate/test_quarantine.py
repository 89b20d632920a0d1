"""What waits in quarantine can be read again, and what a person took out stays out."""

import pandas as pd
import pytest
from tests.formats import FILES
from tests.operate.conftest import GOOD, RIVER, SIGNS, Place
from tests.publish.press import texts_of

from winnow.base.errors import GateHeld, UsageError
from winnow.base.recipe import Recipe
from winnow.publish.dataset import Dataset
from winnow.publish.verify import verify
from winnow.repair import undo
from winnow.run.rejects import rejects_of, waiting_shards
from winnow.run.run_context import RunOrder, begin
from winnow.run.work_plan import find_sources

LENIENT = "[validate]\nmax_reject_share = 0.9\n"
ALL = "[read]\nid_fields = []\n[deduplicate]\npassages = false\ndocuments = false\n[validate]\nmax_reject_share = 1.0\n"
MENDED = LENIENT + "min_letter_share = 0.0\n"


def replay(place: Place, **more):
    from winnow.replay import replay as flow

    return flow(**place.call(**more)).as_dict()


def withdraw(place: Place, *sources: str, **more):
    from winnow.withdraw import withdraw as flow

    return flow(sources=list(sources), **place.call(**more)).as_dict()


def waiting(place: Place) -> set[tuple[str, str]]:
    return {(r["source"].partition("#")[0], r["expectation"]) for r in rejects_of(place.dataset, None, False)}


def test_after_a_mended_setting_a_replay_publishes_what_passes_and_marks_it(place):
    place.write([*GOOD, SIGNS], "no json\n")
    place.build(recipe=place.recipe(LENIENT))
    assert waiting(place) == {("signs", "enough_letters"), ("a.jsonl", "not_json")}
    (place.folder / "in" / "a.jsonl").unlink()  # the kept bytes are all it needs

    again = replay(place, recipe=place.recipe(LENIENT))
    assert again["version"] is None, "what fails as before changes nothing"

    done = replay(place, recipe=place.recipe(MENDED))
    assert done["version"] == 2
    assert set(texts_of(place.dataset)) == {"river", "kites", "signs"}
    assert waiting(place) == {("a.jsonl", "not_json")}
    assert [r["replayed_in"] for r in rejects_of(place.dataset, "enough_letters", True)] == [done["run_id"]]
    assert verify(place.dataset, undo=undo) == []


@pytest.mark.slow
def test_documents_in_other_languages_wait_until_the_recipe_names_theirs(place):
    german = "Der Fluss stieg in der Nacht, und am Morgen stand die untere Straße unter Wasser, wie jedes Jahr."
    french = "La rivière est montée dans la nuit, et au matin la route basse était sous l’eau, comme chaque année."
    place.write([*GOOD, {"id": "fluss", "text": german}, {"id": "eau", "text": french}])
    place.build(recipe=place.recipe('[read]\nlanguages = ["EN"]\n'))  # half of the input, and no gate stops it
    assert set(texts_of(place.dataset)) == {"river", "kites"}
    assert waiting(place) == {("fluss", "other_language"), ("eau", "other_language")}
    reasons = {r["reason"] for r in rejects_of(place.dataset, None, False)}
    assert "fluss: is in de, and the recipe keeps EN (read.languages)" in reasons

    replay(place, recipe=place.recipe('[read]\nlanguages = ["en", "de"]\n'))
    assert set(texts_of(place.dataset)) == {"river", "kites", "fluss"}
    assert waiting(place) == {("eau", "other_language")}


@pytest.mark.slow
def test_a_replayed_document_is_the_one_that_a_run_on_the_input_would_have_made(place, tmp_path):
    place.write([*GOOD, SIGNS])
    place.build(recipe=place.recipe(LENIENT))
    replay(place, recipe=place.recipe(MENDED), reason="enough_letters")
    assert place.build(recipe=place.recipe(MENDED))["documents"]["published"] == 3
    other = Place(tmp_path / "other")
    other.write([*GOOD, SIGNS])
    other.build(recipe=place.recipe(MENDED))
    assert texts_of(place.dataset) == texts_of(other.dataset)


@pytest.mark.slow
def test_what_a_wrong_setting_rejected_in_any_format_replays_as_a_run_from_scratch_reads_it(place, tmp_path):
    other = Place(tmp_path / "other")
    for folder in (place.folder / "in", other.folder / "in"):
        folder.mkdir(parents=True)
        for name, content in FILES.items():
            (folder / name).write_bytes(content)
    strict, mended = place.recipe(ALL + "min_chars = 100000\n"), other.recipe(ALL + "min_chars = 1\n")
    with pytest.raises(GateHeld):  # it holds back what has no documents
        place.build(recipe=strict)
    place.build(recipe=place.recipe(ALL + "min_chars = 100000\nmin_documents = 0\n"))
    assert not texts_of(place.dataset)
    for name in FILES:
        (place.folder / "in" / name).unlink()
    replay(place, recipe=mended)
    other.build(recipe=mended)
    assert texts_of(place.dataset) == texts_of(other.dataset)
    assert waiting(place) == waiting(other)
    inputs = pd.read_parquet(other.dataset.root / "latest" / "inputs").set_index("path").n_left_out.dropna()
    assert inputs.to_dict() == {"a.warc": 7, "a.warc.gz": 7}, "a head and a request for each page"


def test_a_replay_of_a_reason_that_nobody_has_is_a_wrong_call(seeds_dataset):
    run = begin(Dataset(seeds_dataset), Recipe(), RunOrder(intake="quarantine", reason="x"))
    with pytest.raises(UsageError, match="no reject waits for the reason 'x'"):
        waiting_shards(run)


@pytest.mark.slow
def test_a_withdrawn_document_leaves_its_copy_comes_back_and_it_stays_out(place):
    place.write([*GOOD, {"id": "longer", "text": RIVER + " One more sentence ends it."}])
    place.build()
    published = set(texts_of(place.dataset))
    kept = (published & {"river", "longer"}).pop()
    copy = ({"river", "longer"} - {kept}).pop()

    assert withdraw(place, kept)["documents"]["withdrawn"] == 1
    assert set(texts_of(place.dataset)) == {copy, "kites"}
    [mark] = rejects_of(place.dataset, "withdrawn", False)
    assert (mark["source"], mark["bytes"]) == (kept, 0), "its bytes are not kept"

    place.build(full=True)
    assert set(texts_of(place.dataset)) == {copy, "kites"}
    assert verify(place.dataset, undo=undo) == []


def test_what_is_not_there_cannot_be_withdrawn(seeds_dataset):
    with pytest.raises(UsageError, match="no document has the source or doc_id 'nobody'"):
        find_sources(Dataset(seeds_dataset), ["nobody"])


@pytest.mark.slow
def test_a_withdrawn_reject_loses_its_bytes(place):
    place.write([*GOOD, SIGNS])
    place.build(recipe=place.recipe(LENIENT))
    withdraw(place, "signs", recipe=place.recipe(LENIENT))
    [row] = rejects_of(place.dataset, None, True)
    assert (row["expectation"], row["bytes"]) == ("withdrawn", 0)
