"""Elements of pages that extractors lose, or take for what they are not, as others that they know."""

from __future__ import annotations

import html as entities
import re

from winnow.base.html_names import RAISED

_IMAGE = re.compile(r"<img\b[^<>]{0,2000}>", re.IGNORECASE)
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_FILE_NAME = re.compile(r"\.\w{2,4}$")
_EXPONENT = re.compile(r"(?<=\d)<sup>([-+−]?\d{1,4})</sup>", re.IGNORECASE)  # 10<sup>6</sup> is not 106
_FOLDING = re.compile(r"<(/?)(details|summary)\b([^<>]{0,2000})>", re.IGNORECASE)
_RUBY = re.compile(
    r"<r[pt]c?\b[^<>]{0,200}>[^<>]{0,200}(?:</r[pt]c?>)?|</?(?:ruby|rb|r[pt]c?)\b[^<>]{0,200}>", re.IGNORECASE
)
_TEMPLATE = re.compile(r"<(/?)template\b[^<>]{0,2000}>", re.IGNORECASE)
_CENTER = re.compile(r"<(/?)center\b", re.IGNORECASE)
_CUSTOM = r"[a-z][a-z0-9]{0,30}(?:-[a-z0-9]{1,30}){1,6}(?=[\s/>])"
_CUSTOM_TAG = re.compile(rf"<(/?){_CUSTOM}", re.IGNORECASE)
_CUSTOM_BESIDE = re.compile(rf"</{_CUSTOM}\s{{0,9}}>(?=<{_CUSTOM})", re.IGNORECASE)
_FRAMESET = re.compile(r"<frameset\b", re.IGNORECASE)
_FRAMES = re.compile(r"</?(?:frameset|noframes|frame)\b[^<>]{0,2000}>", re.IGNORECASE)
_SRCDOC = re.compile(r"""<iframe\b[^<>]{0,2000}?\ssrcdoc\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_PAGE_TAG = re.compile(
    r"<!doctype[^<>]{0,300}>|</?(?:html|body)\b[^<>]{0,2000}>|<head\b(?:(?!</?head\b).){0,20000}</head>", re.I | re.S
)
MAX_FRAMES = 20  # of one page whose text stands in an attribute
_FIGURE = re.compile(r"<(/?)figure\b[^<>]{0,2000}>", re.IGNORECASE)
_MEDIA = re.compile(r"<(?:img|picture|video|audio|iframe|svg|canvas|object|embed|amp-)", re.IGNORECASE)
_CAPTION = re.compile(r"<(/?)figcaption\b", re.IGNORECASE)
_NUMBERED_CAPTION = re.compile(
    r"<figcaption\b[^<>]{0,2000}>((?:\s|<[a-z][^<>]{0,300}>){0,20}(?:Fig(?:ure|ura)?|Table|Abb(?:ildung)?|Tab(?:elle|leau|la)?"
    r"|Chart|Graf(?:ico|ik)?|Listing|Рис(?:унок)?|Таблица|図|表|图|圖)\.?\s{0,3}\d(?:(?!</?figcaption).){0,3000})</figcaption\s{0,9}>",
    re.IGNORECASE | re.DOTALL,
)
_GUTTER = re.compile(
    r"<td\b[^<>]{0,300}\bclass\s?=\s?[\"']?[^\"'<>]{0,80}\b(?:(?:\w+-)?gutter|linenos?|linenodiv|blob-num)\b[^<>]{0,300}>"
    r"(?:[\d\s]{0,20}</td\s?>)?",
    re.IGNORECASE,
)
"""A cell for the numbers of lines, whole where it holds one or none."""
_TABLE_BEFORE = re.compile(r"<table\b[^<>]{0,500}>(?:\s|<(?:tbody|tr)\b[^<>]{0,300}>){0,20}\Z", re.IGNORECASE)
_CELL = re.compile(r"<td\b[^<>]{0,500}>", re.IGNORECASE)


def without_templates(html: str) -> str:
    """The page without its `<template>` elements: scripts fill copies of them, and nobody sees the elements themselves.

    Left alone are those that browsers show (declarative shadow roots), and what no end tag follows.

    >>> without_templates("<p>a<template><p>Hello {{name}}<template>b</template></template><p>c")
    '<p>a<p>c'
    >>> without_templates("<template shadowrootmode=open>shown</template> <template>no end")
    '<template shadowrootmode=open>shown</template> <template>no end'
    """
    pieces, at, start, depth = [], 0, 0, 0
    for tag in _TEMPLATE.finditer(html):
        if tag[1] and depth:
            depth -= 1
            if not depth:
                pieces.append(html[at:start])
                at = tag.end()
        elif not tag[1] and (depth or "shadowroot" not in tag[0].lower()):
            start = start if depth else tag.start()
            depth += 1
    return "".join([*pieces, html[at:]])


def with_plain_elements(html: str) -> str:
    """The page with elements that extractors lose as others that they know.

    What folds out has a heading; ruby is its text without how it is read; a figure of a table, a quote or code is
    those; the caption of a numbered figure is a paragraph; code beside its line numbers is code; an element that a
    script defines holds text; a frame is what it holds; an exponent is one still.

    >>> with_plain_elements("<details><summary>Q?</summary>A</details> <ruby>漢<rp>(</rp><rt>かん</rt></ruby>字")
    '<div><h4>Q?</h4>A</div> 漢字'
    >>> with_plain_elements("<figure><pre>x</pre></figure> <figure><img><figcaption>Figure 1. A</figcaption></figure>")
    '<div><pre>x</pre></div> <figure><img></figure><p>Figure 1. A</p>'
    >>> with_plain_elements("<table><tr><td class=gutter>1<td class=code><pre>x</pre></table><x-b>a</x-b><x-c>b</x-c>")
    '<pre>x</pre><span>a</span> <span>b</span>'
    >>> with_plain_elements("10<sup>6</sup>, 1<sup>st</sup>, Na<sup>2</sup>")
    '10⁶, 1<sup>st</sup>, Na<sup>2</sup>'
    """
    html = _FOLDING.sub(lambda m: f"<{m[1]}{'div' if m[2].lower() == 'details' else 'h4'}{m[3]}>", html)
    html = _EXPONENT.sub(lambda m: m[1].translate(RAISED), html)
    html = _CENTER.sub(r"<\1div", _RUBY.sub("", html))
    html = _CUSTOM_TAG.sub(r"<\1span", _CUSTOM_BESIDE.sub("</span> ", html))
    if _FRAMESET.search(html):
        html = _FRAMES.sub("", html)
    return _with_figures(_with_code_alone(_with_frame_texts(html)))


def _with_frame_texts(html: str) -> str:
    """The page with the pages that stand in attributes of its frames; none of those that a script writes."""
    pieces, at, count = [], 0, 0
    while count < MAX_FRAMES and (frame := _SRCDOC.search(html, at)):
        count += 1
        inner = _PAGE_TAG.sub("", entities.unescape(frame[1] or frame[2] or ""))
        in_script = html.rfind("<script", 0, frame.start()) > html.rfind("</script", 0, frame.start())
        if not in_script and "<p" in inner.lower():
            pieces += [html[at : frame.start()], f"<div>{inner}</div>"]
            at = frame.start()
        pieces.append(html[at : frame.end()])
        at = frame.end()
    return "".join([*pieces, html[at:]])


def _with_figures(html: str) -> str:
    """The page with figures that are no pictures as blocks, and captions with a number as paragraphs."""
    pieces: list[str] = []
    at = 0
    opening: re.Match[str] | None = None
    for tag in _FIGURE.finditer(html):
        if not tag[1]:
            opening = tag
            continue
        if opening is None:
            continue
        inner = html[opening.end() : tag.start()]
        if not _MEDIA.search(inner):
            pieces += [html[at : opening.start()], "<div>", _CAPTION.sub(r"<\1p", inner), "</div>"]
            at = tag.end()
        elif caption := _NUMBERED_CAPTION.search(inner):
            start = opening.end() + caption.start()
            pieces += [html[at:start], html[opening.end() + caption.end() : tag.end()], f"<p>{caption[1]}</p>"]
            at = tag.end()
        opening = None
    return "".join([*pieces, html[at:]])


def _with_code_alone(html: str) -> str:
    """The page with the code of tables whose other cell holds the numbers of its lines."""
    pieces: list[str] = []
    at = over = 0
    while gutter := _GUTTER.search(html, at):
        pieces.append(html[at : gutter.start()])
        at = gutter.end()
        if gutter[0].endswith(("/td>", "/TD>")):
            continue
        cell = _CELL.search(html, at)
        if over >= 0 and over < at:  # a table has many such cells, and one end
            over = html.find("</table", at)
        table = _TABLE_BEFORE.search(pieces[-1], max(0, len(pieces[-1]) - 800))
        if cell is None or over < 0 or table is None or _CELL.search(html, cell.end(), over):
            pieces.append(gutter[0])
            continue
        inner = html[cell.end() : over]
        first, last = inner.find("<pre"), inner.rfind("</pre>")
        if 0 <= first < last:
            pieces[-1] = pieces[-1][: table.start()] + inner[first : last + len("</pre>")]
            at = html.find(">", over) + 1 or len(html)
        else:
            pieces.append(gutter[0])
    return "".join([*pieces, html[at:]])


def with_captions(html: str) -> str:
    """The page with each figure as a block and its caption as a paragraph.

    >>> with_captions("<figure><img><figcaption>A quay</figcaption></figure>")
    '<div><img><p>A quay</p></div>'
    """
    return _CAPTION.sub(r"<\1p", _FIGURE.sub(r"<\1div>", html))


def with_image_texts(html: str) -> str:
    """The page with the alternative text of images that stand among words: formulas, emoji, initials.

    >>> with_image_texts("<p>See <img src=a.png alt='E = mc2'> there</p><figure><img alt='A river'></figure>")
    "<p>See  E = mc2  there</p><figure><img alt='A river'></figure>"
    """

    def text(image: re.Match[str]) -> str:
        before = html[max(0, image.start() - 20) : image.start()].rstrip()[-1:]
        after = html[image.end() : image.end() + 20].lstrip()[:1]
        alt = _ALT.search(image[0])
        words = (alt[1] or alt[2] or "").strip() if alt else ""
        is_among_words = before not in ("", ">") or after not in ("", "<")
        return f" {words} " if words and is_among_words and not _FILE_NAME.search(words) else image[0]

    return _IMAGE.sub(text, html)
