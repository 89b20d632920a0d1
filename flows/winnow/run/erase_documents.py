"""Erase documents that a person names, by doc_id or source, wherever the dataset holds them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from winnow.base.errors import UsageError
from winnow.base.records import doc_id_of
from winnow.publish.dataset import Dataset
from winnow.publish.erasure import Receipt, erase, erased_ids, known_documents, receipt_path, standing_aside
from winnow.run.recovery import page_of
from winnow.run.run_context import Run
from winnow.run.summary import Erasure
from winnow.run.version_index import draw_index

_DOC_ID = re.compile("[0-9a-f]{16}")


def documents_named(dataset: Dataset, names: Sequence[str]) -> tuple[str, ...]:
    """Returns the doc_ids of the documents that `names` mean: in a version, held back, or erased before.

    Raises UsageError for a name that nothing knows, and for no name at all.
    """
    if not names:
        raise UsageError("name the documents to erase, by doc_id or source, or a file that lists them")
    meant = {name: {doc_id_of(name), *_DOC_ID.findall(name if len(name) == 16 else "")} for name in names}
    known = known_documents(dataset, sorted(set().union(*meant.values()))) | erased_ids(dataset)
    unknown = sorted(name for name, ids in meant.items() if not ids & known)
    if unknown:
        shown = ", ".join(map(repr, unknown[:5])) + (f" and {len(unknown) - 5} more" if unknown[5:] else "")
        raise UsageError(
            f"{dataset.name}: no version has a document with the source or doc_id {shown}; nothing is erased"
        )
    return tuple(sorted(set().union(*meant.values()) & known))


def erase_documents(run: Run, names: Sequence[str], because: str) -> Erasure:
    """Erases documents from every version that there is; the run's own version is made after it, and without them."""
    doc_ids = documents_named(run.dataset, names)
    order = Receipt(run_id=run.run_id, erased_at=run.started_at, reason=because, doc_ids=doc_ids)
    done = erase(run.dataset, order, page_of)
    draw_index(run.dataset)
    versions = tuple(v.version for v in done.versions)
    run.log(f"erased {len(doc_ids)} documents from {len(versions)} versions", "erase")
    return Erasure(
        documents=len(doc_ids),
        versions=versions,
        receipt=receipt_path(run.dataset, run.run_id).relative_to(run.dataset.root).as_posix(),
        set_aside=tuple(standing_aside(run.dataset)),
    )
