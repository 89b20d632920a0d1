"""HTML's names: its elements, by what a tag means for the lines of a text, and the commonest references."""

from __future__ import annotations

BLOCK = frozenset("""
    address article aside body center details dialog dir div dl dd dt fieldset figcaption figure footer form
    frameset header hgroup hr html main menu nav ol p pre section summary ul optgroup option legend caption
    colgroup noscript noframes title object iframe video audio canvas map
""".split())  # fmt: skip
HEADING = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
TABLE = frozenset(("table", "tbody", "thead", "tfoot", "tr", "td", "th"))
CELL = frozenset(("td", "th"))
INLINE = frozenset("""
    a abbr acronym b bdi bdo big cite code data del dfn em font i img input ins kbd label mark meter output
    progress q rp rt ruby s samp select small span strike strong sub sup svg textarea time tt u var wbr button
    picture embed param source track area col base link meta head frame nobr blink marquee
""".split())  # fmt: skip
REPLACED = frozenset("img input button select textarea object video audio iframe canvas svg script style".split())
"""Inline, but seen as a thing between words, not as part of one."""
HIDDEN = frozenset(("script", "style", "template", "svg"))
"""Elements whose content no reader sees, or sees as a picture."""

ELEMENTS = BLOCK | HEADING | TABLE | INLINE | HIDDEN | {"li", "br", "blockquote"}
"""Every element that pages use."""

RARE = frozenset("""
    area audio base bdi bdo blink canvas data dialog dir embed fieldset frame frameset hgroup map marquee menu meter
    nobr noframes optgroup output picture progress rp rt ruby source svg template time track wbr
""".split())  # fmt: skip
"""Those that damaged articles hardly ever show, and of which many are words."""

COMMON_REFERENCES = (
    "lt", "gt", "amp", "quot", "apos", "nbsp", "rsquo", "lsquo", "rdquo", "ldquo", "mdash", "ndash", "hellip",
)  # fmt: skip
"""The character references that text is full of; no programmer's variable is called so: ``& lsquo ;`` is no bitwise
and."""

RAISED = str.maketrans("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")
LOWERED = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")
"""What ``<sup>`` and ``<sub>`` hold, as characters."""
