"""Addresses that hold a password: Prefect stores and shows the parameters of its runs, so none may be one."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from winnow.base.addresses import shown
from winnow.base.errors import UsageError

PASSWORD = r"://[^/?#]*:[^/?#]*@|[?&][^=&#]*(secret|passw|token|signature|credential|[?&]sig)[^=&#]*="
"""``user:password@``, or an option that says what it is. Read by Python and, in Prefect's forms, by JSON Schema."""

Address = Annotated[str, Field(json_schema_extra={"not": {"pattern": PASSWORD}})]
"""A path or address as a flow's parameter: Prefect's server refuses one with a password before it stores it."""


def holds_credentials(place: str) -> bool:
    """Whether an address holds a password or a token.

    >>> [holds_credentials(p) for p in ("s3://bucket/a", "s3://key:word@bucket/a", "s3://b/a?session_token=x", "a:b@c")]
    [False, True, True, False]
    """
    return "://" in place and re.search(PASSWORD, place, re.IGNORECASE) is not None


def refuse_credentials(*places: str | None) -> None:
    """Raise UsageError for an address that holds a password or a token.

    >>> refuse_credentials("s3://bucket/articles", None)
    """
    for place in places:
        if place and holds_credentials(place):
            raise UsageError(
                f"{shown(place)}: an address holds no credentials, for it is stored with the run; put them in the "
                "environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; FSSPEC_FTP_PASSWORD and the like)"
            )
