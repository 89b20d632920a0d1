"""Commands that look at a dataset and change nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from winnow.cli.options import DATASET, IntoOption, JsonOption, LimitOption

app = typer.Typer()
PANEL = "look"

VersionArgument = Annotated[int | None, typer.Argument(help="Number of the version; the latest by default.")]
DocumentArgument = Annotated[str, typer.Argument(help="A document's doc_id or source.")]


@app.command(rich_help_panel=PANEL, epilog="Example: winnow status --into dataset")
def status(into: IntoOption = DATASET, json: JsonOption = False) -> None:
    """Last version and run, what waits, who writes, what disk it takes

    Exit code 1 where a held version waits for a decision.
    """
    from winnow.cli.gate import show_status

    raise typer.Exit(show_status(into, json))


@app.command(rich_help_panel=PANEL, epilog="Example: winnow versions --json")
def versions(into: IntoOption = DATASET, json: JsonOption = False) -> None:
    """List the published versions with counts, sizes, time and recipe"""
    from winnow.cli.versions import list_versions

    raise typer.Exit(list_versions(into, json))


@app.command(rich_help_panel=PANEL, epilog="Example: winnow show 3")
def show(version: VersionArgument = None, into: IntoOption = DATASET, json: JsonOption = False) -> None:
    """Show one version: tables, repairs, removals, packages"""
    from winnow.cli.versions import show_version

    raise typer.Exit(show_version(into, version, json))


@app.command(rich_help_panel=PANEL, epilog="Example: winnow diff 1 2 --doc articles/b.txt")
def diff(
    a: Annotated[int | None, typer.Argument(help="The older version; the last but one by default.")] = None,
    b: Annotated[int | None, typer.Argument(help="The newer version; the latest by default.")] = None,
    doc: Annotated[str | None, typer.Option(help="One document, word by word: its doc_id or source.")] = None,
    limit: LimitOption = 20,
    into: IntoOption = DATASET,
    json: JsonOption = False,
) -> None:
    """What changed between two versions, and the rule or removal behind it"""
    from winnow.cli.changes import diff_versions

    raise typer.Exit(diff_versions(into, a, b, doc, limit, json))


@app.command(rich_help_panel=PANEL, epilog="Example: winnow explain 5550000d3b1cf1ff --into dataset")
def explain(doc_id: DocumentArgument, into: IntoOption = DATASET, json: JsonOption = False) -> None:
    """Every repair of a document, from the dataset alone"""
    from winnow.cli.documents import explain_document

    raise typer.Exit(explain_document(into, doc_id, json))


@app.command(rich_help_panel=PANEL, epilog="Example: winnow why 5550000d3b1cf1ff")
def why(doc_id: DocumentArgument, into: IntoOption = DATASET, json: JsonOption = False) -> None:
    """Every removal of a document beside what was kept, texts aligned"""
    from winnow.cli.evidence import why_document

    raise typer.Exit(why_document(into, doc_id, json))


@app.command(rich_help_panel=PANEL, epilog="Example: winnow report 3 --open")
def report(
    version: VersionArgument = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    into: IntoOption = DATASET,
    json: JsonOption = False,
) -> None:
    """Where the page stands that shows what happened to a version"""
    from winnow.cli.versions import show_report

    raise typer.Exit(show_report(into, version, open_it, json))


@app.command(rich_help_panel=PANEL, epilog="Example: winnow schema documents")
def schema(
    table: Annotated[str | None, typer.Argument(help="One table; all by default.")] = None, json: JsonOption = False
) -> None:
    """Every column of every table and what it means"""
    from winnow.cli.versions import show_schema

    raise typer.Exit(show_schema(table, json))


@app.command(rich_help_panel=PANEL, epilog="Example: winnow rejects --reason not_json --json")
def rejects(
    reason: Annotated[str | None, typer.Option(help="Only this kind.")] = None,
    settled: Annotated[bool, typer.Option("--all", help="Also those that a later run let pass.")] = False,
    limit: LimitOption = 50,
    into: IntoOption = DATASET,
    json: JsonOption = False,
) -> None:
    """Documents that wait in quarantine, and why"""
    from winnow.cli.quarantine import list_rejects

    raise typer.Exit(list_rejects(into, reason, settled, limit, json))


@app.command(rich_help_panel=PANEL, epilog="Example: winnow gate --json")
def gate(
    run: Annotated[str | None, typer.Argument(help="A run; the last one by default.")] = None,
    into: IntoOption = DATASET,
    json: JsonOption = False,
) -> None:
    """Why the last run was held back, or what it had to meet

    Exit code 1 where the run was held back.
    """
    from winnow.cli.gate import explain_gate

    raise typer.Exit(explain_gate(into, run, json))
