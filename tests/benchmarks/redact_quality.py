"""Precision and recall of the replacement of personal data, on a made set, beside peers where they are installed.

Values are made with check digits, by code that knows nothing of the detectors; as many sentences hold numbers that only
look like personal data. Recall is the share of values of which no character stays; precision the share of what was
found that overlaps a value of that kind. ``python tests/benchmarks/redact_quality.py [SENTENCES]``

Peers (``pip install datatrove scrubadub presidio-analyzer``): datatrove's PIIFormatter (mail and IP), scrubadub's default
detectors that need no model, and presidio's recognizers by pattern. presidio and scrubadub know no kind of replacement
beyond what is printed for them.
"""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec

from winnow.base.recipe import RedactSettings
from winnow.repair.redact.redaction import Redactor

Found = tuple[str, int, int]
Detect = Callable[[str], list[Found]]
DRAWN = random.Random(20)

WORDS = {
    "EMAIL": ["Write to {} by Friday.", "Contact: {}", "Schreiben Sie an {}, bitte.", "De {} à tous.", "<{}> wrote:", "{}"],
    "IP": ["The request came from {} at noon.", "Client {} was blocked.", "{} - - GET /index", "Server-Adresse {} (Port 8080)"],
    "PHONE": ["Call {} after six.", "Tel. {}", "Telefon: {}, Mo-Fr", "Appelez le {} !", "Mobile {} or office.", "You can reach us on {}."],
    "IBAN": ["IBAN: {}", "Bitte auf {} überweisen.", "Transfer it to {}, thanks.", "Compte {} (BIC AGRIFRPP)"],
    "CARD": ["My card is {}, valid until 12/27.", "paid with {}", "Kreditkarte {}.", "Visa {}"],
    "NATIONAL_ID": ["{word} {}", "Her {word} is {}.", "{word}: {}, born in 1970"],
}  # fmt: skip
NAMES = "ann bob carla dieter émile fatima george hana igor jürgen kim lena müller o'neil perez quinn rosa smith tanaka".split()
HOSTS = "example.org mail.example.com uni-beispiel.de example.co.uk bücher.de firma.com.pl".split()


def digits(count: int) -> str:
    return "".join(DRAWN.choice("0123456789") for _ in range(count))


def luhn(number: str) -> str:
    """The number with Luhn's check digit behind it."""
    total = 0
    for n, sign in enumerate(reversed(number)):
        d = int(sign) * (2 if n % 2 == 0 else 1)
        total += d - 9 if d > 9 else d
    return number + str(-total % 10)


def grouped(number: str, *sizes: int, sep: str = " ") -> str:
    parts, at = [], 0
    for size in sizes:
        parts.append(number[at : at + size])
        at += size
    return sep.join(parts)


def iban(country: str, account: str) -> str:
    value = int("".join(str(int(c, 36)) for c in account + country + "00"))
    number = f"{country}{98 - value % 97:02d}{account}"
    return DRAWN.choice([number, " ".join(number[i : i + 4] for i in range(0, len(number), 4))])


def email() -> str:
    name, other = DRAWN.choice(NAMES), DRAWN.choice(NAMES)
    local = DRAWN.choice([f"{name}.{other}", name, f"{name}{digits(2)}", f"{name[0]}_{other}", f"{name}+lists"])
    return f"{local}@{DRAWN.choice(HOSTS)}"


def ip() -> str:
    if DRAWN.random() < 0.2:
        return "2a02:" + ":".join(f"{DRAWN.randrange(1, 65536):x}" for _ in range(7))
    return f"{DRAWN.choice([31, 46, 62, 81, 93, 109, 151, 185, 193, 212])}.{DRAWN.randrange(256)}.{DRAWN.randrange(256)}.{DRAWN.randrange(1, 255)}"


def phone() -> str:
    kind = DRAWN.randrange(7)
    if kind == 0:
        return f"+49 30 {digits(3)}{DRAWN.randrange(10, 99)}{digits(2)}"
    if kind == 1:
        return f"+33 6 {' '.join(str(DRAWN.randrange(10, 99)) for _ in range(4))}"
    if kind == 2:
        return f"020 7{digits(3)} {digits(4)}"
    if kind == 3:
        return f"(212) {DRAWN.randrange(220, 899)}-{digits(4)}"
    if kind == 4:
        return f"+1 415-{DRAWN.randrange(220, 899)}-{digits(4)}"
    if kind == 5:
        return (
            f"07700 900{digits(3)}"
            if DRAWN.random() < 0.5
            else f"07{DRAWN.choice(['400', '712', '911', '850'])} {digits(6)}"
        )
    return f"+48 22 {DRAWN.randrange(200, 899)} {DRAWN.randrange(10, 99)} {DRAWN.randrange(10, 99)}"


def card() -> str:
    kind = DRAWN.randrange(4)
    if kind == 0:
        number = luhn("4" + digits(14))
        return DRAWN.choice([number, grouped(number, 4, 4, 4, 4)])
    if kind == 1:
        return grouped(luhn(f"5{DRAWN.randrange(1, 6)}" + digits(13)), 4, 4, 4, 4, sep=DRAWN.choice(" -"))
    if kind == 2:
        return grouped(luhn("37" + digits(12)), 4, 6, 5)
    return luhn("6011" + digits(11))


