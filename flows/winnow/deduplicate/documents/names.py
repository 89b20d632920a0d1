"""Names in sentences. Two short texts in the same words about other people, places or makes are two texts.

A tool that spins an article puts other words for its words and leaves its names; a form of words filled in for another
village has its words and other names.
"""

from __future__ import annotations

from winnow.deduplicate.passages.splitter import ends_sentence

_LEAST_CHARS = 80  # of a passage; in a shorter one stands who wrote or sent it


def names_in(text: str, in_record: bool = False) -> str:
    """The words of a passage of sentences that have a capital and begin no sentence, quotation or bracket.

    None are of headings, none beside a number, as months are, and none all in capitals: they may stand for other words.

    >>> names_in("Anna Brown was born in Harbour Town, on 3 May 1901. She wrote for the Evening Star.")
    'Brown Harbour Town, Evening Star.'
    >>> names_in("Anna Brown of Harbour Town")
    ''
    """
    if len(text) < _LEAST_CHARS or not ends_sentence(text.rstrip()):
        return ""
    names = []
    for before, word, after in zip(words := text.split(), words[1:], [*words[2:], ""], strict=False):
        goes_on = before[-1].isalpha() or before[-1] in ",;)’'”"
        if goes_on and word[0].isupper() and word[1:2] not in "'’" and not word.isupper() and not after[:1].isdigit():
            names.append(word)
    return " ".join(names)
