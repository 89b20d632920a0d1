"""Renders the report: one HTML page that carries its styles, scripts and data, and asks nothing of any network."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.resources import files
from itertools import groupby
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from winnow.report.data import Piece, Point, ReportData
from winnow.report.visible import line, marks, number, percent, percent_of, shown, words

SCRIPTS = ("d3.min.js", "d3-sankey.min.js", "plot.umd.min.js", "report.js")
SECTIONS = (
    ("flow", "Flow"), ("repairs", "Repairs"), ("removals", "Removals"), ("shape", "Shape"), ("trend", "Over time"),
    ("rejects", "Quarantine"), ("checks", "Checks"), ("documents", "Documents"), ("made", "Made with"),
)  # fmt: skip
METRICS = (
    ("Documents", "published", "count"), ("Mean length, characters", "mean_chars", "count"),
    ("Repairs a document", "repairs_per_document", "count"), ("Left out as copies", "duplicate_share", "share"),
    ("Rejected", "reject_share", "share"), ("Markup left in new text", "residual_markup", "share"),
)  # fmt: skip
SHOWN_BARS = 10


def render(report: ReportData) -> bytes:
    """The page as UTF-8. The same data gives the same bytes.

    Every text of the dataset is escaped by the template, or by `embedded` where scripts read it; the policy in the
    head lets only the scripts of this very page run, and lets nothing be loaded.
    """
    scripts = [_asset(name) for name in SCRIPTS]
    outcomes = report.gate.get("results", ())
    html = _environment().from_string(_asset("report.html")).render(
        r=report,
        policy=policy(scripts),
        css=Markup(_asset("report.css")),
        scripts=[Markup(s) for s in scripts],
        sections=SECTIONS,
        lede=_lede(report),
        figures=_figures(report),
        labels=_labels(report),
        outcomes=outcomes,
        held=sum(not o["passed"] for o in outcomes),
        checked=[(t, list(rows)) for t, rows in groupby(report.gate.get("tables", ()), key=lambda c: c["table"])],
        bars=_bars,
        languages=[(name or "not told", n) for name, n in report.languages],
        sites=[(name or "files of the input folder", n) for name, n in report.sites],
        metrics=_metrics(report.trend),
        trend_rows=_trend_rows(report.trend),
        list_note=_list_note(report),
        data=Markup(embedded(_data(report))),
    )  # fmt: skip
    return html.encode("utf-8", "replace")


def policy(scripts: Iterable[str]) -> str:
    """A content security policy that runs exactly these inline scripts and allows no request at all."""
    hashes = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts)
    allowed = " ".join(f"'sha256-{h}'" for h in hashes)
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
def _asset(name: str) -> str:
    return files("winnow.report").joinpath("assets", name).read_text(encoding="utf-8").strip()


def _environment() -> Environment:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "shown": shown, "number": number, "words": words, "marks": marks, "line": line,
        "percent_of": percent_of, "pretty": lambda v: json.dumps(v, indent=2, ensure_ascii=False, default=str),
    }  # fmt: skip
    return environment


def _lede(r: ReportData) -> str:
    read = r.n_published + r.n_duplicates + r.n_rejected
    all_out = read == r.n_published > 1
    start = (
        f"All {number(read)} documents read"
        if all_out
        else f"Of {number(read)} documents read, {number(r.n_published)}"
    )
    sentences = [f"{start} {'is' if r.n_published == 1 else 'are'} published."]
    if r.n_duplicates or r.n_rejected:
        copies = f"{number(r.n_duplicates)} {'was' if r.n_duplicates == 1 else 'were'} left out as copies"
        waiting = f"{number(r.n_rejected)} {'waits' if r.n_rejected == 1 else 'wait'} in quarantine"
        parts = [p for p, n in ((copies, r.n_duplicates), (waiting, r.n_rejected)) if n]
        sentences.append(f"{' and '.join(parts)}.")
    edits, removed = sum(t.count for t in r.repairs), sum(t.count for t in r.removals)
    if edits:
        sentences.append(
            f"{number(edits)} repairs undid damage; {number(r.n_repaired)} of the published documents needed one."
        )
    if removed:
        sentences.append(f"{number(removed)} passages were left out, each with its reason.")
    return " ".join(sentences)


def _figures(r: ReportData) -> list[dict[str, str]]:
    before = next((p for p in r.trend if p.version == r.previous), None)
    delta = ""
    if before and before.published is not None:
        change = r.n_published - before.published
        delta = f"{change:+,} since version {before.version}".replace("-", "−") if change else "as before"
    return [
        {"label": "documents", "value": number(r.n_published), "delta": delta},
        {"label": "characters", "value": _short(r.n_chars), "delta": ""},
        {"label": "repairs", "value": _short(sum(t.count for t in r.repairs)), "delta": ""},
        {"label": "passages left out", "value": _short(sum(t.count for t in r.removals)), "delta": ""},
        {"label": "copies left out", "value": number(r.n_duplicates), "delta": ""},
        {"label": "rejected", "value": number(r.n_rejected), "delta": ""},
    ]


def _short(n: int) -> str:
    for size, unit in ((10**9, "G"), (10**6, "M")):
        if n >= size:
            return f"{n / size:,.1f}{unit}"
    return number(n)


def _labels(r: ReportData) -> dict[str, str]:
    def told(links: Iterable[Any]) -> str:
        return "; ".join(f"{link.source} to {link.target}: {number(link.value)}" for link in links)

    return {
        "documents": f"Flow of documents. {told(r.documents_flow)}",
        "characters": f"Flow of characters. {told(r.characters_flow)}",
    }


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


def _metrics(trend: Sequence[Point]) -> list[dict[str, Any]]:
    metrics = []
    for label, attribute, kind in METRICS:
        points = [(p.version, getattr(p, attribute)) for p in trend]
        known = [(v, x) for v, x in points if x is not None]
        if not known:
            continue
        aria = ", ".join(f"version {v}: {_value(x, kind)}" for v, x in known[-12:])
        now = _value(known[-1][1], kind)
        metrics.append(
            {"label": label, "now": now, "aria": f"{label}. {aria}", "points": points, "format": kind}
        )  # fmt: skip
    return metrics


def _trend_rows(trend: Sequence[Point]) -> list[list[str]]:
    used = [m for m in METRICS if any(getattr(p, m[1]) is not None for p in trend)]
    return [[f"v{p.version}", *(_value(getattr(p, a), kind) for _, a, kind in used)] for p in trend[-50:]]


def _value(value: float | None, kind: str) -> str:
    if value is None:
        return "–"
    return percent(value) if kind == "share" else number(value)


def _list_note(r: ReportData) -> str:
    listed, sampled = len(r.documents), len(r.samples)
    which = (
        f"All {number(listed)} published documents."
        if listed >= r.n_published
        else f"The {number(listed)} documents with most repairs and removals of {number(r.n_published)}; "
        "the rest is in table documents."
    )
    return f"{which} {number(sampled)} of them, underlined, can be read here side by side." if sampled else which


def _data(r: ReportData) -> dict[str, Any]:
    sampled = {s.doc_id for s in r.samples}
    rows = sorted(r.documents, key=lambda d: d.doc_id not in sampled)  # stable: the rest stays in its order
    return {
        "documents_flow": [[shown(x.source), shown(x.target), x.value] for x in r.documents_flow],
        "characters_flow": [[shown(x.source), shown(x.target), x.value] for x in r.characters_flow],
        "lengths": r.lengths,
        "median": r.median_chars,
        "metrics": [{"points": m["points"], "format": m["format"]} for m in _metrics(r.trend)],
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
