"""Passages that stand in several documents: which of them are boilerplate, which document holds each, and what goes.

First those are listed that several documents have; then their places are described in each document (`Standing`); then
it is decided which go. What is decided about a passage depends on documents of lower rank only, or, where they are
counted, on those that arrived no later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from winnow.base.doc_ids import Column
from winnow.base.recipe import DeduplicateSettings
from winnow.deduplicate.array_files import ArrayFile, Partition, PartitionedFile, load_each
from winnow.deduplicate.documents.document_order import DocumentOrder, load_order
from winnow.deduplicate.documents.similarity import LEAST_ROWS, print_keys, prints_of
from winnow.deduplicate.passage_rows import all_rows, of_rows, wanted_rows
from winnow.deduplicate.passages.fingerprint import fingerprints
from winnow.deduplicate.repeats.inner_rows import go_inside, place_of
from winnow.deduplicate.repeats.meaning import ALL_BELOW, HEADING, MEANINGS, QUOTATION, ROW, Meaning
from winnow.deduplicate.repeats.promotion import BAR_OF_PAGES, CALLS, MAX_PROMO
from winnow.deduplicate.sorted_rows import (
    Rows,
    distinct_values,
    in_runs,
    may_repeat,
    merged,
    run_starts,
    stand_in,
)
from winnow.deduplicate.work_files import CHARS, NO_RANK, PASSAGE, REMOVED, STANDING, InputFile, PassageParts, WorkFiles

CODES = {meaning: code for code, meaning in enumerate(MEANINGS, 1)}
_STAYS = {"heading": HEADING, "table_row": ROW, "quote": QUOTATION}  # quoted and repeated elsewhere for a reason
_COUNTED_AT_A_TIME = 1 << 20  # documents, or places of passages
_CALL_DOCUMENTS = 3  # a line that opens like a call to subscribe or follow, and stands in so many, is no prose


def spread_passages(
    passages: InputFile, files: WorkFiles, partitions: int, spans: int, settings: DeduplicateSettings
) -> PassageParts:
    """Write the passages of one file that may go, by partition of their fingerprint.

    Left aside are documents that are left out, and passages that already go for what stands in their own document; of
    published ones, where that is known, what no new document has. Writes besides, for each document that is to be
    decided on, how many characters those leave, by span of doc_ids.
    """
    order, copies = load_order(files), files.copies.load()
    by_kind = {kind: CODES[meaning] for kind, meaning in _STAYS.items()}
    allowed = pa.array(fingerprints(settings.keep, settings), pa.binary())

    def left(doc_ids: Column) -> NDArray[np.uint32]:
        ranks = order.ranks_of(doc_ids, passages)
        known = ranks != NO_RANK
        ranks[known] = np.where(copies[ranks[known]], NO_RANK, ranks[known])
        return ranks

    pieces, chars = [], []
    for batch in all_rows(passages, ["doc_id", "position", "part", "kind", "text", "fingerprint"], 1 << 16):
        rows = np.zeros(batch.num_rows, PASSAGE)
        rows["rank"] = of_rows(batch.column("doc_id"), left)
        rows["position"], rows["part"] = np.asarray(batch.column("position")), np.asarray(batch.column("part"))
        rows["chars"] = np.asarray(pc.utf8_length(batch.column("text")))
        rows["long"] = rows["chars"] >= settings.min_repeat_chars
        rows["meaning"] = of_rows(
            batch.column("kind"), lambda kinds: np.array([by_kind.get(kind, 0) for kind in kinds.to_pylist()], np.uint8)
        )
        is_row = rows["meaning"] == by_kind["table_row"]
        rows["meaning"][_hold(batch.column("text"), BAR_OF_PAGES, is_row)] = 0  # links to other pages are no table
        rows["high"], rows["low"] = prints_of(batch.column("fingerprint")).T
        asked = ~np.asarray(pc.is_in(batch.column("fingerprint").cast(pa.binary()), allowed))
        stays = (rows["rank"] != NO_RANK) & ~go_inside(place_of(rows["rank"], rows["position"]), rows["part"], files)
        told = rows["long"] if settings.keep_meaningful_repeats else False
        listed = stays & asked & (told | (rows["meaning"] == 0))
        rows["call"] = _hold(batch.column("text"), CALLS, listed & settings.promo_lines)
        pieces.append(rows[listed])
        rows = rows[stays]
        if not passages.only:  # those are judged already
            starts = np.flatnonzero(run_starts(rows["rank"]))[: len(rows)]
            sums = np.empty(len(starts), CHARS)
            sums["rank"], sums["chars"] = rows["rank"][starts], np.add.reduceat(rows["chars"], starts, dtype=np.int64)
            chars.append(sums)
    parts = files.passage_parts(passages)
    rows = merged(pieces, PASSAGE)
    parts.passages.spread(rows, _partition(rows, partitions), partitions)
    order.spread(merged(chars, CHARS), parts.chars, spans)
    return parts


def _partition(rows: Rows, partitions: int) -> NDArray[np.int64]:
    return (rows["low"] >> np.uint64(33)).astype(np.int64) % partitions


def list_repeated(passages: Partition, files: WorkFiles, settings: DeduplicateSettings, fresh: int) -> ArrayFile:
    """Write the passages of one partition that several documents have, and that may go or stay for that.

    One of the documents has a rank from `fresh` on: decisions on those below are known.

    Passages of kinds that stay are no copies of others, nor others of them.
    """
    rows = passages.load()
    rows = rows[may_repeat(rows["low"])]
    rows = rows[np.lexsort((rows["part"], rows["position"], rows["rank"], rows["meaning"], rows["low"], rows["high"]))]
    rows = rows[in_runs(_group_starts(rows))]
    group = np.cumsum(_group_starts(rows)) - 1
    first = np.flatnonzero(_group_starts(rows))
    boilerplate = is_boilerplate(group, rows, load_order(files), SiteCounts.of(files), settings)
    rows["boilerplate"] = boilerplate & (rows["meaning"] == 0)
    several = np.zeros(len(first), np.bool_)
    several[group[rows["rank"] != rows["rank"][first[group]]]] = True
    matters = np.zeros(len(first), np.bool_)
    matters[group[rows["boilerplate"] | rows["long"]]] = True
    new = np.zeros(len(first), np.bool_)
    new[group[rows["rank"] >= fresh]] = True
    return files.repeated_passages(passages.number).save(rows[(several & matters & new)[group]])


def _group_starts(rows: Rows) -> NDArray[np.bool_]:
    return run_starts(rows["high"], rows["low"], rows["meaning"])


def describe_repeats(
    passages: Sequence[InputFile], wanted: ArrayFile, files: WorkFiles, label: str, partitions: int
) -> PartitionedFile:
    """Write what speaks for passages of `wanted` documents to stay (STANDING), by partition: those of `list_places`.

    Given several files, a document's passages may lie in more than one of them.
    """
    places = files.places(label).load()
    found = []
    for table in _documents(passages, files, wanted.load()):
        ranks, positions = table["rank"].to_numpy(), table["position"].to_numpy()
        listed = stand_in(place_of(ranks, positions), places) & ~table["kind"].is_in(list(_STAYS)).to_numpy()
        kinds, texts, gaps, prints = (table[name].to_list() for name in ("kind", "text", "gap", "low"))
        starts = run_starts(ranks)
        bounds, owners = [*np.flatnonzero(starts).tolist(), len(ranks)], (np.cumsum(starts) - 1).tolist()
        for owner, some in groupby(np.flatnonzero(listed).tolist(), owners.__getitem__):
            start, stop = bounds[owner : owner + 2]
            meaning = Meaning(kinds[start:stop], texts[start:stop], gaps[start:stop], prints[start:stop])
            for n in some:
                if s := meaning.standing(n - start):
                    row = (ranks[n], positions[n], prints[n], CODES[s.meaning])
                    found.append((*row, s.firm, s.beside, s.among, s.section, s.windows))
    rows = np.array(found, STANDING)
    return files.standings(label, passages).spread(rows, _partition(rows, partitions), partitions)


def _documents(passages: Sequence[InputFile], files: WorkFiles, wanted: NDArray[np.bool_]) -> Iterator[pl.DataFrame]:
    """The passages of wanted documents, sorted, whole documents at a time; of one that was cut, its first part."""
    order = load_order(files)
    columns = ["position", "part", "kind", "text", "gap", "fingerprint"]
    held = []
    for file in passages:
        for ranks, rows in wanted_rows(file, order, wanted, columns):
            table = pl.from_arrow(rows)
            assert isinstance(table, pl.DataFrame)
            held.append(
                table.select(
                    pl.Series("rank", ranks),
                    pl.col("position").cast(pl.Int32),
                    pl.col("kind", "text", "gap").cast(pl.String),
                    pl.Series("low", print_keys(rows.column("fingerprint"))),
                ).filter(np.asarray(rows.column("part")) == 0)
            )
            if len(passages) == 1 and sum(some.height for some in held) >= LEAST_ROWS:
                together = pl.concat(held)
                last = int(np.flatnonzero(run_starts(together["rank"].to_numpy()))[-1])  # it may go on
                yield together[:last]
                held = [together[last:]]
    if held:
        yield pl.concat(held).sort("rank", "position")


def find_asked(standings: Partition, files: WorkFiles, fresh: int) -> ArrayFile:
    """Write those repeated passages of one partition of which it matters what speaks for them to stay.

    Given is what speaks for those of new documents. Where nothing does, it matters of the others only if one of them
    is boilerplate in a group in which a new one is long and none: it may hold that one, then.
    """
    rows = files.repeated_passages(standings.number).load()
    group, new = np.cumsum(_group_starts(rows)) - 1, rows["rank"] >= fresh
    matters, held = np.zeros((2, len(rows)), np.bool_)
    matters[group[new & (_told(rows, standings.load())["meaning"] > 0)]] = True
    held[group[new & rows["long"] & ~rows["boilerplate"]]] = True
    matters[group[held[group] & rows["boilerplate"]]] = True
    return files.asked_passages(standings.number).save(rows[new | matters[group]])


def list_places(repeated: Sequence[ArrayFile], out: ArrayFile, fresh: int = 0) -> Iterator[NDArray[np.uint32]]:
    """Write where repeated passages stand, and yield the ranks of their documents, from `fresh` on, some at a time."""
    asked = (rows[rows["rank"] >= fresh] for rows in load_each(repeated))
    places = (place_of(rows["rank"], rows["position"]) for rows in asked)
    listed = out.distinct(places, sum(map(len, load_each(repeated))))
    out.save(np.asarray(listed))
    for start in range(0, len(listed), _COUNTED_AT_A_TIME):
        yield (listed[start : start + _COUNTED_AT_A_TIME] >> np.uint64(32)).astype(np.uint32)


def remove_passages(
    standings: Partition, files: WorkFiles, settings: DeduplicateSettings, spans: int, fresh: int
) -> PartitionedFile:
    """Decide on all repeated passages of one partition; write those that go, and those that stay for a `meaning`.

    They are of documents whose ranks are from `fresh` on, and written by span of doc_ids.

    A passage goes as boilerplate if it is that for its own document, and as a repeat if it is long and an earlier
    document holds it. The holder is the first document, by rank, in which it is not boilerplate. An answer stays where
    no earlier document has it under the same question; what has another meaning stays where no earlier document has it
    in the same stretch; both only where the holder has it in the same role.
    """
    rows = files.repeated_passages(standings.number).load()
    group, rank = np.cumsum(_group_starts(rows)) - 1, rows["rank"]
    told = _told(rows, standings.load())
    one_of = np.flatnonzero(told["beside"])
    said = group.copy()  # groups in which passages also mean the same
    if len(one_of):
        keys = group[one_of], told["beside"][one_of]
        by_key = np.lexsort(keys[::-1])
        said[one_of[by_key]] = len(rows) + np.cumsum(run_starts(*(key[by_key] for key in keys)))
    again = _in_earlier_stretch(group, rank, told["windows"])
    common = _is_common(said, rows, files, settings) if len(one_of) else rows["boilerplate"]
    judged = np.where(told["beside"] != 0, ~common, ~again)
    exempt = rows["boilerplate"] & told["firm"] & ~rows["call"] & judged
    boilerplate = rows["boilerplate"] & ~exempt
    held_by = _first(group, ~boilerplate)
    held, safe = held_by >= 0, np.maximum(held_by, 0)
    elsewhere = held & (rank[safe] != rank)
    same = {name: told[name] == told[name][safe] for name in ("meaning", "beside", "among", "section")}
    whole = same["section"] & (told["section"] > 0)
    alike = same["meaning"] & (told["meaning"] > 0) & (same["among"] & (told["among"] != ALL_BELOW) | whole)
    other = alike & ~same["beside"]  # the same, under another question
    said_by = np.maximum(_first(said, ~boilerplate & alike), 0)
    fixed = rows["meaning"] > 0
    own = np.where(told["beside"] != 0, other & (rank[said_by] == rank), alike & ~again)
    candidate = ~boilerplate & rows["long"] & elsewhere
    stays = candidate & (own | fixed) | (exempt & elsewhere)
    repeat = candidate & ~stays
    kept = np.where(repeat & other, said_by, safe)
    listed = (boilerplate | repeat | stays) & (rank >= fresh)
    out = np.empty(int(listed.sum()), REMOVED)
    for field in ("rank", "position", "part", "chars"):
        out[field] = rows[field][listed]
    out["boilerplate"] = boilerplate[listed]
    out["kept"] = np.where(boilerplate, NO_RANK, rank[kept])[listed]
    out["kept_position"] = np.where(boilerplate, -1, rows["position"][kept])[listed]
    out["meaning"] = np.where(stays, np.where(fixed, rows["meaning"], told["meaning"]), 0)[listed]
    return load_order(files).spread(out, files.removed_passages(standings.number), spans)


def _told(rows: Rows, standings: Rows) -> Rows:
    """What is told of each row (STANDING); of most nothing."""
    told = np.zeros(len(rows), STANDING)
    if not len(standings):
        return told
    standings = standings[np.argsort(place_of(standings["rank"], standings["position"]))]
    keys = place_of(standings["rank"], standings["position"])
    wanted = place_of(rows["rank"], rows["position"])
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    known = (keys[at] == wanted) & (rows["part"] == 0) & (standings["low"][at] == rows["low"])
    told[known] = standings[at[known]]
    return told


def _in_earlier_stretch(
    group: NDArray[np.int64], rank: NDArray[np.uint32], windows: NDArray[np.uint64]
) -> NDArray[np.bool_]:
    """Which rows have one of their windows in common with a row of their group in an earlier document."""
    again = np.zeros(len(group), np.bool_)
    for window in windows.T:
        at = np.flatnonzero(window)
        at = at[np.lexsort((rank[at], window[at], group[at]))]
        starts = run_starts(group[at], window[at])
        if len(at):
            first = at[np.flatnonzero(starts)[np.cumsum(starts) - 1]]
            again[at] |= rank[first] < rank[at]
    return again


def _is_common(
    said: NDArray[np.int64], rows: Rows, files: WorkFiles, settings: DeduplicateSettings
) -> NDArray[np.bool_]:
    """`is_boilerplate`, by groups that are not sorted."""
    by_group = np.lexsort((rows["rank"], said))
    out = np.empty(len(rows), np.bool_)
    ordered = np.cumsum(run_starts(said[by_group])) - 1
    out[by_group] = is_boilerplate(ordered, rows[by_group], load_order(files), SiteCounts.of(files), settings)
    return out


def _first(group: NDArray[np.int64], among: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each row, the first of those `among` the rows of its group, or -1."""
    first = np.full(int(group.max(initial=-1)) + 1, -1, np.int64)
    at = np.flatnonzero(among)
    first[group[at][::-1]] = at[::-1]  # the first one is written last
    return first[group]


