"""What a version says of itself to tools beside Croissant: ``datapackage.json`` and ``duckdb.sql``, from the manifest.

The first follows Data Package 2.0 (datapackage.org). The second makes a view of each table in DuckDB, with the
descriptions of tables and columns as comments; its paths are relative to the version's folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from winnow.base.contracts import ColumnEntry
from winnow.base.recipe import PublishSettings
from winnow.base.recipe_values import spdx_licence
from winnow.base.records import Json
from winnow.publish.manifest import Manifest

_PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
_TYPES = {
    "string": "string", "bool": "boolean", "int8": "integer", "int16": "integer", "int32": "integer",
    "int64": "integer", "float": "number", "double": "number",
}  # fmt: skip


def data_package(manifest: Manifest, settings: PublishSettings) -> str:
    """Returns the text of datapackage.json."""
    licence = spdx_licence(settings.licence)
    data: Json = {
        "$schema": _PROFILE,
        "name": re.sub(r"[^a-z0-9._-]+", "-", settings.name.lower()).strip("-.") or "dataset",
        "title": settings.name,
        "version": f"{manifest.version}.0.0",
        "created": manifest.created_at.isoformat(),
        **({"licenses": [{"name": licence}]} if licence else {}),
        "resources": [
            {
                "name": name,
                "description": table.description,
                "path": [f"{file.name}" for file in table.files],
                "format": "parquet",
                "mediatype": "application/vnd.apache.parquet",
                "bytes": table.bytes,
                "schema": {"fields": [_field(column) for column in table.columns]},
            }
            for name, table in manifest.tables.items()
        ],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _field(column: ColumnEntry) -> Json:
    kind = "datetime" if column.type.startswith("timestamp") else _TYPES.get(column.type, "any")
    required = {} if column.nullable else {"constraints": {"required": True}}
    return {"name": column.name, "type": kind, "description": column.description, **required}


def duckdb_views(manifest: Manifest) -> str:
    """Returns the text of duckdb.sql."""
    return "\n".join(_statements(manifest)) + "\n"


def _statements(manifest: Manifest) -> Iterator[str]:
    yield f"-- Version {manifest.version}; in its folder: duckdb -init duckdb.sql"
    for name, table in manifest.tables.items():
        yield f"CREATE OR REPLACE VIEW {_name(name)} AS SELECT * FROM read_parquet({_text(f'{name}/*.parquet')});"
        yield f"COMMENT ON VIEW {_name(name)} IS {_text(table.description)};"
        for column in table.columns:
            yield f"COMMENT ON COLUMN {_name(name)}.{_name(column.name)} IS {_text(column.description)};"


def _name(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def _text(text: str) -> str:
    escaped = text.replace("'", "''").replace("\n", " ")
    return f"'{escaped}'"
