"""Hand out a part of a version: tables, languages, sources and dates chosen, as Parquet, JSON lines or Markdown.

Rows are streamed: what is in memory is a batch of some megabytes, and 8 bytes for each document that is chosen.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc

from winnow.base.contracts import TABLES
from winnow.base.disk import flush
from winnow.base.doc_ids import DocIds, doc_keys
from winnow.base.errors import UsageError
from winnow.base.files import parquet_file
from winnow.base.recipe import PublishSettings
from winnow.base.staging import sha256_of, write_file
from winnow.publish.card import fenced, markdown
from winnow.publish.dataset import Dataset
from winnow.publish.manifest import MANIFEST, Manifest
from winnow.publish.tables.delta import KEYS
from winnow.publish.tables.row_files import read_rows, write_empty, write_rows

Format = Literal["parquet", "jsonl", "markdown"]
WITH_IDENTITY = ("documents", "duplicates")
"""Tables with a language, a source and a date of their own; rows of others go with their document."""

_FILE_BYTES = 256 << 20
_SLUG = re.compile(r"[^A-Za-z0-9]+")
_FRONT = ("doc_id", "source", "title", "language", "collected_at", "n_words", "encoding", "metadata")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is handed out. Empty means all; `sources` are patterns with * and ?, `since` and `until` whole days."""

    tables: tuple[str, ...] = ("documents",)
    languages: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    format: Format = "parquet"

    def __post_init__(self) -> None:
        """Raises UsageError for what is no table or format, and for choices that a table cannot follow."""
        if unknown := [t for t in self.tables if t not in TABLES]:
            raise UsageError(f"--tables: {unknown[0]!r} is no table; there are {', '.join(TABLES)}")
        if self.format not in get_args(Format):
            raise UsageError(f"--format {self.format}: is none of {', '.join(get_args(Format))}")
        if self.format == "markdown" and self.tables != ("documents",):
            raise UsageError("--format markdown: holds documents and no other table; leave --tables out")
        if (self.languages or self.since or self.until) and "rejects" in self.tables:
            raise UsageError("--tables rejects: a reject has no language and no date; leave it out or choose by source")

    @property
    def is_narrow(self) -> bool:
        return bool(self.languages or self.sources or self.since or self.until)

    def mask(self, rows: pa.Table) -> pa.Array | pa.ChunkedArray:
        """Which rows of a table with sources are chosen."""
        chosen = pa.array([True] * len(rows))
        if self.languages:
            chosen = pc.and_(chosen, pc.is_in(rows["language"], value_set=pa.array(self.languages, pa.string())))
        if self.sources:
            fits = pc.match_substring_regex(rows["source"], _pattern(self.sources))
            chosen = pc.and_(chosen, fits)
        for day, compare, start in ((self.since, pc.greater_equal, 0), (self.until, pc.less, 1)):
            if day is not None:
                at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=start)
                chosen = pc.and_(chosen, compare(rows["collected_at"], pa.scalar(at, rows["collected_at"].type)))
        return pc.fill_null(chosen, False)


def _pattern(sources: Sequence[str]) -> str:
    """RE2's form of patterns with * and ?.

    >>> _pattern(["news/*", "a.txt"])
    '(?s)^(?:news/.*|a\\\\.txt)$'
    """
    parts = (re.escape(s).replace(r"\*", ".*").replace(r"\?", ".") for s in sources)
    return f"(?s)^(?:{'|'.join(parts)})$"


@dataclass(slots=True, kw_only=True)
class Selected:
    """What was written: rows by table."""

    rows: dict[str, int] = field(default_factory=dict)


def write_selection(dataset: Dataset, version: int, choice: Choice, folder: Path) -> Selected:
    """Writes what is chosen of a version to a new folder, with a README and a manifest of its own."""
    manifest = dataset.manifest(version)
    if missing := [t for t in choice.tables if t not in manifest.tables]:
        raise UsageError(f"--tables: v{version} has no table {missing[0]}; it came with a later version")
    done = Selected()
    chosen = _chosen(dataset, version, choice)
    folder.mkdir(parents=True)
    for table in choice.tables:
        files = dataset.files(table, version)
        rows = _rows(files, table, choice, chosen)
        write = {"parquet": _write_parquet, "jsonl": _write_lines, "markdown": _write_pages}[choice.format]
        done.rows[table] = write(rows, parquet_file(files[0]).schema_arrow, table, folder)
    _describe(manifest, sha256_of(dataset.manifest_path(version)), choice, done, folder)
    return done


def _chosen(dataset: Dataset, version: int, choice: Choice) -> DocIds | None:
    """The documents that are chosen; None where all are."""
    if not choice.is_narrow:
        return None

    def keys() -> Iterator[Any]:
        for table in WITH_IDENTITY:
            if table == "documents" or table in choice.tables:
                columns = ("doc_id", "source", "language", "collected_at")
                schema = pa.schema([TABLES[table].field(n) for n in columns])
                for rows in read_rows(dataset.files(table, version), schema):
                    yield doc_keys(rows.filter(choice.mask(rows))["doc_id"])

    return DocIds.of_batches(keys())[0]


