"""Where a dataset stands: a folder, or an address on object storage. The one way in for commands and flows."""

from __future__ import annotations

from pathlib import Path

from winnow.base.addresses import is_url, redacted
from winnow.base.disk import Checkpoint, no_checkpoint
from winnow.base.errors import UsageError
from winnow.publish.dataset import Dataset

Location = str | Path
"""A folder, or ``s3://BUCKET/PREFIX``; an address must stay a string, for a path would swallow one of its slashes."""


def open_dataset(location: Location, checkpoint: Checkpoint = no_checkpoint) -> Dataset:
    """Returns the dataset at `location`; one on object storage is pulled, so that it reads as any other.

    Whoever writes to it calls `winnow.storage.lock.lock_dataset`, which pulls again, holds the lease, and pushes.
    Raises UsageError for an address that is none, and WinnowError where the store cannot be reached.
    """
    dataset = locate_dataset(location, checkpoint)
    if dataset.remote:
        dataset.remote.pull()
    return dataset


def locate_dataset(location: Location, checkpoint: Checkpoint = no_checkpoint) -> Dataset:
    """As `open_dataset`, and nothing is asked of the store yet: for those who only write, or only want its names."""
    from winnow.storage.working_copy import refuse_working_copy, working_copy

    if not is_url(str(location)):
        refuse_working_copy(Path(location).absolute())
        return Dataset(Path(location))
    from winnow.base.object_store import parse_address
    from winnow.storage.remote import ObjectStoreRemote

    copy = working_copy(parse_address(str(location)))
    return Dataset(copy.root, ObjectStoreRemote(copy, checkpoint=checkpoint))


def path_within(location: Location, *parts: str) -> str:
    """Returns a path within a dataset, as a person would type it.

    >>> path_within(Path("dataset"), "v1"), path_within("s3://bucket/a/", "v1", "documents")
    ('dataset/v1', 's3://bucket/a/v1/documents')
    """
    text = str(location)
    if is_url(text):
        return "/".join((text.split("?")[0].rstrip("/"), *parts))
    return str(Path(location).joinpath(*parts))


def latest_name(location: Location, version: str) -> str:
    """Returns the name under which the last version is read: a store has no links, so there it is the version's own.

    >>> latest_name("dataset", "v3"), latest_name("s3://bucket/a", "v3")
    ('latest', 'v3')
    """
    return version if is_url(str(location)) else "latest"


def refuse_dataset_in_source(source: str, location: Location) -> None:
    """Raises UsageError where a run would read what it writes: the dataset's address lies under the source's.

    On a file system datasets are known by their files and left out; a store is listed by names alone.

    >>> refuse_dataset_in_source("s3://bucket/in", "s3://bucket/dataset")
    """
    if is_url(source) and is_url(str(location)):
        above, below = (f"{redacted(address).rstrip('/')}/" for address in (source, str(location)))
        if below.startswith(above):
            raise UsageError(f"{below[:-1]}: lies in the source {above[:-1]}; give one of them a prefix of its own")
