"""Repeat removal for one text on its own, as the filter ``winnow clean --passages`` does it."""

from __future__ import annotations

from winnow.base.recipe import DeduplicateSettings
from winnow.base.records import Passage
from winnow.deduplicate.passages.passages import split_passages
from winnow.deduplicate.repeats.inside import InnerRepeat, cut_at_repeats, inner_repeats


def inside_document(text: str, settings: DeduplicateSettings) -> tuple[str, list[tuple[Passage, InnerRepeat]]]:
    """The text without promotion and without what repeats inside it, and each passage removed with its reason.

    >>> line = "The minister said that the bridge would be open to all before the winter came."
    >>> article = f"{line}\\n\\nADVERTISEMENT\\n\\nOther words.\\n\\n{line}"
    >>> text, removed = inside_document(article, DeduplicateSettings())
    >>> text.endswith("Other words."), [r.reason for _, r in removed]
    (True, ['promo', 'repeat'])
    """
    blocks = split_passages(text)
    rows = cut_at_repeats(blocks, inner_repeats(blocks, settings))
    return join_kept([(p, why is None) for p, why in rows]), [(p, why) for p, why in rows if why]


def join_kept(rows: list[tuple[Passage, bool]]) -> str:
    """The kept passages in order, each with its gap; what is removed goes with its own.

    Of the gaps between two kept passages the widest stays, so that a paragraph does not stick to the next.
    """
    out: list[str] = []
    gap = ""
    for passage, kept in rows:
        if kept:
            if out:
                out.append(gap)
            out.append(passage.text)
            gap = passage.gap
        elif len(passage.gap) > len(gap):
            gap = passage.gap
    if rows and rows[-1][1]:
        out.append(rows[-1][0].gap)
    return "".join(out)
