"""XML becomes its paragraphs, whatever its elements are called; nothing in it grows, and nothing is fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument, Reject
from winnow.read import list_inputs, read_documents

NESTED = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9))


def read(folder: Path, content: str | bytes) -> RawDocument | Reject:
    (folder / "a.xml").write_bytes(content if isinstance(content, bytes) else content.encode())
    (found,) = read_documents(list_inputs(folder / "a.xml").files[0], ReadSettings())
    assert isinstance(found, RawDocument | Reject)
    return found


TEXTS = {
    "paragraphs, and what stands in them": (
        "<a><!-- gone --><?gone too?><p>Some <i>slanted</i> words\n  over lines, un<b>bro</b>ken.</p>\n"
        "<p><i>All</i> <b>in</b></p></a>",
        "Some slanted words over lines, unbroken.\n\nAll in",
    ),
    "frames of records": ("<r><x><name>Ada</name><born>1815</born></x><x/></r>", "Ada\n\n1815"),
    "names in a sentence": ("<p>By <n><s>Lovelace</s><g>Ada</g></n>, 1843.</p>", "By Lovelace Ada, 1843."),
    "lists and notes in a paragraph": (
        "<p>Here: <list><item>one</item><item>two <b>x</b></item></list> after.<fn><p>A note.</p></fn></p>",
        "Here:\n\none\n\ntwo x\n\nafter.\n\nA note.",
    ),
    "a quotation in a sentence": ("<p>He said <quote>yes</quote> to <title>Emma</title>.</p>", "He said yes to Emma."),
    "rows": ("<t><row><cell>a</cell><cell>b\n c</cell></row><row><cell/></row><tr><td>d</td></tr></t>", "a | b c\n\nd"),
    "code": (
        "<a><pre>\nif x &lt; 3:\n    y()\n</pre><p>Set <code>x=1</code>.</p></a>",
        "if x < 3:\n    y()\n\nSet x=1.",
    ),
    "line ends of print": ("<p>one<lb/>two, bro<lb break='no'/>ken</p>", "one two, broken"),
    "a feed": (
        "<rss xmlns:d='d'><item><title>One &amp; all</title><d:text><![CDATA[<p>a & b</p>]]></d:text></item></rss>",
        "One & all\n\n<p>a & b</p>",
    ),
    "names of characters": (
        '<!DOCTYPE p [<!ENTITY eacute "&#233;"><!ENTITY copy "x">]>'
        "<p>caf&eacute;&nbsp;&mdash; &copy; &#x41;&lt;&amp;</p>",
        "café\xa0— x A<&",
    ),
    "other entities stay as they stand": (
        '<!DOCTYPE p [<!ENTITY co "A Company"><!ENTITY f SYSTEM "file:///etc/passwd">]><p>x &co; &f; y</p>',
        "x &co; &f; y",
    ),
    "signs that are none of XML": (
        '<a t="&#34;">R&D & &unknown; &#0;&#x1F;&#65;\x0b<![CDATA[&x;]]> &</a>',
        "R&D & &unknown; &#0;&#x1F;A &x; &",
    ),
    "names without a namespace": ("<a x:b='1' xml:id='23'><x:c>one</x:c></a>", "one"),
    "a declared charset": ("<?xml version='1.0' encoding='windows-1251'?><p>Да, мир</p>".encode("cp1251"), "Да, мир"),
    "a wrong charset": ("<?xml version='1.0' encoding='UTF-8'?><p>un café crème</p>".encode("cp1252"), "un café crème"),
    "UTF-16": ("<?xml version='1.0' encoding='UTF-16'?><p>été</p>".encode("utf-16"), "été"),
    "a page that is no XML": ("<?xml version='1.0'?>\n<!DOCTYPE html><html><body><p>A page.<br></html>", "A page."),
    "a page": (
        "<html xmlns='http://www.w3.org/1999/xhtml'><body><p>A page.</p><script>x</script></body></html>",
        "A page.",
    ),
}


@pytest.mark.parametrize(("content", "text"), TEXTS.values(), ids=TEXTS)
def test_the_text_between_tags_is_the_document(content: str | bytes, text: str, tmp_path: Path) -> None:
    found = read(tmp_path, content)
    assert isinstance(found, RawDocument)
    assert found.text == text


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("", "empty"),
        ("<a><b/>\n</a>", "empty"),
        ("words", "damaged"),
        ("<a>words<b></a>", "damaged"),
        ("<a>one < two</a>", "damaged"),
        ("<a>one <b>two</b>", "damaged"),
        ("<a>" * 300 + "x" + "</a>" * 300, "damaged"),
        (f'<!DOCTYPE p [<!ENTITY a0 "lol">{NESTED}]><p>&a8;</p>', "damaged"),
        (f'<!DOCTYPE p [<!ENTITY a0 "lol">{NESTED}]><p t="&a8;">x</p>', "damaged"),
    ],
)
def test_what_is_no_sound_xml_is_one_reject(content: str, kind: str, tmp_path: Path) -> None:
    found = read(tmp_path, content)
    assert isinstance(found, Reject)
    assert (found.expectation, found.content) == (kind, content.encode())


def test_the_first_title_is_that_of_the_document(tmp_path: Path) -> None:
    found = read(tmp_path, "<d xmlns='x'><h><title>A <b>fine</b>\ntitle</title></h><title>Two</title></d>")
    assert isinstance(found, RawDocument)
    assert found.title == "A fine title"
