"""Documents that people send: PDF, DOCX, ODT, RTF and EPUB; each file is one document.

PDF is read by PDFium (extra ``office``): on a manual with its text beside it, its words came out as well as those of
pdfminer.six, at a fraction of the time, and far better than those of pypdf. It is C++, so it runs in a process of its
own, within bounds.
DOCX and ODT are XML that lxml reads: python-docx leaves out insertions under review, content controls, text boxes and
notes; odfpy is not kept any more. EPUB is pages, and goes the way of HTML (ebooklib's licence is AGPL).
Paragraphs stand apart by a blank line, list items are ``- item``, table rows ``a | b``.
"""

from __future__ import annotations

import io
import json
import posixpath
import subprocess
import sys
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from winnow.base.errors import ReadError
from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument, without_lone_surrogates
from winnow.base.rich_text import text_of_rtf
from winnow.read import pdf_pages
from winnow.read.charset import decode
from winnow.read.content import MB, Content, sha256, unpack_limit
from winnow.read.html import whole_text

_MOST_ENTRIES = 20_000  # files in a package; Python's zipfile holds half a kB for each
_ENTRY, _OLE = b"PK\x01\x02", b"\xd0\xcf\x11\xe0"
_WAIT_SECONDS, _WAIT_SECONDS_A_MB = 300, 60  # for a PDF, on a busy machine; its processor time is bounded by itself


@dataclass(slots=True)
class _Said:
    """What a document says, as it is gathered."""

    title: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    blocks: list[str] = field(default_factory=list)
    in_list: bool = False

    def paragraph(self, text: str) -> None:
        if text.strip():
            self.blocks.append(text.strip("\n"))
            self.in_list = False

    def item(self, text: str, level: int) -> None:
        if not text.strip():
            return
        line = "  " * min(level, 9) + f"- {text.strip()}"
        if self.in_list:
            self.blocks[-1] += "\n" + line
        else:
            self.blocks.append(line)
        self.in_list = True


def read_pdf(content: Content, settings: ReadSettings) -> Iterator[RawDocument]:
    """One document; raises ReadError for what is damaged, encrypted, too large, or only pictures of pages."""
    raw = content.whole(settings)
    library = find_spec("pypdfium2")
    if library is None or library.origin is None:
        raise ReadError(
            "missing_extra", "is a PDF, which an extra reads: pip install 'winnow-text[office]', then winnow replay"
        )
    found = _pages(raw, int(settings.max_document_mb * MB), Path(library.origin).parent.parent)
    said = _Said(title=str(found["title"] or ""), metadata={"author": str(found["author"] or "")})
    said.metadata["pages"] = str(len(found["pages"]) + found["lost_pages"])
    if found["lost_pages"]:
        said.metadata["lost_pages"] = str(found["lost_pages"])
    for page in found["pages"]:
        for paragraph in page:
            is_item = paragraph.startswith(("• ", "◦ ", "▪ ", "‣ ", "● "))
            said.item(paragraph[2:], 0) if is_item else said.paragraph(paragraph)
    if not said.blocks:
        raise ReadError("empty", "holds no text, only pictures of pages; have their text recognised first")
    yield _document(content, raw, said, "pdf")


