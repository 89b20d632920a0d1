"""How much a command that runs the stages says while it works, and where: options that all of them take."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar, get_type_hints

import typer

from winnow.base.errors import UsageError

P = ParamSpec("P")
R = TypeVar("R")

FORMATS = ("human", "json")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    """With ``quiet`` errors alone are told; with ``verbose`` what Prefect logs, too."""

    quiet: bool = False
    verbose: bool = False
    log_file: Path | None = None
    log_format: str | None = None


class _Typed:
    """The options as the command line has them."""

    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors; the exit code tells the rest.")]
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more, and what Prefect logs.")]
    log_file: Annotated[Path | None, typer.Option(metavar="PATH", help="Add the log to this file as JSON lines, too.")]
    log_format: Annotated[
        str | None, typer.Option(metavar="FORMAT", help="Log as human or json; by default human on a terminal.")
    ]


_DEFAULT = LogOptions()
_current: ContextVar[LogOptions] = ContextVar("winnow_log_options", default=_DEFAULT)


def log_options() -> LogOptions:
    """The options of the command that runs."""
    return _current.get()


def takes_log_options(command: Callable[P, R]) -> Callable[P, R]:
    """Gives a command the options of `LogOptions`; ask for them with `log_options`."""
    added = get_type_hints(_Typed, include_extras=True)
    own = inspect.signature(command, eval_str=True)
    parameters = [
        inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=added[f.name])
        for f in fields(LogOptions)
    ]

    @wraps(command)
    def with_options(*args: Any, **kwargs: Any) -> R:
        given = {name: kwargs.pop(name) for name in added if name in kwargs}
        with _set(LogOptions(**given)):
            return command(*args, **kwargs)

    signature = own.replace(parameters=[*own.parameters.values(), *parameters])
    with_options.__signature__ = signature  # type: ignore[attr-defined]
    with_options.__annotations__ = {name: p.annotation for name, p in signature.parameters.items()}
    return with_options


@contextmanager
def _set(options: LogOptions) -> Iterator[None]:
    if options.log_format not in (None, *FORMATS):
        raise UsageError(f"--log-format {options.log_format}: is none of {', '.join(FORMATS)}")
    if options.quiet and options.verbose:
        raise UsageError("--quiet and --verbose: give one of them")
    token = _current.set(options)
    try:
        yield
    finally:
        _current.reset(token)
