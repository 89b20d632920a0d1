"""Text of an XML document whatever its elements are called: TEI, DocBook, JATS, feeds, exports.

An element in which text stands beside other elements is a paragraph; one that only holds elements is a frame.
Entities are never expanded and nothing is fetched, so no document grows or looks elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape, unescape
from html.entities import html5
from typing import Any

from winnow.base.errors import ReadError
from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument, without_lone_surrogates
from winnow.read.charset import decode
from winnow.read.content import Content, sha256
from winnow.read.html import read_html

_DECLARATION = re.compile(r"\s{0,99}<\?xml\s[^<>]{0,300}?>")
_PAGE = re.compile(rf"(?:{_DECLARATION.pattern})?\s{{0,99}}<(?:!doctype\s{{1,9}})?html[\s>]", re.IGNORECASE)
_CHARSET = re.compile(r"encoding\s{0,9}=\s{0,9}[\"']([^\"'\s]{1,40})")
_REFERENCE = re.compile(r"<!\[CDATA\[|\]\]>|&(?:(#\d{1,7}|#x[0-9A-Fa-f]{1,6}|[A-Za-z_][\w.-]{0,63});)?")
_OWN = frozenset("amp lt gt quot apos".split())
_ILLEGAL = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF), " ")
_ENTITY = re.compile(r"<!ENTITY\s{1,99}([A-Za-z_][\w.-]{0,63})\s")
_SPACES = re.compile(r"[ \t\n]+")
_SHORT = re.compile(  # entities of one or two characters, so that nothing grows
    r"<!ENTITY\s{1,99}([A-Za-z_][\w.-]{0,63})\s{1,99}(?:\"(&#\w{1,8};|[^\"<&%]{1,2})\"|'(&#\w{1,8};|[^'<&%]{1,2})')"
)
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_AS_SET = frozenset("pre programlisting screen literallayout sourcecode verbatim code".split())
_PARAGRAPHS = frozenset("p para simpara head title l seg ab".split())
_ROWS = frozenset("tr row".split())
_BREAKS = frozenset("lb br cb pb".split())
_FRAMES = frozenset("p para simpara ul ol dl item li listitem lg l blockquote figure disp-quote tr row".split())


def read_xml(content: Content, settings: ReadSettings) -> Iterator[RawDocument]:
    """One document; raises ReadError for what is empty, too large, or no well-formed XML. A page is read as one."""
    raw = content.whole(settings)
    head = raw[:400].decode("latin-1")
    said = _DECLARATION.match(head.removeprefix("\xef\xbb\xbf"))
    named = _CHARSET.search(said[0]) if said else None
    text, encoding = decode(raw, named[1] if named else settings.charset)
    if _PAGE.match(text):
        page = Content(path=content.path, blocks=iter((raw,)), open=content.open)
        yield from read_html(page, settings)
        return
    root, found = _root(text), _Said()
    found.frame(root)
    if not found.paragraphs:
        raise ReadError("empty", "holds no text between its tags; leave it out")
    words = without_lone_surrogates("\n\n".join(found.paragraphs))
    title = next((t for e in root.iter("{*}title") if (t := _SPACES.sub(" ", "".join(e.itertext())).strip())), None)
    yield RawDocument(
        source=content.path, text=words, encoding=encoding, content_sha256=sha256(raw),
        title=title, content=raw, input=content.path,
    )  # fmt: skip


def _root(text: str) -> Any:
    """The root of a document. Faults that cost no text are passed over: names without a namespace, and signs."""
    from lxml import etree

    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True, recover=True,
    )  # fmt: skip
    plain = _plain(_DECLARATION.sub("", text, count=1).translate(_ILLEGAL))
    try:
        root = etree.fromstring(plain.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ReadError("damaged", f"is no XML that can be read ({str(error)[:100]}); write it again") from error
    for fault in parser.error_log.filter_from_level(etree.ErrorLevels.FATAL):
        why = f"{fault.message.strip()[:100]}, line {fault.line}"
        raise ReadError("damaged", f"is no XML that can be read ({why}); write it again")
    if root is None:
        raise ReadError("damaged", "is no XML that can be read; write it again")
    return root


def _plain(text: str) -> str:
    """The source with names of characters as these, and with what is no reference as text, but for sections of CDATA.

    Names of HTML are taken for what they are there: many files use them, and few say what they mean. Other entities
    that a document declares stay references, and so as they are written.
    """
    declared = dict.fromkeys(_ENTITY.findall(text), "")
    declared |= {m[1]: unescape(m[2] or m[3]) for m in _SHORT.finditer(text)}
    in_cdata = False

    def put(sign: re.Match[str]) -> str:
        nonlocal in_cdata
        if sign[0][0] != "&":
            in_cdata = sign[0] == "<![CDATA["
        if sign[0][0] != "&" or in_cdata:
            return sign[0]
        name = sign[1] or ""
        if name in _OWN or (name in declared and not declared[name]):
            return sign[0]
        if name.startswith("#"):
            code = int(name[2:], 16) if name[1] == "x" else int(name[1:])
            is_sign = code < 0x110000 and code not in _ILLEGAL and not 0xD800 <= code < 0xE000
            return sign[0] if is_sign else escape(sign[0])
        return escape(declared.get(name) or html5.get(f"{name};") or sign[0])

    return _REFERENCE.sub(put, text)


def _name(element: Any) -> str:
    """An element's name without its namespace; empty for an entity."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _has_text(element: Any) -> bool:
    """Whether text stands in an element itself, and not only in those that it holds."""
    return bool((element.text or "").strip()) or any((child.tail or "").strip() for child in element)


@dataclass(slots=True)
class _Said:
    """What a document says, as it is gathered."""

    paragraphs: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    """Of the paragraph that goes on."""

    def end(self) -> None:
        if text := _SPACES.sub(" ", "".join(self.parts)).strip():
            self.paragraphs.append(text)
        self.parts.clear()

    def frame(self, element: Any) -> None:
        """An element that holds elements: each is a paragraph or a frame."""
        self.end()
        name = _name(element)
        if name in _AS_SET or element.get(_SPACE) == "preserve":
            if (text := "".join(element.itertext()).strip("\n")).strip():
                self.paragraphs.append(text)
        elif name in _ROWS:
            cells = [_SPACES.sub(" ", "".join(cell.itertext())).strip() for cell in element]
            self.paragraphs.extend([" | ".join(cells)] if any(cells) else [])
        elif name in _PARAGRAPHS or _has_text(element):
            self.words(element)
        else:
            for child in element:
                self.frame(child)
        self.end()

    def words(self, element: Any) -> None:
        """An element with text, and what stands in it; lists and the like are frames there too."""
        self.parts.append(element.text or "")
        between = " " if len(element) > 1 and not _has_text(element) else ""  # a name and its parts
        for n, child in enumerate(element):
            name = _name(child)
            self.parts.append(between if n else "")
            if name in _BREAKS:
                self.parts.append("" if child.get("break") == "no" else " ")
            elif name in _AS_SET - {"code"} or name in _FRAMES or name.lower().endswith(("list", "table")):
                self.frame(child)
            else:
                self.words(child)
            self.parts.append(child.tail or "")
