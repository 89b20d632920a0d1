"""Lines that are in a text only to sell or to lead away: advertisement markers, promotion, buttons, cut-off posts."""

from __future__ import annotations

import re

# Only a passage that is nothing but the marker goes; a sentence about advertising stays.
_MARKER = re.compile(
    r"\W{0,8}(?:advertisements?|sponsored (?:content|posts?|links?|by)|promoted content|"
    r"paid content|story continues below(?: advertisement)?|"
    r"article continues (?:below|after)(?: (?:this )?ad\w{0,12})?|"
    r"continue reading(?: below)?|scroll to continue(?: with content)?|skip advertisement)\W{0,8}",
    re.I,
)
# One word may as well be the heading of a chapter: it must be shouted, set off by signs, or stand there again.
_WORD = re.compile(
    r"(?:advertising|sponsored|promoted|ad|anzeige|werbung|publicité|publicidad|publicidade|pubblicità|advertentie|"
    r"реклама|reklama|annonse?|広告|广告|廣告|광고|إعلان)",
    re.I,
)
_LEAD = (
    r"(?:you (?:may|might|will) also (?:like|enjoy|be interested|want)\b"
    r"|(?:also|don['’]t) (?:read|watch|miss|check out)\s{0,3}[:|–—-]"
    r"|(?:read|watch) (?:also|more|next|this)\s{0,3}[:|–—-]"
    r"|(?:related|recommended|trending|more) (?:stories|articles|posts|news|reading|videos?|coverage|now)"
    r"\s{0,3}[:|–—-])"
)
_CALL = (
    r"(?:(?:sign up|subscribe)(?: now)? (?:for|to|here|below)\b"
    r"|(?:follow|like|find) us on\b"
    r"|(?:click|tap) here (?:to|for)\b"
    r"|(?:get|download) (?:the|our) (?:free )?app\b)"
)
CALLS = rf"(?i)^\W{{0,8}}(?:[0-9]{{1,3}}[.)]\s{{1,8}})?(?:{_LEAD}|{_CALL})"
"""What opens a promotion line; alone it is no evidence: manuals say "Click here to save" and "Subscribe to events"."""
_PAGES = (
    r"home(?:page)?|news|blog|contacts?(?: us)?|about(?: us)?|help|faqs?|search|log ?in|sign (?:in|up)|register|rss|"
    r"site ?map|privacy(?: policy| notice)?|terms(?: (?:of|and) \w+| & conditions)?|cookies?(?: policy| settings)?|"
    r"advertis(?:e|ing)(?: with us)?|accessibility|careers|jobs|imprint|legal(?: notice)?|disclaimer|"
    r"startseite|über uns|kontakt|impressum|datenschutz(?:erklärung)?|agb|suche|hilfe|anmelden|accueil|à propos|"
    r"mentions légales|aide|rechercher|inicio|início|contacto|contato|quiénes somos|sobre nós|aviso legal|privacidad|"
    r"privacidade|ayuda|ajuda|chi siamo|contatti|over ons|zoeken|strona główna|o nas|szukaj|hem|om oss|hjem|"
    r"главная|о нас|контакты|поиск|помощь|новости|ana sayfa|iletişim|首页|首頁|关于我们|联系我们|ホーム|お問い合わせ|홈"
)
BAR_OF_PAGES = rf"(?i)(?:^|\|)\s*(?:{_PAGES})\s*\|(?:.*\|)?\s*(?:{_PAGES})\s*(?:\||$)"
"""A row of links to the pages that each site has, in Rust's dialect; alone it is no evidence: it may head a table."""
_LEADS = re.compile(rf"\W{{0,8}}{_LEAD}", re.I)
_CALLS = re.compile(rf"\W{{0,8}}{_CALL}", re.I)
_OPENINGS = (
    "adver", "spons", "promo", "paid ", "story", "artic", "conti", "scrol", "skip ", "ad   ", "anzei", "werbu",
    "publi", "pubbl", "rekla", "annon", "you m", "you w", "also ", "don t", "read ", "watch", "relat", "recom",
    "trend", "more ", "sign ", "subsc", "follo", "like ", "find ", "click", "tap h", "get t", "get o", "downl",
    "share", "tweet", "teile", "parta", "compa", "condi", "подел", "分享",
    "рекла", "広告", "广告", "廣告", "광고", "إعلان",
)  # fmt: skip
"""How all that is found here begins, other signs as spaces."""
_VENUE = re.compile(
    r"\b(?:youtube|facebook|instagram|twitter|tiktok|telegram|whatsapp|channel|trending|sponsor\w{0,6}|free)\b", re.I
)
_LETTERS = re.compile(r"\b(?:newsletters?|inbox|podcasts?|app store|google play)\b", re.I)
_OURS = re.compile(r"\b(?:our|us|my)\b", re.I)
SHORT_LINK = (
    r"(?:https?://)?(?:t\.co|bit\.ly|goo\.gl|ow\.ly|tinyurl\.com|buff\.ly|dlvr\.it|is\.gd|fb\.me|pic\.twitter\.com|youtu\.be|"
    r"lnkd\.in|trib\.al|wp\.me|ift\.tt|amzn\.to)/[A-Za-z0-9_-]{2,24}(?:…|\.\.\.)?\s{0,4}$"
)
"""A link of a service that shortens them, as the last thing in a text; the same in Rust's dialect."""
_SHORT_LINK = re.compile(SHORT_LINK)
_SHARE = "share|tweet|teilen|partager|compartir|compartilhar|condividi|поделиться|分享"
_NETWORK = (
    "facebook|twitter|x|linkedin|whatsapp|telegram|reddit|pinterest|tumblr|bluesky|mastodon|threads|messenger|e-?mail|"
    "print|pocket|xing|вконтакте|вк|微博|微信"
)
_BESIDE = "click|pin|on|via|by|to|it|this|link|opens|in|new|a|window|auf|per|mit|bei|sur|par|en|por|su|no|в|на|через"
_BAR = r"[\s|·•/()\[\]:-]"  # no comma: what a sentence lists is what somebody may do, and no row of buttons
_SHARE_BAR = re.compile(
    rf"\W{{0,8}}(?:click to\s)?(?:{_SHARE})\b"
    rf"(?:{_BAR}{{1,20}}(?:{_SHARE}|{_NETWORK}|{_BESIDE})\b){{1,60}}{_BAR}{{0,20}}",
    re.IGNORECASE,
)
_NETWORKS = re.compile(rf"\b(?:{_NETWORK})\b", re.IGNORECASE)
_LIST_MARK = re.compile(r"\s{0,40}(?:[-*+•·–—‣◦▪]|[0-9]{1,3}[.)])\s{1,8}")
MAX_PROMO = 300  # characters; what is longer has something of its own to say
_SENTENCE_END = '.!?…。！？"”’»)'
_ANNOUNCING = frozenset((
    "at", "via", "here", "see", "read", "link", "on", "from", "visit", "to", "watch", "this", "below", "siehe",
    "unter", "hier", "voir", "ici", "sur", "en", "aquí", "ver", "vía", "su", "qui", "тут", "на",
))  # fmt: skip
"""Words after which a link is where the reader is sent, not what a cut-off post left behind."""


