"""What changed between two versions, document by document and passage by passage, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from winnow.base.errors import DatasetError
from winnow.publish.compare.passage_changes import PassageChange, passage_changes, rule_changes
from winnow.publish.compare.sides import COMPARED, PROVENANCE, Side, TableDifference, differing, only_in, side
from winnow.publish.compare.words import Span, diff_words
from winnow.publish.dataset import Dataset

_AT_ONCE = 2_000  # documents whose rows are held in memory together

Row = Mapping[str, Any]
Kind = Literal["added", "withdrawn", "changed", "set_aside"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a document differs.

    ``kind``: new, returned (it was a duplicate or a reject), gone (no longer in the input), duplicate,
    reject, input (its content was read anew), rule (repairs made or unmade), removal (passages left out or
    brought back), or field.
    """

    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """``set_aside``: published in neither version, but a duplicate or reject that differs."""

    doc_id: str
    source: str
    kind: Kind
    reasons: tuple[Reason, ...]
    passages: tuple[PassageChange, ...] = ()


@dataclass(frozen=True, slots=True)
class VersionDiff:
    """``tables``: rows gone and come. ``documents`` may be cut short by a limit, the counts never are."""

    a: int
    b: int
    added: int
    withdrawn: int
    changed: int
    set_aside: int
    tables: Mapping[str, tuple[int, int]]
    documents: tuple[DocumentChange, ...]


def diff(dataset: Dataset, a: int, b: int, limit: int | None = None) -> VersionDiff:
    """Compare version `a` with `b`; with `limit`, only as many documents are told in detail.

    Raises DatasetError where one of them is not published.
    """
    first, second = side(dataset, a), side(dataset, b)
    differ = differing(first, second)
    kinds = _kinds(first, second, differ)
    counts = {k: sum(1 for v in kinds.values() if v == k) for k in ("added", "withdrawn", "changed", "set_aside")}
    chosen = sorted(kinds)[:limit]
    details = tuple(_details(first, second, {i: kinds[i] for i in chosen}))
    return VersionDiff(
        a, b, counts["added"], counts["withdrawn"], counts["changed"], counts["set_aside"],
        {name: (d.gone, d.come) for name, d in differ.items()}, details,
    )  # fmt: skip


def changes(dataset: Dataset, a: int, b: int) -> Iterator[DocumentChange]:
    """Every document that differs, by doc_id, in constant memory."""
    first, second = side(dataset, a), side(dataset, b)
    yield from _details(first, second, _kinds(first, second, differing(first, second)))


def diff_document(dataset: Dataset, a: int, b: int, doc_id: str) -> tuple[DocumentChange | None, list[Span]]:
    """One document: how it changed (None: not at all), and its text word by word.

    Raises DatasetError when neither version knows it.
    """
    first, second = side(dataset, a), side(dataset, b)
    texts, known, published = [], False, []
    for s in (first, second):
        rows = s.rows("documents", [doc_id]).get(doc_id, [])
        texts.append(rows[0]["text"] if rows else "")
        published.append(bool(rows))
        known = known or bool(rows) or any(s.rows(t, [doc_id]) for t in ("duplicates", "rejects"))
    if not known:
        raise DatasetError(f"{dataset.name}: no document {doc_id} in version {a} or {b}")
    change = next(iter(_details(first, second, {doc_id: _kind(*published)})))
    return (change if change.reasons or change.passages else None), diff_words(*texts)


def _kinds(a: Side, b: Side, differ: Mapping[str, TableDifference]) -> dict[str, Kind]:
    keys_a, keys_b = a.keys("documents"), b.keys("documents")
    kinds: dict[str, Kind] = dict.fromkeys(only_in(keys_b, keys_a), "added")
    kinds |= dict.fromkeys(only_in(keys_a, keys_b), "withdrawn")
    rest = {i for d in differ.values() for i in d.doc_ids} - kinds.keys()
    ids = pa.array(sorted(rest), pa.string())
    published = pc.is_in(ids, value_set=keys_a).to_pylist()
    kinds |= {i: "changed" if p else "set_aside" for i, p in zip(ids.to_pylist(), published, strict=True)}
    return kinds


def _kind(in_a: bool, in_b: bool) -> Kind:
    if in_a and in_b:
        return "changed"
    return "withdrawn" if in_a else "added" if in_b else "set_aside"


