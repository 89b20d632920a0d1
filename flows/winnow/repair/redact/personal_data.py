"""Where personal data stands in a text: addresses and numbers that have their form and their check digits.

Dates, prices, versions, ISBN and part numbers have neither, or a word beside them that says what they are. What could
as well be another number counts only beside a word for it ("IBAN", "tel.", "CPR").
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import re2

from winnow.repair.engine.rule import roomy
from winnow.repair.redact.national_ids import NATIONAL_IDS, NationalId, checker

MAX_LOCAL, MAX_DOMAIN = 64, 253  # characters of the two halves of a mail address (RFC 5321)
NEAR = 40  # characters before a number in which a word may say what it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """Personal data at ``text[start:end]``; ``value`` is its plain form, the same however it is spaced."""

    start: int
    end: int
    kind: str
    value: str


Finder = Callable[[str], Iterable[Personal]]


def personal_data(text: str, finders: Sequence[Finder]) -> list[Personal]:
    """What the finders find, in order; where two overlap, the finder that comes first is right."""
    taken: list[Personal] = []
    for find in finders:
        found = [one for one in find(text) if one.start < one.end]
        taken = _merged(taken, found)
    return taken


def _merged(taken: list[Personal], found: list[Personal]) -> list[Personal]:
    """Both in order, without those of `found` that overlap one of `taken`, or one another."""
    out: list[Personal] = []
    ahead = iter(taken)
    after = next(ahead, None)
    for one in sorted(found, key=lambda f: (f.start, -f.end)):
        while after is not None and after.start < one.end and after.end <= one.start:
            out.append(after)
            after = next(ahead, None)
        if (out and out[-1].end > one.start) or (after is not None and after.start < one.end):
            continue
        out.append(one)
    out += [] if after is None else [after, *ahead]
    return out


# Latin, Greek and Cyrillic letters: no sign of a script without spaces is part of an address.
_LETTER = "A-Za-z\u00c0-\u024f\u0370-\u052f"
_LOCAL = re.compile(rf"[{_LETTER}0-9](?:[{_LETTER}0-9._%+’'-]*[{_LETTER}0-9_%+-])?\Z")
_DOMAIN = re.compile(
    rf"(?:[{_LETTER}0-9](?:[{_LETTER}0-9-]{{0,61}}[{_LETTER}0-9])?\.){{1,8}}[{_LETTER}]{{2,24}}(?![{_LETTER}0-9_-])"
)
_PICTURE = re.compile(r"\d+x\.(?:png|jpe?g|gif|webp|svg|avif)\Z", re.IGNORECASE)
_SPELT_OUT = re.compile(
    r"(?<![\w.])(\w[\w.+-]{0,63}) ?[\[({] ?(?:at|@) ?[\])}] ?(\w[\w-]{0,62})"
    r"((?: ?[\[({] ?(?:dot|\.|punkt|punto|point) ?[\])}] ?[\w-]{1,63}|\.[\w-]{1,63}){1,5})", re.IGNORECASE,
)  # fmt: skip
_DOT = re.compile(r" ?[\[({] ?(?:dot|\.|punkt|punto|point) ?[\])}] ?", re.IGNORECASE)


def emails(text: str) -> Iterator[Personal]:
    """Mail addresses, also ``name [at] example [dot] org``; no handle, no remote of git, no picture ``@2x.png``.

    >>> [text[p.start:p.end] for text in ["write to ann.lee@example.org.", "@ann@social.example", "icon@2x.png"]
    ...  for p in emails(text)]
    ['ann.lee@example.org']
    """
    at = text.find("@")
    while at >= 0:
        left = text[max(0, at - MAX_LOCAL) : at]
        local = _LOCAL.search(left)
        right = text[at + 1 : at + 2 + MAX_DOMAIN]
        domain = _DOMAIN.match(right)
        if local and domain and not _PICTURE.match(domain[0]):
            start, end = at - len(local[0]), at + 1 + len(domain[0])
            remote = local[0] == "git" and text[end : end + 1] == ":"
            if not remote and text[max(0, start - 1) : start] != "@":
                yield Personal(start=start, end=end, kind="EMAIL", value=text[start:end].casefold())
        at = text.find("@", at + 1)
    for found in _SPELT_OUT.finditer(text):
        address = f"{found[1]}@{found[2]}{_DOT.sub('.', found[3])}"
        if re.search(r"\.[^\W\d_]{2,24}\Z", address):
            yield Personal(start=found.start(), end=found.end(), kind="EMAIL", value=address.casefold())


_IPV4 = re.compile(r"(?<![\w.])(?<!\d,)\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])[23][0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{0,4}(?![\w:])")
_VERSION = re.compile(
    r"(?:\b(?:v|ver|versions?|releases?|firmware|build|rev|revision|bios|driver|kernel|software|app|update|sdk|section"
    r"|sect|chapter|clause|article|art|para|paragraph|table|figure|fig|annex|rule|oid|kapitel|abschnitt|abs|ziffer|nr"
    r"|no|item|step)\b|[§№#]|\w/)[\W_]{0,3}\Z", re.IGNORECASE,
)  # fmt: skip
_OF_IP = re.compile(
    r"\b(?:ip(?:v[46])?|addr\w*|hosts?|servers?|clients?|users?|login|logged|from|ping|dns|router|gateway|peer|proxy"
    r"|connect\w*|adresse\w*|dirección|indirizzo|адрес\w*)\b|://\Z|@\Z|\[\Z", re.IGNORECASE,
)  # fmt: skip
HEADING = 30  # numbers of chapters and versions go no higher


def ip_addresses(text: str) -> Iterator[Personal]:
    """Public addresses of IP version 4 and 6; those of private networks name nobody, and small numbers a version.

    >>> [text[p.start:p.end] for text in ["from 81.2.69.142:443", "version 81.2.69.142", "1.2.3.4 Scope", "10.1.2.3"]
    ...  for p in ip_addresses(text)]
    ['81.2.69.142']
    """
    for pattern in (_IPV4, _IPV6):
        for found in pattern.finditer(text):
            try:
                address = ipaddress.ip_address(found[0])
            except ValueError:
                continue
            before = text[max(0, found.start() - NEAR) : found.start()].rpartition("\n")[2]
            if not address.is_global or address.is_multicast or _VERSION.search(before):
                continue
            if address.version == 4 and sum(n > HEADING for n in address.packed) < 2 and not _OF_IP.search(before):
                continue
            yield Personal(start=found.start(), end=found.end(), kind="IP", value=str(address))


_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?=[ \xa0-]?[A-Z0-9])")
MIN_IBAN, MAX_IBAN = 15, 34  # ISO 13616


def ibans(text: str) -> Iterator[Personal]:
    """Bank accounts (ISO 13616) of the length that their country has, with a right check number.

    >>> [text[p.start:p.end] for text in ["DE89 3704 0044 0532 0130 00 at", "DE89 3704 0044 0532 0130 01"]
    ...  for p in ibans(text)]
    ['DE89 3704 0044 0532 0130 00']
    """
    from stdnum import iban

    for found in _IBAN.finditer(text):
        number = ""
        at = found.start()
        while at < len(text) and len(number) < MAX_IBAN:
            sign = text[at]
            at += 1
            if "0" <= sign <= "9" or "A" <= sign <= "Z":
                number += sign
                ends = at == len(text) or not text[at].isalnum()
                if ends and len(number) >= MIN_IBAN and iban.is_valid(number):
                    yield Personal(start=found.start(), end=at, kind="IBAN", value=number)
                    break
            elif sign not in " \xa0-" or text[at : at + 1] in (" ", "\xa0", "-"):
                break


_CARD = re.compile(
    r"(?<![\w.,/+-])(?:\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|3[47]\d{2}([ -]?)\d{6}\2\d{5}"
    r"|3[068]\d{2}([ -]?)\d{6}\3\d{4}|\d{13})(?![\w-]|[.,]\d)"
)  # fmt: skip
_NETWORKS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[68]\d)\d{11}"
    r"|(?:6011|65\d\d|64[4-9]\d|35(?:2[89]|[3-8]\d)|62\d\d)\d{12}(?:\d{3})?"
)  # fmt: skip
_OF_CARD = re.compile(
    r"\b(?:card|visa|master ?card|amex|american express|maestro|karte\w*|carte|tarjeta|carta|cc|pan|paid|pay\w*"
    r"|bezahl\w*|payé\w*|pagad\w*)\b",
    re.IGNORECASE,
)  # fmt: skip
_THING = re.compile(
    r"\b(?:isbn|issn|ean|gtin|upc|imei|imsi|iccid|doi|isin|orders?|parts?|serial|sku|article|artikel\w*|models?|item"
    r"|tracking|parcel|invoice|rechnung\w*|receipt|ref\w*|case|ticket|job|batch|lot|account|konto\w*|kunden\w*|customer"
    r"|patents?|catalog\w*|standard|din|iso|pmid|arxiv|vin|bestell\w*|commande|pedido|factura|zip|plz)\b",
    re.IGNORECASE,
)  # fmt: skip
_OF_THINGS = re.compile(_THING.pattern + r"[^\n]{0,15}\Z", re.IGNORECASE)


def cards(text: str) -> Iterator[Personal]:
    """Payment cards (ISO 7812): a number of a network, written as on the card, with Luhn's check digit.

    >>> [text[p.start:p.end] for text in ["card 4111 1111 1111 1111", "4111 1111 1111 1112", "IMEI 4111111111111111"]
    ...  for p in cards(text)]
    ['4111 1111 1111 1111']
    """
    from stdnum import luhn

    for found in _CARD.finditer(text):
        number = re.sub(r"\D", "", found[0])
        if not _NETWORKS.fullmatch(number) or not luhn.is_valid(number) or len(set(number[1:])) < 2 < len(set(number)):
            continue
        before = text[max(0, found.start() - NEAR) : found.start()]
        grouped = len(number) < found.end() - found.start()
        thing = (_OF_THINGS if grouped else _THING).search(before)
        if _OF_CARD.search(before) or (not thing and len(number) > 13):
            yield Personal(start=found.start(), end=found.end(), kind="CARD", value=number)


_PHONE = re.compile(r"(?<![\w.,/#$€£¥+-])(?<!\d[ (])[(+]{0,2}\d[\d()./ \xa0\u2010-\u2012-]{5,22}\d(?![\w%$€£¥°])")
_PART = re.compile(r"[(+]{0,2}\d(?:(?! / |  |[ \xa0]\+|(?<=\d) \()[\d()./ \xa0\u2010-\u2012-])*")
_OF_PHONE = re.compile(
    r"(?:\b(?:tel\w*|t|ph|phones?|f|fax|mob\w*|m|cell\w*|calls?|dial|ring|rufnummer\w*|rufen|appel\w*|handy|téléphone|tél|teléfono"
    r"|móvil|telefoon|whats ?app|sms|text|hotline|helpline|reach \w+|contact|kontakt|тел\w*|звони\w*)\b|[☎☏✆📞📱]"
    r"|电话|手机|電話|전화)[^\n]{0,20}\Z", re.IGNORECASE,
)  # fmt: skip
_DATE = re.compile(
    r"(?:19|20)\d\d[-./ ](?:0?[1-9]|1[0-2])[-./ ](?:0?[1-9]|[12]\d|3[01])\b"
    r"|(?:0?[1-9]|[12]\d|3[01])[-./ ](?:0?[1-9]|[12]\d|3[01])[-./ ](?:(?:19|20)\d\d|\d\d)\b"
    r"|(?:1[5-9]|20)\d\d ?[-/\u2010-\u2012] ?(?:1[5-9]|20)\d\d\Z|\d{1,3}(?:[ .\xa0]\d{3})+\Z"
)
_DAY = re.compile(r"(?:19|20)\d\d[-/.]?(?:0\d|1[0-2])[-/.]?[0-3]\d|\.\.")  # a day, or a range
_DECIMAL = re.compile(r"\d+\.\d+")
_GROUPED = re.compile(r"\(\d{2,5}\) ?\d|\d[ ./\xa0\u2010-\u2012-]\(?\d")
_OTHER = re.compile(r"\d{3}-\d{2}-\d{4}|\d{1,5}-\d{1,7}-\d{1,7}-\d")  # a social security number, an ISBN
_NORTH_AMERICAN = re.compile(r"(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[.-]\d{4}")


def phones(regions: tuple[str, ...]) -> Finder:
    """Telephone numbers that exist by libphonenumber's tables: with ``+`` anywhere, else those of `regions`.

    A number without ``+`` counts beside a word for it, or where it is grouped as such numbers are and begins with a
    zero or in brackets, or is American in form.

    >>> find = phones(("GB", "US"))
    >>> [text[p.start:p.end] for text in ["+49 30 901820", "ring 020 7946 0958", "(212) 555-0123", "2024-01-15 12:30",
    ...  "ISBN 978-3-16-148410-0", "part 555-123-4567"] for p in find(text)]
    ['+49 30 901820', '020 7946 0958', '(212) 555-0123']
    """

    def find(text: str) -> Iterator[Personal]:
        for found in _PHONE.finditer(text):
            for start, end in _readings(text, *found.span()):
                if number := _phone(text, start, end, regions):
                    yield Personal(start=start, end=end, kind="PHONE", value=number)

    return find


def _readings(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A candidate whole, then its parts where two numbers may stand side by side: "7946 0958 / 0959"."""
    yield start, end
    for part in _PART.finditer(text, start, end):
        bare = part[0].rstrip("()./ \xa0\u2010\u2011\u2012-")
        if len(bare) < end - start and sum(c.isdigit() for c in bare) >= 7:
            yield part.start(), part.start() + len(bare)


