"""Output for a person's terminal: text from outside made harmless, colours where the terminal takes them."""

from __future__ import annotations

import os
import sys
import unicodedata
from functools import partialmethod
from typing import TextIO

RED, GREEN, DIM, YELLOW, BOLD, END = "\x1b[31m", "\x1b[32m", "\x1b[2m", "\x1b[33m", "\x1b[1m", "\x1b[0m"

# Bidirectional overrides reorder what a reader sees; the others move the cursor or change the screen.
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def visible(text: str) -> str:
    """`text` with every control, format and line-separating character written as an escape.

    Nothing from outside may move the cursor, colour the screen, forge a log line, or hide what follows.

    >>> visible("a\\x1b[31m\\nb")
    'a\\\\x1b[31m\\\\nb'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(c) if unicodedata.category(c) in _UNSAFE else c for c in text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")


def colours_for(stream: TextIO) -> bool:
    """Whether `stream` is a terminal that takes colours; NO_COLOR (no-color.org) switches them off."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Paint:
    """Wraps text in colours, or not: ``Paint(colours_for(sys.stdout)).red("x")``."""

    def __init__(self, on: bool) -> None:
        self._on = on

    def _in(self, code: str, text: str) -> str:
        return f"{code}{text}{END}" if self._on and text else text

    red = partialmethod(_in, RED)
    green = partialmethod(_in, GREEN)
    yellow = partialmethod(_in, YELLOW)
    dim = partialmethod(_in, DIM)
    bold = partialmethod(_in, BOLD)


def say(message: str) -> None:
    """Print a message to standard error, harmless whatever it quotes."""
    print("\n".join(visible(line) for line in message.split("\n")), file=sys.stderr)
