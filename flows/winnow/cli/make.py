"""Commands that make versions: run, clean, init, approve, replay, withdraw."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from winnow.base.environment import leave_pandas_out
from winnow.base.errors import UsageError
from winnow.cli.log_options import takes_log_options
from winnow.cli.options import (
    DATASET,
    AddressOption,
    ExecutorOption,
    IntoOption,
    JsonOption,
    MirrorOption,
    RecipeOption,
    StrictOption,
    WaitOption,
    WorkersOption,
    executor_kind,
    published,
)
from winnow.cli.output import edit_lines, edit_record, paint, print_json

if TYPE_CHECKING:
    from winnow import Cleaned
    from winnow.base.recipe import Recipe
    from winnow.repair import Repaired
    from winnow.run.summary import RunSummary

app = typer.Typer()
PANEL = "make"

MAX_LINE = 256 << 20  # bytes of a JSON line; a longer one is answered by an error and passed over


@app.command(rich_help_panel=PANEL, epilog="Example: winnow run articles/ --into dataset --workers 2")
@takes_log_options
def run(
    source: Annotated[str, typer.Argument(help="Folder, file or s3:// address to read.")] = "seeds",
    into: IntoOption = DATASET,
    recipe: RecipeOption = None,
    workers: WorkersOption = None,
    full: Annotated[bool, typer.Option("--full", help="Read and clean everything again.")] = False,
    mirror: MirrorOption = False,
    strict: StrictOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be read, how, and what not.")] = False,
    sample: Annotated[
        int | None, typer.Option("--sample", metavar="N", min=1, help="Show N records as read and repaired, no more.")
    ] = None,
    executor: ExecutorOption = "processes",
    address: AddressOption = None,
    wait: WaitOption = 0,
    as_json: JsonOption = False,
) -> int:
    """Read, repair, deduplicate, validate and publish a new version

    Nothing is published where nothing changed. Exit code 1 where the gate holds the version back: see winnow gate.
    """
    if not (dry_run or sample or "://" in into or Path(into).exists()):  # there is work: its server starts meanwhile
        from winnow.server.temporary_server import begin_server

        begin_server()
    leave_pandas_out()
    from winnow.base.addresses import refuse_credentials
    from winnow.cli.flow_call import run_flow
    from winnow.cli.progress import print_summary
    from winnow.read import list_inputs
    from winnow.run.intake import refuse_unknown_files
    from winnow.run.recipe_file import load_recipe
    from winnow.storage.locations import refuse_dataset_in_source

    # A wrong call is refused at once, and does not wait for a server.
    kind = executor_kind(executor)
    refuse_credentials(source, into, address)
    settings = load_recipe(recipe)
    refuse_dataset_in_source(source, into)
    listing = list_inputs(source, [into], settings.read)
    if strict:
        refuse_unknown_files(listing)
    if dry_run or sample:
        from winnow.cli.dry_run import print_plan, print_sample
        from winnow.run.preview import plan_run
        from winnow.run.preview import sample as sample_of
        from winnow.run.run_context import RunOrder, begin
        from winnow.storage.locations import open_dataset

        asked = begin(open_dataset(into), settings, RunOrder(source=source, full=full, mirror=mirror))
        print_sample(sample_of(asked, sample), as_json) if sample else print_plan(plan_run(asked), as_json)
        return 0
    unheard = not os.environ.get("PREFECT_API_URL")  # no server has to hear of this run
    if unheard and not full and (same := _nothing_to_do(source, into, settings, mirror)):
        print_summary(same, into, as_json)
        return 0

    def build_version() -> RunSummary:
        from winnow.build import build

        return build(
            source, into, recipe, workers, full=full, mirror=mirror, strict=strict, executor=kind, address=address,
            wait_seconds=wait,
        )  # fmt: skip

    return run_flow(build_version, into, as_json)


def _nothing_to_do(source: str, into: str, recipe: Recipe, mirror: bool) -> RunSummary | None:
    """Returns the summary of a run that would find every input as the last version has it; None where there is work.

    Not asked after a run that died (its staging is still there) nor while another one writes: those go to the flow.
    """
    from winnow.storage.locations import open_dataset

    dataset = open_dataset(into)
    number = dataset.latest_version()
    if number is None or number != dataset.last_number() or dataset.staging.exists():
        return None
    from winnow.run.intake import read_if_unchanged
    from winnow.run.release import nothing_changed
    from winnow.run.run_context import RunOrder, begin

    asked = begin(dataset, recipe, RunOrder(source=source, mirror=mirror))
    try:
        documents = read_if_unchanged(asked)
    except Exception:  # damage, most likely: the flow restores what it can, and says what is wrong where it cannot
        return None
    return nothing_changed(asked, documents) if documents else None


@app.command(rich_help_panel=PANEL, epilog="Example: curl -s https://example.org/a.txt | winnow clean --explain")
def clean(
    files: Annotated[list[str] | None, typer.Argument(help="Files; - or none for standard input.")] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON record a line in, one out.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show every edit instead of the text.")] = False,
    passages: Annotated[bool, typer.Option("--passages", help="Also remove repeats inside a text.")] = False,
    recipe: RecipeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Repair text as a filter, standard input to standard output

    Of files named as HTML the main text is taken. With --json each file is one object: name, text and edits.
    """
    import winnow
    from winnow.repair import repair
    from winnow.run.recipe_file import load_recipe

    settings = load_recipe(recipe)

    def cleaned(text: str) -> Cleaned | Repaired:
        return winnow.clean(text, settings) if passages else repair(text, settings.repair)

    unread = 0
    for name in files or ["-"]:
        with _opened(name) as stream:
            if jsonl:
                for answer in _answers(stream, name, settings.read.text_field, cleaned, explain):
                    unread += "error" in answer
                    _write(json.dumps(answer, ensure_ascii=False) + "\n")
                    sys.stdout.flush()
                continue
            content = stream.read()
            text = _main_text(name, content, settings) if _is_page(name) else _decoded(content)
            done = cleaned(text)
            if as_json:
                print_json({"name": name, "text": done.text, "edits": [edit_record(e) for e in done.edits]})
            elif explain:
                for line in edit_lines(text, done.edits, paint()):
                    _write(line + "\n")
            elif done.text:
                _write(done.text + "\n")
    return int(unread > 0)


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = Path(name).open("rb")  # noqa: SIM115  (closed by the with below; here only a failure to open is caught)
    except OSError as error:
        raise UsageError(
            f"{name}: cannot be read: {error.strerror}; name a readable file, or - for standard input"
        ) from error
    with stream:
        yield stream


