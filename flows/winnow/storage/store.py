"""The few calls that a dataset needs of object storage, through obstore (the Rust crate object_store)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from winnow.base.errors import UsageError, WinnowError
from winnow.storage.address import Address

_CHUNK_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """An object: bytes, and the tag that changes with its content."""

    size: int
    tag: str | None


class Taken(Exception):
    """A conditional write found something else than it was told to expect; nothing was written."""


class Gone(Exception):
    """There is no object of that name (any more)."""


class Store:
    """The objects under one address. Names are relative to it.

    Raises WinnowError with the address, never with credentials, where the store cannot be reached or refuses.
    """

    def __init__(self, address: Address) -> None:
        try:
            import obstore
            from obstore.store import S3Store
        except ImportError as error:
            raise UsageError(f"{address.shown}: needs obstore: pip install 'winnow-text[s3]'") from error
        self.address = address
        self._calls: Any = obstore
        config: Any = {"copy_if_not_exists": "multipart"}
        if address.endpoint:
            config["endpoint"] = address.endpoint
        if address.region:
            config["region"] = address.region
        self._store = S3Store(
            address.bucket,
            prefix=address.prefix or None,
            config=config,
            client_options={"allow_http": address.endpoint_in_use().startswith("http://")},
            retry_config={"max_retries": 5, "retry_timeout": timedelta(seconds=60)},
        )

    def entries(self) -> dict[str, Entry]:
        with self._told("listed"):
            found = self._calls.list(self._store)
            return {m["path"]: Entry(m["size"], m["e_tag"]) for chunk in found for m in chunk}

    def read(self, name: str) -> tuple[bytes, Entry]:
        """A small object whole. Raises Gone."""
        with self._told("read", name):
            got = self._calls.get(self._store, name)
            meta = got.meta
            return bytes(got.bytes()), Entry(meta["size"], meta["e_tag"])

    def fetch(self, name: str, into: Path) -> Entry:
        """Write an object to a file. Raises Gone."""
        with self._told("read", name):
            got = self._calls.get(self._store, name)
            with into.open("wb") as file:
                for chunk in got.stream(min_chunk_size=_CHUNK_BYTES):
                    file.write(chunk)
            return Entry(got.meta["size"], got.meta["e_tag"])

    def sha256(self, name: str) -> str:
        """SHA-256 (hex) of an object's bytes as the store gives them now. Raises Gone."""
        digest = hashlib.sha256()
        with self._told("read", name):
            for chunk in self._calls.get(self._store, name).stream(min_chunk_size=_CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest()

    def put(self, name: str, content: Path | bytes) -> Entry:
        """Write an object, whatever stood there; a large file in parts."""
        with self._told("written", name):
            return _entry(self._calls.put(self._store, name, content), content)

    def create(self, name: str, content: Path | bytes) -> Entry:
        """Write an object where none stands. Raises Taken, unless what stands there is the very same.

        The very same: an answer that was lost on the way makes the client try again, and find its own object.
        """
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        with self._told("written", name):
            try:
                return _entry(self._calls.put(self._store, name, content, mode="create", use_multipart=False), content)
            except (AlreadyExistsError, PreconditionError) as error:
                return self._same(name, content, error)

    def swap(self, name: str, content: bytes, tag: str | None) -> Entry:
        """Replace the object that has `tag`; create it where that is None. Raises Taken."""
        from obstore.exceptions import PreconditionError

        if tag is None:
            return self.create(name, content)
        with self._told("written", name):
            try:
                return _entry(self._calls.put(self._store, name, content, mode={"e_tag": tag}), content)
            except PreconditionError as error:
                return self._same(name, content, error)

    def copy(self, source: str, target: str) -> bool:
        """Let the store copy an object to a name that is free; False where it cannot do that. Raises Taken."""
        from obstore.exceptions import AlreadyExistsError, BaseError

        try:
            self._calls.copy(self._store, source, target, overwrite=False)
        except AlreadyExistsError as error:
            raise Taken(target) from error
        except (BaseError, OSError):
            return False  # servers differ in the copies they know; whoever calls uploads the bytes instead
        return True

    def remove(self, names: list[str]) -> None:
        with self._told("removed"):
            for start in range(0, len(names), 1000):
                self._calls.delete(self._store, names[start : start + 1000])

    def _same(self, name: str, content: Path | bytes, error: Exception) -> Entry:
        there, entry = self.read(name)
        if there != (content if isinstance(content, bytes) else content.read_bytes()):
            raise Taken(name) from error
        return entry

    @contextmanager
    def _told(self, done: str, name: str = "") -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except FileNotFoundError as error:
            raise Gone(name) from error
        except BaseError as error:
            place = f"{self.address.shown}/{name}" if name else self.address.shown
            raise WinnowError(
                f"{place}: cannot be {done}: {_reason(error)}; check the address, the credentials in the environment "
                "(AWS_ACCESS_KEY_ID, ...) and AWS_ENDPOINT_URL"
            ) from error


def _entry(result: Any, content: Path | bytes) -> Entry:
    return Entry(len(content) if isinstance(content, bytes) else content.stat().st_size, result["e_tag"])


def _reason(error: Exception) -> str:
    """The heart of an error that tells of every layer it came through.

    >>> _reason(ValueError("Generic S3 error: Error performing GET http://x/b in 2ms - Server returned non-2xx status "
    ...                    "code: 404 Not Found: <?xml ...\\n<Error>"))
    'the server answered 404 Not Found'
    """
    text = str(error)
    answered = re.search(r"status code: ([^:\n]+)", text)
    if answered:
        return f"the server answered {answered[1].strip()}"
    return text.split("\n")[0].rpartition(" - ")[2][:200] or type(error).__name__
