"""The page that shows documents before and after, between two versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from winnow.report.page import number, page_of

AROUND = 200  # characters shown on either side of a change
LONGEST = 20_000  # characters shown of a document; the rest is left out


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of text that both versions have, or that only one has."""

    kind: Literal["same", "gone", "come"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedDocument:
    """A document that differs, why, and its text before and after as one row of stretches."""

    doc_id: str
    source: str
    kind: str
    reasons: tuple[str, ...]
    spans: tuple[Stretch, ...]


def render_changes(a: int, b: int, documents: Sequence[ChangedDocument], n_documents: int) -> bytes:
    """The page as UTF-8, given those of the `n_documents` that differ which it shows. It runs no script."""
    shown = [replace(document, spans=tuple(shortened(document.spans))) for document in documents]
    all_of_them = f"{number(n_documents)} {'document differs' if n_documents == 1 else 'documents differ'}"
    part = f"; {number(len(shown))} of them are shown" if len(shown) < n_documents else ""
    return page_of("changes.html", (), a=a, b=b, lede=f"{all_of_them}{part}.", documents=shown)


def shortened(spans: Sequence[Stretch]) -> list[Stretch]:
    """The stretches with the middle of long ones that did not change left out, and in all not much too long.

    >>> [len(s.text) for s in shortened([Stretch("same", "x" * 1000), Stretch("gone", "y")])]
    [403, 1]
    """
    out: list[Stretch] = []
    left = LONGEST
    for span in spans:
        text = span.text
        if span.kind == "same" and len(text) > 2 * AROUND:
            text = f"{text[:AROUND]}\n…\n{text[-AROUND:]}"
        if len(text) > left:
            out.append(Stretch(span.kind, f"{text[:left]}…"))
            break
        left -= len(text)
        out.append(Stretch(span.kind, text))
    return out
