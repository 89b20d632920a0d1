"""What changed between two versions, document by document and passage by passage, and which rules did it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from winnow.base.errors import DatasetError
from winnow.publish.compare.changed_rows import (
    COMPARED,
    PROVENANCE,
    ChangedRows,
    VersionRows,
    changed_rows,
    keys_missing_from,
    rows_of_version,
)
from winnow.publish.compare.word_diff import Span, anchors, diff_words
from winnow.publish.dataset import Dataset

_AT_ONCE = 2_000  # documents whose rows are held in memory together

Row = Mapping[str, Any]
RowsByTable = Mapping[str, Sequence[Row]]
Kind = Literal["added", "withdrawn", "changed", "unpublished"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a document differs.

    ``kind``: new, returned (it was a duplicate or a reject), gone (no longer in the input), duplicate, reject, input
    (its content was read anew), rule (repairs made or unmade), removal (passages removed or restored), or field.
    """

    kind: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChange:
    """Repairs of one rule that only one of the versions has; ``snippets`` are their texts before and after."""

    rule: str
    rule_version: int
    made: int
    unmade: int
    snippets: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        parts = [f"{n} x {verb}" for n, verb in ((self.made, "made"), (self.unmade, "unmade")) if n]
        return f"{self.rule} (version {self.rule_version}): {', '.join(parts)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageChange:
    """A passage that differs; ``pointer``: it is removed for another reason."""

    kind: Literal["removed", "restored", "rewritten", "come", "gone", "pointer"]
    position: int
    before: str | None
    after: str | None
    reason: str | None = None
    kept_doc_id: str | None = None
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentChange:
    """A document that differs; ``unpublished``: a duplicate or reject in both versions that differs."""

    doc_id: str
    source: str
    kind: Kind
    reasons: tuple[Reason, ...]
    passages: tuple[PassageChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDiff:
    """``tables``: rows gone and come. ``documents`` may be cut short by a limit, the counts never are."""

    a: int
    b: int
    added: int
    withdrawn: int
    changed: int
    unpublished: int
    tables: Mapping[str, tuple[int, int]]
    documents: tuple[DocumentChange, ...]


def diff(dataset: Dataset, a: int, b: int, limit: int | None = None) -> VersionDiff:
    """Compares version `a` with `b`; with `limit`, only as many documents are told in detail.

    Raises DatasetError where one of them is not published.
    """
    first, second = rows_of_version(dataset, a), rows_of_version(dataset, b)
    tables = changed_rows(first, second)
    kinds = _kinds(first, second, tables)
    counts = Counter(kinds.values())
    return VersionDiff(
        a=a,
        b=b,
        added=counts["added"],
        withdrawn=counts["withdrawn"],
        changed=counts["changed"],
        unpublished=counts["unpublished"],
        tables={name: (rows.gone, rows.come) for name, rows in tables.items()},
        documents=tuple(_details(first, second, {i: kinds[i] for i in sorted(kinds)[:limit]})),
    )


def diff_document(dataset: Dataset, a: int, b: int, doc_id: str) -> tuple[DocumentChange | None, list[Span]]:
    """Compares one document: how it changed (None: not at all), and its text word by word.

    Raises DatasetError when neither version knows it.
    """
    first, second = rows_of_version(dataset, a), rows_of_version(dataset, b)
    old, new = (v.rows("documents", [doc_id]).get(doc_id, []) for v in (first, second))
    if not (old or new or any(v.rows(t, [doc_id]) for v in (first, second) for t in ("duplicates", "rejects"))):
        raise DatasetError(f"{dataset.name}: no document {doc_id} in version {a} or {b}")
    kind: Kind = ("changed" if new else "withdrawn") if old else "added" if new else "unpublished"
    change = next(iter(_details(first, second, {doc_id: kind})))
    before, after = (rows[0]["text"] if rows else "" for rows in (old, new))
    return (change if change.reasons or change.passages else None), diff_words(before, after)


def _kinds(a: VersionRows, b: VersionRows, tables: Mapping[str, ChangedRows]) -> dict[str, Kind]:
    """Returns every document that differs, and how."""
    keys_a, keys_b = a.keys("documents"), b.keys("documents")
    kinds: dict[str, Kind] = dict.fromkeys(keys_missing_from(keys_a, keys_b), "added")
    kinds |= dict.fromkeys(keys_missing_from(keys_b, keys_a), "withdrawn")
    rest = {i for rows in tables.values() for i in rows.doc_ids} - kinds.keys()
    ids = pa.array(sorted(rest), pa.string())
    published = pc.is_in(ids, value_set=keys_a).to_pylist()
    kinds |= {i: "changed" if p else "unpublished" for i, p in zip(ids.to_pylist(), published, strict=True)}
    return kinds


def _details(a: VersionRows, b: VersionRows, kinds: Mapping[str, Kind]) -> Iterator[DocumentChange]:
    """Yields each document with what changed in it, by doc_id, in constant memory."""
    ordered = sorted(kinds)
    for at in range(0, len(ordered), _AT_ONCE):
        ids = ordered[at : at + _AT_ONCE]
        before, after = ({t: version.rows(t, ids) for t in COMPARED} for version in (a, b))
        for doc_id in ids:
            old, new = ({t: rows[t].get(doc_id, []) for t in COMPARED} for rows in (before, after))
            yield _document(doc_id, kinds[doc_id], old, new)


def _document(doc_id: str, kind: Kind, a: RowsByTable, b: RowsByTable) -> DocumentChange:
    known = [row for table in ("documents", "duplicates", "rejects") for rows in (b, a) for row in rows[table]]
    reasons = _whereabouts(kind, a, b)
    if _content(a) and _content(b) and _content(a) != _content(b):
        reasons.append(Reason("input", "its content was read anew"))
    rules = rule_changes(a["edits"], b["edits"])
    # Where the document itself came or went, its edits and passages came and went with it.
    whole = not _content(a) or not _content(b)
    if not whole:
        reasons += [Reason("rule", r.text) for r in rules]
    passages = () if whole else passage_changes(a["passages"], b["passages"], rules)
    reasons += [Reason("removal", text) for text in _removals(passages)]
    if kind in ("changed", "unpublished"):
        told = ({"passages"} if passages else set()) | ({"edits"} if rules else set())
        reasons += [Reason("field", f) for t in COMPARED if t not in told for f in _fields(t, a[t], b[t])]
    source = known[0]["source"] if known else ""
    return DocumentChange(doc_id=doc_id, source=source, kind=kind, reasons=tuple(reasons), passages=passages)


def _content(rows: RowsByTable) -> str | None:
    """Returns the SHA-256 of the content, where the document was read to the end."""
    return next((str(row["content_sha256"]) for t in ("documents", "duplicates") for row in rows[t]), None)


def _whereabouts(kind: Kind, a: RowsByTable, b: RowsByTable) -> list[Reason]:
    """Returns why the document is published in one version only, or is a duplicate or reject for another reason."""
    if kind == "changed":
        return []
    old, new = ([_whereabouts_of(t, r) for t in ("duplicates", "rejects") for r in rows[t]] for rows in (a, b))
    if kind == "added":
        return [Reason("returned", f"it was {r.detail}") for r in old] or [Reason("new", "first seen")]
    if kind == "withdrawn":
        return new or [Reason("gone", "no longer in the input")]
    if old == new:
        return []
    return [Reason("returned", f"it was {r.detail}") for r in old if r not in new] + [r for r in new if r not in old]


def _whereabouts_of(table: str, row: Row) -> Reason:
    if table == "duplicates":
        return Reason("duplicate", f"{row['kind']} copy of {row['kept_doc_id']} (similarity {row['similarity']:.2f})")
    passed = f", passed in run {row['replayed_in']}" if row.get("replayed_in") else ""
    return Reason("reject", f"rejected by {row['expectation']}: {row['reason']}{passed}")


def _removals(passages: Sequence[PassageChange]) -> list[str]:
    verbs = {"removed": "removed", "restored": "restored", "pointer": "removed for another reason"}
    counts = Counter(f"{verbs[p.kind]}: {p.reason}" for p in passages if p.kind in verbs)
    return [f"{n} x {text}" for text, n in sorted(counts.items())]


_FOLLOWING = {"text", "n_chars", "n_words", "n_passages", "n_edits", "n_removed", "content_sha256"}
"""Columns of documents that follow from what else is told."""


def _fields(table: str, a: Sequence[Row], b: Sequence[Row]) -> list[str]:
    """Returns columns whose values differ, as table.column; where rows came or went, the table's name alone."""
    hidden = PROVENANCE | (_FOLLOWING if table == "documents" else set())
    if len(a) != len(b):
        # What came or went of these is told as the document's whereabouts.
        return [] if table in ("documents", "duplicates", "rejects") else [table]
    found: dict[str, None] = {}
    for old, new in zip(a, b, strict=True):
        for name in dict.fromkeys((*old, *new)):
            if name not in hidden and old.get(name) != new.get(name):
                found[f"{table}.{name}"] = None
    return list(found)


def rule_changes(a: Sequence[Row], b: Sequence[Row]) -> list[RuleChange]:
    """Returns the edits that only one of the versions has, by rule.

    A suspicion that became a repair, or the other way, counts as a change.
    """
    # Offsets move with every earlier edit; a repair is the same repair wherever it stands.
    columns = ("rule", "rule_version", "before", "after", "applied")
    old, new = (Counter(tuple(row[c] for c in columns) for row in rows) for rows in (a, b))
    made, unmade = new - old, old - new
    found = []
    for rule, version in sorted({edit[:2] for edit in (*made, *unmade)}):
        its_made, its_unmade = ({e: n for e, n in c.items() if e[:2] == (rule, version)} for c in (made, unmade))
        found.append(
            RuleChange(
                rule=rule,
                rule_version=version,
                made=sum(its_made.values()),
                unmade=sum(its_unmade.values()),
                snippets=tuple((before, after) for _, _, before, after, _ in (*its_made, *its_unmade)),
            )
        )
    return found


def passage_changes(a: Sequence[Row], b: Sequence[Row], rules: Sequence[RuleChange]) -> tuple[PassageChange, ...]:
    """Returns the passages that differ, in order.

    Passages with equal text are the same passage; between them, those at the same place are.
    """
    found: list[PassageChange] = []
    # A passage that stands twice has no place of its own; its number among its likes gives it one.
    texts_a, texts_b = _numbered(a), _numbered(b)
    for (a0, b0), (a1, b1) in pairwise([(-1, -1), *anchors(texts_a, texts_b), (len(a), len(b))]):
        if a0 >= 0:
            found += _same_text(a[a0], b[b0])
        for old, new in zip_longest(a[a0 + 1 : a1], b[b0 + 1 : b1]):
            found.append(_other_text(old, new, rules))
    return tuple(found)


def _numbered(rows: Sequence[Row]) -> list[tuple[str, int]]:
    seen: Counter[str] = Counter()
    numbered = []
    for row in rows:
        numbered.append((row["text"], seen[row["text"]]))
        seen[row["text"]] += 1
    return numbered


def _same_text(old: Row, new: Row) -> list[PassageChange]:
    if all(old[c] == new[c] for c in ("status", "reason", "kept_doc_id")):
        return []
    kind: Literal["removed", "restored", "pointer"] = "removed" if new["status"] == "removed" else "restored"
    if old["status"] == new["status"]:
        kind = "pointer"
    cause = old if kind == "restored" else new
    return [
        PassageChange(
            kind=kind,
            position=new["position"],
            before=new["text"],
            after=new["text"],
            reason=cause["reason"],
            kept_doc_id=cause["kept_doc_id"],
        )
    ]


def _other_text(old: Row | None, new: Row | None, rules: Sequence[RuleChange]) -> PassageChange:
    row = new or old
    assert row is not None
    before, after = old["text"] if old else None, new["text"] if new else None
    return PassageChange(
        kind="rewritten" if old and new else "come" if new else "gone",
        position=row["position"],
        before=before,
        after=after,
        reason=row["reason"],
        kept_doc_id=row["kept_doc_id"],
        rules=tuple(rule.rule for rule in rules if _rewrote(rule, before or "", after or "")),
    )


def _rewrote(rule: RuleChange, before: str, after: str) -> bool:
    """Whether one of the rule's changed edits left its result in one of the texts and found its cause in the other."""
    return any(
        (old in before and new in after) or (old in after and new in before)
        for old, new in rule.snippets
        if old.strip() or new.strip()
    )