def _pages(raw: bytes, most_chars: int, library: Path) -> dict[str, Any]:
    # Isolated, it takes nothing from the working folder, and would not see packages of a user's own.
    command = [sys.executable, "-I", pdf_pages.__file__, str(most_chars), str(library)]
    try:
        done = subprocess.run(
            command, input=raw, capture_output=True, check=False,
            timeout=_WAIT_SECONDS + _WAIT_SECONDS_A_MB * len(raw) / MB,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ReadError("damaged", "takes the PDF reader too long; print it anew, or leave it out") from error
    if done.returncode:
        raise ReadError("damaged", "breaks the PDF reader or its bounds; print it anew, or leave it out")
    found: dict[str, Any] = json.loads(done.stdout)
    if found.get("error") == "encrypted":
        raise ReadError("encrypted", "is encrypted with a password; save it without")
    if found.get("error") == "too_large":
        raise ReadError("too_large", f"holds {found['why']}; raise read.max_document_mb or cut it up")
    if "error" in found:
        raise ReadError("damaged", f"is no PDF that can be read ({found['why']}); fetch or print it again")
    return found


class _Package:
    """The files in a zip archive, each bounded, and every fault a ReadError."""

    def __init__(self, content: Content, raw: bytes, settings: ReadSettings) -> None:
        self._most = settings.max_document_mb * MB
        if raw.startswith(_OLE):
            raise ReadError("encrypted", "is encrypted with a password, or of an older format; save it anew without")
        if raw.count(_ENTRY) > _MOST_ENTRIES:
            raise ReadError("decompression_bomb", f"holds more than {_MOST_ENTRIES} files; unpack it")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(raw))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeDecodeError) as error:
            raise ReadError("damaged", f"is no whole document ({str(error)[:80]}); fetch or save it again") from error
        limit = unpack_limit(len(raw), settings)
        if sum(entry.file_size for entry in self._zip.infolist()) > limit:
            raise ReadError(
                "decompression_bomb",
                f"unpacks to more than {limit:.0f} bytes; raise read.max_unpacked_mb or read.max_unpacked_ratio",
            )

    def names(self) -> set[str]:
        return set(self._zip.namelist())

    def bytes(self, name: str) -> bytes:
        """A file; raises ReadError where it is missing, damaged, encrypted or too large."""
        try:
            entry = self._zip.getinfo(name)
            if entry.flag_bits & 1:
                raise ReadError("encrypted", "is encrypted with a password; save it without")
            if entry.file_size > self._most:
                raise ReadError("too_large", f"holds more than {self._most / MB:g} MB; raise read.max_document_mb")
            return self._zip.read(entry)
        except KeyError as error:
            raise ReadError("damaged", f"lacks its part {name[:80]!r}; save it again") from error
        except (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError, NotImplementedError, RuntimeError) as e:
            raise ReadError("damaged", f"has a part that is broken ({str(e)[:80]}); save it again") from e

    def xml(self, name: str) -> Any:
        """The root of an XML file; entities are left as they are, and nothing is fetched."""
        from lxml import etree

        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        try:
            root = etree.fromstring(self.bytes(name), parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise ReadError("damaged", f"has a part that is no XML ({str(error)[:80]}); save it again") from error
        if root is None:
            raise ReadError("damaged", f"has an empty part {name[:80]!r}; save it again")
        return root


def _name(element: Any) -> str:
    """An element's name without its namespace; empty for comments and the like."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _value(element: Any, name: str) -> str:
    """An attribute whatever its namespace."""
    return next((str(v) for key, v in element.attrib.items() if key.rpartition("}")[2] == name), "")


def _document(content: Content, raw: bytes, said: _Said, kind: str) -> RawDocument:
    text = without_lone_surrogates("\n\n".join(said.blocks).replace("\0", "\ufffd"))
    if not text.strip():
        raise ReadError("empty", "holds no text; leave it out")
    metadata = {name: " ".join(value.split())[:1000] for name, value in said.metadata.items()}
    return RawDocument(
        source=content.path, text=text.replace("\r\n", "\n").replace("\r", "\n"), encoding=kind,
        content_sha256=sha256(raw), title=without_lone_surrogates(" ".join(said.title.split())) or None,
        metadata={name: without_lone_surrogates(value) for name, value in metadata.items() if value}, content=raw,
        input=content.path,
    )  # fmt: skip


def _about(root: Any, said: _Said) -> None:
    """Title, author and language as the Dublin Core elements of any of the formats tell them."""
    for element in root.iter():
        name, text = _name(element), (element.text or "").strip()
        if name == "title" and not said.title:
            said.title = text
        elif name in ("creator", "language") and text:
            said.metadata.setdefault("author" if name == "creator" else name, text)


_GONE = frozenset("del moveFrom Fallback pPr rPr sectPr tblPr trPr tcPr instrText rt rubyPr".split())


def read_docx(content: Content, settings: ReadSettings) -> Iterator[RawDocument]:
    """One document; deletions under review, headers and footers are left out, notes stand at the end."""
    raw = content.whole(settings)
    package = _Package(content, raw, settings)
    names = package.names()
    said = _Said()
    main = "word/document.xml"
    if "_rels/.rels" in names:
        for link in package.xml("_rels/.rels"):
            if _value(link, "Type").endswith("/officeDocument"):
                main = _value(link, "Target").lstrip("/")
    _docx_blocks(package.xml(main), said)
    for notes in ("footnotes", "endnotes"):
        if (part := posixpath.join(posixpath.dirname(main), f"{notes}.xml")) in names:
            _docx_blocks(package.xml(part), said)
    if "docProps/core.xml" in names:
        _about(package.xml("docProps/core.xml"), said)
    yield _document(content, raw, said, "docx")


def _docx_blocks(parent: Any, said: _Said) -> None:
    for element in parent:
        name = _name(element)
        if name == "p":
            boxes: list[Any] = []
            text = "".join(_docx_text(element, boxes))
            level = _docx_level(element)
            said.paragraph(text) if level is None else said.item(text, level)
            for box in boxes:
                _docx_blocks(box, said)
        elif name == "tbl":
            said.paragraph("\n".join(_docx_rows(element)))
        elif name and name not in _GONE:
            _docx_blocks(element, said)


def _docx_text(element: Any, boxes: list[Any]) -> Iterator[str]:
    for child in element:
        name = _name(child)
        if name == "t":
            yield child.text or ""
        elif name == "txbxContent":
            boxes.append(child)
        elif name in ("br", "cr"):
            yield "\n"
        elif name == "tab":
            yield "\t"
        elif name == "noBreakHyphen":
            yield "\u2011"
        elif name == "softHyphen":
            yield "\xad"
        elif name == "sym":
            yield _symbol(child)
        elif name == "r" and _is_hidden(child):
            continue
        elif name and name not in _GONE:
            yield from _docx_text(child, boxes)


_FROM, _TO = (
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    "\xa3\xa5\xac\xad\xae\xaf\xb0\xb1\xb3\xb4\xb6\xb7\xb8\xb9\xba\xbb\xbc\xce\xd1\xd6\xd7\xe5\xf2",
    "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖαβχδεφγηιϕκλμνοπθρστυϖωξψζ≤∞←↑→↓°±≥×∂•÷≠≡≈…∈∇√⋅∑∫",
)
_SYMBOLS = str.maketrans(_FROM, _TO)
"""Of the font Symbol (Adobe's encoding), whose letters stand in the private area in Word."""


def _symbol(element: Any) -> str:
    """A character that a font gives its shape; of fonts other than Symbol as it stands, often in the private area."""
    try:
        code = int(_value(element, "char"), 16)
    except ValueError:
        return ""
    if _value(element, "font") == "Symbol":
        return chr(code & 0xFF).translate(_SYMBOLS)
    return chr(code) if code < 0xFFFE else "\ufffd"


def _is_hidden(run: Any) -> bool:
    """Whether a run of text is set to be hidden."""
    return any(
        _value(mark, "val") not in ("0", "false")
        for properties in run
        if _name(properties) == "rPr"
        for mark in properties
        if _name(mark) == "vanish"
    )


def _docx_level(paragraph: Any) -> int | None:
    """How deep in a list a paragraph stands; None for one that is no item."""
    for properties in paragraph:
        if _name(properties) != "pPr":
            continue
        style = ""
        for element in properties:
            if _name(element) == "numPr":
                levels = [_value(e, "val") for e in element if _name(e) == "ilvl"]
                return int(levels[0]) if levels and levels[0].isdecimal() and len(levels[0]) < 3 else 0
            if _name(element) == "pStyle":
                style = _value(element, "val").lower()
        if style.startswith(("listbullet", "listnumber")):
            return int(style[-1]) - 1 if style[-1] in "23456789" else 0
    return None


def _docx_rows(table: Any) -> Iterator[str]:
    for row in table.iter("{*}tr"):
        if next(row.iterancestors("{*}tbl")) is not table:
            continue  # of a table in a cell, whose text stands in the cell
        cells = [e for e in row.iter("{*}tc") if next(e.iterancestors("{*}tr")) is row]
        yield _row(" ".join("".join(_docx_text(p, [])) for p in _docx_paragraphs(cell)) for cell in cells)


def _docx_paragraphs(parent: Any) -> Iterator[Any]:
    """All that stand in an element, also in boxes and tables there, in order."""
    for child in parent:
        if _name(child) == "p":
            yield child
        if (name := _name(child)) and name not in _GONE:
            yield from _docx_paragraphs(child)


def _row(cells: Iterator[str]) -> str:
    said = [" ".join(cell.split()) for cell in cells]
    return " | ".join(said) if any(said) else ""


_ODT_GONE = frozenset("tracked-changes annotation annotation-end forms sequence-decls variable-decls ruby-text".split())


def read_odt(content: Content, settings: ReadSettings) -> Iterator[RawDocument]:
    """One document; deletions under review and comments are left out."""
    raw = content.whole(settings)
    package = _Package(content, raw, settings)
    names = package.names()
    if "META-INF/manifest.xml" in names and b"encryption-data" in package.bytes("META-INF/manifest.xml"):
        raise ReadError("encrypted", "is encrypted with a password; save it without")
    said = _Said()
    for body in package.xml("content.xml").iter("{*}body"):
        _odt_blocks(body, said, -1)
    if "meta.xml" in names:
        _about(package.xml("meta.xml"), said)
    yield _document(content, raw, said, "odt")


def _odt_blocks(parent: Any, said: _Said, level: int) -> None:
    for element in parent:
        name = _name(element)
        if name in ("p", "h"):
            boxes: list[Any] = []
            text = (element.text or "") + "".join(_odt_text(element, boxes))
            said.item(text, level) if level >= 0 and name == "p" else said.paragraph(text)
            for box in boxes:
                _odt_blocks(box, said, -1)
        elif name == "list":
            _odt_blocks(element, said, level + 1)
        elif name == "table":
            rows = [row for row in element.iter("{*}table-row") if next(row.iterancestors("{*}table")) is element]
            said.paragraph("\n".join(filter(None, map(_odt_row, rows))))
        elif name and name not in _ODT_GONE:
            _odt_blocks(element, said, level)


def _odt_row(row: Any) -> str:
    cells = [cell for cell in row if _name(cell) == "table-cell"]
    texts = (" ".join((p.text or "") + "".join(_odt_text(p, [])) for p in cell.iter("{*}p", "{*}h")) for cell in cells)
    return _row(texts)


def _odt_text(element: Any, boxes: list[Any]) -> Iterator[str]:
    for child in element:
        name = _name(child)
        if name == "s":
            count = _value(child, "c")
            yield " " * (min(int(count), 1000) if count.isdecimal() and len(count) < 6 else 1)
        elif name == "tab":
            yield "\t"
        elif name == "line-break":
            yield "\n"
        elif name in ("text-box", "note"):
            boxes.append(child)
        elif name and name not in _ODT_GONE and not (name in ("title", "desc") and "svg" in child.tag):
            yield child.text or ""
            yield from _odt_text(child, boxes)
        yield child.tail or ""


def read_rtf(content: Content, settings: ReadSettings) -> Iterator[RawDocument]:
    """One document, a line a paragraph; headers, footers, pictures and what is kept for programs are left out."""
    raw = content.whole(settings)
    if not raw.lstrip().startswith(b"{\\rtf"):
        raise ReadError("damaged", "is no Rich Text Format; save it again, or name it for what it is")
    yield _document(content, raw, _Said(blocks=[text_of_rtf(raw.decode("ascii", "surrogateescape"))]), "rtf")


def read_epub(content: Content, settings: ReadSettings) -> Iterator[RawDocument]:
    """One document: the pages of a book in its reading order."""
    raw = content.whole(settings)
    package = _Package(content, raw, settings)
    names = package.names()
    books = [_value(e, "full-path") for e in package.xml("META-INF/container.xml").iter("{*}rootfile")]
    if not books:
        raise ReadError("damaged", "names no book in its container; save it again")
    book = package.xml(books[0])
    said = _Said()
    _about(book, said)
    files = {_value(e, "id"): _value(e, "href") for e in book.iter("{*}item")}
    order = dict.fromkeys(_value(e, "idref") for e in book.iter("{*}itemref") if _value(e, "linear") != "no")
    pages = [posixpath.normpath(posixpath.join(posixpath.dirname(books[0]), unquote(files.get(n, "")))) for n in order]
    locked = package.bytes("META-INF/encryption.xml") if "META-INF/encryption.xml" in names else b""
    encodings: dict[str, None] = {}
    as_named = {_alike(name): name for name in sorted(names)}
    lost = 0
    for page in pages:
        if (name := page if page in names else as_named.get(_alike(page), "")) == "":
            lost += 1
            continue
        if name.encode() in locked:
            raise ReadError("encrypted", "is locked by its publisher; Winnow reads books without a lock")
        text, encoding = decode(package.bytes(name))
        encodings[encoding] = None
        said.paragraph(whole_text(text))
    if lost:
        said.metadata["lost_pages"] = str(lost)
    yield _document(content, raw, said, ", ".join(encodings) or "epub")


def _alike(name: str) -> str:
    """A file's name as packing programs may change it: in case, and in how accents are written."""
    return unicodedata.normalize("NFC", name).casefold()
