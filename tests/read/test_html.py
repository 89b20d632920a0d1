"""Pages: what stands apart stays apart, the article is told from what stands around it, and shells are no documents."""

import pytest

from winnow.base.errors import ReadError
from winnow.read.html import main_text, page_of

WORDS = "<p>" + "These words are the article, and there are enough of them for every tool to see that. " * 6 + "</p>"

APART = {
    "lists in lists": (
        "<ul><li>Coffee</li><li>Tea"
        "<ul><li>Black tea</li><li>Green<ol><li>Sencha</li></ol></li></ul></li><li>Milk</li></ul>",
        "- Coffee\n- Tea\n  - Black tea\n  - Green\n    - Sencha\n- Milk",
    ),
    "lines": ("<p>First line<br>second<br/>third</p>", "First line\nsecond\nthird"),
    "cells": (
        "<table><tr><th>Name<br>of it</th><td><p>one</p><p>two</p></td></tr>"
        "<tr><td>x<ul><li>i<li>j</ul></td><td>y</table>",
        "Name of it | one two\nx i j | y",
    ),
    "columns": ("<pre>a   b\n  in   c\n\tx</pre>", "a   b\n  in   c\n\tx"),
    "code": ("<pre><code>def f():\n    return  1</code></pre>", "def f():\n    return  1"),
    "code among words": ("<p>Call <code>f(x)</code>, or two <code>int</code>s.</p>", "Call f(x), or two ints."),
    "code of a block": ("<p>Call</p><pre><code>f(x)</code></pre>", "Call\n\nf(x)"),
    "images among words": ("<p>So <img src=a.png alt='E = mc2'> holds.</p>", "So E = mc2 holds."),
    "figures that are no pictures": (
        "<figure class=q><blockquote><p>We build it anew.</p></blockquote></figure>"
        "<figure><pre><code>def f():\n    return 1</code></pre></figure>"
        "<figure><table><tr><td>North<td>12</table><figcaption>Votes by ward</figcaption></figure>",
        "We build it anew.\n\ndef f():\n    return 1\n\nNorth | 12\n\nVotes by ward",
    ),
    "captions of numbered figures": (
        "<figure><img src=a.png><figcaption>Figure 2. Depth by year</figcaption></figure>"
        "<figure><img src=b.png><figcaption>Photo: A. Bee</figcaption></figure>",
        "Figure 2. Depth by year",
    ),
    "code beside the numbers of its lines": (
        "<table class=rouge><tr><td class='rouge-gutter gl'><pre>1\n2</pre></td>"
        "<td class=rouge-code><pre>def f():\n    return 1</pre></td></table>",
        "def f():\n    return 1",
    ),
    "elements of scripts": (
        "<x-para>The <x-term>weir</x-term> is old.</x-para> <x-a>One</x-a><x-b>Two</x-b>",
        "The weir is old. One Two",
    ),
    "what is centred": ("<center>A line in the middle.</center>", "A line in the middle."),
    "pages in attributes of frames": (
        "<iframe title=x srcdoc='<html><head><title>a</title></head><body><p>A letter &amp; more.</body>'></iframe>",
        "A letter & more.",
    ),
    # These stay as they are.
    "frames that hold no paragraphs": ("<iframe srcdoc='<script>f()</script>Ad'></iframe><p>x</p>", "x"),
    "cells that hold no numbers of lines": ("<table><tr><td class=gutters>North</td><td>12</td></table>", "North | 12"),
    "links inside a word": ("<p>the <a href=x>stat</a>ion</p>", "the station"),
    "images that are files": ("<p>So <img src=a.png alt='DSC_001.jpg'> holds.</p>", "So holds."),
    "spaces of a paragraph": ("<p>one   two\n three</p>", "one two three"),
    "signs that stand for white space": ("<p>the sign \u2400 and \u2401</p>", "the sign \u2400 and \u2401"),
}


@pytest.mark.parametrize(("html", "text"), APART.values(), ids=APART)
def test_what_stands_apart_in_a_page_stays_apart(html, text):
    found = main_text(f"<html><body><article><h1>Title</h1>{WORDS}{html}{WORDS}</article></body></html>")[1]
    assert found.split("\n\n", 2)[2].rpartition("\n\n")[0] == text


