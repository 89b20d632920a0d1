"""Documents that give figures: a weather report, a result, a price. Under one template their figures tell them apart.

A revision that corrects a few figures has most of them in common with what it revises; another report has others. So
where a document has a figure in every few words, only three words in a row that have one speak for it being a copy.

A record is nothing but what it gives: an invoice, a reading, a product's attributes. One value tells it from another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from winnow.deduplicate.documents.shingles import SHORT, Words
from winnow.deduplicate.passages.contraries import FIELD
from winnow.deduplicate.passages.fingerprint import UNSPACED
from winnow.deduplicate.passages.utf8_texts import Offsets, Utf8Texts
from winnow.deduplicate.sorted_rows import distinct_values, stand_in

_WORDS_A_FIGURE = 40  # at most; two sentences
MOST_WORDS = 300  # of a document; a longer one says more than its figures
_WORDS_A_VALUE = 7  # at most, of a record; a report of an accident has a figure in every ten
_LINES = 4  # at least, of a form; they have half of its characters
_STAMP = 6  # words at either end of a document whose figures say when it was posted, or on which page
_LINK = r"://|\]\("  # figures of addresses say nothing
_LINKS = re.compile(_LINK)
_ALONE = "".join(rf"\x{{{first:X}}}-\x{{{last:X}}}" for first, last in UNSPACED)
_GIVEN = re.compile(rf"(?<![^\W{''.join(f'{chr(first)}-{chr(last)}' for first, last in UNSPACED)}])\d+(?:[.,:/-]\d+)*")
_WORD_WITH_DIGIT = rf"[[\w\p{{N}}]--[{_ALONE}]]*\p{{Nd}}[[\w\p{{N}}]--[{_ALONE}]]*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Which passages of documents give figures (`passages`), and which of all words are figures (`words`).

    It is those of documents at least half of which, in characters, is such passages.
    """

    passages: NDArray[np.bool_]
    words: NDArray[np.bool_]

    @classmethod
    def of(cls, texts: pa.LargeStringArray, words: Words, among: NDArray[np.bool_]) -> Figures:
        """Given the passages of whole documents, of which only those `among` them count."""
        documents, pieces = np.diff(words.bounds), np.diff(words.ends, prepend=0)
        owner = np.repeat(np.arange(len(documents)), documents)
        ends = words.document_ends
        short = np.diff(ends, prepend=0)[owner] <= MOST_WORDS
        is_figure = figures_among(words, texts, short)
        at = np.arange(len(is_figure))
        starts = np.append(0, ends[:-1])
        of_document = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
        is_figure &= (at >= starts[of_document] + _STAMP) & (at < ends[of_document] - _STAMP)
        begins = is_figure.copy()  # 1,234.50 is one
        begins[1:] &= ~is_figure[:-1]
        given = np.diff(np.append(0, np.cumsum(begins))[np.append(0, words.ends)])
        sizes = pc.utf8_length(texts).to_numpy(zero_copy_only=False)
        long = _as_words(pieces, sizes)
        dense = short & among & (given > 0) & (pieces >= SHORT) & (_WORDS_A_FIGURE * given >= long)
        dense[dense] = ~pl.Series(texts.filter(pa.array(dense))).str.contains(_LINK).to_numpy()
        sizes = np.where(among, sizes, 0)
        whole, in_dense = (np.bincount(owner, weights=w, minlength=len(documents)) for w in (sizes, dense * sizes))
        return cls(passages=dense & (2 * in_dense >= whole)[owner], words=is_figure)


def in_records(texts: pa.LargeStringArray, words: Words) -> NDArray[np.bool_]:
    """Which passages of short whole documents give the values of a record: a form, or a figure in every few words.

    >>> forms = pa.array(["Name: the blue box\\nColour: blue\\nPrice: 4.20 euros\\nSize: large", "It was late."])
    >>> in_records(forms, Words.of(Utf8Texts.of(forms), np.arange(3))).tolist()
    [True, False]
    """
    documents = np.diff(words.bounds)
    owner = np.repeat(np.arange(len(documents)), documents)
    sizes = pc.utf8_length(texts).to_numpy(zero_copy_only=False)
    lines, in_fields, given, within = np.array(list(map(_counted, texts.to_pylist())), np.int64).reshape(-1, 4).T
    said = _as_words(np.diff(words.ends, prepend=0), sizes) - within
    columns = (sizes, in_fields, lines, given, said)
    size, in_form, lines_of, figures, long = (np.bincount(owner, w, len(documents)) for w in columns)
    form = (2 * in_form >= size) & (lines_of >= _LINES)
    dense = (figures > 0) & (_WORDS_A_VALUE * figures >= long)
    found: NDArray[np.bool_] = np.where(form[owner], lines > 0, dense[owner] & (given > 0))
    return found


def _counted(text: str) -> tuple[int, int, int, int]:
    """How many lines of a form a text has, and characters in them, how many figures, and further words of those."""
    if _LINKS.search(text):
        return 0, 0, 0, 0
    fields = [found[0] for found in FIELD.finditer(text)] if ":" in text or "：" in text else []
    figures = _GIVEN.findall(text)
    parts = sum(len(re.findall(r"\d+", figure)) for figure in figures)
    return len(fields), sum(map(len, fields)), len(figures), parts - len(figures)


def _as_words(pieces: Offsets, sizes: Offsets) -> NDArray[np.float64]:
    """How many words passages say: of characters that are words, eight say as much as five words."""
    found: NDArray[np.float64] = np.where(2 * pieces > sizes, 5 * pieces / 8, pieces)
    return found


def figures_among(words: Words, texts: pa.LargeStringArray, some: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which words of texts begin with a digit, of `some` of them."""
    given = pl.Series(texts.filter(pa.array(some)))
    given = given.filter(given.str.contains(r"\p{Nd}"))  # most have none
    found = given.str.extract_all(_WORD_WITH_DIGIT).explode().drop_nulls().unique()
    found = found.filter(found.str.contains(r"^\p{Nd}"))
    known = distinct_values(Words.of(Utf8Texts.of(found.to_arrow()), np.arange(len(found) + 1)).in_pieces)
    looked_at = np.repeat(some, np.diff(words.ends, prepend=0))
    looked_at[looked_at] = stand_in(words.in_pieces[looked_at], known)
    return looked_at
