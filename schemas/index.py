"""Table ``index``: what a later batch is compared with."""

import pyarrow as pa

from schemas.fields import TIMESTAMP, column, table

# Delta has no unsigned integers: hashes are kept as the same 64 bits read as signed (numpy: ``.view("int64")``).
_REPEAT = [
    column("position", pa.int32(), "Number of the block"),
    column("part", pa.int32(), "Number of the piece of the block"),
    column("reason", pa.string(), "repeat, near_repeat or promo"),
    column("kept_position", pa.int32(), "Block of the same document that says the same; null for promo", True),
    column("similarity", pa.float32(), "Verified similarity with it, 0 to 1; null for promo", True),
]

INDEX = table(
    "One row per document that is published or left out as a copy; rebuilt from the other tables if lost.",
    column("doc_id", pa.string(), "The document"),
    column("input", pa.string(), "Input file that held it, relative to the input root"),
    column(
        "arrival",
        pa.int32(),
        "Version in which the document was first seen; first key of the order that decides which copy is kept",
    ),
    column("damage", pa.int32(), "Repairs the document needed; second key"),
    column("length", pa.int64(), "Characters of repaired text; third key, longest first"),
    column("collected_at", TIMESTAMP, "Date of the document; fourth key, earliest first", True),
    column("content_sha256", pa.string(), "SHA-256 (hex) of the content as it was read"),
    column("recipe_id", pa.string(), "Settings the document was cleaned under"),
    column(
        "site",
        pa.string(),
        "Host of the source URL, or first folder of its path; boilerplate is counted per site",
    ),
    column("text_hash", pa.binary(16), "128-bit hash of the repaired text as it is; alike for exact copies"),
    column("n_shingles", pa.int32(), "Number of distinct shingles of the document"),
    column(
        "bands",
        pa.list_(pa.field("item", pa.int64(), nullable=False)),
        "LSH band hashes of the MinHash signature, 64 bits each, read as signed",
    ),
    column(
        "sketch",
        pa.list_(pa.field("item", pa.int64(), nullable=False)),
        "Smallest shingle hashes, to find containment, 64 bits each, read as signed",
    ),
    column(
        "repeats",
        pa.list_(pa.field("item", pa.struct(_REPEAT), nullable=False)),
        "Passages that promote something or repeat within the document itself, in order of position and part",
    ),
)
