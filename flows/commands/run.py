"""``winnow run``: start the flow here, show how far it is, and say what came of it."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

from flows.errors import UsageError
from flows.log import LOGGER, set_up
from flows.recipe import load_recipe
from flows.terminal import Paint, colours_for, say, visible

# What Prefect needs to run a flow without a server of the user's, quietly: errors are ours to tell.
_PREFECT = {
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
}


def run_build(
    source: str,
    into: Path,
    recipe: Path | None,
    workers: int | None,
    full: bool,
    mirror: bool,
    executor: str,
    address: str | None,
    as_json: bool,
) -> int:
    """Run the build flow and print its summary; 0 when it published or nothing had changed."""
    from flows.execute import Kind
    from flows.read import list_inputs

    if executor not in get_args(Kind):
        raise UsageError(f"--executor {executor}: is none of {', '.join(get_args(Kind))}")
    load_recipe(recipe)
    list_inputs(source, [into])  # a wrong call is told at once, before a server is started
    alone = not os.environ.get("PREFECT_API_URL")
    if alone and not full and (same := _as_published(source, into, recipe, mirror)):
        _print(same, into, as_json)  # no server is started to find that there is nothing to do
        return 0
    call = {"source": source, "recipe": _name(recipe), "workers": workers, "full": full, "mirror": mirror}
    return run_flow("build", {**call, "executor": executor, "address": address, "into": str(into)}, into, as_json)


def run_replay(into: Path, recipe: Path | None, reason: str | None, workers: int | None, as_json: bool) -> int:
    """Read rejects again and publish those that pass."""
    from flows.commands.quarantine import rejects_of
    from flows.commands.versions import published

    load_recipe(recipe)
    if not rejects_of(published(into), reason, settled=False):
        print(json.dumps({"version": None}) if as_json else "No document waits in quarantine.")
        return 0
    call = {"recipe": _name(recipe), "reason": reason, "workers": workers, "into": str(into)}
    return run_flow("replay", call, into, as_json)


def run_withdraw(into: Path, recipe: Path | None, sources: Sequence[str], workers: int | None, as_json: bool) -> int:
    """Take documents out of the next version."""
    from flows.commands.versions import published
    from flows.plan import find_sources

    load_recipe(recipe)
    find_sources(published(into), sources)
    call = {"recipe": _name(recipe), "sources": list(sources), "workers": workers, "into": str(into)}
    return run_flow("withdraw", call, into, as_json)


def run_maintain(into: Path, recipe: Path | None, dry_run: bool, as_json: bool) -> int:
    """Tidy a dataset up; needs no Prefect, and so no server."""
    from flows.commands.versions import published
    from flows.upkeep import lines_of, tidy_up

    done = tidy_up(published(into), load_recipe(recipe), dry_run)
    print(json.dumps(done) if as_json else "\n".join(lines_of(done)))
    return 0


def run_flow(name: str, parameters: Mapping[str, Any], into: Path, as_json: bool) -> int:
    """Run a flow that may publish a version, on the server named by PREFECT_API_URL or a temporary one."""
    for variable, value in _PREFECT.items():
        os.environ.setdefault(variable, value)
    with progress_shown(), ends_when_interrupted():
        logging.getLogger(LOGGER).info("starting Prefect")
        flow: Any = getattr(import_module(f"flows.{name}"), name)
        summary: dict[str, Any] = flow(**parameters)
    _print(summary, into, as_json)
    return 0


@contextmanager
def ends_when_interrupted(grace_seconds: float = 5) -> Iterator[None]:
    """Ctrl-C ends the command within seconds.

    A terminal interrupts the temporary server too; the flow would then try for a minute to tell it that it ends. What
    a run leaves half done the next one finds, so it may end at any point.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupted(number: int, frame: object) -> None:
        end = threading.Timer(grace_seconds, os._exit, (130,))
        end.daemon = True
        end.start()
        say("winnow: interrupted; the last version stays as it is, and the next run goes on from here")
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _name(path: Path | None) -> str | None:
    return str(path) if path else None


def _print(summary: Mapping[str, Any], into: Path, as_json: bool) -> None:
    lines = summary_lines(summary, into, Paint(colours_for(sys.stdout)))
    print(json.dumps(summary) if as_json else "\n".join(lines))


def _as_published(source: str, into: Path, recipe: Path | None, mirror: bool) -> dict[str, Any] | None:
    """The summary of a run that would find every input as the last version has it; None where there is work.

    Not asked after a run that died (its staging is still there) nor while another one writes: those go to the flow.
    """
    from flows import stages
    from flows.publish.dataset import Dataset
    from flows.run import begin

    dataset = Dataset(into)
    if dataset.latest_version() is None or dataset.staging.exists():
        return None
    run = begin(source, dataset, load_recipe(recipe), mirror=mirror)
    documents = stages.unchanged(run)
    return stages.nothing_changed(run, documents) if documents else None


@contextmanager
def progress_shown() -> Iterator[None]:
    """A line with the stage and a bar on a terminal; JSON log lines elsewhere."""
    logger = set_up()
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("starting", total=None)

        class Bars(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                done, total = getattr(record, "done", None), getattr(record, "total", None)
                words = visible(record.getMessage().split(":")[0])
                bars.update(task, description=words, completed=done or 0, total=total)

        handler = Bars()
        plain, logger.handlers[:] = logger.handlers[:], [handler]
        try:
            yield
        finally:
            logger.handlers[:] = plain


def summary_lines(summary: Mapping[str, Any], into: Path, paint: Paint) -> Iterator[str]:
    """What a person wants to know at the end of a run, in a dozen lines."""
    documents = summary["documents"]
    if summary["version"] is None:
        yield f"{paint.bold('Nothing changed')}: {documents['unchanged']:,} documents are as they were; no new version."
        if summary["latest"]:
            latest = f"v{summary['latest']}"
            yield f"The last version is {paint.bold(latest)} in {into / 'latest'}"
        return
    name = f"v{summary['version']}"
    yield f"{paint.bold('Published ' + name)} in {into / name}  ({summary['seconds']:.1f} s)"
    yield ""
    width = max(len(f"{n:,}") for n in documents.values())
    for name in ("read", "unchanged", "published", "duplicates", "rejected", "withdrawn"):
        if documents.get(name) or name in ("read", "published", "duplicates", "rejected"):
            yield f"  documents {name:<11} {documents[name]:>{width},}"
    yield from _tally("repairs by rule", summary["repairs"], paint)
    yield from _tally("removals by reason", summary["removals"], paint)
    yield from _tally("rejects by reason", summary["rejects"], paint)
    for warning in summary.get("warnings", ()):
        yield paint.yellow(f"note: {visible(warning)}")
    yield ""
    yield "Next:"
    yield f"  python -c \"import pandas as pd; print(pd.read_parquet('{into}/latest/documents').head())\""
    yield f"  winnow explain {summary['example'] or 'DOC_ID'} --into {into}"
    yield f"  winnow versions --into {into}"


def _tally(title: str, counts: Mapping[str, int], paint: Paint, most: int = 12) -> Iterator[str]:
    if not counts:
        return
    yield f"  {paint.dim(title)}"
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    for name, count in ranked[:most]:
        yield f"    {count:>9,}  {visible(name)}"
    if len(ranked) > most:
        yield f"    {sum(n for _, n in ranked[most:]):>9,}  in {len(ranked) - most} more"
