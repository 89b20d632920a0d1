"""Credentials in addresses, in all the forms people write them: refused, and shown nowhere."""

from __future__ import annotations

import re

import pytest

from winnow.base.addresses import PASSWORD, holds_credentials, redacted

SECRET = "wJalrXUtnFEMI"
WITH = [
    f"s3://AKIA123:{SECRET}@bucket/a",
    f"s3://{SECRET}@bucket/a",
    f"s3://AKIA123:{SECRET}/K7MDENG/bPxR@bucket/a",
    f"s3://AKIA123:7{SECRET}/K7MDENG@bucket/a",
    f"s3://AKIA123:/{SECRET}@bucket/a",
    f"S3://AKIA123:{SECRET}@bucket/a",
    f"gs://{SECRET}@bucket/a",
    f"s3://bucket/a?access_key={SECRET}",
    f"s3://bucket/a?region=x&secret_key={SECRET}",
    f"s3://bucket/a?session-token={SECRET}",
    f"https://host/a?X-Amz-Signature={SECRET}",
    f"https://host/a?sv=1&sig={SECRET}",
    f"https://host/a?api_key={SECRET}",
    f"https://host/a#token={SECRET}",
    f"https://user:{SECRET}@host/a",
    f"ftp://user:{SECRET}@host/a",
    f"ftp://user:{SECRET}/x@host/a",
    f"tcp://user:{SECRET}@127.0.0.1:8786",
]
WITHOUT = [
    "s3://bucket/a",
    "s3://bucket/mail@example/a:b",
    "s3://bucket/a?endpoint_override=127.0.0.1:9000&scheme=http&region=eu-west-1",
    "abfs://container@account.dfs.core.windows.net/a",
    "sftp://user@host/a",
    "https://host:8080/@user/a",
    "tcp://127.0.0.1:8786",
    "tcp://[::1]:8786",
    "C:/a:b@c",
    "folder/a:b@c?token=x",
]


@pytest.mark.parametrize("address", WITH)
def test_an_address_with_a_secret_is_told_and_shown_without_it(address: str) -> None:
    assert holds_credentials(address)
    assert SECRET not in redacted(address)
    assert "AKIA123" not in redacted(address)
    assert re.search(PASSWORD, address), "Prefect's form lets it pass"


@pytest.mark.parametrize("address", WITHOUT)
def test_an_address_without_a_secret_is_taken(address: str) -> None:
    assert not holds_credentials(address)
    assert not address.startswith(("s3", "tcp")) or not re.search(PASSWORD, address)
