"""Markup of other families: tags of JATS, TEI and Word, Word's settings, chat links, shortcodes of page builders.

What they enclose stays. XML of its own, texts about markup, and footnotes in brackets are left alone.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from winnow.base.html_names import ELEMENTS
from winnow.repair.engine.rule import Change, Evidence, Rule

_ABOUT = re.compile(
    r"(?i)\b(?:xml|xslt?|xpath|markup|namespaces?|tags?|elements?|attributes?|schemas?|shortcodes?|plug-?ins?|templates?"
    r"|BB ?codes?)\b"
)
_CODE = re.compile(r"\]\s{0,3}=(?!=)|\);|\$\w|->|=>|::|\bdo_shortcode|\breturn\b|<\?|[{}]")

_NAMESPACED = re.compile(
    r"<(/?)(jats|tei|o|w|st1|st2|v|xhtml|html|ce|sb|akn|mml|dc|dcterms|content|itunes|media|text):([A-Za-z][\w.-]{0,30})"
    r"((?:\s[^<>]{0,300})?)(/?)>",
    re.IGNORECASE,
)
_LINE_NAMES = frozenset("""
    p title sec list-item list div head lg l item row table tr label disp-formula disp-quote def-list fig caption ab sp
    para simple-para section-title section abstract abstract-sec body br h1 h2 h3 li description encoded summary
    subtitle creator
