"""Where sentences end, well enough to cut a passage in two; after Unicode UAX #29 in spirit, without its tables."""

from __future__ import annotations

import re

# Full stops of scripts without spaces end a sentence wherever they stand; others must be followed by white space.
# The characters before and after are judged in `sentence_starts`, so that the expression itself stays linear.
_END = re.compile(r"[.!?…؟।॥։።][.!?…\"'”’»)\]]{0,4}(?=\s)|[。！？][”’」』）\"]{0,4}")
_SPACE = re.compile(r"\s{1,400}")


def sentence_starts(text: str) -> list[int]:
    """Offsets at which sentences start, 0 first; pieces between them tile the text, white space after each included.

    A stop after a single letter or before a lower-case word ("e. g. this", "p. 3") ends nothing.

    >>> text = "He came. She left at 3 p.m. sharp! J. Doe stayed."
    >>> starts = sentence_starts(text)
    >>> [text[a:b] for a, b in zip(starts, [*starts[1:], None])]
    ['He came. ', 'She left at 3 p.m. sharp! ', 'J. Doe stayed.']
    """
    starts = [0]
    for found in _END.finditer(text):
        end = found.end()
        space = _SPACE.match(text, end)
        after = space.end() if space else end
        if after >= len(text):
            break
        at = found.start()
        if text[at] == "." and (
            text[after].islower()
            or (text[after].isdigit() and text[at - 1 : at].islower() and not text[max(at - 4, 0) : at].isalpha())
            or ((at == 1 or (at > 1 and not text[at - 2].isalnum())) and text[at - 1].isalpha())
        ):
            continue
        starts.append(after)
    return starts
