"""Commands that make versions: run, clean, init, approve, replay, withdraw."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from winnow.cli.options import (
    DATASET,
    AddressOption,
    ExecutorOption,
    IntoOption,
    JsonOption,
    RecipeOption,
    WorkersOption,
)

app = typer.Typer()
PANEL = "make"


@app.command(rich_help_panel=PANEL, epilog="Example: winnow run articles/ --into dataset --workers 2")
def run(
    source: Annotated[str, typer.Argument(help="Folder, file or s3:// address to read.")] = "seeds",
    into: IntoOption = DATASET,
    recipe: RecipeOption = None,
    workers: WorkersOption = None,
    full: Annotated[bool, typer.Option("--full", help="Read and clean everything again.")] = False,
    mirror: Annotated[bool, typer.Option("--mirror", help="Withdraw documents that left SOURCE.")] = False,
    executor: ExecutorOption = "processes",
    address: AddressOption = None,
    json: JsonOption = False,
) -> None:
    """Read, repair, deduplicate, validate and publish a new version

    Nothing is published where nothing changed. Exit code 1 where the gate holds the version back: see winnow gate.
    """
    from winnow.cli.run import run_build

    raise typer.Exit(run_build(source, into, recipe, workers, full, mirror, executor, address, json))


@app.command(rich_help_panel=PANEL, epilog="Example: curl -s https://example.org/a.txt | winnow clean --explain")
def clean(
    files: Annotated[list[str] | None, typer.Argument(help="Files; - or none for standard input.")] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON record a line in, one out.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show every edit instead of the text.")] = False,
    passages: Annotated[bool, typer.Option("--passages", help="Also remove repeats inside a text.")] = False,
    recipe: RecipeOption = None,
) -> None:
    """Repair text as a filter, standard input to standard output"""
    from winnow.base.recipe import load_recipe
    from winnow.cli.clean import clean as run_clean

    raise typer.Exit(run_clean(files or [], load_recipe(recipe), jsonl, explain, passages))


@app.command(rich_help_panel=PANEL, epilog="Example: winnow init articles.toml")
def init(
    path: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")] = Path("winnow.toml"),
    json: JsonOption = False,
) -> None:
    """Write a commented starter recipe with every setting and its default"""
    from winnow.cli.starter import write_starter

    raise typer.Exit(write_starter(path, json))


@app.command(
    rich_help_panel=PANEL,
    epilog='Example: winnow approve 20260131T020304Z-1a2b3c4d --because "the feed was cut on purpose"',
)
def approve(
    run: Annotated[str, typer.Argument(help="The held run, as winnow gate names it.")],
    because: Annotated[str, typer.Option(help="Your reason; it stays on record in table runs.")],
    source: Annotated[str | None, typer.Option(help="The source again, where its address held credentials.")] = None,
    into: IntoOption = DATASET,
    json: JsonOption = False,
) -> None:
    """Publish a version that the gate held back, with your reason on record

    The run is made again as it was called; what it finished is found in staging. It is held back again where the
    settings changed since or an expectation fails that the held run had met.
    """
    from winnow.cli.gate import approve_run

    raise typer.Exit(approve_run(into, run, because, source, json))


@app.command(rich_help_panel=PANEL, epilog="Example: winnow replay --reason repair_failed")
def replay(
    reason: Annotated[str | None, typer.Option(help="Only rejects of this kind, as winnow rejects lists it.")] = None,
    into: IntoOption = DATASET,
    recipe: RecipeOption = None,
    workers: WorkersOption = None,
    json: JsonOption = False,
) -> None:
    """Read rejects again from their kept bytes; publish those that pass"""
    from winnow.cli.run import run_replay

    raise typer.Exit(run_replay(into, recipe, reason, workers, json))


@app.command(rich_help_panel=PANEL, epilog="Example: winnow withdraw https://example.org/a articles/b.txt")
def withdraw(
    sources: Annotated[list[str], typer.Argument(help="Sources or doc_ids of the documents that leave.")],
    into: IntoOption = DATASET,
    recipe: RecipeOption = None,
    workers: WorkersOption = None,
    json: JsonOption = False,
) -> None:
    """Take documents out of the next version; copies they suppressed return

    They stay out when they are read again. Versions that are published already keep them until they are pruned.
    """
    from winnow.cli.run import run_withdraw

    raise typer.Exit(run_withdraw(into, recipe, sources, workers, json))
