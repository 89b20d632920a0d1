"""The dataset card of a version: Hugging Face's form, a YAML head and Markdown, made from the manifest
alone."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from winnow.base.files import parquet_file
from winnow.base.recipe import PublishSettings
from winnow.publish.manifest import Manifest
from winnow.publish.tables.row_files import read_column

_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"),
          (10**7, "1M<n<10M"), (10**8, "10M<n<100M"), (10**9, "100M<n<1B"), (10**10, "1B<n<10B"),
          (10**11, "10B<n<100B"), (10**12, "100B<n<1T"))  # fmt: skip
_MARKDOWN = re.compile(r"([\\`*_\[\]#!|<>~$&])")

LIMITS = (
    "Language is guessed from the text; short texts and mixed ones have no guess or a poor one.",
    "Repairs are rules, not an oracle: damage without proof nearby is left alone, and changes that a rule "
    "was not sure enough of are recorded in `edits` with `applied = false`.",
    "Repeats are removed as whole passages or runs of sentences; a quotation inside a paragraph stays.",
    "Nothing was checked for truth or harmful content.",
)


class SiteRow(NamedTuple):
    """What came in from a site, and what became of it."""

    site: str
    documents: int
    repaired: int
    duplicates: int
    rejected: int
    removed: int


_SITES = 20  # shown on the card


def size_category(rows: int) -> str:
    """Hugging Face's name for a number of rows.

    >>> size_category(999), size_category(1000)
    ('n<1K', '1K<n<10K')
    """
    return next((name for limit, name in _SIZES if rows < limit), "n>1T")


def markdown(text: str) -> str:
    """Text from outside as it reads, on one line, with nothing in it that Markdown or HTML would act on.

    >>> markdown("<b>[x](y)\\n# z")
    '\\\\<b\\\\>\\\\[x\\\\](y) \\\\# z'
    """
    plain = "".join(c if c.isprintable() else " " for c in text)
    return _MARKDOWN.sub(r"\\\1", plain)


def fenced(text: str, language: str = "") -> str:
    """A code block whose fence is longer than any run of backticks in it.

    >>> fenced("a")
    '```\\na\\n```'
    """
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"


def count_languages(folder: Path, manifest: Manifest) -> Counter[str]:
    """Documents by language (empty string: no guess), from a view."""
    counts: Counter[str] = Counter()
    for file in manifest.tables["documents"].files:
        for entry in read_column(folder / file.name, "language").value_counts():
            counts[entry["values"].as_py() or ""] += entry["counts"].as_py()
    return counts


def count_not_read(folder: Path, manifest: Manifest) -> Counter[str]:
    """Files that were left out by reason, from a view."""
    counts: Counter[str] = Counter()
    for file in manifest.tables["inputs"].files:
        with parquet_file(folder / file.name) as opened:
            if "skipped" in opened.schema_arrow.names:  # files of before the column came list nothing that was left out
                counts.update(opened.read(columns=["skipped"])["skipped"].drop_null().to_pylist())
    return counts


def count_sites(folder: Path, manifest: Manifest) -> list[SiteRow]:
    """What each site gave, those first that gave most, from a view; none in a version of before the table came."""
    entry = manifest.tables.get("sources")
    columns = ["site", "n_documents", "n_repaired", "n_duplicates", "n_rejected", "n_removed"]
    files = entry.files if entry else ()
    rows = [
        SiteRow(*row.values())
        for file in files
        for row in parquet_file(folder / file.name).read(columns=columns).to_pylist()
    ]
    return sorted(rows, key=lambda row: (-row.documents, row.site))


def card(
    manifest: Manifest,
    settings: PublishSettings,
    languages: Mapping[str, int],
    not_read: Mapping[str, int] = MappingProxyType({}),
    sites: Sequence[SiteRow] = (),
) -> str:
    """The text of README.md."""
    body = _body(manifest, settings, languages, not_read, sites)
    return "\n".join([*_head(manifest, settings, languages), "", *body, ""])


def _head(manifest: Manifest, settings: PublishSettings, languages: Mapping[str, int]) -> list[str]:
    # JSON strings are YAML strings.
    lines = ["---", f"license: {json.dumps(settings.licence)}", f"pretty_name: {json.dumps(settings.name)}"]
    codes = sorted(c for c in languages if re.fullmatch("[a-z]{2,3}", c))
    if codes:
        lines += ["language:", *(f"  - {json.dumps(c)}" for c in codes)]  # quoted: "no" is a language, not false
    lines += ["size_categories:", f"  - {size_category(manifest.tables['documents'].rows)}"]
    lines += ["tags:", *(f"  - {t}" for t in ("text", "cleaned", "deduplicated", "winnow")), "configs:"]
    for name in manifest.tables:
        lines += [f"  - config_name: {name}", f'    data_files: "{name}/*.parquet"']
        if name == "documents":
            lines.append("    default: true")
    return [*lines, "---"]


def _personal_data(manifest: Manifest) -> str:
    kinds = manifest.recipe.get("repair", {}).get("redact", {}).get("kinds", ())
    if not kinds:
        return "Nothing was checked for personal data."
    named = ", ".join(kind.replace("_", " ") for kind in kinds)
    return f"Personal data was replaced where its form proves it ({named}); names and addresses of people were not."


def _not_read(counts: Mapping[str, int]) -> list[str]:
    if not counts:
        return []
    rows = (f"| {markdown(why)} | {n:,} |" for why, n in sorted(counts.items(), key=lambda kind: (-kind[1], kind[0])))
    said = "Found beside the input and not read; table `inputs` names each:"
    return ["## Not read", "", said, "", "| why | files |", "| --- | ---: |", *rows, ""]


def _sites(sites: Sequence[SiteRow]) -> list[str]:
    if not sites:
        return []
    rows = [
        f"| {markdown(s.site)} | {s.documents:,} | {s.repaired:,} | {s.duplicates:,} | {s.rejected:,} | {s.removed:,} |"
        for s in sites[:_SITES]
    ]
    more = [f"And {len(sites) - _SITES:,} more; table `sources` has them all.", ""] if sites[_SITES:] else []
    head = [
        "| site | documents | repaired | duplicates | rejected | passages removed |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    return ["## Sources", "", *head, *rows, "", *more]


def _body(
    manifest: Manifest,
    settings: PublishSettings,
    languages: Mapping[str, int],
    not_read: Mapping[str, int],
    sites: Sequence[SiteRow],
) -> list[str]:
    tables = manifest.tables
    before = f"It follows version {manifest.previous}." if manifest.previous else "It is the first."
    lines = [
        f"# {markdown(settings.name)}, version {manifest.version}",
        "",
        f"{tables['documents'].rows:,} cleaned documents, with the ledger of all that was done to them. "
        f"Published {manifest.created_at:%Y-%m-%d %H:%M} UTC by run `{_code(manifest.run_id)}` "
        f"under recipe `{_code(manifest.recipe_id)}`. {before}",
        *(["", f"Note: {markdown(manifest.note)}"] if manifest.note else []),
        "",
        "## What is in it",
        "",
        "| table | rows | size | what a row is |",
        "| --- | ---: | ---: | --- |",
        *(
            f"| [`{n}`](#table-{n}) | {t.rows:,} | {_size(t.bytes)} | {markdown(t.description)} |"
            for n, t in tables.items()
        ),
        "",
        "## How to load it",
        "",
        "Plain Parquet; no catalogue, no code of ours. This folder never changes. `latest` moves on when a run "
        "publishes: a program that reads while runs go on should name the version. From this folder:",
        "",
        *_LOAD.replace("VERSION", str(manifest.version)).splitlines(),
        "",
        "## Languages",
        "",
        "| language | documents |",
        "| --- | ---: |",
        *(
            f"| {markdown(code) or 'no guess'} | {n:,} |"
            for code, n in sorted(languages.items(), key=lambda item: (-item[1], item[0]))
        ),
        "",
        *_sites(sites),
        *_not_read(not_read),
        "## How it was made",
        "",
        _HOW,
        "",
        *([_json(manifest.counts), ""] if manifest.counts else []),
        "The recipe:",
        "",
        _json(manifest.recipe),
        "",
        "Made with:",
        "",
        *(f"- {markdown(package)} {markdown(v)}" for package, v in sorted(manifest.packages.items())),
        "",
        "## Known limits",
        "",
        *(f"- {limit}" for limit in LIMITS),
        f"- {_personal_data(manifest)}",
        "",
        "## Columns",
    ]  # fmt: skip
    for name, table in tables.items():
        lines += ["", f"### Table {name}", "", markdown(table.description), "",
                  "| column | type | null | meaning |", "| --- | --- | --- | --- |"]  # fmt: skip
        lines += [
            f"| `{c.name}` | {markdown(c.type)} | {'yes' if c.nullable else 'no'} | " + f"{markdown(c.description)} |"
            for c in table.columns
        ]
    return lines


_HOW = """\
Documents are read, repaired (mojibake, broken entities and tags, split words), cleared of repeats, and
checked. Each repair is a row of `edits`, each removed passage a row of `passages`, each document left out a
row of `duplicates` or `rejects`. Nothing is lost: text and gap of a document's passages, in order, give the
repaired text, and undoing its edits gives the text as it was read."""

_LOAD = """\
```python
import pandas as pd
documents = pd.read_parquet("documents")

import polars as pl
documents = pl.read_parquet("documents/*.parquet")

import pyarrow.parquet as pq
documents = pq.read_table("documents")

import datasets
documents = datasets.load_dataset("../vVERSION", "documents", split="train")  # a folder by its name
```

```sql
-- DuckDB
FROM 'documents/*.parquet';
```"""


def _json(data: Any) -> str:
    return fenced(json.dumps(data, indent=2, sort_keys=True), "json")


def _code(text: str) -> str:
    """Text for a code span: no backticks, nothing that breaks the line."""
    return "".join(c for c in text if c.isprintable() and c != "`")


def _size(n: float) -> str:
    """Bytes for a reader.

    >>> _size(1536)
    '1.5 KB'
    """
    for unit in ("B", "KB", "MB", "GB"):
        if n < 1024:
            return f"{n:.0f} {unit}" if unit == "B" else f"{n:.1f} {unit}"
        n /= 1024
    return f"{n:.1f} TB"
