"""OpenLineage events of a run: where it read, what it wrote, and how it ended, for catalogues that collect them.

The events are those of the standard (OpenLineage 2-0-2: START, then COMPLETE or FAIL), as JSON: lines at the end of a
file, or each sent to an HTTP endpoint. No run fails for want of them, and none waits longer than `PATIENCE`.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from winnow.base.errors import GateHeld
from winnow.base.log import LOGGER
from winnow.base.recipe import Recipe
from winnow.base.records import Json
from winnow.publish.dataset import Dataset
from winnow.publish.manifest import Manifest, TableEntry
from winnow.run.run_context import Run, RunOrder
from winnow.run.summary import RunSummary

PATIENCE = 2.0  # seconds that the end of a run may wait for an endpoint
JOBS = {"source": "build", "quarantine": "replay", "nowhere": "withdraw"}
_SPEC = "https://openlineage.io/spec"

Ended = Callable[[Run, RunSummary | GateHeld], None]


@contextmanager
def told_in_lineage(recipe: Recipe, order: RunOrder, dataset: Dataset, run_id: str) -> Iterator[Ended]:
    """Tells of the run that the body makes, where the recipe names a place for that; the body says how it ended.

    A body that raises has failed. Nothing is raised here.
    """
    if not recipe.lineage.to:
        yield lambda run, ended: None
        return
    story = _Story(recipe=recipe, order=order, dataset=dataset, run_id=run_id, sender=_Sender(recipe.lineage.to))
    story.tell("START")
    try:
        yield story.ended
    except BaseException as error:
        story.tell("FAIL", run=story.error(error))
        raise
    finally:
        story.sender.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Story:
    recipe: Recipe
    order: RunOrder
    dataset: Dataset
    run_id: str
    sender: _Sender

    def tell(
        self, kind: str, run: Json | None = None, read: Json | None = None, outputs: list[Json] | None = None
    ) -> None:
        job = {
            "namespace": self.recipe.lineage.namespace,
            "name": f"{self.recipe.publish.name}.{JOBS[self.order.intake]}",
        }
        self.sender.send(
            {
                "eventType": kind,
                "eventTime": datetime.now(UTC).isoformat(),
                "producer": _producer(),
                "schemaURL": f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent",
                "run": {"runId": str(uuid5(NAMESPACE_URL, f"urn:winnow:run:{self.run_id}")), "facets": run or {}},
                "job": {**job, "facets": {}},
                "inputs": [{**_place(self.order.source), **(read or {})}] if self.order.intake == "source" else [],
                "outputs": outputs or [],
            }
        )

    def ended(self, run: Run, ended: RunSummary | GateHeld) -> None:
        recipe = _facet("recipe", recipeId=run.recipe_id, recipe=run.recipe.model_dump(mode="json", by_alias=True))
        told = {"winnow_run": _facet("run", runId=run.run_id), "winnow_recipe": recipe}
        if isinstance(ended, GateHeld):
            self.tell("FAIL", run=told | self.error(ended))
            return
        if ended.gate:
            told["winnow_gate"] = _facet("gate", **ended.gate.as_dict())
        counts = _standard("InputStatisticsInputDatasetFacet", "1-0-0", rowCount=ended.documents.read)
        number = ended.version
        self.tell(
            "COMPLETE",
            run=told,
            read={"inputFacets": {"inputStatistics": counts}},
            outputs=self._outputs(self.dataset.manifest(number)) if number else [],
        )

    def error(self, error: BaseException) -> Json:
        said = str(error) or type(error).__name__
        return {"errorMessage": _standard("ErrorMessageRunFacet", "1-0-1", message=said, programmingLanguage="Python")}

    def _outputs(self, manifest: Manifest) -> list[Json]:
        def facets(table: TableEntry) -> Json:
            fields = [{"name": c.name, "type": c.type, "description": c.description} for c in table.columns]
            return {
                "schema": _standard("SchemaDatasetFacet", "1-1-1", fields=fields),
                "version": _standard("DatasetVersionDatasetFacet", "1-0-1", datasetVersion=str(manifest.version)),
                "documentation": _standard("DocumentationDatasetFacet", "1-0-1", description=table.description),
            }

        def statistics(table: TableEntry) -> Json:
            sizes = {"rowCount": table.rows, "size": table.bytes, "fileCount": len(table.files)}
            return {"outputStatistics": _standard("OutputStatisticsOutputDatasetFacet", "1-0-2", **sizes)}

        return [
            {**_place(f"{self.order.into}/{name}"), "facets": facets(table), "outputFacets": statistics(table)}
            for name, table in manifest.tables.items()
        ]


class _Sender:
    """Hands events on, in their order, from a thread of its own; what cannot be delivered is a warning in the log."""

    def __init__(self, to: str) -> None:
        self._to, self._events, self._there = to, list[bytes](), threading.Condition()
        self._thread = threading.Thread(target=self._deliver, name="winnow-lineage", daemon=True)
        self._closed = False
        self._thread.start()

    def send(self, event: Json) -> None:
        with self._there:
            self._events.append(json.dumps(event, ensure_ascii=False, default=str).encode())
            self._there.notify()

    def close(self) -> None:
        with self._there:
            self._closed = True
            self._there.notify()
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            logging.getLogger(LOGGER).warning("%s: takes no lineage events in time; the run goes on without", self._to)

    def _deliver(self) -> None:
        while True:
            with self._there:
                self._there.wait_for(lambda: self._events or self._closed)
                if not self._events:
                    return
                event = self._events.pop(0)
            try:
                self._write(event)
            except Exception as error:  # whatever the endpoint does, the run does not fail with it
                reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
                logging.getLogger(LOGGER).warning("%s: a lineage event could not be handed on: %s", self._to, reason)

    def _write(self, event: bytes) -> None:
        if urlsplit(self._to).scheme not in ("http", "https"):
            with Path(self._to).open("ab") as file:
                file.write(event + b"\n")
            return
        import httpx

        headers = {"content-type": "application/json"}
        if key := os.environ.get("OPENLINEAGE_API_KEY"):
            headers["authorization"] = f"Bearer {key}"
        httpx.post(self._to, content=event, headers=headers, timeout=PATIENCE).raise_for_status()


def _place(location: str) -> Json:
    """A place as the standard names it: a store and a key, or a path of this machine's files.

    >>> _place("s3://bucket/in/?region=eu-west-1"), _place("/srv/in")
    ({'namespace': 's3://bucket', 'name': 'in'}, {'namespace': 'file', 'name': '/srv/in'})
    """
    parts = urlsplit(location)
    if parts.scheme and parts.netloc:
        return {"namespace": f"{parts.scheme}://{parts.netloc}", "name": parts.path.strip("/") or "/"}
    return {"namespace": "file", "name": str(Path(location).absolute())}


def _producer() -> str:
    return f"urn:winnow-text:{version('winnow-text')}"


def _standard(name: str, number: str, **content: Any) -> Json:
    return {"_producer": _producer(), "_schemaURL": f"{_SPEC}/facets/{number}/{name}.json#/$defs/{name}", **content}


def _facet(name: str, **content: Any) -> Json:
    """A facet of our own; its schema has a name and no place."""
    return {"_producer": _producer(), "_schemaURL": f"urn:winnow:facet:{name}", **content}