def _is_page(name: str) -> bool:
    """Whether a file is named as HTML; what is packed is unpacked, too."""
    return bool(re.search(r"\.(x?html?)(\.\w+)?$", name, re.IGNORECASE))


def _main_text(name: str, content: bytes, settings: Recipe) -> str:
    """The main text of a page, as a run reads it.

    Raises UsageError for a page without one.
    """
    from winnow.base.records import RawDocument
    from winnow.read import read_bytes

    [page] = read_bytes(name, name, content, settings.read)
    if not isinstance(page, RawDocument):
        raise UsageError(f"{getattr(page, 'reason', name)}")
    return page.text


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        from winnow.read.charset import decode

        return decode(content).text


def _answers(
    stream: BinaryIO, name: str, fields: tuple[str, ...], cleaned: Callable[[str], Cleaned | Repaired], explain: bool
) -> Iterator[dict[str, Any]]:
    """Yields each record with its text cleaned, and for a line that is no such record one that says what is wrong."""
    from winnow.base.records import without_lone_surrogates
    from winnow.read.fields import place_of

    for number, line in enumerate(_lines(stream, MAX_LINE), 1):
        if line is not None and not line.strip():
            continue
        names = " or ".join(map(repr, fields))
        why = f"is no JSON object with a text in {names}; mend it or name the field in read.text_field"
        try:
            if line is None:
                why = f"is longer than {MAX_LINE >> 20} MB; split its text into several records"
                raise ValueError
            record = json.loads(line)
            places = (place_of(record, field) for field in fields)
            holder, key = next(p for p in places if p and isinstance(p[0][p[1]], str))
            text = holder[key]
        except (ValueError, TypeError, RecursionError, StopIteration):
            yield {"error": f"{name}, line {number}: {why}"}
            continue
        done = cleaned(without_lone_surrogates(text))
        holder[key] = done.text
        if explain:
            record["edits"] = [edit_record(e) for e in done.edits]
        yield record


def _lines(stream: BinaryIO, limit: int) -> Iterator[bytes | None]:
    """Yields each line, and None for one of more than `limit` bytes, the rest of which is passed over.

    >>> from io import BytesIO
    >>> list(_lines(BytesIO(b"ab\\nabcdefghi\\nabc\\nabcd"), 3))
    [b'ab\\n', None, b'abc\\n', None]
    """
    while line := stream.readline(limit + 1):
        if len(line) <= limit or line.endswith(b"\n"):
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(limit)
        yield None