def date() -> tuple[str, str, str]:
    return f"{DRAWN.randrange(40, 99)}", f"{DRAWN.randrange(1, 13):02d}", f"{DRAWN.randrange(1, 29):02d}"


def pesel() -> str:
    body = "".join(date()) + digits(4)
    return body + str(-sum(int(d) * w for d, w in zip(body, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3), strict=True)) % 10)


def bsn() -> str:
    while True:
        body = str(DRAWN.randrange(1, 10)) + digits(7)
        check = sum(int(d) * w for d, w in zip(body, range(9, 1, -1), strict=True)) % 11
        if check < 10:
            return body + str(check)


def dni() -> str:
    number = digits(8)
    return number + "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]


def cpf() -> str:
    body = digits(9)
    for length in (9, 10):
        total = sum(int(d) * w for d, w in zip(body, range(length + 1, 1, -1), strict=True)) * 10 % 11
        body += str(total % 10)
    return f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}"


def nir() -> str:
    year, month, _ = date()
    body = f"{DRAWN.choice('12')}{year}{month}{DRAWN.randrange(10, 95)}{DRAWN.randrange(1, 989):03d}{DRAWN.randrange(1, 999):03d}"
    number = f"{body}{97 - int(body) % 97:02d}"
    return DRAWN.choice([number, grouped(number, 1, 2, 2, 2, 3, 3, 2)])


def hetu() -> str:
    year, month, day = date()
    individual = f"{DRAWN.randrange(2, 899):03d}"
    return (
        f"{day}{month}{year}-{individual}{'0123456789ABCDEFHJKLMNPRSTUVWXY'[int(day + month + year + individual) % 31]}"
    )


def ahv() -> str:
    body = "756" + digits(9)
    check = -sum(int(d) * (3 if n % 2 else 1) for n, d in enumerate(body)) % 10
    return grouped(body + str(check), 3, 4, 4, 2, sep=".")


def ric() -> str:
    year, month, day = date()
    body = f"1101{DRAWN.choice(['05', '01', '02'])}19{year}{month}{day}{digits(3)}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


def ssn() -> str:
    return f"{DRAWN.randrange(1, 665):03d}-{DRAWN.randrange(1, 99):02d}-{DRAWN.randrange(1, 9999):04d}"


IDS: list[tuple[str, Callable[[], str]]] = [
    ("PESEL", pesel), ("BSN", bsn), ("DNI", dni), ("CPF", cpf), ("numéro de sécu", nir), ("henkilötunnus", hetu),
    ("AHV-Nummer", ahv), ("身份证", ric), ("SSN", ssn),
]  # fmt: skip
IBANS: list[Callable[[], str]] = [
    lambda: iban("DE", digits(18)), lambda: iban("PL", "10901014" + digits(16)), lambda: iban("AT", digits(16)),
    lambda: iban("NL", "ABNA" + digits(10)), lambda: iban("GB", "NWBK" + digits(14)),
]  # fmt: skip
MAKE: dict[str, Callable[[], str]] = {
    "EMAIL": email, "IP": ip, "PHONE": phone, "IBAN": lambda: DRAWN.choice(IBANS)(), "CARD": card,
}  # fmt: skip
CONTROLS: list[Callable[[], str]] = [
    lambda: f"On {digits(2)}.{DRAWN.randrange(1, 13):02d}.20{digits(2)} it rained; by 20{digits(2)}-{DRAWN.randrange(10, 13)}-{DRAWN.randrange(10, 29)} it had stopped.",
    lambda: f"The price rose from {digits(1)},{digits(3)},{digits(3)}.{digits(2)} to €{digits(3)}.{digits(3)} in a year.",
    lambda: f"Version {digits(1)}.{digits(2)}.{digits(1)}.{digits(2)} replaces v{digits(1)}.{digits(1)}.{digits(3)}.{digits(1)}, Chrome/{digits(2)}.0.{digits(4)}.{digits(3)}.",
    lambda: f"ISBN 978-{digits(1)}-{digits(4)}-{digits(4)}-{digits(1)}, ISSN {digits(4)}-{digits(4)}, DOI 10.{digits(4)}/{digits(6)}.{digits(2)}",
    lambda: f"Order part no. {digits(3)}-{digits(3)}-{digits(4)}, serial {digits(12)}, SKU {luhn('4' + digits(14))}.",
    lambda: f"It measured {digits(2)}.{digits(8)} by {digits(3)}.{digits(5)}, at {digits(2)}.{digits(5)}, -{digits(2)}.{digits(5)}.",
    lambda: f"Invoice {digits(11)} and ticket #{digits(9)} were closed, as was {digits(16)}.",
    lambda: f"The years {1900 + int(digits(2))}-{1900 + int(digits(2))} and pages {digits(3)}-{digits(3)} tell of {digits(2)} {digits(3)} {digits(3)} people.",
    lambda: f"@{DRAWN.choice(NAMES)} tagged @{DRAWN.choice(NAMES)}@social.example; see icon@{digits(1)}x.png and pkg@{digits(1)}.{digits(1)}.{digits(1)}.",
    lambda: f"Private {DRAWN.choice(['10', '127'])}.{DRAWN.randrange(256)}.{DRAWN.randrange(256)}.{digits(1)}, mask 255.255.255.0, MAC 00:1b:{digits(2)}:3c:{digits(2)}:5e.",
    lambda: f"Section {digits(1)}.{digits(1)}.{digits(1)}.{digits(1)} asks for IMEI {luhn('35' + digits(12))} and EAN {digits(13)}.",
    lambda: f"He lay {digits(1)}-{digits(1)}, {digits(1)}-{digits(1)} down at 1{digits(1)}:{DRAWN.randrange(10, 59)}:{DRAWN.randrange(10, 59)} in game {digits(2)}/{digits(2)}.",
]  # fmt: skip


