import random
import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.deduplicate.corpus import article, decide, paragraph, prepared, sentence
from tests.deduplicate.test_promotion import cases

from winnow.base.errors import DatasetError
from winnow.base.recipe import DeduplicateSettings
from winnow.base.records import doc_id_of
from winnow.deduplicate import array_files, passage_rows, removals
from winnow.deduplicate.documents import comparison, document_order, kept_set, pair_jobs, similarity
from winnow.deduplicate.documents.candidate_pairs import LEADS, LargeBuckets
from winnow.deduplicate.documents.similarity import SharedShingles
from winnow.deduplicate.prepare import PreparedShard
from winnow.deduplicate.repeats import across_documents, inner_rows
from winnow.deduplicate.work_files import KEYED

SETTINGS = DeduplicateSettings()
ACROSS = cases("repeats_across.jsonl")


def texts(*paragraphs: str) -> str:
    return "\n\n".join(paragraphs)


def edited(text: str, seed: int, share: float) -> str:
    rng = random.Random(seed)
    words = text.split(" ")
    for n in rng.sample(range(len(words)), int(share * len(words))):
        words[n] = f"other{n}"
    return " ".join(words)


@pytest.fixture(scope="module")
def corpus() -> dict[str, str]:
    """Fifty documents: articles, exact and near copies, excerpts, shared paragraphs, boilerplate, pages, short ones."""
    rng = random.Random(11)
    out = {f"site{n % 3}/a{n}": texts(f"Title number {n}", *article(n)) for n in range(18)}
    footer = "All rights reserved by the house of many words; copying needs the consent of its owner in writing."
    for n in range(0, 18, 3):
        out[f"site0/a{n}"] += f"\n\n{footer}"
    for n in range(4):
        out[f"copies/exact{n}"] = out[f"site{n % 3}/a{n}"]
        out[f"copies/near{n}"] = edited(out[f"site{n % 3}/a{n}"], n, 0.03)
    for n in range(4, 7):
        out[f"copies/excerpt{n}"] = texts(*article(n)[1:3])
    shared = paragraph(rng)
    for n in range(4):
        out[f"shared/{n}"] = texts(*article(100 + n, 3), shared, *article(200 + n, 2))
    frame = article(300, 4)
    for n in range(9):
        out[f"pages/{n}"] = texts(
            *frame[:2], f"Entry number {n} of them", paragraph(random.Random(400 + n), 2), *frame[2:]
        )
    out["pages/copy"] = out["pages/3"].replace("number 3", "number 9")
    out["short/1"], out["short/2"], out["short/3"] = "Short one.", "Short one.", "Another short text."
    out["short/4"] = texts("My page", shared)
    return out


def test_exact_near_and_contained_documents_are_found_with_what_they_copy(
    corpus: dict[str, str], tmp_path: Path
) -> None:
    documents, _ = decide(tmp_path / "w", prepared(tmp_path / "p", corpus, SETTINGS), SETTINGS)
    for n in range(4):
        group = {doc_id_of(s) for s in (f"copies/exact{n}", f"copies/near{n}", f"site{n % 3}/a{n}")}
        gone = group & set(documents)
        assert len(gone) == 2
        assert {documents[d]["kept_doc_id"] for d in gone} == group - gone
    for n in range(4, 7):
        row = documents[doc_id_of(f"copies/excerpt{n}")]
        assert (row["kind"], row["kept_doc_id"]) == ("contained", doc_id_of(f"site{n % 3}/a{n}"))
        assert row["containment"] == 1
    assert documents[doc_id_of("short/2")]["kind"] == "exact" or documents[doc_id_of("short/1")]["kind"] == "exact"
    assert doc_id_of("short/3") not in documents
    assert documents[doc_id_of("short/4")]["kind"] == "contained"
    assert {doc_id_of(s) for s in ("pages/3", "pages/copy")} & documents.keys()  # one of them; no other page is a copy
    assert len(documents) == 4 * 2 + 3 + 2 + 1


