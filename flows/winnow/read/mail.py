"""Mail: one message a file (``.eml``) or many in a file (``.mbox``); its plain text, else the text of its page.

The subject is the title, the date dates it. What is attached is named in the metadata and not read.
"""

from __future__ import annotations

import base64
import email.utils
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.feedparser import BytesFeedParser
from email.header import decode_header
from email.message import Message
from typing import Any, cast

import orjson

from winnow.base.errors import ReadError
from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument, Reject, without_lone_surrogates
from winnow.read.charset import Decoded, decode
from winnow.read.content import MB, Content, internal_error, sha256
from winnow.read.html import page_of
from winnow.read.jsonl import Line, lines_of

_MOST_PARTS, _MOST_LEVELS = 10_000, 30  # each part costs 2 kB of objects, each level a look at every line
_HEADER_CHARS = 16_000
_STUB = 8  # times the words of a plain alternative in the others, from which it but says that one cannot read them
_NAMED = ("From", "To", "Cc", "Message-ID", "In-Reply-To", "List-Id")
_HEADER = re.compile(rb"[!-9;-~]{1,76}[ \t]{0,4}:|>From ")
_FROM_DATE = re.compile(rb"[A-Z][a-z]{2} [A-Z][a-z]{2} {1,2}\d{1,2} \d{1,2}:\d\d")
_MARK = b"\xef\xbb\xbf"
_QUOTED_FROM = re.compile(rb"^>(>{0,99}From )", re.MULTILINE)


def read_eml(content: Content, settings: ReadSettings) -> Iterator[RawDocument]:
    """One document; raises ReadError for what is empty, too large, no message, or without a text."""
    raw = content.whole(settings)
    yield _document(raw, raw, content.path, content.path)


def read_mbox(content: Content, settings: ReadSettings) -> Iterator[RawDocument | Reject]:
    """A document or a reject for each message; what is kept of it are its lines as they stand in the file.

    A message is named by its Message-ID, or by its content where it has none.
    """
    row = 0
    for row, piece in enumerate(_pieces(content, int(settings.max_document_mb * MB)), 1):
        digest = sha256(piece.raw)
        source, place = f"{content.path}#{digest[:16]}", f", message at byte {piece.offset}"
        try:
            if piece.error is not None:
                raise piece.error
            first, _, message = piece.raw.removeprefix(_MARK).partition(b"\n")
            if not first.startswith(b"From "):
                raise ReadError("not_a_record", "does not begin with a line 'From ' and is no mailbox; write it again")
            document = _document(_QUOTED_FROM.sub(rb"\1", message), piece.raw, source, content.path, by_its_id=True)
        except ReadError as error:
            yield content.reject(error.kind, f"{place}: {error}", piece.raw, source, row)
        except Exception as error:
            yield internal_error(content.path, place, error, piece.raw, source, row)
        else:
            yield replace(document, row=row)
    if not row:
        yield content.reject("empty", ": holds no message; remove it or write it again")


def read_kept_mbox(content: Content, settings: ReadSettings) -> Iterator[RawDocument | Reject]:
    """What the bytes of one message hold."""
    yield from read_mbox(content, settings)


@dataclass(slots=True)
class _Piece:
    """A message as it stands from byte ``offset`` of the unpacked file on."""

    offset: int
    limit: int
    lines: list[bytes] = field(default_factory=list)
    size: int = 0
    error: ReadError | None = None

    @property
    def raw(self) -> bytes:
        return b"\n".join(self.lines).rstrip(b"\r\n")

    def add(self, line: Line) -> None:
        self.size += line.size + 1
        if self.size > self.limit and self.error is None:
            why = f"has more than {self.limit / MB:g} MB and is not kept here; raise read.max_document_mb"
            self.error, self.lines = ReadError("too_large", why), []
        if self.error is None:
            self.lines.append(line.raw)


