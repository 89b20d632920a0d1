"""Sets of doc_ids behave as sets of strings do, in 8 bytes each."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.base import doc_ids
from winnow.base.doc_ids import EVERYTHING, NO_DOCUMENTS, DocIds, Joined, as_doc_ids, doc_id_ranges, doc_keys

some_ids = st.frozensets(
    st.one_of(st.sampled_from(["0" * 16, "8" + "0" * 15, "f" * 16]), st.integers(0, 2**64 - 1).map("{:016x}".format)),
    max_size=6,
)


@given(some_ids, some_ids, st.integers(1, 5))
def test_sets_of_doc_ids_are_sets(one: frozenset[str], other: frozenset[str], count: int) -> None:
    ours, theirs = DocIds.of(one), DocIds.of(other)
    assert ours == one
    assert list(ours) == ours.column().to_pylist() == sorted(one)
    assert ours | theirs == ours | other == one | other
    assert ours & theirs == one & other
    assert ours - theirs == one - other
    assert [d in ours for d in sorted(other)] == [d in one for d in sorted(other)]
    with_null = pa.array([*sorted(other), None], pa.string())
    assert ours.mask(with_null).to_pylist() == [d in one for d in with_null.to_pylist()]
    assert DocIds.of_ranges([ours.within(span) for span in doc_id_ranges(count)]) == one
    assert all(low <= d < high for low, high in doc_id_ranges(count) for d in ours.within((low, high)))
    assert pickle.loads(pickle.dumps(ours)) == one
    assert as_doc_ids(doc_keys(pa.chunked_array([sorted(one)], pa.string()).slice(1))).to_pylist() == sorted(one)[1:]


def test_a_set_is_read_from_files(tmp_path: Path) -> None:
    files = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for path, ids in zip(files, (["f" * 16, "0" * 16], ["f" * 16, "1" * 16]), strict=True):
        pq.write_table(pa.table({"doc_id": ids}), path)
    assert DocIds.of_files(files) == {"f" * 16, "0" * 16, "1" * 16}
    assert DocIds.of_files(files, among=DocIds.of(["1" * 16, "2" * 16])) == {"1" * 16}
    assert DocIds.of_files([]) == NO_DOCUMENTS == NO_DOCUMENTS.within(EVERYTHING)


@pytest.mark.parametrize("text", ["", "0" * 15, "0" * 17, "g" * 16, "F" * 16, "é" * 8])
def test_what_is_no_doc_id_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is no doc_id"):
        DocIds.of(["0" * 16, text])


@pytest.mark.parametrize("large", [1, 40, 1 << 20])
@pytest.mark.parametrize("sizes", [[], [0], [3, 0, 5], [9] * 7])
def test_joined_arrays_are_the_same_in_memory_and_in_a_file(
    sizes: list[int], large: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doc_ids, "_LARGE", large)
    pieces = [np.arange(size, dtype=np.uint64) + np.uint64(n) for n, size in enumerate(sizes)]
    joined = Joined(np.uint64, tmp_path)
    for piece in pieces:
        joined.add(piece)
    whole = joined.whole()
    assert whole.tolist() == Joined.of(np.uint64, pieces).tolist() == [int(n) for piece in pieces for n in piece]
    assert pickle.loads(pickle.dumps(whole[1:])).tolist() == whole.tolist()[1:]  # as workers are told some of them
    assert not list(tmp_path.iterdir())
