"""HTML: the main text of a page, its title, and its structure as lines.

Two extractors; the better one depends on what the page is (word F1 on 196 pages of seven kinds, trafilatura alone .80):
* a forum's text is its posts, which resiliparse finds best once what stands beside them is out (`forum_elements`);
* where one `<article>` holds much of the page and trafilatura has most of it, the rest is not missed: it is teasers,
  comments, related pages;
* else resiliparse, comments left out, tells what trafilatura has missed: much of the page (shops, services, listings).
Left out: navigation, adverts, scripts. Kept as lines: paragraphs apart by a blank line, list items as ``- item`` with
their level as indentation, table rows as ``a | b``, preformatted text as it is, the text of images among words.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from winnow.base.errors import ReadError
from winnow.base.html_names import HEADING
from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument
from winnow.read.charset import decode
from winnow.read.content import Content, sha256
from winnow.read.forum_elements import remove_beside_posts
from winnow.read.page_elements import with_captions, with_image_texts, with_plain_elements, without_templates
from winnow.read.shell_page import is_application, only_asks

logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it reports each page it finds nothing in

MAX_TAG = 16_000  # characters of a tag; a longer one is no author's, and parsers compare all its attributes with all

MISSED = 0.6  # of resiliparse's length; the score is flat from .2 to .8
MISSED_IN_PARTS = 0.75  # of a page that is no article: what is missed stands in parts, not in teasers
_ARTICLE_SHARE = 0.2  # of the page's text in one <article>, from which the page is that article
_ABOUT_AS_LONG = 0.5
_NO_SENTENCES = 600  # characters of menus that trafilatura takes where a page has no main text
# Beyond these a page is data or an attack, and the extractors, quadratic in depth and worse, would take minutes.
SLOW_CHARS, SLOW_ELEMENTS, DEPTH = 3_000_000, 50_000, 500

# What begins and ends a line, in trafilatura's names.
_OWN_LINE = frozenset("lb p list item head quote row cell table div code".split())
_ARTICLE, _FEW_ARTICLES = re.compile(r"<article\b", re.IGNORECASE), 2  # more of them are teasers or posts
# An article by its own word: Open Graph, schema.org.
_ARTICLE_TYPE = re.compile(
    r"""og:type["']?\s+content=["']?article|content=["']article["']\s+property=["']og:type|"@type"\s*:\s*"(?:News)?(?:Article|BlogPosting)\""""
)
# A forum by its own word, or that of the software that made it.
_FORUM = re.compile(
    r"""DiscussionForumPosting|schema\.org/QAPage|"@type"\s*:\s*"QAPage"|<(?:html|body)\b[^>]{0,300}(?:phpbb|vbulletin|xenforo|discourse|nodebb|flarum|mybb|ipsApp|smf_)|id=["']?(?:phpbb|XF|ipsLayout_body)\b|generator["']?\s+content=["']?(?:phpBB|vBulletin|XenForo|Discourse|NodeBB|Flarum|MyBB|Invision)""",
    re.IGNORECASE,
)
_TIME = re.compile(r"<(/?)time\b", re.IGNORECASE)
MOST_OF_POSTS = 0.4  # of a forum's text: counts, ranks and buttons about short posts are the rest
MIN_POSTS = 200  # characters; less is no thread
_SENTENCE = re.compile(r"[^\n]{60}[.!?…。！？]")
_PRE, _PRE_END = re.compile(r"<pre\b[^<>]{0,1000}>\n?", re.IGNORECASE), re.compile(r"</pre\b", re.IGNORECASE)
_TAG_OR_TEXT = re.compile(r"<[^<>]*>|[^<]+|<")
_WHITE = " \t\n"
_SPACE = re.compile(r"[^\S\n]+")
_SIGN_OR_LINE = re.compile("[\\n\u2400-\u2426]")
_BULLET = re.compile(r"^([ \t]*)(?:[•◦▪‣⁃*]|-)[ \t]+", re.MULTILINE)
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
    page = page_of(raw, settings.charset, certain=True)
    yield RawDocument(
        source=content.path, text=page.text, encoding=page.encoding, content_sha256=sha256(raw), title=page.title,
        content=raw, input=content.path,
    )  # fmt: skip


