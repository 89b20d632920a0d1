"""The gold sets of damaged lines with known answers: how each is read, and what counts as right."""

from __future__ import annotations

import gzip
import html
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from repair_peers import ENCODING_MODE, ENTITIES_MODE, MARKUP_MODE, STANDARD_MODE, WHOLE_MODE
from repair_score import Score

ALL_PEERS = ("ftfy", "html.unescape", "BeautifulSoup", "tag regex")


@dataclass(frozen=True)
class Case:
    """One line with its answer; `row` is the gold row as it stands."""

    id: str
    input: str
    expected: str
    row: dict[str, Any] = field(default_factory=dict)


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _same(case: Case, got: str) -> bool:
    return got == case.expected


@dataclass(frozen=True)
class Measure:
    """One figure of a set: over which cases, what is fed, what is wanted."""

    name: str
    good: Callable[[Case, str], bool] = _same
    of: Callable[[Case], bool] = lambda case: True
    fed: Callable[[Case], str] = lambda case: case.input
    want: Callable[[Case], str] = lambda case: case.expected
    peer_mode: str = MARKUP_MODE
    peers: tuple[str, ...] = ALL_PEERS


@dataclass(frozen=True)
class GoldSet:
    name: str
    file: str
    measures: tuple[Measure, ...]
    expected: str = "expected"
    keep: Callable[[dict[str, Any]], bool] = lambda row: True

    def load(self, gold: Path, limit: int | None) -> list[Case]:
        return list(islice((self.case(r) for r in rows(gold / self.file) if self.keep(r)), limit))

    def case(self, row: dict[str, Any]) -> Case:
        return Case(row["id"], row["input"], row[self.expected], row)


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a JSON lines file, gzipped or not."""
    packed = path.suffix == ".gz"
    with gzip.open(path, "rt", encoding="utf-8") if packed else path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _split(name: str) -> Callable[[Case], bool]:
    return lambda case: case.row["split"] == name


def _unescaped(case: Case, got: str) -> bool:
    return html.unescape(got) == html.unescape(case.expected)


def _fed_expected(name: str, mode: str) -> Measure:
    return Measure(name, lambda c, got: got == c.expected, fed=lambda c: c.expected, peer_mode=mode, peers=("ftfy",))


_HARMLESS = ("false-positives.js", "nothing-to-fix.js")

SETS = (
    GoldSet(
        "ftfy_cases",
        "mojibake/ftfy_cases.jsonl",
        (
            Measure("encoding rules, exact", peer_mode=ENCODING_MODE, peers=("ftfy",)),
            Measure(
                "encoding rules, negatives unchanged",
                of=_split("negative"),
                peer_mode=ENCODING_MODE,
                peers=("ftfy",),
            ),
            Measure(
                "encoding rules, known failures of ftfy",
                of=_split("known-failures"),
                peer_mode=ENCODING_MODE,
                peers=("ftfy",),
            ),
            Measure("all rules, exact", peer_mode=WHOLE_MODE, peers=("ftfy",)),
            Measure("all rules, negatives unchanged", of=_split("negative"), peer_mode=WHOLE_MODE, peers=("ftfy",)),
        ),
        expected="expected_encoding_only",
    ),
    GoldSet(
        "commit_fixes",
        "mojibake/commit_fixes.jsonl",
        (
            Measure("encoding rules, exact", peer_mode=ENCODING_MODE, peers=("ftfy",)),
            _fed_expected("encoding rules, expected unchanged", ENCODING_MODE),
            Measure("all rules, exact", peer_mode=WHOLE_MODE, peers=("ftfy",)),
            _fed_expected("all rules, expected unchanged", WHOLE_MODE),
        ),
    ),
    GoldSet(
        "dirty_tags",
        "markup/dirty_tags.jsonl",
        (
            Measure(
                "default options, white space collapsed",
                lambda c, got: _squeezed(got) == _squeezed(c.expected),
            ),
        ),
        keep=lambda row: bool(row["default_opts"]),
    ),
    GoldSet(
        "broken_entities",
        "markup/broken_entities.jsonl",
        (
            # The rows between both figures hold no-break spaces or carriage returns at line ends, which tidying takes
            # off, or tags that go; the expected texts keep them.
            Measure("unescaped text equal, entities alone", _unescaped, peer_mode=ENTITIES_MODE),
            Measure("unescaped text equal", _unescaped),
            Measure("harmless ones unchanged", _unescaped, of=lambda c: c.row["file"] in _HARMLESS),
        ),
    ),
    GoldSet(
        "double_escaping_fixes",
        "markup/double_escaping_fixes.jsonl",
        (
            Measure("unescaped text equal, entities alone", _unescaped, peer_mode=ENTITIES_MODE),
            Measure("unescaped text equal", _unescaped),
        ),
    ),
    GoldSet(
        "html5_tokenizer",
        "markup/html5_tokenizer.jsonl.gz",
        (
            Measure("text only, exact, no tidying", peer_mode=STANDARD_MODE),
            Measure("text only, exact, all rules"),
        ),
        expected="expected_text",
        keep=lambda row: row["kind"] == "text_only",
    ),
)

__all__ = ["SETS", "Case", "GoldSet", "Measure", "Score", "rows"]
