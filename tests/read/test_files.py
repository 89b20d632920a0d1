"""Files that are one document, tables of records, and every way a file can be bad."""

import base64
import bz2
import gzip
import io
import json
import lzma
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow.parquet import encryption

from winnow.base.recipe import ReadSettings
from winnow.base.records import RawDocument, Reject
from winnow.read import InputFile, hold, list_inputs, read_bytes, read_documents
from winnow.read.content import sha256
from winnow.read.fields import Records

SETTINGS = ReadSettings(ids="everywhere")


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
    (again,) = read_bytes(document.source, "a.parquet", document.content, SETTINGS, document.row)
    assert again == document


def test_a_table_without_a_text_column_says_which_it_has(tmp_path):
    (reject,) = read(tmp_path, "a.csv", b"id,body\n1,x\n")
    assert reject.expectation == "no_text" and "'body'" in reject.reason


PACKERS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda b: pa.compress(b, "zstd", asbytes=True),
}


@pytest.mark.parametrize("ending", PACKERS)
def test_a_file_is_read_for_what_it_is_whatever_its_name_says_of_packing(ending, tmp_path):
    pack = PACKERS[ending]
    for content in (b"plain words", pack(b"plain words"), pack(pack(b"plain words"))):
        (document,) = read(tmp_path, f"a.txt.{ending}", content)
        assert document.text == "plain words"
    (reject,) = read(tmp_path, f"a.txt.{ending}", pack(pack(pack(b"plain words"))))
    assert isinstance(reject, Reject)


@pytest.mark.parametrize("ending", PACKERS)
def test_a_file_that_unpacks_to_too_many_times_its_size_is_cut_off(ending, tmp_path):
    line = b'{"text": "' + b"a" * 1_000_000 + b'"}\n'
    *documents, reject = read(tmp_path, f"a.jsonl.{ending}", PACKERS[ending](line * 70))
    assert (reject.expectation, len(documents)) == ("decompression_bomb", 63)


def test_a_parquet_dictionary_yields_no_more_than_any_other_file(tmp_path):
    table = pa.table({"text": pa.DictionaryArray.from_arrays([0] * 2000, ["word " * 20_000])})
    pq.write_table(table, tmp_path / "a.parquet", compression="zstd")
    assert (tmp_path / "a.parquet").stat().st_size < 20_000
    *documents, reject = read_documents(list_inputs(tmp_path).files[0], SETTINGS)
    assert reject.expectation == "decompression_bomb"
    assert 500 < len(documents) < 700


def test_bytes_in_a_parquet_column_are_decoded_in_their_charset(tmp_path):
    text = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich."
    rows = {"id": ["1", "2"], "text": [text.encode("cp1252"), text.encode()], "image": [bytes(range(256)), None]}
    pq.write_table(pa.table(rows), tmp_path / "a.parquet")
    first, second = read_documents(list_inputs(tmp_path).files[0], SETTINGS)
    assert (first.text, second.text) == (text, text)
    assert first.metadata["image"].encode("latin-1") == bytes(range(256))


def _parquet_of_three_groups(**options):
    sink = io.BytesIO()
    rows = {"id": [f"id-{n}" for n in range(30)], "text": [f"words of row {n}" for n in range(30)]}
    pq.write_table(pa.table(rows), sink, row_group_size=10, **options)
    return sink.getvalue()


def test_a_damaged_row_group_costs_its_own_rows_alone(tmp_path):
    content = bytearray(_parquet_of_three_groups())
    at = pq.read_metadata(io.BytesIO(content)).row_group(1).column(1).dictionary_page_offset
    content[at : at + 20] = b"\xff" * 20
    *documents, reject = read(tmp_path, "a.parquet", content)
    whole = read(tmp_path, "b.parquet", _parquet_of_three_groups())
    assert [(d.source, d.row) for d in documents] == [(d.source, d.row) for d in whole[:10] + whole[20:]]
    assert reject.expectation == "damaged" and "rows 11 to 20:" in reject.reason


