"""Renders the report: one HTML page that carries its styles, scripts and data, and asks nothing of any network."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import groupby, pairwise
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from winnow.base.records import Json
from winnow.report.report_data import LENGTHS, Link, Piece, Point, ReportData

SCRIPTS = ("d3.min.js", "d3-sankey.min.js", "plot.umd.min.js", "report.js")
SECTIONS = (
    ("flow", "Flow"), ("repairs", "Repairs"), ("removals", "Removals"), ("copies", "Copies"), ("shape", "Shape"),
    ("trend", "Over time"), ("rejects", "Rejects"), ("checks", "Checks"), ("documents", "Documents"),
    ("made", "Made with"),
)  # fmt: skip
SHOWN_BARS = 10


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the large numbers at the head of the page, and how it differs from the version before."""

    label: str
    value: str
    delta: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """A number of the trend: its label, its field in Point, and whether it is a count or a share."""

    label: str
    attribute: str
    format: str

    def of(self, point: Point) -> float | None:
        value: float | None = getattr(point, self.attribute)
        return value

    def text(self, value: float | None) -> str:
        return "–" if value is None else percent(value) if self.format == "share" else number(value)


METRICS = (
    Metric("Documents", "published", "count"), Metric("Mean length, characters", "mean_chars", "count"),
    Metric("Repairs a document", "repairs_per_document", "count"),
    Metric("Duplicates", "duplicate_share", "share"), Metric("Rejects", "reject_share", "share"),
    Metric("Markup left in new text", "residual_markup", "share"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Curve:
    """A metric over the versions: its last value, what a screen reader says of it, and ``(version, value)``."""

    label: str
    now: str
    aria: str
    points: tuple[tuple[int, float | None], ...]
    format: str


# C0 and C1 controls but tab and line feed, line separators, bidirectional embeddings, overrides and isolates,
# surrogates and non-characters.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_SPACES = {
    " ": "·",
    "\n": "↵",
    "\t": "→",
    "\u00a0": "⍽",
    "\u3000": "□",
    "\ufeff": "[BOM]",
    "\u200b": "[ZWSP]",
    "\u00ad": "[SHY]",
}


def render(report: ReportData) -> bytes:
    """The page as UTF-8. The same data gives the same bytes.

    Every text of the dataset is escaped by the template, or by `embedded` where scripts read it; the policy in the
    head lets only the scripts of this very page run, and lets nothing be loaded.
    """
    scripts = [asset(name) for name in SCRIPTS]
    outcomes = report.gate.get("results", ())
    return page_of(
        "report.html",
        scripts,
        r=report,
        sections=SECTIONS,
        lede=_lede(report),
        figures=_figures(report),
        labels={
            "documents": _flow_label("documents", report.documents_flow),
            "characters": _flow_label("characters", report.characters_flow),
        },
        outcomes=outcomes,
        held=sum(not o["passed"] for o in outcomes),
        unjudged=sum(not o["observed"] for o in outcomes),
        checked=[(t, list(rows)) for t, rows in groupby(report.gate.get("tables", ()), key=lambda c: c["table"])],
        bars=_bars,
        length_heads=_length_heads(),
        languages=[(name or "not told", n) for name, n in report.languages],
        metrics=curves_of(report.trend),
        trend_rows=_trend_rows(report.trend),
        list_note=_list_note(report),
        data=Markup(embedded(_data(report))),
    )  # fmt: skip


def policy(scripts: Iterable[str]) -> str:
    """A content security policy that runs exactly these inline scripts and allows no request at all."""
    hashes = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts)
    allowed = " ".join(f"'sha256-{h}'" for h in hashes) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def embedded(data: Any) -> str:
    """JSON that can stand in a script element: no text in it can end the element or a line.

    >>> embedded(["</script>", "a\\u2028b"])
    '["\\\\u003c/script\\\\u003e","a\\\\u2028b"]'
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


@lru_cache(maxsize=8)
def asset(name: str) -> str:
    """A file of the page."""
    return files("winnow.report").joinpath("assets", name).read_text(encoding="utf-8").strip()


def page_of(template: str, scripts: Sequence[str], **values: object) -> bytes:
    """A page as UTF-8, from one of the assets: every text is escaped, and only these inline scripts may run."""
    html = _environment().get_template(template).render(
        policy=policy(scripts), css=Markup(asset("report.css")), scripts=[Markup(s) for s in scripts], **values
    )  # fmt: skip
    return html.encode("utf-8", "replace")


def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(asset), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "shown": shown, "number": number, "words": words, "marks": marks, "line": line,
        "percent_of": percent_of, "percent": percent,
        "pretty": lambda v: json.dumps(v, indent=2, ensure_ascii=False, default=str),
    }  # fmt: skip
    return environment


def _lede(r: ReportData) -> str:
    read = r.n_published + r.n_duplicates + r.n_rejected
    start = f"Of {number(read)} documents read, {number(r.n_published)}"
    if read == r.n_published > 1:
        start = f"All {number(read)} documents read"
    sentences = [f"{start} {'is' if r.n_published == 1 else 'are'} published."]
    if r.n_duplicates or r.n_rejected:
        copies = f"{number(r.n_duplicates)} {'was' if r.n_duplicates == 1 else 'were'} removed as duplicates"
        waiting = f"{number(r.n_rejected)} {'waits' if r.n_rejected == 1 else 'wait'} as rejects"
        parts = [p for p, n in ((copies, r.n_duplicates), (waiting, r.n_rejected)) if n]
        sentences.append(f"{' and '.join(parts)}.")
    edits, removed = sum(t.count for t in r.repairs), sum(t.count for t in r.removals)
    if edits:
        sentences.append(
            f"{number(edits)} repairs undid damage; {number(r.n_repaired)} of the published documents needed one."
        )
    if removed:
        sentences.append(f"{number(removed)} passages were removed, each with its reason.")
    return " ".join(sentences)


def _figures(r: ReportData) -> tuple[Figure, ...]:
    before = next((p for p in r.trend if p.version == r.previous), None)
    delta = ""
    if before and before.published is not None:
        change = r.n_published - before.published
        delta = f"{change:+,} since version {before.version}".replace("-", "−") if change else "as before"
    return (
        Figure("documents", number(r.n_published), delta),
        Figure("characters", _short(r.n_chars)),
        Figure("repairs", _short(sum(t.count for t in r.repairs))),
        Figure("passages removed", _short(sum(t.count for t in r.removals))),
        Figure("duplicates", number(r.n_duplicates)),
        Figure("rejects", number(r.n_rejected)),
    )


def _short(n: int) -> str:
    for size, unit in ((10**9, "G"), (10**6, "M")):
        if n >= size:
            return f"{n / size:,.1f}{unit}"
    return number(n)


def _flow_label(what: str, links: Sequence[Link]) -> str:
    streams = "; ".join(f"{link.source} to {link.target}: {number(link.value)}" for link in links)
    return f"Flow of {what}. {streams}"


def _length_heads() -> list[str]:
    """Headings of the columns of `LanguageLengths.by_length`."""
    between = [f"{_short(low)} to {_short(high)}" for low, high in pairwise(LENGTHS)]
    return [f"below {_short(LENGTHS[0])}", *between, f"from {_short(LENGTHS[-1])}"]


def _bars(rows: Sequence[tuple[str, int]]) -> Markup:
    """A small bar chart as a description list; what does not fit is summed up in a last line."""
    if not rows:
        return Markup('<p class="empty">None.</p>')
    most = max(n for _, n in rows)
    parts = [
        Markup(
            '<dt><bdi>{}</bdi></dt><dd class="bar" aria-hidden="true"><i style="width:{}%"></i></dd>'
            '<dd class="n">{}</dd>'
        ).format(shown(name), percent_of(n, most), number(n))
        for name, n in rows[:SHOWN_BARS]
    ]
    if rest := rows[SHOWN_BARS:]:
        parts.append(
            Markup('<dt class="soft">{} more</dt><dd></dd><dd class="n soft">{}</dd>').format(
                number(len(rest)), number(sum(n for _, n in rest))
            )
        )
    return Markup('<dl class="bars">{}</dl>').format(Markup("").join(parts))


def curves_of(trend: Sequence[Point]) -> list[Curve]:
    """The metrics that any of the versions has."""
    curves = []
    for metric in METRICS:
        points = tuple((p.version, metric.of(p)) for p in trend)
        known = [(version, metric.text(value)) for version, value in points if value is not None]
        if known:
            said = ", ".join(f"version {version}: {text}" for version, text in known[-12:])
            curves.append(Curve(metric.label, known[-1][1], f"{metric.label}. {said}", points, metric.format))
    return curves


def _trend_rows(trend: Sequence[Point]) -> list[list[str]]:
    used = [m for m in METRICS if any(m.of(p) is not None for p in trend)]
    return [[f"v{p.version}", *(m.text(m.of(p)) for m in used)] for p in trend[-50:]]


def _list_note(r: ReportData) -> str:
    listed, sampled = len(r.documents), len(r.samples)
    which = (
        f"All {number(listed)} published documents."
        if listed >= r.n_published
        else f"The {number(listed)} documents with most repairs and removals of {number(r.n_published)}; "
        "the rest is in table documents."
    )
    return f"{which} {number(sampled)} of them, underlined, can be read here side by side." if sampled else which


def _data(r: ReportData) -> Json:
    sampled = {s.doc_id for s in r.samples}
    rows = sorted(r.documents, key=lambda d: d.doc_id not in sampled)  # stable: the rest stays in its order
    return {
        "documents_flow": [[shown(x.source), shown(x.target), x.value] for x in r.documents_flow],
        "characters_flow": [[shown(x.source), shown(x.target), x.value] for x in r.characters_flow],
        "lengths": r.lengths,
        "median": r.median_chars,
        "metrics": [{"points": c.points, "format": c.format} for c in curves_of(r.trend)],
        "list": [
            [d.doc_id, shown(d.title), shown(d.source), shown(d.language), d.n_chars, d.n_edits, d.n_removed]
            for d in rows
        ],
        "samples": {s.doc_id: {"pieces": [_piece(p) for p in s.pieces], "cut": s.cut} for s in r.samples},
    }


def _piece(piece: Piece) -> str | list[str]:
    if not piece.rules and not piece.removed:
        return shown(piece.clean)
    rules = ", ".join(words(rule) for rule in piece.rules)
    return [shown(piece.raw), shown(piece.clean), shown(rules), shown(words(piece.removed or ""))]


def shown(text: object) -> str:
    """The text with characters that no one can see, and that may do harm, written out.

    Direction marks that right-to-left scripts need (U+200E, U+200F) stay.

    >>> shown("a\\u202eb\\x00c\\n")
    'a[U+202E]b[U+0000]c\\n'
    """
    return _HIDDEN.sub(lambda m: f"[U+{ord(m[0]):04X}]", str(text))


def marks(text: str) -> str:
    """Makes white space visible where it is what changed; in other texts, only at the ends.

    >>> marks(" \\n"), marks("a b ")
    ('·↵', 'a b·')
    """
    core = text.strip("".join(_SPACES))
    start = text.index(core) if core else len(text)
    lead, tail = ("".join(_SPACES.get(c, c) for c in part) for part in (text[:start], text[start + len(core) :]))
    return f"{lead}{core}{tail}"


def line(text: str) -> str:
    """Line ends as a sign, so that the surroundings of a change stay on one line.

    >>> line("a\\n\\nb")
    'a↵↵b'
    """
    return text.replace("\n", "↵")


def words(name: str) -> str:
    """A rule's or reason's name as words.

    >>> words("split_words")
    'split words'
    """
    return name.replace("_", " ")


def number(value: float) -> str:
    """A count with thousands apart; a small fraction with two decimals.

    >>> number(1234567), number(3.14159), number(1234.5)
    ('1,234,567', '3.14', '1,234')
    """
    if float(value).is_integer() or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:,.2f}"


def percent(share: float) -> str:
    """A share as per cent.

    >>> percent(0.256), percent(0.00123), percent(0)
    ('25.6 %', '0.12 %', '0 %')
    """
    value = 100 * share
    return f"{value:.0f} %" if value in (0, 100) else f"{value:.1f} %" if value >= 1 else f"{value:.2g} %"


def percent_of(value: float, most: float) -> str:
    """Width of a bar.

    >>> percent_of(1, 3)
    '33.33'
    """
    return f"{100 * value / most:.2f}" if most else "0"
