"""Which worker reads what: small files together, big files of lines in parts. Rows never depend on where it is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from winnow.read.content import MB
from winnow.read.formats import format_of
from winnow.read.inputs import InputFile

MIN_PART = 1 << 20  # smaller parts cost more to open than to read
MAX_FILES = 2_000  # small files of a shard; opening them costs as much as 32 MB of text


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes of a file from ``start`` to ``end``; a line belongs to the span in which it begins."""

    file: InputFile
    start: int
    end: int

    @property
    def is_whole(self) -> bool:
        return self.start == 0 and self.end >= self.file.bytes


@dataclass(frozen=True, slots=True)
class Shard:
    """What one worker reads at a time."""

    spans: tuple[Span, ...]

    @property
    def bytes(self) -> int:
        return sum(s.end - s.start for s in self.spans)


def plan_shards(inputs: Sequence[InputFile], shard_mb: float) -> list[Shard]:
    """Cut `inputs` into shards of about `shard_mb` MB, in order.

    Uncompressed JSON lines are cut by byte range; any other file is one span.

    >>> files = [InputFile("a.txt", "/a.txt", 10), InputFile("b.jsonl", "/b.jsonl", 2_500_000)]
    >>> [[(s.file.path, s.start, s.end) for s in shard.spans] for shard in plan_shards(files, 1.5)]
    [[('a.txt', 0, 10)], [('b.jsonl', 0, 1500000)], [('b.jsonl', 1500000, 2500000)]]
    """
    part = max(int(shard_mb * MB), MIN_PART)
    shards: list[Shard] = []
    held: list[Span] = []
    size = 0
    for file in inputs:
        for span in _spans(file, part):
            if held and (size + span.end - span.start > part or len(held) >= MAX_FILES):
                shards.append(Shard(tuple(held)))
                held, size = [], 0
            held.append(span)
            size += span.end - span.start
    if held:
        shards.append(Shard(tuple(held)))
    return shards


def _spans(file: InputFile, part: int) -> list[Span]:
    found = format_of(file.path)
    if file.bytes <= part or found is None or found[1] is not None or not found[0].by_lines:
        return [Span(file, 0, file.bytes)]
    return [Span(file, start, min(start + part, file.bytes)) for start in range(0, file.bytes, part)]
