"""Commands that keep a dataset: what they write can be read, and what they promise to leave stays."""

import gzip
import json

from tests.publish.press import texts_of

from winnow.base.errors import UsageError
from winnow.base.recipe import Recipe
from winnow.cli.starter import starter
from winnow.publish.dataset import Dataset
from winnow.repair.order import REPAIRS
from winnow.run.recipe_file import load_recipe


def test_a_rollback_is_a_new_version_equal_to_the_old_one(winnow, own):
    assert winnow("rollback", 1, "--because", "wrong feed", "--into", own).exit_code == 0
    assert texts_of(Dataset(own), 3) == texts_of(Dataset(own), 1) != texts_of(Dataset(own), 2)
    assert Dataset(own).manifest(3).note == "rollback to version 1: wrong feed"
    assert not (own / ".staging").exists(), "by it the next run would look for work that was left"
    assert winnow("verify", "--into", own).exit_code == 0


def test_an_export_is_written_once(winnow, own, tmp_path):
    to = tmp_path / "all.jsonl.gz"
    assert winnow("export", 1, "--to", to, "--into", own).exit_code == 0
    rows = [json.loads(line) for line in gzip.decompress(to.read_bytes()).splitlines()]
    assert {r["source"] for r in rows} == set(texts_of(Dataset(own), 1))
    assert isinstance(winnow("export", 1, "--to", to, "--into", own).exception, UsageError)


def test_prune_says_first_what_it_would_do(winnow, own):
    assert "v1 would be removed" in winnow("prune", "--keep", 1, "--dry-run", "--into", own).stdout
    assert Dataset(own).version_numbers() == [1, 2]
    winnow("prune", "--keep", 1, "--into", own)
    assert Dataset(own).version_numbers() == [2]
    assert not (own / ".staging").exists()
    assert winnow("verify", "--into", own).exit_code == 0


def test_maintenance_keeps_every_version_whole_and_cleans_staging(winnow, own, tmp_path):
    recipe = tmp_path / "r.toml"
    recipe.write_text("[maintain]\nstaging_days = 0\n")
    leftover = own / ".staging" / "shards" / "raw" / "old.parquet"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"x" * 1000)
    dry = json.loads(winnow("maintain", "--dry-run", "--recipe", recipe, "--into", own, "--json").stdout)
    assert dry["staging_removed"] == 1 and leftover.exists()
    done = json.loads(winnow("maintain", "--recipe", recipe, "--into", own, "--json").stdout)
    assert done["joined"] == dry["joined"] and not leftover.exists()
    assert winnow("verify", "--into", own).exit_code == 0


def test_the_starter_is_the_recipe_itself(winnow, tmp_path):
    path = tmp_path / "winnow.toml"
    assert winnow("init", path).exit_code == 0
    assert load_recipe(path) == Recipe()
    assert isinstance(winnow("init", path).exception, UsageError)
    assert winnow("init", "-").stdout == path.read_text("utf-8")


def test_the_starter_lists_every_rule_with_what_it_does():
    lines = starter().splitlines()
    for rule in REPAIRS:
        assert any(line.startswith(f"#   {rule.name}: ") and len(line) > len(rule.name) + 20 for line in lines), (
            rule.name
        )


def test_every_setting_of_the_starter_is_valid_when_it_is_taken_out_of_its_comment(tmp_path):
    path = tmp_path / "all.toml"
    path.write_text("\n".join(line.removeprefix("# ") if " = " in line else line for line in starter().splitlines()
                              if not line.startswith("#  ")))  # fmt: skip
    recipe = load_recipe(path)
    by_examples = {"delimiter", "charset"}  # for they have no default
    shown = {"schedule": True, "maintain": True, "lineage": True, "read": by_examples}
    assert recipe.model_dump(exclude=shown) == Recipe().model_dump(exclude=shown)


def test_schedule_and_upkeep_do_not_change_the_fingerprint_of_rows():
    other = Recipe.model_validate({"schedule": {"build": "0 * * * *"}, "maintain": {"keep_versions": 2}})
    assert other.recipe_id({}) == Recipe().recipe_id({})
