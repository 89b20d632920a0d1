"""What a run prints: its progress while it lasts, its summary at the end."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from winnow.base.log import set_up_logging
from winnow.base.terminal import Paint, visible
from winnow.cli.log_options import log_options
from winnow.cli.output import paint, print_json
from winnow.run.summary import Erasure, RunSummary
from winnow.storage.locations import latest_name, path_within


@contextmanager
def progress_shown() -> Iterator[Callable[[], None]]:
    """Shows the stage and a bar on a terminal, log lines elsewhere; yields a function that removes the bar.

    The options of the command say whether, as what, and where else.
    """
    options = log_options()
    level = logging.ERROR if options.quiet else logging.DEBUG if options.verbose else logging.INFO
    human = None if options.log_format is None else options.log_format == "human"
    logger = set_up_logging(human=human, level=level, file=options.log_file)
    if not sys.stderr.isatty() or options.quiet or options.verbose or human is not None:
        yield lambda: None
        return
    from rich.console import Console

    from winnow.cli.progress_bar import ProgressBar

    with ProgressBar(Console(stderr=True), logger.handlers[0].formatter) as bar:
        plain, logger.handlers[0] = logger.handlers[0], bar
        try:
            yield bar.stop
        finally:
            logger.handlers[0] = plain


def summary_lines(summary: RunSummary, into: str, paint: Paint) -> Iterator[str]:
    """Yields the summary of a run for people, in a dozen lines."""
    documents = summary.documents.shown()
    if summary.held is not None:
        yield from (visible(line) for line in summary.held.text.split("\n"))
        return
    if summary.erased is not None:
        yield from _erased(summary.erased, into, paint)
    if summary.version is None:
        yield f"{paint.bold('Nothing changed')}: {documents['unchanged']:,} documents are as they were; no new version."
        if summary.latest:
            latest = f"v{summary.latest}"
            yield f"The last version is {paint.bold(latest)} in {path_within(into, latest_name(into, latest))}"
        yield from _notes(summary, paint)
        return
    version = f"v{summary.version}"
    yield f"{paint.bold('Published ' + version)} in {path_within(into, version)}  ({summary.seconds:.1f} s)"
    yield ""
    width = max(len(f"{n:,}") for n in documents.values())
    for name in ("read", "unchanged", "published", "duplicates", "rejected", "withdrawn"):
        if documents.get(name) or name in ("read", "published", "duplicates", "rejected"):
            yield f"  documents {name:<11} {documents[name]:>{width},}"
    yield from _tally("repairs by rule", summary.repairs, paint)
    yield from _tally("removals by reason", summary.removals, paint)
    yield from _tally("rejects by reason", summary.rejects, paint)
    yield from _notes(summary, paint)
    yield ""
    yield "Next:"
    table = path_within(into, latest_name(into, version), "documents")
    yield f"  python -c \"import pandas as pd; print(pd.read_parquet('{table}').head())\""
    yield f"  winnow explain {summary.example or 'DOC_ID'} --into {into}"
    yield f"  winnow versions --into {into}"


def _erased(erased: Erasure, into: str, paint: Paint) -> Iterator[str]:
    versions = ", ".join(f"v{n}" for n in erased.versions) or "no version, for none held them any more"
    yield f"{paint.bold('Erased')} {erased.documents:,} document{'s' * (erased.documents != 1)} from {versions}"
    yield f"The receipt is {path_within(into, erased.receipt)}"
    for name in erased.set_aside:
        yield paint.yellow(f"note: {name} was set aside by a repair; remove it yourself, for it may hold their text")


def _notes(summary: RunSummary, paint: Paint) -> Iterator[str]:
    for note in (*summary.warnings, *map(str, summary.not_read)):
        yield paint.yellow(f"note: {visible(note)}")


def _tally(title: str, counts: Mapping[str, int], paint: Paint, most: int = 12) -> Iterator[str]:
    if not counts:
        return
    yield f"  {paint.dim(title)}"
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    for name, count in ranked[:most]:
        yield f"    {count:>9,}  {visible(name)}"
    if len(ranked) > most:
        yield f"    {sum(n for _, n in ranked[most:]):>9,}  in {len(ranked) - most} more"


def print_summary(summary: RunSummary, into: str, as_json: bool) -> None:
    if log_options().quiet and not as_json and not summary.held:
        return
    print_json(summary.as_dict()) if as_json else print("\n".join(summary_lines(summary, into, paint())))
