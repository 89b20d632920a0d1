"""The peers that repair is compared with, and Winnow itself, each as str -> str."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import ftfy
from repair_score import Score

from winnow.base.recipe import RepairSettings
from winnow.repair import REPAIRS, Repaired, repair, replay, undo
from winnow.repair.encoding.mojibake import ENCODING
from winnow.repair.engine.repairer import Repairer
from winnow.repair.invisible import INVISIBLE, SURROGATES
from winnow.repair.markup.entities import ENTITIES
from winnow.repair.tidy import TIDY

try:
    from bs4 import BeautifulSoup
except ImportError:
    BeautifulSoup = None

Fix = Callable[[str], str]

ENCODING_MODE, MARKUP_MODE, WHOLE_MODE = "encoding", "markup", "whole"
EVERYWHERE_MODE, STANDARD_MODE, ENTITIES_MODE = "everywhere", "standard", "entities"

_KEEP = ftfy.TextFixerConfig(uncurl_quotes=False, fix_latin_ligatures=False, fix_character_width=False)
_LINE_ENDS = re.compile(r"\r\n?")
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Peer:
    """A tool under its name; `modes` are the ways it is called for different sets, "" for all others."""

    name: str
    modes: dict[str, Fix] = field(default_factory=dict)
    ready: bool = True

    def for_set(self, mode: str) -> Fix:
        """The call for a mode. Where a tool fails on a text, its answer is the error: never right."""
        call = self.modes.get(mode) or self.modes[""]

        def fix(text: str) -> str:
            try:
                return call(text)
            except Exception as error:
                return f"{type(error).__name__}: {error}"

        return fix


def _soup(text: str) -> str:
    return str(BeautifulSoup(text, "html.parser").get_text())


PEERS = (
    Peer(
        "ftfy",
        {
            "": lambda t: ftfy.fix_text(t, _KEEP),
            ENCODING_MODE: ftfy.fix_encoding,
            WHOLE_MODE: lambda t: ftfy.fix_text(t, _KEEP._replace(unescape_html=False)),
        },
    ),
    Peer("html.unescape", {"": html.unescape}),
    Peer("BeautifulSoup", {"": _soup}, ready=BeautifulSoup is not None),
    Peer("tag regex", {"": lambda t: _TAG.sub(" ", t)}),
)


def winnow(text: str, **settings: Any) -> Repaired:
    """Winnow's repair with the recipe's defaults but for `settings` of its section."""
    return repair(text, RepairSettings(**settings)) if settings else repair(text)


# The rules for control characters and white space are left out: the HTML standard keeps them.
_MARKUP = Repairer(rule for rule in REPAIRS if rule is SURROGATES or rule not in (*INVISIBLE, *TIDY))
_ENCODING = Repairer(ENCODING)
_ENTITIES = Repairer([ENTITIES])


def markup_only(text: str) -> str:
    return _MARKUP(_LINE_ENDS.sub("\n", text)).text  # the standard does so before all else (13.2.3.5)


WINNOW = Peer(
    "Winnow",
    {
        STANDARD_MODE: markup_only,
        ENTITIES_MODE: lambda t: _ENTITIES(t).text,
        "": lambda t: winnow(t).text,
        ENCODING_MODE: lambda t: _ENCODING(t).text,
        EVERYWHERE_MODE: lambda t: winnow(t, spacing="everywhere").text,
    },
)


class LEDGER:
    """Whether the ledger leads from the decoded text to the repaired one and back."""

    @staticmethod
    def exact(text: str) -> bool:
        result = winnow(text)
        return replay(text, result.edits) == result.text and undo(result.text, result.edits) == text

    @classmethod
    def score(cls, texts: Iterable[str]) -> Score:
        good = [cls.exact(text) for text in texts if _encodable(text)]
        return Score(sum(good), len(good))


def _encodable(text: str) -> bool:
    """A table of edits is UTF-8: a text with lone surrogates never gets as far as repair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