def page_of(raw: bytes, declared: str | None = None, *, certain: bool = False) -> Page:
    """The page in `raw`, also from an archive, a mail or a book; `declared` is the charset their headers name.

    Raises ReadError: ``binary``, ``empty`` for a page without text, or ``shell_page`` for one that only asks.
    """
    html, encoding = decode(raw, declared, certain=certain)
    title, text = main_text(html)
    if only_asks(text) or (not text.strip() and (only_asks(_shown_without_scripts(html)) or is_application(html))):
        raise ReadError(
            "shell_page",
            "is a shell page: it only asks for JavaScript or a check of the browser; save it after scripts have run",
        )
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
    html = with_image_texts(with_plain_elements(without_templates(without_endless_tags(html))))
    html, columns = with_kept_columns(html)
    is_forum = bool(_FORUM.search(html))
    tree = HTMLTree.parse(_TIME.sub(r"<\1span", html) if is_forum else html)
    title = " ".join((tree.title or "").split()) or None
    elements, depth = _size(html)
    is_sound = depth <= DEPTH
    plain = _by_resiliparse(tree, is_sound=is_sound, comments=is_forum)
    if is_forum and remove_beside_posts(tree):
        posts = _by_resiliparse(tree, is_sound=is_sound)
        plain = posts if len(posts) > MOST_OF_POSTS * len(plain) else plain  # it may take what is left for no text
    found = ""
    if len(html) <= SLOW_CHARS and elements <= SLOW_ELEMENTS and is_sound and not (is_forum and len(plain) > MIN_POSTS):
        found = _by_trafilatura(html, is_doubtful=not plain)
    chosen = _with_all_lines(_chosen(found, plain, html, tree), plain, tree if is_sound else None)
    return title, chosen.translate(columns)


def _chosen(found: str, plain: str, html: str, tree: Any) -> str:
    """The text of the extractor that suits the page: `found` is trafilatura's, `plain` resiliparse's."""
    if not found:
        return plain
    share, length = _article_share(html, tree)
    if share >= _ARTICLE_SHARE and len(found) >= MISSED * length:
        return found
    is_article = share >= _ARTICLE_SHARE or _ARTICLE_TYPE.search(html)
    return found if len(found) >= (MISSED if is_article else MISSED_IN_PARTS) * len(plain) else plain


def _with_all_lines(text: str, plain: str, tree: Any) -> str:
    """The text with the lines it has in the page: trafilatura makes one of all where nothing but line breaks or `<div>`
    part them. Then `plain` has the same text in lines, or the whole page does.
    """
    signs = _signs(text)
    if plain.count("\n") > text.count("\n") and " | " not in text and _signs(plain) == signs:
        return plain
    if tree is None:
        return text
    if "\n" in text:
        return _with_headings(text, plain, tree)
    whole = _by_resiliparse(tree, is_sound=True, comments=False, is_article=False)
    other = min(plain, whole, key=lambda o: abs(len(_signs(o)) - len(signs)))
    return other if "\n" in other and 0.9 * len(signs) <= len(_signs(other)) <= 1.1 * len(signs) else text


def _with_headings(text: str, plain: str, tree: Any) -> str:
    """The text with headings that it lacks: those that stand in `plain` between two of its lines, or before all."""
    if not tree.body:
        return text
    # Its lists of elements look through the whole page again for each of their items.
    headings = {" ".join(node.text.split()) for node in tree.body if node.tag in HEADING}
    lines = text.split("\n")
    headings -= set(lines)
    stand = Counter(lines)
    others = [line for line in plain.split("\n") if line]
    at = zip(["", *others], others, others[1:], strict=False)
    before = {b: h for a, h, b in at if h in headings and stand[b] == 1 and (not a or a in stand)}
    return "\n".join(f"{before[line]}\n\n{line}" if line in before else line for line in lines)


def _signs(text: str) -> str:
    """A text without white space, bullets and what parts cells."""
    return "".join(text.split()).replace("|", "").replace("-", "")


def _article_share(html: str, tree: Any) -> tuple[float, int]:
    """The share of the page's text in its one or two `<article>` elements, and the length of the longer one, or of both
    where they are about as long."""
    if not tree.body or not 0 < len(_ARTICLE.findall(html)) <= _FEW_ARTICLES:
        return 0.0, 0
    lengths = [len(" ".join(a.text.split())) for a in tree.body.get_elements_by_tag_name("article")]
    length = sum(n for n in lengths if n >= _ABOUT_AS_LONG * max(lengths))
    whole = len(" ".join((tree.body.text or "").split()))
    return (length / whole if whole else 0.0), length


def with_kept_columns(html: str) -> tuple[str, dict[int, str]]:
    """The page with signs for white space inside `<pre>`, which extractors may squeeze, and what they stand for.

    >>> page, columns = with_kept_columns("<pre>a  b</pre> c  d")
    >>> page.translate(columns), " ".join(page.split()).translate(columns)
    ('<pre>a  b</pre> c  d', '<pre>a  b</pre> c d')
    """
    signs = list(islice((c for c in map(chr, range(0x2400, 0x2427)) if c not in html), len(_WHITE)))
    if len(signs) < len(_WHITE):
        return html, {}
    into = {ord(w): s for w, s in zip(_WHITE, signs, strict=True)}
    pieces, at = [], 0
    while (start := _PRE.search(html, at)) and (end := _PRE_END.search(html, start.end())):
        inner = _TAG_OR_TEXT.sub(
            lambda m: m[0] if m[0].startswith("<") else m[0].translate(into), html[start.end() : end.start()]
        )
        pieces += [html[at : start.end()], inner]
        at = end.start()
    return "".join([*pieces, html[at:]]), {ord(s): w for w, s in zip(_WHITE, signs, strict=True)}


