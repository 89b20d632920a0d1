"""A page on which a person judges a sample of a version's repairs and removals, without a network or a server.

Each rule and each reason of a removal has the same share of the sample, for a rule that acts seldom is judged by no
less than one that acts everywhere. Which ones are taken follows from the run: the same version gives the same page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup
from numpy.typing import NDArray

from winnow.base.doc_ids import doc_keys
from winnow.base.files import scan_folder
from winnow.base.records import DUPLICATE_DOCUMENT
from winnow.report.examples import Change, batches, files_of, in_context, sources_of
from winnow.report.page import asset, embedded, marks, page_of, shown

LONGEST = 1500  # characters of a text on the page
_SPARE = 3  # times as many are looked at, for some stand in documents that are too large to show


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What a person judges: a repair in its surroundings, or what was removed beside what was kept instead.

    ``at`` is the repair's number in its document, or the passage's position and part; empty for a whole document.
    """

    kind: str
    rule: str
    doc_id: str
    at: str
    source: str
    lead: str = ""
    before: str = ""
    after: str = ""
    tail: str = ""
    note: str = ""


def sample_items(view: Path, size: int, rule: str | None, seed: str) -> list[Item]:
    """Takes about `size` items of the version in folder `view`, of each rule the same number; of one if it is named."""
    wanted = size * _SPARE

    def taken(table: str, name: str, condition: pc.Expression, numbers: tuple[str, ...]) -> dict[str, list[Row]]:
        condition = condition & (pc.field(name) == rule) if rule else condition
        return _smallest(files_of(view, table), name, condition, numbers, wanted, seed)

    repairs = taken("edits", "rule", pc.field("applied"), ("seq",))
    is_repeat = (pc.field("status") == "removed") & (pc.field("reason") != DUPLICATE_DOCUMENT)
    removals = taken("passages", "reason", is_repeat, ("position", "part"))
    copies = {}
    if rule in (None, DUPLICATE_DOCUMENT):
        copies = {DUPLICATE_DOCUMENT: _smallest(files_of(view, "duplicates"), "", None, (), wanted, seed).get("", [])}
    strata = len(repairs) + len(removals) + bool(copies.get(DUPLICATE_DOCUMENT))
    each = max(1, size // max(1, strata))
    found: list[Item] = []
    for rows, made in ((repairs, _repairs), (removals, _removals), (copies, _copies)):
        for some in rows.values():
            found += [*made(view, some[: each * _SPARE])][:each]
    return found


Row: TypeAlias = Mapping[str, Any]


def _smallest(
    files: Sequence[Path], name: str, condition: pc.Expression | None, numbers: tuple[str, ...], most: int, seed: str
) -> dict[str, list[Row]]:
    """The rows of each value of column `name` whose hashes are smallest: a fair sample, with `most` rows in memory."""
    start = int.from_bytes(seed.encode()[-8:].rjust(8), "big")
    found: dict[str, list[tuple[int, Row]]] = {}
    columns = ["doc_id", *numbers, *([name] if name else [])]
    for batch in batches(files, columns, condition):
        if not batch.num_rows:
            continue
        ranks = doc_keys(batch.column("doc_id")) ^ np.uint64(start)
        for number in numbers:
            ranks = _mixed(ranks + batch.column(number).to_numpy().astype(np.uint64))
        names = batch.column(name) if name else pa.array([""] * batch.num_rows)
        for value in pc.unique(names).to_pylist():
            places = pc.indices_nonzero(pc.equal(names, value)).to_numpy()
            best = places[np.argsort(ranks[places], kind="stable")[:most]]
            rows = zip(ranks[best].tolist(), batch.take(pa.array(best)).to_pylist(), strict=True)
            found[value] = sorted([*found.get(value, []), *rows], key=lambda r: r[0])[:most]
    return {value: [row for _, row in rows] for value, rows in sorted(found.items())}


def _mixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of splitmix64 (Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            keys = (keys ^ (keys >> np.uint64(shift))) * np.uint64(factor)
    return keys ^ (keys >> np.uint64(31))


def _repairs(view: Path, rows: Sequence[Row]) -> Iterator[Item]:
    changes = [Change(doc_id=r["doc_id"], seq=r["seq"], rule=r["rule"]) for r in rows]
    documents = scan_folder(view / "documents", missing_columns="insert")
    examples = in_context(changes, view, documents)
    for change in changes:
        if example := examples.get(change):
            texts = {n: getattr(example, n) for n in ("doc_id", "source", "lead", "tail")}
            texts |= {n: marks(getattr(example, n)) for n in ("before", "after")}  # white space that changed is seen
            yield _item(kind="repair", rule=change.rule, at=str(change.seq), **texts)


def _removals(view: Path, rows: Sequence[Row]) -> Iterator[Item]:
    passages = scan_folder(view / "passages", missing_columns="insert")
    columns = ["doc_id", "position", "part", "text", "kept_doc_id", "kept_position", "similarity"]
    among = pl.col("doc_id").is_in([r["doc_id"] for r in rows])
    texts = {
        (r["doc_id"], r["position"], r["part"]): r
        for r in passages.filter(among, pl.col("status") == "removed").select(columns).collect().iter_rows(named=True)
    }
    found = [(r, texts[r["doc_id"], r["position"], r["part"]]) for r in rows]
    kept_in = [t["kept_doc_id"] for _, t in found if t["kept_doc_id"]]
    kept: dict[tuple[str, int], str] = {}
    at = passages.filter(pl.col("doc_id").is_in(kept_in), pl.col("status") == "kept")
    for doc_id, position, text in at.select("doc_id", "position", "text").collect().iter_rows():
        kept[doc_id, position] = kept.get((doc_id, position), "") + text
    sources = _sources(view, [*(r["doc_id"] for r in rows), *kept_in])
    for row, text in found:
        own: str = row["doc_id"]
        other = text["kept_doc_id"]
        yield _item(
            kind="removal", rule=row["reason"], doc_id=own, at=f"{row['position']}.{row['part']}",
            source=sources.get(own, own), before=text["text"],
            after=kept.get((other, text["kept_position"]), "") if other else "",
            note=_kept_where(other, own, sources, text["similarity"]),
        )  # fmt: skip


def _copies(view: Path, rows: Sequence[Row]) -> Iterator[Item]:
    copies = _texts(view, "duplicates", [r["doc_id"] for r in rows], ["kept_doc_id", "similarity"])
    kept = _texts(view, "documents", [c["kept_doc_id"] for c in copies.values()], [])
    sources = {i: str(r["source"]) for i, r in kept.items()}
    for row in rows:
        copy = copies[row["doc_id"]]
        if not copy["text"]:  # of before the texts of copies were kept
            continue
        yield _item(
            kind="removal", rule=DUPLICATE_DOCUMENT, doc_id=row["doc_id"], at="", source=copy["source"],
            before=copy["text"], after=kept.get(copy["kept_doc_id"], {}).get("text") or "",
            note=_kept_where(copy["kept_doc_id"], row["doc_id"], sources, copy["similarity"]),
        )  # fmt: skip


def _texts(view: Path, table: str, doc_ids: Iterable[str], more: list[str]) -> dict[str, Row]:
    rows = scan_folder(view / table, missing_columns="insert")
    text = pl.col("text").str.slice(0, LONGEST + 1)
    found = rows.filter(pl.col("doc_id").is_in(list(doc_ids))).select("doc_id", "source", text, *more).collect()
    return {r["doc_id"]: r for r in found.iter_rows(named=True)}


def _sources(view: Path, doc_ids: Iterable[str]) -> dict[str, str]:
    tables = (scan_folder(view / t) for t in ("documents", "duplicates"))
    return {k: v for table in tables for k, v in sources_of(list(doc_ids), table).items()}


def _kept_where(other: str | None, own: str, sources: Mapping[str, str], similarity: float | None) -> str:
    if not other:
        return "nothing is kept in its place"
    where = "the same document" if other == own else sources.get(other, other)
    return f"kept in {where}" + (f", similarity {similarity:.2f}" if similarity is not None else "")


def _item(**texts: str) -> Item:
    """An item whose texts are cut to what a page can show, with hidden characters written out."""
    cut = {n: t if len(t) <= LONGEST else f"{t[:LONGEST]}…" for n, t in texts.items()}
    return Item(**{n: t if n in ("kind", "rule", "doc_id", "at") else shown(t) for n, t in cut.items()})


def render_review(items: Sequence[Item], *, name: str, version: int, run_id: str) -> bytes:
    """The page as UTF-8; every text goes in as data that its script shows as text."""
    script = asset("review.js")
    data = {"version": version, "run_id": run_id, "items": [asdict(i) for i in items]}
    return page_of("review.html", [script], name=name, version=version, data=Markup(embedded(data)))
