"""Which files are read, which are left out, and that hostile names harm nothing."""

import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from winnow.base.addresses import redacted
from winnow.base.errors import EmptyInput, UsageError
from winnow.base.recipe import ReadSettings
from winnow.base.records import Reject
from winnow.read import list_inputs, read_documents
from winnow.read.input_files import readable_name


def skipped(root):
    return {s.path: s.reason for s in list_inputs(root).skipped}


def test_files_come_sorted_by_relative_path(tmp_path):
    (tmp_path / "b").mkdir()
    for name in ("b/z.txt", "a.txt", "b/a.jsonl.gz"):
        (tmp_path / name).write_bytes(b"x")
    assert [(f.path, f.bytes) for f in list_inputs(tmp_path).files] == [
        ("a.txt", 1),
        ("b/a.jsonl.gz", 1),
        ("b/z.txt", 1),
    ]


def test_one_file_is_a_source_of_its_own(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    assert [f.path for f in list_inputs(tmp_path / "a.txt").files] == ["a.txt"]


@pytest.mark.parametrize("make", ["missing", "empty", "nothing known", "unknown file"])
def test_nothing_to_read_is_said_with_the_place_and_the_remedy(tmp_path, make):
    root = tmp_path / "in"
    if make != "missing":
        root.mkdir()
    if make in ("nothing known", "unknown file"):
        (root / "a.exe").write_text("x")
    if make == "unknown file":
        root = root / "a.exe"
    with pytest.raises(UsageError) as error:
        list_inputs(root)
    assert isinstance(error.value, EmptyInput) == (make != "missing")
    assert str(root) in str(error.value)


def test_the_dataset_is_no_source_of_itself(tmp_path):
    (tmp_path / "ds" / "v1").mkdir(parents=True)
    (tmp_path / "ds" / "v1" / "a.txt").write_text("words")
    for source in ("ds", "ds/v1", "ds/v1/a.txt"):
        with pytest.raises(UsageError, match="lies in it"):
            list_inputs(tmp_path / source, [tmp_path / "ds"])


def test_hidden_names_unknown_endings_and_datasets_are_left_out_and_said(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / ".hidden.txt").write_text("x")
    (tmp_path / ".git").mkdir()
    (tmp_path / "b.exe").write_text("x")
    (tmp_path / "old/tables/documents/_delta_log").mkdir(parents=True)
    (tmp_path / "old/a.txt").write_text("x")
    (tmp_path / "own").mkdir()
    (tmp_path / "own/a.txt").write_text("x")
    listing = list_inputs(tmp_path, leave_out=[tmp_path / "own"])
    assert [f.path for f in listing.files] == ["a.txt"]
    assert {s.path for s in listing.skipped} == {".hidden.txt", ".git", "b.exe", "old", "own"}


def test_links_out_of_the_root_and_loops_are_passed_over(tmp_path):
    root = tmp_path / "in"
    root.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (root / "a.txt").write_text("x")
    (root / "out.txt").symlink_to(tmp_path / "secret.txt")
    (root / "same.txt").symlink_to("a.txt")
    (root / "loop").symlink_to(root)
    assert [f.path for f in list_inputs(root).files] == ["a.txt"]
    assert set(skipped(root)) == {"out.txt", "same.txt", "loop"}


def test_a_link_to_a_hidden_file_inside_the_root_is_read(tmp_path):
    (tmp_path / ".store").mkdir()
    (tmp_path / ".store/1").write_text("kept elsewhere")
    (tmp_path / "a.txt").symlink_to(".store/1")
    (document,) = read_documents(list_inputs(tmp_path).files[0], ReadSettings())
    assert (document.source, document.text) == ("a.txt", "kept elsewhere")


def test_dead_links_and_pipes_become_rejects_and_are_never_opened(tmp_path):
    (tmp_path / "dead.txt").symlink_to(tmp_path / "nothing")
    (tmp_path / "self.txt").symlink_to("self.txt")
    os.mkfifo(tmp_path / "pipe.txt")  # opening it would wait for ever
    for file in list_inputs(tmp_path).files:
        (reject,) = read_documents(file, ReadSettings())
        assert isinstance(reject, Reject)
        assert (reject.expectation, reject.source, reject.content) == ("unreadable", file.path, b"")
        assert file.path in reject.reason


def test_a_folder_with_the_ending_of_a_file_is_a_folder(tmp_path):
    (tmp_path / "a.txt").mkdir()
    (tmp_path / "a.txt/b.txt").write_text("x")
    assert [f.path for f in list_inputs(tmp_path).files] == ["a.txt/b.txt"]


def test_names_that_are_no_unicode_or_hold_control_characters_are_read(tmp_path):
    for name in (b"caf\xe9.txt", b"a\nb\x1b[31m.txt", "日本.txt".encode(), b"50%.txt"):
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:  # noqa: PTH123, PTH118
            file.write(b"text of " + name.hex().encode())
    files = list_inputs(tmp_path).files
    assert [f.path for f in files] == ["50%.txt", "a%0Ab%1B[31m.txt", "caf%E9.txt", "日本.txt"]
    for file in files:
        (document,) = read_documents(file, ReadSettings())
        assert document.source == file.path
        document.source.encode("utf-8")


@given(st.lists(st.binary(min_size=1, max_size=12), min_size=2, max_size=2, unique=True))
@example([b"%E9", b"\xe9"])
@example([b"%25E9", b"%E9"])
@example([b"\xc3%A9", b"\xc3\xa9"])
def test_no_two_names_become_one(names):
    paths = [readable_name(os.fsdecode(n)) for n in names]
    assert paths[0] != paths[1]
    "".join(paths).encode("utf-8")
    assert not any(ord(c) < 32 for p in paths for c in p)


def test_deep_folders_are_walked_without_recursion(tmp_path):
    deep = tmp_path
    for _ in range(300):
        deep = deep / "d"
        deep.mkdir()
    (deep / "a.txt").write_text("x")
    assert len(list_inputs(tmp_path).files) == 1


def test_a_url_is_listed_and_read_like_a_folder(tmp_path):
    (tmp_path / "in/sub").mkdir(parents=True)
    (tmp_path / "in/sub/a b.txt").write_text("one")
    (tmp_path / "in/.hidden.txt").write_text("two")
    files = list_inputs(f"file://{tmp_path}/in").files
    assert [f.path for f in files] == ["sub/a b.txt"]
    (document,) = read_documents(files[0], ReadSettings())
    assert document.text == "one"


def test_a_url_with_nothing_behind_it_is_a_wrong_call(tmp_path):
    with pytest.raises(UsageError, match="nothing there"):
        list_inputs(f"file://{tmp_path}/none")


def test_another_file_system_is_reached_through_fsspec():
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    memory.pipe("/winnow-test/x/a.jsonl", b'{"id": "1", "text": "hello"}\n')
    (file,) = list_inputs("memory://winnow-test/x").files
    (document,) = read_documents(file, ReadSettings())
    assert (file.path, document.text) == ("a.jsonl", "hello")


def test_messages_never_show_credentials():
    assert redacted("s3://user:secret@bucket/x?token=secret") == "s3://bucket/x"
    with pytest.raises(UsageError) as error:
        list_inputs("nosuch://user:secret@bucket/x")
    assert "secret" not in str(error.value)