def test_comments_of_readers_are_not_the_article():
    comments = "".join(
        f"<li class=comment id=c{n}><p>I was there too in {1900 + n}, and it was not like that at all.</p></li>"
        for n in range(60)
    )
    comments = f"<ol id=comments class=comment-list>{comments}</ol>"
    text = main_text(f"<html><body><main><article>{WORDS}</article>{comments}</main></body></html>")[1]
    assert "These words are the article" in text and "I was there too" not in text


def test_posts_are_the_text_of_a_forum():
    posts = "".join(
        f"<article class=message><div class=body>Answer {n}: you turn the left screw, then the right.</div></article>"
        for n in range(30)
    )
    text = main_text(f'<html id="XF"><body><div class="block-body">{posts}</div></body></html>')[1]
    assert text.count("you turn the left screw") == 30


def test_what_stands_beside_posts_goes_and_who_wrote_when_stays():
    posts = "".join(
        "<div class=post><dl class=postprofile><dt><a class=username>Ann</a></dt><dd>Posts: 1234</dd>"
        "<dd>Rank: Sergeant</dd></dl>"
        f"<p class=author>by Ann <time>12. Sep 2024, 10:{n}</time></p><div class=content>You turn the left screw.</div>"
        "<div class=notice>Edited 4 times</div><div class=signature>Ann's bees since 1990</div></div>"
        for n in range(10, 40)
    )
    text = main_text(f'<html><body id="phpbb" class="section-viewtopic">{posts}</body></html>')[1]
    assert [text.count(t) for t in ("left screw", "12. Sep 2024", "1234", "Sergeant", "Edited", "since 1990")] == [
        30, 30, 0, 0, 0, 0,
    ]  # fmt: skip


def test_a_page_of_many_headings_takes_linear_time():
    import time

    started = time.process_time()
    main_text(f"<html><body><article>{'<h2>Bees</h2><p>They fly low.</p>' * 1500}</article></body></html>")
    assert time.process_time() - started < 5  # seconds; quadratic time was ten


SHELLS = (
    "<title>Just a moment...</title><h1>example.com</h1><p>Checking your browser before accessing example.com.</p>"
    "<p>Please enable JavaScript and cookies to continue</p><p>Ray ID: 8aef</p>",
    "<noscript>You need to enable JavaScript to run this app.</noscript><div id=root></div><script src=a.js></script>",
    "<div id='app'></div><script>start()</script>",
    "<h1>Verify you are human</h1><p>Complete the security check to continue.</p>",
    "<frameset><noframes><body>Ihr Browser kann leider keine Frames anzeigen.</body></noframes></frameset>",
    "<p>Bitte aktivieren Sie JavaScript, um diese Seite zu sehen.</p>",
    "<p>Для работы сайта необходимо включить JavaScript.</p>",
    "<p>このページを表示するにはJavaScriptを有効にしてください。</p>",
)
NO_SHELLS = (
    "<h1>How to enable JavaScript</h1><p>Open the settings of the browser, choose Privacy, then Site settings, and "
    "turn JavaScript on. Most pages need JavaScript to show their menus; this one can be read without.</p>",
    "<noscript>Please enable JavaScript for comments.</noscript><p>The river rose in the night, and by morning the "
    "lower road was under water.</p>",
    "<p>We checked the browser of every reader of this paper in the years that the survey covers.</p>",
    "<p>The shop is closed on Sunday.</p>",
    "<p>The browser draws each frame at 60 Hz.</p>",
    "<frameset><frame src=a><noframes><body><p>The shop is closed on Sunday.</body></noframes></frameset>",
)


@pytest.mark.parametrize("html", SHELLS)
def test_pages_that_only_ask_for_javascript_or_a_check_are_no_documents(html):
    with pytest.raises(ReadError, match="shell page") as error:
        page_of(f"<html><body>{html}</body></html>".encode())
    assert error.value.kind == "shell_page"


@pytest.mark.parametrize("html", NO_SHELLS)
def test_pages_about_javascript_and_short_ones_are_documents(html):
    assert page_of(f"<html><body>{html}</body></html>".encode()).text


PROSE = "The river rose in the night, and by morning the lower road was under water. " * 6
SHOWN = {
    "a template for scripts": (
        f"<article><p>{PROSE}</p></article><template>Easy to use [[thumb-up]]</template>",
        "thumb",
    ),
    "a template in a template": (
        f"<article><p>{PROSE}</p><template>a<template>thumb</template>thumb</template></article>",
        "thumb",
    ),
}


