"""Mail: which part is the text, how it is decoded, and where one message of a mailbox ends."""

from __future__ import annotations

import base64
import gzip
import mailbox
import quopri
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.articles import article

from winnow.base.recipe import ReadSettings
from winnow.base.records import LeftOut, RawDocument, Reject
from winnow.read import hold, list_inputs, read_bytes, read_documents

Found = RawDocument | Reject


def read(folder: Path, content: bytes, name: str = "a.eml", **changes: Any) -> list[Found]:
    (folder / name).write_bytes(content)
    found: list[Found] = []
    for result in read_documents(hold(list_inputs(folder / name).files[0]), ReadSettings(**changes)):
        assert not isinstance(result, LeftOut)
        found.append(result)
        if isinstance(result, RawDocument):
            assert list(
                read_bytes(result.source, name, result.content or b"", ReadSettings(**changes), result.row)
            ) == [result]
    return found


def parts(kind: str, *pieces: str) -> str:
    said = "".join(f"--b\nContent-Type: {piece}\n" for piece in pieces)
    return f'Content-Type: multipart/{kind}; boundary="b"\n\n{said}--b--\n'


PAGE = "text/html; charset=utf-8\n\n<html><body><article><p>Said in a page.</p></article>"
PLAIN = "text/plain\n\nSaid plainly."
FILE = 'application/pdf; name="a.pdf"\nContent-Disposition: attachment; filename="a.pdf"\n\nJVBERi0='
NOTE = "text/plain\nContent-Disposition: attachment; filename*=utf-8''%C3%BCber.txt\n\nnot read"
QUOTED = quopri.encodestring("Grüße aus Köln, schöne Tage.".encode("cp1252")).decode()
PACKED = base64.encodebytes("Привет из Москвы, до скорой встречи.".encode("koi8-r")).decode()
MESSAGES = {
    "a plain message": ("\nSaid plainly.", "Said plainly.", []),
    "plain before a page": (parts("alternative", PLAIN, PAGE), "Said plainly.", []),
    "whatever their order": (parts("alternative", PAGE, PLAIN), "Said plainly.", []),
    "a page alone": ("Content-Type: " + PAGE, "Said in a page.", []),
    "a page where the plain part is empty": (parts("alternative", "text/plain\n\n \n", PAGE), "Said in a page.", []),
    "all texts of a mixed message": (parts("mixed", PLAIN, PLAIN), "Said plainly.\n\nSaid plainly.", []),
    "no attachments": (parts("mixed", PLAIN, FILE, NOTE), "Said plainly.", ["a.pdf", "über.txt"]),
    "no message in the message": (
        parts("mixed", PLAIN, "message/rfc822\n\nSubject: Fwd\n\nnot read"),
        "Said plainly.",
        ["Fwd"],
    ),
    "no calendar": (parts("mixed", PLAIN, "text/calendar\n\nBEGIN:VCALENDAR"), "Said plainly.", ["text/calendar"]),
    "quoted-printable": (
        f"Content-Type: text/plain; charset=windows-1252\nContent-Transfer-Encoding: quoted-printable\n\n{QUOTED}",
        "Grüße aus Köln, schöne Tage.",
        [],
    ),
    "lines that flow on": (
        "Content-Type: text/plain; format=flowed\n\nA long \nline.\n>> It \n>> so.\n> No. \nYes\n From here.\n-- \nMe",
        "A long line.\n>> It so.\n> No. \nYes\nFrom here.\n-- \nMe",
        [],
    ),
    "lines that flow on without spaces": (
        "Content-Type: text/plain; format=Flowed; delsp=yes\n\nZu \nsammen und  \n weiter.",
        "Zusammen und weiter.",
        [],
    ),
    "spaces at ends of lines that do not": ("Content-Type: text/plain\n\nA long \nline.", "A long \nline.", []),
    "a footer behind base64": (
        f"Content-Type: text/plain; charset=koi8-r\nContent-Transfer-Encoding: Base64\n\n{PACKED}\n"
        "____\nnews mailing list\n",
        "Привет из Москвы, до скорой встречи.\n\n____\nnews mailing list",
        [],
    ),
    "text that is marked down": ("Content-Type: text/markdown\n\n# Said *plainly*", "# Said *plainly*", []),
    "base64 in two pieces": (
        "Content-Transfer-Encoding: base64\n\nR3LDvMOfZQ==\nIGF1cyBLw7ZsbiwgaGV1dGU=\n",
        "Grüße aus Köln, heute",
        [],
    ),
    "what is no base64": ("Content-Transfer-Encoding: base64\n\nSaid plainly,\nall.", "Said plainly,\nall.", []),
    "base64": (
        f"Content-Type: text/plain; charset=koi8-r\nContent-Transfer-Encoding: base64\n\n{PACKED}",
        "Привет из Москвы, до скорой встречи.",
        [],
    ),
    "an unknown charset": (
        f"Content-Type: text/plain; charset=x-none\nContent-Transfer-Encoding: quoted-printable\n\n{QUOTED}",
        "Grüße aus Köln, schöne Tage.",
        [],
    ),
    "a wrong charset": ("Content-Type: text/plain; charset=iso-2022-jp\n\nGrüße", "Grüße", []),
    "a part with a name that is shown": (
        parts("mixed", 'text/plain; name="note.txt"\nContent-Disposition: inline\n\nSaid.', "image/png\n\niVBORw0="),
        "Said.",
        ["image/png"],
    ),
    "a part with a name beside one without": (
        parts("mixed", PLAIN, 'text/plain; name="note.txt"\nContent-Disposition: inline\n\nNoted.'),
        "Said plainly.",
        ["note.txt"],
    ),
    "parts that are not there": ('Content-Type: multipart/mixed; boundary="x"\n\nSaid.', "Said.", []),
    "a page nested beside its pictures": (
        parts("related", PAGE, "image/png\nContent-ID: <1>\n\niVBORw0="),
        "Said in a page.",
        ["image/png"],
    ),
}


