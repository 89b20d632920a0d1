"""Which entry of ``[[read.sources]]`` a file belongs to, and how it is read for that.

The first entry whose glob fits the file's path counts, so narrow ones stand before wide ones. A file that no entry fits
is read as ``[read]`` says, by its ending.
"""

from __future__ import annotations

import re
from functools import lru_cache

from winnow.base.recipe import ReadSettings, SourceSettings


class FileSettings(ReadSettings):
    """The settings of reading as they apply to one file.

    ``format`` is what its entry says (None: its ending tells), ``source`` what the entry is called, and ``named`` are
    the settings of fields that the entry gives.
    """

    format: str | None = None
    source: str = ""
    named: tuple[str, ...] = ()


@lru_cache(maxsize=256)
def fits(glob: str) -> re.Pattern[str]:
    """What a glob fits: ``*`` and ``?`` stay within a folder, ``**`` crosses folders, and ``[ab]`` is one of them.

    A glob without a slash is for names in any folder, one with a slash for the whole path.

    >>> [bool(fits(g).fullmatch("news/2024/a.csv")) for g in ("*.csv", "news/*.csv", "news/**", "**/a.[ct]sv", "a.csv")]
    [True, False, True, True, True]
    """
    if "/" not in glob:
        glob = f"**/{glob}"
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]/]+\])", glob.removeprefix("/"))
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pattern = (known.get(p) or (_one_of(p) if p.startswith("[") and p.endswith("]") else re.escape(p)) for p in parts)
    return re.compile("".join(pattern), re.DOTALL)


def _one_of(part: str) -> str:
    inner = part[1:-1].replace("\\", "\\\\").replace("^", "\\^").replace("[", "\\[")
    return f"[^{inner[1:]}]" if inner.startswith("!") else f"[{inner}]"


def fits_any(path: str, globs: tuple[str, ...]) -> bool:
    """Whether one of the globs fits a path."""
    return any(fits(glob).fullmatch(path) for glob in globs)


def source_of(path: str, settings: ReadSettings) -> SourceSettings | None:
    """The entry that a file belongs to; None where no entry fits it."""
    return next((s for s in settings.sources if fits_any(path, s.glob) and not fits_any(path, s.exclude)), None)


def settings_of(path: str, settings: ReadSettings) -> FileSettings:
    """How one file is read: as its entry says, and where that says nothing as ``[read]`` does.

    >>> recipe = ReadSettings(sources=[{"glob": "*.csv", "text_field": "body"}])
    >>> settings_of("a/b.csv", recipe).text_field, settings_of("b.jsonl", recipe).text_field
    (('body',), ('text',))
    """
    entry = source_of(path, settings) if settings.sources else None
    return _merged(settings, entry)


@lru_cache(maxsize=256)
def _merged(settings: ReadSettings, entry: SourceSettings | None) -> FileSettings:
    said = {n: v for n, v in entry if v is not None and n in FileSettings.model_fields} if entry else {}
    named = tuple(n for n in ("id_fields", "title_field", "date_fields") if n in said)
    source = entry.called if entry else ""
    return FileSettings.model_construct(**{**dict(settings), **said, "source": source, "named": named})


def left_out(path: str, settings: ReadSettings) -> str | None:
    """Why the recipe leaves a file out, in a few words; None for one that it does not."""
    if settings.include and not fits_any(path, settings.include):
        return "not among read.include"
    return "excluded by read.exclude" if fits_any(path, settings.exclude) else None
