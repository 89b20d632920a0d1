"""Documents of office programs: their blocks become text, and what cannot be read is one reject in plain words."""

from __future__ import annotations

import re
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.office_files import BLOCKS, docx_file, epub_file, epub_files, odt_file, packed, pdf_bomb, pdf_file

from winnow.base.recipe import ReadSettings
from winnow.base.records import INTERNAL_ERROR, LeftOut, RawDocument, Reject
from winnow.read import hold, list_inputs, read_bytes, read_documents
from winnow.read.pdf_pages import Line, paragraphs

FILES = {"a.docx": docx_file(), "a.odt": odt_file(), "a.pdf": pdf_file(), "a.epub": epub_file()}

SLOW_PDF = [pytest.param(n, marks=pytest.mark.slow) if n == "a.pdf" else n for n in FILES]  # each starts a process


def read(folder: Path, name: str, content: bytes, **changes: Any) -> RawDocument | Reject:
    (folder / name).write_bytes(content)
    settings = ReadSettings(**changes)
    (found,) = read_documents(hold(list_inputs(folder / name).files[0]), settings)
    assert not isinstance(found, LeftOut)
    if found.content:
        assert list(read_bytes(found.source, name, found.content, settings)) == [found]
    return found


@pytest.mark.parametrize("name", FILES)
def test_a_document_of_another_program_is_its_blocks(name: str, tmp_path: Path) -> None:
    found = read(tmp_path, name, FILES[name])
    assert isinstance(found, RawDocument)
    assert (found.title, found.metadata["author"], found.source) == ("The title", "A. Writer", name)
    text = re.sub(r"\n\n(?=- )|(?<=thing)\n\n(?=-)", "\n\n", found.text).replace("  - ", "- ")
    text = text.replace("one thing\n\n- another", "one thing\n- another")
    assert text.split("\n\n") == list(BLOCKS[: 4 if name == "a.pdf" else 5])


