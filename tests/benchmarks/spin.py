"""Spin clean articles the way scraping and careless rewriting tools do, and score the repair against the original.

An article is rendered to HTML (headings, paragraphs, lists, tables, emphasis) and a stretch of it is damaged: tags
spaced out, split inside the name, escaped at varying depth, half lost; entities nested and spaced; first letters cut
off words; spaces before signs; sentences glued. The same seed gives the same damage.

    python tests/benchmarks/spin.py [--articles FOLDER] [--rounds 50] [--show]
"""

from __future__ import annotations

import argparse
import difflib
import random
import re
import statistics
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORDS = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def blocks_of(text: str) -> list[tuple[str, str]]:
    """``(kind, text)`` for each line of an article: heading, item, row or paragraph."""
    out = []
    for line in filter(None, (raw.strip() for raw in text.split("\n"))):
        if re.fullmatch(r"[|\s:-]+", line):
            continue
        if line.startswith("|"):
            out.append(("row", " | ".join(c.strip() for c in line.strip("|").split("|") if c.strip())))
        elif line.startswith("- "):
            out.append(("item", line[2:]))
        else:
            out.append(("heading" if len(line) < 100 and line[-1] not in '.:!?”"' else "paragraph", line))
    return out


def plain(blocks: list[tuple[str, str]]) -> str:
    """What the repair of a spun article should read."""
    return "\n".join(f"- {text}" if kind == "item" else text for kind, text in blocks)


class Spinner:
    """Renders blocks to HTML and damages them; all chance comes from `chance`."""

    def __init__(self, chance: random.Random, strength: float) -> None:
        self.chance = chance
        self.strength = strength

    def hit(self, share: float) -> bool:
        return self.chance.random() < share * self.strength

    def bracket(self, sign: str) -> str:
        name = {"<": "lt", ">": "gt"}[sign]
        form = self.chance.random()
        if form < 1 - 0.35 * self.strength:
            return sign
        if form < 1 - 0.25 * self.strength:
            return "&" + "amp;" * self.chance.randrange(3) + name + ";"
        return self.chance.choice([f"& {name} ;", f"&{name[0]} t;", f"& {name};", f"&{name} ;", f"& {name[0]};t;"])

    def tag(self, name: str, closing: bool = False) -> str:
        if len(name) > 1 and self.hit(0.3):
            name = name[0] + " " + name[1:]
        slash = self.chance.choice(["/", " / ", "/ "]) if closing and self.hit(0.6) else "/" if closing else ""
        before = " " if not closing and self.hit(0.5) else ""
        after = " " if self.hit(0.6) else ""
        if closing and self.hit(0.12):
            return f" {name.replace(' ', '')} >"
        if closing and self.hit(0.05):
            return f"<& {name.replace(' ', '')} />"
        if not closing and self.hit(0.2):
            name += self.chance.choice([' class="x"', ' style="color: red; margin:0"', " id=main", " data-n='1'"])
        return self.bracket("<") + before + slash + name + after + self.bracket(">")

    def junk(self) -> str:
        """Now and then something between two blocks that never was text."""
        if not self.hit(0.1):
            return ""
        return self.chance.choice(
            [
                "<!-- google_ad_section_start -->\n",
                "<script type=\"text/javascript\">var a = 1 < 2; show('x');</script>\n",
                "< style >.x { color: red; }< / style >\n",
                '<h2><span id="more"></span></h2>\n',
                "&lt;div class=&quot;ad&quot;&gt;&lt;/div&gt;\n",
                "&l t;b r/&g t;\n",
                '< a href="https://example.org/?a=1&amp;b=2" target="_blank" ></ a >\n',
                "<img src='x.png' alt='' / >\n",
            ]
        )

    def entity(self, plain_sign: str, name: str) -> str:
        if not self.hit(0.9):
            return plain_sign
        return self.chance.choice(
            ["&" + "amp;" * self.chance.randrange(1, 9), f"&{name[0]} {name[1:]} ;", f"& {name} ;", f"&{name};"]
            if name == "amp"
            else [f"& {name} ;", f"&{name[0]} {name[1:]};", f"&amp;{name};", f"&{name};"]
        )

    def words(self, text: str) -> str:
        text = re.sub(r"&", lambda m: self.entity("&", "amp"), text)
        text = re.sub(
            r"(?<= )(to|in|of|and|for|with|the|by|at|from)(?= )",
            lambda m: m[1][0] + " " + m[1][1:] if self.hit(0.15) else m[1],
            text,
        )
        text = re.sub(
            r"(?<= )([a-z])([a-z]{4,9})(?=[ ,.])", lambda m: m[1] + " " + m[2] if self.hit(0.02) else m[0], text
        )
        text = re.sub(r"(?<=[a-z])([.,])(?= |$)", lambda m: " " + m[1] if self.hit(0.15) else m[1], text)
        text = re.sub(r" ,(?: )(?=[a-z])", lambda m: " ," if self.hit(0.4) else " , ", text)
        text = re.sub(r"(?<=[a-z]{3}\.) (?=[A-Z][a-z]{2})", lambda m: "" if self.hit(0.1) else " ", text)
        return re.sub(r"(?<=[a-z],) (?=[a-z]{3})", lambda m: self.entity(" ", "nbsp") if self.hit(0.1) else " ", text)

    def wrap(self, name: str, inside: str) -> str:
        return self.tag(name) + inside + self.tag(name, True)

    def emphasised(self, text: str) -> str:
        head, colon, rest = text.partition(": ")
        if colon and len(head) < 60:
            return self.wrap("strong", self.words(head) + ":") + " " + self.words(rest)
        return self.words(text)

    def render(self, blocks: list[tuple[str, str]]) -> str:
        out: list[str] = []
        last = ""
        for kind, text in blocks:
            if last in ("item", "row") and kind != last:
                out.append(self.tag({"item": "ul", "row": "table"}[last], True) + "\n")
            if kind in ("item", "row") and kind != last:
                out.append(self.tag({"item": "ul", "row": "table"}[kind]) + "\n")
            if kind not in ("item", "row"):
                out.append(self.junk())
            if kind == "row":
                cell_name = "td" if last == "row" else self.chance.choice(["td", "th"])
                cells = "".join(self.wrap(cell_name, self.words(cell)) for cell in text.split(" | "))
                out.append(self.wrap("tr", cells) + "\n")
            else:
                name = {"heading": "h2", "item": "li", "paragraph": "p"}[kind]
                out.append(self.wrap(name, self.emphasised(text)) + "\n")
            last = kind
        if last in ("item", "row"):
            out.append(self.tag({"item": "ul", "row": "table"}[last], True) + "\n")
        return "".join(out)


