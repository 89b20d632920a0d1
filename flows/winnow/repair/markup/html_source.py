"""Whether a text is the source of an article's body: balanced paragraphs, headings and lists, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from winnow.base.html_names import BLOCK, CELL, ELEMENTS, HEADING
from winnow.repair.markup.tags import Tag

BODY = (BLOCK - {"hr", "html"}) | {"li", "blockquote"} | HEADING | CELL
"""Elements that hold the sentences of an article."""

PAGE = frozenset(("html", "head", "body", "frameset"))
"""Elements of a whole page: its text is for the reader of HTML to find, not for repair."""

MIN_PARAGRAPHS = 3
MAX_OUTSIDE = 0.05  # share of the text that may stand in no element of the body
MIN_IN_PARAGRAPHS = 0.25  # share that stands in `p`: a list of changes alone is often a piece of a document's source
MAX_ODD = 0.02  # share of the tags that may be of other names, or broken
MAX_UNBALANCED = 0.1  # share of the paragraphs that may lack their other half


OF_SOURCE = frozenset(("html_source", "short_text_tags"))
"""Rules that take all of a source's own tags out: what looks like one then was a reference, to be shown."""

_EMPTY = frozenset("br hr img input wbr area base col embed link meta source track param".split())


def is_wrapped(text: str, found: Sequence[Tag]) -> bool:
    """Whether all of a text stands in elements that open and close in order, as a piece of a page's source does.

    >>> from winnow.repair.markup.tags import tags
    >>> [is_wrapped(t, list(tags(t))) for t in ("<p>A <b>tag</b></p> <p>b</p>", "<p>The <b> tag</p>", "See <p>a</p>")]
    [True, False, False]
    """
    opened: list[str] = []
    at = 0
    for tag in found:
        if not opened and text[at : tag.start].strip():
            return False
        at = tag.end
        if tag.kind in ("comment", "hidden") or tag.name in _EMPTY:
            continue
        if tag.kind != "whole" or tag.name not in ELEMENTS:
            return False
        if not tag.closing:
            opened.append(tag.name)
        elif not opened or opened.pop() != tag.name:
            return False
    return bool(found) and not opened and not text[at:].strip()


def begins_source(first: Tag) -> bool:
    """Whether an article's source may begin with a tag; with a list item begins a piece cut out of a longer one."""
    return first.kind in ("comment", "hidden") or (not first.closing and first.name in BODY and first.name != "li")


def is_html_source(text: str, found: Sequence[Tag]) -> bool:
    """Whether all of a text stands in balanced paragraphs, headings and lists, as an article's source does.

    A text about HTML has sentences around its examples; none of 12,000 undamaged technical documents is of this form.

    >>> from winnow.repair.markup.tags import tags
    >>> article = "<h1>On bees</h1>" + "<p>Bees fly from <em>flower</em> to flower.</p>\\n" * 4
    >>> is_html_source(article, list(tags(article)))
    True
    >>> manual = "The p element:\\n" + article
    >>> is_html_source(manual, list(tags(manual)))
    False
    """
    if not found or not text.lstrip().startswith("<") or any(t.name in PAGE for t in found):
        return False
    if not begins_source(found[0]):
        return False
    if sum(t.kind not in ("whole", "comment", "hidden") for t in found) > MAX_ODD * len(found):
        return False
    n_open = n_closed = outside = inside = within = at = 0
    open_body: list[str] = []
    for tag in found:
        size = len(text[at : tag.start].strip())
        if open_body:
            inside += size
            within += size if "p" in open_body[-3:] else 0
        else:
            outside += size
        at = tag.end
        if tag.name not in BODY:
            continue
        if not tag.closing:
            if tag.name == "p":
                n_open += 1
                if open_body and open_body[-1] == "p":  # a paragraph ends where the next begins
                    open_body.pop()
            open_body.append(tag.name)
        else:
            n_closed += tag.name == "p"
            if tag.name in open_body[-20:]:
                while open_body.pop() != tag.name:
                    pass
    outside += len(text[at:].strip())
    total = inside + outside
    return (
        n_closed >= MIN_PARAGRAPHS
        and abs(n_open - n_closed) <= MAX_UNBALANCED * n_closed
        and outside <= MAX_OUTSIDE * total
        and within >= MIN_IN_PARAGRAPHS * total
        and not [name for name in open_body if name not in ("p", "li")]  # else a piece cut out of a longer source
    )
