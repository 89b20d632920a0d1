"""The recipe that ``winnow init`` writes, made from the settings themselves so that nothing stands twice."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from winnow.base.recipe import Recipe
from winnow.repair.order import REPAIRS

WIDTH = 100

HEAD = """\
Settings of Winnow. What is commented out shows the default, or an example where there is none; take the # away to \
change it.
After a change of a setting that shapes the published rows, the next run cleans every document again.
"""


def starter() -> str:
    """The text of a recipe in which every setting stands as a comment, with its meaning and default."""
    return "\n".join([*_comment(HEAD), "", *_section(Recipe, ())]).rstrip("\n") + "\n"


def _section(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[str]:
    inner: list[tuple[str, FieldInfo]] = []
    for name, field in model.model_fields.items():
        key = field.alias or name
        if _model_of(field) is not None:
            inner.append((key, field))
            continue
        yield from _comment(_described(field))
        if get_origin(field.annotation) is dict:
            yield from _by_name(field, (*path, key))
        elif entry := _entry_of(field):
            yield f"# [[{'.'.join((*path, key))}]]"
            for inner_name, setting in entry.model_fields.items():
                yield from _comment(_described(setting), indent="  ")
                yield f"#   {inner_name} = {_shown(setting)}"
        else:
            yield f"# {key} = {_shown(field)}"
        yield ""
    for key, field in inner:
        section = _model_of(field)
        assert section is not None
        if section.__doc__:
            yield from _comment(section.__doc__.strip())
        yield f"[{'.'.join((*path, key))}]"
        yield ""
        yield from _section(section, (*path, key))


def _shown(field: FieldInfo) -> str:
    """The default; an example for a setting that is empty by default, for TOML has no null."""
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    return _toml(field.examples[0] if default is None and field.examples else default)


def _entry_of(field: FieldInfo) -> type[BaseModel] | None:
    """The settings of one entry of a list of them."""
    return next((a for a in get_args(field.annotation) if isinstance(a, type) and issubclass(a, BaseModel)), None)


def _by_name(field: FieldInfo, path: tuple[str, ...]) -> Iterator[str]:
    """A table whose keys are names: shown by one entry with all its settings."""
    entry = get_args(field.annotation)[1]
    yield f"# [{'.'.join(path)}.NAME]"
    for name, setting in entry.model_fields.items():
        default = setting.get_default(call_default_factory=True)
        yield f"#   {name} = {_toml(default) if default is not None else '...'}  # {_described(setting)}"
    yield "# where NAME is a rule; they run in this order:"
    for rule in REPAIRS:
        does = (rule.find.__doc__ or "").partition("\n")[0]
        yield from _comment(f"{rule.name}: {does}", indent="  ")


def _model_of(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _described(field: FieldInfo) -> str:
    """The description, with the limits and choices that the setting's type knows."""
    said = field.description or ""
    limits = [f"{word} {getattr(m, key):g}" for m in field.metadata for key, word in _LIMITS if hasattr(m, key)]
    if get_origin(field.annotation) is Literal:
        limits.append("one of " + ", ".join(map(str, get_args(field.annotation))))
    return f"{said} ({', '.join(limits)})" if limits else said


_LIMITS = (("gt", "above"), ("ge", "at least"), ("lt", "below"), ("le", "at most"))


def _toml(value: object) -> str:
    """A value as TOML writes it; JSON's strings, numbers, truths and lists are TOML's too.

    >>> _toml(("a", "b")), _toml(True), _toml(0.5)
    ('["a", "b"]', 'true', '0.5')
    """
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def _comment(text: str, indent: str = "") -> list[str]:
    lines = []
    for paragraph in text.strip().splitlines():
        wrapped = textwrap.wrap(paragraph, WIDTH, initial_indent=indent, subsequent_indent=indent * 2)
        lines += [f"# {line}" for line in wrapped] or ["#"]
    return lines