def sentences(count: int) -> Iterator[tuple[str, list[Found]]]:
    kinds = list(WORDS)
    for n in range(count):
        if n % 2:
            yield DRAWN.choice(CONTROLS)(), []
            continue
        kind = kinds[n // 2 % len(kinds)]
        word, make = DRAWN.choice(IDS) if kind == "NATIONAL_ID" else ("", MAKE[kind])
        value = make()
        before, after = DRAWN.choice(WORDS[kind]).replace("{word}", word).split("{}")
        yield before + value + after, [(kind, len(before), len(before) + len(value))]


def winnow() -> Detect:
    redactor = Redactor(RedactSettings(kinds=("email", "ip", "phone", "iban", "card", "national_id")), None)
    return lambda text: [(kind, c.start, c.end) for c, kind in redactor._all_changes(text)]


def datatrove() -> Detect:
    from datatrove.pipeline.formatters import PIIFormatter

    made = PIIFormatter(email_replacement=("<E>",), ip_replacement=("<I>",))

    def detect(text: str) -> list[Found]:
        return [
            (kind, *m.span())
            for kind, replacer in (("EMAIL", made.emails_replacer), ("IP", made.ip_replacer))
            for m in replacer.regex.finditer(text)
            if replacer.validator is None or replacer.validator(m[0])
        ]

    return detect


def scrubadub() -> Detect:
    import scrubadub as package

    names = {"email": "EMAIL", "phone": "PHONE", "credit_card": "CARD", "social_security_number": "NATIONAL_ID"}
    scrubber = package.Scrubber(locale="en_US")
    return lambda text: [(names[f.type], f.beg, f.end) for f in scrubber.iter_filth(text) if f.type in names]


def presidio() -> Detect:
    from presidio_analyzer import predefined_recognizers as given

    made = {
        "EMAIL": [given.EmailRecognizer()],
        "IP": [given.IpRecognizer()],
        "PHONE": [given.PhoneRecognizer()],
        "IBAN": [given.IbanRecognizer()],
        "CARD": [given.CreditCardRecognizer()],
        "NATIONAL_ID": [given.UsSsnRecognizer(), given.PlPeselRecognizer(), given.EsNifRecognizer(), given.FiPersonalIdentityCodeRecognizer()],
    }  # fmt: skip
    return lambda text: [
        (kind, r.start, r.end)
        for kind, recognizers in made.items()
        for recognizer in recognizers
        for r in recognizer.analyze(text, recognizer.supported_entities, None) or []
    ]


PEERS = {"datatrove": datatrove, "scrubadub": scrubadub, "presidio_analyzer": presidio}


def main(count: int) -> None:
    made = list(sentences(count))
    size = sum(len(text) for text, _ in made)
    print(f"{count} sentences, half of them controls; precision / recall")
    print(f"{'':<12}" + "".join(f"{kind:>15}" for kind in WORDS) + f"{'kB/s':>8}")
    known = [name for name in PEERS if find_spec(name)]
    for name in ("winnow", *known):
        detect = winnow() if name == "winnow" else PEERS[name]()
        started = time.process_time()
        found = [detect(text) for text, _ in made]
        seconds = time.process_time() - started
        cells = [_cell(kind, found, [truth for _, truth in made]) for kind in WORDS]
        print(f"{name.split('_')[0]:<12}" + "".join(f"{cell:>15}" for cell in cells) + f"{size / seconds / 1e3:>8.0f}")
    for name in PEERS.keys() - set(known):
        print(f"{name} is not installed")


def _cell(kind: str, found: list[list[Found]], truths: list[list[Found]]) -> str:
    right = total = covered = wanted = 0
    for got, truth in zip(found, truths, strict=True):
        mine = [(s, e) for k, s, e in got if k == kind]
        real = [(s, e) for k, s, e in truth if k == kind]
        total += len(mine)
        right += sum(any(s < e2 and s2 < e for s2, e2 in real) for s, e in mine)
        wanted += len(real)
        covered += sum(any(s <= s2 and e2 <= e for s, e in mine) for s2, e2 in real)
    return f"{right / total:.3f} / {covered / wanted:.3f}" if total else "-"


if __name__ == "__main__":
    main(int(re.sub(r"\D", "", sys.argv[1])) if len(sys.argv) > 1 else 6000)