@pytest.mark.parametrize("name", SLOW_PDF)
def test_a_document_cut_at_any_byte_is_one_reject_or_what_stands_before(name: str, tmp_path: Path) -> None:
    for place in range(1, 21):
        found = read(tmp_path, name, FILES[name][: len(FILES[name]) * place // 21])
        if isinstance(found, Reject):
            assert found.expectation == "damaged"
            assert found.content == FILES[name][: len(FILES[name]) * place // 21]
        else:
            assert name == "a.pdf"  # PDFium mends what lost its end


def test_what_word_processors_hide_in_a_paragraph_is_read_and_what_they_deleted_is_not(tmp_path: Path) -> None:
    w = "xmlns:w='w' xmlns:mc='mc'"
    body = (
        "<w:p><w:ins><w:r><w:t>put in</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>out</w:delText><w:t>out</w:t></w:r></w:del>"
        "<w:r><w:tab/><w:t>then</w:t><w:br/><w:t>next</w:t><w:noBreakHyphen/></w:r></w:p>"
        "<w:sdt><w:sdtContent><w:p><w:hyperlink><w:r><w:t>linked</w:t></w:r></w:hyperlink></w:p></w:sdtContent></w:sdt>"
        "<w:p><w:r><mc:AlternateContent><mc:Choice><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent>"
        "</mc:Choice><mc:Fallback><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent></mc:Fallback>"
        "</mc:AlternateContent></w:r></w:p>"
        "<w:p><w:r><w:ruby><w:rt><w:r><w:t>kan</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>漢</w:t></w:r></w:rubyBase></w:ruby>"
        "<w:sym w:font='Symbol' w:char='F061'/><w:sym w:font='Wingdings' w:char='F0FC'/></w:r>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>"
        "<w:r><w:rPr><w:vanish w:val='0'/></w:rPr><w:t>shown</w:t></w:r></w:p>"
        "<w:p><w:pPr><w:numPr><w:ilvl w:val='1'/></w:numPr></w:pPr><w:r><w:t>deep</w:t></w:r></w:p>"
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p><w:tbl><w:tr><w:tc><w:p><w:r><w:t>inner</w:t></w:r></w:p>"
        "</w:tc></w:tr></w:tbl></w:tc><w:tc><w:p/></w:tc></w:tr></w:tbl>"
    )
    note = f"<w:footnotes {w}><w:footnote><w:p><w:r><w:t>a note</w:t></w:r></w:p></w:footnote></w:footnotes>"
    files = {"word/document.xml": f"<w:document {w}><w:body>{body}</w:body></w:document>", "word/footnotes.xml": note}
    found = read(tmp_path, "a.docx", packed(files))
    assert isinstance(found, RawDocument)
    assert (
        found.text
        == "put in\tthen\nnext\u2011\n\nlinked\n\nboxed\n\n漢α\uf0fcshown\n\n  - deep\n\na inner | \n\na note"
    )


BOX = "<w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent>"
WRITTEN = {
    "a letter of the font Symbol": (
        "<w:r><w:t>5 </w:t><w:sym w:font='Symbol' w:char='F06D'/><w:t>m</w:t></w:r>",
        "5 μm",
    ),
    "a sign of another font": ("<w:r><w:sym w:font='Wingdings' w:char='F0FC'/><w:t> yes</w:t></w:r>", "\uf0fc yes"),
    "a sign by its own number": ("<w:r><w:sym w:font='Arial' w:char='2022'/></w:r>", "•"),
    "no sign": ("<w:r><w:sym w:font='Arial' w:char='x'/><w:t>a</w:t></w:r>", "a"),
    "a reading above a word": (
        "<w:r><w:ruby><w:rt><w:r><w:t>かん</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>漢</w:t></w:r></w:rubyBase></w:ruby></w:r>",
        "漢",
    ),
    "a box in a cell": (
        f"</w:p><w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t><mc:Choice>{BOX}</mc:Choice><mc:Fallback>{BOX}"
        "</mc:Fallback></w:r></w:p></w:tc></w:tr></w:tbl><w:p>",
        "a boxed",
    ),
}


@pytest.mark.parametrize(("runs", "text"), WRITTEN.values(), ids=WRITTEN)
def test_a_paragraph_of_a_word_processor_says(runs: str, text: str, tmp_path: Path) -> None:
    body = f"<w:document xmlns:w='w' xmlns:mc='mc'><w:body><w:p>{runs}</w:p></w:body></w:document>"
    found = read(tmp_path, "a.docx", packed({"word/document.xml": body}))
    assert isinstance(found, RawDocument)
    assert found.text == text


def test_pages_of_a_book_are_found_under_names_that_packing_changed_and_lost_ones_are_told(tmp_path: Path) -> None:
    files = {name.replace("text/one", "Text/One"): said for name, said in epub_files().items()}
    found = read(tmp_path, "a.epub", packed(files))
    assert isinstance(found, RawDocument) and "lost_pages" not in found.metadata
    whole = read(tmp_path, "a.epub", epub_file())
    assert isinstance(whole, RawDocument) and found.text == whole.text
    fewer = read(tmp_path, "a.epub", packed({n: said for n, said in files.items() if "One" not in n}))
    assert isinstance(fewer, RawDocument) and fewer.metadata["lost_pages"] == "1"


def test_spaces_notes_and_nested_lists_of_open_documents_are_read(tmp_path: Path) -> None:
    t = "xmlns:o='o' xmlns:t='t' xmlns:svg='svg-compatible'"
    body = (
        "<t:tracked-changes><t:p>out</t:p></t:tracked-changes><t:p>a<t:s t:c='3'/>b<t:line-break/>c"
        "<t:note><t:note-body>"
        "<t:p>a note</t:p></t:note-body></t:note>d<o:annotation><t:p>aside</t:p></o:annotation></t:p>"
        "<t:p><t:ruby><t:ruby-base>漢</t:ruby-base><t:ruby-text>kan</t:ruby-text></t:ruby>"
        "<svg:desc>a bird</svg:desc>!</t:p>"
        "<t:list><t:list-item><t:p>one</t:p><t:list><t:list-item><t:p>deep</t:p></t:list-item></t:list></t:list-item>"
        "</t:list>"
    )
    files = {"content.xml": f"<o:doc {t}><o:body><o:text>{body}</o:text></o:body></o:doc>"}
    found = read(tmp_path, "a.odt", packed(files))
    assert isinstance(found, RawDocument)
    assert found.text == "a   b\ncd\n\na note\n\n漢!\n\n- one\n  - deep"


BOMB = "<a>" + "b" * 2_000_000 + "</a>"
ENTITIES = "<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]><d><p>&b;&b;</p></d>"
OUTSIDE = "<!DOCTYPE d [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><d><p>&a;</p></d>"
LOCKED = {**epub_files(), "META-INF/encryption.xml": "<e><CipherReference URI='OEBPS/text/one.xhtml'/></e>"}
REJECTS = {
    "nothing": ("a.docx", b"", "empty"),
    "no package": ("a.odt", b"words", "damaged"),
    "another package": ("a.docx", packed({"a.txt": "words"}), "damaged"),
    "no XML": ("a.odt", packed({"content.xml": "words"}), "damaged"),
    "no text": ("a.odt", packed({"content.xml": "<d><body/></d>"}), "empty"),
    "a part that is a bomb": ("a.docx", packed({"word/document.xml": BOMB}), "too_large"),
    "many parts that are one": ("a.epub", packed({f"{n}": "a" * 900_000 for n in range(6)}), "decompression_bomb"),
    "files without end": ("a.docx", b"PK\x01\x02" * 30_000, "decompression_bomb"),
    "entities in entities": ("a.odt", packed({"content.xml": ENTITIES}), "empty"),
    "an entity from elsewhere": ("a.docx", packed({"word/document.xml": OUTSIDE}), "empty"),
    "depth without end": ("a.docx", packed({"word/document.xml": "<a>" * 9_000}), "damaged"),
    "a document with a password": ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "encrypted"),
    "an open document with a password": (
        "a.odt",
        packed({"content.xml": "x", "META-INF/manifest.xml": "<m><encryption-data/></m>"}),
        "encrypted",
    ),
    "a book with a lock": ("a.epub", packed(LOCKED), "encrypted"),
    "a PDF with a password": ("a.pdf", pdf_file("secret"), "encrypted"),
    "no PDF": ("a.pdf", b"%PDF-1.4 and no more", "damaged"),
}


@pytest.mark.parametrize(("name", "content", "kind"), REJECTS.values(), ids=REJECTS)
def test_what_cannot_be_read_is_a_reject(name: str, content: bytes, kind: str, tmp_path: Path) -> None:
    found = read(tmp_path, name, content, max_document_mb=1, max_unpacked_mb=5)
    assert isinstance(found, Reject)
    assert (found.expectation, found.content) == (kind, b"" if kind in ("too_large", "decompression_bomb") else content)


def test_a_package_may_lie_about_its_sizes(tmp_path: Path) -> None:
    content = bytearray(packed({"word/document.xml": BOMB}))
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    found = read(tmp_path, "a.docx", bytes(content), max_document_mb=1)
    assert isinstance(found, Reject)
    assert found.expectation == "damaged"


def test_without_the_extra_a_pdf_is_a_reject_that_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("winnow.read.office.find_spec", lambda name: None)
    found = read(tmp_path, "a.pdf", FILES["a.pdf"])
    assert isinstance(found, Reject)
    assert (found.expectation, found.content) == ("missing_extra", FILES["a.pdf"])
    assert "pip install 'winnow-text[office]'" in found.reason


@pytest.mark.slow
def test_what_breaks_the_pdf_reader_breaks_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for script, kind in (("import os; os.abort()", "damaged"), ("while True: pass", "damaged")):
        (tmp_path / "pdf_pages.py").write_text(script)
        monkeypatch.setattr("winnow.read.pdf_pages.__file__", str(tmp_path / "pdf_pages.py"))
        monkeypatch.setattr("winnow.read.office._WAIT_SECONDS", 1)
        found = read(tmp_path, "a.pdf", FILES["a.pdf"])
        assert isinstance(found, Reject)
        assert (found.expectation, found.content) == (kind, FILES["a.pdf"])


@pytest.mark.slow
def test_a_pdf_that_unpacks_without_end_costs_time_and_memory_within_bounds(tmp_path: Path) -> None:
    for size in (1 << 20, 4 << 30):
        content = pdf_bomb(size)
        assert len(content) < 100_000
        began = time.monotonic()
        found = read(tmp_path, "a.pdf", content)
        assert time.monotonic() - began < 180
        assert isinstance(found, Reject) == (size > 1 << 30)


def line(text: str, bottom: float, left: float = 0, right: float = 100, height: float = 10) -> Line:
    return Line(text=text, left=left, right=right, bottom=bottom, height=height)


PAGES = {
    "a gap": ([line("one", 90), line("two", 78), line("three", 40)], ["one two", "three"]),
    "a heading": ([line("Head", 90, height=16), line("text", 78), line("on", 66)], ["Head", "text on"]),
    "an indented line": ([line("one", 90), line("two", 78, left=20), line("three", 66)], ["one", "two three"]),
    "items": ([line("• one", 90), line("goes on", 78, left=12), line("• two", 66)], ["• one goes on", "• two"]),
    "short lines": ([line("a", 90, right=9), line("b", 78, right=9), line("c", 66)], ["a\nb", "c"]),
    "the next column": (
        [line("one", 90), line("two", 78), line("three", 300, left=200, right=300)],
        ["one two", "three"],
    ),
    "a parted word": ([line("the govern\ufffe", 90), line("ment", 78)], ["the govern\xad\nment"]),
    "a hyphen of its own": ([line("the Unix\ufffe", 90), line("Definition", 78)], ["the Unix-Definition"]),
    "nothing": ([], []),
}


@pytest.mark.parametrize(("lines", "expected"), PAGES.values(), ids=PAGES)
def test_lines_of_a_page_become_paragraphs_at(lines: list[Line], expected: list[str]) -> None:
    assert list(paragraphs(lines)) == expected


@pytest.mark.parametrize("name", ["a.docx", "a.odt", "a.epub"])
def test_a_package_with_any_part_missing_or_broken_is_rows_or_a_reject(name: str, tmp_path: Path) -> None:
    (tmp_path / "whole").write_bytes(FILES[name])
    with zipfile.ZipFile(tmp_path / "whole") as package:
        files = {entry: package.read(entry) for entry in package.namelist()}
    for missing in [name for name in files if name.endswith(("xml", "rels", "opf"))]:
        for instead in (None, b"<a/>"):
            changed = {n: c if n != missing else instead for n, c in files.items() if n != missing or instead}
            found = read(tmp_path, name, packed({n: c for n, c in changed.items() if c is not None}))
            assert not isinstance(found, Reject) or found.expectation != INTERNAL_ERROR, found.metadata


RICH = {
    "charsets of fonts": (
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 A;}{\f1\fcharset204 B;}}Caf\'e9 {\f1\'c4\'e0 }\'e9\par It\rquote s}",
        "Café Да é\nIt’s",
    ),
    "letters of two bytes": (rb"{\rtf1\ansi\ansicpg932 \'93\'fa\'96\'7b \'83A\'83\'43 end}", "日本 アイ end"),
    "bytes as they are": (b"{\\rtf1\\ansi\\ansicpg1251 \xc4\xe0, \\u1085?\\u1077?\\u-10179?\\u-8704?}", "Да, не😀"),
    "what is not seen": (
        rb"{\rtf1{\info{\title T}}{\header H}{\*\generator W;}{\pict 8950}\trowd A\cell B\cell\row \{x\}\line y}",
        "A | B\n{x}\ny",
    ),
    "a code page of mainframes": (rb"{\rtf1\ansicpg500 Words}", "Words"),
}


@pytest.mark.parametrize(("content", "text"), RICH.values(), ids=RICH)
def test_rich_text_is_what_it_says(content: bytes, text: str, tmp_path: Path) -> None:
    found = read(tmp_path, "a.rtf", content)
    assert isinstance(found, RawDocument)
    assert found.text == text


@pytest.mark.parametrize(
    ("content", "kind"), [(b"words", "damaged"), (b"{\\rtf1 }", "empty"), (b"{\\rtf1" + b"{" * 200_000, "empty")]
)
def test_what_holds_no_rich_text_is_a_reject(content: bytes, kind: str, tmp_path: Path) -> None:
    found = read(tmp_path, "a.rtf", content)
    assert isinstance(found, Reject)
    assert found.expectation == kind
