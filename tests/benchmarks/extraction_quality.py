"""How much of a page's main text Winnow finds, and how little else, beside trafilatura, resiliparse and all text.

Run: python tests/benchmarks/extraction_quality.py [--gold FOLDER] [--smoke]
Word F1 over bags of words (``\\w+``), mean over pages, by kind of page; then the share of snippets that must stand in
the text and do, and of those that must not and do not.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WORD = re.compile(r"\w+")
SMOKE_TEXT = "The river rose in the night, and by morning the lower road was under water. " * 8
SMOKE = (
    f"<html><head><title>Flood</title></head><body><nav><a href='/'>Home</a> <a href='/about'>About us</a></nav>"
    f"<article><h1>Flood</h1><p>{SMOKE_TEXT}</p></article>"
    "<footer>All rights reserved by the printer.</footer></body></html>"
)


def winnow(html: str) -> str:
    from winnow.read.html import main_text

    return main_text(html)[1]


def by_trafilatura(html: str) -> str:
    import trafilatura

    return trafilatura.extract(html, include_comments=False) or ""


def by_resiliparse(html: str) -> str:
    return _plain_text(html, main_content=True)


def all_text(html: str) -> str:
    return _plain_text(html, main_content=False)


def _plain_text(html: str, main_content: bool) -> str:
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.html import HTMLTree

    text: str = extract_plain_text(HTMLTree.parse(html), main_content=main_content)
    return text


def word_f1(found: str, wanted: str) -> float:
    """F1 of two bags of lower-case words.

    >>> word_f1("a b b", "a b c")
    0.6666666666666666
    """
    ours, theirs = Counter(WORD.findall(found.lower())), Counter(WORD.findall(wanted.lower()))
    common = sum((ours & theirs).values())
    return 2 * common / (sum(ours.values()) + sum(theirs.values())) if common else float(not ours and not theirs)


def snippets(pages: Sequence[Mapping[str, Any]], texts: Sequence[str], key: str) -> list[bool]:
    """Whether each snippet under `key` stands in the text of its page, white space aside."""
    flat = [" ".join(text.split()) for text in texts]
    return [
        " ".join(s.split()) in text for page, text in zip(pages, flat, strict=True) for s in page.get(key) or () if s
    ]


def load(folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    pages = [json.loads(line) for line in (folder / "pages.jsonl").read_bytes().splitlines()]
    return pages, [gzip.decompress((folder / p["html"]).read_bytes()).decode("utf-8", "replace") for p in pages]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gold", type=Path, default=ROOT.parent / "shared/gold")
    parser.add_argument("--smoke", action="store_true", help="one built-in page: that it works, not how well")
    options = parser.parse_args()
    if options.smoke:
        pages: list[dict[str, Any]] = [{"page_type": "article", "gold": SMOKE_TEXT, "without": ["rights reserved"]}]
        htmls = [SMOKE]
    else:
        folder = options.gold / "extraction"
        if not folder.is_dir():
            parser.error(f"{folder} is not there; give --gold the folder that holds extraction/, or --smoke")
        pages, htmls = load(folder)
    ways: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("Winnow", winnow),
        ("trafilatura", by_trafilatura),
        ("resiliparse", by_resiliparse),
        ("all text", all_text),
    )
    kinds = sorted({p["page_type"] for p in pages})
    print(f"| {len(pages)} pages | F1 | {' | '.join(kinds)} | with | without | MB/s |")
    print("| --- " * (5 + len(kinds)) + "|")
    for name, extract in ways:
        started = time.process_time()
        texts = [extract(html) for html in htmls]
        seconds = time.process_time() - started
        by_kind: dict[str, list[float]] = defaultdict(list)
        for page, text in zip(pages, texts, strict=True):
            by_kind[page["page_type"]].append(word_f1(text, page["gold"]))
        scores = " | ".join(f"{mean(by_kind[kind]):.3f}" for kind in kinds)
        there, gone = snippets(pages, texts, "with"), [not s for s in snippets(pages, texts, "without")]
        shares = " | ".join(f"{mean(map(float, s)):.3f}" if s else "-" for s in (there, gone))
        speed = sum(len(h.encode()) for h in htmls) / 1e6 / max(seconds, 1e-9)
        print(f"| {name} | {mean(f for s in by_kind.values() for f in s):.3f} | {scores} | {shares} | {speed:.1f} |")


if __name__ == "__main__":
    main()
