"""What people judged of a version's repairs and removals: kept beside it, and how often each rule is right."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.dataset as pads
from pydantic import TypeAdapter, ValidationError

from winnow.base.errors import UsageError
from winnow.base.files import arrow_dataset
from winnow.base.records import DUPLICATE_DOCUMENT
from winnow.base.staging import write_file
from winnow.publish.dataset import Dataset

Z = 1.959963984540054  # 95 % of a normal distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a person says of one repair or removal; ``at`` as `winnow.report.review.Item` has it. No text."""

    version: int
    run_id: str
    kind: Literal["repair", "removal"]
    rule: str
    doc_id: str
    at: str
    verdict: Literal["right", "wrong", "unsure"]

    @property
    def subject(self) -> tuple[str, str, str, str]:
        return self.kind, self.rule, self.doc_id, self.at


_VERDICT = TypeAdapter(Verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """How often a rule is right among what was judged, with the bounds of Wilson's interval at 95 %.

    None where everything is unsure.
    """

    kind: str
    rule: str
    right: int
    wrong: int
    unsure: int
    precision: float | None
    low: float | None
    high: float | None


def wilson(right: int, judged: int) -> tuple[float, float]:
    """The bounds of a share (Wilson 1927): also honest where few were judged, or all are right.

    >>> [round(bound, 3) for bound in wilson(9, 10)], [round(bound, 3) for bound in wilson(10, 10)]
    ([0.596, 0.982], [0.722, 1.0])
    """
    share, square = right / judged, Z * Z
    middle = (share + square / (2 * judged)) / (1 + square / judged)
    half = Z / (1 + square / judged) * math.sqrt(share * (1 - share) / judged + square / (4 * judged * judged))
    return max(0.0, middle - half), min(1.0, middle + half)


def precision_of(verdicts: Iterable[Verdict]) -> list[Precision]:
    """Returns the precision of each rule, the worst first; rules of which nothing is sure come last."""
    counts: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(("right", "wrong", "unsure"), 0))
    for one in verdicts:
        counts[one.kind, one.rule][one.verdict] += 1
    found = []
    for (kind, rule), said in counts.items():
        judged = said["right"] + said["wrong"]
        low, high = wilson(said["right"], judged) if judged else (None, None)
        share = said["right"] / judged if judged else None
        found.append(Precision(kind=kind, rule=rule, **said, precision=share, low=low, high=high))
    return sorted(found, key=lambda p: (p.precision is None, p.precision or 0.0, p.kind, p.rule))


def read_verdicts(path: Path) -> list[Verdict]:
    """Reads what the page saved. Raises UsageError naming the line that is no verdict."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    verdicts = []
    for number, line in enumerate(lines, 1):
        try:
            verdicts.append(_VERDICT.validate_python(json.loads(line)))
        except (ValueError, ValidationError) as error:
            why = str(error).splitlines()[0]
            raise UsageError(
                f"{path}: line {number} is no verdict ({why}); save the page of winnow review again"
            ) from error
    if len({v.version for v in verdicts}) != 1:
        raise UsageError(f"{path}: holds verdicts on {'no version' if not verdicts else 'several versions'}")
    return verdicts


def review_path(dataset: Dataset, version: int) -> Path:
    return dataset.root / "reviews" / f"v{version}.jsonl"


def kept_verdicts(dataset: Dataset, version: int) -> list[Verdict]:
    """Returns what was judged of a version so far."""
    path = review_path(dataset, version)
    return read_verdicts(path) if path.is_file() else []


def keep_verdicts(dataset: Dataset, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Adds verdicts to those of their version and returns all; a later one on the same thing counts.

    Call it as the dataset's only writer. Raises UsageError where the version is another, or has no such repair.
    """
    number = verdicts[0].version
    manifest = dataset.manifest(number)
    if strange := [v for v in verdicts if v.run_id != manifest.run_id]:
        raise UsageError(f"{dataset.name}: v{number} was made by run {manifest.run_id}, not by {strange[0].run_id}")
    known = _subjects(dataset, number, verdicts)
    if unknown := [v for v in verdicts if v.subject not in known]:
        what = f"{unknown[0].kind} {unknown[0].rule} at {unknown[0].at or 'all'} of {unknown[0].doc_id}"
        raise UsageError(f"{dataset.name}: v{number} has no {what}, nor {len(unknown) - 1} others of the file")
    merged = {v.subject: v for v in (*kept_verdicts(dataset, number), *verdicts)}
    lines = "".join(json.dumps(asdict(merged[s])) + "\n" for s in sorted(merged))
    write_file(review_path(dataset, number), lines.encode())
    return list(merged.values())


def _subjects(dataset: Dataset, version: int, verdicts: Sequence[Verdict]) -> set[tuple[str, str, str, str]]:
    """What a version has to judge in the documents that the verdicts are about."""
    among = pads.field("doc_id").isin(pa.array(sorted({v.doc_id for v in verdicts}), pa.string()))

    def rows(table: str, *columns: str) -> Iterable[tuple[object, ...]]:
        found = arrow_dataset(dataset.files(table, version)).to_table(columns=list(columns), filter=among)
        return zip(*(found[c].to_pylist() for c in columns), strict=True)

    edits = {("repair", str(rule), str(i), str(seq)) for i, rule, seq in rows("edits", "doc_id", "rule", "seq")}
    passages = rows("passages", "doc_id", "reason", "position", "part")
    removed = {("removal", str(why), str(i), f"{at}.{part}") for i, why, at, part in passages if why}
    copies = {("removal", DUPLICATE_DOCUMENT, str(i), "") for (i,) in rows("duplicates", "doc_id")}
    return edits | removed | copies
