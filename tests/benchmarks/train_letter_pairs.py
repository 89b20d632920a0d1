"""Count the letter pairs of some seventy languages and write flows/winnow/read/letter_pairs.npz.

Run: python tests/benchmarks/train_letter_pairs.py FOLDER... [--out FILE]
The folders hold translations of programs (``<language>/LC_MESSAGES/*.mo``): Django's, and /usr/share/locale. Only the
counts are kept. No text of the benchmarks goes into them.
"""

from __future__ import annotations

import argparse
import gettext
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from winnow.read.letters import Letters, folded

ROOT = Path(__file__).resolve().parents[2]
# The letters of each script, in lower case.
PLACES = {
    "latin": "[a-z\xaa\xba\xdf-\xf6\xf8-\u024f\u0300-\u0323\u02bc\u1e00-\u1eff]",
    "cyrillic": "[\u0430-\u045f\u0461-\u052f]",
    "greek": "[\u0390-\u03ce]",
    "hebrew": "[\u05b0-\u05ea]",
    "arabic": "[\u0621-\u065f\u066e-\u06d5]",
    "thai": "[\u0e01-\u0e4e]",
}
# By script: the first is the one whose letters ASCII has.
LANGUAGES = {
    "latin": """af az br bs ca cs cy da de en eo es et eu fi fr ga gd gl hr hsb hu id is it lb lt lv mt nb nl nn oc
        pl pt ro sk sl sq sv tr uz vi""",
    "cyrillic": "be bg kk ky mk mn os ru sr tg tt uk",
    "greek": "el",
    "hebrew": "he",
    "arabic": "ar ckb fa ug ur",
    "thai": "th",
}
UNKNOWN = "und"
LIKE_OTHERS = "fr de es pt it ca sv da fi is ga gd br oc gl eu nl af et"
LATIN_1 = "àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿß"
ALIASES = {"sr_Latn": "hr", "sr@latin": "hr", "pt_BR": "pt", "en_GB": "en", "az": "az", "es_AR": "es"}
MAX_CHARS = 400_000  # of each language; more changes few counts
RARE = 4  # letters seen less often are names of other languages
# Placeholders, markup and the words of programs that are left untranslated.
_NOT_TEXT = re.compile(r"%(?:\(\w+\))?[-+#0-9.l]*\w|\{\w*\}|<[^>]*>|&\w+;|[\w.]*[\\/_=:.][\w./\\]*|--?\w+|[_&](?=\w)")
_TONES = "\u0300\u0301\u0303\u0309\u0323"


def messages(folders: list[Path]) -> Iterator[tuple[str, str]]:
    """Language and text of each translated message."""
    for folder in folders:
        for path in sorted(folder.rglob("*.mo")):
            language = ALIASES.get(path.parts[-3], path.parts[-3])
            try:
                catalog: dict[object, str] = gettext.GNUTranslations(path.open("rb"))._catalog  # type: ignore[attr-defined]
            except (OSError, UnicodeDecodeError, ValueError, IndexError, KeyError):
                continue
            for key, text in catalog.items():
                original = key if isinstance(key, str) else key[0]  # type: ignore[index]
                if original and text != original:
                    yield language, _NOT_TEXT.sub(" ", text)
                    if language == "fr":
                        yield "en", _NOT_TEXT.sub(" ", original)


def variants(language: str, text: str) -> Iterator[str]:
    """The text as it is written in its charsets: Greek capitals drop accents, cp1258 writes tones apart."""
    yield text
    if language == "el":
        yield "".join(c for c in unicodedata.normalize("NFD", text) if c != "\u0301").replace("ς", "σ")
    if language == "vi":
        yield "".join(_toned(c) for c in text)
    if language == "ro":
        yield from [text.translate({ord("ș"): "ş", ord("ț"): "ţ"})] * 2  # files in one-byte charsets have cedillas