_MAY_OPEN = "|".join(re.sub(" +$", r"(?:\\W|$)", opening).replace(" ", r"\W") for opening in _OPENINGS)
PROMO_OPENING = rf"(?i)^\PL*(?:{_MAY_OPEN})"
"""How all that `is_promo` says yes to opens, in Rust's dialect, but for cut-off posts."""


def is_promo(text: str, stands_again: bool = False) -> bool:
    """Whether a passage is an advertisement marker, a promotion line, a row of buttons to share a page, or a cut-off
    post that ends in a short link.

    A line that opens like a call ("Subscribe to") needs a second sign: whose channel it is, a newsletter, capitals, or
    that it `stands_again` in its document. Calls without one go where enough documents have them (`across_documents`).

    >>> is_promo("ADVERTISEMENT"), is_promo("Advertisement is a branch of the economy.")
    (True, False)
    >>> is_promo("Advertising"), is_promo("– Advertising –"), is_promo("Advertising", stands_again=True)
    (False, True, True)
    >>> is_promo("- YOU MAY ALSO LIKE TO WATCH THIS TRENDING STORY ON YOUTUBE. A Horror Story: Room 502")
    True
    >>> is_promo("You may also like to know that the bridge is open.")
    False
    >>> is_promo("The media try to claim the US is deporting https://t.co/Rt6q5t4BCQ")
    True
    >>> is_promo("Also see:"), is_promo("Read also: Five bridges you will not believe →")
    (False, True)
    >>> is_promo("Subscribe to our channel!"), is_promo("Subscribe to the channel with `redis.subscribe`.")
    (True, False)
    >>> is_promo("Share on Facebook | Share on Twitter"), is_promo("Share on Facebook, Twitter or here")
    (True, False)
    >>> is_promo("The report is out. Read it at https://t.co/Rt6q5t4BCQ"), is_promo("See https://example.org/a.")
    (False, False)
    """
    if len(text) > MAX_PROMO:
        return False
    body = text.strip()
    if len(body) < 80 and _MARKER.fullmatch(body):
        return True
    bare = body.strip("-–—=*_·•|[](){}<>【】:. ")
    if len(bare) < 20 and _WORD.fullmatch(bare):
        return stands_again or (bare != body and len(bare) > 2) or (len(bare) > 2 and bare.isupper())
    mark = _LIST_MARK.match(body)
    line = body[mark.end() :] if mark else body
    if _SHARE_BAR.fullmatch(line):
        networks = {name.lower() for name in _NETWORKS.findall(line)}
        return len(networks) > 1 or bool(networks and "new window" in line.lower())
    return ("\n" not in line and _is_call(line, stands_again)) or is_cut_off_post(body)


def _is_call(line: str, stands_again: bool) -> bool:
    if _LEADS.match(line):
        return stands_again or line[-1:] in ":>»→" or bool(_VENUE.search(line) or _LETTERS.search(line))
    if not _CALLS.match(line):
        return False
    ours = _VENUE.search(line) and (line.isupper() or _OURS.search(line))
    return bool(stands_again or line[-1:] in "»→" or _LETTERS.search(line) or ours)


def is_cut_off_post(body: str) -> bool:
    """Whether a passage of one sentence breaks off into a dead short link, as truncated posts do.

    A link after the end of a sentence, or after a colon or a word that announces it, is a reference and stays.

    >>> is_cut_off_post("Our list is here: https://t.co/Rt6q5t4BCQ")
    False
    """
    found = _SHORT_LINK.search(body, max(0, len(body) - 80)) if "/" in body[-40:] else None
    if not found:
        return False
    before = body[: found.start()].rstrip()
    if not before or before[-1] in _SENTENCE_END + ":,;-–—>→(":
        return False
    last = before.rsplit(None, 1)[-1].lower()
    return len(before.split()) >= 3 and last not in _ANNOUNCING
