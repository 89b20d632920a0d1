"""Options that several commands share, so that they read and mean the same everywhere; and the dataset they name."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

if TYPE_CHECKING:
    from winnow.publish.dataset import Dataset
    from winnow.run.executor import Kind

VersionArgument = Annotated[int | None, typer.Argument(help="Number of the version; the latest by default.")]
DocumentArgument = Annotated[str, typer.Argument(help="A document's doc_id or source.")]
IntoOption = Annotated[str, typer.Option("--into", "-d", help="The dataset's folder, or s3://BUCKET/PREFIX.")]
RecipeOption = Annotated[
    str | None, typer.Option("--recipe", "-r", metavar="PATH", help="Settings, a TOML file; see winnow init.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
ExecutorOption = Annotated[str, typer.Option(help="Where shards run: processes, inline or dask.")]
AddressOption = Annotated[str | None, typer.Option(help="Dask scheduler, tcp://host:port.")]
WorkersOption = Annotated[int | None, typer.Option(min=1, help="Worker processes; all cores by default.")]
MirrorOption = Annotated[bool, typer.Option("--mirror", help="Withdraw documents that left SOURCE.")]
StrictOption = Annotated[bool, typer.Option("--strict", help="Refuse a source with files that cannot be read.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
WaitOption = Annotated[
    float, typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait while another run writes.")
]
LimitOption = Annotated[int, typer.Option(min=0, help="How many to show; 0 for all.")]

DATASET = "dataset"

_OPENED: ContextVar[Dataset | None] = ContextVar("opened", default=None)


def executor_kind(said: str) -> Kind:
    """Raises UsageError for what is no executor."""
    from winnow.base.errors import UsageError
    from winnow.run.executor import Kind

    if said not in get_args(Kind):
        raise UsageError(f"--executor {said}: is none of {', '.join(get_args(Kind))}")
    return cast("Kind", said)


def opened(into: str) -> Dataset:
    """Returns the dataset that ``--into`` names, and remembers it in case the command fails."""
    from winnow.storage.locations import open_dataset

    _OPENED.set(dataset := open_dataset(into))
    return dataset


def damage() -> str | None:
    """What is damaged in the dataset that the command opened, with the remedy; None where nothing is found.

    A command that only looks reads what it needs, as it stands; when it stumbles, this says over what.
    """
    from winnow.publish.verify import verify

    dataset = _OPENED.get()
    problems = verify(dataset) if dataset else []
    if not dataset or not problems:
        return None
    named = "; ".join(f"{p.place} {p.what}" for p in problems[:3])
    more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
    return (
        f"{dataset.name}: is damaged: {named}{more}; winnow verify --into {dataset.name} lists all of it, "
        "and with --mend restores what can be"
    )


def published(into: str) -> Dataset:
    """Returns the dataset that ``--into`` names.

    Raises UsageError where it has no version yet.
    """
    from winnow.base.errors import UsageError

    dataset = opened(into)
    if dataset.latest_version() is None:
        from winnow.run.approval import run_awaiting_approval

        if held := run_awaiting_approval(dataset):
            raise UsageError(
                f"{into}: holds no published version yet, for the gate held run {held.run_id} back; "
                f"see why: winnow gate --into {into}"
            )
        raise UsageError(f"{into}: holds no published version; make one with: winnow run SOURCE --into {into}")
    return dataset