def _toned(char: str) -> str:
    parts = unicodedata.normalize("NFD", char)
    tone = next((p for p in parts if p in _TONES), "")
    return unicodedata.normalize("NFC", parts.replace(tone, "")) + tone if tone else char


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, default=ROOT / "flows/winnow/read/letter_pairs.npz")
    options = parser.parse_args()
    wanted = {language for languages in LANGUAGES.values() for language in languages.split()}
    pairs: dict[str, Counter[str]] = defaultdict(Counter)
    size: Counter[str] = Counter()
    for language, text in messages(options.folders):
        if language in wanted and size[language] < MAX_CHARS:
            size[language] += len(text)
            for form in variants(language, unicodedata.normalize("NFC", text)):
                low = f" {folded(form)} "
                pairs[language].update(map("".join, pairwise(low)))
    print(" ".join(f"{language}:{size[language] // 1000}k" for language in sorted(wanted)))
    arrays: dict[str, np.ndarray] = {}
    for script, languages in LANGUAGES.items():
        places = PLACES[script]
        chars: Counter[str] = Counter()
        for language in languages.split():
            total = sum(pairs[language].values())
            seen: Counter[str] = Counter()
            for pair, n in pairs[language].items():
                seen[pair[1]] += n
            chars.update({c: n for c, n in seen.items() if re.match(places, c) and n >= max(RARE, total / 50_000)})
        alphabet = "".join(sorted(chars))
        index = {c: i for i, c in enumerate(alphabet, 1)}
        costs = np.zeros((len(languages.split()), len(alphabet) + 1, len(alphabet) + 1), np.uint8)
        for row, language in enumerate(languages.split()):
            counts = np.zeros(costs.shape[1:])
            for (first, second), n in pairs[language].items():
                counts[index.get(first, 0), index.get(second, 0)] += n
            costs[row] = quantized(counts)
        if script == "latin":
            known = sum((pairs[language] for language in LIKE_OTHERS.split()), Counter())
            costs = np.concatenate([costs, unknown(known, alphabet)[None]])
            languages += f" {UNKNOWN}"
        arrays[f"{script} alphabet"] = np.array(alphabet)
        arrays[f"{script} languages"] = np.array(languages.split())
        arrays[f"{script} costs"] = costs
        print(script, len(alphabet), alphabet)
    np.savez_compressed(options.out, **arrays)
    print(f"{options.out}: {options.out.stat().st_size / 1000:.0f} kB")


def unknown(pairs: Counter[str], alphabet: str) -> np.ndarray:
    """Costs in a language that is not among these: kinds of letter follow each other, and each kind has its letters."""
    kinds = np.array([0, *(_kind(c) for c in alphabet)])
    index = {c: i for i, c in enumerate(alphabet, 1)}
    follows, single = np.ones((5, 5)), np.full(len(kinds), 0.01)
    for (first, second), n in pairs.items():
        a, b = index.get(first, 0), index.get(second, 0)
        follows[kinds[a], kinds[b]] += n
        single[b] += n
    single[[c in LATIN_1 for c in " " + alphabet]] += 0.002 * single.sum() / len(LATIN_1)
    of_kind = np.array([single[kinds == k].sum() for k in range(5)])
    share = (follows / follows.sum(axis=1, keepdims=True))[kinds][:, kinds] * (single / of_kind[kinds])
    return np.clip(np.round(-np.log(share) / Letters.STEP), 0, 255).astype(np.uint8)


def _kind(char: str) -> int:
    """1 vowel, 2 consonant, 3 and 4 those with a mark."""
    base = unicodedata.normalize("NFD", char)[0]
    return (1 if base in "aeiouyæøœ" else 2) + 2 * (char > "\x7f")


def quantized(counts: np.ndarray) -> np.ndarray:
    """Costs of a letter after another, in steps of a natural logarithm, smoothed by how common the letter is."""
    single = counts.sum(axis=0)
    common = (single + 0.2) / (single.sum() + 0.2 * len(single))
    weight = 6.0  # pairs seen as often count half as much as what was seen
    share = (counts + weight * common) / (counts.sum(axis=1, keepdims=True) + weight)
    return np.clip(np.round(-np.log(share) / Letters.STEP), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
