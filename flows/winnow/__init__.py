"""Winnow: batch text cleaning that an analyst can trust.

>>> from winnow import clean, read_version, repair
>>> repair("Caf\\u00c3\\u00a9 &amp;amp; bar").text
'Café & bar'

`repair` undoes damage, `clean` also removes repeats inside the text, and `read_version` reads a published version as a
table. `load_recipe` reads settings (a `Recipe`) from TOML. To build datasets, see the flows: `winnow.build.build` and
its neighbours, or the command ``winnow``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from winnow.base.recipe import Recipe as Recipe
    from winnow.base.records import Edit
    from winnow.repair import repair as repair
    from winnow.run.recipe_file import load_recipe as load_recipe

    __version__: str

__all__ = ["Cleaned", "Recipe", "Removed", "__version__", "clean", "load_recipe", "read_version", "repair"]

# Arrow's and polars' own pools keep what one stage took for as long as the process lives, and the stages' peaks would
# add up. Both read this when they are loaded, so it stands before anything else; what a user has set stays.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A passage that `clean` left out: its text, the reason, and the position of the passage that was kept instead.

    Positions count the passages of the repaired text from 0; nothing is kept instead of promotion.
    """

    position: int
    text: str
    reason: str
    kept_position: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """A cleaned text, the edits that repaired it, and the passages that were removed from it then."""

    text: str
    edits: tuple[Edit, ...]
    removed: tuple[Removed, ...]


def clean(text: str, recipe: Recipe | None = None) -> Cleaned:
    """Repairs a text, and removes promotion and what repeats inside it.

    Repeats between documents, and everything else that a dataset promises, take a run: see the command ``winnow run``.

    >>> line = "The minister said that the bridge would be open to all before the winter came."
    >>> done = clean(f"{line}\\n\\nOther words &amp;amp; more.\\n\\n{line}")
    >>> done.text.endswith("Other words & more."), [edit.rule for edit in done.edits]
    (True, ['entities'])
    >>> [(removed.reason, removed.position, removed.kept_position) for removed in done.removed]
    [('repeat', 2, 0)]
    """
    from winnow.base.recipe import Recipe
    from winnow.deduplicate.repeats.within_document import without_inner_repeats
    from winnow.repair import repair

    recipe = recipe or Recipe()
    repaired = repair(text, recipe.repair)
    kept, gone = without_inner_repeats(repaired.text, recipe.deduplicate)
    removed = tuple(
        Removed(position=p.position, text=p.text, reason=why.reason, kept_position=why.kept_position) for p, why in gone
    )
    return Cleaned(text=kept, edits=tuple(repaired.edits), removed=removed)


def read_version(dataset: str | Path, version: int | None = None, table: str = "documents") -> pa.Table:
    """Returns a table of a published version, the latest if none is named, as an Arrow table.

    `dataset` is a folder or ``s3://BUCKET/PREFIX``. Raises DatasetError where it has no such version or table, and
    names those that there are.

    >>> read_version("no-such-folder")
    Traceback (most recent call last):
    winnow.base.errors.DatasetError: no-such-folder: has no version yet; make one with: winnow run SOURCE --into ...
    """
    from winnow.base.contracts import TABLES
    from winnow.base.errors import DatasetError
    from winnow.base.files import arrow_dataset
    from winnow.storage.locations import open_dataset

    found = open_dataset(dataset)
    number = found.latest_version() if version is None else version
    if number is None:
        raise DatasetError(f"{dataset}: has no version yet; make one with: winnow run SOURCE --into {dataset}")
    tables = found.manifest(number).tables
    if table not in tables:
        raise DatasetError(f"{dataset}: v{number} has no table {table!r}; there are: {', '.join(tables)}")
    return arrow_dataset(found.files(table, number), TABLES[table]).to_table()


def __getattr__(name: str) -> object:
    """Loads the other public names when they are first asked for, so that ``import winnow`` costs next to nothing."""
    if name == "repair":
        import winnow.repair

        return winnow.repair  # the stage's package, which can be called
    if name == "Recipe":
        from winnow.base.recipe import Recipe

        return Recipe
    if name == "load_recipe":
        from winnow.run.recipe_file import load_recipe

        return load_recipe
    if name == "__version__":
        from importlib.metadata import version

        return version("winnow-text")
    raise AttributeError(f"module 'winnow' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
