"""``croissant.json``: a version in the terms of MLCommons' Croissant 1.1, made from the manifest alone.

A set of files for each table, and a record set with its columns. Columns that Croissant has no type for (maps, bytes,
lists of structs) are left out; the dataset card describes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from winnow.base.recipe import PublishSettings
from winnow.base.recipe_values import spdx_licence
from winnow.base.records import Json
from winnow.publish.manifest import Manifest, TableEntry

_SCHEMA_ORG, _CROISSANT = "https://schema.org/", "http://mlcommons.org/croissant/"
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": _SCHEMA_ORG,
    "sc": _SCHEMA_ORG,
    "cr": _CROISSANT,
    "rai": f"{_CROISSANT}RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{
        name: f"cr:{name}"
        for name in (
            "citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject", "fileSet",
            "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet",
            "references", "regex", "repeated", "replace", "samplingRate", "separator", "source",
            "subField", "transform",
        )
    },
}  # fmt: skip

_TYPES = {
    "string": "sc:Text",
    "bool": "sc:Boolean",
    "int32": "cr:Int32",
    "int64": "cr:Int64",
    "float": "cr:Float32",
    "double": "cr:Float64",
}


def croissant(manifest: Manifest, settings: PublishSettings) -> str:
    """Returns the text of croissant.json."""
    licence = spdx_licence(settings.licence)
    data: Json = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": f"{_CROISSANT}1.1",
        "name": settings.name,
        "description": (
            f"{manifest.rows('documents')} cleaned documents, with the ledger of every repair and every removal."
        ),
        "version": f"{manifest.version}.0.0",
        "datePublished": manifest.created_at.isoformat(),
        **({"license": licence} if licence else {}),
        "distribution": [
            {
                "@type": "cr:FileSet",
                "@id": f"{name}-files",
                "name": f"{name}-files",
                "encodingFormat": "application/x-parquet",
                "includes": f"{name}/*.parquet",
            }
            for name in manifest.tables
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": name,
                "name": name,
                "description": table.description,
                "field": list(_fields(name, table)),
            }
            for name, table in manifest.tables.items()
        ],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _fields(name: str, table: TableEntry) -> Iterator[Json]:
    for column in table.columns:
        kind = "sc:DateTime" if column.type.startswith("timestamp") else _TYPES.get(column.type)
        if kind:
            yield {
                "@type": "cr:Field",
                "@id": f"{name}/{column.name}",
                "name": column.name,
                "description": column.description,
                "dataType": kind,
                "source": {"fileSet": {"@id": f"{name}-files"}, "extract": {"column": column.name}},
            }
