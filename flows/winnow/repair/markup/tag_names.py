"""HTML's element names, grouped by what a tag of that name means for the lines of a text."""

from __future__ import annotations


def _names(line: str) -> frozenset[str]:
    return frozenset(line.split())


BLOCK = _names("""
    address article aside body center details dialog dir div dl dd dt fieldset figcaption figure footer form
    frameset header hgroup hr html main menu nav ol p pre section summary ul optgroup option legend caption
    colgroup noscript noframes object iframe video audio canvas map
""")
HEADING = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
TABLE = frozenset(("table", "tbody", "thead", "tfoot", "tr", "td", "th"))
CELL = frozenset(("td", "th"))
INLINE = _names("""
    a abbr acronym b bdi bdo big cite code data del dfn em font i img input ins kbd label mark meter output
    progress q rp rt ruby s samp select small span strike strong sub sup svg textarea time tt u var wbr button
    picture embed param source track area col base link meta head frame nobr blink marquee
""")
REPLACED = _names("""
    img input button select textarea object video audio iframe canvas svg script style
""")
"""Inline, but seen as a thing between words, not as part of one."""
HIDDEN = frozenset(("script", "style", "title", "template"))
"""Elements whose content is no part of the text (a page's title stands again in its heading)."""

KNOWN = BLOCK | HEADING | TABLE | INLINE | HIDDEN | {"li", "br", "blockquote"}

PLACEHOLDER = _names("""
    q s address article aside audio base body button canvas caption center code col data details dir dialog
    embed figure font footer form frame head header label legend link main map mark menu meta meter nav object
    option output param picture progress section select small source summary table template time title track var
    video input del ins dfn cite area big
""")
"""Names that manuals use for what the reader has to fill in, ``<input> <option>``, and programs for types."""

ENGLISH = _names("""
    a b i p q s u address article aside audio base big body button canvas caption center cite code data details
    dialog embed figure font footer form frame head header label legend link main map mark menu meter object
    option output picture progress section select small source strike strong style summary table template time
    title track video
""")
"""Names that are words: ``head > shoulders`` compares, it does not close a tag."""