def is_boilerplate(
    group: NDArray[np.int64],
    rows: Rows,
    order: DocumentOrder,
    counts: SiteCounts,
    settings: DeduplicateSettings,
) -> NDArray[np.bool_]:
    """Which rows (PASSAGE) are boilerplate for their own document; they are sorted by group (fingerprint) and rank.

    A row counts the documents of its group that arrived no later than its own: all of them, and those of its site. So
    a later copy changes no earlier decision.
    Long passages are boilerplate once they stand in enough documents; short ones, which many texts share by chance
    ("For example:"), only if they stand in a fair share of the site, or of everything, besides. Few documents are
    enough for lines that open like a call to subscribe, follow or click.
    """
    rank = rows["rank"]
    arrival, site = order.arrival[rank], order.site[rank]
    fresh = run_starts(group, rank)  # a row a document and group: the first; the order makes arrivals ascend in a group
    everywhere = _up_to(group, arrival, fresh)
    by_site = np.lexsort((rank, site, group))
    site_group = np.cumsum(run_starts(group[by_site], site[by_site]))
    here = np.empty(len(group), np.int64)
    here[by_site] = _up_to(site_group, arrival[by_site], fresh[by_site])
    common = everywhere >= settings.boilerplate_site_share * counts.of_all(arrival)
    local = here >= settings.boilerplate_site_share * counts.of_site(site, arrival)
    wide = (everywhere >= settings.boilerplate_documents) & (rows["long"] | common)
    narrow = (here >= settings.boilerplate_site_documents) & local
    boilerplate: NDArray[np.bool_] = wide | narrow | (rows["call"] & (everywhere >= _CALL_DOCUMENTS))
    return boilerplate


