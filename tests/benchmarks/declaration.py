"""The Universal Declaration of Human Rights, whose texts stand in the gold set of charsets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple


class Version(NamedTuple):
    """A text of the declaration: its file's name, how that begins, its bytes, and their codec."""

    name: str
    beginning: str
    raw: bytes
    codec: str

    @property
    def text(self) -> str:
        return self.raw.decode(self.codec)


def declarations(index: Path, beginnings: Iterable[str]) -> Iterator[Version]:
    """Those whose files begin like one of `beginnings`, the first that fits, and that decode as they say."""
    beginnings = list(beginnings)
    for row in map(json.loads, index.open(encoding="utf-8")):
        name = Path(row["path"]).name
        beginning = next((b for b in beginnings if name.startswith(b)), None)
        if "udhr" in row["source"] and beginning is not None and row["decodes_strictly"]:
            yield Version(name, beginning, (index.parent / row["file"]).read_bytes(), row["python_codec"])
