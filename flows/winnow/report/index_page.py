"""The page over all versions: their numbers, how these went over time, and a way to each version's report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from html import unescape
from itertools import groupby

from pydantic import TypeAdapter

from winnow.report.page import Curve, curves_of, number, page_of
from winnow.report.report_data import Point

MOST_VERSIONS = 100  # shown, the latest; a page of some 30 kB
_WIDTH, _HEIGHT, _MARGIN = 300, 60, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionLine:
    """A version as its row tells it; `report` is the address of its report, None where it has none."""

    version: int
    created_at: datetime
    n_published: int
    n_duplicates: int
    n_rejected: int
    n_erased: int
    note: str | None
    report: str | None
    point: Point


_LINE = TypeAdapter(VersionLine)
_FIELDS, _POINT = ([f.name for f in fields(kind)] for kind in (VersionLine, Point))


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through the values of versions in a row that have one; a dot where it is one alone."""

    path: str
    dots: bool


@dataclass(frozen=True, slots=True)
class Spark:
    """A small chart of a metric."""

    label: str
    now: str
    aria: str
    runs: tuple[Stroke, ...]


def render_index(name: str, lines: Sequence[VersionLine], n_versions: int) -> bytes:
    """The page as UTF-8, given the latest versions, oldest first, and how many there are. It runs no script."""
    latest = lines[-1]
    are = "is" if latest.n_published == 1 else "are"
    documents = "document" if latest.n_published == 1 else "documents"
    return page_of(
        "index.html",
        (),
        name=name,
        lede=f"Version {latest.version} is the latest: {number(latest.n_published)} {documents} {are} published.",
        aside=f"The last {len(lines)} of {n_versions}." if len(lines) < n_versions else "The newest first.",
        lines=lines,
        data=json.dumps([_values(line) for line in lines], ensure_ascii=False, separators=(",", ":")),
        curves=[_spark(curve) for curve in curves_of([line.point for line in lines])],
    )


def lines_of(page: bytes) -> list[VersionLine]:
    """Returns the lines of a page that `render_index` made, to draw it anew with another one; else none."""
    data = page.partition(b'data-lines="')[2].partition(b'"')[0].decode(errors="replace")
    try:
        return [
            _LINE.validate_python(dict(zip(_FIELDS, [*values, dict(zip(_POINT, point, strict=True))], strict=True)))
            for *values, point in json.loads(unescape(data))
        ]
    except (ValueError, TypeError):
        return []


def _values(line: VersionLine) -> list[object]:
    """What a line says, without names, for there are many lines."""
    *values, point = asdict(line).values()
    return [v.isoformat() if isinstance(v, datetime) else v for v in values] + [list(point.values())]


def _spark(curve: Curve) -> Spark:
    return Spark(curve.label, curve.now, curve.aria, tuple(strokes([value for _, value in curve.points])))


def strokes(values: Sequence[float | None]) -> list[Stroke]:
    """Paths through values at equal distances, broken where there is none; the scale begins at 0.

    >>> strokes([0.0, 1.0, None, 1.0])
    [Stroke(path='M4.0 56.0 L101.3 4.0', dots=False), Stroke(path='M296.0 4.0 h.01', dots=True)]
    """
    top = max((v for v in values if v is not None), default=0) or 1
    step = (_WIDTH - 2 * _MARGIN) / max(len(values) - 1, 1)
    places = [
        None if v is None else f"{_MARGIN + n * step:.1f} {_HEIGHT - _MARGIN - v / top * (_HEIGHT - 2 * _MARGIN):.1f}"
        for n, v in enumerate(values)
    ]
    runs = [[p for p in run if p] for there, run in groupby(places, key=bool) if there]
    return [Stroke(f"M{run[0]} h.01" if len(run) == 1 else "M" + " L".join(run), len(run) == 1) for run in runs]
