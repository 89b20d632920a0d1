"""Addresses: local paths, and URLs of other file systems. Credentials in them are never shown, kept or taken."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

from pydantic import Field

from winnow.base.errors import UsageError

_STORES = ("s3", "s3a", "s3n", "gs", "gcs")
"""Schemes whose authority is a bucket alone: whatever stands before an ``@`` or after a ``:`` is a credential."""
_SECRET_OPTIONS = (
    "secret", "passw", "pwd", "token", "signature", "credential", "accesskey", "apikey", "accountkey", "auth",
)  # fmt: skip
"""Parts of the names of options that hold a secret, without ``-`` and ``_``; `sig` and `key` are whole names."""


def _any_case(word: str) -> str:
    return "[-_]?".join(f"[{c}{c.upper()}]" for c in word)


_OPTION = "|".join(map(_any_case, _SECRET_OPTIONS))
PASSWORD = (
    rf"^({'|'.join(map(_any_case, _STORES))})://[^/?#]*[@:]"
    rf"|://[^/?#]*:[^/?#]*@|://[^/?#@\[]*:[0-9]*[^0-9/?#]"
    rf"|[?&#][^=&#]*({_OPTION})[^=&#]*=|[?&#]({_any_case('sig')}|{_any_case('key')})="
)
"""What `holds_credentials` says, as an expression for Prefect's forms, which know JSON Schema alone."""

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

    >>> redacted("s3://key:secret@bucket/a?endpoint_override=x"), redacted("s3://key:sec/ret@bucket/a")
    ('s3://bucket/a', 's3://bucket/a')
    """
    if not is_url(address):
        return address.encode("utf-8", "backslashreplace").decode()
    scheme, rest = address.split("://", 1)
    parts = _split(address)
    if parts is None or _in_authority(parts):  # the secret may hold slashes and signs of its own
        rest = rest.rpartition("@")[2] if "@" in rest else ""
        parts = _split(f"{scheme}://{rest}")
        if parts is None or _in_authority(parts):
            return f"{scheme.lower()}://"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def holds_credentials(address: str) -> bool:
    """Whether an address holds a password, a key or a token.

    >>> [holds_credentials(p) for p in ("s3://bucket/a", "s3://key:word@bucket/a", "s3://b/a?session_token=x", "a:b@c")]
    [False, True, True, False]
    """
    if not is_url(address):
        return False
    parts = _split(address)
    if parts is None or _in_authority(parts):
        return True
    options = [*parse_qsl(parts.query, True), *parse_qsl(parts.fragment, True)]
    names = (name.lower().replace("-", "").replace("_", "") for name, _ in options)
    return any(name in ("sig", "key") or any(part in name for part in _SECRET_OPTIONS) for name in names)


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:  # brackets that are no address of a host
        return None


def _in_authority(parts: SplitResult) -> bool:
    authority = unquote(parts.netloc)
    user, at, host = authority.rpartition("@")
    port = host.rpartition("]")[2].partition(":")[2]  # brackets hold an IPv6 address
    if parts.scheme in _STORES:
        return bool(at) or ":" in authority
    return ":" in user or bool(port and not port.isdigit())


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