def _up_to(group: NDArray[Any], arrival: NDArray[Any], fresh: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each row, the fresh rows of its group whose arrival is no later; arrivals ascend within a group."""
    total = np.cumsum(fresh)
    starts = np.flatnonzero(run_starts(group))
    before: NDArray[np.int64] = np.repeat(total[starts] - fresh[starts], np.diff(np.append(starts, len(group))))
    # The count at the last row of an arrival holds for all its rows: carry it backwards.
    last = np.flatnonzero(np.append(run_starts(group, arrival), True)[1:])
    return total[last][np.searchsorted(last, np.arange(len(group)))] - before


@dataclass(frozen=True, slots=True, eq=False)
class SiteCounts:
    """How many documents that are no copies each site has had up to each arrival.

    `ends` has a row a site: up to before the first of the `versions`, up to it, and so on.
    """

    versions: NDArray[np.int32]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, files: WorkFiles) -> SiteCounts:
        """Those that `count_sites` wrote."""
        versions = files.site_versions.load()
        return cls(versions, files.site_counts.load().reshape(-1, len(versions) + 1))

    def of_site(self, site: NDArray[Any], arrival: NDArray[Any]) -> NDArray[np.int64]:
        """Documents of `site` whose arrival is at most `arrival`."""
        counts: NDArray[np.int64] = self.ends[site, np.searchsorted(self.versions, arrival, side="right")]
        return counts

    def of_all(self, arrival: NDArray[Any]) -> NDArray[np.int64]:
        """Documents of all sites whose arrival is at most `arrival`."""
        counts: NDArray[np.int64] = self.ends.sum(axis=0)[np.searchsorted(self.versions, arrival, side="right")]
        return counts


def count_sites(files: WorkFiles) -> None:
    """Count the documents of each site, some at a time, for `SiteCounts`."""
    order, copies = load_order(files), files.copies.load()
    pieces = [slice(start, start + _COUNTED_AT_A_TIME) for start in range(0, len(copies), _COUNTED_AT_A_TIME)]
    versions = distinct_values(merged([np.unique(order.arrival[some]) for some in pieces], np.int32))
    ends = np.zeros((len(files.sites.load()), len(versions) + 1), np.int64)
    for some in pieces:
        kept = ~copies[some]
        np.add.at(ends, (order.site[some][kept], np.searchsorted(versions, order.arrival[some][kept]) + 1), 1)
    files.site_versions.save(versions)
    files.site_counts.save(np.cumsum(ends, axis=1).reshape(-1))


def _hold(texts: pa.Array, expression: str, asked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of the passages asked of hold an expression of short lines (bytes bound characters from above)."""
    found: NDArray[np.bool_] = asked & np.asarray(pc.less_equal(pc.binary_length(texts), MAX_PROMO))
    found[found] = pl.Series(texts.filter(pa.array(found)), dtype=pl.String).str.contains(expression).to_numpy()
    return found
