"""Commands that follow one document or compare two versions, word by word: diff, explain, why, similar, review."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from winnow.base.errors import UsageError
from winnow.base.terminal import Paint, visible
from winnow.cli.options import (
    DATASET,
    DocumentArgument,
    IntoOption,
    JsonOption,
    LimitOption,
    VersionArgument,
    WaitOption,
    published,
)
from winnow.cli.output import counted, edit_lines, edit_record, paint, print_json, print_table, shortened

if TYPE_CHECKING:
    from winnow.publish.compare.diff import DocumentChange, PassageChange
    from winnow.publish.compare.word_diff import Span
    from winnow.publish.dataset import Dataset
    from winnow.publish.evidence import CopyEvidence, PassageEvidence, Row

app = typer.Typer()
PANEL = "look"

CONTEXT = 60  # characters shown on either side of a change; longer unchanged stretches are left out
MARKS = {"added": "+", "withdrawn": "-", "changed": "~", "unpublished": "."}
KINDS = {"unpublished": "changed among duplicates and rejects"}
GROUPED = 2_000  # documents that are looked at for their reasons
NAMED = 3  # documents of a group that are named
_ITS_OWN = re.compile(r"[0-9a-f]{16}|\d+(\.\d+)?|: .*")
REASONS = {
    "repeat": "stands again, word for word",
    "near_repeat": "stands again with small changes",
    "boilerplate": "stands in many documents",
    "promo": "promotes something or marks an advertisement",
    "exact": "says the same, word for word",
    "near": "says nearly the same",
    "contained": "is contained in a longer document",
}


@app.command(rich_help_panel=PANEL, epilog="Example: winnow diff 1 2 --doc articles/b.txt")
def diff(
    a: Annotated[int | None, typer.Argument(help="The older version; the last but one by default.")] = None,
    b: Annotated[int | None, typer.Argument(help="The newer version; the latest by default.")] = None,
    doc: Annotated[str | None, typer.Option(help="One document, word by word: its doc_id or source.")] = None,
    limit: LimitOption = 20,
    page: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a page with documents before and after, side by side."),
    ] = None,
    into: IntoOption = DATASET,
    as_json: JsonOption = False,
) -> int:
    """What changed between two versions, and the rule or removal behind it"""
    from winnow.base.records import doc_id_of
    from winnow.publish.compare.diff import diff, diff_document

    dataset = published(into)
    numbers = dataset.version_numbers()
    if a is None and len(numbers) < 2:
        raise UsageError(f"{dataset.name}: has one version only; there is nothing to compare it with")
    first, second = (numbers[-2], numbers[-1]) if a is None else (a, numbers[-1] if b is None else b)
    if page is not None:
        n_shown = _write_page(page, dataset, first, second, doc, limit)
        print_json({"page": str(page), "documents": n_shown}) if as_json else print(page)
        return 0
    p = paint()
    if doc is not None:
        doc_id = doc if re.fullmatch("[0-9a-f]{16}", doc) else doc_id_of(doc)
        change, spans = diff_document(dataset, first, second, doc_id)
        if as_json:
            print_json({"change": change, "spans": spans})
        elif change is None:
            print(f"{doc_id} is the same in v{first} and v{second}")
        else:
            _print_change(change, p)
            print("\n" + marked_words(spans, p))
        return 0
    found = diff(dataset, first, second, None if as_json or not limit else max(limit, GROUPED))
    if as_json:
        print_json(found)
        return 0
    counts = {KINDS.get(kind, kind): getattr(found, kind) for kind in MARKS}
    said = ", ".join(f"{n:,} {kind}" for kind, n in counts.items() if n)
    print(p.bold(f"v{first} -> v{second}") + f"  {said or 'no document differs'}")
    for name, (gone, come) in found.tables.items():
        if gone or come:
            print(p.dim(f"  {name:<11} {p.red(f'-{gone:,}')} {p.green(f'+{come:,}')} rows"))
    groups = grouped(found.documents)
    for group in groups[: limit or None]:
        _print_group(group, p)
    rest = sum(counts.values()) - sum(len(group) for group in groups[: limit or None])
    if rest > 0:
        print(p.dim(f"\nand {rest:,} more documents; see them all with --limit 0 or --json"))
    return 0


def _write_page(path: Path, dataset: Dataset, a: int, b: int, doc: str | None, limit: int) -> int:
    """Writes the page that shows documents of two versions side by side, changed ones first; returns how many."""
    from winnow.publish.compare.diff import diff, diff_document
    from winnow.report.changes_page import ChangedDocument, Stretch, render_changes

    found = diff(dataset, a, b, max(limit, GROUPED) if limit else None)
    chosen = sorted((d for d in found.documents if d.kind != "unpublished"), key=lambda d: d.kind != "changed")
    if doc is not None:
        chosen = [d for d in chosen if doc in (d.doc_id, d.source)]
    n_differ = len(chosen) if doc is not None else found.added + found.withdrawn + found.changed
    documents = [
        ChangedDocument(
            doc_id=d.doc_id,
            source=d.source,
            kind=d.kind,
            reasons=tuple(f"{reason.kind}, {reason.detail}" for reason in d.reasons),
            spans=tuple(Stretch(span.kind, span.text) for span in diff_document(dataset, a, b, d.doc_id)[1]),
        )
        for d in chosen[: limit or None]
    ]
    path.write_bytes(render_changes(a, b, documents, n_differ))
    return len(documents)


def grouped(changes: Sequence[DocumentChange]) -> list[list[DocumentChange]]:
    """The documents that changed in the same way for the same reasons, the largest group first.

    Which document a copy is like, and how much, makes no other reason.
    """
    groups: dict[tuple[object, ...], list[DocumentChange]] = {}
    for change in changes:
        key = change.kind, *((r.kind, _ITS_OWN.sub("", r.detail)) for r in change.reasons)
        groups.setdefault(key, []).append(change)
    return sorted(groups.values(), key=lambda group: -len(group))


def _print_group(group: Sequence[DocumentChange], p: Paint) -> None:
    if len(group) == 1:
        _print_change(group[0], p)
        return
    first = group[0]
    print(f"\n{_mark(first, p)} {counted(len(group), 'document')}")
    for reason, *others in zip(*(change.reasons for change in group), strict=True):
        same = all(other.detail == reason.detail for other in others)
        print(f"    {reason.kind}: {visible(reason.detail)}" + ("" if same else p.dim("  (and alike)")))
    for change in group[:NAMED]:
        print(f"      {change.doc_id}  {visible(change.source)}")
    if len(group) > NAMED:
        print(p.dim(f"      and {len(group) - NAMED:,} more; one by one with --doc"))


def _mark(change: DocumentChange, p: Paint) -> str:
    colour = {"added": p.green, "withdrawn": p.red, "changed": p.yellow, "unpublished": p.dim}[change.kind]
    return colour(MARKS[change.kind])


def _print_change(change: DocumentChange, p: Paint) -> None:
    print(f"\n{_mark(change, p)} {change.doc_id}  {visible(change.source)}")
    for reason in change.reasons:
        print(f"    {reason.kind}: {visible(reason.detail)}")
    for passage in change.passages:
        print(f"    {_passage_line(passage, p)}")


def _passage_line(change: PassageChange, p: Paint) -> str:
    why = ", ".join(change.rules) or change.reason or ""
    kept = f" kept: {change.kept_doc_id}" if change.kept_doc_id else ""
    shown = ""
    if change.before is not None and change.kind in ("removed", "gone", "rewritten"):
        shown += p.red(f"[-{shortened(change.before, 70)}-]")
    if change.after is not None and change.kind in ("restored", "come", "rewritten"):
        shown += p.green(f"{{+{shortened(change.after, 70)}+}}")
    return f"passage {change.position:>4} {change.kind:<9} {shown}" + p.dim(f"  {why}{kept}" if why or kept else "")


@app.command(rich_help_panel=PANEL, epilog="Example: winnow explain 5550000d3b1cf1ff --into dataset")
def explain(doc_id: DocumentArgument, into: IntoOption = DATASET, as_json: JsonOption = False) -> int:
    """Every repair of a document, in the order it was made"""
    from winnow.deduplicate.repeats.meaning import MEANINGS
    from winnow.publish.evidence import copy_evidence, find_story
    from winnow.repair import is_masked, undo

    dataset = published(into)
    story = find_story(dataset, doc_id)
    copy = copy_evidence(dataset, story)
    removed = [p for p in story.passages if p["status"] == "removed"]
    found = [p for p in story.passages if p.get("suspicion")]  # a version of before has no such column
    if as_json:
        keys = ("position", "part", "kind", "text", "reason", "kept_doc_id", "kept_position", "similarity")
        edits = [edit_record(e) for e in story.edits]
        kept = [{k: p[k] for k in (*keys, "suspicion")} for p in found]
        print_json(
            {
                **story.identity,
                "copy_of": copy.kept_doc_id if copy else None,
                "edits": edits,
                "removed": [{k: p[k] for k in keys} for p in removed],
                "repeats_kept": kept,
            }
        )
        return 0
    p = paint()
    applied = sum(e.applied for e in story.edits)
    print(p.bold(f"{story.doc_id}  {visible(story.source)}"))
    print(p.dim(visible(story.origin)))
    kept_too = f", {len(found)} kept though they repeat" if found else ""
    gone = f"{counted(len(removed), 'passage')} removed" if copy is None else "removed whole"
    suspicions = counted(len(story.edits) - applied, "suspicion")
    print(f"{counted(applied, 'edit')} made, {suspicions}, {gone}{kept_too}")
    if copy is not None:
        print(f"{_copy_line(copy)}\nwinnow why {story.doc_id} shows both, word by word")
    repaired = "".join(row["text"] + row["gap"] for row in story.passages)
    if any(map(is_masked, story.edits)):
        print("personal data was replaced: █ stands for each character that the ledger does not keep, on purpose")
    for line in edit_lines(undo(repaired, story.edits), story.edits, p):
        print(line)
    for row in removed if copy is None else ():
        print(_removal_line(row, p))
    for row in found:
        of = "" if row["kept_doc_id"] == story.doc_id else f" of {row['kept_doc_id']}"
        same = f"it repeats passage {row['kept_position']}{of}"
        reason = f"suspicion, not removed: {same}, but {MEANINGS[row['suspicion']]}"
        print(f"passage {row['position']:>4}  {shortened(row['text'], 80)}  {p.yellow(reason)}")
    return 0


def _removal_line(row: Row, p: Paint) -> str:
    """Returns where a removed passage stood, why it went, and what was kept instead."""
    kept = ""
    if row["kept_doc_id"] is not None:
        kept = f"kept: {row['kept_doc_id']} passage {row['kept_position']}"
        if row["similarity"] is not None:
            kept += f" (similarity {row['similarity']:.3f})"
    text = row["text"] if len(row["text"]) <= 80 else row["text"][:77] + "..."
    return f"passage {row['position']:>4}  {row['reason']:<18} {p.red(visible(text))}  {p.dim(kept)}"


@app.command(rich_help_panel=PANEL, epilog="Example: winnow why 5550000d3b1cf1ff")
def why(doc_id: DocumentArgument, into: IntoOption = DATASET, as_json: JsonOption = False) -> int:
    """Every removal from a document, beside what was kept instead"""
    from winnow.publish.evidence import copy_evidence, find_story, passage_evidence

    dataset = published(into)
    story = find_story(dataset, doc_id)
    copy = copy_evidence(dataset, story)
    removed = list(passage_evidence(dataset, story))
    if as_json:
        print_json({**story.identity, "copy_of": copy, "removed": removed})
        return 0
    p = paint()
    print(p.bold(f"{story.doc_id}  {visible(story.source)}"))
    print(p.dim(visible(story.origin)))
    if copy is not None:
        _print_copy(copy, p)
    elif not removed:
        print("Nothing was removed: every passage stands in the published text.")
    for one in removed:
        _print_passage(one, p)
    if copy is not None or removed:
        print(p.dim("\n[-only in what was removed-] {+only in what was kept+}"))
    return 0


def _copy_line(copy: CopyEvidence) -> str:
    figures = f"similarity {copy.similarity:.3f}"
    if copy.containment is not None:
        figures += f", containment {copy.containment:.3f}"
    why = f"removed as a duplicate: it {REASONS.get(copy.kind, copy.kind)} ({figures})"
    return f"{why}\nkept: {copy.kept_doc_id}  {visible(copy.kept_source or '')}"


@app.command(rich_help_panel=PANEL, epilog="Example: winnow similar 5550000d3b1cf1ff --limit 3")
def similar(
    doc_id: DocumentArgument, limit: LimitOption = 10, into: IntoOption = DATASET, as_json: JsonOption = False
) -> int:
    """The documents most like one, kept or removed, and the passages that stand in both"""
    from winnow.run.similar import similar_documents

    found_id, found = similar_documents(published(into), doc_id, limit)
    if as_json:
        print_json({"doc_id": found_id, "similar": found})
        return 0
    p = paint()
    if not found:
        print("No document shares enough with it to be compared.")
    for one in found:
        state = f"removed as a duplicate of {one.kept_doc_id}" if one.kept_doc_id else "published"
        print(p.bold(f"{one.doc_id}  {visible(one.source)}") + f"  {state}")
        print(
            f"  similarity {one.similarity:.3f}, {one.containment:.3f} of this document stands there "
            f"({one.containment_5:.3f} by five words in a row, {one.containment_3:.3f} by three), "
            f"{one.contains:.3f} of that one here"
        )
        for passage in one.passages:
            print(f"  passage {passage.position:>4}  {passage.share:.3f}  {shortened(passage.text, 80)}")
    return 0


def _print_copy(copy: CopyEvidence, p: Paint) -> None:
    from winnow.publish.compare.word_diff import diff_words

    print(f"{_copy_line(copy)}\n")
    if copy.kept_text is not None:
        print(marked_words(diff_words(copy.removed_text, copy.kept_text), p))


def _print_passage(one: PassageEvidence, p: Paint) -> None:
    from winnow.publish.compare.word_diff import diff_words

    print(f"\npassage {one.position}  {p.yellow(one.reason)}: it {REASONS.get(one.reason, one.reason)}")
    if one.kept_doc_id is None:
        print("kept: nothing")
    else:
        likeness = f", similarity {one.similarity:.3f}" if one.similarity is not None else ""
        place = f" passage {one.kept_position}" if one.kept_position is not None else ""
        print(f"kept: {one.kept_doc_id}{place}  {visible(one.kept_source or '')}{likeness}")
    if one.kept_text is None:
        print("  " + p.red(visible(one.removed_text)))
    elif one.kept_text == one.removed_text:
        print("  " + visible(one.kept_text))
    else:
        print("  " + marked_words(diff_words(one.removed_text, one.kept_text), p).replace("\n", "\n  "))


def marked_words(spans: Sequence[Span], p: Paint, context: int = CONTEXT) -> str:
    """Returns the text with what is gone as ``[-…-]`` and what has come as ``{+…+}``.

    Long unchanged stretches are left out.

    >>> from winnow.publish.compare.word_diff import Span
    >>> marked_words([Span("same", "a "), Span("gone", "b"), Span("come", "c")], Paint(False))
    'a [-b-]{+c+}'
    """
    out = []
    for number, span in enumerate(spans):
        if span.kind == "same":
            out.append(_abridged(span.text, context, number == 0, number == len(spans) - 1, p))
        elif span.kind == "gone":
            out.append(p.red(f"[-{_lines(span.text)}-]"))
        else:
            out.append(p.green(f"{{+{_lines(span.text)}+}}"))
    return "".join(out)


def _abridged(text: str, context: int, first: bool, last: bool, p: Paint) -> str:
    left, right = 0 if first else context, 0 if last else context
    if len(text) <= left + right + context:
        return _lines(text)
    end = text[len(text) - right :] if right else ""
    return _lines(text[:left]) + p.dim(f" … {len(text) - left - right:,} characters the same … ") + _lines(end)


def _lines(text: str) -> str:
    """Escapes all that could act on a terminal, but for line ends."""
    return "\n".join(visible(line) for line in text.split("\n"))


@app.command(
    rich_help_panel=PANEL, epilog="Example: winnow review --sample 200; then winnow review --read review-v3.jsonl"
)
def review(
    version: VersionArgument = None,
    sample: Annotated[int, typer.Option("--sample", min=1, max=20_000, help="How many repairs and removals.")] = 100,
    rule: Annotated[str | None, typer.Option(help="Only this rule, or this reason of a removal.")] = None,
    to: Annotated[Path | None, typer.Option("--to", help="The page to write; review-vN.html by default.")] = None,
    read: Annotated[
        Path | None, typer.Option("--read", metavar="FILE", help="What the page saved; kept with the version.")
    ] = None,
    into: IntoOption = DATASET,
    wait: WaitOption = 0,
    as_json: JsonOption = False,
) -> int:
    """Judge a sample of repairs and removals in a browser; precision of each rule

    Writes one page that needs no network: mark each repair and removal right or wrong with a key, and save. --read
    gives each rule's precision over all that was judged of the version, with the bounds of Wilson's interval at 95 %.
    """
    from winnow.base.staging import write_file
    from winnow.publish.reviews import keep_verdicts, precision_of, read_verdicts
    from winnow.report.review import render_review, sample_items
    from winnow.run.run_context import new_run_id
    from winnow.storage.lock import lock_dataset

    dataset = published(into)
    if read is not None:
        verdicts = read_verdicts(read)
        with lock_dataset(dataset, new_run_id(), wait):
            verdicts = keep_verdicts(dataset, verdicts)
        rules = precision_of(verdicts)
        if as_json:
            print_json({"version": verdicts[0].version, "rules": rules})
            return 0
        print_table(
            ("rule", "right", "wrong", "unsure", "precision", "from", "to"),
            [
                (f"{visible(p.rule)} ({p.kind})", str(p.right), str(p.wrong), str(p.unsure),
                 *("" if share is None else f"{share:.3f}" for share in (p.precision, p.low, p.high)))
                for p in rules
            ],
        )  # fmt: skip
        return 0
    manifest = dataset.manifest(version)
    number, name = manifest.version, manifest.recipe.get("publish", {}).get("name", "dataset")
    items = sample_items(dataset.view(number), sample, rule, manifest.run_id)
    if not items:
        what = f"no repair or removal is by {rule!r}" if rule else "nothing was repaired or removed"
        raise UsageError(f"v{number}: {what}")
    path = to or Path(f"review-v{number}.html")
    write_file(path, render_review(items, name=name, version=number, run_id=manifest.run_id))
    said = f"Wrote {path}: {len(items)} to judge. Open it, save, then: winnow review --read FILE --into {into}"
    print_json({"version": number, "path": str(path), "items": len(items)}) if as_json else print(said)
    return 0
