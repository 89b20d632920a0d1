"""Passages that stand in many documents, counted by arrival, so that a later copy changes no earlier decision."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from winnow.base.recipe import DeduplicateSettings

_CALL_DOCUMENTS = 3  # a line that opens like a call to subscribe or follow, and stands in so many, is no prose


class SiteCounts:
    """How many documents each site has had up to each arrival; ``arrival[r]`` and ``site[r]`` of all that take part."""

    def __init__(self, arrival: NDArray[np.int32], site: NDArray[np.int32]) -> None:
        self.versions = np.unique(arrival)
        n_sites = int(site.max()) + 1 if len(site) else 1
        self._step = len(self.versions) + 1
        self._ends = np.zeros((n_sites, self._step), np.int64)
        if len(arrival):
            at = np.searchsorted(self.versions, arrival)
            np.add.at(self._ends, (site, at + 1), 1)
            np.cumsum(self._ends, axis=1, out=self._ends)

    def of_site(self, site: NDArray[Any], arrival: NDArray[Any]) -> NDArray[np.int64]:
        """Documents of `site` whose arrival is at most `arrival`."""
        return self._ends[site, np.searchsorted(self.versions, arrival, side="right")]

    def of_all(self, arrival: NDArray[Any]) -> NDArray[np.int64]:
        """Documents of all sites whose arrival is at most `arrival`."""
        return self._ends.sum(axis=0)[np.searchsorted(self.versions, arrival, side="right")]


def is_boilerplate(
    group: NDArray[np.int64],
    rank: NDArray[Any],
    arrival: NDArray[Any],
    site: NDArray[Any],
    chars: NDArray[Any],
    calls: NDArray[np.bool_],
    counts: SiteCounts,
    settings: DeduplicateSettings,
) -> NDArray[np.bool_]:
    """Which rows are boilerplate for their own document, rows being sorted by group (fingerprint) and rank.

    A row counts the documents of its group that arrived no later than its own: all of them, and those of its site.
    Long passages are boilerplate once they stand in enough documents; short ones, which many texts share by chance
    ("For example:"), only if they stand in a fair share of the site, or of everything, besides. `calls` marks
    lines that open like a call to subscribe, follow or click: few documents are enough for those.
    """
    n = len(group)
    if not n:
        return np.zeros(0, bool)
    # One row a document and group: the first; the order makes arrivals ascend within a group.
    fresh = np.r_[True, (group[1:] != group[:-1]) | (rank[1:] != rank[:-1])]
    everywhere = _up_to(group, arrival, fresh)
    by_site = np.lexsort((rank, site, group))
    site_group = np.cumsum(
        np.r_[True, (group[by_site][1:] != group[by_site][:-1]) | (site[by_site][1:] != site[by_site][:-1])]
    )
    here = np.empty(n, np.int64)
    here[by_site] = _up_to(site_group, arrival[by_site], fresh[by_site])
    long = chars >= settings.min_repeat_chars
    common = everywhere >= settings.boilerplate_site_share * counts.of_all(arrival)
    local = here >= settings.boilerplate_site_share * counts.of_site(site, arrival)
    wide = (everywhere >= settings.boilerplate_documents) & (long | common)
    narrow = (here >= settings.boilerplate_site_documents) & local
    return wide | narrow | (calls & (everywhere >= _CALL_DOCUMENTS))


def _up_to(group: NDArray[Any], arrival: NDArray[Any], fresh: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each row, the fresh rows of its group whose arrival is no later; arrivals ascend within a group."""
    total = np.cumsum(fresh)
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    before: NDArray[np.int64] = np.repeat(total[starts] - fresh[starts], np.diff(np.r_[starts, len(group)]))
    same = np.r_[(group[1:] == group[:-1]) & (arrival[1:] == arrival[:-1]), False]
    # The count at the last row of an arrival holds for all its rows: carry it backwards.
    last = np.flatnonzero(~same)
    return total[last][np.searchsorted(last, np.arange(len(group)))] - before
