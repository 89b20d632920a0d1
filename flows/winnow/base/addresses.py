"""Addresses: local paths, and URLs of other file systems. Credentials in them are never shown."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def is_url(place: str) -> bool:
    """Whether `place` names a file system by URL.

    >>> is_url("s3://bucket/a"), is_url("C:/a"), is_url("a:b")
    (True, False, False)
    """
    return "://" in place and place.split("://", 1)[0].replace("+", "").isalnum()


def shown(place: str) -> str:
    """A path or URL fit for messages: without user, password and options.

    >>> shown("s3://key:secret@bucket/a?endpoint_override=x")
    's3://bucket/a'
    """
    if not is_url(place):
        return place.encode("utf-8", "backslashreplace").decode()
    parts = urlsplit(place)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
