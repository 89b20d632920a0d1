"""A source on S3 is read, and a version is copied there, through a real server that speaks S3.

A dataset that stands on S3 is tested in `test_dataset_on_s3` and in `tests/storage`.
"""

from __future__ import annotations

import pandas as pd
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest
from pyarrow import fs
from tests.operate.dataset_runs import assert_tidy, rows_of, run_stages, two_batches
from tests.s3_server import serve_s3

from winnow.base.errors import UsageError, WinnowError
from winnow.publish.dataset import Dataset
from winnow.publish.export import MANIFEST, upload
from winnow.publish.manifest import read_manifest

pytest.importorskip("moto.server", reason="the local S3 server needs moto[server]")
BUCKET = "articles"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def s3():
    """The file system of a local S3 server with one bucket; the environment names the server, as a user's would."""
    with serve_s3(BUCKET) as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield fs.S3FileSystem(endpoint_override=environment["AWS_ENDPOINT_URL"])


@pytest.fixture(scope="module")
def published(tmp_path_factory, s3):
    """The same documents read from a folder and, after they were put there, from S3."""
    folder = tmp_path_factory.mktemp("s3")
    first, second = two_batches(folder)
    for source in (first, second):
        run_stages(source, folder / "local")
        for path in source.iterdir():
            with s3.open_output_stream(f"{BUCKET}/in/{path.name}") as file:
                file.write(path.read_bytes())
        run_stages(f"s3://{BUCKET}/in", folder / "remote")
    again = run_stages(f"s3://{BUCKET}/in", folder / "remote")
    return folder, again


def test_documents_on_s3_give_the_rows_that_they_give_on_disk(published):
    folder, again = published
    assert rows_of(folder / "remote") == rows_of(folder / "local")
    assert_tidy(folder / "remote")
    assert again["version"] is None  # what did not change is not read again


def test_a_version_copied_to_s3_is_the_version(published, s3):
    dataset = Dataset(published[0] / "local")
    assert upload(dataset, 2, f"s3://{BUCKET}/out/v2") == f"s3://{BUCKET}/out/v2"
    there = pads.dataset(f"{BUCKET}/out/v2/documents", filesystem=s3).to_table()
    assert there.equals(pq.read_table(dataset.view(2) / "documents"))
    for path in (p for p in dataset.view(2).rglob("*") if p.is_file()):
        name = path.relative_to(dataset.view(2)).as_posix()
        with s3.open_input_stream(f"{BUCKET}/out/v2/{name}") as file:
            assert file.read() == path.read_bytes(), name


def test_a_version_on_s3_can_be_the_source_of_a_dataset(published, s3, tmp_path):
    local = pd.read_parquet(published[0] / "local/latest/documents")
    with s3.open_output_stream(f"{BUCKET}/round/documents.parquet") as file:
        local[["source", "text"]].rename(columns={"source": "id"}).to_parquet(file, index=False)
    run_stages(f"s3://{BUCKET}/round", tmp_path / "dataset")
    assert set(pd.read_parquet(tmp_path / "dataset/latest/documents").text) <= set(local.text)


def test_a_copy_that_stands_there_is_never_written_over(published, s3):
    dataset = Dataset(published[0] / "local")
    upload(dataset, 1, f"s3://{BUCKET}/kept")
    with pytest.raises(UsageError, match="a version stands there already"):
        upload(dataset, 2, f"s3://{BUCKET}/kept")


def test_a_copy_that_was_cut_off_has_no_manifest_and_is_made_again(published, s3, tmp_path, monkeypatch):
    import winnow.publish.export

    dataset = Dataset(published[0] / "local")
    copy, done = winnow.publish.export._copy_file, []

    def fails(*call):
        if len(done) == 5:
            raise OSError("connection reset")
        done.append(call)
        copy(*call)

    monkeypatch.setattr(winnow.publish.export, "_copy_file", fails)
    with pytest.raises(WinnowError, match=r"s3://articles/cut: cannot be written: connection reset"):
        upload(dataset, 2, f"s3://{BUCKET}/cut")
    assert s3.get_file_info(f"{BUCKET}/cut/{MANIFEST}").type == fs.FileType.NotFound
    monkeypatch.setattr(winnow.publish.export, "_copy_file", copy)
    upload(dataset, 2, f"s3://{BUCKET}/cut")
    with s3.open_input_stream(f"{BUCKET}/cut/{MANIFEST}") as file:
        (tmp_path / MANIFEST).write_bytes(file.read())
    assert read_manifest(tmp_path / MANIFEST) == dataset.manifest(2)


@pytest.mark.parametrize("place", ["s3://no-such-bucket/x", "s3://key:secret@no-such-bucket/x"])
def test_a_store_that_refuses_is_told_without_the_credentials(published, s3, place):
    with pytest.raises(WinnowError, match=r"^s3://no-such-bucket/x: cannot be written") as told:
        upload(Dataset(published[0] / "local"), 1, place)
    assert "secret" not in str(told.value)
