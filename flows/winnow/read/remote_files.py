"""Files behind ``http(s)://``, ``s3://``, ``gs://`` and ``az://`` addresses, read as streams that seek.

Buckets are reached through obstore; credentials come from the environment. The web is not: obstore's HTTPStore refuses
servers that give no length or no ranges, and writes the ``?`` of an address as ``%3F``. Here a file on the web is asked
for from where reading stands, and a server without ranges is read up to there.
"""

from __future__ import annotations

import http.client
import io
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from winnow.base.addresses import holds_credentials
from winnow.base.errors import UsageError
from winnow.base.object_store import Address, keys_of_profile, open_store, parse_address
from winnow.base.recipe import ReadSettings
from winnow.read.content import COMPRESSIONS, blocks_of, content_blocks

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

WEB, BUCKETS = ("http", "https"), ("s3", "gs", "az")
LISTS = (".urls", ".paths")
"""Endings of files that list addresses, one a line, as Common Crawl's ``warc.paths.gz``."""
_MOST_LISTED = 1 << 30  # bytes of a list, unpacked
_LINE_CHARS = 8192
_SECONDS, _TRIES, _WAIT = 60, 4, 1.0  # to wait for an answer; how often it is asked; seconds before it is asked again


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file by its name under the root, its address, and its size; 0 where only reading tells."""

    name: str
    address: str
    size: int = 0


def is_list(path: str) -> bool:
    """Whether a file lists addresses, from its ending.

    >>> is_list("https://e.org/warc.paths.gz?x=1"), is_list("a.urls"), is_list("a.txt")
    (True, True, False)
    """
    name = _without_options(path)
    packing = next((ending for ending in COMPRESSIONS if name.endswith(ending)), "")
    return name.removesuffix(packing).endswith(LISTS)


def _without_options(path: str) -> str:
    return (re.split("[?#]", path, maxsplit=1)[0] if "://" in path else path).lower()


def listed(lines: Iterable[str], base: str) -> Iterator[RemoteFile]:
    """The files that a list names; lines that begin with ``#`` are none.

    A line may be relative to the list's own address, or to its host where it begins with no slash (Common Crawl's do).
    Raises UsageError for a line that names no place on the web, or holds a password.

    >>> [f.address for f in listed(["# a", "crawl/a.warc.gz", "http://f.org/b"], "https://e.org/x/warc.paths")]
    ['https://e.org/crawl/a.warc.gz', 'http://f.org/b']
    """
    parts = urlsplit(base)
    host = urlunsplit((parts.scheme, parts.netloc, "/", "", "")) if parts.scheme in WEB else ""
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        try:
            address = quote(urljoin(host, line) if host else line, safe=":/?#[]@!$&'()*+,;=%")
            place = urlsplit(address)
            is_web = place.scheme in WEB and bool(place.hostname) and len(line) <= _LINE_CHARS
        except ValueError:
            is_web = False
        if not is_web or holds_credentials(address) or "@" in place.netloc:
            raise UsageError(f"line {number} of the list names no address on the web that may be read; mend it")
        name = place.netloc + unquote(place.path)
        name += f"?{place.query}" if place.query else ""
        yield RemoteFile(name=name, address=address)


def lines_of_list(stream: BinaryIO, name: str) -> Iterator[str]:
    """The lines of a list, which may be packed."""
    compression = next((c for ending, c in COMPRESSIONS.items() if _without_options(name).endswith(ending)), None)
    limit = min(_MOST_LISTED, ReadSettings().max_unpacked_mb * 1_000_000)
    blocks = content_blocks(stream, compression, limit) if compression else blocks_of(stream)
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        yield from (line.decode("utf-8", "replace") for line in lines)
        if len(rest) > _LINE_CHARS:
            raise UsageError("the list has a line that is longer than any address; mend it")
    yield rest.decode("utf-8", "replace")


def list_bucket(url: str) -> Iterator[RemoteFile]:
    """Every object at or under `url`, a page at a time. Raises OSError where the store refuses or nothing is there.

    Empty objects without an ending are passed over: tools that show buckets as folders leave them.
    """
    store, path = _bucket(url)
    prefix = f"{path}/" if path else ""
    root, mark, options = url.partition("?")
    found = False
    for page in _told(lambda: store.list(prefix or None, chunk_size=1000)):
        for meta in page:
            found = True
            name = meta["path"].removeprefix(prefix)
            if meta["size"] or "." in name.rpartition("/")[2]:
                address = f"{root.rstrip('/')}/{quote(name)}{mark}{options}"
                yield RemoteFile(name=name, address=address, size=meta["size"])
    if not found and path:
        size = _told(lambda: iter([store.head(path)["size"]]))
        yield RemoteFile(name=path.rpartition("/")[2], address=url, size=next(size))


def open_remote(address: str) -> BinaryIO:
    """The file at `address`, opened as its first byte is asked for."""
    if urlsplit(address).scheme in WEB:
        return io.BufferedReader(_Stream(lambda at: _from_web(address, at)), 1 << 16)
    store, path = _bucket(address)
    return io.BufferedReader(_Stream(lambda at: _from_bucket(store, path, at)), 1 << 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """The bytes of a file from where they were asked for on, and the file's size (None: nobody says)."""

    blocks: Iterator[bytes]
    size: int | None