def _rows(files: Sequence[Path], table: str, choice: Choice, chosen: DocIds | None) -> Iterator[pa.Table]:
    for rows in read_rows(files, parquet_file(files[0]).schema_arrow):
        if chosen is None or KEYS[table] != "doc_id":
            yield rows
        elif table == "rejects":
            yield rows.filter(choice.mask(rows))
        else:
            yield rows.filter(pa.array(chosen.have(doc_keys(rows["doc_id"]))))


def _write_parquet(rows: Iterable[pa.Table], schema: pa.Schema, table: str, folder: Path) -> int:
    paths = (folder / table / f"part-{n:05d}.parquet" for n in count())
    written = write_rows(rows, schema, paths, KEYS[table], _FILE_BYTES)
    if not written:
        write_empty(folder / table / "part-00000.parquet", schema)
    return sum(f.rows for f in written)


def _write_lines(rows: Iterable[pa.Table], schema: pa.Schema, table: str, folder: Path) -> int:
    path = folder / f"{table}.jsonl.zst"
    n_rows = 0
    with pa.OSFile(str(path), "wb") as file, pa.CompressedOutputStream(file, "zstd") as sink:
        for batch in rows:
            sink.write("".join(json_line(row) for row in batch.to_pylist()).encode("utf-8", "surrogatepass"))
            n_rows += batch.num_rows
    flush(path)
    return n_rows


def json_line(row: Mapping[str, Any]) -> str:
    """Returns a row as a line of JSON: metadata as an object, dates in ISO form, bytes in Base64."""
    if isinstance(row.get("metadata"), str):
        row = {**row, "metadata": json.loads(row["metadata"])}
    return json.dumps(row, ensure_ascii=False, default=_plain) + "\n"


def _plain(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value.isoformat())


def _write_pages(rows: Iterable[pa.Table], schema: pa.Schema, table: str, folder: Path) -> int:
    """One file a document, in folders by the first digits of its doc_id, for no folder may have millions of files."""
    n_rows = 0
    for batch in rows:
        for row in batch.to_pylist():
            path = folder / table / row["doc_id"][:2] / page_name(row["source"], row["doc_id"])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_page(row).encode("utf-8", "surrogatepass"))
        n_rows += batch.num_rows
    return n_rows


def page_name(source: str, doc_id: str) -> str:
    """Returns a name that every file system takes, and that tells the source where that can be told.

    >>> page_name("../../etc/passwd?x=<1>", "5550000d3b1cf1ff"), page_name("…", "5550000d3b1cf1ff")
    ('etc-passwd-x-1-5550000d3b1cf1ff.md', '5550000d3b1cf1ff.md')
    """
    slug = _SLUG.sub("-", source[-400:]).strip("-")[-80:].strip("-")
    return f"{slug}-{doc_id}.md" if slug else f"{doc_id}.md"


def _page(row: Mapping[str, Any]) -> str:
    """Front matter in YAML, whose values are JSON, and the text as it is."""
    values = {name: row[name] for name in _FRONT if row.get(name) is not None}
    values["metadata"] = json.loads(values.get("metadata") or "{}")
    # ASCII: a line end of Unicode would end a line of YAML.
    lines = (f"{name}: {json.dumps(value, default=_plain)}" for name, value in values.items() if value != {})
    return "\n".join(("---", *lines, "---", "", row["text"])) + "\n"


def _describe(manifest: Manifest, sha256: str, choice: Choice, done: Selected, folder: Path) -> None:
    """Writes README.md, and last the manifest, which lists every file with its size and SHA-256."""
    settings = PublishSettings.model_validate(manifest.recipe.get("publish", {}))
    said = {k: [*v] if isinstance(v, tuple) else v for k, v in asdict(choice).items() if v}
    said = {k: v.isoformat() if isinstance(v, date) else v for k, v in said.items()}
    rows = "\n".join(f"| {table} | {n:,} |" for table, n in done.rows.items())
    how = {
        "parquet": "Each folder is a table, in Parquet: `pandas.read_parquet('documents')`.",
        "jsonl": "Each file is a table, a JSON object a line, packed with zstd; bytes are in Base64.",
        "markdown": "Each file in `documents/` is a document: front matter, then its text.",
    }[choice.format]
    title = f"# {markdown(settings.name)}, from version {manifest.version}"
    chosen = fenced(json.dumps(said, indent=2, ensure_ascii=False), "json")
    readme = (
        f"{title}\n\nLicence of the texts: {markdown(settings.licence)}. What was chosen:\n\n{chosen}\n\n"
        f"| table | rows |\n| --- | ---: |\n{rows}\n\n{how}\n"
    )
    write_file(folder / "README.md", readme.encode())
    files = {
        p.relative_to(folder).as_posix(): {"bytes": p.stat().st_size, "sha256": sha256_of(p)}
        for p in sorted(folder.rglob("*")) if p.is_file()
    }  # fmt: skip
    data = {
        "format": 1, "name": settings.name, "licence": settings.licence, "version": manifest.version,
        "run_id": manifest.run_id, "recipe_id": manifest.recipe_id, "chosen": said, "rows": done.rows,
        "erased": sum(e.documents for e in manifest.erased), "files": files,
        "version_manifest_sha256": sha256,
    }  # fmt: skip
    write_file(folder / MANIFEST, (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode())