def _phone(text: str, start: int, end: int, regions: tuple[str, ...]) -> str | None:
    import phonenumbers

    written = text[start:end]
    international = written.lstrip("(").startswith("+")
    before = text[max(0, start - NEAR) : start]
    said, thing = _OF_PHONE.search(before), _OF_THINGS.search(before)
    if (
        _DATE.fullmatch(written)
        or (_OTHER.fullmatch(written) and not said)
        or (said and thing and thing.start() > said.start())
    ):
        return None
    if not international and not said:
        if (
            _DATE.match(written)
            or _DAY.search(written)
            or thing
            or _VERSION.search(before)
            or _DECIMAL.fullmatch(written)
        ):
            return None
        if not _GROUPED.search(written):
            return None
        if not (written[0] == "(" or written.startswith("0") or _NORTH_AMERICAN.fullmatch(written)):
            return None
    for region in (None,) if international else regions:
        try:
            number = phonenumbers.parse(written, region)
        except phonenumbers.NumberParseException:
            continue
        # Numbers for films, and ranges that are given out since, are possible but not valid.
        clear = international or (said and written[0] in "(0") or _NORTH_AMERICAN.fullmatch(written)
        if phonenumbers.is_valid_number(number) or (clear and phonenumbers.is_possible_number(number)):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return None


