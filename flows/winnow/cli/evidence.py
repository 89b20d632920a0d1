"""``winnow why``: every removal of a document beside what was kept instead, word by word."""

from __future__ import annotations

from typing import Any

from winnow.base.terminal import Paint, visible
from winnow.cli.changes import marked_words
from winnow.cli.documents import Story, find_story, rows_of
from winnow.cli.output import paint, print_json
from winnow.publish.compare.words import diff_words
from winnow.publish.dataset import Dataset
from winnow.storage.locate import Place, open_dataset

WHOLE = "duplicate_document"

REASONS = {
    "repeat": "stands again, word for word",
    "near_repeat": "stands again with small changes",
    "boilerplate": "stands in many documents",
    "promo": "promotes something or marks an advertisement",
    WHOLE: "belongs to a document that is left out as a copy",
    "exact": "says the same, word for word",
    "near": "says nearly the same",
    "contained": "is contained in a longer document",
}


def why_document(root: Place, name: str, as_json: bool) -> int:
    """Print the evidence of each removal: reason, what was kept and where, similarity, both texts aligned."""
    story = find_story(root, name)
    dataset = open_dataset(root)
    copy = copy_evidence(dataset, story)
    removed = passage_evidence(dataset, story)
    if as_json:
        identity = {"doc_id": story.doc_id, "source": story.source, "published": story.published}
        print_json({**identity, "copy_of": copy, "removed": removed})
        return 0
    p = paint()
    print(p.bold(f"{story.doc_id}  {visible(story.source)}"))
    if copy is not None:
        _print_copy(copy, p)
    elif not removed:
        print("Nothing was removed: every passage stands in the published text.")
    for one in removed:
        _print_passage(one, p)
    if copy is not None or removed:
        print(p.dim("\n[-only in what was removed-] {+only in what was kept+}"))
    return 0


def copy_evidence(dataset: Dataset, story: Story) -> dict[str, Any] | None:
    """The document that this one is a copy of, with both texts; None for a published one."""
    rows = rows_of(dataset, "duplicates", "doc_id", story.doc_id)
    if not rows:
        return None
    row = rows[0]
    kept = rows_of(dataset, "documents", "doc_id", row["kept_doc_id"])
    return {
        "kind": row["kind"],
        "similarity": row["similarity"],
        "containment": row["containment"],
        "kept_doc_id": row["kept_doc_id"],
        "kept_source": kept[0]["source"] if kept else None,
        "removed_text": row["text"],
        "kept_text": kept[0]["text"] if kept else None,
    }


def passage_evidence(dataset: Dataset, story: Story) -> list[dict[str, Any]]:
    """Each passage that was removed for its own sake, with the passage that was kept instead (None: none was)."""
    removed = [p for p in story.passages if p["status"] == "removed" and p["reason"] != WHOLE]
    held: dict[str, list[dict[str, Any]]] = {story.doc_id: list(story.passages)}
    sources: dict[str, str | None] = {story.doc_id: story.source}
    evidence = []
    for row in removed:
        other = row["kept_doc_id"]
        if other is not None and other not in held:
            held[other] = rows_of(dataset, "passages", "doc_id", other)
            known = rows_of(dataset, "documents", "doc_id", other)
            sources[other] = known[0]["source"] if known else None
        evidence.append(
            {
                **{k: row[k] for k in ("position", "part", "kind", "reason", "similarity")},
                "kept_doc_id": other,
                "kept_source": sources.get(other) if other else None,
                "kept_position": row["kept_position"],
                "removed_text": row["text"],
                "kept_text": _kept_text(row, held.get(other, [])) if other else None,
            }
        )
    return evidence


def _kept_text(row: dict[str, Any], others: list[dict[str, Any]]) -> str | None:
    """The passage at the kept position; where it was cut into parts, the one with the same fingerprint, else all."""
    there = sorted((o for o in others if o["position"] == row["kept_position"]), key=lambda o: o["part"])
    same = [o for o in there if o["fingerprint"] == row["fingerprint"]]
    if same:
        return str(same[0]["text"])
    return "".join(o["text"] + o["gap"] for o in there).rstrip() or None


def _print_copy(copy: dict[str, Any], p: Paint) -> None:
    figures = f"similarity {copy['similarity']:.3f}"
    if copy["containment"] is not None:
        figures += f", containment {copy['containment']:.3f}"
    print(f"left out as a copy: it {REASONS.get(copy['kind'], copy['kind'])} ({figures})")
    print(f"kept: {copy['kept_doc_id']}  {visible(copy['kept_source'] or '')}\n")
    if copy["kept_text"] is not None:
        print(marked_words(diff_words(copy["removed_text"], copy["kept_text"]), p))


def _print_passage(one: dict[str, Any], p: Paint) -> None:
    print(f"\npassage {one['position']}  {p.yellow(one['reason'])}: it {REASONS.get(one['reason'], one['reason'])}")
    if one["kept_doc_id"] is None:
        print("kept: nothing")
    else:
        likeness = f", similarity {one['similarity']:.3f}" if one["similarity"] is not None else ""
        place = f" passage {one['kept_position']}" if one["kept_position"] is not None else ""
        print(f"kept: {one['kept_doc_id']}{place}  {visible(one['kept_source'] or '')}{likeness}")
    kept = one["kept_text"]
    if kept is None:
        print("  " + p.red(visible(one["removed_text"])))
    elif kept == one["removed_text"]:
        print("  " + visible(kept))
    else:
        print("  " + marked_words(diff_words(one["removed_text"], kept), p).replace("\n", "\n  "))
