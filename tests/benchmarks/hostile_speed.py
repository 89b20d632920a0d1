"""Whether any text, however hostile, costs repair more than linear time, and how many bytes it does a second.

usage: python tests/benchmarks/hostile_speed.py [--size KB] [--smoke] [--only WORDS]

Each shape is repaired at the size given, at twice and at four times as much; printed are kilobytes of UTF-8 a second of
the processor at each, and how many times as long four times the size took. Exit code 1 where a shape is slower than 300
kB/s at four times the size, or takes more than 2.2 times as long for twice the size twice over (4.84; 9 where it lasts
less than a second, for clocks and caches blur short runs).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":  # run as a script, from anywhere
    sys.path.insert(0, str(ROOT))

from winnow.repair import repair  # noqa: E402

SLOWEST = 300.0  # kB a processor second
MAX_GROWTH, MAX_GROWTH_SHORT, SHORT = 4.84, 9.0, 1.0
SMOKE_KB = 5

THAI = "ภาษาไทยเป็นภาษาที่มีระดับเสียง"
CHINESE = "中华人民共和国万岁世界人民大团结"
RUSSIAN = "Мы все учились понемногу чему-нибудь и как-нибудь. "


def misread(text: str, charset: str = "latin-1", times: int = 1) -> str:
    """UTF-8 that was read as another charset, so many times over."""
    for _ in range(times):
        text = text.encode("utf-8").decode(charset, "replace")
    return text


SHAPES: dict[str, str] = {
    # bytes and escapes that were dropped
    "misread Russian without bytes": RUSSIAN.encode().decode("cp1252", "ignore"),
    "lone first bytes": "Ð Ð°Ð±Ð¾ ",
    "encoded words of headers": "=?UTF-8?Q?a?= ",
    "encoded words never closed": "=?UTF-8?Q?",
    "stripped escapes": "cafu00e9 ",
    "bytes of quoted-printable": "caf=E9 ",
    # markup
    "brackets": "<",
    "brackets and spaces": "< ",
    "closing brackets": "td > ",
    "an open tag's head": "<b",
    "open tags": "<b>",
    "closing tags": "</b>",
    "tags with spaces": "< b > x < / b > ",
    "spaced tags": "x < strong > y ",
    "a tag every line": "< li >a</ l i >\n",
    "tags in capitals": "<B>x</B>",
    "namespaced tags": "<jats:p>a</jats:p>",
    "attributes never closed": '<b x="',
    "attributes without end": "a=1 ",
    "comments never closed": "<!--",
    "comments": "<!-- a -->",
    "scripts never closed": "<script>",
    "CDATA never closed": "<![CDATA[",
    "CDATA": "<![CDATA[a]]>",
    "processing instructions": "<?xml a",
    "wiki links never closed": "[[a|",
    "wiki pictures never closed": "[[File:a.jpg|",
    "wiki pictures full of links": "[[File:a.jpg|" + "[[b]]" * 50,
    "wiki templates never closed": "{{a|",
    "wiki templates": "{{convert|1|mi}} ",
    "BBCode never closed": "[b]",
    "BBCode": "[b]a[/b]",
    "shortcodes": '[a b="c"]d[/a]',
    "Markdown links": "[a](b)",
    "table bars": "a|b|",
    # references
    "escaped ampersands": "&amp;",
    "ampersands": "&",
    "ampersands escaped ten deep": "&" + "amp;" * 10,
    "ampersands and hard spaces": "&nbsp; ",
    "names without ampersand": "lt; ",
    "numbers without ampersand": "#8217; ",
    "numbers": "&#8217;",
    "numbers without end": "&#1",
    "a broken reference every word": "one &a mp ; two ",
    "names that begin words": "law&order ",
    "names in words": "na&iumlve ",
    "tags without semicolons": "&ltb&gta",
    # encodings
    "mojibake": "Ã©",
    "mojibake words": "Ã©tÃ© ",
    "mojibake words beside dashes": "cafГ©—and ",
    "quoted signs": 'cafÃ© "Ã©"\n',
    "mojibake of mojibake": misread("é", times=3),
    "nested Latin-1": misread("naïve café ", times=4),
    "Thai mojibake": misread(THAI),
    "Thai mojibake as Windows-1252": misread(THAI, "cp1252"),
    "Chinese mojibake": misread(CHINESE),
    "Chinese mojibake as Windows-1252": misread(CHINESE, "cp1252"),
    "Russian mojibake": misread(RUSSIAN),
    "Russian in the wrong one-byte charset": RUSSIAN.encode("cp1251").decode("latin-1"),
    "GBK read as Latin-1": CHINESE.encode("gbk").decode("latin-1"),
    "UTF-8 read as GBK": CHINESE.encode().decode("gbk", "replace"),
    "replacement characters": "\ufffd",
    "lost bytes": "ï¿½",
    "control characters": "a\x00b\x1f",
    "combining characters": "a\u0301\u0302",
    "zero-width characters": "a\u200b",
    # layers
    "JSON escapes": "\\u2019",
    "quoted-printable": "=C3=A9",
    "URL encoding": "%C3%A9",
    "literal line ends": "a\\nb",
    "OOXML escapes": "_x000D_",
    "byte escapes": "caf\\xc3\\xa9 ",
    "byte escapes of one sign": "caf\\xe9 ",
    "accents of TeX": "\\'e",
    "misread quotes": "ìno,î ",
    "misread apostrophes": "donít ",
    "escaped quotes": 'it\\\'s \\"so\\" ',
    "Latin numbers without ampersand": "caf#233;",
    # words and space
    "one unbroken line": "word",
    "letters and spaces": "a ",
    "split letters": "l o n g w o r d s ",
    "capitals and spaces": "A B ",
    "signs": ". , ; ",
    "sentences without space": "End.Begin.",
    "soft hyphens": "a\u00ad",
    "soft hyphens before line ends": "a\u00ad\nb",
    "hyphens before line ends": "a-\nb",
    "ligatures": "ﬁ ",
    "spaces before line ends": "a \n",
    "line ends": "\n",
    "no text between blank lines": "\n \n",
    "plain Thai": THAI,
    "plain Chinese": CHINESE,
    "plain Russian": RUSSIAN,
}
NESTED = "nested tags"


def shaped(name: str, size: int) -> str:
    """The hostile text of that name, of about `size` bytes in UTF-8."""
    if name == NESTED:
        return "<b>" * (size // 7) + "x" + "</b>" * (size // 7)
    unit = SHAPES[name]
    return unit * max(1, size // len(unit.encode("utf-8", "replace")))


def measure(size: int, names: Sequence[str]) -> list[str]:
    """Prints one line a shape; returns the names of those that break a limit."""
    repair("warm < strong >u p</ s trong > &a mp ; caf&eacute; .By Ã©t t o b e pi√π ÔÇô")  # word lists load once
    print(f"{'kB a processor second at':40} {size // 1000:7} kB {size // 500:7} kB {size // 250:7} kB   x4 takes")
    broken = []
    for name in names:
        took, speeds = [], []
        for times in (1, 2, 4):
            text = shaped(name, size * times)
            began = time.process_time()
            repair(text)
            took.append(max(time.process_time() - began, 1e-4))
            speeds.append(len(text.encode("utf-8", "replace")) / 1000 / took[-1])
        growth = took[2] / took[0]
        slow, grows = speeds[2] < SLOWEST, growth > (MAX_GROWTH if took[2] >= SHORT else MAX_GROWTH_SHORT)
        said = "  SLOW" * slow + "  GROWS" * grows
        print(f"{name:40} {speeds[0]:10.0f} {speeds[1]:10.0f} {speeds[2]:10.0f} {growth:8.1f}{said}", flush=True)
        broken += [name] * (slow or grows)
    return broken


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=float, default=100, help="kilobytes of UTF-8")
    parser.add_argument("--smoke", action="store_true", help=f"{SMOKE_KB} kB, and never fail")
    parser.add_argument("--only", default="", help="part of the names of shapes, several with commas between")
    got = parser.parse_args(arguments)
    wanted = [w for w in got.only.split(",") if w]
    names = [n for n in (*SHAPES, NESTED) if not wanted or any(w in n for w in wanted)]
    broken = measure(int((SMOKE_KB if got.smoke else got.size) * 1000), names)
    if broken:
        print(f"{len(broken)} of {len(names)} break a limit: {', '.join(broken)}")
    return 1 if broken and not got.smoke else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