class _Stream(io.RawIOBase):
    """A file that is asked for again from where it stands whenever that changes, or the answer breaks off."""

    def __init__(self, ask: Callable[[int], _Opened]) -> None:
        self._ask = ask
        self._at, self._size = 0, None
        self._opened: _Opened | None = None
        self._rest = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = 0 if whence == io.SEEK_SET else self._at if whence == io.SEEK_CUR else self._end()
        if base + offset != self._at:
            self._at, self._opened, self._rest = base + offset, None, b""
        return self._at

    def _end(self) -> int:
        size = (self._opened or self._ask(0)).size
        if size is None:
            raise OSError("its server does not say how long it is")
        return size

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        self._rest = self._rest or self._next()
        part, self._rest = self._rest[: len(view)], self._rest[len(view) :]
        view[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _next(self) -> bytes:
        for tries in range(_TRIES):
            try:
                self._opened = self._opened or self._ask(self._at)
                block = next((b for b in self._opened.blocks if b), b"")
                if block or self._opened.size is None or self._at >= self._opened.size:
                    return block
                error = OSError("its server ended before the file did")
            except FileNotFoundError:
                raise
            except (OSError, http.client.HTTPException) as caught:
                error = caught if isinstance(caught, OSError) else OSError(str(caught) or type(caught).__name__)
            self._opened = None
            if tries + 1 < _TRIES:
                time.sleep(_WAIT * 2**tries)
        raise error


def _from_web(address: str, at: int) -> _Opened:
    headers = {"User-Agent": "winnow", "Accept-Encoding": "identity"}
    if at:
        headers["Range"] = f"bytes={at}-"
    try:
        answer: Any = urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # the file ends there
            return _Opened(blocks=iter(()), size=at)
        kind = FileNotFoundError if 400 <= error.code < 500 and error.code not in (408, 425, 429) else OSError
        raise kind(f"its server answers {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise OSError(f"its server cannot be reached ({error.reason})") from error
    except (ValueError, OverflowError, http.client.InvalidURL) as error:
        raise FileNotFoundError(f"its address cannot be asked for ({str(error)[:80]})") from error
    length = answer.headers.get("Content-Length")
    size = int(length) if length and length.isdecimal() and len(length) < 19 else None
    blocks = iter(lambda: answer.read(1 << 20), b"")
    if not at or answer.status == 206:
        return _Opened(blocks=blocks, size=None if size is None else size + at)
    return _Opened(blocks=_after(blocks, at), size=size)


def _after(blocks: Iterator[bytes], at: int) -> Iterator[bytes]:
    for block in blocks:
        if at < len(block):
            yield block[at:]
        at = max(0, at - len(block))


def _from_bucket(store: Any, path: str, at: int) -> _Opened:
    if at:  # a range that begins at the end is refused
        size = next(_told(lambda: iter([store.head(path)["size"]])))
        if at >= size:
            return _Opened(blocks=iter(()), size=size)
    found = next(_told(lambda: iter([store.get(path, options={"range": {"offset": at}} if at else None)])))
    blocks = _told(lambda: found.stream(min_chunk_size=1 << 20))
    return _Opened(blocks=(bytes(block) for block in blocks), size=found.meta["size"])


def _told(work: Callable[[], Iterable[Any]]) -> Iterator[Any]:
    """What obstore yields; its errors as those of the system, without what follows their first line."""
    from obstore.exceptions import BaseError, NotFoundError

    try:
        yield from work()
    except NotFoundError as error:
        raise FileNotFoundError("there is nothing there") from error
    except BaseError as error:
        raise OSError(str(error).split("\n")[0][:300]) from error


def _bucket(url: str) -> tuple[Any, str]:
    parts = urlsplit(url)
    return _store(parts.scheme, parts.netloc, parts.query), unquote(parts.path).strip("/")


@lru_cache(maxsize=8)
def _store(scheme: str, bucket: str, options: str) -> Any:
    """The store of a bucket; it is kept, for opening a connection costs more than a file."""
    if scheme == "s3":
        return _s3_store(parse_address(urlunsplit((scheme, bucket, "", options, ""))))
    try:
        from obstore.store import AzureStore, GCSStore
    except ImportError as error:
        raise UsageError(f"{scheme}://{bucket}: needs obstore: pip install 'winnow-text[s3]'") from error
    return GCSStore(bucket) if scheme == "gs" else AzureStore(bucket)


_OF_AWS = "https://s3.amazonaws.com"
_KEYS = (
    "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)  # fmt: skip
_METADATA = "169.254.169.254"  # where a machine of the cloud asks for its keys


def _s3_store(address: Address) -> Any:
    """A bucket is asked without a signature where there are no keys, and in its own region where none is named."""
    if not (address.region or address.endpoint_in_use() or _said("AWS_REGION") or _said("AWS_DEFAULT_REGION")):
        address = replace(address, region=_home_of(address.bucket))
    return open_store(address, skip_signature=True) if _is_without_keys(address) else open_store(address)


def _said(name: str) -> str:
    return os.environ.get(name, "")


def _is_without_keys(address: Address) -> bool:
    if any(map(_said, _KEYS)) or keys_of_profile():
        return False
    if _said("AWS_EC2_METADATA_DISABLED").lower() == "true":
        return True
    try:
        next(_told(lambda: iter([open_store(address, tries=1).head("-")])), None)
    except OSError as error:
        return _METADATA in str(error)
    return False


def _home_of(bucket: str) -> str | None:
    """The region of a bucket, which its store names to whoever asks; None where it cannot be asked."""
    request = urllib.request.Request(f"{_OF_AWS}/{bucket}", method="HEAD")
    try:
        headers = urllib.request.urlopen(request, timeout=_SECONDS).headers
    except urllib.error.HTTPError as error:
        headers = error.headers
    except (OSError, ValueError, http.client.HTTPException):
        return None
    region = headers.get("x-amz-bucket-region")
    return str(region) if region else None
