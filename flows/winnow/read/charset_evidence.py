"""What speaks for a charset: what its text costs, what detectors propose, and what headers and pages say."""

from __future__ import annotations

import codecs
import re
from math import log

from winnow.read.charset_names import codec_named, kin
from winnow.read.detectors import Candidate, Detector, by_chardet
from winnow.read.letters import by_cost, multi_byte_cost

SAMPLE_BYTES = 200_000  # what detection looks at; more changes no answer and costs 10 ms per 200 kB
_HIGH = re.compile(rb"[\x80-\xff]")  # one class, so `re` cannot backtrack
_BEYOND = re.compile(r"[^\x00-\x7f]")
_BESIDE_LETTER = re.compile(r"(?<=[a-z])[^\x00-\x7f]|[^\x00-\x7f](?=[a-z])")
DECLARED_GAIN = 14.0  # a declared one-byte charset is wrong about once in a million letters' worth of doubt
_BELIED = 0.75  # share of the cost in what a header says, below which text is in another charset
_BELIED_BYTES = 0.9  # of one whose bytes fit two by two
_DECLARED = re.compile(
    rb"""<meta\b[^>]{0,200}?charset\s*=\s*["']?\s*([\w:.-]{2,30})|<\?xml\b[^>]{0,100}?encoding\s*=\s*["']([\w:.-]{2,30})""",
    re.I,
)
_DECLARED_WITHIN = 4096  # bytes of a page; browsers look at 1024
_IN_DAILY_USE = ("gb18030", "big5", "euc_jp", "cp932", "cp949")
_UNPROPOSED = 10.0  # of a multi-byte charset that a detector does not name
WIDE = ("utf-16", "utf-32", "utf_16", "utf_32", "utf-7", "iso2022", "hz")
EBCDIC = ("cp037", "cp273", "cp424", "cp500", "cp875", "cp1026", "cp1140")


def sample_of(content: bytes) -> bytes:
    """Up to SAMPLE_BYTES from the line with the first byte beyond ASCII: what detection can learn from."""
    if len(content) <= SAMPLE_BYTES:
        return content
    first = _HIGH.search(content)
    start = content.rfind(b"\n", 0, first.start()) + 1 if first else 0
    start = max(start, (first.start() if first else 0) - SAMPLE_BYTES // 2)
    start -= start % 4  # UTF-16 and UTF-32 stay in step
    return content[start : start + SAMPLE_BYTES]


def ranked_candidates(sample: bytes, detector: Detector = by_chardet, declared: str = "") -> list[str]:
    """Python codec names, best first; empty where the bytes are a known binary format.

    >>> ranked_candidates("Она сказала, что придёт завтра вечером.".encode("koi8-r"))[0]
    'koi8-r'
    """
    found = proposals(sample, detector)
    if found is None:
        return []
    if found and is_structural(found[0], sample):
        return [name for candidate in found for name in (*kin(candidate.name).older, candidate.name)]
    costs = costs_of(sample, found, declared)
    ranked = [name for _, name in sorted(costs, key=lambda c: c[0])]  # stable: the commoner of equals
    return ranked or [candidate.name for candidate in found] or ["cp1252"]


def proposals(sample: bytes, detector: Detector) -> list[Candidate] | None:
    """What a detector finds where no page says what it is in, for it would look no further."""
    return detector(_DECLARED.sub(lambda said: said[0].replace(said[1] or said[2], b"?"), sample))


def costs_of(sample: bytes, found: list[Candidate], declared: str) -> list[tuple[float, str]]:
    """What each reading of the bytes costs, in all one-byte charsets and in the multi-byte ones that were found."""
    costs = [(value - DECLARED_GAIN * is_declared(name, declared), name) for value, name in by_cost(sample)]
    double = [c for c in found if kin(codec_named(c.name)).is_multi_byte and c.confidence > 0]
    surest = max((c.confidence for c in double), default=1.0)
    doubts = {
        name: log(surest / candidate.confidence)
        for candidate in reversed(double)
        for name in (*kin(candidate.name).older, candidate.name)
    }
    for name, doubt in (dict.fromkeys(_IN_DAILY_USE, _UNPROPOSED) | doubts).items():
        value = multi_byte_cost(sample, name)
        if value is not None:
            costs.append((value + doubt - DECLARED_GAIN * is_declared(name, declared), name))
    return costs


def is_declared(name: str, declared: str) -> bool:
    return bool(declared) and (codecs.lookup(name).name == declared or (name == "cp1252" and declared == "iso8859-1"))


def is_structural(best: Candidate, sample: bytes) -> bool:
    """Whether a detector found what letters cannot tell: zeros, escape sequences, spaces that are no ASCII."""
    if best.name.startswith(EBCDIC):
        return sample.count(0x40) > 2 * sample.count(0x20)
    return best.name.startswith(WIDE) and best.confidence > 0.5


def is_inside_words(text: str, content: bytes, name: str) -> bool:
    """Whether what a multi-byte charset reads are signs of English words, as of a page that was made in China.

    >>> is_inside_words("We抣l see", "We’ll see".encode("cp1252"), "gbk")
    True
    """
    text = text[:SAMPLE_BYTES]
    if 2 * len(_BESIDE_LETTER.findall(text)) <= len(_BEYOND.findall(text)):
        return False
    sample = sample_of(content)
    cost = multi_byte_cost(sample, name)
    return cost is None or any(value < cost for value, _ in by_cost(sample))


def is_belied(declared: str, content: bytes, in_page: str, detector: Detector) -> bool:
    """Whether bytes are far likelier in another charset than a header says, as where a server names one for all pages.

    A page that names another one itself needs no more than to be likelier so.
    """
    sample = sample_of(content)
    costs = costs_of(sample, proposals(sample, detector) or [], "")
    said = min((value for value, name in costs if codecs.lookup(name).name == declared), default=None)
    if said is None and kin(declared).is_multi_byte:
        said = multi_byte_cost(sample, declared)
    if said is None:
        return False
    likeliest = min(costs)[0]
    if in_page and in_page != declared and kin(in_page).means != declared:
        return likeliest < said
    return likeliest < said * (_BELIED_BYTES if kin(declared).is_multi_byte else _BELIED) - DECLARED_GAIN


def declared_in_page(content: bytes) -> str:
    """Python's name of the charset that a page says it is in; empty where it says none that is known."""
    found = _DECLARED.search(content, 0, _DECLARED_WITHIN)
    return codec_named((found[1] or found[2]).decode()) if found else ""
