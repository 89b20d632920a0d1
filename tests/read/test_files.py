"""Files that are one document, tables of records, and every way a file can be bad."""

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument, Reject
from winnow.read import InputFile, hold, list_inputs, read_bytes, read_documents
from winnow.read.content import sha256

SETTINGS = ReadSettings()


def read(tmp_path, name, content, **changes):
    (tmp_path / name).write_bytes(content)
    return list(read_documents(list_inputs(tmp_path / name).files[0], SETTINGS.model_copy(update=changes)))


def test_a_text_file_is_a_document_named_by_its_path(tmp_path):
    (document,) = read(tmp_path, "a.md", "# Héad\n\nText.\n".encode())
    text = "# Héad\n\nText.\n"
    assert document == RawDocument(
        source="a.md", text=text, encoding="utf-8", content_sha256=sha256(text.encode()), input="a.md"
    )


def test_bytes_are_kept_where_they_differ_from_the_text(tmp_path):
    (document,) = read(tmp_path, "a.txt", b"a\r\nb")
    assert (document.text, document.content, document.content_sha256) == ("a\nb", b"a\r\nb", sha256(b"a\r\nb"))


def test_a_packed_text_file_is_a_document(tmp_path):
    (document,) = read(tmp_path, "a.txt.gz", gzip.compress(b"hello", mtime=0))
    assert (document.source, document.text, document.content) == ("a.txt.gz", "hello", None)


@pytest.mark.parametrize(
    ("name", "content", "kind", "kept"),
    [
        ("a.txt", b"", "empty", True),
        ("a.txt", b" \n\n", "empty", True),
        ("a.txt", bytes(5000), "binary", True),
        ("a.txt", b"x" * 1_100_000, "too_large", False),
        ("a.txt.gz", gzip.compress(bytes(range(97, 123)) * 500, mtime=0)[:-20], "truncated", True),
        ("a.txt.gz", gzip.compress(b"x" * 5_000_000, mtime=0), "too_large", False),
        ("a.html", b"<html><body><script>x</script></body></html>", "empty", True),
        ("a.parquet", b"PAR1 no", "damaged", True),
    ],
)
def test_a_bad_file_is_one_reject_that_replays_to_itself(tmp_path, name, content, kind, kept):
    changes = {"max_document_mb": 1}
    (reject,) = read(tmp_path, name, content, **changes)
    assert isinstance(reject, Reject)
    assert (reject.source, reject.input, reject.expectation, reject.stage) == (name, name, kind, "read")
    assert reject.content == (content if kept else b"") and reject.reason.startswith(name)
    if kept and not name.endswith("parquet"):
        (again,) = read_bytes(name, name, reject.content, SETTINGS.model_copy(update=changes))
        assert again == reject


def test_a_file_that_vanished_is_a_reject_and_has_no_hash(tmp_path):
    file = InputFile("gone.txt", str(tmp_path / "gone.txt"), 3)
    (reject,) = read_documents(file, SETTINGS)
    assert (reject.expectation, hold(file).sha256) == ("unreadable", "")
    assert "no such file" in hold(file).fault
    (tmp_path / "gone.txt").mkdir()
    (reject,) = read_documents(file, SETTINGS)
    assert reject.expectation == "unreadable"


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"x" * 3_000_000)
    assert hold(list_inputs(tmp_path).files[0]).sha256 == sha256(b"x" * 3_000_000)


def test_html_keeps_paragraphs_lists_tables_and_its_title(tmp_path):
    page = """<html><head><meta charset=cp1252><title>The  title</title></head><body><nav><a href=/>Home</a></nav>
    <article><h1>Heading</h1><p>First paragraph with <b>many</b> words, so that it counts as the main text.</p>
    <p>Second paragraph, also\n long enough, with caf\xe9 and more words to be kept as main text.</p>
    <ul><li>one <b>thing</b></li><li>another</li></ul>
    <table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2 x</td></tr></table>
    </article><footer>Footer links</footer></body></html>"""
    (document,) = read(tmp_path, "a.html", page.encode("cp1252"))
    assert document.title == "The title" and document.encoding == "cp1252" and document.content == page.encode("cp1252")
    assert document.text.split("\n\n") == [
        "Heading",
        "First paragraph with many words, so that it counts as the main text.",
        "Second paragraph, also long enough, with café and more words to be kept as main text.",
        "- one thing\n- another",
        "a | b\n1 | 2 x",
    ]


def test_the_same_page_reads_the_same_after_other_pages(tmp_path):
    page = b"<html><body><article>" + b"<p>The same paragraph stands here again.</p>" * 4 + b"</article></body></html>"
    assert len({read(tmp_path, "a.html", page)[0].text for _ in range(5)}) == 1


@pytest.mark.parametrize("piece", ["<div>", "<ul><li>x", "<p>a</p>", "<a ", "<!--", "<table><tr><td>", "</b><b>"])
def test_hostile_pages_end_soon(tmp_path, piece):
    import time

    started = time.process_time()
    read(tmp_path, "a.html", b"<html><body>" + piece.encode() * (1_000_000 // len(piece)))
    assert time.process_time() - started < 15  # seconds; quadratic time would be minutes


def test_tables_of_records_are_read_row_by_row(tmp_path):
    csv = 'id,text,k\r\n1,"Hello, ""you""\r\nthere",v\r\n2,,w\r\n3,a,b,c\r\n'
    first, second, third = read(tmp_path, "a.csv", csv.encode())
    assert (first.source, first.text, first.metadata) == ("1", 'Hello, "you"\nthere', {"k": "v"})
    assert (second.expectation, third.expectation) == ("no_text", "malformed_row")
    assert "row 3" in second.reason
    (tsv,) = read(tmp_path, "a.tsv", "id\ttext\n1\tgr\u00fcn\n".encode("cp1252"))
    assert tsv.text == "grün"


def test_parquet_rows_are_records(tmp_path):
    pq.write_table(pa.table({"url": ["u", None], "text": ["hello", None], "n": [1, 2]}), tmp_path / "a.parquet")
    document, reject = read_documents(list_inputs(tmp_path).files[0], SETTINGS)
    assert (document.source, document.text, document.metadata) == ("u", "hello", {"n": "1"})
    assert reject.expectation == "no_text"
    (again,) = read_bytes(document.source, "a.parquet", document.content, SETTINGS)
    assert again == document


def test_a_table_without_a_text_column_says_which_it_has(tmp_path):
    (reject,) = read(tmp_path, "a.csv", b"id,body\n1,x\n")
    assert reject.expectation == "no_text" and "'body'" in reject.reason
