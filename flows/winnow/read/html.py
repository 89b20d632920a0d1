"""HTML: the main text of a page, its title, and its structure as lines.

Two extractors, chosen by word F1 on 196 pages of seven kinds: trafilatura finds articles and documentation best (.80
over all kinds), resiliparse shops and listings (.77, at six times the speed). Where trafilatura finds much less than
resiliparse it has missed the page's main part: .82 together.
Left out: navigation, adverts, scripts. Kept as lines: paragraphs apart by a blank line, list items as ``- item``, table
rows as ``a | b``, preformatted text as it is.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from winnow.base.errors import ReadError
from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument
from winnow.read.charset import decode
from winnow.read.content import Content, sha256

logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it reports each page it finds nothing in

_TAG = re.compile(r"<[A-Za-z][A-Za-z0-9:-]{0,40}(?=\s)")
MAX_TAG = 16_000  # characters of a tag; a longer one is no author's, and parsers compare all its attributes with all

MISSED = 0.6  # of resiliparse's length; the score is flat from .2 to .8
# Beyond these a page is data or an attack, and the extractors, quadratic in depth and worse, would take minutes.
SLOW_CHARS, SLOW_ELEMENTS, DEPTH = 3_000_000, 50_000, 500

_SPACE = re.compile(r"[^\S\n]+")
_BULLET = re.compile(r"^[ \t]*(?:[•◦▪‣⁃*]|-)[ \t]+", re.MULTILINE)
_CELL_GAP = re.compile(r"[ \t]*\t\t[ \t]*")
_SPACED_END = re.compile(r"[ \t]+\n")
_BLANK_LINES = re.compile(r"\n{3,}")
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]{0,15})")  # bounded: no backtracking
# Never closed, or closed by the next of their kind.
_FLAT = frozenset("""
    area base br col dd dt embed hr img input li link meta option p param source tbody td tfoot th thead tr track wbr
""".split())  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a page says: its title, its main text, and the encoding it was in."""

    title: str | None
    text: str
    encoding: str


def read_html(content: Content, settings: ReadSettings) -> Iterator[RawDocument]:
    """One document; raises ReadError for what is empty, binary, too large, or a page without text."""
    raw = content.whole(settings)
    page = page_of(raw)
    yield RawDocument(
        source=content.path, text=page.text, encoding=page.encoding, content_sha256=sha256(raw), title=page.title,
        content=raw, input=content.path,
    )  # fmt: skip


def page_of(raw: bytes, declared: str | None = None) -> Page:
    """The page in `raw`, also from an archive, a mail or a book; `declared` is the charset their headers name.

    Raises ReadError: ``binary``, or ``empty`` for a page without text.
    """
    html, encoding = decode(raw, declared)
    title, text = main_text(html)
    if not text.strip():
        raise ReadError(
            "empty", "is a page without text of its own; leave it out, or save it after its scripts have run"
        )
    return Page(title=title, text=text, encoding=encoding)


def without_endless_tags(html: str) -> str:
    """The page without the attributes of tags of more than `MAX_TAG` characters.

    >>> without_endless_tags("<p " + "a=1 " * 9000 + ">text</p>")
    '<p>text</p>'
    """
    pieces, at = [], 0
    while (end := html.find(">", at)) >= 0:
        tag = _TAG.search(html, at, end) if end - at > MAX_TAG else None
        pieces.append(html[at : tag.end()] + ">" if tag and end - tag.start() > MAX_TAG else html[at : end + 1])
        at = end + 1
    rest = html[at:]
    tag = _TAG.search(rest) if len(rest) > MAX_TAG else None  # no end comes: it is text, and no parser may take it on
    return "".join([*pieces, rest[: tag.start()] + "&lt;" + rest[tag.start() + 1 :] if tag else rest])


def main_text(html: str) -> tuple[str | None, str]:
    """Title and main text of a page; the text is empty where it has none.

    >>> page = "<html><title>T</title><body><article><h1>Head</h1><p>" + "Words matter. " * 20 + "<ul><li>x<li>y</ul>"
    >>> title, text = main_text(page + "<table><tr><td>1<td>2</table></article>")
    >>> title, text.split("\\n\\n")[2:]
    ('T', ['- x\\n- y', '1 | 2'])
    """
    from resiliparse.parse.html import HTMLTree

    html = html.replace("\0", "\ufffd")
    html = without_endless_tags(html)
    tree = HTMLTree.parse(html)
    title = " ".join((tree.title or "").split()) or None
    elements, depth = _size(html)
    plain = _by_resiliparse(tree, is_sound=depth <= DEPTH)
    if len(html) <= SLOW_CHARS and elements <= SLOW_ELEMENTS and depth <= DEPTH:
        found = _by_trafilatura(html)
        if found and len(found) >= MISSED * len(plain):
            return title, found
    return title, plain


