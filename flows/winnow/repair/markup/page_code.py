"""Code of pages that scraping took for text: scripts of adverts and counters, style sheets, facts for search engines.

Only what no sentence can be goes, out of a text that has sentences. Code of its own, and texts about code, stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from winnow.base.html_names import ELEMENTS
from winnow.repair.engine.rule import Change, Evidence, Rule, Span, apply_changes, detector, line_end
from winnow.repair.escapes import is_code

Found = tuple[int, int, bool]
"""Start and end of code, and whether no text that teaches code would have it."""

MAX_STATEMENT = 20_000  # characters of a script's statement; a longer one is data

_ABOUT = re.compile(
    r"(?i)\b(?:java ?script|jquery|css|style ?sheets?|html5?|snippets?|selectors?|scripts?|json(?:-ld)?|schema\.org"
    r"|tag manager|api|callbacks?|npm|syntax|webpack|plug-?ins?|devtools|programm(?:er|ing|ier)\w*"
    r"|(?:source|sample|tracking|embed|example|the|this|following|your|same) code"
    r"|code (?:below|above|block|snippet|example))\b"
)
# What else speaks of scripts and styles, in which those of a page's own stand as examples.
_TEACHES = re.compile(
    r"(?i)\b(?:functions?|variables?|arrays?|elements?|methods?|arguments?|parameters?|errors?|consoles?|debug\w*"
    r"|browsers?|librar(?:y|ies)|tutorials?|styl(?:e|es|ed|ing)|margins?|paddings?|flex\w*|divs?|pixels?|hover|fonts?|class(?:es)?"
    r"|layouts?|themes?)\b"
)
# Three words in a row, or as much in a script without spaces, make a text of what stands beside code.
_WORDS = re.compile(r"(?:[^\W\d_]{2,30},? ){2}[^\W\d_]{2,30}|[^\W\d_a-zA-Z\u00c0-\u024f]{8}")

# What the statements of adverts, counters and widgets begin with, of which a text can hold none.
_ADVERTS = (
    r"\(adsbygoogle\s?=\s?window\.|googletag\.(?:cmd\.push|display|pubads|defineSlot|enableServices)\("
    r"|(?:window\.)?_taboola(?:\s?=\s?|\.push\()|(?:var )?_gaq(?:\s?=\s?|\.push\()|gtag\([\"']|fbq\([\"']"
    r"|(?:window\.)?dataLayer(?:\s?=\s?|\.push\()|ga\([\"'](?:create|send|set|require)[\"']|window\.fbAsyncInit\s?="
    r"|\(function\s?\((?:i,\s?s,\s?o,\s?g|w,\s?d,\s?s,\s?l|d,\s?s,\s?id)\b"
    r"|!function\s?\((?:f,\s?b,\s?e|d,\s?s,\s?id)\b"
    r"|FB\.(?:init|XFBML)|google_ad_(?:client|slot|width|height)\s?=|OneSignal\.push\(|(?:window\.)?OneSignal\s?="
    r"|(?:var )?(?:disqus|addthis|amzn_assoc)_\w{1,30}\s?="
    r"|hbspt\.(?:cta|forms|enqueueForm)[\w.]{0,20}\("
    r"|OA_show\(|_paq\.push\("
    r"|(?:var )?_comscore\s?=|\w{1,30}\.cmd\.push\(|window\.NREUM|self\.__next_f\.push\(|\(RLQ\s?=\s?window\."
)
# Glued to the sentence before it, as a rule.
_SLOTS = r"if\s?\(typeof (?:ez_ad_units|__ez_fad_position)\b|__ez_fad_position\("
# What scripts of a page begin with, at the start of a line or behind a sentence.
_SCRIPT = (
    r"document\.(?:write|getElement\w{1,20}|createElement|querySelector\w{0,5}|addEventListener)\([\"']"
    r"|(?:jQuery|\$)\(document\)\.ready\(|jQuery\(function"
    r"|window\.\w{1,40}(?:\.\w{1,40}){0,4}(?:\s?=\s?[^=\s]|\([^)])"
    r"|(?:var|const) \w{1,40}\s?=\s?(?:document\.|window\.|jQuery|\$\(|new Date\b|\{|\[|[\"'])"
    r"|\(function\s?\(\$?\)\s?\{|!function\s?\(|\(\(\)\s?=>\s?\{|(?://|/\*)\s?<!\[CDATA\["
    r"|if\s?\((?:!|typeof )?\s?(?:window|jQuery)\b"
)
_BEHIND = r"(?:^|(?<=[.!?:»”\"')>}\];|])[ \t])[ \t]{0,9}"
_SURELY = rf"(?<![\w.$])(?:{_ADVERTS})|(?<![\w$])(?:{_SLOTS})"
_START = re.compile(rf"{_SURELY}|{_BEHIND}(?:{_SCRIPT})", re.MULTILINE)
_SURE = re.compile(_SURELY)
_FACTS = re.compile(r"\[?\s{0,40}\{\s{0,40}\"@(?:context|type|graph|id)\"\s?:")
_GOES_ON = re.compile(
    rf"\s{{0,99}}(?:{_ADVERTS}|{_SCRIPT}|(?:var|let|const)\s\w|function\b[ \w$]{{0,40}}\(|[!(]function\b|\(\(\)\s?=>"
    r"|[\w$]{1,40}(?:\.[\w$]{1,40}){1,6}(?:\(|\s?=\s?[^=\s])|[\w$]{1,40}\s?=\s?(?:[\"'\[{\d]|true|false|new )"
    r"|[\w$]{1,40}\([\"'{\[)]|(?:if|for|while|switch)\s?\(|else\b|try\s?\{|catch\s?\(|return\b|[)}\];]|/\*|//|<!--|-->)"
)
_MARK = r"//\s?(?:<!\[CDATA\[|\]\]>|-->)|<!--|-->|/\*[^*]{0,500}\*/"
_MARKS = re.compile(rf"{_MARK}|//[^\n\"'{{}}();]{{0,80}}(?=\n)|;")
_MARK_BEFORE = re.compile(rf"(?:{_MARK})\s{{0,9}}\Z")
_TOKEN = re.compile(r"[\"'`(){}\[\];\n]|/\*")
_LINE_COMMENT = re.compile(r"^[ \t]*//[^\n]*", re.MULTILINE)
_PROSE = re.compile(r"(?<![\w.$])(?:[^\W\d_]{2,30},? ){2}[^\W\d_]{2,30}(?![\w.$(=])")
_SENTENCE = re.compile(r"(?:[^\W\d_]{1,30},? ){7}[^\W\d_]{1,30}")
_STRINGS = {q: re.compile(rf"(?:[^\\{q}\n]|\\.){{0,19000}}+{q}") for q in "\"'"} | {"`": re.compile(r"[^`]{0,8000}+`")}
_OPERATOR = re.compile(r"\s{0,20}(?:[.(\[{,=+*&|?:<;-]|else\b|catch\b|finally\b)")


def _end_of_statement(text: str, start: int) -> tuple[int, bool]:
    r"""Where a script's statement ends that begins at `start`; or how far it was read that does not, or is a sentence.

    >>> [_end_of_statement(t, 0) for t in ("f(';', [1]).g() Then", "a = 1\nThen (so);", "f('x' So", "a is so and (b)")]
    [(15, True), (5, True), (8, False), (12, False)]
    """
    depth, at, ceiling = 0, start, min(len(text), start + MAX_STATEMENT)
    while token := _TOKEN.search(text, at, ceiling):
        if (_SENTENCE if depth else _PROSE).search(text, at, token.start()):
            return token.start(), False
        sign, at = token[0], token.end()
        if sign in _STRINGS:
            closed = _STRINGS[sign].match(text, at, ceiling)
            if closed is None:
                return ceiling if sign == "`" else min(line_end(text, at), ceiling), False
            at = closed.end()
        elif sign == "/*":
            if (at := text.find("*/", at, ceiling) + 2) < 2:
                return ceiling, False
        elif sign in "({[":
            depth += 1
        elif sign == "\n":
            if not depth and not _OPERATOR.match(text, at):
                return token.start(), True
        elif sign == ";":
            if not depth:
                return at, True
        else:
            depth -= 1
            if depth < 0:
                return token.start(), True
            if not depth and not _OPERATOR.match(text, at):
                return at, True
    return ceiling, not depth and ceiling == len(text) and _PROSE.search(text, at) is None


def scripts(text: str) -> Iterator[Found]:
    """Runs of statements that begin as those of adverts, counters and pages do; whether as the first two.

    >>> t = "It met. (adsbygoogle = window.adsbygoogle || []).push({}); It went."
    >>> [t[a:b] for a, b, _ in scripts(t)]
    ['(adsbygoogle = window.adsbygoogle || []).push({});']
    """
    at = 0
    while found := _START.search(text, at):
        last, start = at, found.end() - len(found[0].lstrip())
        mark = _MARKS.match(text, start)
        end, whole = (mark.end(), True) if mark else _end_of_statement(text, start)
        at = max(end, found.end())
        if not whole:
            continue
        while goes := _GOES_ON.match(text, end):
            begins = goes.end() - len(goes[0].lstrip())
            if mark := _MARKS.match(text, begins):
                end = mark.end()
            elif text[begins] in ")}]":
                end = begins + 1
            else:
                at, whole = _end_of_statement(text, begins)
                if not whole or at == begins:
                    break
                end = at
        at = max(at, end)
        if end > found.end() and (";" in text[start:end] or "{" in text[start:end]):
            before = _MARK_BEFORE.search(text, max(last, start - 600), start)
            yield before.start() if before else start, end, _SURE.search(text, start, end) is not None


_PROPERTIES = frozenset("""
    align-items animation background background-color background-image background-position background-repeat
    background-size border border-bottom border-collapse border-color border-left border-radius border-right
    border-style border-top border-width bottom box-shadow box-sizing clear clip clip-path clip-rule color columns
    content cursor direction display enable-background fill fill-opacity fill-rule flex flex-direction flex-wrap
    float font font-family font-size font-style font-weight gap height isolation justify-content left letter-spacing
    line-height list-style list-style-image list-style-type margin margin-bottom margin-left margin-right margin-top
    max-height max-width min-height min-width object-fit opacity order outline overflow overflow-x overflow-y
    padding padding-bottom padding-left padding-right padding-top pointer-events position quotes right src stroke
    stroke-linecap stroke-linejoin stroke-miterlimit stroke-width table-layout text-align text-decoration
    text-indent text-overflow text-shadow text-transform top transform transition vertical-align visibility
    white-space width word-break word-wrap z-index zoom