def spin(text: str, seed: int, strength: float = 1.0) -> tuple[str, str]:
    """The damaged article and what it should read after repair."""
    chance = random.Random(seed)
    blocks = blocks_of(text)
    begin = chance.randrange(max(1, len(blocks) * 2 // 3))
    end = begin + max(3, int(len(blocks) * chance.uniform(0.2, 0.6)))
    spinner = Spinner(chance, strength)
    parts = (plain(blocks[:begin]), spinner.render(blocks[begin:end]).strip("\n"), plain(blocks[end:]))
    return "\n".join(filter(None, parts)), plain(blocks)


def similarity(one: str, two: str) -> float:
    """Ratcliff-Obershelp ratio over the words, case kept."""
    return difflib.SequenceMatcher(None, WORDS.findall(one), WORDS.findall(two), autojunk=False).ratio()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=Path, default=ROOT / "tests" / "golden" / "seeds")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    from winnow.repair import repair

    scores, lines, clean = [], [], []
    for path in sorted(options.articles.glob("*.txt")):
        original = plain(blocks_of(path.read_text("utf-8")))
        clean.append(repair(original).text.rstrip("\n") == original)
        for seed in range(options.rounds):
            damaged, wanted = spin(original, seed, options.strength)
            got = repair(damaged).text
            scores.append(similarity(got, wanted))
            lines.append(len(set(wanted.split("\n")) & set(got.split("\n"))) / len(set(wanted.split("\n"))))
            if options.show and lines[-1] < 1:
                print(f"--- {path.name} seed {seed}: {scores[-1]:.4f}")
                for line in difflib.unified_diff(wanted.split("\n"), got.split("\n"), lineterm="", n=0):
                    print("   ", line[:400])
    good = sum(s >= 0.99 for s in scores) / len(scores)
    print(f"spun articles          {len(scores)}")
    print(f"word similarity, mean  {statistics.mean(scores):.4f}   worst {min(scores):.4f}")
    print(f"at .99 or better       {good:.1%}")
    print(f"lines exactly right    {statistics.mean(lines):.1%}")
    print(f"clean left unchanged   {sum(clean)} of {len(clean)}")


if __name__ == "__main__":
    main()