def _write(text: str) -> None:
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))


@app.command(rich_help_panel=PANEL, epilog="Example: winnow init articles.toml")
def init(
    path: Annotated[Path, typer.Argument(help="A new file, or - for standard output.")] = Path("winnow.toml"),
    as_json: JsonOption = False,
) -> int:
    """Write a commented starter recipe with every setting and its default"""
    from winnow.cli.starter import starter

    text = starter()
    if path == Path("-") and not as_json:
        print(text, end="")
        return 0
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(f"{path}: exists, and is not overwritten; give another name: winnow init NAME.toml") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}; name a file in a folder that exists") from error
    said = f"Wrote {path}. Change what you like, then: winnow run SOURCE --recipe {path}"
    print_json({"recipe": str(path)}) if as_json else print(said)
    return 0


@app.command(
    rich_help_panel=PANEL,
    epilog='Example: winnow approve 20260131T020304Z-1a2b3c4d --because "the feed was cut on purpose"',
)
@takes_log_options
def approve(
    run: Annotated[str, typer.Argument(help="The held run, as winnow gate names it.")],
    because: Annotated[str, typer.Option(help="Your reason; it stays on record in table runs.")],
    source: Annotated[str | None, typer.Option(help="The source again, where its address held credentials.")] = None,
    into: IntoOption = DATASET,
    wait: WaitOption = 0,
    as_json: JsonOption = False,
) -> int:
    """Publish a version that the gate held back, with your reason on record

    The run is made again as it was called; what it finished is found in staging. It is held back again where the
    settings changed since or an expectation fails that the held run had met.
    """
    from winnow.base.addresses import refuse_credentials
    from winnow.cli.flow_call import run_flow
    from winnow.run.approval import order_to_approve
    from winnow.storage.locations import open_dataset

    order = order_to_approve(open_dataset(into), run, because, source)  # a wrong call is refused before a server starts
    refuse_credentials(order.source, order.address)

    def held_version() -> RunSummary:
        from winnow.approve import approve

        return approve(run, because, into, source, wait_seconds=wait)

    return run_flow(held_version, into, as_json)


@app.command(rich_help_panel=PANEL, epilog="Example: winnow replay --reason internal_error")
@takes_log_options
def replay(
    reason: Annotated[str | None, typer.Option(help="Only rejects of this kind, as winnow rejects lists it.")] = None,
    into: IntoOption = DATASET,
    recipe: RecipeOption = None,
    workers: WorkersOption = None,
    wait: WaitOption = 0,
    as_json: JsonOption = False,
) -> int:
    """Read rejects again from their kept bytes; publish those that pass"""
    from winnow.cli.flow_call import run_flow
    from winnow.run.recipe_file import load_recipe
    from winnow.run.rejects import rejects_of

    load_recipe(recipe)  # a mistake in it is shown before a server is started
    if not rejects_of(published(into), reason, settled=False):
        print(json.dumps({"version": None}) if as_json else "No reject waits.")
        return 0

    def replayed_version() -> RunSummary:
        from winnow.replay import replay

        return replay(into, recipe, reason, workers, wait_seconds=wait)

    return run_flow(replayed_version, into, as_json)


@app.command(rich_help_panel=PANEL, epilog="Example: winnow withdraw https://example.org/a articles/b.txt")
@takes_log_options
def withdraw(
    sources: Annotated[list[str], typer.Argument(help="Sources or doc_ids of the documents that leave.")],
    into: IntoOption = DATASET,
    recipe: RecipeOption = None,
    workers: WorkersOption = None,
    wait: WaitOption = 0,
    as_json: JsonOption = False,
) -> int:
    """Take documents out of the next version; copies they suppressed return

    They stay out when they are read again. Versions that are published already keep them until they are pruned.
    """
    from winnow.cli.flow_call import run_flow
    from winnow.run.recipe_file import load_recipe
    from winnow.run.work_plan import find_sources

    load_recipe(recipe)  # a mistake in it, or in a source, is shown before a server is started
    find_sources(published(into), sources)

    def shortened_version() -> RunSummary:
        from winnow.withdraw import withdraw

        return withdraw(sources, into, recipe, workers, wait_seconds=wait)

    return run_flow(shortened_version, into, as_json)
