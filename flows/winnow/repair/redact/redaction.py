"""Personal data is replaced in a repaired text, and every edit that held a part of it keeps only its length.

A masked stretch of a ledger is written in full blocks, as many as there were characters. So the ledger stays whole: it
can be replayed over the text as it was read, and undone to it, but for what is masked.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec

from winnow.base.errors import RecipeError
from winnow.base.recipe import RedactSettings
from winnow.base.records import Edit
from winnow.repair.engine.ledger import MASK, passes
from winnow.repair.engine.repairer import Repaired
from winnow.repair.engine.rule import Change, Span, apply_changes
from winnow.repair.redact.national_ids import COUNTRIES
from winnow.repair.redact.personal_data import (
    Finder,
    cards,
    emails,
    ibans,
    ip_addresses,
    national_ids,
    personal_data,
    phones,
)

VERSION = 1
MAX_ROUNDS = 20  # numbers in a list behind one word for them, some of which come near it when others are replaced
SECRET = "RUN_SECRET"
"""Name of the environment variable that holds the key of hashes."""
PACKAGES = {"stdnum": "python-stdnum", "phonenumbers": "phonenumberslite"}


_SIGNS = re.compile(r"[@\d]|[\[({] ?at ?[\])}]", re.IGNORECASE)
"""What all personal data has one of; most paragraphs have none."""


class Redactor:
    """Replaces personal data as `settings` say; `secret` is the key of hashes.

    Raises RecipeError where the key or a package that it needs is missing, or where `settings` name an unknown country.
    """

    def __init__(self, settings: RedactSettings, secret: str | None) -> None:
        if missing := [package for module, package in PACKAGES.items() if find_spec(module) is None]:
            raise RecipeError(
                f"repair.redact needs {' and '.join(missing)}: install them with: pip install 'winnow-text[redact]'"
            )
        _check_countries("national_ids", settings.national_ids, COUNTRIES)
        _check_countries("phone_regions", settings.phone_regions, _phone_regions())
        self._key = _key(secret) if settings.replace_by == "hash" else None
        known: Mapping[str, Finder] = {
            "email": emails,
            "iban": ibans,
            "card": cards,
            "national_id": national_ids(settings.national_ids),
            "ip": ip_addresses,
            "phone": phones(settings.phone_regions),
        }
        self._finders = [find for kind, find in known.items() if kind in settings.kinds]

    @property
    def version(self) -> str:
        """What of redaction shapes rows besides the settings: its version, and which key it has (not the key)."""
        return f"{VERSION}{'-' + hmac.digest(self._key, b'which key', 'sha256').hex()[:8] if self._key else ''}"

    def text(self, text: str) -> str:
        """Returns the text with personal data replaced, without a ledger: for titles and metadata."""
        return apply_changes(text, (change for change, _ in self._all_changes(text)))

    def __call__(self, repaired: Repaired, repairer: Callable[[str], Repaired]) -> Repaired:
        """Returns the repaired text with personal data replaced, and the ledger without it.

        What is replaced may have kept `repairer` from acting beside it, so the result is repaired again, until that
        changes nothing.
        """
        for _ in range(MAX_ROUNDS):
            done = self._once(repaired)
            if done.text == repaired.text:
                return done
            again = repairer(done.text)
            if again.text == done.text:
                return done
            repaired = Repaired(again.text, (*(e for e in done.edits if e.applied), *again.edits))
        return self._once(repaired)

    def _once(self, repaired: Repaired) -> Repaired:
        changes = self._all_changes(repaired.text)
        made: list[Edit] = []
        delta = 0
        for change, kind in changes:
            start = change.start + delta
            before = MASK * (change.end - change.start)
            made.append(
                Edit(0, f"redact_{kind.lower()}", VERSION, start, start + len(before), before, change.after, 1.0, True)
            )
            delta += len(change.after) - len(before)
        bare = [change for change, _ in changes]
        masked = self._masked([e for e in repaired.edits if e.applied], [(c.start, c.end) for c in bare])
        suspicions = self._moved((e for e in repaired.edits if not e.applied), bare)
        ledger = tuple(edit._replace(seq=seq) for seq, edit in enumerate((*masked, *made, *suspicions)))
        return Repaired(apply_changes(repaired.text, bare), ledger)

    def _all_changes(self, text: str) -> list[tuple[Change, str]]:
        """Each change and its kind, in order; looked for again in the result, where words stand closer to numbers."""
        known: list[tuple[Change, str]] = []
        for _ in range(MAX_ROUNDS):
            found = list(self._changes(apply_changes(text, (change for change, _ in known))))
            if not found:
                break
            at = delta = 0
            new = []
            for change, kind in found:
                while at < len(known) and known[at][0].start + delta < change.start:
                    delta += len(known[at][0].after) - (known[at][0].end - known[at][0].start)
                    at += 1
                new.append((change._replace(start=change.start - delta, end=change.end - delta), kind))
            known = sorted([*known, *new], key=lambda pair: pair[0].start)
        return known

    def _changes(self, text: str) -> Iterator[tuple[Change, str]]:
        if not _SIGNS.search(text):
            return
        for one in personal_data(text, self._finders):
            yield Change(one.start, one.end, self._token(one.kind, one.value)), one.kind

    def _token(self, kind: str, value: str) -> str:
        if self._key is None:
            return f"<{kind}>"
        return f"<{kind}_{hmac.digest(self._key, f'{kind}:{value}'.encode(), 'sha256').hex()[:16]}>"

    def _masked(self, edits: Sequence[Edit], secret: list[Span]) -> list[Edit]:
        """The edits without what became secret, walked from the last to the first.

        `secret` holds where it stands after them all. Before an edit that made a part of it, all that the edit
        replaced is secret; and so is what an edit took out, where that holds personal data of its own.
        """
        done: list[list[Edit]] = []
        for run in reversed(passes(edits)):
            masked, secret = self._masked_pass(run, secret)
            done.append(masked)
        return [edit for run in reversed(done) for edit in run]

    def _masked_pass(self, run: Sequence[Edit], secret: Sequence[Span]) -> tuple[list[Edit], list[Span]]:
        """One walk over edits that follow one another in the text, and the secret stretches of the text before them."""
        out: list[Edit] = []
        earlier: list[Span] = []
        delta = 0  # what to add to a place in the text before the pass, for the text after it
        at = 0
        for edit in run:
            end = edit.start + len(edit.after)
            touched: list[Span] = []
            while at < len(secret) and secret[at][0] < end:
                if secret[at][1] > edit.start:
                    touched.append(secret[at])
                else:
                    earlier.append((secret[at][0] - delta, secret[at][1] - delta))
                if secret[at][1] > end:
                    break  # it reaches on to the next edit
                at += 1
            begin = edit.start - delta
            if touched or (edit.before and next(self._changes(edit.before), None)):
                earlier += [(low - delta, begin) for low, _ in touched if low - delta < begin]
                earlier.append((begin, begin + len(edit.before)))
                after = _blocked(edit.after, [(low - edit.start, high - edit.start) for low, high in touched])
                edit = edit._replace(before=MASK * len(edit.before), after=after)
                if touched and touched[-1][1] > end:
                    secret = [*secret[:at], (end, touched[-1][1]), *secret[at + 1 :]]
            out.append(edit)
            delta += len(edit.after) - len(edit.before)
        earlier += [(low - delta, high - delta) for low, high in secret[at:]]
        return out, _united(earlier)

    def _moved(self, suspicions: Iterable[Edit], changes: Sequence[Change]) -> Iterator[Edit]:
        """The suspicions at their places in the redacted text; those about what was replaced are gone with it."""
        at = delta = 0
        for edit in sorted(suspicions, key=lambda e: (e.start, e.end)):
            while at < len(changes) and changes[at].end <= edit.start:
                delta += len(changes[at].after) - (changes[at].end - changes[at].start)
                at += 1
            if at < len(changes) and changes[at].start < max(edit.end, edit.start + 1):
                continue
            yield edit._replace(start=edit.start + delta, end=edit.end + delta)


def _blocked(text: str, spans: Iterable[Span]) -> str:
    signs = list(text)
    for low, high in spans:
        low, high = max(low, 0), min(high, len(signs))
        signs[low:high] = MASK * (high - low)
    return "".join(signs)


def _united(spans: Iterable[Span]) -> list[Span]:
    """Sorted, empty ones left out, those that touch made one."""
    out: list[Span] = []
    for low, high in sorted(span for span in spans if span[0] < span[1]):
        if out and low <= out[-1][1]:
            out[-1] = (out[-1][0], max(high, out[-1][1]))
        else:
            out.append((low, high))
    return out


def _check_countries(setting: str, named: Iterable[str], known: Iterable[str]) -> None:
    if unknown := sorted(set(named) - set(known)):
        raise RecipeError(
            f"repair.redact.{setting}: nothing is known of {', '.join(unknown)}; known are {', '.join(sorted(known))}"
        )


def _phone_regions() -> Iterable[str]:
    import phonenumbers

    regions: Iterable[str] = phonenumbers.SUPPORTED_REGIONS
    return regions


def _key(secret: str | None) -> bytes:
    if secret is None or len(secret) < 16:
        raise RecipeError(
            f'repair.redact.replace_by = "hash" needs a key of 16 characters or more in the environment variable '
            f"{SECRET}; make one with: export {SECRET}=$(openssl rand -hex 32), and keep it"
        )
    return secret.encode()
