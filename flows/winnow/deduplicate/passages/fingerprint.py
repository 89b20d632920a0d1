"""The fingerprint of a passage: 128 bits of XXH3 over its normalised key."""

from __future__ import annotations

import xxhash

from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.passages.folding import key_of


def fingerprint(text: str, settings: DeduplicateSettings) -> bytes:
    """16 bytes that are alike for passages that differ in case, spacing and punctuation only.

    A passage of punctuation alone has no key; its raw text is hashed instead, so that ``***`` is not ``---``.
    XXH3-128: https://github.com/Cyan4973/xxHash.

    >>> s = DeduplicateSettings()
    >>> fingerprint("Don’t panic!", s) == fingerprint("don't  PANIC", s)
    True
    >>> fingerprint("Он ушёл.", s) == fingerprint("Она пришла.", s), fingerprint("***", s) == fingerprint("---", s)
    (False, False)
    """
    return fingerprint_of_key(key_of(text, settings.fold_digits), text)


def fingerprint_of_key(key: bytes, text: str) -> bytes:
    """The fingerprint where the key is at hand; `text` is hashed where the key is empty."""
    return xxhash.xxh3_128_digest(key or b"\0" + text.encode("utf-8", "surrogatepass"))


def hash_of(data: bytes | memoryview) -> bytes:
    """16 bytes of a text as it is, in UTF-8, for exact copies of whole documents."""
    return xxhash.xxh3_128_digest(data)
