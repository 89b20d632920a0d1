"""Damage as people report it, and a control: clean texts in many languages, which must stay in every mode."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from declaration import declarations
from repair_peers import EVERYWHERE_MODE, PEERS, WINNOW
from repair_score import Score
from repair_sets import rows

LANGUAGES = """
    Afrikaans Albanian_Shqip Arabic_Alarabia Basque_Euskara Bulgarian_Balgarski Catalan_Catala Chinese_Mandarin
    Croatian_Hrvatski Czech_Cesky Danish_Dansk Dutch_Nederlands English Esperanto Estonian_Eesti Faroese
    Farsi_Persian Finnish_Suomi French_Francais Galician_Galego German_Deutsch Greek_Ellinika Hebrew_Ivrit
    Hindi Hungarian_Magyar Icelandic_Yslenska Indonesian Irish_Gaelic Italian_Italiano Japanese_Nihongo
    Korean_Hankuko Latin_Latina Latvian Lithuanian_Lietuviskai Luxembourgish_Letzebuergeusch Maltese
    Norwegian Polish_Polski Portuguese_Portugues Romanian_Romana Russian_Russky Serbian_Srpski Slovak_Slovencina
    Slovenian_Slovenscina Spanish Swahili_Kiswahili Swedish_Svenska Tagalog Thai Turkish_Turkce Ukrainian_Ukrayinska
    Vietnamese Welsh_Cymraeg Zulu
""".split()
"""How the declaration's files begin."""

PARAGRAPHS = 14  # of each language
# A paragraph with one of these was damaged on its way into the set.
_UNCLEAN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffd\ufeff]|\\s[,.;:!?)]|[,;][^\\W\\d_]|  |\u00a0$|[^\\W\\d_]- |\\d[^\\W\\d_]"
)


def wild_tables(options: Any) -> Iterator[tuple[str, dict[str, Score | None]]]:
    """The wild cases, those that must stay among them, and the clean paragraphs in both modes."""
    for name, file, tables in (("wild", "wild/cases.jsonl", _cases), ("languages", "charset/index.jsonl", _languages)):
        if not options.wants(name):
            continue
        path = options.gold / file
        if path.exists():
            yield from tables(path, options)
        else:
            print(f"set {name} is not there ({path}): skipped")


def _cases(path: Path, options: Any) -> Iterator[tuple[str, dict[str, Score | None]]]:
    cases = [c for c in islice(rows(path), options.limit) if c["id"][0] in "RN"]
    tools = [(peer.name, peer.for_set(""), peer.for_set("")) for peer in PEERS if peer.ready]
    tools.append((WINNOW.name, WINNOW.for_set(""), WINNOW.for_set(EVERYWHERE_MODE)))
    for measure, chosen in (
        ("repaired as expected", [c for c in cases if c["input"] != _wanted(c)]),
        ("left as they are", [c for c in cases if c["input"] == _wanted(c)]),
    ):
        scores: dict[str, Score | None] = {}
        for name, default, everywhere in tools:
            fixes = (everywhere if c["note"].startswith("spacing = everywhere") else default for c in chosen)
            good = [fix(c["input"]) == _wanted(c) for c, fix in zip(chosen, fixes, strict=True)]
            scores[name] = Score(sum(good), len(good))
            if name == WINNOW.name:
                missed = [c["id"] for c, ok in zip(chosen, good, strict=True) if not ok]
                print(f"wild, not {measure}: {' '.join(missed) or 'none'}")
        yield f"wild: {measure}", scores


def _wanted(case: dict[str, Any]) -> str:
    """The expected text; where it is told in words, each NUL is U+FFFD."""
    told: str = case["expected"]
    return case["input"].replace("\0", "\ufffd") if told.startswith("U+FFFD for each NUL") else told


def clean_paragraphs(path: Path) -> dict[str, list[str]]:
    """Paragraphs of the Universal Declaration of Human Rights by language, without those that show damage."""
    found: dict[str, list[str]] = {}
    for version in declarations(path, LANGUAGES):
        mine = found.setdefault(version.beginning, [])
        for paragraph in (p.strip() for p in version.text.split("\n")):
            if 40 < len(paragraph) < 1200 and not _UNCLEAN.search(paragraph) and paragraph not in mine:
                mine.append(paragraph)
    return {language: texts[:PARAGRAPHS] for language, texts in sorted(found.items())}


def _languages(path: Path, options: Any) -> Iterator[tuple[str, dict[str, Score | None]]]:
    texts = clean_paragraphs(path)
    chosen = list(islice((t for some in texts.values() for t in some), options.limit))
    print(f"languages: {len(chosen)} paragraphs in {sum(map(bool, texts.values()))} languages")
    for mode, name in (("", "default"), (EVERYWHERE_MODE, "everywhere")):
        fix = WINNOW.for_set(mode)
        changed = [t for t in chosen if fix(t) != t]
        for text in changed[: options.misses]:
            print(f"  harm ({name})\n    in   {text[:300]!r}\n    got  {fix(text)[:300]!r}")
        yield f"languages: clean texts unchanged, {name}", {WINNOW.name: Score(len(chosen) - len(changed), len(chosen))}
