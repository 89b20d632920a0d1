"""Which reader reads which file: the one table. A format is a file beside this one and a row here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from winnow.base.errors import ReadError
from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument, Read
from winnow.read.charset import decode
from winnow.read.content import COMPRESSIONS, Content, sha256
from winnow.read.delimited import read_csv, read_kept_csv, read_kept_tsv, read_tsv
from winnow.read.html import read_html
from winnow.read.json_value import read_json, read_kept_json
from winnow.read.jsonl import read_jsonl
from winnow.read.mail import read_eml, read_kept_mbox, read_mbox
from winnow.read.office import read_docx, read_epub, read_odt, read_pdf, read_rtf
from winnow.read.parquet import read_kept_parquet, read_parquet
from winnow.read.sources import FileSettings, settings_of
from winnow.read.subtitles import read_subtitles
from winnow.read.warc import read_kept_warc, read_warc
from winnow.read.xml_text import read_xml

Reader = Callable[[Content, FileSettings], Iterator[Read]]


def read_text(content: Content, settings: FileSettings) -> Iterator[RawDocument]:
    """Plain text: the whole file is one document; raises ReadError for one that is empty, binary or too large."""
    raw = content.whole(settings)
    text, encoding = decode(raw, settings.charset, certain=True)
    if not text.strip():
        raise ReadError("empty", "holds nothing but white space; remove it or write it again")
    kept = None if raw == text.encode() else raw
    yield RawDocument(
        source=content.path, text=text, encoding=encoding, content_sha256=sha256(raw), content=kept, input=content.path
    )


@dataclass(frozen=True, slots=True)
class Format:
    """How files with one of `endings` are read.

    ``read`` yields what a file holds and may raise ReadError for a file that is one document. ``read_kept`` does the
    same for the bytes that a document or reject of this format keeps: the file itself, or one record as JSON.
    ``by_lines``: a big file may be cut at line ends and its parts read apart. ``is_text``: records are lines of text,
    and a file of them in UTF-16 or UTF-32 is handed over as UTF-8.
    """

    name: str
    endings: tuple[str, ...]
    read: Reader
    read_kept: Reader
    by_lines: bool = False
    is_text: bool = False

    @property
    def is_one_document(self) -> bool:
        """Whether a file is one document, and not a table of records."""
        return self.read is self.read_kept and not self.by_lines


FORMATS = (
    Format("text", (".txt", ".text", ".md", ".markdown"), read_text, read_text),
    Format("jsonl", (".jsonl", ".ndjson"), read_jsonl, read_jsonl, by_lines=True, is_text=True),
    Format("json", (".json",), read_json, read_kept_json, is_text=True),
    Format("html", (".html", ".htm", ".xhtml"), read_html, read_html),
    Format("csv", (".csv",), read_csv, read_kept_csv, is_text=True),
    Format("tsv", (".tsv", ".tab"), read_tsv, read_kept_tsv, is_text=True),
    Format("eml", (".eml",), read_eml, read_eml),
    Format("mbox", (".mbox",), read_mbox, read_kept_mbox),
    Format("pdf", (".pdf",), read_pdf, read_pdf),
    Format("docx", (".docx",), read_docx, read_docx),
    Format("odt", (".odt",), read_odt, read_odt),
    Format("rtf", (".rtf",), read_rtf, read_rtf),
    Format("epub", (".epub",), read_epub, read_epub),
    Format("subtitles", (".srt", ".vtt"), read_subtitles, read_subtitles),
    Format("xml", (".xml",), read_xml, read_xml),
    Format("warc", (".warc", ".wet"), read_warc, read_kept_warc),
    Format("parquet", (".parquet",), read_parquet, read_kept_parquet),
)

_BY_ENDING = {ending: f for f in FORMATS for ending in f.endings}
_BY_NAME = {f.name: f for f in FORMATS}
_DEFAULTS = ReadSettings()
_UNPACKED_ONLY = frozenset({"parquet"})  # it is read from its end, which a compressed stream cannot do


@dataclass(frozen=True, slots=True)
class FileType:
    """A file's format and compression (None: none)."""

    format: Format
    compression: str | None


def type_of(path: str, settings: ReadSettings = _DEFAULTS) -> FileType | None:
    """The type of a file: as its entry in ``read.sources`` says, else from its ending; None where no reader knows it.

    >>> found = type_of("a/b.JSONL.gz")
    >>> found.format.name, found.compression, type_of("a/b.exe")
    ('jsonl', 'gzip', None)
    """
    name = path.rpartition("/")[2].lower()
    compression = next((c for ending, c in COMPRESSIONS.items() if name.endswith(ending)), None)
    if compression:
        name = name.rpartition(".")[0]
    found = _BY_NAME.get(settings_of(path, settings).format or "") if settings.sources else None
    if found is None:
        found = _BY_ENDING.get("." + name.rpartition(".")[2]) if "." in name else None
    return None if found is None or (compression and found.name in _UNPACKED_ONLY) else FileType(found, compression)


def type_name(path: str, settings: ReadSettings = _DEFAULTS) -> str:
    """What a file is read as, for people.

    >>> type_name("a.csv.gz"), type_name("a.txt")
    ('csv, gzip', 'text')
    """
    found = type_of(path, settings)
    return ", ".join(filter(None, (found.format.name, found.compression))) if found else "unknown"


def endings() -> list[str]:
    """Every ending that is read, for messages.

    >>> endings()[:2]
    ['.txt', '.text']
    """
    plain = [e for f in FORMATS for e in f.endings]
    return [*plain, f"and these packed as {', '.join(COMPRESSIONS)} or in a .zip"]
