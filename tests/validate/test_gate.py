import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from winnow.base.recipe import ValidateSettings
from winnow.validate.expectations import TableCheck
from winnow.validate.facts import Facts, add_facts, count_dangling, gather_facts, kept_for_others
from winnow.validate.gate import GateResult, Reviewed, check_dataset

SETTINGS = ValidateSettings()
FACTS = Facts(
    n_read=1000, n_published=900, n_duplicates=60, n_rejected=40, n_chars=900_000,
    edits_by_rule={"tags": 500, "entities": 500},
)  # fmt: skip
BROKEN = TableCheck(table="edits", expectation="seq_unique", description="d", n_rows=10, n_failed=2, examples=("x",))


def held(facts, previous=None, settings=SETTINGS, tables=()):
    return [r.expectation for r in check_dataset(facts, previous, settings, tables).held_by]


def test_a_sound_version_passes():
    result = check_dataset(FACTS, None, SETTINGS)
    assert result.passed
    assert all(r.passed and r.sentence for r in result.results)


@pytest.mark.parametrize(
    "change, expectation",
    [
        ({"n_published": 899}, "nothing_lost"),
        ({"n_published": 901}, "nothing_lost"),
        ({"n_repeated_ids": 1}, "ids_unique"),
        ({"n_dangling": 2}, "removals_point_to_published"),
        ({"n_broken_rows": 1}, "tables_sound"),
        ({"n_published": 0, "n_duplicates": 960}, "enough_documents"),
        ({"n_published": 600, "n_rejected": 340}, "few_rejects"),
        ({"mean_residual_markup": 0.01}, "no_residual_markup"),
    ],
)
def test_each_fault_holds_the_version_back(change, expectation):
    assert held(replace(FACTS, **change)) == [expectation]


@pytest.mark.parametrize(
    "change, expectation",
    [
        ({"n_read": 500, "n_published": 400, "n_chars": 400_000}, "count_holds"),
        ({"n_chars": 1_800_000}, "mean_length_holds"),
        ({"n_published": 700, "n_rejected": 240, "n_chars": 700_000}, "reject_share_holds"),
        ({"edits_by_rule": {"tags": 10, "entities": 500}}, "rule_shares_hold"),
    ],
)
def test_drift_from_the_version_before_holds_the_version_back(change, expectation):
    assert held(replace(FACTS, **change), FACTS) == [expectation]
    assert held(replace(FACTS, **change)) == []  # without a version before there is no drift


def test_documents_in_languages_that_nobody_asked_for_are_no_rejects_to_the_gate():
    foreign = replace(FACTS, n_read=5000, n_rejected=FACTS.n_rejected + 4000, n_other_languages=4000)
    assert held(foreign) == []
    assert held(replace(foreign, n_other_languages=0)) == ["few_rejects"]


def test_growth_and_fewer_rejects_are_no_drift():
    grown = replace(FACTS, n_read=99_000, n_published=98_900, n_chars=98_900_000, n_rejected=40)
    assert held(grown, FACTS) == []


def test_versions_too_small_to_have_shares_are_not_compared():
    small = Facts(n_read=5, n_published=5, n_chars=5)
    assert held(replace(small, n_chars=5000), small) == []
    assert held(replace(small, n_chars=5000), small, ValidateSettings(min_drift_documents=0)) == ["mean_length_holds"]


def test_the_rule_that_drifted_is_named():
    now = replace(FACTS, edits_by_rule={"tags": 1000, "entities": 0})
    [outcome] = check_dataset(now, FACTS, SETTINGS).held_by
    assert outcome.sentence.startswith("rule ") and "share of all repairs" in outcome.sentence
    assert "validate.max_rule_share_change" in outcome.sentence


def test_broken_rows_of_tables_hold_the_version_back():
    assert held(FACTS, tables=[BROKEN]) == ["tables_sound"]


def test_a_result_survives_json():
    result = check_dataset(FACTS, FACTS, SETTINGS, [BROKEN])
    assert GateResult.from_dict(json.loads(json.dumps(result.as_dict()))) == result
    assert Facts.from_dict(json.loads(json.dumps(FACTS.as_dict()))) == FACTS


def test_facts_are_read_off_the_tables():
    class table:
        def __init__(self, **columns):
            self.rows = ds.dataset(pa.table(columns))

        def batches(self, columns, filter=None):
            return self.rows.to_batches(columns=columns, filter=filter)

    a, b, c = (f"{i:016x}" for i in (1, 2, 3))
    documents = table(doc_id=[a, b], n_chars=[10, 20], language=pa.array(["en", None]))
    duplicates = table(doc_id=[c, b], kept_doc_id=[a, c])
    passages = table(
        status=["kept", "removed"],
        reason=pa.array([None, "repeat"]),
        kept_doc_id=pa.array([None, b]),
        text=["Größe", "Ads"],
        gap=["\n\n", ""],
    )
    facts = gather_facts(
        documents=documents,
        duplicates=duplicates,
        rejects=table(
            doc_id=[a, a, b, c, c],
            content_sha256=["1", "1", "1", "1", "2"],
            stage=["read", "validate", "repair", "read", "withdraw"],  # a mark of a withdrawn document counts nowhere
            replayed_in=pa.array([None, None, None, "r", None]),
            expectation=["no_text", "few", "internal_error", "internal_error", "withdrawn"],
        ),
        passages=passages,
        edits=table(rule=["tags", "tags", "entities"], applied=[True, True, False]),
    )
    facts = replace(
        add_facts([facts]),
        n_read=6,
        n_dangling=count_dangling(documents, *kept_for_others(duplicates, passages)),
        mean_residual_markup=0.5,
    )
    assert (facts.n_published, facts.n_duplicates, facts.n_rejected, facts.n_lost) == (2, 2, 2, 0)
    assert (facts.n_repeated_ids, facts.n_dangling, facts.n_chars) == (1, 1, 30)
    assert facts.n_internal_errors == 1
    assert facts.mean_residual_markup == 0.5
    assert facts.edits_by_rule == {"tags": 2}
    assert facts.removals_by_reason == {"repeat": 1}
    assert facts.chars_by_fate == {"kept": 7, "repeat": 3}
    assert facts.documents_by_language == {"en": 1, "unknown": 1}


@pytest.mark.parametrize(("least", "low", "wanted"), [(0, 0.1, []), (0.5, 0.1, ["reviewed"]), (0.5, 0.6, [])])
def test_a_review_counts_where_the_settings_ask_for_it(least, low, wanted):
    settings = SETTINGS.model_copy(update={"min_review_precision": least})
    result = check_dataset(FACTS, None, settings, reviewed=Reviewed(low=low, sentence="tags was right now and then"))
    assert [r.expectation for r in result.held_by] == wanted
    assert ("reviewed" in {r.expectation for r in result.results}) == bool(least)
    assert all("tags was right now and then" in r.sentence for r in result.held_by)
