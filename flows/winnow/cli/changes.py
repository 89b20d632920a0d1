"""``winnow diff``: what changed between two versions and why, down to the words."""

from __future__ import annotations

from collections.abc import Sequence

from winnow.base.errors import UsageError
from winnow.base.records import doc_id_of
from winnow.base.terminal import Paint, visible
from winnow.cli.output import paint, print_json, shortened
from winnow.cli.versions import published
from winnow.publish.compare.diff import DocumentChange, VersionDiff, diff, diff_document
from winnow.publish.compare.passage_changes import PassageChange
from winnow.publish.compare.words import Span
from winnow.publish.dataset import Dataset
from winnow.storage.locate import Place

CONTEXT = 60  # characters shown on either side of a change; longer unchanged stretches are left out
MARKS = {"added": "+", "withdrawn": "-", "changed": "~", "set_aside": "."}


def diff_versions(root: Place, a: int | None, b: int | None, doc: str | None, limit: int, as_json: bool) -> int:
    """Print what differs; both versions left out means the last two."""
    dataset = published(root)
    first, second = _pair(dataset, a, b)
    if doc is not None:
        return _one_document(dataset, first, second, doc, as_json)
    found = diff(dataset, first, second, None if as_json or not limit else limit)
    if as_json:
        print_json(found)
        return 0
    p = paint()
    print(p.bold(f"v{first} -> v{second}") + f"  {_counts(found)}")
    for name, (gone, come) in found.tables.items():
        if gone or come:
            print(p.dim(f"  {name:<11} {p.red(f'-{gone:,}')} {p.green(f'+{come:,}')} rows"))
    for change in found.documents:
        _print_change(change, p)
    rest = found.added + found.withdrawn + found.changed + found.set_aside - len(found.documents)
    if rest > 0:
        print(p.dim(f"and {rest:,} more documents; see them all with --limit 0 or --json"))
    return 0


def _pair(dataset: Dataset, a: int | None, b: int | None) -> tuple[int, int]:
    numbers = dataset.version_numbers()
    if a is None:
        if len(numbers) < 2:
            raise UsageError(f"{dataset.name}: has one version only; there is nothing to compare it with")
        return numbers[-2], numbers[-1]
    return a, numbers[-1] if b is None else b


def _counts(found: VersionDiff) -> str:
    names = ("added", "withdrawn", "changed", "set_aside")
    said = [f"{getattr(found, n):,} {n.replace('_', ' ')}" for n in names if getattr(found, n)]
    return ", ".join(said) if said else "no document differs"


def _print_change(change: DocumentChange, p: Paint) -> None:
    colour = {"added": p.green, "withdrawn": p.red, "changed": p.yellow, "set_aside": p.dim}[change.kind]
    print(f"\n{colour(MARKS[change.kind])} {change.doc_id}  {visible(change.source)}")
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


def _one_document(dataset: Dataset, a: int, b: int, doc: str, as_json: bool) -> int:
    doc_id = doc if _is_doc_id(doc) else doc_id_of(doc)
    change, spans = diff_document(dataset, a, b, doc_id)
    if as_json:
        print_json({"change": change, "spans": spans})
        return 0
    p = paint()
    if change is None:
        print(f"{doc_id} is the same in v{a} and v{b}")
        return 0
    _print_change(change, p)
    print()
    print(marked_words(spans, p))
    return 0


def _is_doc_id(name: str) -> bool:
    return len(name) == 16 and all(c in "0123456789abcdef" for c in name)


def marked_words(spans: Sequence[Span], p: Paint, context: int = CONTEXT) -> str:
    """The text with what is gone as ``[-…-]`` and what has come as ``{+…+}``, long unchanged stretches left out.

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
    """Line ends stay, all else that could act on a terminal is escaped."""
    return "\n".join(visible(line) for line in text.split("\n"))
