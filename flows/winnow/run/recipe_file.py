"""A recipe is read from ``winnow.toml``; each mistake in it is told with its line and the remedy."""

from __future__ import annotations

import difflib
import re
import reprlib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from winnow.base.addresses import redacted
from winnow.base.errors import RecipeError
from winnow.base.recipe import Recipe, RepairSettings, RuleSettings
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
    for name in recipe.repair.rules:
        from winnow.repair import unknown_rule  # word lists and all, where most recipes name no rule

        if why := unknown_rule(name):
            yield ["repair", "rules", name], why


def _explain(path: Path, text: str, error: Any) -> str:
    keys = [str(k) for k in error["loc"]]
    where = f"{path}:{_line_of(text, keys)}: {'.'.join(keys)}"
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(keys[-1], _names_beside(keys), n=1)
        known = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(_names_beside(keys))}"
        return f"{where} is no setting; {known}"
    if error["type"] == "value_error":  # a check of our own, with its own words
        said = str(error["ctx"]["error"])
        return f"{where}: {said}" if isinstance(error["input"], dict) else f"{where} = {_shown(error['input'])} {said}"
    return f"{where} = {_shown(error['input'])}: {error['msg'][0].lower()}{error['msg'][1:]}"


def _shown(value: object) -> str:
    """A value as Python writes it, not at any length nor depth, and without a password."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = 80
    return short.repr(redacted(value) if isinstance(value, str) else value)


def _names_beside(keys: list[str]) -> list[str]:
    model: type[BaseModel] = Recipe
    for key in keys[:-1]:
        for name, field in model.model_fields.items():
            if (
                key in (name, field.alias)
                and isinstance(field.annotation, type)
                and issubclass(field.annotation, BaseModel)
            ):
                model = field.annotation
                break
        else:
            model = RuleSettings if model is RepairSettings else model
    return sorted(f.alias or n for n, f in model.model_fields.items())


def _line_of(text: str, keys: list[str]) -> int:
    """Line on which the setting stands, 1 where it cannot be told (dotted or inline forms)."""
    section, key = keys[:-1], keys[-1]
    current: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[([^\[\]]{1,200})\]", line):
            current = [part.strip().strip("\"'") for part in header[1].split(".")]
            if current == keys:
                return number
        elif (found := re.match(r"\s*([A-Za-z0-9_.\"'-]{1,200})\s*=", line)) and current + found[1].split(".") == [
            *section,
            key,
        ]:
            return number
    return 1
