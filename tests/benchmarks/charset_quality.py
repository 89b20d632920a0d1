"""How often Winnow decodes bytes to the right text, with chardet, charset-normalizer and UTF-8-else-cp1252 beside it.

Run: python tests/benchmarks/charset_quality.py [--gold FOLDER] [--wrong] [--smoke]
A row counts when the text equals that of the labelled codec, byte order mark and kind of line end aside. The second
figure leaves out rows whose labelled text holds C1 control characters: those labels are wrong (curly quotes of
Windows-1252 or letters of Windows-1250 in files called ISO 8859), and reading them so would be damage.
Then the same for texts made anew in all their charsets at three lengths (charset_made.py); Winnow's letter counts are
of other texts. Winnow stands twice: with chardet and with charset-normalizer as its detector of multi-byte text.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from winnow.read.detectors import Detector

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).resolve().parent)]

from charset_made import LENGTHS, made_texts, mixed_files  # noqa: E402

C1 = re.compile("[\x80-\x9f]")
SMOKE = (
    ("cp1252", "Il a dit qu’à l’été prochain la forêt serait fermée aux promeneurs et à leurs chiens. "),
    ("koi8-r", "Она сказала, что придёт завтра вечером, если не будет дождя и дорога останется открытой. "),
    ("utf-8", "Żółw szedł powoli przez ogród, a dzieci patrzyły na niego z okna. "),
    ("shift_jis", "昨日の雨で川の水が増えたので、橋はしばらく通れません。"),
)


def winnow(content: bytes) -> str | None:
    from winnow.read.detectors import by_chardet

    return _by_winnow(content, by_chardet)


def winnow_without_chardet(content: bytes) -> str | None:
    from winnow.read.detectors import by_charset_normalizer

    return _by_winnow(content, by_charset_normalizer)


def _by_winnow(content: bytes, detector: Detector) -> str | None:
    from winnow.base.errors import ReadError
    from winnow.read.charset import decode

    try:
        return decode(content, detector=detector).text
    except ReadError:
        return None


def by_chardet(content: bytes) -> str | None:
    import chardet

    return decoded(content, chardet.detect(content, encoding_era=chardet.EncodingEra.ALL)["encoding"])


def by_charset_normalizer(content: bytes) -> str | None:
    import charset_normalizer

    best = charset_normalizer.from_bytes(content).best()
    return str(best) if best else None


def utf8_else_cp1252(content: bytes) -> str | None:
    text = decoded(content, "utf-8")
    return decoded(content, "cp1252") if text is None else text


def decoded(content: bytes, codec: str | None) -> str | None:
    try:
        return content.decode(codec) if codec else None
    except (UnicodeError, LookupError):
        return None


def canonical(text: str | None) -> str | None:
    return None if text is None else text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gold", type=Path, default=ROOT.parent / "shared/gold")
    parser.add_argument("--wrong", action="store_true", help="list the rows that Winnow decodes otherwise")
    parser.add_argument("--smoke", action="store_true", help="four built-in texts: that it works, not how well")
    options = parser.parse_args()
    if options.smoke:
        rows: list[dict[str, str]] = [{"id": c, "label": c, "python_codec": c, "path": "built in"} for c, _ in SMOKE]
        contents = [(text * 20).encode(codec) for codec, text in SMOKE]
    else:
        folder = options.gold / "charset"
        if not folder.is_dir():
            parser.error(f"{folder} is not there; give --gold the folder that holds charset/, or --smoke")
        found = [json.loads(line) for line in (folder / "index.jsonl").read_text().splitlines()]
        rows = [r for r in found if r["decodes_strictly"] and not r["ascii_only"]]
        contents = [(folder / r["file"]).read_bytes() for r in rows]
    wanted = [canonical(c.decode(r["python_codec"])) or "" for r, c in zip(rows, contents, strict=True)]
    sound = [not C1.search(text) for text in wanted]
    peers: tuple[tuple[str, Callable[[bytes], str | None]], ...] = (
        ("Winnow", winnow),
        ("Winnow, normalizer", winnow_without_chardet),
        ("chardet", by_chardet),
        ("charset-normalizer", by_charset_normalizer),
        ("UTF-8 else cp1252", utf8_else_cp1252),
    )
    print(
        f"{'':20} {'all':>5} of {len(rows):<4} {'share':>6}   {'sound':>5} of {sum(sound):<4} {'share':>6}  {'MB/s':>6}"
    )
    for name, read in peers:
        started = time.perf_counter()
        right = [canonical(read(c)) == w for c, w in zip(contents, wanted, strict=True)]
        speed = sum(map(len, contents)) / 1e6 / (time.perf_counter() - started)
        good = sum(r for r, s in zip(right, sound, strict=True) if s)
        print(
            f"{name:20} {sum(right):>5}         {sum(right) / len(rows):6.3f}   {good:>5}         "
            f"{good / sum(sound):6.3f}  {speed:6.1f}"
        )
        if options.wrong and name == "Winnow":
            from winnow.read.charset import decode

            for row, content, fits, is_sound in zip(rows, contents, right, sound, strict=True):
                if not fits and is_sound:
                    print(f"  {row['id']} {row['label']} read as {decode(content).encoding} ({row['path'][-50:]})")
    if not options.smoke:
        show_made(folder / "index.jsonl", peers)
        show_mixed(folder / "index.jsonl", peers)


def show_made(index: Path, peers: Sequence[tuple[str, Callable[[bytes], str | None]]]) -> None:
    made = list(made_texts(index))
    languages, charsets = {m.language for m in made}, {m.charset for m in made}
    print(f"\n{len(made)} texts made anew: {len(languages)} languages, {len(charsets)} charsets")
    print(f"{'':20}" + "".join(f"{length:>9}" for length in (*LENGTHS, "capitals", "all")))
    for name, read in peers:
        right: dict[str, list[bool]] = defaultdict(list)
        for text in made:
            wanted = text.content.decode(text.charset)
            is_right = canonical(read(text.content)) == canonical(wanted)
            for group in (text.length, *(["capitals"] if wanted.isupper() else []), "all"):
                right[group].append(is_right)
        shares = (f"{sum(right[g]) / max(1, len(right[g])):9.3f}" for g in (*LENGTHS, "capitals", "all"))
        print(f"{name:20}" + "".join(shares), flush=True)


def show_mixed(index: Path, peers: Sequence[tuple[str, Callable[[bytes], str | None]]]) -> None:
    """Files of some ten lines whose charset changes; the share of lines that are right."""
    mixed = list(mixed_files(index))
    kinds = list(dict.fromkeys(m.length for m in mixed))
    print(f"\n{len(mixed)} files whose lines are in two charsets; share of lines right")
    print(f"{'':20}" + "".join(f"{kind:>20}" for kind in kinds))
    for name, read in peers:
        right: dict[str, list[bool]] = defaultdict(list)
        for file in mixed:
            found = (canonical(read(file.content)) or "").split("\n")
            wanted = file.text.split("\n")
            found += [""] * len(wanted)
            right[file.length] += [f == w for f, w in zip(found, wanted, strict=False)]
        print(f"{name:20}" + "".join(f"{sum(right[k]) / len(right[k]):20.3f}" for k in kinds), flush=True)


if __name__ == "__main__":
    main()
