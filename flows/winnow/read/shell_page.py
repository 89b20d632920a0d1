"""Pages that hold no text but ask for JavaScript, for cookies, or for a check of the browser."""

from __future__ import annotations

import re

MAX_WORDS = 120  # of a page that only asks; longer ones explain
MAX_OTHER_WORDS = 10  # beside what asks: the site's name, a number of the request

_SENTENCE_END = re.compile(r"[.!?:…。！？\n]+")
# In other languages: parts of the words for switching on and being needed.
_NEEDED = "|".join(
    """
    aktivier eingeschaltet deaktiviert benötig erforderlich activ désactiv nécessaire requis requier habilit desativ
    necesit necesario requiere abilit attiv richied precisa necessário włącz wyłącz wymag включ отключ необходим требует
    увімк inschakel ingeschakeld vereist aktivera krävs engedélyez povol zapn etkin gerek ενεργοποι 启用
    啟用 开启 開啟 禁用 停用 有効 無効 사용 활성 تفعيل תפעיל להפעיל bật aktifkan
""".split()
)
_BROWSER = r"(?:browser|navigateur|navegador|przeglądark|prohlížeč|браузер|ブラウザ|浏览器|瀏覽器)"
_NOT = r"(?:\b(?:not|cannot|keine?|nicht|pas|no|não|non|geen|nie|inte|не)\b|n['’]t\b|ません|ない|不)"
_FRAME = r"(?:\bi?frames?\b|\bcadres\b|\bmarcos\b|\bramk|фрейм|フレーム|框架)"
# A sentence that asks, or says why the text does not come.
_ASKS = re.compile(
    rf"""
      \bplease\b.*\b(?:java\ ?script|cookies|browser)\b
    | \b(?:need|must|have\ to|requires?|relies|works?|function)\b.*\bjava\ ?script\b
    | \bjava\ ?script\b.*\b(?:disabled|not\ enabled|required|turned\ off|be\ enabled|needed|necessary|blocked)\b
    | \b(?:without|support)\ java\ ?script
    | \benable\ java\ ?script\b.*\b(?:to|and)\ (?:\w+\ )?(?:continue|view|run|use|proceed|see|access|watch|reload|try)
    | \bbrowser\b.*\bnot\ support(?:ed)?\b
    | (?=.*{_BROWSER})(?=.*{_NOT}).*{_FRAME}
    | checking\ (?:if|your|the)\ .*(?:browser|connection|site)
    | verif(?:y|ying)\ .*(?:human|robot) | (?:not|you)\ a\ (?:human|robot)
    | review\ the\ security\ of\ your\ connection | complete\ the\ (?:security\ check|captcha)
    | (?:unusual|automated)\ (?:traffic|activity|requests)
    | java\ ?script.*(?:{_NEEDED}) | (?:{_NEEDED}).*java\ ?script
    """,
    re.IGNORECASE | re.VERBOSE,
)
# What stands around it.
_AROUND = re.compile(
    r"""just\ a\ moment | attention\ required | please\ (?:wait|stand\ by) | redirect | process\ is\ automatic
    | seconds | ray\ id | ddos\ protection | performance\ (?:&|and)\ security | cloudflare | ^\W*loading\W*$
    | skip\ to\ (?:main\ )?content | (?:refresh|reload)\ (?:the|this|your)?\ ?page | access\ .*denied | ad\ ?block
    | \bhuman\b | one\ more\ step | cookies\ (?:to|are|must)""",
    re.IGNORECASE | re.VERBOSE,
)
_APPLICATION = re.compile(
    r"""<(?:div|main|body)\b[^<>]{0,200}\bid=["']?(?:root|app|__next|__nuxt|q-app|app-root)["'\s>]|<app-root\b""",
    re.IGNORECASE,
)
_SCRIPT = re.compile(r"<script\b", re.IGNORECASE)


def only_asks(text: str) -> bool:
    """Whether a text only asks for JavaScript, cookies or a check of the browser.

    >>> only_asks("Just a moment...\\nChecking your browser before accessing example.com.\\nRay ID: 8aef")
    True
    >>> only_asks("You need to enable JavaScript to run this app."), only_asks("Bitte aktivieren Sie JavaScript.")
    (True, True)
    >>> only_asks("How to enable JavaScript. Open the settings, choose Privacy, then Site settings, and turn it on.")
    False
    """
    words = asked = 0
    for sentence in _SENTENCE_END.split(text[: MAX_WORDS * 40]):
        count = len(sentence.split())
        if _ASKS.search(sentence):
            asked += 1
        elif not _AROUND.search(sentence):
            words += count
    return asked > 0 and words <= MAX_OTHER_WORDS and len(text.split()) <= MAX_WORDS


def is_application(html: str) -> bool:
    """Whether a page without text is the frame that a script fills.

    >>> is_application('<body><div id="root"></div><script src="a.js"></script>')
    True
    """
    return bool(_APPLICATION.search(html) and _SCRIPT.search(html))
