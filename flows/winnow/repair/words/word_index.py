"""Which languages know a word: one table of the lists of all languages, in a file that processes share.

As sets of Python the lists take half a second and 110 MB in each process. The table is made once, in a second or two,
kept in the user's cache under the checksums of the lists, and mapped into memory by each process that asks.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import re
import zlib
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from xxhash import xxh3_64_intdigest

from winnow.base.environment import cache_folder
from winnow.repair.words.frequencies import LATIN_LISTS, list_path, word_costs

# Costs in centibels.
KNOWN = 599  # once in a million words
COMMON = 452  # 3 times in 100,000

LANGUAGES = (*LATIN_LISTS, "ru", "uk", "bg", "mk", "el", "he", "ar", "fa")
"""Those that have a list here; each has a bit in what `known_to` and `common_to` give."""

CHARACTERS = ("zh", "ja", "ko")
N_CHARACTERS = 1_500  # cover .97 of Chinese, .99 of Japanese and Korean
_CJK = re.compile("[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")

_BITS = {language: 1 << n for n, language in enumerate(LANGUAGES)}
_FORMAT = b"winnow words 1\n\0"
_HEAD = len(_FORMAT) + 16  # the number of words and the checksum of what follows come next


@dataclass(frozen=True, slots=True)
class WordIndex:
    """Fingerprints of words in ascending order (64 bits: no two of a million are alike), and bits of languages."""

    fingerprints: memoryview
    known: memoryview
    common: memoryview
    characters: tuple[str, ...]
    """The commonest characters of each of `CHARACTERS`."""

    def find(self, word: str) -> int | None:
        """The place of a word; None where no list has it."""
        wanted = _fingerprint(word)
        at = bisect_left(self.fingerprints, wanted)
        return at if at < len(self.fingerprints) and self.fingerprints[at] == wanted else None


def _fingerprint(word: str) -> int:
    return xxh3_64_intdigest(word.encode("utf-8", "surrogatepass"))


def bits(*languages: str) -> int:
    """The bits of some languages together."""
    return sum(_BITS[language] for language in languages)


LATIN = bits(*LATIN_LISTS)
"""The bits of the languages in Latin letters."""


@lru_cache(maxsize=1 << 16)
def known_to(word: str) -> int:
    """The bits of the languages whose lists have a word in small letters, once in a million words or more often.

    >>> known_to("mädchen") & bits("de") > 0, known_to("mädchen") & bits("en", "ru"), known_to("mädhcen")
    (True, 0, 0)
    """
    index = _index()
    at = index.find(word)
    return 0 if at is None else int(index.known[at])


@lru_cache(maxsize=1 << 16)
def common_to(word: str) -> int:
    """The same of those in which it is common, three times in 100,000 words or more often."""
    index = _index()
    at = index.find(word)
    return 0 if at is None else int(index.common[at])


@cache
def common_characters(language: str) -> frozenset[str]:
    """The commonest characters of Chinese, Japanese or Korean, by the words they stand in.

    >>> "我" in common_characters("zh"), "鎴" in common_characters("zh")
    (True, False)
    """
    return frozenset(_index().characters[CHARACTERS.index(language)])


@cache
def _index() -> WordIndex:
    """The table from the cache, made there first; without a cache that can be written, one of this process's own."""
    checksum = zlib.crc32(b"".join(_end_of(list_path(language)) for language in LANGUAGES + CHARACTERS))
    with contextlib.suppress(OSError, RuntimeError):
        return kept_index(cache_folder() / f"words-{checksum:08x}.bin")
    return opened(memoryview(_made()))


def _end_of(path: Path) -> bytes:
    """The last eight bytes of a gzip file: checksum and size of what it holds (RFC 1952)."""
    with path.open("rb") as file:
        file.seek(-8, os.SEEK_END)
        return file.read()


def kept_index(path: Path) -> WordIndex:
    """The table of a file, which is made where it is not there or is damaged. Raises OSError where it cannot be."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        return _mapped(path)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.with_suffix(".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one makes it, the others wait; the kernel lets it go with the process
        with contextlib.suppress(FileNotFoundError, ValueError):
            return _mapped(path)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            beside.write_bytes(_made())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    return _mapped(path)


def _mapped(path: Path) -> WordIndex:
    with path.open("rb") as file:
        return opened(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))


def opened(content: memoryview) -> WordIndex:
    """The table that a file holds. Raises ValueError where it is cut off or damaged."""
    body = content[_HEAD:]
    size, checksum = content[len(_FORMAT) : _HEAD].cast("Q") if body else (0, 0)
    if not body or content[: len(_FORMAT)] != _FORMAT or len(body) < 16 * size or zlib.crc32(body) != checksum:
        raise ValueError("is no table of words")
    known, common = body[8 * size : 12 * size].cast("I"), body[12 * size : 16 * size].cast("I")
    return WordIndex(body[: 8 * size].cast("Q"), known, common, tuple(str(body[16 * size :], "utf-8").split("\n")))


def _made() -> bytes:
    import numpy as np  # once for all processes

    parts = []
    for language, bit in _BITS.items():
        costs = word_costs(language, KNOWN)
        fingerprints = np.fromiter(map(_fingerprint, costs), np.uint64, len(costs))
        common = np.fromiter((cost <= COMMON for cost in costs.values()), np.uint32, len(costs))
        parts.append((fingerprints, np.full(len(costs), bit, np.uint32), common * np.uint32(bit)))
    every, known, common = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(every)
    every, known, common = every[order], known[order], common[order]
    first = np.flatnonzero(np.concatenate(([True], every[1:] != every[:-1])))
    body = b"".join(
        column.tobytes()
        for column in (every[first], np.bitwise_or.reduceat(known, first), np.bitwise_or.reduceat(common, first))
    )
    body += "\n".join(map(_commonest, CHARACTERS)).encode()
    return _FORMAT + np.array([len(first), zlib.crc32(body)], np.uint64).tobytes() + body


def _commonest(language: str) -> str:
    counts: Counter[str] = Counter()
    for word, cost in word_costs(language).items():
        for char in word:
            counts[char] += int(10 ** (8 - cost / 100))
    return "".join([char for char, _ in counts.most_common() if _CJK.match(char)][:N_CHARACTERS])
