"""A recipe is read whole or refused: each mistake is told with its line, what is wrong, and the remedy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from winnow.base.errors import RecipeError
from winnow.base.recipe import Recipe
from winnow.run.recipe_file import load_recipe

MISTAKES = {
    "a cron line of words": (
        "[schedule]\nbuild = 'hourly'\n",
        "r.toml:2: schedule.build = 'hourly' is no cron line: it has",
    ),
    "an hour too late": (
        "[schedule]\n\nreplay = '0 24 * * *'\n",
        "r.toml:3: schedule.replay = '0 24 * * *' is no cron line: the hour '24'",
    ),
    "a day without a name": (
        "[schedule]\nbuild = '0 2 * * son'\n",
        "the day of the week 'son' is not within 0 to 7 or one of sun, mon",
    ),
    "a range turned round": (
        "[schedule]\nbuild = '0 9-5 * * *'\n",
        "the hour '9-5' ends before it begins",
    ),
    "steps of nothing": (
        "[schedule]\nbuild = '*/0 * * * *'\n",
        "the minute '*/0' has steps of 0",
    ),
    "a list with a gap": (
        "[schedule]\nbuild = '1,,2 * * * *'\n",
        "the minute '' is none of",
    ),
    "a zone of another planet": (
        "[schedule]\ntimezone = 'Mars'\n",
        "r.toml:2: schedule.timezone = 'Mars' is no time zone",
    ),
    "a zone nearly right": (
        "[schedule]\ntimezone = 'Europe/Berlinn'\n",
        "is no time zone; did you mean 'Europe/Berlin'?",
    ),
    "a misspelt setting": (
        "[maintain]\nkeep_version = 3\n",
        "r.toml:2: maintain.keep_version is no setting; did you mean 'keep_versions'",
    ),
    "a misspelt rule": (
        "[repair]\n\n[repair.rules.entitees]\nenabled = false\n",
        "r.toml:3: repair.rules.entitees is no rule; did you mean 'entities'",
    ),
    "a rule in short form": (
        "[repair.rules]\nmojibak = {enabled = false}\n",
        "r.toml:2: repair.rules.mojibak is no rule; did you mean 'mojibake'",
    ),
    "a limit without an end": (
        "[read]\nmax_unpacked_mb = inf\n",
        "r.toml:2: read.max_unpacked_mb = inf: input should be a finite number",
    ),
    "a limit that is a truth": (
        "[validate]\nmin_chars = true\n",
        "r.toml:2: validate.min_chars = True is true or false, and should be a number",
    ),
    "a language in words": (
        "[read]\nlanguages = ['en', 'german']\n",
        "r.toml:2: read.languages = 'german' is no code of a language, as en, yue or sr-ME are",
    ),
    "a charset of domain names": (
        "[read]\ncharset = 'idna'\n",
        "r.toml:2: read.charset = 'idna' is no charset that is known",
    ),
    "a limit that is no number": (
        "[validate]\nmax_mean_length_change = nan\n",
        "r.toml:2: validate.max_mean_length_change = nan",
    ),
    "least above most": (
        "[validate]\nmin_chars = 9\nmax_chars = 8\n",
        "r.toml:1: validate: min_chars = 9 is above max_chars = 8",
    ),
    "a licence nearly right": (
        "[publish]\nlicence = 'cc-by-4'\n",
        "r.toml:2: publish.licence = 'cc-by-4' is no licence id of Hugging Face or SPDX; did you mean 'cc-by-4.0'",
    ),
    "a licence in words": (
        "[publish]\nlicence = 'ask the publisher'\n",
        "other stands for what has none",
    ),
    "lists without an end": (
        "a = " + "[" * 5000 + "]" * 5000,
        "r.toml: is nested too deep",
    ),
    "lists in a setting": (
        "read = " + "[" * 60 + "]" * 60,
        "r.toml:1: read = [",
    ),
    "a number of thousands of digits": (
        "[read]\nshard_mb = " + "9" * 5000,
        "r.toml: is not TOML",
    ),
    "no TOML": (
        "[read\n",
        "r.toml: is not TOML",
    ),
}


@pytest.mark.parametrize(("text", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_when_the_recipe_is_read(tmp_path: Path, text, said):
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(RecipeError, match=re.escape(said)) as error:
        load_recipe(tmp_path / "r.toml")
    assert len(str(error.value)) < 1000


def test_every_mistake_is_told_at_once(tmp_path: Path):
    (tmp_path / "r.toml").write_text("[read]\nshard = 1\n[publish]\nfile_mb = 0\n[repair.rules.tagz]\n")
    with pytest.raises(RecipeError) as error:
        load_recipe(tmp_path / "r.toml")
    assert [line.partition(":")[2].partition(" ")[0] for line in str(error.value).splitlines()] == ["2:", "4:"]


@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "with a byte order mark"])
def test_a_recipe_may_begin_with_a_byte_order_mark(tmp_path: Path, start):
    (tmp_path / "r.toml").write_text(f"{start}[read]\nshard_mb = 4\n", encoding="utf-8")
    assert load_recipe(tmp_path / "r.toml").read.shard_mb == 4


def test_without_a_file_the_defaults_hold():
    assert load_recipe() == Recipe()


@pytest.mark.parametrize(
    "line", ["30 2 * * *", "*/15 8-18 * jan-mar mon,wed", "0 0 1,15 * 7", "5/10 * * * SUN", " 0 4 * * sun "]
)
def test_cron_lines_that_prefect_takes_are_taken(tmp_path: Path, line):
    from prefect.schedules import Cron

    (tmp_path / "r.toml").write_text(f"[schedule]\nbuild = '{line}'\n")
    assert load_recipe(tmp_path / "r.toml").schedule.build == line
    Cron(line.strip())
