"""Pages of the documentation that are made from the code itself, so that they cannot say anything else than it does."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import typer
from mkdocs.structure.files import File, Files
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typer.core import TyperGroup

import winnow
from winnow.approve import approve
from winnow.base.contracts import TABLES, Column, contract
from winnow.base.recipe import Recipe
from winnow.build import build
from winnow.cli.main import EXIT_CODES, app
from winnow.erase import erase
from winnow.maintain import maintain
from winnow.repair import repair, undo
from winnow.repair.order import REPAIRS, SPACING_NAMES
from winnow.replay import replay
from winnow.withdraw import withdraw

ROOT = Path(__file__).resolve().parent.parent.parent


def on_files(files: Files, config: Any) -> Files:
    """Adds the generated pages to those that stand in files."""
    pages = {"recipe": recipe, "rules": rules, "tables": tables, "commands": commands, "python": python}
    for name, make in pages.items():
        files.append(File.generated(config, f"reference/{name}.md", content="\n".join(make())))
    return files


def recipe() -> Iterator[str]:
    """Every setting with its default."""
    yield "# Recipe\n"
    yield (
        "A recipe is a TOML file; `winnow init` writes one with every setting as a comment, and `--recipe FILE` takes "
        "it. A setting that is misspelt or out of range is told with its line, and nothing is run.\n"
    )
    for name, field in Recipe.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield from _settings(section, field.alias or name)


def _settings(section: type[BaseModel], path: str) -> Iterator[str]:
    yield f"## `[{path}]`\n"
    yield f"{inspect.getdoc(section)}\n"
    yield "| setting | default | meaning |\n| --- | --- | --- |"
    entries: list[tuple[str, type[BaseModel]]] = []
    for name, field in section.model_fields.items():
        entry = _entry_of(field)
        if entry:
            is_list = get_origin(field.annotation) is tuple
            entries.append((f"[{path}.{name}]" if is_list else f"{path}.{name}.NAME", entry))
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            entries.append((f"{path}.{name}", field.annotation))
        else:
            default = None if field.is_required() else field.get_default(call_default_factory=True)
            shown = (
                "must be given"
                if field.is_required()
                else "none"
                if default is None
                else json.dumps(default, ensure_ascii=False)
            )
            yield f"| `{field.alias or name}` | `{_cell(shown)}` | {_cell(field.description or '')} |"
    yield ""
    for inner, entry in entries:
        yield from _settings(entry, inner)


def _entry_of(field: FieldInfo) -> type[BaseModel] | None:
    """The settings of one entry, where a setting holds several of them by name."""
    return next((a for a in get_args(field.annotation) if isinstance(a, type) and issubclass(a, BaseModel)), None)


def rules() -> Iterator[str]:
    """Every rule, with a text that it repairs and one that it leaves alone; both are tests."""
    cases = {case["rule"]: case for case in _lines("tests/cases/rules.jsonl")}
    yield "# Rules\n"
    yield (
        f"The {len(REPAIRS)} rules in the order in which they run. A rule marked *near damage* acts only beside damage "
        'that is proven; the rules of spacing read the whole text with `repair.spacing = "everywhere"`. '
        "`[repair.rules.NAME]` switches one off or sets its threshold. Each example is one of the tests.\n"
    )
    for rule in REPAIRS:
        yield f"## {rule.name}\n"
        marks = [f"version {rule.version}"]
        marks += ["near damage"] * rule.needs_evidence + ["spacing"] * (rule.name in SPACING_NAMES)
        yield f"*{', '.join(marks)}*\n"
        yield f"{(inspect.getdoc(rule.find) or '').split(chr(10) * 2)[0]}\n"
        case = cases.get(rule.name)
        if case:
            settings = Recipe.model_validate({"repair": {"spacing": case["spacing"]}}).repair
            yield "| case | text |\n| --- | --- |"
            yield f"| damaged | {_code(case['damaged'])} |"
            yield f"| repaired | {_code(repair(case['damaged'], settings).text)} |"
            yield f"| left alone | {_code(case['whole'])} |"
            yield ""


def tables() -> Iterator[str]:
    """Every column of every table, and what is expected of it."""
    yield "# Tables\n"
    yield "Each version holds these tables as Parquet files; the files in `schemas/` say the same to the program.\n"
    for name in TABLES:
        table = contract(name)
        yield f"## {name}\n"
        yield f"{table.description} Sorted by {', '.join(f'`{c}`' for c in table.sort_key)}.\n"
        yield "| column | type | meaning |\n| --- | --- | --- |"
        yield from _columns(table.columns, "")
        yield ""


def _columns(columns: tuple[Column, ...], prefix: str) -> Iterator[str]:
    for column in columns:
        null = ", may be null" if column.nullable else ""
        yield f"| `{prefix}{column.name}` | {_cell(column.type)}{null} | {_cell(column.description)} |"
        yield from _columns(column.columns, f"{prefix}{column.name}.")


def commands() -> Iterator[str]:
    """Every command with its options and its example."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    yield "# Commands\n"
    yield f"{EXIT_CODES}\n".replace("\n", " ") + "\n"
    context = group.context_class(group, info_name="winnow")
    for name, command in group.commands.items():
        if command.hidden:
            continue
        inner = command.context_class(command, info_name=name, parent=context)
        yield f"## winnow {name}\n"
        yield f"{inspect.cleandoc(command.help or '')}\n"
        yield f"```\n{command.get_usage(inner)}\n```\n"
        yield "| option | meaning |\n| --- | --- |"
        for parameter in command.get_params(inner):
            if record := parameter.get_help_record(inner):
                yield f"| {_code(record[0])} | {_cell(record[1])} |"
        yield ""
        if command.epilog:
            yield f"```\n{command.epilog.removeprefix('Example: ').replace('Example:', '')}\n```\n"


def python() -> Iterator[str]:
    """The public names: signature and docstring."""
    yield "# Python\n"
    yield "These names are public. Everything else may change between versions.\n"
    for name in (n for n in winnow.__all__ if callable(getattr(winnow, n))):
        thing = winnow.repair.repair if name == "repair" else getattr(winnow, name)
        yield from _documented(f"winnow.{name}", thing)
    yield from _documented("winnow.repair.undo", undo)
    yield "## The flows\n"
    yield "They are Prefect flows: call them as functions, or deploy them.\n"
    for flow in (build, replay, withdraw, erase, approve, maintain):
        yield from _documented(f"winnow.{flow.name}.{flow.name}", flow.fn)


def _documented(name: str, thing: Callable[..., Any]) -> Iterator[str]:
    yield f"### {name}\n"
    if thing is not Recipe:
        signature = inspect.signature(thing)
        yield f"```python\n{name.rpartition('.')[2]}{signature}\n```\n"
    inside = False
    for line in (inspect.getdoc(thing) or "").splitlines():
        if line.startswith(">>> ") and not inside:
            yield "```pycon"
            inside = True
        elif inside and not line:
            yield "```"
            inside = False
        yield line
    yield "```\n" if inside else ""


def _lines(path: str) -> Iterator[dict[str, Any]]:
    for line in (ROOT / path).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _cell(text: str) -> str:
    """Text within a table's cell: no bar, no line end, no markup of its own."""
    return text.replace("\n", " ").replace("|", "\\|").replace("<", "&lt;")


def _code(text: str) -> str:
    """A text as code, with the characters that nobody sees written out."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "&#124;"), ("`", "&#96;"), ("*", "&#42;")):
        shown = shown.replace(sign, entity)
    return f"<code>{shown}</code>"
