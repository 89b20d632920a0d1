"""Addresses: local paths, and URLs of other file systems. Credentials in them are never shown, kept or taken."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field

from winnow.base.errors import UsageError

PASSWORD = r"://[^/?#]*:[^/?#]*@|[?&][^=&#]*(secret|passw|token|signature|credential|[?&]sig)[^=&#]*="
"""``user:password@``, or an option that says what it is. Read by Python and, in Prefect's forms, by JSON Schema."""

Address = Annotated[str, Field(json_schema_extra={"not": {"pattern": PASSWORD}})]
"""A path or address as a flow's parameter. Prefect's server stores and shows parameters, and refuses one with a
password before it does."""


def is_url(address: str) -> bool:
    """Whether `address` names a file system by URL.

    >>> is_url("s3://bucket/a"), is_url("C:/a"), is_url("a:b")
    (True, False, False)
    """
    return "://" in address and address.split("://", 1)[0].replace("+", "").isalnum()


def redacted(address: str) -> str:
    """A path or URL fit for messages: without user, password and options.

    >>> redacted("s3://key:secret@bucket/a?endpoint_override=x")
    's3://bucket/a'
    """
    if not is_url(address):
        return address.encode("utf-8", "backslashreplace").decode()
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def holds_credentials(address: str) -> bool:
    """Whether an address holds a password or a token.

    >>> [holds_credentials(p) for p in ("s3://bucket/a", "s3://key:word@bucket/a", "s3://b/a?session_token=x", "a:b@c")]
    [False, True, True, False]
    """
    return "://" in address and re.search(PASSWORD, address, re.IGNORECASE) is not None


def refuse_credentials(*addresses: str | None) -> None:
    """Raise UsageError for an address that holds a password or a token.

    >>> refuse_credentials("s3://bucket/articles", None)
    """
    for address in addresses:
        if address and holds_credentials(address):
            raise UsageError(
                f"{redacted(address)}: an address holds no credentials, for it is stored with the run; put them "
                "in the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; FSSPEC_FTP_PASSWORD and the like)"
            )