@pytest.mark.parametrize(("message", "text", "attached"), MESSAGES.values(), ids=MESSAGES)
def test_the_text_of_a_message_is(message: str, text: str, attached: list[str], tmp_path: Path) -> None:
    head = (
        "From: a@e.org\nSubject: =?utf-8?q?=C3=9Cber?= =?iso-8859-1?q?_K=F6ln?=\nDate: Fri, 1 Mar 2024 12:00:05 +0200\n"
    )
    (document,) = read(tmp_path, (head + message).encode())
    assert isinstance(document, RawDocument)
    assert (document.text.strip(), document.title, document.source) == (text, "Über Köln", "a.eml")
    assert document.collected_at == datetime(2024, 3, 1, 10, 0, 5, tzinfo=UTC)
    assert document.metadata["from"] == "a@e.org"
    assert orjson.loads(document.metadata.get("attachments", "[]")) == attached


HEADERS = {
    "a subject in bytes": ("Content-Type: text/plain; charset=cp1252\nSubject: Grüße\n".encode("cp1252"), "Grüße"),
    "a subject in a charset that nobody knows": (b"Subject: =?x?q?=DCber?=\n", "Über"),
    "a subject that is broken": (b"Subject: =?utf-8?b?w?=\n", "=?utf-8?b?w?="),
    "a folded subject": (b"Subject: one\n  two\n", "one two"),
    "a date that is none": (b"Subject: a\nDate: soon\n", "a"),
    "a date beyond the calendar": (b"Subject: a\nDate: Fri, 99 Mar 99999 99:00:05 +9999\n", "a"),
    "empty lines before it": (b"\n\r\nSubject: a\n", "a"),
    "a mark before it": (b"\xef\xbb\xbfSubject: a\n", "a"),
    "no subject": (b"X: y\n", None),
}


@pytest.mark.parametrize(("head", "title"), HEADERS.values(), ids=HEADERS)
def test_a_broken_header_costs_no_text(head: bytes, title: str | None, tmp_path: Path) -> None:
    (document,) = read(tmp_path, head + b"\nwords")
    assert isinstance(document, RawDocument)
    assert (document.text, document.title, document.collected_at) == ("words", title, None)


REJECTS = {
    "nothing": (b"", "empty"),
    "no text": (b"Subject: a\n\n \n", "empty"),
    "attachments alone": (("Subject: a\n" + parts("mixed", FILE)).encode(), "empty"),
    "no header": (b"\nwords", "not_a_record"),
    "bytes that are no text": (b"Subject: a\n\n" + bytes(900), "binary"),
    "parts without end": (b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 20_000, "malformed_record"),
    "parts in parts without end": (
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(500)),
        "malformed_record",
    ),
}


@pytest.mark.parametrize(("message", "kind"), REJECTS.values(), ids=REJECTS)
def test_a_message_that_cannot_be_read_is_a_reject(message: bytes, kind: str, tmp_path: Path) -> None:
    (reject,) = read(tmp_path, message)
    assert isinstance(reject, Reject)
    assert (reject.expectation, reject.content) == (kind, message)
    (reject,) = read(tmp_path, b"From a\n" + message, "a.mbox")
    assert isinstance(reject, Reject)
    assert reject.expectation == kind or not message.strip()