def test_a_page_that_does_not_fit_its_checksum_is_not_read(tmp_path):
    content = _parquet_of_three_groups(write_page_checksum=True, compression="none")
    *documents, reject = read(tmp_path, "a.parquet", content.replace(b"words of row 15", b"weeds of row 15"))
    assert (len(documents), reject.expectation) == (20, "damaged")


def test_a_column_that_is_encrypted_is_a_reject(tmp_path):
    """In its own metadata no key stands: pyarrow ends the process where it is asked for them."""

    class Keys(encryption.KmsClient):
        def wrap_key(self, key_bytes, master_key_identifier):
            return base64.b64encode(key_bytes)

    made = encryption.EncryptionConfiguration(footer_key="f", column_keys={"c": ["text"]}, plaintext_footer=True)
    factory = encryption.CryptoFactory(lambda _: Keys())
    how = factory.file_encryption_properties(encryption.KmsConnectionConfig(), made)
    pq.write_table(pa.table({"id": ["x"], "text": ["words"]}), tmp_path / "a.parquet", encryption_properties=how)
    (reject,) = read_documents(list_inputs(tmp_path / "a.parquet").files[0], SETTINGS)
    assert reject.expectation == "damaged" and "decrypt" in reject.reason


def test_what_python_has_no_form_of_in_parquet_costs_nothing(tmp_path):
    dates = pa.array([0, 0], pa.timestamp("s", "Mars/Olympus"))
    latin = pa.array(["Zwölf Boxkämpfer".encode("cp1252"), b"words"]).view(pa.string())
    deep = pa.StructArray.from_arrays([latin], ["in"])
    columns = [pa.array(["1", "2"]), latin, dates, pa.array(["one", "two"]), deep]
    pq.write_table(pa.Table.from_arrays(columns, ["id", "text", "date", "text", "deep"]), tmp_path / "a.parquet")
    first, second = read_documents(list_inputs(tmp_path).files[0], SETTINGS)
    assert (first.text, second.text) == ("Zwölf Boxkämpfer", "words")
    assert first.collected_at == datetime(1970, 1, 1, tzinfo=UTC)
    assert first.metadata == {"text.2": "one", "deep": '{"in":"Zwölf Boxkämpfer"}'}


def test_an_error_of_our_own_is_one_reject_with_its_traceback(tmp_path, monkeypatch):
    def document(self, record):
        if record.fields["id"] == "2":
            raise KeyError("unheard of")
        return whole(self, record)

    whole = Records.document
    monkeypatch.setattr(Records, "document", document)
    rows = [{"id": str(n), "text": f"words of row {n}"} for n in range(4)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "a.csv").write_text("id,text\n" + "\n".join(f"{r['id']},{r['text']}" for r in rows))
    for file in list_inputs(tmp_path).files:
        found = list(read_documents(file, SETTINGS))
        (reject,) = [r for r in found if isinstance(r, Reject)]
        assert len(found) == 4
        assert (reject.source, reject.expectation) == ("2", "internal_error")
        assert "KeyError: 'unheard of'" in reject.reason
        assert "please report it" in reject.reason
        assert "unheard of" in reject.metadata["traceback"]
        assert b"words of row 2" in reject.content


def test_an_error_of_our_own_is_a_reject_again_when_it_is_read_again(monkeypatch):
    monkeypatch.setattr("winnow.read.parquet._rows", lambda *_: 1 / 0)
    (reject,) = read_bytes("a.parquet", "a.parquet", _parquet_of_three_groups(), SETTINGS)
    assert (reject.expectation, reject.input) == ("internal_error", "a.parquet")


def test_an_error_of_our_own_outside_of_records_costs_one_file(tmp_path, monkeypatch):
    monkeypatch.setattr("winnow.read.formats.decode", lambda content: 1 / 0)
    (reject,) = read(tmp_path, "a.txt", b"words")
    assert (reject.expectation, reject.content) == ("internal_error", b"words")
