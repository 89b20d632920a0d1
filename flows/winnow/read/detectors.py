"""What other packages say of bytes: which multi-byte or wide encodings they may be in, or that they are no text.

A detector is a function; charsets of one byte a character are told apart by `winnow.read.letters`, whichever is used.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An encoding, by Python's name, and how sure a detector is of it, 0 to 1."""

    name: str
    confidence: float


Detector = Callable[[bytes], list[Candidate] | None]
"""Gives candidates, likeliest first, or None for a known binary format."""


def by_chardet(sample: bytes) -> list[Candidate] | None:
    """What chardet finds; no candidate is held back for its low confidence.

    >>> by_chardet("日本語です。これは日本語の文章です。".encode("shift_jis"))[0].name
    'cp932'
    """
    import chardet

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = chardet.detect_all(
            sample, encoding_era=chardet.EncodingEra.ALL, ignore_threshold=True, prefer_superset=False,
            compat_names=False,
        )  # fmt: skip
    named = [Candidate(name=str(f["encoding"]), confidence=float(f["confidence"])) for f in found if f["encoding"]]
    return named or None


def by_charset_normalizer(sample: bytes) -> list[Candidate] | None:
    """What charset-normalizer finds; it does not tell binary formats.

    >>> by_charset_normalizer("日本語です。これは日本語の文章です。".encode("shift_jis"))[0].name
    'cp932'
    """
    import charset_normalizer

    found = charset_normalizer.from_bytes(sample)
    return [Candidate(name=match.encoding, confidence=1 - match.chaos) for match in found]
