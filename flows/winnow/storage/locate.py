"""Where a dataset stands: a folder, or an address on object storage. The one way in for commands and flows."""

from __future__ import annotations

from pathlib import Path

from winnow.base.addresses import is_url, redacted
from winnow.base.errors import UsageError
from winnow.publish.dataset import Dataset
from winnow.publish.tables.writing import Checkpoint, no_checkpoint

Place = str | Path
"""A folder, or ``s3://BUCKET/PREFIX``; an address must stay a string, for a path would swallow one of its slashes."""


def open_dataset(into: Place, checkpoint: Checkpoint = no_checkpoint) -> Dataset:
    """The dataset at `into`; one on object storage is pulled, so that it reads as any other.

    To write, use `Dataset.writing`: it pulls again, holds the lease, and pushes. Raises UsageError for an address that
    is none, and WinnowError where the store cannot be reached.
    """
    if not is_url(str(into)):
        from winnow.storage.copy import refuse_working_copy

        refuse_working_copy(Path(into).absolute())
        return Dataset(Path(into))
    dataset = describe_dataset(into, checkpoint)
    assert dataset.remote is not None
    dataset.remote.pull()
    return dataset


def describe_dataset(into: Place, checkpoint: Checkpoint = no_checkpoint) -> Dataset:
    """As `open_dataset`, and nothing is asked of the store yet: for those who only write, or only want its names."""
    if not is_url(str(into)):
        return open_dataset(into)
    from winnow.storage.address import parse_address
    from winnow.storage.copy import working_copy
    from winnow.storage.remote import Remote

    copy = working_copy(parse_address(str(into)))
    return Dataset(copy.root, Remote(copy, checkpoint=checkpoint))


def inside(into: Place, *parts: str) -> str:
    """A name within a dataset, as a person would type it.

    >>> inside(Path("dataset"), "v1"), inside("s3://bucket/a/", "v1", "documents")
    ('dataset/v1', 's3://bucket/a/v1/documents')
    """
    text = str(into)
    if is_url(text):
        return "/".join((text.split("?")[0].rstrip("/"), *parts))
    return str(Path(into).joinpath(*parts))


def newest(into: Place, version: str) -> str:
    """The name under which the last version is read: a store has no links, so there it is the version's own.

    >>> newest("dataset", "v3"), newest("s3://bucket/a", "v3")
    ('latest', 'v3')
    """
    return version if is_url(str(into)) else "latest"


def refuse_dataset_in_source(source: str, into: Place) -> None:
    """Raise UsageError where a run would read what it writes: the dataset's address lies under the source's.

    On a file system datasets are known by their files and left out; a store is listed by names alone.

    >>> refuse_dataset_in_source("s3://bucket/in", "s3://bucket/dataset")
    """
    if is_url(source) and is_url(str(into)):
        above, below = (f"{redacted(place).rstrip('/')}/" for place in (source, str(into)))
        if below.startswith(above):
            raise UsageError(f"{below[:-1]}: lies in the source {above[:-1]}; give one of them a prefix of its own")
