"""Documents that give figures: a weather report, a result, a price. Under one template their figures tell them apart.

A revision that corrects a few figures has most of them in common with what it revises; another report has others. So
where a document has a figure in every few words, only three words in a row that have one speak for it being a copy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from winnow.deduplicate.documents.shingles import SHORT, Hashes, Words
from winnow.deduplicate.passages.fingerprint import UNSPACED
from winnow.deduplicate.passages.utf8_texts import Utf8Texts
from winnow.deduplicate.sorted_rows import distinct_values, stand_in

_WORDS_A_FIGURE = 40  # at most; two sentences
_MOST_WORDS = 300  # of a document; a longer one says more than its figures
_STAMP = 6  # words at either end of a document whose figures say when it was posted, or on which page
_LINK = r"://|\]\("  # figures of addresses say nothing
_ALONE = "".join(rf"\x{{{first:X}}}-\x{{{last:X}}}" for first, last in UNSPACED)
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
        is_figure = stand_in(words.in_pieces, _with_digit(texts))
        at, ends = np.arange(len(is_figure)), words.document_ends
        starts = np.append(0, ends[:-1])
        of_document = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
        is_figure &= (at >= starts[of_document] + _STAMP) & (at < ends[of_document] - _STAMP)
        begins = is_figure.copy()  # 1,234.50 is one
        begins[1:] &= ~is_figure[:-1]
        given = np.diff(np.append(0, np.cumsum(begins))[np.append(0, words.ends)])
        sizes = pc.utf8_length(texts).to_numpy(zero_copy_only=False)
        long = np.where(2 * pieces > sizes, 5 * pieces / 8, pieces)  # of characters that are words, eight say so much
        short = np.diff(ends, prepend=0)[owner] <= _MOST_WORDS
        links = pl.Series(texts).str.contains(_LINK).to_numpy()
        dense = short & among & ~links & (given > 0) & (pieces >= SHORT) & (_WORDS_A_FIGURE * given >= long)
        sizes = np.where(among, sizes, 0)
        whole, in_dense = (np.bincount(owner, weights=w, minlength=len(documents)) for w in (sizes, dense * sizes))
        return cls(passages=dense & (2 * in_dense >= whole)[owner], words=is_figure)


def _with_digit(texts: pa.LargeStringArray) -> Hashes:
    """The numbers of the words of texts that have a digit, sorted."""
    found = pl.Series(texts).str.extract_all(_WORD_WITH_DIGIT).explode().drop_nulls().unique()
    found = found.filter(found.str.contains(r"^\p{Nd}"))
    return distinct_values(Words.of(Utf8Texts.of(found.to_arrow()), np.arange(len(found) + 1)).in_pieces)
