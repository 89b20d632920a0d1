"""The address of a dataset on object storage, and where its working copy stands on this machine."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from winnow.base.addresses import redacted
from winnow.base.errors import UsageError

OPTIONS = ("endpoint_override", "region", "scheme")
"""What the address may say besides; the names are those that addresses of sources have (pyarrow's)."""


@dataclass(frozen=True, slots=True)
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
    """The address that `url` names.

    Raises UsageError for other schemes, for a missing bucket, and for credentials in it: Prefect keeps and shows the
    parameters of runs, so they belong in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE's own).

    >>> parse_address("s3://bucket/a/b/?region=eu-west-1").shown
    's3://bucket/a/b'
    """
    parts = urlsplit(url)
    if parts.scheme != "s3":
        raise UsageError(f"{redacted(url)}: a dataset stands in a folder or under s3://BUCKET/PREFIX")
    if "@" in parts.netloc:
        raise UsageError(
            f"{redacted(url)}: the address of a dataset holds no credentials, for it is kept and shown; put them in "
            "the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"
        )
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
    return Address(parts.netloc, prefix, endpoint, options.get("region"))


def cache_folder() -> Path:
    """Where working copies stand: WINNOW_CACHE, else ``~/.cache/winnow``."""
    named = os.environ.get("WINNOW_CACHE")
    return Path(named).expanduser() if named else Path.home() / ".cache" / "winnow"
