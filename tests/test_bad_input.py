"""Bad input costs one reject each, with its reason and its bytes; the rest is published."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.articles import article
from tests.conftest import write_jsonl
from winnow.base.errors import EmptyInput, GateHeld

ROOT = Path(__file__).resolve().parent.parent
LENIENT = "[validate]\nmax_reject_share = 0.9\n"


@pytest.fixture(scope="module")
def bad(prefect_server, tmp_path_factory):
    """A folder with one good document in each way of reading, and everything that can be wrong beside it."""
    from winnow.build import build

    folder = tmp_path_factory.mktemp("bad")
    source = folder / "in"
    source.mkdir()
    (source / "good.txt").write_text(article(1))
    (source / "zeros.txt").write_bytes(bytes(5000))
    (source / "latin.txt").write_bytes("Ça coûte très cher à l'été, où qu'on aille. ".encode("cp1252") * 20)
    (source / "mixed.txt").write_bytes((article(2) + " café ").encode() + b"na\xefve caf\xe9 " + article(3).encode())
    (source / "lost.txt").write_text(
        "th\ufffd \ufffd\ufffd lost \ufffd\ufffd\ufffd to no\ufffd\ufffdy\n" * 50, encoding="utf-8"
    )
    (source / "empty.txt").touch()
    (source / "dangling.txt").symlink_to(source / "nowhere.txt")
    write_jsonl(source / "records.jsonl", [{"id": "r1", "text": article(4)}, {"id": "r2"}, {"id": "r3", "text": 7}])
    with (source / "records.jsonl").open("a") as file:
        file.write('{"id": "r4", "text": "cut off\n[1, 2]\n')
    write_jsonl(source / "twice.jsonl", [{"id": "same", "text": article(5)}, {"id": "same", "text": article(6)}])
    recipe = folder / "winnow.toml"
    recipe.write_text(LENIENT)
    summary = build(str(source), str(folder / "dataset"), recipe=str(recipe), executor="inline").as_dict()
    return summary, folder / "dataset"


def test_what_is_good_is_published(bad):
    _, dataset = bad
    documents = pd.read_parquet(dataset / "latest/documents").set_index("source")
    assert set(documents.index) == {"good.txt", "latin.txt", "mixed.txt", "r1", "same"}
    assert "Ça coûte très cher à l'été" in documents.text["latin.txt"]
    assert "naïve café" in documents.text["mixed.txt"]


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("zeros.txt", "binary"),
        ("empty.txt", "empty"),
        ("lost.txt", "text_lost"),
        ("dangling.txt", "unreadable"),
        ("r2", "no_text"),
        ("r3", "text_not_a_string"),
        ("same", "repeated_id"),
    ],
)
def test_each_bad_document_is_one_reject_with_its_kind_and_reason(bad, source, kind):
    _, dataset = bad
    rejects = pd.read_parquet(dataset / "latest/rejects")
    row = rejects[rejects.source == source]
    assert row.expectation.tolist() == [kind]
    assert len(row.reason.iloc[0]) > 20


def test_lines_that_are_no_records_are_rejects_that_name_the_line(bad):
    _, dataset = bad
    rejects = pd.read_parquet(dataset / "latest/rejects").set_index("expectation")
    assert "line 4" in rejects.reason["not_json"]
    assert "line 5" in rejects.reason["not_an_object"]


def test_of_two_records_with_one_id_the_same_one_stays_whatever_their_order(bad, build, tmp_path):
    _, dataset = bad
    kept = pd.read_parquet(dataset / "latest/documents").set_index("source").text["same"]
    source = tmp_path / "in"
    write_jsonl(source / "twice.jsonl", [{"id": "same", "text": article(6)}, {"id": "same", "text": article(5)}])
    (tmp_path / "r.toml").write_text(LENIENT)
    build(source, tmp_path / "dataset", recipe=str(tmp_path / "r.toml"))
    assert pd.read_parquet(tmp_path / "dataset/latest/documents").text.tolist() == [kept]


def test_counts_add_up(bad):
    summary, _ = bad
    documents = summary["documents"]
    assert documents["read"] == documents["published"] + documents["duplicates"] + documents["rejected"]


def test_an_empty_folder_is_a_wrong_call(build, tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(EmptyInput, match="in"):
        build(tmp_path / "in", tmp_path / "dataset")


@pytest.mark.slow
def test_too_many_rejects_hold_the_version_back_and_leave_the_last_one(build, tmp_path):
    source, dataset = tmp_path / "in", tmp_path / "dataset"
    write_jsonl(source / "a.jsonl", [{"id": "good", "text": article(1)}])
    build(source, dataset)
    (source / "b.jsonl").write_text("no json\n" * 1 + "none here\n")
    with pytest.raises(GateHeld, match="approve"):
        build(source, dataset)
    assert (dataset / "latest").readlink() == Path("v1")
    assert build(source, dataset, approve="the broken file is known")["version"] == 2


@pytest.mark.parametrize(
    ("call", "code", "words"),
    [
        (["run", "nowhere"], 2, "nowhere"),
        (["run", "{empty}"], 2, "empty"),
        (["run", "seeds", "--recipe", "{recipe}"], 2, "did you mean 'threshold'?"),
        (["run", "seeds", "--executor", "magic"], 2, "magic"),
        (["run", "--no-such-option"], 2, "no-such-option"),
        (["versions", "--into", "{empty}"], 2, "winnow run"),
    ],
)
def test_a_wrong_call_is_told_in_one_clear_line_with_exit_code_2(tmp_path, call, code, words):
    (tmp_path / "empty").mkdir()
    (tmp_path / "w.toml").write_text("[repair]\nthreshhold = 0.3\n")
    filled = [a.format(empty=tmp_path / "empty", recipe=tmp_path / "w.toml") for a in call]
    done = subprocess.run([sys.executable, "-m", "winnow", *filled], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