def whole_text(html: str) -> str:
    """All text of a page, such as a chapter of a book: nothing of it is taken for navigation.

    >>> whole_text("<nav>Contents</nav><p>One<figure><img><figcaption>Two</figcaption></figure>")
    'Contents\\n\\nOne\\n\\nTwo'
    """
    from resiliparse.parse.html import HTMLTree

    html = without_templates(without_endless_tags(html.replace("\0", "\ufffd")))
    html = with_image_texts(with_captions(with_plain_elements(html)))
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


def _by_resiliparse(tree: Any, is_sound: bool, comments: bool = True, is_article: bool = True) -> str:
    from resiliparse.extract.html2text import extract_plain_text

    # In a tree that nests without end only the flat text comes out in linear time.
    text = extract_plain_text(
        tree, preserve_formatting=is_sound, main_content=is_sound and is_article, alt_texts=False, links=False,
        noscript=False, form_fields=False, comments=comments,
    )  # fmt: skip
    text = _CELL_GAP.sub(" | ", _BULLET.sub(r"\1- ", text))
    return _BLANK_LINES.sub("\n\n", _SPACED_END.sub("\n", text)).strip()


def _shown_without_scripts(html: str) -> str:
    """All that a page shows where scripts do not run."""
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.html import HTMLTree

    text: str = extract_plain_text(HTMLTree.parse(html), preserve_formatting=False, main_content=False, noscript=True)
    return text


def _by_trafilatura(html: str, *, is_doubtful: bool = False) -> str:
    """The main text; where it `is_doubtful` that there is any, only one that is long or holds a sentence."""
    import trafilatura

    try:
        # `deduplicate` would keep a cache over the whole process, and results would depend on what was read before.
        found = trafilatura.bare_extraction(html, include_comments=False, favor_recall=True, deduplicate=False)
        body = getattr(found, "body", None)
        blocks: list[str] = []
        if body is None:
            return ""
        _blocks(body, blocks)
    except Exception:  # a third party's parser on hostile input; the other extractor still has the page
        return ""
    text = _BLANK_LINES.sub("\n\n", "\n\n".join(b for b in blocks if b.strip()))
    if is_doubtful and len(text) < _NO_SENTENCES and not any(map(_SENTENCE.search, body.itertext())):
        return ""
    return text


def _blocks(parent: Any, blocks: list[str]) -> None:
    for element in parent:
        if element.tag == "list":
            blocks.append("\n".join(_items(element, "")))
        elif element.tag == "table":
            rows = ([_line(cell) for cell in row.iter("cell")] for row in element.iter("row"))
            blocks.append("\n".join(" | ".join(cells) for cells in rows if any(cells)))
        elif element.tag == "code":
            blocks.append("".join(element.itertext()).strip("\n"))
        elif element.tag in ("div", "quote", "body", "main", "section") and any(_is_block(e) for e in element):
            blocks.append(_lines(_in_one_line(element.text)))
            _blocks(element, blocks)
        elif isinstance(element.tag, str):
            blocks.append(_inner(element))
        blocks.append(_lines(_in_one_line(element.tail)))


def _is_block(element: Any) -> bool:
    return element.tag in ("p", "list", "table", "head", "div", "quote", "code") and not _is_inline_code(element)


def _items(parent: Any, indentation: str) -> Iterator[str]:
    """The lines of a list: each item one, the lists inside it below, deeper by a level."""
    for item in _nearest(parent, "item"):
        parts: list[str] = []
        _add_text(item, parts, without="list")
        line = " ".join("".join(parts).split())
        if line:
            yield f"{indentation}- {line}"
        for inner in _nearest(item, "list"):
            yield from _items(inner, indentation + "  " if line else indentation)


def _nearest(parent: Any, tag: str) -> Iterator[Any]:
    """Descendants with a tag that do not stand inside another one."""
    for child in parent:
        if child.tag == tag:
            yield child
        else:
            yield from _nearest(child, tag)


def _add_text(element: Any, parts: list[str], without: str = "") -> None:
    """Add the text of an element; what stands on its own in the page begins and ends a line."""
    parts.append(_in_one_line(element.text))
    for child in element:
        edge = "\n" if child.tag in _OWN_LINE and not _is_inline_code(child) else ""
        parts.append(edge)
        if child.tag != without and isinstance(child.tag, str):
            _add_text(child, parts, without)
        parts += (edge, _in_one_line(child.tail))


def _is_inline_code(element: Any) -> bool:
    """Whether an element is code among words; that of a `<pre>` holds signs for its white space."""
    return element.tag == "code" and not _SIGN_OR_LINE.search("".join(element.itertext()).strip())


def _in_one_line(text: str | None) -> str:
    """Text as browsers show it: lines of the page's source are none of the text."""
    return text.replace("\n", " ") if text else ""


def _inner(element: Any) -> str:
    """The text of a paragraph; ``lb`` elements are line breaks."""
    parts: list[str] = []
    _add_text(element, parts)
    return _lines("".join(parts))


def _lines(text: str) -> str:
    return "\n".join(line.strip() for line in _SPACE.sub(" ", text).split("\n") if line.strip())


def _line(element: Any) -> str:
    return " ".join(_inner(element).split())