def test_a_message_cut_at_any_byte_gives_what_stands_before(tmp_path: Path) -> None:
    said = article(1)[:600]
    whole = ("Subject: a\n" + parts("mixed", f"text/plain\n\n{said}", FILE)).encode()
    for place in range(1, 21):
        cut = whole[: len(whole) * place // 21]
        (found,) = read(tmp_path, cut)
        if isinstance(found, Reject):
            assert (found.expectation, found.content) == ("empty", cut)
        else:
            assert said.startswith(found.text.strip())
        (packed,) = read(tmp_path, gzip.compress(whole, mtime=0)[: len(whole) * place // 42], "a.eml.gz")
        assert isinstance(packed, RawDocument) or packed.expectation in ("truncated", "empty")


def test_a_message_that_unpacks_to_too_much_is_a_reject(tmp_path: Path) -> None:
    for name, content in (
        ("a.eml.gz", MESSAGE + b"a" * 9_000_000),
        ("a.mbox.gz", b"From a\n" + MESSAGE + bytes(9_000_000)),
    ):
        (reject,) = read(tmp_path, gzip.compress(content), name, max_document_mb=1, max_unpacked_mb=4)
        assert isinstance(reject, Reject)
        assert reject.expectation in {"too_large", "decompression_bomb"}
        assert len(reject.content) <= 4_000_000


MESSAGE = b"Subject: a\n\n"


def box(folder: Path) -> tuple[bytes, list[str]]:
    """A mailbox as Python's own module writes it, and the texts in it."""
    texts = [f"From here on {article(n)[:300]}\n\nFrom there: on\n\n>From a quote\nend {n}" for n in range(8)]
    written = mailbox.mbox(folder / "made.mbox")
    for n, text in enumerate(texts):
        message = EmailMessage()
        message["Message-ID"], message["Subject"], message["From"] = f"<{n}@e.org>", f"Number {n}", "a@e.org"
        message.set_content(text)
        if n % 2:
            message.add_attachment(b"\0\1", maintype="image", subtype="png", filename="a.png")
        written.add(message)
    written.close()
    return (folder / "made.mbox").read_bytes(), texts


def test_a_mailbox_of_another_program_gives_its_messages_also_when_it_is_cut(tmp_path: Path) -> None:
    content, texts = box(tmp_path)
    whole = read(tmp_path, content, "a.mbox")
    assert [r.source for r in whole] == [f"{n}@e.org" for n in range(8)]
    # The module writes one `>` before `From `, also before one that stands behind `>`: the two cannot be told apart.
    assert [r.text.strip().replace("\nFrom a", "\n>From a") for r in whole if isinstance(r, RawDocument)] == texts
    packed = gzip.compress(content, mtime=0)
    for place in range(1, 21):
        for name, stored in (("a.mbox", content), ("a.mbox.gz", packed)):
            *before, last = read(tmp_path, stored[: len(stored) * place // 21], name)
            assert before == whole[: len(before)] if name == "a.mbox" else len(before) <= 8
            assert name == "a.mbox" or last.expectation == "truncated"  # type: ignore[union-attr]


BOXES = {
    "mboxrd quotes": (b"From a\nSubject: a\n\n>From x\n>>From y\n", ["From x\n>From y"]),
    "prose that begins with From": (b"From a\nSubject: a\n\nFrom here on\n\nFrom there\nwords\n", None),
    "line ends of Windows": (
        b"From a\r\nSubject: a\r\n\r\none\r\n\r\nFrom b\r\nSubject: b\r\n\r\ntwo\r\n",
        ["one", "two"],
    ),
    "no empty line between": (
        b"From a\nSubject: a\n\none\nFrom b Fri Mar  1 10:00:05 2024\nSubject: b\n\ntwo\n",
        ["one", "two"],
    ),
    "one that is broken": (
        b"From a\nA: a\n\none\n\nFrom b\nB: b\n\n\nFrom c\nC: c\n\nthree\n",
        ["one", "empty", "three"],
    ),
    "a mark before the first": (
        b"\xef\xbb\xbfFrom a\nSubject: a\n\none\n\nFrom b\nSubject: b\n\ntwo\n",
        ["one", "two"],
    ),
    "no mailbox": (b"Subject: a\n\nwords\n", ["not_a_record"]),
    "one that is too large": (
        b"From a\nA: a\n\none\n\nFrom b\nB: b\n\n"
        + b"a long line of words without end\n" * 40_000
        + b"\nFrom c\nC: c\n\nthree\n",
        ["one", "too_large", "three"],
    ),
    "nothing": (b"\n", ["empty"]),
}


@pytest.mark.parametrize(("content", "expected"), BOXES.values(), ids=BOXES)
def test_a_mailbox_holds(content: bytes, expected: list[str] | None, tmp_path: Path) -> None:
    found = read(tmp_path, content, "a.mbox", max_document_mb=1)
    said = [r.text.strip() if isinstance(r, RawDocument) else r.expectation for r in found]
    assert said == (expected or ["From here on\n\nFrom there\nwords"])


STORY = "The river rose by two metres during the night, and the lower road was closed until noon. " * 3


@pytest.mark.parametrize(
    ("plain", "text"),
    [
        ("Your program cannot show HTML.", STORY.strip()),
        ("The river rose; the road was closed until the next noon.",) * 2,
        (STORY.strip(),) * 2,
    ],
)  # fmt: skip
def test_a_plain_alternative_that_says_next_to_nothing_gives_way(plain, text, tmp_path):
    parts = f"--b\nContent-Type: text/plain\n\n{plain}\n--b\nContent-Type: text/html\n\n<p>{STORY}</p>\n--b--\n"
    raw = f"Subject: s\nContent-Type: multipart/alternative; boundary=b\n\n{parts}".encode()
    (document,) = read(tmp_path, raw)
    assert document.text == text
