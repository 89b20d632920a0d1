"""Great Expectations' own project beside the dataset: suites, checkpoints, results of every run, and Data Docs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from winnow.base.contracts import contract
from winnow.base.recipe import ValidateSettings
from winnow.validate.expectations import hide_progress_bars, quiet

if TYPE_CHECKING:
    import pandas as pd

_FOLDER = "gx"  # Great Expectations fixes this name inside the root it is given
DATA_DOCS = Path(_FOLDER, "uncommitted", "data_docs", "local_site", "index.html")
"""The start page of Data Docs, from the dataset's root. Its pages load styles from the internet."""
RESULTS = Path(_FOLDER, "uncommitted", "validations")
MAX_ROWS = 200_000  # of one table; checkpoints document the run, the gate itself has looked at every row
KEEP_RUNS = 50  # results of older runs are dropped; table `runs` keeps every gate result for good


def store_results(
    root: Path, run_id: str, frames: Mapping[str, pd.DataFrame], settings: ValidateSettings, keep: int = KEEP_RUNS
) -> None:
    """Run a checkpoint over each frame of measures, by suite name, and draw Data Docs.

    The project in ``root/gx`` opens with ``great_expectations.get_context(mode="file", project_root_dir=root)``. What
    it holds is for people: nothing of Winnow reads it, and it may be deleted at any time.
    """
    with quiet():
        import great_expectations as gx
        from great_expectations.data_context.types.resource_identifiers import ExpectationSuiteIdentifier

        fresh = not (root / DATA_DOCS).exists()
        context = gx.get_context(mode="file", project_root_dir=root)
        hide_progress_bars(context)
        source = context.data_sources.add_or_update_pandas("winnow")
        pages: list[Any] = []  # of Data Docs, drawn once for all tables: to draw them is most of this call's time
        for name, frame in frames.items():
            # One checkpoint a table: a checkpoint hands the same frame to all its definitions.
            checkpoint = context.checkpoints.add_or_update(
                gx.Checkpoint(
                    name=name,
                    validation_definitions=[_definition(context, source, name)],
                    result_format="SUMMARY",
                )
            )
            done = checkpoint.run(
                batch_parameters={"dataframe": frame.head(MAX_ROWS).reset_index(drop=True)},
                expectation_parameters=settings.model_dump(),
                run_id=gx.RunIdentifier(run_name=run_id),
            )
            pages += [*done.run_results, ExpectationSuiteIdentifier(name=name)]
        dropped = _drop_old(root / RESULTS, keep)
        context.build_data_docs(resource_identifiers=None if fresh or dropped else pages)


def _definition(context: Any, source: Any, name: str) -> Any:
    import great_expectations as gx

    whole = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("whole")
    held = context.suites.add_or_update(gx.ExpectationSuite(**contract(name).suite()))
    return context.validation_definitions.add_or_update(gx.ValidationDefinition(name=name, data=whole, suite=held))


def _drop_old(results: Path, keep: int) -> int:
    """Remove the results of all runs but the last `keep`, by the time that names their folders; returns how many."""
    runs: dict[str, str] = {}
    for time in results.glob("*/*/*"):
        runs[time.parent.name] = max(runs.get(time.parent.name, ""), time.name)
    old = sorted(runs, key=lambda run: runs[run])[: max(len(runs) - keep, 0)]
    for run in old:
        for folder in results.glob(f"*/{run}"):
            shutil.rmtree(folder, ignore_errors=True)
    return len(old)
