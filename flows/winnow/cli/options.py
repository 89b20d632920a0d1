"""Options that several commands share, so that they read and mean the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

IntoOption = Annotated[str, typer.Option("--into", "-d", help="The dataset's folder, or s3://BUCKET/PREFIX.")]
RecipeOption = Annotated[Path | None, typer.Option("--recipe", "-r", help="Settings, a TOML file; see winnow init.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
WorkersOption = Annotated[int | None, typer.Option(min=1, help="Worker processes; all cores by default.")]
ExecutorOption = Annotated[str, typer.Option(help="Where shards run: processes, inline or dask.")]
AddressOption = Annotated[str | None, typer.Option(help="Dask scheduler, tcp://host:port.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
LimitOption = Annotated[int, typer.Option(min=0, help="How many to show; 0 for all.")]

DATASET = "dataset"