def test_every_removed_passage_points_to_one_that_is_kept(corpus: dict[str, str], tmp_path: Path) -> None:
    shards = prepared(tmp_path / "p", corpus, SETTINGS, shards=2)
    documents, passages = decide(tmp_path / "w", shards, SETTINGS)
    rows = {(r["doc_id"], r["position"], r["part"]): r for s in shards for r in pq.read_table(s.passages).to_pylist()}
    gone = {(r["doc_id"], r["position"], r["part"]) for r in passages}
    assert {r["reason"] for r in passages} == {"repeat", "boilerplate"}
    for r in passages:
        assert r["doc_id"] not in documents
        if r["kept_doc_id"] is None:
            assert r["reason"] in ("boilerplate", "promo")
            continue
        kept = (r["kept_doc_id"], r["kept_position"], 0)
        assert kept not in gone and r["kept_doc_id"] not in documents
        assert rows[kept]["fingerprint"] == rows[r["doc_id"], r["position"], r["part"]]["fingerprint"]


def test_order_split_and_executor_change_nothing(
    corpus: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = decide(tmp_path / "w", prepared(tmp_path / "p", corpus, SETTINGS), SETTINGS)
    items = list(corpus.items())
    random.Random(5).shuffle(items)
    for module in (removals, kept_set):
        monkeypatch.setattr(module, "PAIRS_HELD", 3)  # so that workers bring documents together
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:  # a forked polars may hang
        mixed = prepared(tmp_path / "q", dict(items), SETTINGS, shards=5)
        assert decide(tmp_path / "x", mixed[::-1], SETTINGS, pool) == plain
    assert len(list((tmp_path / "x").glob("chosen-*.npy"))) > 1


def carried(folder: Path, shards: list[PreparedShard], leave_out: list[str] | None = None) -> dict[str, object]:
    """What a dataset that holds these shards would hand back, in other files than they came in, in one row order."""
    folder.mkdir(parents=True, exist_ok=True)
    index = pa.concat_tables([pq.read_table(s.index) for s in shards]).sort_by("doc_id")
    passages = pa.concat_tables([pq.read_table(s.passages) for s in shards]).sort_by(
        [("doc_id", "ascending"), ("position", "ascending"), ("part", "ascending")]
    )
    pq.write_table(index, folder / "index.parquet")
    half = passages.num_rows // 2  # falls inside a document, as it may after a compaction
    pq.write_table(passages.slice(0, half), folder / "passages-0.parquet")
    pq.write_table(passages.slice(half), folder / "passages-1.parquet")
    options: dict[str, object] = {
        "published_index": [folder / "index.parquet"],
        "published_passages": [folder / "passages-0.parquet", folder / "passages-1.parquet"],
    }
    if leave_out:
        pq.write_table(pa.table({"doc_id": leave_out}), folder / "leave.parquet")
        options["leave_out"] = folder / "leave.parquet"
    return options


@settings(max_examples=4, deadline=None)
@given(st.randoms(use_true_random=False))
def test_incremental_runs_equal_the_whole_and_later_copies_change_nothing(
    corpus: dict[str, str], tmp_path_factory: pytest.TempPathFactory, rng: random.Random
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    arrivals = {source: rng.choice((1, 2, 3)) for source in corpus}
    seen: list[PreparedShard] = []
    before: tuple[dict[str, object], list[object]] = ({}, [])
    for version in (1, 2, 3):
        batch = {s: t for s, t in corpus.items() if arrivals[s] == version}
        new = prepared(folder / f"p{version}", batch, SETTINGS, version=version, shards=2)
        old = carried(folder / f"c{version}", seen) if seen else {}
        documents, passages = decide(folder / f"w{version}", new, SETTINGS, **old)
        known = {doc_id_of(s) for s, v in arrivals.items() if v < version}
        assert {d: r for d, r in documents.items() if d in known} == before[0]
        assert [r for r in passages if r["doc_id"] in known] == before[1]
        before = documents, passages
        seen += new
    whole = prepared(folder / "all", corpus, SETTINGS, version=9, arrivals=arrivals)
    assert decide(folder / "wall", whole, SETTINGS) == before


def test_withdrawing_a_kept_document_brings_the_copy_back(corpus: dict[str, str], tmp_path: Path) -> None:
    shards = prepared(tmp_path / "p", corpus, SETTINGS)
    documents, _ = decide(tmp_path / "w", shards, SETTINGS)
    copy, row = next((d, r) for d, r in documents.items() if r["kind"] == "contained" and r["similarity"] < 0.4)
    again, passages = decide(tmp_path / "x", [], SETTINGS, **carried(tmp_path / "c", shards, [row["kept_doc_id"]]))
    assert copy not in again
    without = {s: t for s, t in corpus.items() if doc_id_of(s) != row["kept_doc_id"]}
    assert (again, passages) == decide(tmp_path / "y", prepared(tmp_path / "q", without, SETTINGS), SETTINGS)


def test_a_replaced_document_is_taken_from_the_new_files(corpus: dict[str, str], tmp_path: Path) -> None:
    shards = prepared(tmp_path / "p", corpus, SETTINGS)
    replaced = {"copies/exact0": texts(*article(900))}
    new = prepared(tmp_path / "n", replaced, SETTINGS, version=2, arrivals={"copies/exact0": 1})
    with pytest.raises(DatasetError, match="given twice"):
        decide(tmp_path / "w", new, SETTINGS, **carried(tmp_path / "c", shards))
    options = carried(tmp_path / "d", shards, [doc_id_of("copies/exact0")])
    whole = prepared(tmp_path / "q", {**corpus, **replaced}, SETTINGS)
    assert decide(tmp_path / "x", new, SETTINGS, **options) == decide(tmp_path / "y", whole, SETTINGS)


def test_the_first_in_the_total_order_is_kept(tmp_path: Path) -> None:
    text = texts(*article(1))
    documents = {"b": text, "a": edited(text, 1, 0.01), "c": text + " More."}
    damage = {"a": 0, "b": 2, "c": 2}
    found, _ = decide(tmp_path / "w", prepared(tmp_path / "p", documents, SETTINGS, damage=damage), SETTINGS)
    assert {r["kept_doc_id"] for r in found.values()} == {doc_id_of("a")}
    arrivals = {"a": 2, "b": 2, "c": 1}
    later = prepared(tmp_path / "q", documents, SETTINGS, damage=damage, arrivals=arrivals)
    found, _ = decide(tmp_path / "x", later, SETTINGS)
    assert {r["kept_doc_id"] for r in found.values()} == {doc_id_of("c")}


def test_removed_documents_are_within_the_threshold_of_the_very_one_kept(tmp_path: Path) -> None:
    text = texts(*article(1))
    chain = {}
    for n in range(6):
        chain[f"c{n}"] = text
        text = edited(text, n, 0.06)
    found, _ = decide(tmp_path / "w", prepared(tmp_path / "p", chain, SETTINGS), SETTINGS)
    assert found
    for row in found.values():
        assert row["similarity"] >= SETTINGS.document_threshold
        assert row["kept_doc_id"] not in found


def test_boilerplate_goes_everywhere_on_its_site_and_stays_elsewhere(tmp_path: Path) -> None:
    note = "Share this story"
    pages = {f"https://a.org/{n}": texts(*article(n, 2), f"{note}.") for n in range(8)}
    pages["https://b.org/1"] = texts(*article(50, 2), f"{note}.")
    _, passages = decide(tmp_path / "w", prepared(tmp_path / "p", pages, SETTINGS), SETTINGS)
    assert {r["doc_id"] for r in passages} == {doc_id_of(s) for s in pages if "a.org" in s}
    assert {(r["reason"], r["kept_doc_id"]) for r in passages} == {("boilerplate", None)}


def test_protected_passages_stay_across_documents(tmp_path: Path) -> None:
    rng = random.Random(1)
    quote = f"“{sentence(rng, 20)}” – the minister of many words"
    row = f"| {sentence(rng, 12)} | {sentence(rng, 12)} |"
    heading = "The Long Heading That Stands in Each of These Documents and Says Much About What Follows in Them"
    formula = "Permission is granted to copy this document so long as this notice stays with all of its copies."
    parts = {f"d{n}": texts(heading, paragraph(rng), quote, row, formula, paragraph(rng)) for n in range(3)}
    allowing = DeduplicateSettings(keep=(formula,))
    _, passages = decide(tmp_path / "w", prepared(tmp_path / "p", parts, allowing), allowing)
    assert [r for r in passages if r["reason"]] == []
    assert sorted(r["suspicion"] for r in passages) == 2 * ["heading"] + 2 * ["quotation"] + 2 * ["table_row"]
    _, passages = decide(tmp_path / "x", prepared(tmp_path / "q", parts, SETTINGS), SETTINGS)
    assert len([r for r in passages if r["reason"]]) == 2  # the formula, without the allow-list


def told_apart(text: str, case: int) -> str:
    """The text with a word of its own after each fourth, so that no case shares passages with another."""
    return re.sub(r"((?:[^\W_]+ ){4})", rf"\1x{case} ", text)


@pytest.fixture(scope="module")
def structures() -> dict[str, str]:
    """All cases of what stands in several documents, each on a site of its own."""
    return {
        name_in(n, source): told_apart(text, n)
        for n, case in enumerate(ACROSS)
        for source, text in case["documents"].items()
    }


def name_in(case: int, source: str) -> str:
    return source.replace("://", f"://c{case}.") if "://" in source else f"c{case}/{source}"


def in_order(documents: dict[str, str]) -> dict[str, int]:
    """In which version documents come: those called a, b, c in this order, the others together."""
    return {source: "abc".find(source.rsplit("/", 1)[1]) + 2 for source in documents}


def decided(passages: list[dict[str, Any]], documents: dict[str, str]) -> dict[str, list[tuple[Any, ...]]]:
    """By source, what was decided: position, and reason or suspicion."""
    sources = {doc_id_of(source): source for source in documents}
    found: dict[str, list[tuple[Any, ...]]] = {}
    for row in passages:
        found.setdefault(sources[row["doc_id"]], []).append((row["position"], row["reason"], row["suspicion"]))
    return found


def test_what_documents_have_in_common_for_a_reason_stays_as_a_suspicion_and_what_they_do_not_goes(
    structures: dict[str, str], tmp_path: Path
) -> None:
    shards = prepared(tmp_path / "p", structures, SETTINGS, arrivals=in_order(structures))
    documents, passages = decide(tmp_path / "w", shards, SETTINGS)
    found = decided(passages, structures)
    for n, case in enumerate(ACROSS):
        rows = [(s, *row) for s in case["documents"] for row in found.get(name_in(n, s), [])]
        assert sorted([s, position] for s, position, reason, _ in rows if reason) == sorted(case["removed"]), case[
            "why"
        ]
        copies = [s for s in case["documents"] if doc_id_of(name_in(n, s)) in documents]
        assert copies == case["copies"], case["why"]
        stays = sorted([s, position, suspicion] for s, position, _, suspicion in rows if suspicion)
        assert stays == sorted(case["stays"]), case["why"]
    for row in passages:
        assert row["suspicion"] is None or row["kept_doc_id"]


def test_a_setting_removes_what_documents_have_in_common_for_a_reason_too(
    structures: dict[str, str], tmp_path: Path
) -> None:
    plain = DeduplicateSettings(keep_meaningful_repeats=False)
    shards = prepared(tmp_path / "p", structures, plain, arrivals=in_order(structures))
    documents, passages = decide(tmp_path / "w", shards, plain)
    assert not any(row["suspicion"] for row in passages)
    found = decided(passages, structures)
    for n, case in enumerate(ACROSS):
        for s, place, meaning in case["stays"]:
            gone = {position for position, _, _ in found.get(name_in(n, s), [])}
            whole = doc_id_of(name_in(n, s)) in documents
            assert whole or place in gone or meaning in ("quotation", "table_row"), case["why"]


def test_structures_are_told_alike_in_one_run_and_in_several(structures: dict[str, str], tmp_path: Path) -> None:
    rng = random.Random(3)
    arrivals = {source: rng.choice((1, 2)) for source in structures}
    first = {s: t for s, t in structures.items() if arrivals[s] == 1}
    second = {s: t for s, t in structures.items() if arrivals[s] == 2}
    early = prepared(tmp_path / "p", first, SETTINGS)
    before = decide(tmp_path / "w", early, SETTINGS)
    later = prepared(tmp_path / "q", second, SETTINGS, version=2, shards=2)
    together = decide(tmp_path / "x", later, SETTINGS, **carried(tmp_path / "c", early))
    known = set(map(doc_id_of, first))
    assert [row for row in together[1] if row["doc_id"] in known] == before[1]
    whole = prepared(tmp_path / "all", structures, SETTINGS, version=9, arrivals=arrivals)
    assert decide(tmp_path / "y", whole, SETTINGS) == together


@pytest.mark.parametrize("apart", [False, True])
def test_decisions_are_alike_in_however_many_parts_they_are_made_and_where_workers_share_nothing(
    structures: dict[str, str], apart: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = dict(list(structures.items())[::3]) | {f"{n}": texts(*article(n % 5, 3)) + f" End {n}." for n in range(20)}
    cut |= with_one_passage(24)
    made = prepared(tmp_path / "p", cut, SETTINGS, shards=2)
    one = decide(tmp_path / "1", made, SETTINGS)
    for module in (removals, inner_rows, comparison):
        monkeypatch.setattr(module, "partitions_for", lambda *_: 7)
    monkeypatch.setattr(comparison, "is_exchanged", lambda _: apart)
    for bound, value in {"_SETS_COUNTED": 1, "JOBS_LISTED": 1, "_FEW_A_FILE": 0}.items():
        monkeypatch.setattr(comparison, bound, value)
    monkeypatch.setattr(pair_jobs, "JOB_BYTES", 10_000)
    monkeypatch.setattr(passage_rows, "_AT_ONCE", 5)
    for module in (similarity, across_documents):
        monkeypatch.setattr(module, "LEAST_ROWS", 12)
    assert decide(tmp_path / "7", made, SETTINGS) == one
    assert one[0] and {row["reason"] for row in one[1]} >= {None, "repeat"}
    assert len(list((tmp_path / "7").glob("decided-passages-*"))) == 7


@pytest.mark.slow
def test_files_of_the_exchange_grow_with_partitions_and_not_with_their_square(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = {f"p{n}": texts(*article(n % 10, 2)) for n in range(12)}
    counts, decisions = {}, []
    for shards, partitions in ((2, 2), (2, 4), (2, 8), (4, 2), (4, 4), (9, 9)):
        monkeypatch.setattr(array_files, "MOST_PARTS", 2 if shards == 9 else 64)  # files are merged first
        for module in (removals, document_order, inner_rows, comparison):
            monkeypatch.setattr(module, "partitions_for", lambda *_, n=partitions: n)
        monkeypatch.setattr(document_order, "_SAMPLED", 1)
        work = tmp_path / f"{shards}-{partitions}"
        decisions.append(decide(work / "w", prepared(work / "p", pages, SETTINGS, shards=shards), SETTINGS))
        counts[shards, partitions] = len(list((work / "w").iterdir()))
    assert all(found == decisions[0] for found in decisions)
    more = counts[2, 4] - counts[2, 2]
    assert counts[2, 8] - counts[2, 4] == 2 * more
    assert counts[4, 4] - counts[4, 2] == more  # however many files they are read from


def test_nothing_is_left_empty(tmp_path: Path) -> None:
    one, two = article(1, 3), article(2, 3)
    pages = {"a": texts(*one), "b": texts(*two), "mix": texts(one[0], two[0]), "ad": "ADVERTISEMENT"}
    documents, passages = decide(tmp_path / "w", prepared(tmp_path / "p", pages, SETTINGS), SETTINGS)
    # What two documents hold together is a copy of neither, and an advertisement alone has no other home.
    assert documents == {} and passages == []


def test_thousands_of_like_documents_take_no_quadratic_time(tmp_path: Path) -> None:
    text = texts(*article(1, 2))
    pages = {f"p{n}": edited(text, n, 0.02) for n in range(1500)}
    documents, _ = decide(tmp_path / "w", prepared(tmp_path / "p", pages, SETTINGS), SETTINGS)
    assert len(documents) > 1400


def with_one_passage(n: int, words: int = 200) -> dict[str, str]:
    """Documents that share a passage and nothing else."""
    rng = random.Random(1)
    shared = sentence(rng, words)
    return {f"p{i}": texts(sentence(rng, 200), shared) for i in range(n)}


@pytest.mark.slow
def test_documents_that_share_a_passage_take_a_number_of_comparisons_each(tmp_path: Path) -> None:
    for n in (150, 1000):
        decide(tmp_path / f"w{n}", prepared(tmp_path / f"p{n}", with_one_passage(n), SETTINGS), SETTINGS)
        compared = sum(len(np.load(file)) for file in (tmp_path / f"w{n}").glob("to-verify-[0-9]*.npy"))
        assert n < compared < 2 * LEADS * n  # the first round's; all pairs of later ones are known to be far apart


@pytest.mark.parametrize("words", [150, 250, 400])
def test_a_bound_on_what_documents_share_changes_no_decision(
    words: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(words)
    pages = with_one_passage(90, words)
    pages |= {f"near{source}": edited(text, n, 0.05) for n, (source, text) in enumerate(pages.items()) if n % 3 == 0}
    pages |= {f"part{n}": texts(sentence(rng, 5), pages[f"p{n}"].split("\n\n")[1]) for n in range(5)}
    shards = prepared(tmp_path / "p", pages, SETTINGS)
    bounded = decide(tmp_path / "w", shards, SETTINGS)
    assert bounded[0]

    def without(ranks: NDArray[np.uint32], _: object) -> SharedShingles:
        return SharedShingles(ranks, np.ones(len(ranks), np.int32), np.ones(len(ranks), np.int32))

    monkeypatch.setattr(SharedShingles, "of", without)
    assert decide(tmp_path / "x", shards, SETTINGS) == bounded


@pytest.mark.parametrize("seed", range(20))
def test_rounds_give_the_pairs_of_the_first_kept_documents_with_all_after_them(seed: int) -> None:
    rng = random.Random(seed)
    members = [sorted(rng.sample(range(150), rng.randrange(18, 150))) for _ in range(3)]
    rows = np.array([(key, rank) for key, ranks in enumerate(members) for rank in ranks], KEYED)
    close = np.array([rng.random() < 0.8 for _ in range(150)])
    large = LargeBuckets(rows, np.arange(150, dtype=np.uint32), close)
    given: set[tuple[int, int]] = set()
    expected: set[tuple[int, int]] = set()
    for round_ in range(2, 12):
        # Mostly more copies in each round, but a document may be one no longer.
        copies = np.array([rng.random() < 0.1 * round_ - 0.1 for _ in range(150)])
        given |= {(int(pair) >> 32, int(pair) & 0xFFFFFFFF) for pair in large.next_pairs(copies, round_)}
        for ranks in members:
            kept = [rank for rank in ranks if not copies[rank]]
            expected |= {(a, b) for n, a in enumerate(kept[: LEADS * round_]) for b in kept[n + 1 :] if close[b]}
        assert given == expected
    assert large.exhausted


def test_no_documents_give_no_decisions(tmp_path: Path) -> None:
    assert decide(tmp_path / "w", [], SETTINGS) == ({}, [])
