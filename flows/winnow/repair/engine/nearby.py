"""Which stretches of a text lie near proven damage."""

from __future__ import annotations

from winnow.repair.engine.rule import Evidence

Span = tuple[int, int]


def damaged_spans(text: str, evidence: Evidence, lines: int = 1) -> list[Span]:
    """The lines that hold proven damage with `lines` lines on either side, merged, ascending; or the whole
    text.

    Each line is looked at a bounded number of times: linear time even where all damage is on one line.

    >>> damaged_spans("a\\nb\\nc\\nd\\n", Evidence([5]))
    [(2, 7)]
    """
    if evidence.everywhere:
        return [(0, len(text))]
    spans: list[Span] = []
    seen_to = -1  # end of the last line looked at
    for point in evidence.points:
        if point <= seen_to:
            continue
        low = high = min(point, len(text))
        for step in range(lines + 1):
            found = text.rfind("\n", 0, low)
            low = max(found, 0)
            if found < 0:
                break
            if step == lines:
                low += 1
        for step in range(lines + 1):
            end = text.find("\n", high)
            high = len(text) if end < 0 else end
            if step == 0:
                seen_to = high
            if end < 0:
                break
            if step < lines:
                high += 1
        if spans and low <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(high, spans[-1][1]))
        else:
            spans.append((low, high))
    return spans
