"""What a cell of the table holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """So many of so many."""

    good: int
    of: int

    def __str__(self) -> str:
        return f"{self.good}/{self.of}"


@dataclass(frozen=True)
class Number(Score):
    """A plain figure, such as an F1."""

    value: float = 0.0

    def __str__(self) -> str:
        return f"{self.value:.4f}"
