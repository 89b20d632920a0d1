"""What the flows share: the limits and hooks of each, and the parameters that stand in several of Prefect's forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ParamSpec, TypeVar

from prefect import Flow, flow
from pydantic import Field

from winnow.base.addresses import Address
from winnow.base.environment import run_hours
from winnow.run.executor import Kind
from winnow.server.artifacts import tell_failed
from winnow.server.one_line import tell_in_one_line

P = ParamSpec("P")
R = TypeVar("R")


def dataset_flow(hours: float | None = None) -> Callable[[Callable[P, R]], Flow[P, R]]:
    """Makes a function a flow of its name, described by the first line of its docstring.

    Where it fails, the recipe's notification block is told. A run that takes longer than `hours` (None: as the
    environment says) hangs, or should be cut into several; without an end it would hold the dataset for ever.
    """

    tell_in_one_line()

    def wrap(function: Callable[P, R]) -> Flow[P, R]:
        return flow(
            description=(function.__doc__ or "").partition("\n")[0],
            timeout_seconds=(hours or run_hours()) * 3600,
            on_failure=[tell_failed],
            on_crashed=[tell_failed],
        )(function)

    return wrap


def described(text: str) -> Any:
    """Describes a parameter in Prefect's form.

    Prefect takes descriptions from the docstring and drops that of a ``Field``, but not its ``json_schema_extra``.
    """
    return Field(json_schema_extra={"description": text})


Source = Annotated[Address, described("Folder, file or s3:// address to read.")]
Into = Annotated[Address, described("The dataset's folder, or s3://BUCKET/PREFIX.")]
RecipeFile = Annotated[str | None, described("Settings, a TOML file; defaults if empty.")]
Workers = Annotated[int | None, Field(ge=1), described("Worker processes; all cores if empty.")]
ExecutorKind = Annotated[Kind, described("Where shards run: processes on this machine, a Dask cluster, or inline.")]
Scheduler = Annotated[Address | None, described("Dask scheduler, tcp://host:port; a local cluster if empty.")]
Approval = Annotated[str | None, described("Why the version goes out even where the gate holds it back.")]
WaitSeconds = Annotated[float, Field(ge=0), described("How long to wait for another run to finish.")]
