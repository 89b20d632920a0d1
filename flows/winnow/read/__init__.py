"""Read: bytes and files to raw documents (formats, charsets, main text of HTML)."""

from winnow.read.input_files import InputFile, Listing, Skipped, list_inputs
from winnow.read.shards import Shard, Span, file_sha256, plan_shards, read_bytes, read_documents, read_shard

__all__ = [
    "InputFile",
    "Listing",
    "Shard",
    "Skipped",
    "Span",
    "file_sha256",
    "list_inputs",
    "plan_shards",
    "read_bytes",
    "read_documents",
    "read_shard",
]
