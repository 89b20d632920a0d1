"""The peers that repair is compared with, and Winnow itself, each as str -> str."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import ftfy
from repair_score import Score

from winnow.repair.engine.engine import Repaired, run_rules
from winnow.repair.engine.ledger import replay, undo

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
    from winnow.base.recipe import RepairSettings
    from winnow.repair import repair

    return repair(text, RepairSettings(**settings)) if settings else repair(text)


def encoding_only(text: str) -> str:
    """Only the rules that undo wrong decoding; control characters and white space stay as they are."""
    from winnow.repair.encoding.encoding import ENCODING

    return run_rules(text, ENCODING, threshold=0.5).text


def entities_only(text: str) -> str:
    """Only the rule that decodes character references; white space and tags stay as they are."""
    from winnow.repair.markup.entities import ENTITIES

    return run_rules(text, ENTITIES, threshold=0.5).text


def markup_only(text: str) -> str:
    """All rules but those for control characters and white space, which the HTML standard keeps."""
    from winnow.repair import REPAIRS
    from winnow.repair.invisible import INVISIBLE, SURROGATES
    from winnow.repair.tidy import TIDY

    left_out = {rule.name for rule in (*INVISIBLE, *TIDY)} - {SURROGATES.name}
    text = _LINE_ENDS.sub("\n", text)  # the standard does so before all else (13.2.3.5)
    return run_rules(text, [rule for rule in REPAIRS if rule.name not in left_out], threshold=0.5).text


WINNOW = Peer(
    "Winnow",
    {
        STANDARD_MODE: markup_only,
        ENTITIES_MODE: entities_only,
        "": lambda t: winnow(t).text,
        ENCODING_MODE: encoding_only,
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
