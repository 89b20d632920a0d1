"""A recipe is read from ``winnow.toml``; each mistake in it is told with its line and the remedy."""

from __future__ import annotations

import difflib
import re
import reprlib
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from winnow.base.addresses import redacted
from winnow.base.errors import RecipeError
from winnow.base.recipe import Recipe
from winnow.base.recipe_values import check_licence


def load_recipe(path: str | Path | None = None) -> Recipe:
    """Reads a recipe from TOML; the defaults where no `path` is given.

    Raises RecipeError with file, line and remedy for what is not TOML, unknown, or out of range.
    """
    if not path:
        return Recipe()
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")  # editors on Windows begin a file with a byte order mark
        data = tomllib.loads(text)
    except OSError as error:
        raise RecipeError(
            f"{path}: cannot be read: {error.strerror or error}; give --recipe a readable TOML file"
        ) from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except RecursionError:
        raise RecipeError(f"{path}: is nested too deep; no setting needs more than lists in tables") from None
    except ValueError as error:  # what is no TOML, and numbers of thousands of digits
        raise RecipeError(f"{path}: is not TOML: {error}") from error
    try:
        recipe = Recipe.model_validate(data)
    except ValidationError as error:
        raise RecipeError("\n".join(_explain(path, text, e) for e in error.errors())) from error
    if wrong := [f"{path}:{_line_of(text, keys)}: {'.'.join(keys)} {why}" for keys, why in _unknown_names(recipe)]:
        raise RecipeError("\n".join(wrong))
    return recipe


def _unknown_names(recipe: Recipe) -> Iterator[tuple[list[str], str]]:
    """Settings that name what does not exist, with why.

    The model lets them pass: manifests hold the settings of versions that were published before the name was checked,
    and the names of rules stand with the rules.
    """
    try:
        check_licence(recipe.publish.licence)
    except ValueError as error:
        yield ["publish", "licence"], f"= {_shown(recipe.publish.licence)} {error}"
    for language in recipe.read.languages:
        if len(language.partition("-")[0]) > _MOST_LETTERS:
            yield ["read", "languages"], f"= {_shown(language)} is no code of a language, as en, yue or sr-ME are"
    for name in recipe.repair.rules:
        from winnow.repair import unknown_rule  # word lists and all, where most recipes name no rule

        if why := unknown_rule(name):
            yield ["repair", "rules", name], why


_MOST_LETTERS = 3  # of a language in BCP 47; no longer code was ever given away


def _explain(path: Path, text: str, error: Any) -> str:
    keys = [k if isinstance(k, int) else str(k) for k in error["loc"]]
    if error["type"] == "missing":
        return f"{path}:{_line_of(text, keys[:-1])}: {_dotted(keys[:-1])} has no {keys[-1]}; add one"
    where = f"{path}:{_line_of(text, keys)}: {_dotted(keys)}"
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(keys[-1]), _names_beside(keys), n=1)
        known = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(_names_beside(keys))}"
        return f"{where} is no setting; {known}"
    if error["type"] == "value_error":  # a check of our own, with its own words
        said = str(error["ctx"]["error"])
        return f"{where}: {said}" if isinstance(error["input"], dict) else f"{where} = {_shown(error['input'])} {said}"
    hint = ""
    if error["type"] == "tuple_type":
        return f"{where} = {_shown(error['input'])}: should be a text, or a list of them in brackets"
    if error["type"] == "literal_error":
        near = difflib.get_close_matches(str(error["input"]), re.findall("'([^']*)'", error["ctx"]["expected"]), 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{where} = {_shown(error['input'])}: {error['msg'][0].lower()}{error['msg'][1:]}{hint}"


def _shown(value: object) -> str:
    """A value as Python writes it, not at any length nor depth, and without a password."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = 80
    return short.repr(redacted(value) if isinstance(value, str) else value)


def _dotted(keys: Sequence[str | int]) -> str:
    """A setting's name; entries of a list are counted from 1.

    >>> _dotted(["read", "sources", 0, "glob"])
    'read.sources[1].glob'
    """
    return "".join(f"[{k + 1}]" if isinstance(k, int) else f".{k}" for k in keys).removeprefix(".")


def _names_beside(keys: Sequence[str | int]) -> list[str]:
    model: type[BaseModel] = Recipe
    for key in keys[:-1]:
        field = next((f for n, f in model.model_fields.items() if key in (n, f.alias)), None)
        # What is no field is the name or the number of an entry.
        model = (_model_in(field.annotation) if field else None) or model
    return sorted(f.alias or n for n, f in model.model_fields.items())


def _model_in(kind: Any) -> type[BaseModel] | None:
    """The section of that type, or of the entries of such a list or table."""
    return next((k for k in (kind, *get_args(kind)) if isinstance(k, type) and issubclass(k, BaseModel)), None)


def _line_of(text: str, keys: Sequence[str | int]) -> int:
    """Line on which the setting stands, or what holds it; 1 where it cannot be told (inline forms)."""
    lines: dict[tuple[str | int, ...], int] = {}
    current: tuple[str | int, ...] = ()
    counts: Counter[tuple[str, ...]] = Counter()
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*(\[{1,2})([^\[\]]{1,200})\]", line):
            names = _parts(header[2])
            current = names
            if header[1] == "[[":
                current = (*names, counts[names])
                counts[names] += 1
            lines.setdefault(current, number)
        elif found := re.match(r"\s*([A-Za-z0-9_.\"'-]{1,200})\s*=", line):
            lines.setdefault((*current, *_parts(found[1])), number)
    return next((lines[tuple(keys[:n])] for n in range(len(keys), 0, -1) if tuple(keys[:n]) in lines), 1)


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in name.split("."))
