"""An address names one place, and holds no secrets."""

import pytest

from winnow.base.environment import cache_folder
from winnow.base.errors import UsageError, WinnowError
from winnow.base.object_store import parse_address
from winnow.storage.locations import open_dataset, refuse_dataset_in_source
from winnow.storage.working_copy import kind_of, working_copy


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("s3://key:secret@bucket/a", "holds no credentials"),
        ("s3://bucket/a?access_key=secret", "holds no credentials"),
        ("s3://bucket/a?colour=secret", "option colour is unknown"),
        ("gs://bucket/a", "a folder or under s3://"),
        ("s3:///a", "names no place"),
        ("s3://bucket/a/../b", "names no place"),
        ("s3://bucket/a//b", "names no place"),
    ],
)
def test_a_wrong_address_is_told_without_what_it_may_hide(url, why):
    with pytest.raises(UsageError, match=why) as told:
        parse_address(url)
    assert "secret" not in str(told.value)


def test_the_same_bucket_on_another_server_has_another_working_copy(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    there = parse_address("s3://bucket/a?endpoint_override=127.0.0.1:9&scheme=http")
    assert there.endpoint_in_use() == "http://127.0.0.1:9"
    assert parse_address("s3://bucket/a").slug != there.slug
    assert parse_address("s3://bucket/a/").slug == parse_address("s3://bucket/a").slug


def test_the_cache_is_where_the_environment_says_and_for_its_owner_only(monkeypatch, tmp_path):
    monkeypatch.setenv("WINNOW_CACHE", str(tmp_path / "here"))
    copy = working_copy(parse_address("s3://bucket/a"))
    assert copy.root.parent == cache_folder() == tmp_path / "here"
    assert (tmp_path / "here").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["v1/../../x", "v1//x", "v0/x", "tables", "/etc/x", "v1/..", "latest.json", "v1\\x"])
def test_an_object_whose_name_leaves_the_dataset_is_not_ours(name):
    assert kind_of(name) is None


def test_a_source_that_holds_the_dataset_is_refused():
    with pytest.raises(UsageError, match=r"s3://bucket/a/dataset: lies in the source s3://bucket/a;"):
        refuse_dataset_in_source("s3://key:secret@bucket/a/", "s3://bucket/a/dataset")
    refuse_dataset_in_source("s3://bucket/a", "s3://bucket/ab")
    refuse_dataset_in_source("s3://bucket/a", "dataset")


def test_a_store_that_does_not_answer_or_has_no_such_bucket_is_told(bucket, monkeypatch):
    with pytest.raises(WinnowError, match=r"^s3://no-such-bucket/x: cannot be listed: the server answered 404") as told:
        open_dataset("s3://no-such-bucket/x")
    assert "test-secret" not in str(told.value)


def test_a_working_copy_is_not_opened_as_a_dataset_of_its_own(bucket):
    root = bucket.read().root
    with pytest.raises(UsageError, match=rf"is this machine's working copy of {bucket.url}; name that"):
        open_dataset(root)
