"""``winnow run`` and what else makes versions: a wrong call is told at once, the rest is done by a flow."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from winnow.base.addresses import refuse_credentials
from winnow.base.errors import UsageError
from winnow.base.recipe import load_recipe
from winnow.cli.flow_call import run_flow
from winnow.cli.progress import print_summary
from winnow.storage.locate import Place, open_dataset, refuse_dataset_in_source


def run_build(
    source: str,
    into: Place,
    recipe: Path | None,
    workers: int | None,
    full: bool,
    mirror: bool,
    executor: str,
    address: str | None,
    as_json: bool,
) -> int:
    """Run the build flow and print its summary; 0 when it published or nothing had changed."""
    from winnow.read import list_inputs
    from winnow.run.executor import Kind

    if executor not in get_args(Kind):
        raise UsageError(f"--executor {executor}: is none of {', '.join(get_args(Kind))}")
    refuse_credentials(source, str(into), address)
    load_recipe(recipe)
    refuse_dataset_in_source(source, into)
    list_inputs(source, [into])  # a wrong call is told at once, before a server is started
    alone = not os.environ.get("PREFECT_API_URL")
    if alone and not full and (same := _as_published(source, into, recipe, mirror)):
        print_summary(same, into, as_json)  # no server is started to find that there is nothing to do
        return 0
    call = {"source": source, "recipe": _name(recipe), "workers": workers, "full": full, "mirror": mirror}
    return run_flow("build", {**call, "executor": executor, "address": address, "into": str(into)}, into, as_json)


def run_replay(into: Place, recipe: Path | None, reason: str | None, workers: int | None, as_json: bool) -> int:
    """Read rejects again and publish those that pass."""
    from winnow.cli.quarantine import rejects_of
    from winnow.cli.versions import published

    load_recipe(recipe)
    if not rejects_of(published(into), reason, settled=False):
        print(json.dumps({"version": None}) if as_json else "No document waits in quarantine.")
        return 0
    call = {"recipe": _name(recipe), "reason": reason, "workers": workers, "into": str(into)}
    return run_flow("replay", call, into, as_json)


def run_withdraw(into: Place, recipe: Path | None, sources: Sequence[str], workers: int | None, as_json: bool) -> int:
    """Take documents out of the next version."""
    from winnow.cli.versions import published
    from winnow.run.work_plan import find_sources

    load_recipe(recipe)
    find_sources(published(into), sources)
    call = {"recipe": _name(recipe), "sources": list(sources), "workers": workers, "into": str(into)}
    return run_flow("withdraw", call, into, as_json)


def run_maintain(into: Place, recipe: Path | None, dry_run: bool, as_json: bool) -> int:
    """Tidy a dataset up; needs no Prefect, and so no server."""
    from winnow.cli.versions import published
    from winnow.run.maintenance import lines_of, tidy_up

    done = tidy_up(published(into), load_recipe(recipe), dry_run)
    print(json.dumps(done) if as_json else "\n".join(lines_of(done)))
    return 0


def _name(path: Path | None) -> str | None:
    return str(path) if path else None


def _as_published(source: str, into: Place, recipe: Path | None, mirror: bool) -> dict[str, Any] | None:
    """The summary of a run that would find every input as the last version has it; None where there is work.

    Not asked after a run that died (its staging is still there) nor while another one writes: those go to the flow.
    """
    dataset = open_dataset(into)
    if dataset.latest_version() is None or dataset.staging.exists():
        return None
    from winnow.run import stages
    from winnow.run.run_context import begin

    run = begin(source, dataset, load_recipe(recipe), mirror=mirror)
    documents = stages.unchanged(run)
    return stages.nothing_changed(run, documents) if documents else None
