"""Documents as office programs write them, each with a heading, paragraphs, a list and a table."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping

import docx
import odfdo
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

RIVER = "The river board measured the old bridge before dawn, and nobody in the town knew why it took so long. " * 3
MILL = "The mill above the weir was sold in spring; its wheel turns on, for the new owner is fond of the sound. " * 3
BLOCKS = ("A heading", RIVER.strip(), MILL.strip(), "- one thing\n- another thing", "a | b\n1 | 2 x")
"""The blocks of each document; of a PDF without its table, which is only drawn."""


def docx_file() -> bytes:
    document = docx.Document()
    document.core_properties.title, document.core_properties.author = "The title", "A. Writer"
    document.add_heading(BLOCKS[0], 1)
    document.add_paragraph(BLOCKS[1])
    paragraph = document.add_paragraph()
    paragraph.add_run(BLOCKS[2][:50]).bold = True
    paragraph.add_run(BLOCKS[2][50:])
    for text in ("one thing", "another thing"):
        document.add_paragraph(text, style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip((c for row in table.rows for c in row.cells), ("a", "b", "1", "2 x"), strict=True):
        cell.text = text
    sink = io.BytesIO()
    document.save(sink)
    return sink.getvalue()


def odt_file() -> bytes:
    document = odfdo.Document("text")
    document.meta.title, document.meta.creator = "The title", "A. Writer"
    body = document.body
    body.clear()
    body.append(odfdo.Header(1, BLOCKS[0]))
    body.append(odfdo.Paragraph(BLOCKS[1]))
    body.append(odfdo.Paragraph(BLOCKS[2]))
    body.append(odfdo.List(["one thing", "another thing"]))
    table = odfdo.Table("t", width=2, height=2)
    table.set_values([["a", "b"], ["1", "2 x"]])
    body.append(table)
    sink = io.BytesIO()
    document.save(sink)
    return sink.getvalue()


def pdf_file(password: str | None = None) -> bytes:
    style = getSampleStyleSheet()
    sink = io.BytesIO()
    locked = {"encrypt": StandardEncryption(password)} if password else {}
    template = SimpleDocTemplate(sink, pagesize=A4, title="The title", author="A. Writer", invariant=1, **locked)
    story = [Paragraph(BLOCKS[0], style["Heading1"])]
    for text in BLOCKS[1:3]:
        story += [Paragraph(text, style["Normal"]), Spacer(1, 12)]
    story += [Paragraph(f"• {text}", style["Normal"]) for text in ("one thing", "another thing")]
    template.build(story)
    return sink.getvalue()


def pdf_bomb(size: int) -> bytes:
    """A page whose drawing is packed twice: `size` bytes of nothing, and a word."""
    squeeze = zlib.compressobj(9)
    once = b"".join(squeeze.compress(bytes(b" " * (1 << 20))) for _ in range(size >> 20))
    once += squeeze.compress(b"BT /F 12 Tf (word) Tj ET") + squeeze.flush()
    drawn = zlib.compress(once, 9)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Filter[/FlateDecode/FlateDecode]/Length %d>>stream\n%s\nendstream" % (len(drawn), drawn),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body = b"".join(b"%d 0 obj%s endobj\n" % (n, content) for n, content in enumerate(objects, 1))
    return b"%PDF-1.4\n" + body + b"trailer<</Root 1 0 R/Size 6>>\n%%EOF\n"


def packed(files: Mapping[str, str | bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return sink.getvalue()


def epub_files() -> dict[str, str | bytes]:
    page = "<html xmlns='http://www.w3.org/1999/xhtml'><head><title>x</title></head><body>{}</body></html>"
    return {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": "<container xmlns='urn:oasis:names:tc:opendocument:xmlns:container'>"
        "<rootfiles><rootfile full-path='OEBPS/book.opf'/></rootfiles></container>",
        "OEBPS/book.opf": "<package xmlns='http://www.idpf.org/2007/opf' xmlns:dc='http://purl.org/dc/elements/1.1/'>"
        "<metadata><dc:title>The title</dc:title><dc:creator>A. Writer</dc:creator></metadata><manifest>"
        "<item id='two' href='two%20b.xhtml'/><item id='one' href='text/one.xhtml'/>"
        "<item id='three' href='3.xhtml'/><item id='t' href='table.xhtml'/>"
        "</manifest><spine><itemref idref='one'/><itemref idref='two'/><itemref idref='t'/>"
        "<itemref idref='three' linear='no'/></spine>"
        "</package>",
        "OEBPS/two b.xhtml": page.format(f"<p>{BLOCKS[2]}</p><ul><li>one thing</li><li>another thing</li></ul>"),
        "OEBPS/table.xhtml": page.format("<table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2 x</td></tr></table>"),
        "OEBPS/text/one.xhtml": page.format(f"<h1>{BLOCKS[0]}</h1><p>{BLOCKS[1]}</p>"),
        "OEBPS/3.xhtml": page.format("<p>an answer that stands aside</p>"),
    }


def epub_file() -> bytes:
    return packed(epub_files())