""".split())  # fmt: skip
"""Local names that stand for a line of their own."""


_OF_ARTICLES = re.compile(
    r"<(/?)((?:ext-link|inline-formula|named-content|styled-content|italic|bold|emphasis|monospace|underline|xref|sc|hi))"
    r"(?:\s[^<>]{0,300})?>"
)
"""Tags of JATS, DocBook and TEI within a line, without their namespace."""
_OF_FEEDS = frozenset(("dc", "dcterms", "content", "itunes", "media", "text"))
"""Namespaces that XML of its own has, too: their tags go where only they and HTML's stand."""
_NAME = re.compile(r"<[/?!]?([A-Za-z][\w.:-]{0,60})")
_MATH = re.compile(r"<math(?:\s[^<>]{0,500})?>\s{0,9}<[ms](?:(?!</?math\b).){0,5000}</math>", re.IGNORECASE | re.DOTALL)
_OF_MATH = re.compile(
    r"<annotation\b[^<>]{0,300}>[^<>]{0,2000}</annotation>|</?m[a-z]{1,12}(?:\s[^<>]{0,300})?/?>|</?semantics>"
)
_OTHER_TAG = re.compile(r"<(?!/?(?:su[bp]|[ib]|em|p|br)\b)")


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark in ``text[start:end]``; `parts`: what stands before it and behind it are lines of their own."""

    start: int
    end: int
    name: str
    closing: bool
    parts: bool


def replaced(text: str, marks: Iterable[Mark], confidence: float) -> Iterator[Change]:
    """Each run of marks goes; what parts leaves a line break, cells a bar, the others the white space about them."""
    run: list[Mark] = []
    for mark in [*marks, None]:
        if mark is not None and (not run or not text[run[-1].end : mark.start].strip()):
            run.append(mark)
            continue
        if run:
            low, high = run[0].start, run[-1].end
            while low > 0 and text[low - 1] in " \t":
                low -= 1
            while high < len(text) and text[high] in " \t":
                high += 1
            edge = low == 0 or high == len(text) or text[low - 1] == "\n" or text[high] == "\n"
            inside = "\n" in text[run[0].start : run[-1].end]
            apart = high - low > sum(m.end - m.start for m in run)  # white space stood beside or between
            cells = all(m.name in ("td", "th") for m in run)
            between = " | " if cells else "\n" if inside or any(m.parts for m in run) else " " if apart else ""
            after = "" if edge else between
            if edge and inside and low > 0 and high < len(text) and text[low - 1] != "\n" and text[high] != "\n":
                after = "\n"
            yield Change(low, high, after, confidence)
        run = [mark] if mark is not None else []


def strip_namespaced_tags(text: str, evidence: Evidence) -> Iterator[Change]:
    """Tags of articles' XML and of Word go, with the lines they stood for: ``<jats:p>``, ``<o:p>``, ``<tei:hi>``.

    Those within a line may lack their namespace, ``<italic>``, where no tag of another XML stands in the text.

    >>> NAMESPACED_TAGS("<jats:title>Abstract</jats:title><jats:p>Seen <jats:italic>in vitro</jats:italic>.</jats:p>")
    'Abstract\\nSeen in vitro.'
    >>> NAMESPACED_TAGS("In XML write <o:p> and </o:p>."), NAMESPACED_TAGS("<ns2:item>2</ns2:item>")
    ('In XML write <o:p> and </o:p>.', '<ns2:item>2</ns2:item>')
    """
    articles = list(_OF_ARTICLES.finditer(text))
    maths = [m for whole in _MATH.finditer(text) for m in _OF_MATH.finditer(text, *whole.span())]
    if _ABOUT.search(
        _OF_ARTICLES.sub(" ", _NAMESPACED.sub(" ", _MATH.sub(" ", text)))
    ) and not text.lstrip().startswith("<jats:"):
        return
    found = list(_NAMESPACED.finditer(text))
    named = {name.lower() for name in _NAME.findall(_NAMESPACED.sub(" ", text))}
    if not named <= ELEMENTS | {"xml", "math"}:
        found = [m for m in found if m[2].lower() not in _OF_FEEDS]
    closed = {f"{m[2]}:{m[3]}" for m in found if m[1] or m[5]}
    marks = [
        Mark(m.start(), m.end(), m[3].lower(), bool(m[1]), m[2] != "o" and m[3].lower() in _LINE_NAMES)
        for m in found
        if f"{m[2]}:{m[3]}" in closed
    ]
    marks += [Mark(m.start(), m.end(), "math", False, False) for m in maths]
    halves = [sorted(m[2] for m in articles if bool(m[1]) == closing) for closing in (False, True)]
    if (
        halves[0] == halves[1]
        and len(_OTHER_TAG.findall(text)) == len(found) + len(articles)
        and not _CODE.search(text)
    ):
        marks += [Mark(m.start(), m.end(), m[2], bool(m[1]), False) for m in articles]
    yield from replaced(text, sorted(marks, key=lambda mark: mark.start), 0.8)


_LANGUAGE = r"(?:[A-Z]{2}(?:-[A-Z]{2})?|X-NONE)"
_OF_WORD = re.compile(
    rf"Normal\s{{1,4}}0\s{{1,4}}(?:\d{{1,3}}\s{{1,4}})?(?:(?:false|true)\s{{1,4}}){{2,4}}{_LANGUAGE}\b(?:\s{{1,4}}{_LANGUAGE}\b){{0,3}}"
    r"(?:\s{1,4}MicrosoftInternetExplorer4\b)?"
    r"|/\* ?Style Definitions ?\*/\s{0,4}(?:(?:/\*[^*]{1,60}\*/\s{0,4})?"
    r"[@\w.:#,\s-]{1,120}\{[^{}]{0,3000}\}\s{0,4}){1,80}"
    r"|(?:(?:(?:st1|[vowx])\\:\*|\.shape)\s?\{behavior:[^{}]{0,60}\}\s{0,4}){1,8}"
    r"|(?:<!--)?\[if [^\[\]<>\n]{2,60}\]>\s{0,9}(?:<(xml|style)>(?:(?!</?\1>).){0,20000}</\1>)?\s{0,9}"
    r"<!\[endif\](?:-->)?",
    re.DOTALL,
)
_ABOUT_STYLES = re.compile(r"(?i)\b(?:css|style ?sheets?|conditional comments?)\b")


_SWITCHES = (
    r"(?:\s{1,3}\\(?:[*@]\s{0,3}(?:MERGEFORMAT(?:INET)?|ARABIC|CHARFORMAT|ROMAN|roman)\b"
    r"|[a-z]\b(?:\s{1,3}\"[^\"\n]{0,300}\")?)){0,6}"
)
_FIELD = re.compile(
    rf"(?:\{{\s{{0,3}})?\b(?:HYPERLINK\s{{1,3}}(?:\\l\s{{1,3}})?\"[^\"\n]{{1,2000}}\"{_SWITCHES}"
    rf"|(?:PAGE|NOTE)?REF\s{{1,3}}_(?:Toc|Ref|Hlk)\d{{4,12}}{_SWITCHES}"
    r"|EMBED\s(?:Equation|Word|Excel|Visio|MSPhotoEd)\.\w{1,12}(?:\.\d{1,2})?"
    rf"|TOC\s{{1,3}}\\[a-z]\s{{1,3}}\"[^\"\n]{{1,20}}\"{_SWITCHES}|INCLUDEPICTURE\s{{1,3}}\"[^\"\n]{{1,2000}}\"{_SWITCHES}"
    r"|(?:PAGE|NUMPAGES|SEQ\s\w{1,20}|FORMTEXT|STYLEREF\s\d)\s{1,3}\\\*\s{0,3}(?:MERGEFORMAT|ARABIC)"
    rf"{_SWITCHES})(?:\s{{0,3}}\}})?"
)
_ABOUT_FIELDS = re.compile(r"(?i)\b(?:fields?|switch(?:es)?|macros?|VBA|formulas?|syntax|codes?)\b")


def strip_word_fields(text: str, evidence: Evidence) -> Iterator[Change]:
    r"""The codes of Word's fields go, which conversions leave before what they show: ``HYPERLINK "http://x.org"``.

    >>> WORD_FIELDS('See HYPERLINK "http://x.org/a" \\l "b" the page, EMBED Equation.3 and PAGEREF _Toc12345 \\h 5')
    'See the page, and 5'
    >>> WORD_FIELDS('=HYPERLINK("http://x.org", "a"); the HYPERLINK "x" field')
    '=HYPERLINK("http://x.org", "a"); the HYPERLINK "x" field'
    """
    found = list(_FIELD.finditer(text))
    if found and not _ABOUT_FIELDS.search(_FIELD.sub(" ", text)):
        yield from replaced(text, (Mark(m.start(), m.end(), "field", False, False) for m in found), 0.8)


_SPEECH = re.compile(
    r"<(/?)(speak|prosody|say-as|emphasis|voice|phoneme|break|express-as|(?:amazon|mstts):[\w-]{1,30})(?:\s[^<>]{0,300})?/?>",
    re.IGNORECASE,
)
_SURE_SPEECH = re.compile(
    r"<(?:speak[\s>]|break\s{1,3}(?:time|strength)\s?=|say-as\s|prosody\s{1,3}(?:rate|pitch|volume)\s?=|phoneme\s|emphasis\s{1,3}level)",
    re.IGNORECASE,
)


def strip_speech_tags(text: str, evidence: Evidence) -> Iterator[Change]:
    """What tells a voice how to speak goes (SSML): ``<speak>Hello <break time="1s"/> world</speak>``.

    >>> SPEECH_TAGS('<speak>Hello <break time="1s"/> <say-as interpret-as="date">2019</say-as></speak>')
    'Hello 2019'
    >>> SPEECH_TAGS("take a <break> and <voice> it"), SPEECH_TAGS('In SSML the element <break time="1s"/> waits.')
    ('take a <break> and <voice> it', 'In SSML the element <break time="1s"/> waits.')
    """
    if _SURE_SPEECH.search(text) and not _ABOUT_SPEECH.search(_SPEECH.sub(" ", text)) and not _CODE.search(text):
        found = _SPEECH.finditer(text)
        yield from replaced(text, (Mark(m.start(), m.end(), m[2], bool(m[1]), False) for m in found), 0.8)


_ABOUT_SPEECH = re.compile(rf"(?i)\bSSML\b|{_ABOUT.pattern.removeprefix('(?i)')}")


def strip_word_settings(text: str, evidence: Evidence) -> Iterator[Change]:
    """What Word hides in comments when a text is pasted from it goes: its settings and style sheet, as bare text.

    >>> WORD_SETTINGS("Normal 0 false false false EN-US X-NONE X-NONE The mill stands.")
    'The mill stands.'
    >>> WORD_SETTINGS("Normal 0 false alarms, /* Style Definitions */ of a page")
    'Normal 0 false alarms, /* Style Definitions */ of a page'
    """
    found = [m for m in _OF_WORD.finditer(text) if m[0][0] != "/" or "mso-" in m[0] or "Mso" in m[0]]
    if found and not _ABOUT_STYLES.search(_OF_WORD.sub(" ", text)):
        yield from replaced(text, (Mark(m.start(), m.end(), "word", False, "[if" not in m[0]) for m in found), 0.9)


_CHAT_LINK = re.compile(
    r"<(?:https?://|mailto:)[^\s<>|]{1,2000}\|([^<>|\n]{1,300})>|<(#)[CG][A-Z0-9]{7,12}\|([\w-]{1,80})>"
    r"|<!(?:subteam|date)\^[^<>|\n]{1,200}\|([^<>|\n]{1,200})>|<a?(:\w{2,32}:)\d{15,21}>"
)
_ABOUT_CHAT = re.compile(r"(?i)\b(?:mrkdwn|syntax|format\w*|escap\w*|markup|payloads?)\b")


def read_chat_links(text: str, evidence: Evidence) -> Iterator[Change]:
    """Links, channels and pictures of Slack and Discord become what a reader sees: ``<http://x.org|text>``.

    >>> CHAT_LINKS("See <http://x.org/a|our page> in <#C024BE7LR|general> <:tada:123456789012345678>")
    'See our page in #general :tada:'
    >>> CHAT_LINKS("<http://x.org> and <a|b>, <p|q>")
    '<http://x.org> and <a|b>, <p|q>'
    """
    if not _ABOUT_CHAT.search(_CHAT_LINK.sub(" ", text)):
        yield from (
            Change(m.start(), m.end(), "".join(filter(None, m.groups())), 0.8) for m in _CHAT_LINK.finditer(text)
        )


_TIMED = re.compile(
    r"<\d{2}:(?:\d{2}:)?\d{2}\.\d{3}>|</?c(?:\.[A-Za-z_.]{1,60})?>|<v(?:\.\w{1,20})? ([^<>\n]{1,60})>|</v>"
)
_OF_CAPTIONS = re.compile(
    r"<\d{2}:(?:\d{2}:)?\d{2}\.\d{3}>|^(?:\d{1,2}:)?\d{2}:\d{2}[.,]\d{3} --> (?:\d{1,2}:)?\d{2}:\d{2}[.,]\d{3}",
    re.MULTILINE,
)


def strip_caption_tags(text: str, evidence: Evidence) -> Iterator[Change]:
    """Tags of captions of films go (WebVTT), when a word is spoken and in which colour; who speaks stays as text.

    >>> CAPTION_TAGS("<v Ann>Hello<00:00:01.500><c> there</c></v>")
    'Ann: Hello there'
    >>> CAPTION_TAGS("a <c> b </c> and <v Ann>"), CAPTION_TAGS("In WebVTT the tag <00:00:01.500> is a time.")
    ('a <c> b </c> and <v Ann>', 'In WebVTT the tag <00:00:01.500> is a time.')
    """
    if _OF_CAPTIONS.search(text) and not _ABOUT.search(_TIMED.sub(" ", text)):
        yield from (Change(*m.span(), f"{m[1]}: " if m[1] else "", 0.8) for m in _TIMED.finditer(text))


_SHORTCODE = re.compile(
    r"\[(/?)([A-Za-z][A-Za-z0-9]{0,30}(?:[_-][A-Za-z0-9]{1,30}){0,5})((?:\s[^\[\]\n]{0,400}?)?)\s{0,3}(/?)\]"
)
_BUILDERS = re.compile(
    r"(?:vc|et_pb|et|fusion|av|mk|nectar|cs|ux|tatsu|wpb|wpv|themify|elementor|siteorigin|qode|edgtf|mkdf|us|kc|bt|dt|td|fl|rev"
    r"|ultimate|sc|su|thrive|tve|porto|minti|ww|wr|dfd|motopress|mp|ish|pt|cmsmasters|ess_grid|vcex|w)_[a-z]"
)
_SURE_BUILDERS = re.compile(
    r"(?:vc|et_pb|fusion|av|mk|nectar|wpb|elementor|siteorigin|themify|qode|edgtf|mkdf|su|tatsu|thrive|tve|vcex)_[a-z]"
)
_KNOWN = frozenset("""
    caption wp_caption gallery embed audio video playlist contact-form-7 dropcap dropcaps highlight pullquote button row
    column columns one_half one_half_last one_third one_third_last two_third two_third_last one_fourth one_fourth_last
    tabs tab toggle accordion spacer divider clear googlemap googlemaps youtube vimeo soundcloud slideshare gravityform
    ninja_forms wpforms mc4wp_form rev_slider layerslider tooltip icon box frame blockquote ref footnote sourcecode