def _details(a: Side, b: Side, kinds: Mapping[str, Kind]) -> Iterator[DocumentChange]:
    ordered = sorted(kinds)
    for at in range(0, len(ordered), _AT_ONCE):
        ids = ordered[at : at + _AT_ONCE]
        before = {t: a.rows(t, ids) for t in COMPARED}
        after = {t: b.rows(t, ids) for t in COMPARED}
        for doc_id in ids:
            yield _document(
                doc_id,
                kinds[doc_id],
                {t: before[t].get(doc_id, []) for t in COMPARED},
                {t: after[t].get(doc_id, []) for t in COMPARED},
            )


def _document(
    doc_id: str, kind: Kind, a: Mapping[str, Sequence[Row]], b: Mapping[str, Sequence[Row]]
) -> DocumentChange:
    known = [
        *b["documents"],
        *a["documents"],
        *b["duplicates"],
        *a["duplicates"],
        *b["rejects"],
        *a["rejects"],
    ]
    source = known[0]["source"] if known else ""
    reasons = _whereabouts(kind, a, b)
    if _content(a) and _content(b) and _content(a) != _content(b):
        reasons.append(Reason("input", "its content was read anew"))
    rules = rule_changes(a["edits"], b["edits"])
    # Where the document itself came or went, its edits and passages came and went with it.
    whole = not _content(a) or not _content(b)
    if not whole:
        reasons += [Reason("rule", r.text) for r in rules]
    passages = () if whole else passage_changes(a["passages"], b["passages"], rules)
    reasons += [Reason("removal", t) for t in _removals(passages)]
    if kind in ("changed", "set_aside"):
        told = {"passages"} if passages else set()
        told |= {"edits"} if rules else set()
        reasons += [Reason("field", f) for t in COMPARED if t not in told for f in _fields(t, a[t], b[t])]
    return DocumentChange(doc_id, source, kind, tuple(reasons), passages)


def _content(rows: Mapping[str, Sequence[Row]]) -> str | None:
    """SHA-256 of the content, where the document was read to the end."""
    for table in ("documents", "duplicates"):
        for row in rows[table]:
            return str(row["content_sha256"])
    return None


def _whereabouts(kind: Kind, a: Mapping[str, Sequence[Row]], b: Mapping[str, Sequence[Row]]) -> list[Reason]:
    if kind == "changed":
        return []
    old = [_set_aside(t, r) for t in ("duplicates", "rejects") for r in a[t]]
    new = [_set_aside(t, r) for t in ("duplicates", "rejects") for r in b[t]]
    if kind == "added":
        return [Reason("returned", f"it was {r.detail}") for r in old] or [Reason("new", "first seen")]
    if kind == "withdrawn":
        return new or [Reason("gone", "no longer in the input")]
    if old == new:
        return []
    return [Reason("returned", f"it was {r.detail}") for r in old if r not in new] + [r for r in new if r not in old]


def _set_aside(table: str, row: Row) -> Reason:
    if table == "duplicates":
        return Reason("duplicate", f"{row['kind']} copy of {row['kept_doc_id']} (similarity {row['similarity']:.2f})")
    passed = f", passed in run {row['replayed_in']}" if row.get("replayed_in") else ""
    return Reason("reject", f"rejected by {row['expectation']}: {row['reason']}{passed}")


_VERBS = {"removed": "left out", "restored": "brought back", "pointer": "left out for another reason"}


def _removals(passages: Sequence[PassageChange]) -> list[str]:
    counts: dict[str, int] = {}
    for p in passages:
        if p.kind in ("removed", "restored", "pointer"):
            verb = {
                "removed": "left out",
                "restored": "brought back",
                "pointer": "left out for another reason",
            }
            text = f"{verb[p.kind]}: {p.reason}"
            counts[text] = counts.get(text, 0) + 1
    return [f"{n} x {text}" for text, n in sorted(counts.items())]


_FOLLOWING = {"text", "n_chars", "n_words", "n_passages", "n_edits", "n_removed", "content_sha256"}
"""Columns of documents that follow from what else is told."""


def _fields(table: str, a: Sequence[Row], b: Sequence[Row]) -> list[str]:
    """Columns whose values differ, as table.column; where rows came or went, the table's name alone."""
    hidden = PROVENANCE | (_FOLLOWING if table == "documents" else set())
    if len(a) != len(b):
        # What came or went of these two is told as the document's whereabouts.
        return [] if table in ("documents", "duplicates", "rejects") else [table]
    found: dict[str, None] = {}
    for old, new in zip(a, b, strict=True):
        for name in dict.fromkeys((*old, *new)):
            if name not in hidden and old.get(name) != new.get(name):
                found[f"{table}.{name}"] = None
    return list(found)
