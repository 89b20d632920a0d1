"""The ``winnow`` command. What a command needs is imported when it runs, so that ``winnow clean`` starts at once."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import re
import sys
import traceback
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from winnow.base.environment import look_for_garbage_rarely, run_no_code_of_the_folder, switch_off
from winnow.base.errors import INTERNAL_ERROR, WinnowError
from winnow.base.terminal import say
from winnow.cli import documents, keep, look, make, serve
from winnow.cli.interruption import Terminated, ends_when_told
from winnow.cli.options import damage

_COLOUR_OR_ARROW = re.compile("\x1b\\[[0-9;]*m|↳")

ABOUT = "Batch text cleaning you can trust: damaged, repetitive text in, a versioned Parquet dataset out."
EXIT_CODES = (
    "Exit codes: 0 done, 1 held back or a check failed, 2 wrong call, 3 no Prefect server, 4 another run\n"
    "writes, 5 cannot be done as things are, 70 internal error, 130 interrupted, 143 terminated."
)


class OneScreen(TyperGroup):
    """The first page of help: every command on one line, in the order of their use, on 30 lines of 100 columns."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        name = ctx.command_path
        usage = f"Usage: {name} [--version] [--install-completion] COMMAND ...   ({name} COMMAND --help: an example)"
        lines = [usage, ABOUT]
        panel = None
        for name, command in self.commands.items():
            if command.hidden:
                continue
            own = getattr(command, "rich_help_panel", None)
            about = (command.help or "").split("\n")[0]
            lines.append(f"{own if own != panel else '':<6}{name:<10}{about}".rstrip())
            panel = own
        lines.append(EXIT_CODES)
        formatter.write("\n".join(lines) + "\n")

    def invoke(self, ctx: Any) -> Any:
        try:
            try:
                code = super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            # The reader has had enough (head); the rest of the output has nowhere to go.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        raise typer.Exit(code or 0)  # what the command's function returned


app = typer.Typer(
    name="winnow",
    cls=OneScreen,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for part in (make, look, documents, keep, serve):
    app.add_typer(part.app)


def _version(asked: bool) -> None:
    if asked:
        from winnow import __version__

        typer.echo(f"winnow {__version__}")
        raise typer.Exit


@app.callback(help=ABOUT, epilog=EXIT_CODES)
def winnow(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None: ...


def main() -> None:
    """Runs the command; every error that Winnow raises on purpose becomes one clear line and its exit code."""
    switch_off()
    run_no_code_of_the_folder()
    try:
        with ends_when_told():
            app()
    except WinnowError as error:
        say(f"winnow: {error}")
        sys.exit(error.exit_code)
    except Exception as error:
        if why := _of_files(error):
            say(f"winnow: {why}")
            sys.exit(WinnowError.exit_code)
        traceback.print_exc()
        say("winnow: an internal error; please report it with what stands above. The last version stays as it is")
        sys.exit(INTERNAL_ERROR)
    except KeyboardInterrupt:
        sys.exit(130)
    except Terminated:
        sys.exit(143)


def _of_files(error: Exception) -> str | None:
    """What the dataset, or a file, has to do with an error that nobody foresaw; None where it is a fault of Winnow."""
    with contextlib.suppress(Exception):  # the error itself says more then
        if found := damage():
            return found
    place, why = _place_of(error) if isinstance(error, OSError) else (None, "")
    return f"{place}: {why}; check that it is there, and that you may read and write it" if place else None


def _place_of(error: OSError) -> tuple[str | None, str]:
    """The file of an error and what is wrong with it; the Delta library says both in its text alone.

    >>> _place_of(OSError("Generic error\\n  Unable to open file /d/3.json#1\\n   Permission denied (os error 13)"))
    ('/d/3.json', 'permission denied (os error 13)')
    """
    if error.filename is not None:
        return error.filename, (error.strerror or str(error)).lower()
    _, found, rest = _COLOUR_OR_ARROW.sub("", str(error)).partition("Unable to open file ")
    place, _, why = rest.partition("\n")
    return (re.sub("#[0-9]+$", "", place) if found else None), why.strip().lower()


def command() -> None:
    """`main` as a process of its own.

    It ends without taking all modules apart, which after a flow takes Python a second.
    """
    look_for_garbage_rarely()
    code = 1
    atexit.register(lambda: _leave(code))  # called last, after what others register from here on
    try:
        main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        raise


def _leave(code: int) -> None:
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    command()