@pytest.mark.parametrize(("page", "hidden"), SHOWN.values(), ids=SHOWN)
def test_what_no_browser_shows_is_no_text(page, hidden):
    text = main_text(f"<html><body>{page}</body></html>")[1]
    assert "river rose" in text
    assert hidden not in text


def test_a_template_that_browsers_show_or_that_does_not_end_keeps_its_text():
    for tag in ("<template shadowrootmode=open>", "<p>About &lt;template&gt; and "):
        text = main_text(f"<html><body><article><p>{PROSE}</p>{tag}<p>Shown in the end, as is right.</p></article>")[1]
        assert "Shown in the end" in text


def test_lines_of_the_source_are_no_lines_of_the_text():
    wrapped = PROSE.replace(", and", ",\nand")
    page = f"<html><body><article><h1>A\nhead</h1><p>{wrapped}</p><ul><li>one\ntwo<br>three</ul><pre>a\n  b</pre>"
    text = main_text(f"{page}<p>{wrapped}<br>New line\nhere</p></article>")[1]
    assert "in the night, and by" in text
    assert ",\nand" not in text
    assert "\nNew line here" in text
    assert "a\n  b" in text, "that of a <pre> is"


ROSE = "The river rose by two metres during the night and the lower road was closed until noon."
CATTLE = "Farmers moved their cattle to higher ground, and the school stayed shut for the rest of the week."
MILL = "By Friday the water had gone down, but the mill at the end of the valley did not reopen."
LINES = {
    "line breaks alone": (f"{ROSE}<br><br>{CATTLE}<br>{MILL}", f"{ROSE}\n\n{CATTLE}\n{MILL}"),
    "line breaks in an article": (f"<article>{ROSE}<br><br>{CATTLE}</article>", f"{ROSE}\n\n{CATTLE}"),
    "divs": (f"<div><div>anna</div>{ROSE}</div><div><div>bo</div>{CATTLE}</div>", f"anna\n\n{ROSE}\n\nbo\n\n{CATTLE}"),
    "a page laid out in a table": (
        f"<table><tr><td><a href=/>Home</a><td><p>{ROSE}<p>{CATTLE}</table>", f"Home\n\n{ROSE}\n\n{CATTLE}"),
    "a heading and a list": (
        f"<h1>Kettle</h1><span>29,99</span><div><p>{ROSE}</div><ul><li>1 kg<li>2 kW</ul>",
        f"Kettle\n\n29,99\n\n{ROSE}\n\n  - 1 kg\n  - 2 kW"),
    "what folds out": (
        f"<details><summary>How?</summary><p>{ROSE}</details><details><summary>Then?</summary><p>{CATTLE}</details>",
        f"How?\n\n{ROSE}\n\nThen?\n\n{CATTLE}"),
    "two articles": (
        f"<article><h2>One</h2><p>{ROSE} {MILL}</article><article><h2>Two</h2><p>{CATTLE} {ROSE}</article>",
        f"One\n\n{ROSE} {MILL}\n\nTwo\n\n{CATTLE} {ROSE}"),
    "ruby": (
        "<p><ruby>漢<rt>かん</rt>字<rt>じ</rt></ruby>を読むのは難しいですが、少しずつ分かるようになります。<p>橋は通れません。",
        "漢字を読むのは難しいですが、少しずつ分かるようになります。\n\n橋は通れません。"),
    "a heading that the extractor drops": (
        f"<main><h1>A</h1><p>{ROSE} {MILL}</main><main><h1>B</h1><p>{CATTLE} {ROSE}</main>",
        f"A\n\n{ROSE} {MILL}\n\nB\n\n{CATTLE} {ROSE}"),
    # These have their lines already.
    "paragraphs": (f"<p>{ROSE}<p>{CATTLE}", f"{ROSE}\n\n{CATTLE}"),
    "one line": (f"<p>{ROSE} <b>Well</b>, {CATTLE}", f"{ROSE} Well, {CATTLE}"),
    "an article and a teaser": (
        f"<article><p>{ROSE} {CATTLE}<p>{MILL} {CATTLE}</article><article><h2>More</h2><a href=/b>{MILL}</a></article>",
        f"{ROSE} {CATTLE}\n\n{MILL} {CATTLE}"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "text"), LINES.values(), ids=LINES)
def test_text_has_the_lines_it_has_in_the_page(body, text):
    assert main_text(f"<html><head><title>T</title></head><body>{body}</body></html>")[1] == text
