"""Whether one site loses a far greater share than it did before, or than the others do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from winnow.base.recipe import ValidateSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCounts:
    """What came in from a site, and what of it was left out, rejected and removed."""

    n_documents: int
    n_duplicates: int
    n_rejected: int
    n_passages: int
    n_removed: int

    @property
    def documents_lost(self) -> float:
        """Share of its documents that are left out or rejected."""
        return (self.n_duplicates + self.n_rejected) / self.n_documents if self.n_documents else 0.0

    @property
    def passages_lost(self) -> float:
        """Share of the passages of its published documents that are removed."""
        return self.n_removed / self.n_passages if self.n_passages else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteLoss:
    """By how much more a site loses than it did before, or than the others do; and in words."""

    site: str
    rise: float
    sentence: str

    def with_examples(self, sources: Sequence[str]) -> SiteLoss:
        return replace(self, sentence=f"{self.sentence}, for example {', '.join(sources)}") if sources else self


def largest_loss(
    now: Mapping[str, SiteCounts], before: Mapping[str, SiteCounts], settings: ValidateSettings
) -> SiteLoss | None:
    """The site whose share of lost documents or passages rose most; None where no site is large enough to judge.

    A site that the version before knew is judged by what it lost then. A new one is judged by the documents that the
    others lose: how much of a page is its frame is the site's own way.

    >>> one = SiteCounts(n_documents=200, n_duplicates=180, n_rejected=0, n_passages=0, n_removed=0)
    >>> other = SiteCounts(n_documents=400, n_duplicates=20, n_rejected=20, n_passages=0, n_removed=0)
    >>> largest_loss({"a.org": one, "b.org": other}, {}, ValidateSettings()).sentence
    'a.org lost 90 % of its 200 documents, where the other sites lost 10 %'
    """
    least = max(settings.min_drift_documents, 1)
    losses = []
    for site, counts in sorted(now.items()):
        if counts.n_documents < least:
            continue
        known = before.get(site)
        if known is not None and known.n_documents >= least:
            for what, n, lost, then in (
                ("documents", counts.n_documents, counts.documents_lost, known.documents_lost),
                ("passages", counts.n_passages, counts.passages_lost, known.passages_lost),
            ):
                said = f"{site} lost {_percent(lost)} of its {n:,} {what}, where it lost {_percent(then)} before"
                losses.append(SiteLoss(site=site, rise=lost - then, sentence=said))
            continue
        others = [c for name, c in now.items() if name != site]
        total = sum(c.n_documents for c in others)
        if total >= least:
            share = sum(c.n_duplicates + c.n_rejected for c in others) / total
            lost = counts.documents_lost
            said = f"{site} lost {_percent(lost)} of its {counts.n_documents:,} documents"
            sentence = f"{said}, where the other sites lost {_percent(share)}"
            losses.append(SiteLoss(site=site, rise=lost - share, sentence=sentence))
    return max(losses, key=lambda loss: loss.rise, default=None)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
