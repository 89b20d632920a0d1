"""Commands that look at a dataset and its versions, and change nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from winnow.base.errors import UsageError
from winnow.base.terminal import visible
from winnow.cli.options import DATASET, IntoOption, JsonOption, VersionArgument, opened, published
from winnow.cli.output import counted, paint, print_json, print_table, size

if TYPE_CHECKING:
    from winnow.cli.report_server import ReportServer
    from winnow.publish.dataset import Dataset
    from winnow.run.approval import PastRun

app = typer.Typer()
PANEL = "look"


@app.command(rich_help_panel=PANEL, epilog="Example: winnow status --into dataset")
def status(into: IntoOption = DATASET, as_json: JsonOption = False) -> int:
    """State of a dataset: latest version, last run, what waits, disk use

    Exit code 1 where a held version waits for a decision.
    """
    from datetime import UTC, datetime

    from winnow.run.approval import held_rejects, past_runs, run_awaiting_approval
    from winnow.run.rejects import rejects_of
    from winnow.storage.lock import current_writer

    dataset = opened(into)
    if not dataset.root.is_dir():
        raise UsageError(f"{into}: is no dataset; make one with: winnow run SOURCE --into {into}")
    runs = past_runs(dataset)
    last, held = (runs[-1] if runs else None), run_awaiting_approval(dataset)
    manifest = dataset.latest_manifest()
    documents = manifest.tables["documents"].rows if manifest else 0
    of_held = held_rejects(dataset)
    waiting = manifest.counts.get("facts", {}).get("n_rejected", 0) if manifest else 0
    waiting = len(rejects_of(dataset, None, settled=False, held=of_held)) if of_held else waiting
    writer, staging = current_writer(dataset), _folder_bytes(dataset.staging)
    whole = dataset.remote.stored_bytes() if dataset.remote else _folder_bytes(dataset.root)
    if as_json:
        print_json(
            {
                "dataset": into,
                "version": manifest.version if manifest else None,
                "published_at": manifest.created_at if manifest else None,
                "documents": documents,
                "rejects_waiting": waiting,
                "versions": len(dataset.version_numbers()),
                "last_run": _run_record(last),
                "held": _run_record(held),
                "writer": writer,
                "staging_bytes": staging,
                "dataset_bytes": whole,
            }
        )
        return int(held is not None)
    p = paint()
    now = datetime.now(UTC)
    if manifest:
        age = _age((now - manifest.created_at).total_seconds())
        print(f"version   {p.bold(f'v{manifest.version}')}, {counted(documents, 'document')}, published {age} ago")
    else:
        print("version   none yet")
    if last:
        ended = _age((now - last.finished_at).total_seconds())
        print(f"last run  {last.run_id}: {last.status}, took {last.seconds:.1f} s, ended {ended} ago")
    if held:
        print(p.yellow(f"held      {held.run_id} waits for a decision: winnow gate --into {into}"))
    of_run = ", of the run that is held" if of_held else ""
    print(f"rejects   {waiting:,} wait{of_run}" + (f": winnow rejects --into {into}" if waiting else ""))
    said = f"run {visible(writer.run)}, process {writer.pid} on {visible(writer.host)}" if writer else "none"
    print(f"writer    {said}")
    print(f"disk      {size(whole)}, of it staging {size(staging)}")
    return int(held is not None)


def _run_record(run: PastRun | None) -> dict[str, object] | None:
    if run is None:
        return None
    names = ("run_id", "version", "status", "started_at", "finished_at", "note")
    failed = [o.expectation for o in run.gate.held_by] if run.gate else []
    return {n: getattr(run, n) for n in names} | {"failed": failed}


def _folder_bytes(folder: Path) -> int:
    """Returns the bytes of the files under a folder, each counted once however many names it has."""
    sizes: dict[tuple[int, int], int] = {}
    for base, _, names in os.walk(folder):
        for name in names:
            try:
                stat = os.lstat(os.path.join(base, name))  # noqa: PTH118  (a walk over many files)
            except FileNotFoundError:
                continue  # a run that is writing has renamed it
            sizes[stat.st_dev, stat.st_ino] = stat.st_size
    return sum(sizes.values())


def _age(seconds: float) -> str:
    """
    >>> _age(59), _age(7200), _age(200_000)
    ('59 s', '2 h', '2 d')
    """
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} s"


@app.command(rich_help_panel=PANEL, epilog="Example: winnow versions --json")
def versions(into: IntoOption = DATASET, as_json: JsonOption = False) -> int:
    """List the published versions with counts, sizes, time and recipe"""
    from winnow.publish.dataset import versions

    if as_json:
        print_json(versions(opened(into)))
        return 0
    head = ("version", "created", "documents", "duplicates", "rejects", "edits", "size", "new", "recipe", "note")
    rows = []
    for v in versions(published(into)):
        counts = (f"{n:,}" for n in (v.documents, v.duplicates, v.rejects, v.edits))
        made = f"v{v.version}", f"{v.created_at:%Y-%m-%d %H:%M:%S}"
        rows.append((*made, *counts, size(v.bytes), size(v.new_bytes), v.recipe_id[:8], visible(v.note or "")))
    print_table(head, rows)
    return 0


@app.command(rich_help_panel=PANEL, epilog="Example: winnow show 3")
def show(version: VersionArgument = None, into: IntoOption = DATASET, as_json: JsonOption = False) -> int:
    """Show one version: tables, repairs, removals, packages"""
    from winnow.storage.locations import path_within

    manifest = published(into).manifest(version)
    if as_json:
        print_json(manifest)
        return 0
    p = paint()
    before = f", after v{manifest.previous}" if manifest.previous else ""
    print(p.bold(f"v{manifest.version}") + f"  {manifest.created_at:%Y-%m-%d %H:%M:%S} UTC{before}")
    print(f"run {manifest.run_id}, recipe {manifest.recipe_id}, in {path_within(into, f'v{manifest.version}')}")
    if manifest.note:
        print(p.yellow(f"note: {visible(manifest.note)}"))
    print()
    rows = [(n, f"{t.rows:,}", str(len(t.files)), size(t.bytes), t.description) for n, t in manifest.tables.items()]
    print_table(("table", "rows", "files", "size", "what it holds"), rows, last=80)
    facts = manifest.counts.get("facts", {})
    for title, key in (
        ("repairs by rule", "edits_by_rule"),
        ("removals by reason", "removals_by_reason"),
        ("documents by language", "documents_by_language"),
    ):
        if facts.get(key):
            print(f"\n{p.bold(title)}")
            for name, count in sorted(facts[key].items(), key=lambda item: (-item[1], item[0]))[:20]:
                print(f"  {count:>9,}  {visible(name)}")
    print(f"\n{p.bold('packages')}")
    print("  " + ", ".join(f"{n} {v}" for n, v in sorted(manifest.packages.items())))
    return 0


@app.command(rich_help_panel=PANEL, epilog="Example: winnow report 3 --open")
def report(
    version: VersionArgument = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    serve: Annotated[bool, typer.Option("--serve", help="Serve it on 127.0.0.1 until stopped with Ctrl-C.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="With --serve: the port; any free one by default.")] = 0,
    into: IntoOption = DATASET,
    as_json: JsonOption = False,
) -> int:
    """Path of the page that reports on a version; --open shows it

    --serve serves the pages of all versions to this machine alone; from elsewhere, reach it through an SSH tunnel.
    """
    import webbrowser

    from winnow.base.files import at_hand

    dataset = published(into)
    number = dataset.manifest(version).version
    path = at_hand(dataset.view(number) / "report.html")
    at_hand(dataset.index_page)  # the report leads there
    if not path.is_file():
        raise UsageError(f"{path}: v{number} has no report; versions made by a newer run have one")
    server = _report_server(dataset, number, port) if serve else None
    address = server.address if server else path.resolve().as_uri()
    print_json({"version": number, "report": address}) if as_json else print(server.address if server else path)
    if open_it:
        webbrowser.open(address)
    if server:
        sys.stdout.flush()
        server.serve_forever()
    return 0


def _report_server(dataset: Dataset, version: int, port: int) -> ReportServer:
    from winnow.cli.report_server import ReportServer

    try:
        return ReportServer(dataset, version, port)
    except OSError as error:
        raise UsageError(f"--port {port}: {error.strerror}; name another, or leave it out for any free one") from error


@app.command(rich_help_panel=PANEL, epilog="Example: winnow schema documents")
def schema(
    table: Annotated[str | None, typer.Argument(help="One table; all by default.")] = None, as_json: JsonOption = False
) -> int:
    """Every column of every table, and what it means"""
    from winnow.base.contracts import TABLES, describe

    if table is not None and table not in TABLES:
        raise UsageError(f"{table!r} is no table; there are {', '.join(TABLES)}")
    names = [table] if table else list(TABLES)
    about = {n: TABLES[n].metadata[b"description"].decode() for n in names}
    if as_json:
        print_json({n: {"description": about[n], "columns": describe(TABLES[n])} for n in names})
        return 0
    for number, name in enumerate(names):
        print(("\n" if number else "") + paint().bold(name) + f"  {about[name]}")
        rows = [(f"  {c.name}", c.type, "null" if c.nullable else "", c.description) for c in describe(TABLES[name])]
        print_table(("  column", "type", "", "meaning"), rows)
    return 0


@app.command(rich_help_panel=PANEL, epilog="Example: winnow rejects --reason not_json --json")
def rejects(
    reason: Annotated[str | None, typer.Option(help="Only this kind.")] = None,
    settled: Annotated[bool, typer.Option("--all", help="Also those that a later run let pass.")] = False,
    limit: Annotated[
        int | None, typer.Option(min=0, help="How many to show of each reason; 3 by default, 50 of one; 0 for all.")
    ] = None,
    into: IntoOption = DATASET,
    as_json: JsonOption = False,
) -> int:
    """Rejects: documents that wait in quarantine, and why"""
    from collections import Counter

    from winnow.run.approval import held_rejects
    from winnow.run.rejects import rejects_of

    held = held_rejects(dataset := opened(into))
    rows = rejects_of(dataset if held else published(into), reason, settled, held)
    if as_json:
        print_json(rows)
        return 0
    if not rows:
        print("No reject waits.")
        return 0
    kinds = Counter(r["expectation"] for r in rows)
    most = (50 if reason else 3) if limit is None else limit or len(rows)
    ranked = sorted(kinds, key=lambda kind: (-kinds[kind], kind))
    shown = [r for kind in ranked for r in [r for r in rows if r["expectation"] == kind][:most]]
    p = paint()
    print(f"{counted(len(rows), 'reject')}: " + ", ".join(f"{kinds[kind]:,} {kind}" for kind in ranked) + "\n")
    head = ("doc_id", "stage", "reason", "bytes", "what was wrong and what to do")
    cells = [(r["doc_id"], r["stage"], r["expectation"], size(r["bytes"]), visible(r["reason"])) for r in shown]
    print_table(head, cells, last=160)
    if held:
        print(p.yellow(f"of run {held[0].run_id}, which the gate held back: winnow gate --into {into}"))
    if len(rows) > len(shown):
        print(p.dim(f"and {len(rows) - len(shown):,} more; see them all with --limit 0 or --json"))
    again = "run again" if held else f"read them again: winnow replay --into {into}"
    print(p.dim(f"after a mended rule or setting, {again}"))
    return 0


@app.command(rich_help_panel=PANEL, epilog="Example: winnow gate --json")
def gate(
    run: Annotated[str | None, typer.Argument(help="A run; the last one by default.")] = None,
    into: IntoOption = DATASET,
    as_json: JsonOption = False,
) -> int:
    """Why the last run was held back, or what it had to meet

    Exit code 1 where the run was held back.
    """
    from winnow.run.approval import past_runs, run_awaiting_approval

    dataset = opened(into)
    judged = [(r, r.gate) for r in past_runs(dataset) if r.gate is not None and run in (None, r.run_id)]
    if not judged:
        what = f"run {run!r} is unknown or was not judged" if run else "no run has been judged yet"
        raise UsageError(f"{into}: {what}; winnow versions --into {into} lists the runs that published")
    last, found = judged[-1]
    held = last.status == "held"
    if as_json:
        facts = {"run_id": last.run_id, "version": last.version, "status": last.status, "note": last.note}
        print_json({**facts, "gate": found})
        return int(held)
    title = paint().bold(f"run {last.run_id}")
    print(f"{title}  {last.status}, for v{last.version}, {last.finished_at:%Y-%m-%d %H:%M:%S} UTC")
    if last.note:
        print(f"because: {visible(last.note)}")
    print(f"{found.in_words}\n")
    rows = [
        (
            "FAILED" if o.verdict == "failed" else o.verdict,
            o.expectation,
            o.observed or "-",
            o.limit,
            visible(o.sentence),
        )
        for o in found.worst_first
    ]
    print_table(("status", "expectation", "observed", "limit", "in words"), rows)
    broken = [c for c in found.tables if c.n_failed]
    if broken:
        print()
        failed = [(c.table, c.expectation, f"{c.n_failed:,}", visible(", ".join(map(str, c.examples)))) for c in broken]
        print_table(("table", "expectation", "rows failed", "for example"), failed, last=60)
    waits = run_awaiting_approval(dataset)
    if held and waits is not None and waits.run_id == last.run_id:
        print("\nLet it pass, with your reason on record:")
        print(f"  winnow approve {last.run_id} --because REASON --into {into}")
    return int(held)
