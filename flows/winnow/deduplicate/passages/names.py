"""Names in sentences. Two texts in the same words about other people, places or makes are two texts.

A tool that spins an article puts other words for its words and leaves its names; a form of words filled in for another
village has its words and other names.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Sequence

from winnow.deduplicate.passages.splitter import ends_sentence

_LEAST_CHARS = 80  # of a passage; in a shorter one stands who wrote or sent it
_ALIKE = 0.7  # Ratcliff-Obershelp ratio from which two names are one in two spellings
_FEW = 8  # words; of more that differ it is not asked which is which
_WORD = re.compile(r"[^\W\d]\w*")
_GERMAN = frozenset(("der", "die", "das", "und", "ist", "nicht", "mit", "ein", "eine", "sich", "auf", "den"))
_HONORIFICS = frozenset(("Mr", "Mrs", "Ms", "Miss", "Dr", "Prof", "Sir", "Herr", "Frau", "Monsieur", "Madame", "Señor"))
_ENOUGH_GERMAN = 4
_BEFORE_NAMES = frozenset(("in", "aus", "nach", "von", "bei", "gegen", "herr", "frau", "dr."))
NUMBERS = frozenset(
    (
        "one two three four five six seven eight nine ten eleven twelve first second third fourth fifth sixth seventh "
        "eighth ninth tenth last eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf ersten zweiten dritten "
        "vierten fünften sechsten siebten letzten erste zweite dritte vierte fünfte sechste siebte letzte deux trois "
        "quatre cinq sept huit neuf dix premier première deuxième troisième quatrième cinquième dernier dernière dos "
        "tres cuatro cinco seis siete ocho nueve diez primer primera segundo segunda tercer tercera cuarto cuarta "
        "último última due quattro cinque sei sette otto nove dieci primo prima secondo seconda terzo terza quarto "
        "dois três quatro sete oito nove dez primeiro primeira terceiro terceira twee drie vier vijf zes zeven acht "
        "negen tien eerste tweede derde vierde laatste два три четыре пять шесть семь восемь девять десять первый "
        "второй третий четвёртый последний первая вторая третья"
    ).split()
)


def names_in(text: str) -> str:
    """The words of a passage of sentences that have a capital and begin no sentence, quotation or bracket.

    None are of headings, none beside a number, as months are, and none all in capitals: they may stand for other words.

    >>> names_in("Anna Brown was born in Harbour Town, on 3 May 1901. She wrote for the Evening Star.")
    'Brown Harbour Town, Evening Star.'
    >>> names_in("Anna Brown of Harbour Town")
    ''
    """
    words = text.split()
    return " ".join(words[n] for n in _places(text, words))


def _places(text: str, words: Sequence[str]) -> list[int]:
    """Which of the words of a passage are names."""
    if len(text) < _LEAST_CHARS or not ends_sentence(text.rstrip()):
        return []
    found = []
    for n, (before, word, after) in enumerate(zip(words, words[1:], [*words[2:], ""], strict=False), 1):
        goes_on = before[-1].isalpha() or before[-1] in ",;)’'”"
        if goes_on and word[0].isupper() and word[1:2] not in "'’" and not word.isupper() and not after[:1].isdigit():
            found.append(n)
    return found


def names_of(texts: Sequence[str]) -> set[str]:
    """The names in the sentences of a document, and the words that open a sentence right before one.

    Where all nouns have a capital, as in German, only those beside another one, or after "in" and the like.

    >>> sorted(names_of(["Anna Brown was born in Harbour Town in the north, and wrote for many years for the Star."]))
    ['Anna', 'Brown', 'Harbour', 'Star', 'Town']
    >>> text = "Der Bürgermeister von Ulm und die Wirte sagten, dass das Fest nicht im Mai ist und Anna Braun mit."
    >>> sorted(names_of([text]))
    ['Anna', 'Braun', 'Ulm']
    """
    split = [text.split() for text in texts]
    plain = {word for words in split for word in words if word.islower()}
    nouns = len(_GERMAN & plain) >= _ENOUGH_GERMAN
    found: set[str] = set()
    for text, words in zip(texts, split, strict=True):
        places = _places(text, words)
        among = set(places)
        for n in places:
            if nouns and not among & {n - 1, n + 1} and words[n - 1].lower() not in _BEFORE_NAMES:
                continue
            found.add(words[n])
            if n - 1 not in among and words[n - 1].istitle() and words[n - 1].lower() not in plain:
                found.add(words[n - 1])
    return {name for word in found for name in _WORD.findall(word)} - _HONORIFICS


def is_about_another(text: str, other: str) -> bool:
    """Whether of two passages in nearly the same words each is about something that is not in the other.

    They are if each has names, names of a program, number words, or a word more than once that the other lacks. What is
    only spelt in another way is the same.

    >>> words = "The {} lamp is behind the cover, which comes off when you turn it, and so the {} lamp can be changed."
    >>> is_about_another(words.format("brake", "brake"), words.format("fog", "fog"))
    True
    >>> is_about_another(words.format("red", "brake"), words.format("red", "fog"))
    False
    """
    said = [Counter(_WORD.findall(one)) for one in (text, other)]
    differing = said[0] - said[1], said[1] - said[0]
    if max(map(len, differing)) > _FEW:
        return False
    ones, others = (
        {w for w, times in words.items() if times > 1 or w in names or "_" in w or w.lower() in NUMBERS}
        for words, names in zip(differing, (_WORD.findall(names_in(one)) for one in (text, other)), strict=True)
    )
    alike = any(difflib.SequenceMatcher(None, w, v).ratio() >= _ALIKE for w in ones for v in others)
    return bool(ones and others) and not alike
