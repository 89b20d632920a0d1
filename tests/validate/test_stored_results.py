import json

import pandas as pd
import pytest

from winnow.base.recipe import ValidateSettings
from winnow.validate.facts import Facts
from winnow.validate.gate import facts_frame
from winnow.validate.stored_results import DATA_DOCS, RESULTS, store_results

SETTINGS = ValidateSettings()


def frames(n_lost=0):
    edits = {
        "doc_id": ["a", "a"], "seq": [0, 1], "rule": ["tags", "tags"], "rule_version": [1, 1],
        "start": [0, 3], "end": [1, 4], "confidence": [1.0, 0.7],
    }  # fmt: skip
    facts = Facts(n_read=10 + n_lost, n_published=10)
    return {"dataset": facts_frame(facts, None, SETTINGS), "edits": pd.DataFrame(edits)}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("dataset")
    for number, lost in enumerate((0, 3, 0)):
        store_results(root, f"run-{number}", frames(lost), SETTINGS, keep=2)
    return root


def test_results_are_stored_per_run_and_old_ones_dropped(root):
    runs = {p.parts[-2] for p in (root / RESULTS).glob("dataset/*/*")}
    assert runs == {"run-1", "run-2"}
    [held] = (root / RESULTS).glob("dataset/run-1/*/*.json")
    results = json.loads(held.read_text())["results"]
    assert [r["expectation_config"]["meta"]["name"] for r in results if not r["success"]] == ["nothing_lost"]


def test_data_docs_show_the_runs_that_are_kept(root):
    assert (root / DATA_DOCS).exists()
    pages = {p.parts[-3] for p in (root / DATA_DOCS).parent.glob("validations/edits/*/*/*.html")}
    assert pages == {"run-1", "run-2"}


def test_the_project_opens_with_great_expectations_own_call(root):
    import great_expectations as gx

    context = gx.get_context(mode="file", project_root_dir=root)
    assert {s.name for s in context.suites.all()} == {"dataset", "edits"}
    assert {c.name for c in context.checkpoints.all()} == {"dataset", "edits"}