def whole_text(html: str) -> str:
    """All text of a page, such as a chapter of a book: nothing of it is taken for navigation.

    >>> whole_text("<nav>Contents</nav><p>One<p>Two")
    'Contents\\n\\nOne\\n\\nTwo'
    """
    from resiliparse.parse.html import HTMLTree

    html = without_endless_tags(html.replace("\0", "\ufffd"))
    return _by_resiliparse(HTMLTree.parse(html), is_sound=_size(html)[1] <= DEPTH, is_article=False)


def _size(html: str) -> tuple[int, int]:
    """Elements opened, and how deep they nest, about as the HTML standard's stack of open elements has it.

    >>> _size("<div><p>a<p>b<br></div><div></i></div>")
    (5, 1)
    """
    opened: list[str] = []
    count: Counter[str] = Counter()
    elements = depth = 0
    for tag in _TAG.finditer(html):
        name = tag[2].lower()
        if name in _FLAT:
            elements += not tag[1]
        elif not tag[1]:
            elements += 1
            opened.append(name)
            count[name] += 1
            depth = max(depth, len(opened))
        else:
            while count[name]:
                last = opened.pop()
                count[last] -= 1
                if last == name:
                    break
    return elements, depth


def _by_resiliparse(tree: Any, is_sound: bool, is_article: bool = True) -> str:
    from resiliparse.extract.html2text import extract_plain_text

    # In a tree that nests without end only the flat text comes out in linear time.
    text = extract_plain_text(
        tree, preserve_formatting=is_sound, main_content=is_sound and is_article, alt_texts=False, links=False,
        noscript=False, form_fields=False,
    )  # fmt: skip
    text = _CELL_GAP.sub(" | ", _BULLET.sub("- ", text))
    return _BLANK_LINES.sub("\n\n", _SPACED_END.sub("\n", text)).strip()


def _by_trafilatura(html: str) -> str:
    import trafilatura

    try:
        # `deduplicate` would keep a cache over the whole process, and results would depend on what was read before.
        found = trafilatura.bare_extraction(html, include_comments=False, favor_recall=True, deduplicate=False)
    except Exception:  # a third party's parser on hostile input; the other extractor still has the page
        return ""
    body = getattr(found, "body", None)
    if body is None:
        return ""
    blocks: list[str] = []
    _blocks(body, blocks)
    return _BLANK_LINES.sub("\n\n", "\n\n".join(b for b in blocks if b.strip()))


def _blocks(parent: Any, blocks: list[str]) -> None:
    for element in parent:
        if element.tag == "list":
            outer = (i for i in element.iter("item") if not any(a.tag == "item" for a in i.iterancestors()))
            items = map(_line, outer)
            blocks.append("\n".join(f"- {item}" for item in items if item))
        elif element.tag == "table":
            rows = ([_line(cell) for cell in row.iter("cell")] for row in element.iter("row"))
            blocks.append("\n".join(" | ".join(cells) for cells in rows if any(cells)))
        elif element.tag == "code":
            blocks.append("".join(element.itertext()).strip("\n"))
        elif element.tag in ("div", "quote", "body", "main", "section") and any(_is_block(e) for e in element):
            blocks.append(_lines(element.text or ""))
            _blocks(element, blocks)
        elif isinstance(element.tag, str):
            blocks.append(_inner(element))
        blocks.append(_lines(element.tail or ""))


def _is_block(element: Any) -> bool:
    return element.tag in ("p", "list", "table", "head", "div", "quote", "code")


def _inner(element: Any) -> str:
    """The text of a paragraph; ``lb`` elements are line breaks."""
    parts = [element.text or ""]
    for child in element.iterdescendants():
        if child.tag == "lb":
            parts.append("\n")
        parts.append(child.text or "" if isinstance(child.tag, str) else "")
        parts.append(child.tail or "")
    return _lines("".join(parts)) if len(element) else _lines(element.text or "")


def _lines(text: str) -> str:
    return "\n".join(line.strip() for line in _SPACE.sub(" ", text).split("\n") if line.strip())


def _line(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())
