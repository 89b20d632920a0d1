"""The tables of words say what the lists say, whatever became of their files."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from winnow.repair.words import word_index
from winnow.repair.words.frequencies import WordCosts, word_costs
from winnow.repair.words.lexicon import RUN_TOGETHER, ChargedCosts, Lexicon
from winnow.repair.words.word_index import COMMON, KNOWN, bits, common_characters, common_to, known_to
from winnow.repair.words.word_table import kept_table


@pytest.mark.parametrize("language", ["sl", "ru"])
def test_a_word_is_known_where_its_list_has_it_and_nowhere_else(language: str) -> None:
    known, common = set(word_costs(language, KNOWN)), set(word_costs(language, COMMON))
    some = sorted(known)[::90]
    assert all(known_to(word) & bits(language) for word in some)
    assert [bool(common_to(word) & bits(language)) for word in some] == [word in common for word in some]
    made_up = {f"{word}{word[::-1]}" for word in some} - known
    assert not any(known_to(word) & bits(language) for word in made_up)


def test_a_table_of_costs_says_what_the_list_says() -> None:
    costs, table = word_costs("is"), WordCosts("is")
    assert all(table[word] == costs[word] for word in sorted(costs)[::9])
    made_up = [f"{word}{word[::-1]}" for word in sorted(costs)[::90]]
    assert [word in table for word in made_up] == [word in costs for word in made_up]
    assert [table.get(word, -1) for word in made_up] == [costs.get(word, -1) for word in made_up]
    with pytest.raises(KeyError, match="strasze"):
        table["strasze"]


def test_a_lexicon_that_is_held_says_what_its_table_says() -> None:
    table, held = ChargedCosts("is"), ChargedCosts("is")
    held.hold()
    asked = [*sorted(word_costs("is"))[::9], *sorted(RUN_TOGETHER), "b", "strasze"]
    assert [held.find(word) for word in asked] == [table.find(word) for word in asked]


def test_a_lexicon_charges_for_short_words_and_leaves_out_those_that_are_run_together() -> None:
    english = Lexicon("en")
    dearer = {word for word in word_costs("en", 500) if english.listed[word] != english.costs.get(word, -1)}
    assert max(map(len, dearer - RUN_TOGETHER)) == 3
    assert not any(word in english.costs for word in RUN_TOGETHER)
    assert (english.costs["a"], english.costs["b"]) == (english.listed["a"], english.listed["b"] + 203)


def test_the_commonest_characters_of_a_language_are_its_own() -> None:
    assert "我" in common_characters("zh") and "の" in common_characters("ja") - common_characters("zh")
    assert sum(char >= "\uac00" for char in common_characters("ko")) > 1000


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a table of one language."""
    path = tmp_path_factory.mktemp("words") / "words.bin"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_index, "_BITS", {"is": 1})
        patch.setattr(word_index, "CHARACTERS", ("ko",))
        kept_table(path, word_index._made)
    assert sorted(file.name for file in path.parent.iterdir()) == ["words.bin", "words.lock"]
    return path.read_bytes()


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda b: b"",
    "cut in its head": lambda b: b[:20],
    "cut in half": lambda b: b[: len(b) // 2],
    "a flipped bit": lambda b: b[:99] + bytes([b[99] ^ 1]) + b[100:],
    "longer": lambda b: b + b".",
    "of another format": lambda b: b"winnow words 0" + b[14:],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_made_anew(whole: bytes, damage: str, tmp_path: Path) -> None:
    path = tmp_path / "words.bin"
    path.write_bytes(DAMAGE[damage](whole))
    kept = kept_table(path, lambda: whole)
    assert kept.find("góðan") is not None and kept.find("strasze") is None
    assert path.read_bytes() == whole


def test_a_new_table_takes_the_place_of_those_that_nothing_has_opened_for_a_month(whole: bytes, tmp_path: Path) -> None:
    month = 31 * 86400
    ages = {"words-0000000a": month, "words-0000000b": 0, "words-0000000c": month, "costs-0000000a": month}
    for name, age in ages.items():
        for path in (tmp_path / f"{name}.bin", tmp_path / f"{name}.lock"):
            path.write_bytes(whole)
            os.utime(path, (time.time() - age,) * 2)
    kept_table(tmp_path / "words-0000000c.bin", lambda: whole)  # which opens it
    kept_table(tmp_path / "words-0000000d.bin", lambda: whole)
    left = {path.stem for path in tmp_path.iterdir()}
    assert left == {"words-0000000b", "words-0000000c", "words-0000000d", "costs-0000000a"}
    assert not (tmp_path / "words-0000000a.lock").exists()


def test_a_folder_that_cannot_be_written_is_no_hindrance(
    whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("WINNOW_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(word_index, "_made", lambda: whole)
    assert word_index._index.__wrapped__().words.find("góðan") is not None
