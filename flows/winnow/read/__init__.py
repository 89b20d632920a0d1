"""Read: bytes and files to raw documents (formats, charsets, main text of HTML)."""

from winnow.read.inputs import InputFile, Listing, Skipped, list_inputs, list_inputs_and_skipped
from winnow.read.reader import file_sha256, read_bytes, read_documents, read_shard
from winnow.read.shards import Shard, Span, plan_shards

__all__ = [
    "InputFile",
    "Listing",
    "Shard",
    "Skipped",
    "Span",
    "file_sha256",
    "list_inputs",
    "list_inputs_and_skipped",
    "plan_shards",
    "read_bytes",
    "read_documents",
    "read_shard",
]
