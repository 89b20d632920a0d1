"""Hand versions on to a dataset repository of Hugging Face's hub: a commit and a tag a version.

What is sent is what the repository has not, by checksum. A push that was killed is made again from where it stands: a
version is there once its tag is.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from winnow.base.errors import UsageError, WinnowError
from winnow.base.files import at_hand
from winnow.base.staging import sha256_of
from winnow.publish.dataset import Dataset
from winnow.publish.manifest import MANIFEST
from winnow.publish.proof import prove

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_ADDRESS = re.compile(r"hf://(?:datasets/)?([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)/?", re.ASCII)
_TAG = re.compile(r"v([1-9][0-9]*)")
_THEIRS = (".gitattributes",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What a push did, or would do; ``tagged`` false where the version stood there already."""

    repository: str
    version: int
    sent: tuple[str, ...]
    bytes: int
    removed: tuple[str, ...]
    kept: int
    tagged: bool


def repository_of(address: str) -> str:
    """Returns OWNER/NAME of ``hf://OWNER/NAME``.

    Raises UsageError for any other address.

    >>> repository_of("hf://me/articles"), repository_of("hf://datasets/me/articles/")
    ('me/articles', 'me/articles')
    """
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise UsageError(f"{address}: is no repository of the hub; write hf://OWNER/NAME")
    return found[1]


def push_version(dataset: Dataset, version: int, address: str, private: bool = False, dry_run: bool = False) -> Pushed:
    """Brings the repository to a version, and tags it; a new repository is made where there is none.

    Raises UsageError where a later version stands there, or another of that number; DatasetDamaged for files that are
    not as they were published; WinnowError for what the hub refuses.
    """
    repository = repository_of(address)
    manifest = dataset.manifest(version)
    prove(dataset, manifest)
    view = dataset.view(version)
    sums = {f.name: f.sha256 for t in manifest.tables.values() for f in t.files} | dict(manifest.files)
    sums[MANIFEST] = sha256_of(view / MANIFEST)
    with _told_of(address):
        api = _api()
        there, tags, head = _content(api, repository)
        tag = f"v{version}"
        later = sorted(int(m[1]) for m in map(_TAG.fullmatch, tags) if m and int(m[1]) > version)
        if later:
            raise UsageError(f"{address}: has v{later[-1]} already; push versions in their order")
        if tag in tags:
            there, _, _ = _content(api, repository, tag)
        sent = sorted(n for n, sha256 in sums.items() if not _is_there(there.get(n), view / n, sha256))
        removed = sorted(n for n in there if n not in sums and n not in _THEIRS)
        done = Pushed(
            repository=repository, version=version, sent=tuple(sent), removed=tuple(removed), tagged=tag not in tags,
            bytes=sum((view / n).stat().st_size for n in sent), kept=len(sums) - len(sent),
        )  # fmt: skip
        if tag in tags and (sent or removed):
            raise UsageError(
                f"{address}: its {tag} has other files, as of before an erasure; remove the tag there, and what its "
                "history holds, then push again"
            )
        if not dry_run and tag not in tags:
            _commit(api, done, view, head, private)
    return done


def _commit(api: HfApi, push: Pushed, view: Path, head: str | None, private: bool) -> None:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    where: dict[str, Any] = {"repo_id": push.repository, "repo_type": "dataset"}
    if head is None:
        api.create_repo(**where, private=private, exist_ok=True)
    operations: list[Any] = [CommitOperationAdd(path_in_repo=n, path_or_fileobj=at_hand(view / n)) for n in push.sent]
    operations += [CommitOperationDelete(path_in_repo=n) for n in push.removed]
    if operations:
        # Where another push came between, the parent is another, and the hub refuses.
        done: Any = api.create_commit(
            **where, operations=operations, commit_message=f"Version {push.version}", parent_commit=head
        )
        head = done.oid
    api.create_tag(**where, tag=f"v{push.version}", revision=head)


def _content(api: HfApi, repository: str, revision: str | None = None) -> tuple[dict[str, Any], list[str], str | None]:
    """The files of a repository, its tags, and the commit of its main branch; nothing where it is not there."""
    from huggingface_hub.errors import RepositoryNotFoundError
    from huggingface_hub.hf_api import RepoFile

    try:
        refs = api.list_repo_refs(repository, repo_type="dataset")
    except RepositoryNotFoundError:
        return {}, [], None
    head = next((b.target_commit for b in refs.branches if b.name == "main"), None)
    tree = api.list_repo_tree(repository, repo_type="dataset", recursive=True, revision=revision or head)
    files = {f.path: f for f in (tree if head else ()) if isinstance(f, RepoFile)}
    return files, [t.name for t in refs.tags], head


def _is_there(file: Any, path: Path, sha256: str) -> bool:
    """Whether an object of the repository is this file: large ones are known by SHA-256, others as git names them."""
    if file is None or file.size != path.stat().st_size:
        return False
    if file.lfs is not None:
        return bool(file.lfs.sha256 == sha256)
    content = at_hand(path).read_bytes()
    return bool(file.blob_id == hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest())


def _api() -> HfApi:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    try:
        from huggingface_hub import HfApi
    except ImportError as error:
        raise UsageError("hf:// needs huggingface_hub: pip install 'winnow-text[hf]'") from error
    return HfApi(endpoint=os.environ.get("HF_ENDPOINT"), library_name="winnow")


@contextmanager
def _told_of(address: str) -> Iterator[None]:
    """Raises WinnowError in one line, and never with the token, for what the hub or the network refuses."""
    try:
        yield
    except WinnowError:
        raise
    except Exception as error:
        why = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise WinnowError(f"{address}: cannot be written: {why}; check the name and HF_TOKEN") from error
