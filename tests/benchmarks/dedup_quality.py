"""How well copies are found, and how little else: Winnow and its peers side by side.

usage: python tests/benchmarks/dedup_quality.py [--gold DIR] [--corpus DIR] [--peers DIR] [--slice] [--only SET,...]
       python tests/benchmarks/dedup_quality.py --smoke

Sets: corpus (needs damaged.jsonl and truth.json), revisions, planted, templates (made up), structure, licences, speed
(clean.jsonl). What is not there is named and skipped. `--slice` takes the 10 MB slice of the corpus, `--smoke` a few
made-up documents. Peers run in environments of their own: PEERS/datasketch, PEERS/text-dedup, PEERS/datatrove, each a
virtual environment with the package of that name.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":  # run as a script, from anywhere
    sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

import numpy as np  # noqa: E402
from dedup_peers import PEERS, run_peer  # noqa: E402
from dedup_sets import (  # noqa: E402
    Outcome,
    b_cubed,
    licence_ways,
    lines_of,
    precision,
    recall_by_rate,
    template_pages,
    tidy,
    winnow,
    write_small,
)
from tests.deduplicate.corpus import decide, prepared, utf8  # noqa: E402

from winnow.base.recipe import DeduplicateSettings  # noqa: E402
from winnow.base.records import doc_id_of  # noqa: E402
from winnow.deduplicate.documents.shingles import Words, sign_documents  # noqa: E402
from winnow.deduplicate.passages.fingerprint import fingerprints  # noqa: E402
from winnow.deduplicate.passages.splitter import split_passages  # noqa: E402
from winnow.deduplicate.repeats.within_document import without_inner_repeats  # noqa: E402

SETTINGS = DeduplicateSettings()
BY_LENGTH = {"keep_meaningful_repeats": False}


def shown(scores: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.4f}" for name, value in scores.items())


def corpus(folder: Path, peers: Path | None, small: bool) -> None:
    """Injected copies with 1 to 5 % of their words edited, among real documents with revisions of their own."""
    name = "damaged_10mb.jsonl" if small else "damaged.jsonl"
    texts = {r["id"]: r["text"] for r in lines_of(folder / name)}
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    pairs = [(a, b, rate) for a, b, rate in truth["near"] if a in texts and b in texts]
    megabytes = sum(len(t.encode()) for t in texts.values()) / 1e6
    print(f"\ncorpus: {len(texts)} documents, {megabytes:.0f} MB, {len(pairs)} injected copies")
    outcome = winnow(texts, SETTINGS)
    report("winnow", outcome, texts, pairs)
    for stage in ("prepare", "decide"):
        print(f"  {stage}: {megabytes / outcome.seconds[stage]:.1f} MB/s on one core")
    print(f"  peak memory of the process {outcome.megabytes:.0f} MB")
    for peer in PEERS if peers else ():
        other = run_peer(peer, peers, texts)
        if isinstance(other, str):
            print(other)
            continue
        report(peer, other, texts, pairs)
        print(f"  {megabytes / other.seconds['wall']:.1f} MB/s")


def report(name: str, outcome: Outcome, texts: Mapping[str, str], pairs: list[tuple[str, str, float]]) -> None:
    print(f"{name}: left out {len(outcome.kept)}")
    print(f"  recall     {shown(recall_by_rate(pairs, outcome))}")
    print(f"  precision  {shown(precision(texts, outcome, SETTINGS))}")


def revisions(gold: Path, peers: Path | None) -> None:
    """Two real revisions of each page, with their exact Jaccard."""
    texts = {r["id"]: r["text"] for r in lines_of(gold / "repeats" / "revisions.jsonl.gz")}
    pairs = {(r["a"], r["b"]): r for r in lines_of(gold / "repeats" / "revisions_pairs.jsonl")}
    least = SETTINGS.document_threshold
    close = [p for p, r in pairs.items() if r["jaccard5"] >= least]
    outcome = winnow(texts, SETTINGS, 1)
    print(f"\nrevisions: {len(close)} of {len(pairs)} pairs at or above {least}")
    errors = []
    for name, row in outcome.rows.items():
        known = pairs.get((row["kept"], name)) or pairs.get((name, row["kept"]))
        if known:  # given to four places
            errors.append(abs(round(row["similarity"], 4) - known["jaccard5"]))
    print(f"winnow: {revisions_found(outcome, close)}")
    print(f"  mean error of similarity {np.mean(errors):.5f}")
    print(f"  precision {shown(precision(texts, outcome, SETTINGS))}")
    for peer in PEERS if peers else ():
        other = run_peer(peer, peers, texts)
        print(other if isinstance(other, str) else f"{peer}: {revisions_found(other, close)}")


def revisions_found(outcome: Outcome, pairs: list[tuple[str, str]]) -> str:
    left_out = sum(a in outcome.kept or b in outcome.kept for a, b in pairs) / len(pairs)
    together = sum(outcome.root(a) == outcome.root(b) for a, b in pairs) / len(pairs)
    return f"one of the two left out {left_out:.4f}, both in one group {together:.4f}"


def planted(gold: Path, peers: Path | None) -> None:
    """A thousand news digests with ten planted copies."""
    texts = {r["id"]: r["text"] for r in lines_of(gold / "repeats" / "planted_1000.jsonl")}
    wanted = {frozenset((r["a"], r["b"])) for r in lines_of(gold / "repeats" / "planted_1000_pairs.jsonl")}
    outcomes: dict[str, Outcome | str] = {"winnow": winnow(texts, SETTINGS, 1)}
    outcomes |= {peer: run_peer(peer, peers, texts) for peer in PEERS} if peers else {}
    print("\nplanted_1000")
    for name, outcome in outcomes.items():
        if isinstance(outcome, str):
            print(outcome)
            continue
        got = {frozenset(pair) for pair in outcome.kept.items()}
        print(f"{name}: F1 {2 * len(got & wanted) / (len(got) + len(wanted)):.4f}")


def templates(peers: Path | None, pages: int = 5000) -> None:
    """Distinct short articles under long templates: none of them may go, and all true copies must."""
    texts, copies = template_pages(pages)
    article: dict[str, str] = {}  # the page whose article each page has
    for original, copy, _ in copies:
        article[copy] = article.get(original, original)
    outcomes: dict[str, Outcome | str] = {"winnow": winnow(texts, SETTINGS)}
    outcomes |= {peer: run_peer(peer, peers, texts) for peer in PEERS} if peers else {}
    print(f"\ntemplates: {len(texts)} pages, {len(copies)} of them copies")
    for name, outcome in outcomes.items():
        if isinstance(outcome, str):
            print(outcome)
            continue
        wrong = sum(article.get(a, a) != article.get(b, b) for a, b in outcome.kept.items())
        seconds = f", {sum(outcome.seconds[s] for s in ('prepare', 'decide')):.1f} s" if outcome.rows else ""
        print(f"{name}: left out {len(outcome.kept)}, of them with an article of their own {wrong}{seconds}")


def structure(gold: Path) -> None:
    """Documents in which something repeats for a reason, and those in which it does not: which are right."""
    cases = lines_of(ROOT / "tests" / "cases" / "repeats.jsonl")
    documents = [(case["text"], bool(case["removed"])) for case in cases]
    if (faq := gold / "wild" / "files" / "p3-d3_faq.jsonl").exists():
        documents += [(row["text"], False) for row in lines_of(faq)]
    print(f"\nstructure: {len(documents)} documents")
    for name, settings in (("winnow", SETTINGS), ("by length alone", SETTINGS.model_copy(update=BY_LENGTH))):
        found = [(bool(without_inner_repeats(text, settings)[1]), goes) for text, goes in documents]
        stays = [not gone for gone, goes in found if not goes]
        taken = [gone for gone, goes in found if goes]
        print(f"{name}: left whole {sum(stays)} of {len(stays)}, freed of repeats {sum(taken)} of {len(taken)}")
    across = lines_of(ROOT / "tests" / "cases" / "repeats_across.jsonl")
    print(f"the same across documents: {len(across)} small sets of them")
    for name, settings in (("winnow", SETTINGS), ("by length alone", SETTINGS.model_copy(update=BY_LENGTH))):
        told = [across_documents(case, settings) for case in across]
        stays = [not left_out and gone == case["removed"] for case, (left_out, gone) in told if not case["copies"]]
        taken = [left_out == case["copies"] for case, (left_out, _) in told if case["copies"]]
        print(f"{name}: passages as wanted in {sum(stays)} of {len(stays)}, copies found {sum(taken)} of {len(taken)}")


def across_documents(case: Mapping[str, Any], settings: DeduplicateSettings) -> tuple[Any, tuple[list[str], Any]]:
    """Which documents of a case are left out, and which passages of the others; those called a, b, c come in order."""
    arrivals = {source: n for n, source in enumerate(case["documents"], 1)} if "a" in case["documents"] else None
    with tempfile.TemporaryDirectory() as work:
        made = prepared(Path(work) / "p", case["documents"], settings, arrivals=arrivals)
        documents, passages = decide(Path(work) / "w", made, settings)
    sources = {doc_id_of(source): source for source in case["documents"]}
    gone = sorted([sources[row["doc_id"]], row["position"]] for row in passages if row["reason"])
    return {**case, "removed": sorted(case["removed"])}, (sorted(sources[d] for d in documents), gone)


def licences(gold: Path) -> None:
    """One licence worded many ways: B-cubed over the labels that stand in at least five packages."""
    rows = lines_of(gold / "repeats" / "licence_passages.jsonl.gz")
    packages: dict[str, set[str]] = {}
    for row in rows:
        packages.setdefault(row["label"], set()).add(row["package"])
    labels = {r["id"]: r["label"] for r in rows if len(packages[r["label"]]) >= 5}
    print(f"\nlicence_passages: {len(labels)} passages, {len(set(labels.values()))} labels")
    for name, way in licence_ways(rows).items():
        p, r, f = b_cubed(labels, way())
        print(f"{name}: B-cubed precision {p:.3f} recall {r:.3f} F1 {f:.3f}")


def speed(folder: Path, small: bool) -> None:
    """MB/s of processor time on one core, medians of five: exact passages; signatures, and what they lead to.

    `deciding` is all that follows the signatures, through files, as a run does it: the order of documents, bands and
    sketches by partition, candidate pairs, shingle sets, exact verification, and the decisions written.
    """
    texts = [tidy(r["text"]) for r in lines_of(folder / ("clean_10mb.jsonl" if small else "clean.jsonl"))]
    documents = utf8(texts)
    bounds = np.arange(len(texts) + 1)
    passages = [p.text for text in texts for p in split_passages(text)]
    settings = DeduplicateSettings(passages=False)

    def exact_passages() -> None:
        prints = np.frombuffer(b"".join(fingerprints(passages, SETTINGS)), np.dtype("V16"))
        np.unique(prints.view(np.uint64).reshape(-1, 2)[:, 0], return_index=True)

    with tempfile.TemporaryDirectory() as work:
        made = prepared(Path(work) / "p", {str(n): text for n, text in enumerate(texts)}, settings, shards=4)
        rounds = iter(range(100))
        printing = median_seconds(exact_passages)
        signing = median_seconds(lambda: sign_documents(Words.of(documents, bounds), SETTINGS.min_document_words))
        deciding = median_seconds(lambda: decide(Path(work) / f"w{next(rounds)}", made, settings))
    megabytes = len(documents.data) / 1e6
    print(f"\nspeed on one core, {len(texts)} documents, {megabytes:.0f} MB")
    print(f"passage dedup: {megabytes / printing:.0f} MB/s")
    print(f"signatures {megabytes / signing:.0f} MB/s, deciding {megabytes / deciding:.0f} MB/s")
    print(f"MinHash + LSH + verification: {megabytes / (signing + deciding):.0f} MB/s")


def median_seconds(work: Callable[[], object]) -> float:
    """Processor time of a call, the median of five after one that is not counted."""
    times = []
    for _ in range(6):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return float(np.median(times[1:]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", type=Path, default=ROOT.parent / "shared" / "gold")
    parser.add_argument("--corpus", type=Path, default=ROOT.parent / "bench" / "data" / "corpus")
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--slice", action="store_true")
    parser.add_argument("--only", default="corpus,revisions,planted,templates,structure,licences,speed")
    parser.add_argument("--smoke", action="store_true", help="made-up documents: that it works, not how well")
    options = parser.parse_args()
    if options.smoke:
        with tempfile.TemporaryDirectory() as made_up:
            folder = write_small(Path(made_up))
            corpus(folder, None, small=True)
            speed(folder, small=True)
        templates(None, pages=400)
        structure(Path(made_up))
        return
    for name in options.only.split(","):
        if name == "templates":
            templates(options.peers)
            continue
        if name == "structure":
            structure(options.gold)
            continue
        needed = options.corpus if name in ("corpus", "speed") else options.gold
        if not needed.is_dir():
            print(f"{name}: skipped, no folder {needed}")
        elif name == "corpus":
            corpus(needed, options.peers, options.slice)
        elif name == "revisions":
            revisions(needed, options.peers)
        elif name == "planted":
            planted(needed, options.peers)
        elif name == "licences":
            licences(needed)
        else:
            speed(needed, options.slice)


if __name__ == "__main__":
    main()
