"""How well text comes back that was decoded with the wrong one-byte encoding, with ftfy and charset tools beside.

Run: python tests/benchmarks/single_byte.py
         [--gold FOLDER] [--corpus FOLDER] [--half 0|1] [--per N] [--misses N] [--pair TEXT]
         [--harm-only] [--dropped-only] [--smoke]

Clean text in some twenty languages, of the gold set of charsets (UDHR and web pages) and of the corpus, is encoded as
each encoding and decoded as each other one it is taken for: as a text of up to eight paragraphs, a paragraph, a
sentence. A unit counts when it comes back character for character. The charset tools are given the bytes, which is
easier. `utf-8 >` marks a chain: what was misread was then encoded as UTF-8 and decoded as Windows-1252. Half 0 of the
documents is for developing, half 1 for the figures. Then UTF-8 that was decoded with an encoding that lacks some bytes,
which were dropped: of the words that this damages, how many come back. Last, every clean document of both halves that
is changed.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import ftfy

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from charset_quality import by_chardet, by_charset_normalizer  # noqa: E402

from winnow.repair.encoding.misread import MISREAD  # noqa: E402
from winnow.repair.encoding.misread_pairs import NO_CODEC, PAIRS, Pair  # noqa: E402
from winnow.repair.encoding.mojibake import ENCODING  # noqa: E402
from winnow.repair.engine.repairer import Repairer  # noqa: E402

RUN = Repairer((MISREAD, *ENCODING))
Units = dict[str, dict[str, list[str]]]
"""Texts by kind of unit and language."""

LANGUAGES = {
    "russian": "ru", "bulgarian": "bg", "ukrainian": "uk", "greek": "el", "hebrew": "he", "arabic": "ar",
    "polish": "pl", "czech": "cs", "slovak": "sk", "hungarian": "hu", "romanian": "ro", "croatian": "sh",
    "slovene": "sl", "slovenian": "sl", "turkish": "tr", "lithuanian": "lt", "latvian": "lv", "french": "fr",
    "german": "de", "spanish": "es", "italian": "it", "portuguese": "pt", "catalan": "ca", "danish": "da",
    "norwegian": "nb", "swedish": "sv", "finnish": "fi", "icelandic": "is",
}  # fmt: skip
CORPUS_LANGUAGES = ("ru", "el", "pl", "fr", "de", "es", "pt", "it", "tr")
KINDS = ("text", "paragraph", "sentence")


def gold_texts(gold: Path) -> Iterator[tuple[str, str, str]]:
    """Name, language (empty where it is none of ours) and text of the rows whose label is right."""
    index = gold / "charset" / "index.jsonl"
    for line in index.open(encoding="utf-8") if index.exists() else ():
        row = json.loads(line)
        if row["ascii_only"] or not row["decodes_strictly"]:
            continue
        text = (index.parent / row["file"]).read_bytes().decode(row["python_codec"])
        if not re.search("[\x80-\x9f]", text):
            language = LANGUAGES.get(re.split("[_-]", row["lang"].lower())[0], "")
            yield row["id"], language, text.replace("\r\n", "\n").replace("\r", "\n")


def corpus_texts(corpus: Path | None) -> Iterator[tuple[str, str, str]]:
    if corpus is None:
        return
    for line in (corpus / "clean.jsonl").open(encoding="utf-8"):
        row = json.loads(line)
        found = re.search(r"/([a-z]{2})(?:_[A-Z]{2})?/", row["src"])
        language = found[1] if found and found[1] in CORPUS_LANGUAGES else ""
        yield row["id"], language, row["text"]


def smoke_texts() -> Iterator[tuple[str, str, str]]:
    yield "smoke/ru", "ru", "Она сказала, что придёт завтра вечером, если не будет дождя. Дорога осталась открытой."
    yield "smoke/cs", "cs", "Večer přišel domů velmi unavený, protože celý den pracoval. Děti už dávno spaly."
    yield "smoke/fr", "fr", "L’été dernier, la forêt était fermée à cause de la sécheresse. Le café était très cher."


def units(texts: list[tuple[str, str, str]], half: int, per: int) -> Units:
    """Up to `per` units of each kind and language, from documents of that half."""
    found: Units = {kind: defaultdict(list) for kind in KINDS}
    for name, language, text in texts:
        if not language or (zlib.crc32(name.encode()) % 2 != half and name[:5] != "smoke"):
            continue
        blocks = [" ".join(b.split()) for b in re.split(r"\n\s*\n", text)]
        blocks = [b for b in blocks if 60 <= len(b) <= 3000 and "<" not in b and sum(c > "\x7f" for c in b) > 2]
        if blocks:
            found["text"][language].append("\n\n".join(blocks[:8]))
        found["paragraph"][language] += blocks
        sentences = (s for b in blocks for s in re.split(r"(?<=[.!?]) ", b))
        found["sentence"][language] += [s for s in sentences if 25 <= len(s) <= 250 and not s.isascii()]
    draw = random.Random(7)
    for kind in KINDS:
        for language, chosen in found[kind].items():
            found[kind][language] = draw.sample(chosen, min(per, len(chosen)))
    return found


def damage(text: str, pair: Pair) -> bytes | None:
    """The bytes of the text as it really was; None where the encoding lacks a character."""
    plain = text.translate({ord("„"): '"', ord("–"): "-", ord("—"): "-"} if pair.really.startswith("iso") else {})
    try:
        return plain.encode(pair.really)
    except UnicodeEncodeError:
        return None


def misread(raw: bytes, encoding: str) -> str:
    return "".join(bytes([b]).decode(encoding, "ignore") or chr(b) for b in raw)


def winnow(text: str) -> str:
    return RUN(text).text


def show_pairs(found: Units, misses: int, only: str) -> None:
    tools: tuple[tuple[str, Callable[[str, bytes], str | None]], ...] = (
        ("winnow", lambda text, raw: winnow(text)),
        ("ftfy", lambda text, raw: ftfy.fix_encoding(text)),
        ("chardet", lambda text, raw: by_chardet(raw)),
        ("normalizer", lambda text, raw: by_charset_normalizer(raw)),
    )
    columns = [*KINDS, *(f"{name} par." for name, _ in tools[1:]), "utf-8 > par."]
    print(f"{'really read as':30}" + "".join(c.rjust(16) for c in columns))
    totals: dict[str, list[int]] = {c: [0, 0] for c in columns}
    for pair in PAIRS:
        if pair.really == NO_CODEC:
            continue
        title = f"{pair.really} read as {pair.read_as}"
        if only and only not in title:
            continue
        scores: dict[str, list[int]] = {c: [0, 0] for c in columns}
        by_language: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for kind in KINDS:
            for language in pair.languages:
                for text in found[kind].get(language, ()):
                    raw = damage(text, pair)
                    if raw is None:
                        continue
                    want, fed = raw.decode(pair.really), misread(raw, pair.read_as)
                    if fed == want:
                        continue
                    count(scores[kind], (got := winnow(fed)) == want)
                    if kind != "text":
                        count(by_language[language], got == want)
                    if got != want and misses and kind == "paragraph":
                        misses -= 1
                        print(f"  miss {title} {language}\n    in   {fed[:150]!r}\n    got  {got[:150]!r}")
                    if kind == "paragraph":
                        for name, tool in tools[1:]:
                            count(scores[f"{name} par."], tool(fed, raw) == want)
                        count(scores["utf-8 > par."], winnow(misread(fed.encode(), "cp1252")) == want)
        cells = "".join((f"{good}/{of}" if of else "-").rjust(16) for good, of in scores.values())
        weak = " ".join(f"{k}:{g}/{n}" for k, (g, n) in by_language.items() if g < 0.8 * n)
        print(f"{title:30}{cells}  {weak}", flush=True)
        for column, (good, of) in scores.items():
            totals[column][0] += good
            totals[column][1] += of
    print(f"{'all':30}" + "".join(f"{good}/{of}".rjust(16) for good, of in totals.values()))


def show_dropped(found: Units) -> None:
    print(f"{'UTF-8 with bytes dropped':30}{'words damaged':>16}{'winnow':>16}{'ftfy':>16}")
    for encoding in ("cp1252", "cp1251", "latin-1"):
        for language, texts in sorted(found["text"].items()):
            damaged = whole = by_ftfy = 0
            for text in texts:
                fed = "".join(c for c in text.encode().decode(encoding, "ignore") if not "\x80" <= c < "\xa0")
                words, got, other = text.split(), winnow(fed).split(), ftfy.fix_encoding(fed).split()
                hurt = [n for n, (a, b) in enumerate(zip(words, fed.split(), strict=False)) if a != b]
                damaged += len(hurt)
                whole += sum(got[n : n + 1] == words[n : n + 1] for n in hurt)
                by_ftfy += sum(other[n : n + 1] == words[n : n + 1] for n in hurt)
            if damaged:
                print(f"{encoding + ' ' + language:30}{damaged:16}{whole / damaged:16.3f}{by_ftfy / damaged:16.3f}")


def count(score: list[int], good: bool) -> None:
    score[0] += good
    score[1] += 1


def show_harm(texts: list[tuple[str, str, str]]) -> None:
    """Documents that this rule changes, once with the other rules on encoding before it."""
    changed = 0
    for name, _, text in texts:
        edits = [e for e in RUN(text).edits if e.rule == MISREAD.name and e.applied]
        if edits:
            changed += 1
            print(f"  changed {name}: " + "; ".join(f"{e.before!r} > {e.after!r}" for e in edits[:6]))
    print(f"clean documents changed by {MISREAD.name}: {changed} of {len(texts)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gold", type=Path, default=ROOT.parent / "shared" / "gold")
    parser.add_argument("--corpus", type=Path, help="folder with clean.jsonl")
    parser.add_argument("--half", type=int, default=1, choices=(0, 1))
    parser.add_argument("--per", type=int, default=20, help="units of each kind and language")
    parser.add_argument("--misses", type=int, default=0)
    parser.add_argument("--pair", default="", help="only pairs whose name holds this")
    parser.add_argument("--harm-only", action="store_true")
    parser.add_argument("--dropped-only", action="store_true")
    parser.add_argument("--smoke", action="store_true", help="three short texts, no gold, no corpus")
    got = parser.parse_args()
    texts = list(smoke_texts()) if got.smoke else [*gold_texts(got.gold), *corpus_texts(got.corpus)]
    if not got.harm_only:
        found = units(texts, got.half, got.per)
        if not got.dropped_only:
            show_pairs(found, got.misses, got.pair)
        show_dropped(found)
    if not got.dropped_only:
        show_harm(texts)


if __name__ == "__main__":
    main()