""".split())  # fmt: skip
_INLINE = frozenset("dropcap dropcaps highlight tooltip icon fusion_dropcap fusion_highlight su_highlight ref".split())
_ATTRIBUTE = re.compile(r"\s[\w-]{1,40}\s?=\s?[\"'“”″„‘’«\w&]")
_SHOWN = re.compile(
    r"\s(?:caption|heading|text|title)\s?=\s?([\"'“”])"
    r"((?=[^\W\d_a-z]|[^\"'\]]{0,30}[^\W\d_] )[^\"“”<>\[\]%]{2,400}?)\1(?=\s|\Z|/)"
)
"""What a reader sees of a shortcode's attributes: a picture's caption, the title of a tab, the text of a heading."""
_PICTURE = re.compile(r"\s{0,9}(?:<a\s[^<>]{0,500}>\s{0,9})?<img\s[^<>]{0,1000}>(?:\s{0,9}</a>)?")
_MEDIA_NAMES = frozenset("""
    adrotate audio embed googlemap googlemaps google_map instagram slideshare soundcloud tweet video vimeo youtube
""".split())  # fmt: skip
"""Those that show something else than text and stand alone, where they say what."""
_EMPTY = frozenset(
    "gallery playlist contact-form-7 gravityform ninja_forms wpforms mc4wp_form rev_slider layerslider".split()
)


# What Drupal writes for a picture in its database: JSON in double brackets.
_MEDIA = re.compile(
    r'\[\[\{(?="(?:fid|type|view_mode|attributes)")(?=[^\n\[\]]{0,2000}?"(?:fid":"?\d|type":"media"))[^\n\[\]]{0,2000}\}\]\]'
)


_PLAYED = re.compile(
    r"\[(embed|audio|video|youtube|vimeo|soundcloud)(?:\s[^\[\]\n]{0,400})?\]\s{0,9}[^\s\[\]]{1,400}\s{0,9}\[/\1\]",
    re.IGNORECASE,
)
"""A film or piece of music by its address."""


def strip_shortcodes(text: str, evidence: Evidence) -> Iterator[Change]:
    """Shortcodes of WordPress, its page builders and Drupal go; what they enclose stays.

    A name of a builder is enough, ``[vc_row]``, or two where the text was cut off between them. Any other needs its
    closing half, and attributes or a name that is known. Editor's brackets, ``[sic]``, ``[note 3]``, indices and texts
    about shortcodes stay.

    >>> SHORTCODES('[vc_row][vc_column width="1/2"]Opened in 1998.[/vc_column][/vc_row]')
    'Opened in 1998.'
    >>> SHORTCODES("Use the [gallery] shortcode; a[i] = b [sic] [note 3]")
    'Use the [gallery] shortcode; a[i] = b [sic] [note 3]'
    """
    media = list(_MEDIA.finditer(text)) if '[[{"' in text else []
    found = list(_SHORTCODE.finditer(text))
    bare = _SHORTCODE.sub(" ", _MEDIA.sub(" ", text))
    if not (found or media) or _ABOUT.search(bare) or _CODE.search(bare):
        return
    closed = {m[2].lower() for m in found if m[1]}
    given = {m[2].lower() for m in found if not m[1] and _ATTRIBUTE.match(m[3])}
    opened = {m[2].lower() for m in found if not m[1]}
    played = list(_PLAYED.finditer(text))
    starts = [p.start() for p in played]
    found = [m for m in found if not (n := bisect_right(starts, m.start())) or m.start() >= played[n - 1].end()]
    marks = [Mark(m.start(), m.end(), "media", False, True) for m in [*media, *played]]
    built = sum(_SURE_BUILDERS.match(m[2].lower()) is not None for m in found) > 1 or any(
        _BUILDERS.match(name) and (name in given or name in closed) for name in opened
    )
    for m in found:
        name = m[2].lower()
        builder = built and _BUILDERS.match(name) is not None
        pair = name in closed and name in opened and (name in given or name in _KNOWN)
        alone = name in _MEDIA_NAMES and (m[4] or _is_line(text, *m.span())) and (name in given or " http" in m[3])
        if builder or pair or alone or (name in _EMPTY and name in given):
            shown = _SHOWN.search(text, m.start(3), m.end(3)) if name not in _EMPTY else None
            picture = _PICTURE.match(text, m.end()) if shown else None
            last = picture.end() if picture else m.end()
            for start, end in ((m.start(), shown.start(2)), (shown.end(2), last)) if shown else (m.span(),):
                marks.append(Mark(start, end, name, bool(m[1]), name not in _INLINE | _EMPTY))
    yield from replaced(text, sorted(marks, key=lambda mark: mark.start), 0.8)


def _is_line(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 9) : start].rstrip(" \t"), text[end : end + 9].lstrip(" \t")
    return before[-1:] in ("", "\n") and after[:1] in ("", "\n")


NAMESPACED_TAGS = Rule(
    "namespaced_tags",
    4,
    strip_namespaced_tags,
    r"(?i)<(?:jats|tei|o|w|st1|st2|v|xhtml|html|ce|sb|akn|mml|dc|dcterms|content|itunes|media|text):[a-z]|<math[\s>]"
    r"|</(?:ext-link|inline-formula|named-content|styled-content|italic|bold|emphasis|monospace|underline|xref|sc|hi)>",
    proves=False,
)
WORD_SETTINGS = Rule(
    "word_settings",
    2,
    strip_word_settings,
    r"\[if |Normal\s+0\s+[\d\s]*(?:false|true)|Style Definitions ?\*/|\{behavior:",
)
WORD_FIELDS = Rule(
    "word_fields",
    1,
    strip_word_fields,
    r"HYPERLINK\s+[\"\\]|REF\s+_[TRH]|EMBED\s|TOC\s+\\|INCLUDEPICTURE|MERGEFORMAT|\\\*\s*ARABIC",
)
SPEECH_TAGS = Rule("speech_tags", 1, strip_speech_tags, r"(?i)<(?:speak|break|say-as|prosody|phoneme|emphasis)[\s>]")
CHAT_LINKS = Rule("chat_links", 1, read_chat_links, r"<(?:https?:|mailto:|[#!])[^\s<>|][^<>|]*\||<a?:\w+:\d")
CAPTION_TAGS = Rule("caption_tags", 1, strip_caption_tags, r"<\d\d:[\d:]+\.\d|<v[ .]|</?c[.>]|</v>")
SHORTCODES = Rule(
    "shortcodes",
    5,
    strip_shortcodes,
    r'\[/[A-Za-z]|\[[A-Za-z][\w-]*\s[^\[\]\n]*=|\[(?:soundcloud|vimeo|youtube) http|\[\[\{"|\[(?:vc|et_pb|fusion|av)_',
)

FOREIGN: tuple[Rule, ...] = (
    NAMESPACED_TAGS,
    WORD_SETTINGS,
    WORD_FIELDS,
    SPEECH_TAGS,
    CHAT_LINKS,
    CAPTION_TAGS,
    SHORTCODES,
)
"""The rules for markup of other families, in order."""