@lru_cache(maxsize=16)
def national_ids(countries: tuple[str, ...]) -> Finder:
    """Identity numbers of `countries` (ISO 3166), with their check digits and dates of birth.

    >>> find = national_ids(("IT", "NL"))
    >>> [text[p.start:p.end] for text in ["RSSMRA85T10A562S", "BSN 111222333", "111222333"] for p in find(text)]
    ['RSSMRA85T10A562S', '111222333']
    """
    kinds = [kind for kind in NATIONAL_IDS if kind.country in countries]
    gate = re2.Set.SearchSet(roomy())  # one look at the text for all kinds; most texts hold none
    owners: list[NationalId] = []
    for kind in kinds:
        for expression in (f"(?i){kind.words}", kind.distinct):
            if expression is not None:
                gate.Add(expression)
                owners.append(kind)
    gate.Compile()

    def find(text: str) -> Iterator[Personal]:
        hit = (
            {owners[number] for number in gate.Match(text.encode("utf-8", "surrogatepass")) or ()} if owners else set()
        )
        for kind in kinds:
            if kind not in hit:
                continue
            distinct, bare, words = _patterns(kind)
            if distinct is not None:
                yield from _checked(text, kind, distinct, words, named=False)
            if bare is not None:
                yield from _checked(text, kind, bare, words, named=True)

    return find


@cache
def _patterns(kind: NationalId) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None, re.Pattern[str]]:
    def whole(form: str | None) -> re.Pattern[str] | None:
        form = form and form.replace(r"\x{a0}", r"\xa0")
        return re.compile(rf"(?<![\w/+-])(?<!\d[.,])(?:{form})(?![\w/-]|[.,]\d)") if form else None

    return whole(kind.distinct), whole(kind.bare), re.compile(rf"(?<!\w)(?:{kind.words})(?!\w)", re.IGNORECASE)


def _checked(
    text: str, kind: NationalId, form: re.Pattern[str], words: re.Pattern[str], *, named: bool
) -> Iterator[Personal]:
    """Numbers of a form with a right check digit: beside a word for them if `named`, else in no other thing's name."""
    for found in form.finditer(text):
        before = text[max(0, found.start() - NEAR) : found.start()]
        if not words.search(before) and (named or _OF_THINGS.search(before)):
            continue
        if checker(kind)(found[0].replace("\xa0", " ")):
            value = kind.country + re.sub(r"[\W_]", "", found[0]).upper()
            yield Personal(start=found.start(), end=found.end(), kind="NATIONAL_ID", value=value)
