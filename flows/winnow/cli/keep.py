"""Commands that keep a dataset: roll back, export, verify, prune, maintain, serve."""

from __future__ import annotations

from typing import Annotated

import typer

from winnow.cli.look import VersionArgument
from winnow.cli.options import DATASET, DryRunOption, IntoOption, JsonOption, RecipeOption, WorkersOption

app = typer.Typer()
PANEL = "keep"


@app.command(rich_help_panel=PANEL, epilog="Example: winnow verify 3")
def verify(version: VersionArgument = None, into: IntoOption = DATASET, json: JsonOption = False) -> None:
    """Check every file, row, link and edit against the manifests

    Checks all versions and the tables where none is named. Exit code 1 where something is wrong.
    """
    from winnow.cli.upkeep import verify_dataset

    raise typer.Exit(verify_dataset(into, version, json))


@app.command(rich_help_panel=PANEL, epilog="Example: winnow export 3 --to documents.jsonl.gz")
def export(
    version: VersionArgument = None,
    to: Annotated[
        str, typer.Option("--to", help="A folder, FILE.parquet, FILE.jsonl, FILE.jsonl.gz or s3://BUCKET/PREFIX.")
    ] = "export",
    into: IntoOption = DATASET,
    json: JsonOption = False,
) -> None:
    """Hand a version out as a folder, Parquet or JSON lines"""
    from winnow.cli.upkeep import export_version

    raise typer.Exit(export_version(into, version, to, json))


@app.command(rich_help_panel=PANEL, epilog='Example: winnow rollback 2 --because "the new feed was wrong"')
def rollback(
    version: Annotated[int, typer.Argument(help="The version to go back to.")],
    because: Annotated[str | None, typer.Option(help="Your reason; it stays on record.")] = None,
    into: IntoOption = DATASET,
    json: JsonOption = False,
) -> None:
    """Publish a new version that is equal to an old one"""
    from winnow.cli.upkeep import roll_back

    raise typer.Exit(roll_back(into, version, because, json))


@app.command(rich_help_panel=PANEL, epilog="Example: winnow prune --keep 10 --dry-run")
def prune(
    keep: Annotated[int, typer.Option(min=1, help="How many of the last versions stay.")],
    dry_run: DryRunOption = False,
    into: IntoOption = DATASET,
    json: JsonOption = False,
) -> None:
    """Remove old versions, and the files that only they needed"""
    from winnow.cli.upkeep import prune_versions

    raise typer.Exit(prune_versions(into, keep, dry_run, json))


@app.command(rich_help_panel=PANEL, epilog="Example: winnow maintain --dry-run")
def maintain(
    dry_run: DryRunOption = False, into: IntoOption = DATASET, recipe: RecipeOption = None, json: JsonOption = False
) -> None:
    """Join small files, prune, remove what nothing needs, clean staging"""
    from winnow.cli.run import run_maintain

    raise typer.Exit(run_maintain(into, recipe, dry_run, json))


@app.command(
    rich_help_panel=PANEL,
    epilog="Example: PREFECT_API_URL=http://127.0.0.1:4200/api winnow serve articles/ --recipe winnow.toml",
)
def serve(
    source: Annotated[str, typer.Argument(help="Folder, file or s3:// address to read.")],
    into: IntoOption = DATASET,
    recipe: RecipeOption = None,
    workers: WorkersOption = None,
    mirror: Annotated[bool, typer.Option("--mirror", help="Withdraw documents that left SOURCE.")] = False,
) -> None:
    """Run build, replay and maintain on the recipe's schedule, until stopped

    Needs a Prefect server: prefect server start, and its address in PREFECT_API_URL.
    """
    from winnow.cli.serve import serve_flows

    raise typer.Exit(serve_flows(source, into, recipe, workers, mirror))