""".split())  # fmt: skip
_VALUE = r"(?:[^{};()]|\((?:[^()]|\([^()]{0,200}+\)){0,2000}+\)){1,600}+"
_BODY = re.compile(rf"\{{\s*+(?:[\w-]{{2,40}}+\s*+:{_VALUE};\s*+)*+(?:[\w-]{{2,40}}+\s*+:{_VALUE})?+\}}")
_DECLARED = re.compile(rf"[{{;]\s*([\w-]{{2,40}})\s*:(?={_VALUE})")
_ELEMENT = "|".join(sorted(ELEMENTS, key=len, reverse=True))
_PART = r"(?:[.#][A-Za-z_-][\w-]{0,80}|::?[a-z-]{2,30}(?:\([^()]{0,80}\))?|\[[^\[\]]{0,80}\])"
_SELECTOR = re.compile(
    rf"(?:(?:@[a-z-]{{4,20}}[^{{}};@]{{1,200}}\{{\s*)?"
    rf"(?:(?:(?:{_ELEMENT}|\*)(?![\w-]){_PART}*|{_PART}+|from|to|\d{{1,3}}(?:\.\d{{1,3}})?%)(?:\s*[>+~,]\s*|\s+|\Z))+"
    r"|@font-face\s*|@page\s*)\Z"
)
_OF_SYSTEMS = re.compile(r"\.(?:mw-parser|elementor|wp-|td_uid|et_pb|vc_)|#gallery-\d|@media|@font-face")
_COMMENT_BEFORE = re.compile(r"/\*[^*]{0,300}\*/\s*\Z")
_COMMENT_AFTER = re.compile(r"\s{0,9}/\*[^*]{0,300}\*/")
_CLOSING = re.compile(r"\s{0,99}\}")
_REACH = 400  # characters of a selector


def style_sheets(text: str) -> Iterator[Found]:
    """Runs of the rules of a style sheet that can be nothing else; whether they are of a system's classes.

    >>> t = "Met. .mw-parser-output .hatnote{font-style:italic}@media print{.x{display:none}} Rose {color: red}"
    >>> [t[a:b] for a, b, _ in style_sheets(t)]
    ['.mw-parser-output .hatnote{font-style:italic}@media print{.x{display:none}}']
    """
    run: list[tuple[int, int, str]] = []
    depth = 0
    for body in _BODY.finditer(text):
        properties = _DECLARED.findall(body[0])
        if 2 * sum(p in _PROPERTIES or p.startswith("-") for p in properties) < len(properties) or not (
            properties or run
        ):
            continue
        low = max(run[-1][1] if run else 0, body.start() - _REACH)
        low = max(low, *(text.rfind(sign, low, body.start()) + 1 for sign in "};/"))
        beginnings = _beginnings(text, low, body.start())
        selector = next((m for at in beginnings if (m := _SELECTOR.match(text, at, body.start()))), None)
        if selector is None:
            continue
        begins = selector.start()
        if run and text[run[-1][1] : begins].strip() and not _COMMENT_AFTER.fullmatch(text, run[-1][1], begins):
            yield from _sure(text, run)
            run, depth = [], 0
        if not run and (comment := _COMMENT_BEFORE.search(text, max(0, begins - _REACH), begins)):
            begins = comment.start()
        depth += selector[0].count("{")
        end = body.end()
        while depth and (closing := _CLOSING.match(text, end)):
            depth, end = depth - 1, closing.end()
        comment = _COMMENT_AFTER.match(text, end)
        run.append((begins, comment.end() if comment else end, selector[0]))
    yield from _sure(text, run)


def _sure(text: str, run: list[tuple[int, int, str]]) -> Iterator[Found]:
    """From where to where a run of rules stands, if it can be nothing else."""
    if not run:
        return
    start, end = run[0][0], run[-1][1]
    named = any(sign in selector for *_, selector in run for sign in ".#@:[")
    apart = _before(text, start) in ("", ".", "!", "?", "}", ";") or text[start - 1] == "\n"
    of_system = _OF_SYSTEMS.search(text, start, end) is not None
    if (apart and (named or len(run) > 1)) or (named and (len(run) > 2 or of_system)):
        yield start, end, of_system


def _beginnings(text: str, low: int, high: int) -> Iterator[int]:
    """Where a selector may begin in ``text[low:high]``: behind white space, and where a sign of one stands."""
    for at in range(low, high):
        if not text[at].isspace() and (at == low or text[at] in ".#@*[:" or text[at - 1].isspace()):
            yield at


def _facts(text: str) -> Iterator[Found]:
    """JSON-LD, but for such as holds the text of an article."""
    at = 0
    while found := _FACTS.search(text, at):
        start = found.end() - len(found[0].lstrip())
        at, whole = _end_of_statement(text, start)
        if whole and "schema.org" in text[start:at] and '"articleBody"' not in text[start:at]:
            yield start, at, True
        at = max(at, found.end())


def strip_page_code(text: str, evidence: Evidence) -> Iterator[Change]:
    """Scripts of adverts and counters, style sheets and JSON-LD go from among sentences.

    >>> PAGE_CODE("The council met today.\\n(adsbygoogle = window.adsbygoogle || []).push({});\\nIt decided.")
    'The council met today.\\nIt decided.'
    >>> PAGE_CODE("In CSS, .x { color: red; } makes it red."), PAGE_CODE("p { color: red; }")
    ('In CSS, .x { color: red; } makes it red.', 'p { color: red; }')
    """
    opened = set(_kinds(text))
    found = [*(style_sheets(text) if 0 in opened else ()), *(_facts(text) if 1 in opened else ())]
    found += scripts(text) if opened & {2, 3} else ()
    if not found:
        return
    spans = _joined(found)
    outside = apply_changes(text, (Change(start, end, " ") for start, end in spans))
    if _ABOUT.search(outside) or not _WORDS.search(_without_comments(outside)) or is_code(outside):
        return
    if not all(sure for *_, sure in found) and _TEACHES.search(outside):
        return
    if any(_is_example(text, start, end) for start, end in spans):
        return
    last = 0
    for start, end in spans:
        low, high = start, end
        while low > last and text[low - 1] in " \t":
            low -= 1
        while high < len(text) and text[high] in " \t":
            high += 1
        begins, ends = low == 0 or text[low - 1] == "\n", high == len(text) or text[high] == "\n"
        high += begins and high < len(text) and text[high] == "\n"
        yield Change(low, high, "" if begins or ends else " ", 0.8)
        last = high


def _without_comments(text: str) -> str:
    r"""The text without what is a comment of a program: a script may stand under its licence, and is no page's then.

    >>> _without_comments("/* Released under a licence */\n// or none\nThe end.")
    '\n\nThe end.'
    """
    parts, at = [], 0
    while (start := text.find("/*", at)) >= 0 and (end := text.find("*/", start + 2)) >= 0:
        parts.append(text[at:start])
        at = end + 2
    return _LINE_COMMENT.sub("", "".join(parts) + text[at:])


def _is_example(text: str, start: int, end: int) -> bool:
    """Whether code is announced by a sentence, or a word in the midst of one."""
    before = _before(text, start)
    return before == ":" or (before.isalpha() and text[start - 1] == " " and text[end : end + 2].strip()[:1].islower())


def _before(text: str, at: int) -> str:
    """The last sign before a place that is no white space."""
    while at > 0 and text[at - 1].isspace():
        at -= 1
    return text[at - 1 : at] if at else ""


def _joined(found: list[Found]) -> list[Span]:
    spans: list[Span] = []
    for start, end, _ in sorted(found):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def _widened(pattern: str) -> str:
    """An expression for RE2 that matches wherever one for `re` does, without counting how often a thing is repeated."""
    return re.sub(r"\{\d+,\d*\}", "*", pattern)


# First in a rule of a style sheet, of which `_PROPERTIES` must be half.
_BEGINNINGS = "|".join(sorted({name.split("-")[0] for name in _PROPERTIES}))
_kinds = detector(
    rf"\{{\s*(?:-|(?:{_BEGINNINGS})[a-z-]*\s*:)",
    r"\{\s*\"@(?:context|type|graph|id)\"",
    _widened(rf"{_ADVERTS}|{_SLOTS}"),
    _widened(rf"(?m:^|[.!?:»”\"')>}}\];|][ \t])[ \t]*(?:{_SCRIPT})"),
)

# Of few states, for it is asked of every text; `_kinds` asks more closely.
PAGE_CODE = Rule(
    "page_code",
    3,
    strip_page_code,
    r"[{;]\n?[ \t]*(?:color|margin|padding|font|display|width|height|float|background|border|text-|position|content"
    r"|overflow|list-|fill|stroke|opacity|clip-|visibility)|\"@(?:context|type|graph|id)\"|adsbygoogle|googletag|_taboola|_gaq|dataLayer|gtag\(|ga\([\"']|\(function"
    r"|!function|fbq\(|window\.[A-Za-z_]|document\.[a-z]|google_ad_|OneSignal|hbspt\.|cmd\.push|_f\.push|_paq|jQuery"
    r"|OA_show|ez_ad_units|disqus_|addthis_|_comscore|CDATA|FB\.[iX]|amzn_|\(\) ?=>|(?:var|const) ",
)