def _pieces(content: Content, limit: int) -> Iterator[_Piece]:
    """The messages of a file. One begins with a line ``From `` that a header follows, after an empty line or dated."""
    piece: _Piece | None = None
    held: Line | None = None  # what comes next decides whether a message begins with it
    before = b""
    try:
        for line in lines_of(content, limit):
            if held is not None:
                if _HEADER.match(line.raw):
                    if piece is not None:
                        yield piece
                    piece = _Piece(held.offset, limit)
                piece = piece or _Piece(held.offset, limit)
                piece.add(held)
                before, held = held.raw, None
            if line.raw.removeprefix(_MARK).startswith(b"From ") and (
                not before.rstrip(b"\r") or _FROM_DATE.search(line.raw, 0, 1000)
            ):
                held = line
                continue
            if piece is None and line.raw.rstrip(b"\r"):
                piece = _Piece(line.offset, limit)
            if piece is not None:
                piece.add(line)
            before = line.raw
    except ReadError as error:
        piece = piece or _Piece(content.first, limit)
        lost = error.tail if held is None else held.raw + b"\n" + error.tail
        piece.lines.append(lost)
        piece.error = ReadError(error.kind, f"{error}; messages before it were read")
        yield piece
        return
    if held is not None:
        piece = piece or _Piece(held.offset, limit)
        piece.add(held)
    if piece is not None:
        yield piece


def _document(message: bytes, raw: bytes, source: str, path: str, by_its_id: bool = False) -> RawDocument:
    try:
        parsed = _parsed(message)
    except ReadError:
        raise
    except Exception as error:  # the standard library's parser on hostile input
        why = f"{type(error).__name__}: {str(error)[:100]}"
        raise ReadError("malformed_record", f"is no message that can be read ({why}); save it again") from error
    if not parsed.keys():
        raise ReadError("not_a_record", "has no header and is no mail; save it again, or name it .txt")
    for named_too in (False, True):
        attached: list[str] = []
        if texts := _texts(parsed, attached, named_too):
            break
    text = "\n\n".join(said.text.strip("\n") for said in texts)
    if not text.strip():
        named = f"; attached: {', '.join(attached[:3])}"[:200] if attached else ""
        raise ReadError("empty", f"is a message without text{named}; what is attached is not read")
    metadata = {name.lower().replace("-", "_"): _header(parsed, name) for name in _NAMED}
    if attached:
        metadata["attachments"] = orjson.dumps(attached).decode()
    identity = metadata["message_id"].strip("<> ")
    return RawDocument(
        source=identity if by_its_id and identity else source,
        text=text,
        encoding=", ".join(dict.fromkeys(said.encoding for said in texts)),
        content_sha256=sha256(raw),
        title=_header(parsed, "Subject") or None,
        collected_at=_date(parsed),
        metadata={name: value for name, value in metadata.items() if value},
        content=raw,
        input=path,
    )


def _parsed(message: bytes) -> Message:
    message = message.removeprefix(_MARK).lstrip(b"\r\n")
    parts = 0
    parser: BytesFeedParser | None = None  # it makes a part as it is made itself

    def new_part(**policy: Any) -> Message:
        nonlocal parts
        parts += 1
        # The stack is the parser's own, and the only place that tells how deep it is.
        if parts > _MOST_PARTS or len(getattr(parser, "_msgstack", ())) > _MOST_LEVELS:
            raise ReadError("malformed_record", "has too many parts, or parts in parts; save its text by itself")
        return Message(**policy)

    parser = BytesFeedParser(new_part)
    for at in range(0, len(message), 1 << 16):
        parser.feed(message[at : at + (1 << 16)])
    return parser.close()


def _texts(part: Message, attached: list[str], named_too: bool = False) -> list[Decoded]:
    """The texts of a part in order; of alternatives the plain one, unless it is a stub, else the first that has any.

    With `named_too` also those that have a file's name, but are shown and not attached.
    """
    name, kind = _quietly(part.get_filename), part.get_content_type()
    shown = named_too and kind.startswith("text/")
    if (name and not shown) or _quietly(part.get_content_disposition) == "attachment":
        attached.append(_decoded_words(name or kind))
        return []
    if part.is_multipart():
        children = cast(list[Message], part.get_payload())
        if kind.startswith("message/"):
            attached.append(_header(children[0], "Subject") or kind if children else kind)
            return []
        found = [(child.get_content_type() == "text/plain", _texts(child, attached, named_too)) for child in children]
        found = [(is_plain, texts) for is_plain, texts in found if any(t.text.strip() for t in texts)]
        if kind == "multipart/alternative":
            most = max((_words(texts) for _, texts in found), default=0)
            found = sorted(found, key=lambda f: (_words(f[1]) * _STUB < most, not f[0]))[:1]
        return [text for _, texts in found for text in texts]
    raw = _unpacked(part)
    if not raw.strip():
        return []
    charset = _quietly(part.get_content_charset)
    if kind == "text/html":
        try:
            page = page_of(raw, charset)
        except ReadError as error:
            if error.kind != "empty":
                raise
            return []
        return [Decoded(page.text, page.encoding)]
    if kind in _PLAIN or kind.startswith("multipart/"):  # one whose parts cannot be told is text as it stands
        found_text = decode(raw, charset)
        if _parameter(part, "format") == "flowed":
            text = reflowed(found_text.text, joined=_parameter(part, "delsp") == "yes")
            found_text = found_text._replace(text=text)
        return [found_text]
    attached.append(kind)
    return []


