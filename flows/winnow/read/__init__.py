"""Read: bytes and files to raw documents (formats, charsets, main text of HTML)."""

from winnow.read.formats import type_name
from winnow.read.held_files import hold
from winnow.read.input_files import list_inputs
from winnow.read.listing import InputFile, InputFiles, Listing, Skipped, SkippedFiles
from winnow.read.shards import Shard, Span, plan_shards, read_bytes, read_documents, read_shard

__all__ = [
    "InputFile",
    "InputFiles",
    "Listing",
    "Shard",
    "Skipped",
    "SkippedFiles",
    "Span",
    "hold",
    "list_inputs",
    "plan_shards",
    "read_bytes",
    "read_documents",
    "read_shard",
    "type_name",
]
