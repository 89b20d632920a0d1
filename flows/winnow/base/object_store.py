"""An address on object storage, and the few calls that are made there, through obstore (the crate object_store)."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from configparser import ParsingError, RawConfigParser
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from winnow.base.addresses import redacted, refuse_credentials
from winnow.base.errors import UsageError, WinnowError

_CHUNK_BYTES = 8 << 20
_PAUSES = (0.1, 1.0, 4.0)  # seconds, before a write is tried again whose connection broke
_PAGE = 1000  # objects that a store lists in one answer

OPTIONS = ("endpoint_override", "region", "scheme")
"""What the address may say besides; the names are those that addresses of sources have (pyarrow's)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A bucket, a prefix without slashes at its ends, and how to reach the store."""

    bucket: str
    prefix: str
    endpoint: str | None = None
    region: str | None = None

    @property
    def shown(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    @property
    def slug(self) -> str:
        """Name of the working copy: readable, and different for different places.

        >>> parse_address("s3://bucket/My articles").slug[:-8]
        'bucket-my-articles-'
        """
        readable = re.sub("[^a-z0-9]+", "-", f"{self.bucket}-{self.prefix}".lower()).strip("-")[:80]
        place = f"{self.endpoint_in_use()}|{self.bucket}|{self.prefix}"
        return f"{readable}-{hashlib.sha256(place.encode()).hexdigest()[:8]}"

    def endpoint_in_use(self) -> str:
        """The server, empty for the one of the cloud; the same bucket elsewhere is another dataset."""
        named = self.endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
        return named.rstrip("/")


def parse_address(url: str) -> Address:
    """Returns the address that `url` names.

    Raises UsageError for other schemes, for a missing bucket, and for credentials in it: Prefect keeps and shows the
    parameters of runs, so they belong in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE's own).

    >>> parse_address("s3://bucket/a/b/?region=eu-west-1").shown
    's3://bucket/a/b'
    """
    parts = urlsplit(url)
    if parts.scheme != "s3":
        raise UsageError(f"{redacted(url)}: a dataset stands in a folder or under s3://BUCKET/PREFIX")
    refuse_credentials(url)
    options = dict(parse_qsl(parts.query))
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise UsageError(f"{redacted(url)}: option {unknown[0]} is unknown; there are {', '.join(OPTIONS)}")
    prefix = unquote(parts.path).strip("/")
    if not parts.netloc or any(part in ("", ".", "..") for part in prefix.split("/") if prefix):
        raise UsageError(f"{redacted(url)}: names no place in a bucket; write s3://BUCKET/PREFIX")
    endpoint = options.get("endpoint_override")
    if endpoint and "://" not in endpoint:
        endpoint = f"{options.get('scheme', 'https')}://{endpoint}"
    return Address(bucket=parts.netloc, prefix=prefix, endpoint=endpoint, region=options.get("region"))


@dataclass(frozen=True, slots=True)
class Entry:
    """An object: bytes, and the tag that changes with its content."""

    size: int
    tag: str | None


class Taken(Exception):
    """A conditional write found something else than it was told to expect; nothing was written."""


class Gone(Exception):
    """There is no object of that name (any more)."""


def open_store(address: Address, tries: int = 6, **config: Any) -> Any:
    """Returns obstore's store of an address.

    Its credentials come from the environment, else from the profile in ``~/.aws/credentials`` that the environment
    names; those of the machine or container are asked for last. With ``AWS_SKIP_SIGNATURE=true`` none are used.
    Raises UsageError where obstore is not installed.
    """
    try:
        from obstore.store import S3Store
    except ImportError as error:
        raise UsageError(f"{address.shown}: needs obstore: pip install 'winnow-text[s3]'") from error
    said = {"endpoint": address.endpoint, "region": address.region}
    known: Any = {**keys_of_profile(), **config, **{name: value for name, value in said.items() if value}}
    return S3Store(
        address.bucket,
        prefix=address.prefix or None,
        config=known,
        client_options={"allow_http": address.endpoint_in_use().startswith("http://")},
        retry_config={"max_retries": tries - 1, "retry_timeout": timedelta(seconds=60)},
    )


def keys_of_profile() -> dict[str, str]:
    """Returns the keys that the profile of AWS_PROFILE has in the file of credentials; none where the environment has
    keys of its own."""
    if os.environ.get("AWS_ACCESS_KEY_ID"):
        return {}
    profiles = RawConfigParser()
    try:
        profiles.read(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or Path("~/.aws/credentials").expanduser())
        profile = dict(profiles[os.environ.get("AWS_PROFILE") or "default"])
    except (KeyError, ParsingError, OSError, RuntimeError, UnicodeDecodeError):  # there is no such file or profile
        return {}
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    return {name: profile[name] for name in names if profile.get(name)}


class Store:
    """The objects under one address. Names are relative to it.

    Raises WinnowError with the address, never with credentials, where the store cannot be reached or refuses.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.objects = open_store(address, copy_if_not_exists="multipart")
        import obstore

        self.calls: Any = obstore

    def entries(self, within: str | None = None) -> dict[str, Entry]:
        """Returns the objects of the address, or those `within` a folder of it."""
        with self.errors_named("listed"):
            found = self.calls.list(self.objects, within)
            return {m["path"]: Entry(m["size"], m["e_tag"]) for chunk in found for m in chunk}

    def entries_before(self, end: str) -> tuple[dict[str, Entry], bool]:
        """Returns the objects of the address, at least those whose names sort before `end`, and whether these are all.

        A store that lists names in no order is asked for all.
        """
        found: dict[str, Entry] = {}
        last, in_order = "", True
        with self.errors_named("listed"):
            for page in self.calls.list(self.objects, chunk_size=_PAGE):
                for m in page:
                    in_order, last = in_order and last < m["path"], m["path"]
                    found[last] = Entry(m["size"], m["e_tag"])
                if in_order and last >= end and len(page) == _PAGE:
                    return found, False
        return found, True

    def folders(self) -> list[str]:
        """Returns the first parts of names that have more than one."""
        with self.errors_named("listed"):
            return list(self.calls.list_with_delimiter(self.objects)["common_prefixes"])

    def read(self, name: str, last: int | None = None) -> tuple[bytes, Entry]:
        """Returns an object whole, or no more than its `last` bytes where it is not empty. Raises Gone."""
        with self.errors_named("read", name):
            got = self.calls.get(self.objects, name, options={"range": {"suffix": last}} if last else None)
            return bytes(got.bytes()), Entry(got.meta["size"], got.meta["e_tag"])

    def polars_options(self) -> dict[str, str]:
        """Returns what polars has to be told to reach the same store; credentials it finds in the environment."""
        endpoint, region = self.address.endpoint_in_use(), self.address.region
        plain = {"aws_allow_http": "true"} if endpoint.startswith("http://") else {}
        named = {"aws_endpoint_url": endpoint, "aws_region": region}
        return {**plain, **{name: value for name, value in named.items() if value}}

    def entry(self, name: str) -> Entry:
        """Returns an object's size and tag. Raises Gone."""
        with self.errors_named("read", name):
            meta = self.calls.head(self.objects, name)
            return Entry(meta["size"], meta["e_tag"])

    def read_range(self, name: str, start: int, end: int) -> bytes:
        """Returns the bytes of an object from `start` to before `end`. Raises Gone."""
        with self.errors_named("read", name):
            return bytes(self.calls.get_range(self.objects, name, start=start, end=end)) if end > start else b""

    def fetch(self, name: str, into: Path, make_room: Callable[[int], None] | None = None) -> Entry:
        """Writes an object to a file; `make_room` is told its size before. Raises Gone."""
        with self.errors_named("read", name):
            got = self.calls.get(self.objects, name)
            if make_room:
                make_room(got.meta["size"])
            with into.open("wb") as file:
                for chunk in got.stream(min_chunk_size=_CHUNK_BYTES):
                    file.write(chunk)
            return Entry(got.meta["size"], got.meta["e_tag"])

    def sha256(self, name: str) -> str:
        """Returns the SHA-256 (hex) of an object's bytes as the store gives them now. Raises Gone."""
        digest = hashlib.sha256()
        with self.errors_named("read", name):
            for chunk in self.calls.get(self.objects, name).stream(min_chunk_size=_CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest()

    def put(self, name: str, content: Path | bytes) -> Entry:
        """Writes an object, whatever stood there; a large file in parts."""
        with self.errors_named("written", name):
            return _entry(self.calls.put(self.objects, name, content), content)

    def swap(self, name: str, content: Path | bytes, tag: str | None = None) -> Entry:
        """Replaces the object that has `tag`; creates it where that is None. Raises Taken.

        Not where what stands there is the very same: an answer that was lost on the way makes the client try again, and
        find its own object.
        """
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        mode: Any = "create" if tag is None else {"e_tag": tag}
        with self.errors_named("written", name):
            try:
                return _entry(self._put_if(name, content, mode), content)
            except (AlreadyExistsError, PreconditionError) as error:
                there, entry = self.read(name)
                if there != (content if isinstance(content, bytes) else content.read_bytes()):
                    raise Taken(name) from error
                return entry

    def copy(self, source: str, target: str, replace: bool = False) -> bool:
        """Lets the store copy an object; False where it cannot do that. Raises Taken for a name that is not free."""
        from obstore.exceptions import AlreadyExistsError, BaseError

        try:
            self.calls.copy(self.objects, source, target, overwrite=replace)
        except AlreadyExistsError as error:
            raise Taken(target) from error
        except (BaseError, OSError):
            return False  # servers differ in the copies they know; whoever calls uploads the bytes instead
        return True

    def remove(self, names: list[str]) -> None:
        with self.errors_named("removed"):
            for start in range(0, len(names), 1000):
                self.calls.delete(self.objects, names[start : start + 1000])

    def _put_if(self, name: str, content: Path | bytes, mode: Any) -> Any:
        """Writes an object on a condition, again where the connection broke: obstore leaves that to its caller.

        The write may have been done, so the condition may fail then for our own object.
        """
        from obstore.exceptions import GenericError

        for pause in _PAUSES:
            try:
                return self.calls.put(self.objects, name, content, mode=mode, use_multipart=False)
            except GenericError as error:
                said = str(error).split("\n")[0]
                if "HTTP error: " not in said or " retries" in said:  # refused, or tried again already
                    raise
                time.sleep(pause)
        return self.calls.put(self.objects, name, content, mode=mode, use_multipart=False)

    @contextmanager
    def errors_named(self, done: str, name: str = "") -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except FileNotFoundError as error:
            raise Gone(name) from error
        except BaseError as error:
            place = f"{self.address.shown}/{name}" if name else self.address.shown
            why = _reason(error)
            remedy = (
                "the store is down, or asked too often: run again later, nothing is lost"
                if re.search("answered (5|429)", why)
                else "check the address, the credentials in the environment (AWS_ACCESS_KEY_ID, ...) "
                "and AWS_ENDPOINT_URL"
            )
            raise WinnowError(f"{place}: cannot be {done}: {why}; {remedy}") from error


class ObjectWriter:
    """An object that is written bit by bit, and stands there once it is closed, whatever stood there before.

    A large one goes in parts, and is asked for its tag at the end. Where it is never closed, a store may keep parts
    that it has until a rule of the bucket removes them; nobody sees them.
    """

    def __init__(self, store: Store, name: str) -> None:
        self._store, self._name = store, name
        self._held, self._file = bytearray(), None  # type: tuple[bytearray, Any]

    def write(self, data: bytes) -> None:
        self._held += data
        if len(self._held) < _CHUNK_BYTES:
            return
        with self._store.errors_named("written", self._name):
            if self._file is None:
                self._file = self._store.calls.open_writer(
                    self._store.objects, self._name, buffer_size=_CHUNK_BYTES, max_concurrency=4
                )
            self._file.write(bytes(self._held))
        self._held.clear()

    def close(self) -> Entry:
        if self._file is None:
            return self._store.put(self._name, bytes(self._held))
        with self._store.errors_named("written", self._name):
            self._file.write(bytes(self._held))
            self._file.close()
        return self._store.entry(self._name)


def _entry(result: Any, content: Path | bytes) -> Entry:
    return Entry(len(content) if isinstance(content, bytes) else content.stat().st_size, result["e_tag"])


def _reason(error: Exception) -> str:
    """Returns the heart of an error that tells of every layer it came through.

    >>> _reason(ValueError("Generic S3 error: Error performing GET http://x/b in 2ms - Server returned non-2xx status "
    ...                    "code: 404 Not Found: <?xml ...\\n<Error>"))
    'the server answered 404 Not Found'
    >>> _reason(ValueError("in 2ms - status code: 400 Bad Request: <Error><Code>ExpiredToken</Code></Error>"))
    'the server answered 400 Bad Request (ExpiredToken)'
    """
    text = str(error)
    answered = re.search(r"status code: ([^:\n]+)", text)
    if answered:
        code = re.search("<Code>([A-Za-z]+)</Code>", text)
        return f"the server answered {answered[1].strip()}" + (f" ({code[1]})" if code else "")
    return text.split("\n")[0].rpartition(" - ")[2][:200] or type(error).__name__