_PLAIN = ("text/plain", "text/markdown", "text/enriched")
_BASE64_LINE = re.compile(r"[A-Za-z0-9+/]+={0,2}")


def _unpacked(part: Message) -> bytes:
    """The bytes of a part; of base64 all pieces, and what stands behind them in plain text: a mailing list's footer."""
    payload = part.get_payload()
    if str(part.get("Content-Transfer-Encoding", "")).strip().lower() != "base64" or not isinstance(payload, str):
        raw = part.get_payload(decode=True)
        return raw if isinstance(raw, bytes) else b""
    lines = [line.strip() for line in payload.splitlines()]
    plain = next((n for n, line in enumerate(lines) if line and not _BASE64_LINE.fullmatch(line)), len(lines))
    padded = next((n for n, line in enumerate(lines[:plain]) if line.endswith("=")), plain - 1)
    at = padded + 1 if plain < len(lines) else plain
    pieces = re.findall(r"[A-Za-z0-9+/]{2,}", "".join(f"{line} " if "=" in line else line for line in lines[:at]))
    rest = "\n".join(lines[at:]).strip()
    unpacked = b"".join(base64.b64decode(piece[: len(piece) - (len(piece) % 4 == 1)] + "==") for piece in pieces)
    return unpacked + b"\n\n" * bool(unpacked and rest) + rest.encode("utf-8", "surrogateescape")


def _words(texts: list[Decoded]) -> int:
    return sum(len(said.text.split()) for said in texts)


def _parameter(part: Message, name: str) -> str:
    return (_quietly(lambda: cast("str | None", part.get_param(name))) or "").lower()


def reflowed(text: str, *, joined: bool) -> str:
    """The paragraphs of a text whose lines flow on where they end in a space (RFC 3676), unless a signature begins.

    `joined` says that this space is none of the text. Lines that are quoted with ``>`` flow on in quotes as deep.

    >>> reflowed("A long \\nline.\\n> It \\n> was.\\n-- \\nMe", joined=False)
    'A long line.\\n> It was.\\n-- \\nMe'
    """
    pieces: list[str] = []
    open_depth = -1  # of quotes of the line that flows on
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        said = line[depth:].removeprefix(" ")
        is_signature = said == "-- "
        if depth != open_depth or is_signature:
            pieces.append("\n" * bool(pieces) + line[:depth] + " " * bool(depth))
        flows = said.endswith(" ") and not is_signature
        pieces.append(said.removesuffix(" ") if flows and joined else said)
        open_depth = depth if flows else -1
    return "".join(pieces)


def _quietly(look: Callable[[], str | None]) -> str | None:
    """What a header says; None where it is broken in a way that the standard library stumbles over."""
    try:
        found = look()
    except Exception:
        return None
    return found if found is None else without_lone_surrogates(str(found)[:_HEADER_CHARS])


def _header(message: Message, name: str) -> str:
    raw = next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")[:_HEADER_CHARS]
    if raw.isascii():
        return _decoded_words(raw)
    # Bytes beyond ASCII, which no header may hold and many do, stand as surrogates.
    charset = _quietly(message.get_content_charset)
    return _decoded_words(_text_of(raw.encode("utf-8", "surrogateescape"), charset))


def _decoded_words(value: str) -> str:
    """A header's value with its encoded words (RFC 2047) decoded, also those in an unknown charset.

    >>> _decoded_words("=?utf-8?q?caf=C3=A9?= and =?x-unknown?b?Y2Fm6Q==?=")
    'café and café'
    """
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError, AssertionError):
        pieces = [(value, None)]
    said = [piece if isinstance(piece, str) else _text_of(piece, charset) for piece, charset in pieces]
    return without_lone_surrogates(" ".join("".join(said).split()))


def _text_of(piece: bytes, charset: str | None) -> str:
    try:
        return decode(piece, charset).text
    except ReadError:
        return piece.decode("latin-1")


def _date(message: Message) -> datetime | None:
    try:
        date = email.utils.parsedate_to_datetime(str(message.get("Date") or "")[:200])
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
