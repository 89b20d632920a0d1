"""What repairing a shard makes of faults: one document's are its own, and those of the machine are nobody's."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.articles import article
from tests.conftest import write_jsonl
from tests.operate.dataset_runs import run_stages

from winnow.base.errors import RecipeError
from winnow.base.recipe import Recipe
from winnow.base.records import Edit
from winnow.repair.engine.repairer import Repairer

LENIENT = Recipe.model_validate({"validate": {"max_reject_share": 1, "max_internal_error_share": 1}})


@pytest.fixture
def stumbling(monkeypatch: pytest.MonkeyPatch) -> dict[str, Exception]:
    """Errors that repair raises, by a word of the text."""
    errors: dict[str, Exception] = {}
    one_pass = Repairer._one_pass

    def repair(self: Repairer, state: Any, edits: list[Edit]) -> Any:
        for word, error in errors.items():
            if word in state.text:
                raise error
        return one_pass(self, state, edits)

    monkeypatch.setattr(Repairer, "_one_pass", repair)
    return errors


def test_a_rule_that_stumbles_costs_one_reject_with_its_traceback(
    tmp_path: Path, stumbling: dict[str, Exception]
) -> None:
    stumbling["stumble"] = ZeroDivisionError("by a fault of ours")
    rows = [{"id": "good", "text": article(1)}, {"id": "bad", "text": f"{article(2)} stumble", "who": "A"}]
    run_stages(write_jsonl(tmp_path / "in" / "a.jsonl", rows), tmp_path / "out", recipe=LENIENT)
    (reject,) = pd.read_parquet(tmp_path / "out/latest/rejects").to_dict("records")
    assert (reject["source"], reject["stage"], reject["expectation"]) == ("bad", "repair", "internal_error")
    assert "ZeroDivisionError: by a fault of ours" in reject["reason"] and "report" in reject["reason"]
    assert "in repair" in reject["metadata"] and '"who"' in reject["metadata"]
    assert b"stumble" in reject["content"]
    assert pd.read_parquet(tmp_path / "out/latest/documents").source.tolist() == ["good"]


def test_what_is_no_documents_fault_ends_the_run(tmp_path: Path, stumbling: dict[str, Exception]) -> None:
    stumbling["the"] = RecipeError("this worker lacks the key")
    with pytest.raises(RecipeError, match="lacks the key"):
        run_stages(write_jsonl(tmp_path / "in" / "a.jsonl", [{"id": "a", "text": article(1)}]), tmp_path / "out")
