"""The files of index rows and passages that take part, new ones first, and what of published ones is passed over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from winnow.base.doc_ids import doc_keys
from winnow.base.files import parquet_file
from winnow.deduplicate.array_files import ArrayFile
from winnow.deduplicate.work_files import InputFile


def sorted_keys(doc_ids: Path, out: ArrayFile) -> ArrayFile:
    """Write the doc_ids of a Parquet file as numbers, sorted; they are not held."""
    with parquet_file(doc_ids, pre_buffer=False) as file, out.filled(file.metadata.num_rows) as keys:
        at = 0
        for batch in file.iter_batches(batch_size=1 << 16, columns=["doc_id"]):
            keys[at : at + len(batch)] = doc_keys(batch.column(0))
            at += len(batch)
        keys.sort()
    return out


def inputs_of(new: Sequence[Path], published: Sequence[Path], left_out: ArrayFile | None) -> list[InputFile]:
    """The files that take part, new ones first."""
    inputs = [InputFile(path=path, name=f"new-{n}") for n, path in enumerate(new)]
    return inputs + [InputFile(path=path, name=f"published-{n}", left_out=left_out) for n, path in enumerate(published)]


def whole(inputs: Sequence[InputFile]) -> list[InputFile]:
    """The inputs with all their rows."""
    return [replace(file, only=()) for file in inputs]


def asked_for(inputs: Sequence[InputFile], new: int, only: tuple[ArrayFile, ...]) -> list[InputFile]:
    """The inputs, after so many `new` ones published ones of which only what new documents have matters."""
    return [*inputs[:new], *(replace(file, only=only) for file in inputs[new:])]
