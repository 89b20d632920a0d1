"""Commands that keep a dataset: verify, export, push, roll back, prune, erase, maintain."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from winnow.base.terminal import visible
from winnow.cli.log_options import takes_log_options
from winnow.cli.options import (
    DATASET,
    DryRunOption,
    IntoOption,
    JsonOption,
    RecipeOption,
    VersionArgument,
    WaitOption,
    WorkersOption,
    published,
)
from winnow.cli.output import counted, print_json, print_table, size

if TYPE_CHECKING:
    from winnow.publish.selection import Format

app = typer.Typer()
PANEL = "keep"


@app.command(rich_help_panel=PANEL, epilog="Example: winnow verify 3")
def verify(
    version: VersionArgument = None,
    mend: Annotated[bool, typer.Option("--mend", help="First restore what stands elsewhere in the dataset.")] = False,
    into: IntoOption = DATASET,
    wait: WaitOption = 0,
    as_json: JsonOption = False,
) -> int:
    """Check every file, row, link and edit against the manifests

    Checks all versions and the tables where none is named. Exit code 1 where something is wrong. With --mend, lost or
    changed files, logs and views are restored first from their other copies, and each is named.
    """
    from winnow.publish.proof import ways_back
    from winnow.publish.verify import verify
    from winnow.repair import undo
    from winnow.run.recovery import recover_dataset
    from winnow.run.run_context import new_run_id
    from winnow.run.version_index import index_fault, mend_index
    from winnow.storage.lock import lock_dataset

    dataset = published(into)
    mended: tuple[str, ...] = ()
    if mend:
        if dataset.remote:
            dataset.remote.thorough = True
        with lock_dataset(dataset, new_run_id(), wait):
            mended = recover_dataset(dataset) + mend_index(dataset)
    problems = verify(dataset, version, undo)
    if version is None and (fault := index_fault(dataset)):
        problems.append(fault)
    if dataset.remote:  # the working copy may be sound where an object is not
        problems += dataset.remote.verify(version)
    if as_json:
        print_json({"sound": not problems, "problems": problems, "mended": mended})
        return int(bool(problems))
    for line in mended:
        print(visible(line))
    if problems:
        rows = [(f"v{p.version}" if p.version else "", visible(p.place), visible(p.what)) for p in problems]
        print_table(("version", "place", "what is wrong"), rows)
        last = dataset.last_number() or 0
        print("\n" + (ways_back(dataset, last) if mend else f"restore what can be: winnow verify --mend --into {into}"))
    else:
        checked = f"v{version}" if version else f"{counted(len(dataset.version_numbers()), 'version')} and the tables"
        print(f"Sound: {checked}; every file, row, link and edit is as it was published.")
    return int(bool(problems))


@app.command(
    rich_help_panel=PANEL,
    epilog="Example: winnow export 3 --to out --format markdown --languages en --sources 'news/*' --since 2026-01-01",
)
def export(
    version: VersionArgument = None,
    to: Annotated[
        str, typer.Option("--to", help="A folder, FILE.parquet, FILE.jsonl, FILE.jsonl.gz or s3://BUCKET/PREFIX.")
    ] = "export",
    tables: Annotated[
        str | None, typer.Option(metavar="NAME,...", help="Tables to take; documents if rows or a format are chosen.")
    ] = None,
    languages: Annotated[str | None, typer.Option(metavar="LANG,...", help="Only documents in these.")] = None,
    sources: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN", help="Only these sources; * and ? stand for any. Repeatable.")
    ] = None,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Dated that day or later.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Dated that day or before.")] = None,
    form: Annotated[
        str | None, typer.Option("--format", help="parquet, jsonl (packed with zstd) or markdown (a file a document).")
    ] = None,
    into: IntoOption = DATASET,
    as_json: JsonOption = False,
) -> int:
    """Export a version, or what is chosen of it: Parquet, JSON lines, Markdown

    Without a choice a folder gets the whole version as it stands. With one, it gets what is chosen, a README and a
    manifest that say what that was. What is written appears whole or not at all.
    """
    from winnow.base.addresses import is_url
    from winnow.publish.export import export, export_selection, upload
    from winnow.publish.selection import Choice

    dataset = published(into)
    number = dataset.manifest(version).version
    if tables or languages or sources or since or until or form:
        choice = Choice(
            tables=_listed(tables) or ("documents",), languages=_listed(languages), sources=tuple(sources or ()),
            since=since.date() if since else None, until=until.date() if until else None,
            format=cast("Format", form or "parquet"),
        )  # fmt: skip
        place, chosen = export_selection(dataset, number, choice, to)
        rows = ", ".join(f"{counted(n, 'row')} of {table}" for table, n in chosen.rows.items())
        result = {"version": number, "path": place, "rows": chosen.rows}
        print_json(result) if as_json else print(f"Exported {rows} of v{number} to {visible(place)}")
        return 0
    if is_url(to):
        place = upload(dataset, number, to)
        written = sum(t.bytes for t in dataset.manifest(number).tables.values())
        said = f"Copied v{number} to {visible(place)} ({size(written)})"
    else:
        path = export(dataset, number, Path(to))
        files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
        place, written = str(path), sum(p.stat().st_size for p in files)
        said = f"Exported v{number} to {path} ({size(written)})"
    print_json({"version": number, "path": place, "bytes": written}) if as_json else print(said)
    return 0


def _listed(names: str | None) -> tuple[str, ...]:
    """The names in a list with commas.

    >>> _listed("en, fr"), _listed(None)
    (('en', 'fr'), ())
    """
    return tuple(name.strip() for name in (names or "").split(",") if name.strip())


@app.command(rich_help_panel=PANEL, epilog="Example: winnow push hf://OWNER/NAME --dry-run")
def push(
    to: Annotated[str, typer.Argument(metavar="hf://OWNER/NAME", help="A dataset repository of Hugging Face's hub.")],
    version: Annotated[int | None, typer.Option(help="Number of the version; the latest by default.")] = None,
    private: Annotated[bool, typer.Option("--private", help="Make a new repository a private one.")] = False,
    dry_run: DryRunOption = False,
    into: IntoOption = DATASET,
    as_json: JsonOption = False,
) -> int:
    """Push a version to Hugging Face's hub: what is new there, and a tag

    The token comes from HF_TOKEN or from hf auth login.
    """
    from dataclasses import asdict

    from winnow.storage.hub import push_version

    dataset = published(into)
    number = dataset.manifest(version).version
    done = push_version(dataset, number, to, private, dry_run)
    if as_json:
        print_json({"dry_run": dry_run, **asdict(done)})
        return 0
    verb = "would be" if dry_run else "were"
    files = f"{counted(len(done.sent), 'file')} ({size(done.bytes)}) {verb} sent, {len(done.removed)} {verb} removed"
    said = f"{files}, {done.kept} stay; tag v{number}" if done.tagged else f"v{number} stands there already"
    print(f"{done.repository}: {said}")
    return 0


@app.command(rich_help_panel=PANEL, epilog='Example: winnow rollback 2 --because "the new feed was wrong"')
def rollback(
    version: Annotated[int, typer.Argument(help="The version to go back to.")],
    because: Annotated[str | None, typer.Option(help="Your reason; it stays on record.")] = None,
    into: IntoOption = DATASET,
    wait: WaitOption = 0,
    as_json: JsonOption = False,
) -> int:
    """Publish a new version that is equal to an old one"""
    from winnow.run.maintenance import roll_back
    from winnow.storage.locations import path_within

    made = roll_back(published(into), version, because or "", wait)
    if as_json:
        print_json({"version": made.version, "equal_to": version, "run_id": made.run_id, "note": made.note})
    else:
        print(f"Published v{made.version}, equal to v{version}, in {path_within(into, f'v{made.version}')}")
        print("The next run reads again what has changed in the input since then.")
    return 0


@app.command(rich_help_panel=PANEL, epilog="Example: winnow prune --keep 10 --dry-run")
def prune(
    keep: Annotated[int, typer.Option(min=1, help="How many of the last versions stay.")],
    dry_run: DryRunOption = False,
    into: IntoOption = DATASET,
    wait: WaitOption = 0,
    as_json: JsonOption = False,
) -> int:
    """Remove old versions, and the files that only they needed"""
    from winnow.publish.housekeeping import prune, vacuum
    from winnow.run.recovery import recover_dataset
    from winnow.run.run_context import new_run_id
    from winnow.run.version_index import draw_index
    from winnow.storage.lock import lock_dataset

    dataset = published(into)
    with lock_dataset(dataset, new_run_id(), wait):
        recover_dataset(dataset)
        views = prune(dataset, keep, dry_run)
        if not dry_run:
            draw_index(dataset)
        files = vacuum(dataset, dry_run)
    freed = views.bytes + files.bytes
    if as_json:
        print_json({"dry_run": dry_run, "versions": views.names, "files": len(files.names), "bytes": freed})
        return 0
    done = "would be removed" if dry_run else "removed"
    names = ", ".join(views.names) or "no version"
    print(f"{names} {done}, and {counted(len(files.names), 'file')} of the tables; {size(freed)} free")
    return 0


@app.command(rich_help_panel=PANEL, epilog='Example: winnow erase 8f1c0e5d2b7a9364 --because "asked by the author"')
@takes_log_options
def erase(
    sources: Annotated[list[str] | None, typer.Argument(help="doc_ids or sources of the documents to erase.")] = None,
    from_file: Annotated[
        Path | None, typer.Option("--from-file", metavar="FILE", help="A file that lists them, one a line.")
    ] = None,
    because: Annotated[
        str, typer.Option("--because", "--reason", help="Your reason; it stays on record in the receipt.")
    ] = "",
    dry_run: DryRunOption = False,
    into: IntoOption = DATASET,
    recipe: RecipeOption = None,
    workers: WorkersOption = None,
    wait: WaitOption = 0,
    as_json: JsonOption = False,
) -> int:
    """Erase documents from every version, with a receipt; copies they suppressed return

    Versions, tables and their history, reports, staging and a store lose them; other rows stay as they are. The
    receipt keeps their doc_ids, which keep them out when they are read again. Not to be undone.
    """
    from winnow.base.errors import UsageError
    from winnow.cli.flow_call import run_flow
    from winnow.publish.erasure import found_in
    from winnow.run.erase_documents import documents_named
    from winnow.run.recipe_file import load_recipe
    from winnow.run.summary import RunSummary

    load_recipe(recipe)  # a mistake in it, or in a name, is shown before a server is started
    names = [*(sources or ()), *(_lines_of(from_file) if from_file else ())]
    dataset = published(into)
    doc_ids = documents_named(dataset, names)
    if dry_run:
        found = found_in(dataset, doc_ids).values()
        if as_json:
            print_json({"documents": len(doc_ids), "versions": [{"version": v.version, "documents": v.documents,
                "rows": v.rows} for v in found]})  # fmt: skip
        else:
            rows = [(f"v{v.version}", str(v.documents), f"{sum(v.rows.values()):,}") for v in found]
            print_table(("version", "documents", "rows that would be erased"), rows)
        return 0
    if not because.strip():
        raise UsageError("--because: say in a few words why; the receipt keeps it")

    def version_without() -> RunSummary:
        from winnow.erase import erase

        return erase(names, because, into, recipe, workers, wait_seconds=wait)

    return run_flow(version_without, into, as_json)


def _lines_of(path: Path) -> list[str]:
    from winnow.base.errors import UsageError

    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise UsageError(f"--from-file {path}: cannot be read as lines of text: {error}") from error


@app.command(rich_help_panel=PANEL, epilog="Example: winnow maintain --dry-run")
def maintain(
    dry_run: DryRunOption = False,
    into: IntoOption = DATASET,
    recipe: RecipeOption = None,
    wait: WaitOption = 0,
    as_json: JsonOption = False,
) -> int:
    """Join small files, prune, remove what nothing needs, clean staging"""
    from winnow.run.maintenance import tidy_up
    from winnow.run.recipe_file import load_recipe

    done = tidy_up(published(into), load_recipe(recipe), dry_run, wait)  # without the flow: it needs no server
    print_json(done.as_dict()) if as_json else print("\n".join(done.lines()))
    return 0
