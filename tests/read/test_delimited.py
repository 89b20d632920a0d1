"""CSV and TSV as programs write them: dialects, charsets, line ends, and rows that do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.growth import assert_linear

from winnow.base.recipe import ReadSettings
from winnow.base.records import LeftOut, RawDocument, Reject
from winnow.read import hold, list_inputs, read_bytes, read_documents

SETTINGS = ReadSettings(ids="everywhere")
WORDS = {"1": "First row, of words", "2": "Zweite Zeile für sich"}


def read(folder: Path, content: bytes, name: str = "a.csv", settings: ReadSettings = SETTINGS):
    (folder / name).write_bytes(content)
    return list(read_documents(hold(list_inputs(folder).files[0]), settings))


def texts(results: list[RawDocument | Reject]) -> dict[str, str]:
    assert all(isinstance(r, RawDocument) for r in results), results
    return {r.source: r.text for r in results if isinstance(r, RawDocument)}


def written(delimiter: str = ",", end: str = "\n", quote: str = '"') -> str:
    rows = [f"{n}{delimiter}{quote}{text}{quote}" for n, text in WORDS.items()]
    return end.join([f"id{delimiter}text", *rows, ""])


DIALECTS = {
    "commas": written().encode(),
    "semicolons": written(";").encode(),
    "tabs in a file named .csv": written("\t").encode(),
    "bars": written("|").encode(),
    "a line that says the delimiter": b"sep=;\r\n" + written(";", "\r\n").encode(),
    "a line in quotes that says the delimiter": b'"sep=;"\r\n' + written(";", "\r\n").encode(),
    "UTF-8 with its mark twice": b"\xef\xbb\xbf" + written().encode("utf-8-sig"),
    "carets": written("^").encode(),
    "CRLF": written(end="\r\n").encode(),
    "CR": written(end="\r").encode(),
    "UTF-8 with its mark": written().encode("utf-8-sig"),
    "UTF-16 with its mark": written("\t").encode("utf-16"),
    "UTF-16 without a mark": written().encode("utf-16-le"),
    "UTF-16, big end first": written().encode("utf-16-be"),
    "UTF-16 whose last line end is cut": written().encode("utf-16-le")[:-1],
    "UTF-32": written().encode("utf-32"),
    "Windows-1252": written().encode("cp1252"),
    "no end of the last line": written().encode()[:-1],
    "blank lines between rows": written().replace("\n", "\n\n").encode(),
}


@pytest.mark.parametrize("content", DIALECTS.values(), ids=DIALECTS)
def test_a_file_is_read_in_the_dialect_it_is_written_in(content: bytes, tmp_path: Path) -> None:
    assert texts(read(tmp_path, content)) == WORDS


ABOVE = {
    "a title and a blank line": (b"Report, of 2020\n\n", 1),
    "comments": (b"# made by a program\n# on Monday\n", 2),
    "nothing but blank lines": (b"\n\n", 0),
    "a title that a spreadsheet pads": (b"Report of 2020,,\n,,\n", 2),
}


@pytest.mark.parametrize(("above", "n_left_out"), ABOVE.values(), ids=ABOVE)
def test_lines_above_the_head_are_left_out_and_counted(above: bytes, n_left_out: int, tmp_path: Path) -> None:
    found = read(tmp_path, above + b"id,text,note\n1,one,a\n2,two,b\n")
    assert [r.records for r in found if isinstance(r, LeftOut)] == ([n_left_out] if n_left_out else [])
    assert texts([r for r in found if not isinstance(r, LeftOut)]) == {"1": "one", "2": "two"}


@pytest.mark.parametrize(
    "content",
    [b"id,body\n1,text\n2,more\n", b"id,body,x\n1,text\n2,more\n", b"a\nid,text\nb\n", b",body\n1,text\n2,x\n"],
)
def test_a_row_that_holds_the_name_of_the_text_is_no_head(content: bytes, tmp_path: Path) -> None:
    (reject,) = read(tmp_path, content)
    assert isinstance(reject, Reject) and reject.expectation == "no_text"


QUOTES = {
    "quotes are doubled": (b'id,text\n1,"She said ""no"" twice"\n', 'She said "no" twice'),
    "quotes are escaped": (b'id,text\n1,"She said \\"no\\" twice"\n', 'She said "no" twice'),
    "an escaped quote begins the field": (b'id,text\n1,"\\"No\\" she said"\n', '"No" she said'),
    "a field ends in a backslash": (b'id,text,x\n1,"the folder C:\\",y\n2,"a ""b"" c",z\n', "the folder C:\\"),
    "a backslash in a plain field": (b"id,text\n1,the folder C:\\new\n", "the folder C:\\new"),
    "a quote inside a plain field": (b'id,text\n1,a 5" disk\n', 'a 5" disk'),
    "a line end inside quotes": (b'id,text\n1,"two\nlines"\n', "two\nlines"),
    "other delimiters inside a field": (b"id,text\n1,one; two | three\n", "one; two | three"),
    "a comma inside a field of a file with semicolons": (b"id;text\n1;one, two\n", "one, two"),
    "spaces before the quotes": (b'id, text\n1, "one, two"\n2, "three"\n', "one, two"),
    "single quotes": (b"id,text\n1,'one, two'\n2,'it''s'\n", "one, two"),
    "single quotes in single quotes": (b"id,text\n1,'it''s'\n2,'one, two'\n", "it's"),
    "a delimiter ends each row but the head": (b"id,text\n1,one,\n2,two,,\n", "one"),
    "backslashes beside escaped quotes": (
        b'id,text\n1,"\\"no\\" in C:\\\\new or D:\\temp, \\d+"\n',
        r'"no" in C:\new or D:\temp, \d+',
    ),
    "a line end that is escaped": (b'id,text\n1,"\\"two\\" \\\nlines"\n', '"two" \nlines'),
    "a table that a database dumped": (b'id\ttext\tx\n1\ttwo\\nlines, "a" C:\\\\new\t\\N\n', 'two\nlines, "a" C:\\new'),
    "line ends of MySQL": (b"id\ttext\tx\n1\ttwo\\\nlines\t\\N\n", "two\nlines"),
    "backslashes in a file with tabs": (b"id\ttext\n1\tC:\\new\\temp\n", r"C:\new\temp"),
    "quotes inside quotes": (b'id,text,x\n1,"He said "yes, now" twice",y\n', 'He said "yes, now" twice'),
    "quotes around the first word": (b'id,text,x\n1,"Yes" he said,"y"\n', '"Yes" he said'),
    "quotes around the last word": (b'id,text\n1,"Yes" and "no"\n', 'Yes" and "no'),
    "spaces after the quotes": (b'id,text,x\n1,"one, two" ,y\n', "one, two"),
    "spaces after quotes of two lines": (b'id,text,x\n1,"one,\ntwo" ,y\n', "one,\ntwo"),
    "nothing but quotes": (b'id,text\n1,""""\n', '"'),
    # These are no quotes of fields.
    "an apostrophe begins a field": (b"id,text\n1,'tis the season\n2,isn't it'\n", "'tis the season"),
    "apostrophes around words": (b"id;text\n1;'yes', he said\n", "'yes', he said"),
    "a quote after a comma and a space": (b'id;text\n1;"a, ""b"", c"\n', 'a, "b", c'),
    "leading spaces of a plain field": (b"id,text\n1,  two spaces\n", "  two spaces"),
}


@pytest.mark.parametrize(("content", "text"), QUOTES.values(), ids=QUOTES)
def test_the_text_of_a_field_is(content: bytes, text: str, tmp_path: Path) -> None:
    assert texts(read(tmp_path, content))["1"] == text


def test_a_file_of_one_column_has_no_delimiter(tmp_path: Path) -> None:
    found = read(tmp_path, b"text\nHello, world\nwords; and more, of them, too\nnone\n")
    assert [r.text for r in found if isinstance(r, RawDocument)] == [
        "Hello, world", "words; and more, of them, too", "none",
    ]  # fmt: skip
    table = read(tmp_path, b"text\na,b\nc,d\n")
    assert [getattr(r, "expectation", "") for r in table] == ["malformed_row"] * 2, "its head may lack a column"


@pytest.mark.parametrize(
    ("head", "told"),
    [("Nr;Titel;Inhalt", "'Inhalt'"), ("ID|Text", "did you mean 'Text'"), ("ID;TEXT", "did you mean 'TEXT'")],
)
def test_a_file_without_a_text_column_is_told_its_columns(head: str, told: str, tmp_path: Path) -> None:
    (reject,) = read(tmp_path, f"{head}\n1;a;b\n".encode())
    assert isinstance(reject, Reject)
    assert told in reject.reason


@pytest.mark.parametrize("null", ["\\N", "", '""'])
@pytest.mark.parametrize("other", ['"a plain row"', '"an \\"escaped\\" quote"'])
def test_a_row_whose_text_is_null_says_so(null: str, other: str, tmp_path: Path) -> None:
    found = read(tmp_path, f"id,text\n1,{other}\n2,{null}\n".encode())
    assert isinstance(found[0], RawDocument)
    assert isinstance(found[1], Reject)
    assert found[1].expectation == "no_text"
    assert "'text' is null or empty" in found[1].reason


def test_a_quote_that_never_closes_costs_its_row_alone(tmp_path: Path) -> None:
    rows = [f"{n},row number {n}" for n in range(1, 6)]
    rows[2] = '3,"row number 3'
    found = read(tmp_path, ("id,text\n" + "\n".join(rows)).encode())
    (bad,) = [r for r in found if isinstance(r, Reject)]
    assert bad.expectation == "malformed_row"
    assert "row 4 (line 4): opens a quote that never closes" in bad.reason
    assert b"row number 3" in bad.content
    assert texts([r for r in found if r is not bad]) == {n: f"row number {n}" for n in "1245"}
    (again,) = read_bytes(bad.source, "a.csv", bad.content, SETTINGS, bad.row)
    assert (again.source, again.content, again.expectation) == (bad.source, bad.content, bad.expectation)


LONG = "x" * 30_000


@pytest.mark.parametrize("row", [f"3,{LONG}", f'3,"said\n ""{LONG}\n4,inside\n"', f'3,{LONG}\n3,"{LONG}"'])
def test_a_row_that_is_too_long_costs_itself_alone(row: str, tmp_path: Path) -> None:
    content = f'id,text\n1,one\n{row}\n5,five\n6,"six\nand more"\n'.encode()
    found = read(tmp_path, content, settings=SETTINGS.model_copy(update={"max_document_mb": 0.02}))
    rejects = [r for r in found if isinstance(r, Reject)]
    assert [r.expectation for r in rejects] == ["too_large"] * row.count("3,")
    assert "row 3" in rejects[0].reason
    assert texts([r for r in found if r not in rejects]) == {"1": "one", "5": "five", "6": "six\nand more"}


ROWS = "".join(f"{n},words of row {n}\n" for n in range(10, 2_000))


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ('1,"never closed here\n', "malformed_row"),
        ('1,"' + "so it goes on, line by line, for long\n" * 1_000 + '"\n', "too_large"),
    ],
    ids=["rows follow", "a long text"],
)
def test_a_quote_that_does_not_close_within_a_document_costs_its_row_alone(row: str, kind: str, tmp_path: Path) -> None:
    content = f"id,text\n{row}{ROWS}".encode()
    found = read(tmp_path, content, settings=SETTINGS.model_copy(update={"max_document_mb": 0.01}))
    (reject,) = [r for r in found if isinstance(r, Reject)]
    assert reject.expectation == kind
    assert list(texts([r for r in found if r is not reject])) == [str(n) for n in range(10, 2_000)]


def test_the_head_of_a_file_that_was_put_behind_another_is_left_out_and_counted(tmp_path: Path) -> None:
    found = read(tmp_path, b"id,text\n1,one\n\xef\xbb\xbfid,text\n2,id\n3,text\n")
    assert [r.records for r in found if isinstance(r, LeftOut)] == [1]
    assert texts([r for r in found if not isinstance(r, LeftOut)]) == {"1": "one", "2": "id", "3": "text"}
    assert sorted(texts(read(tmp_path, b"text\none\ntext\n")).values()) == ["one", "text"]


def test_a_quote_that_would_close_inside_a_later_row_costs_its_row_alone(tmp_path: Path) -> None:
    rows = [f'{n},"row ""number"" {n}, of\nmany"' for n in range(1, 9)]
    rows[2], rows[5] = '3,"row number 3', '6,"row" number" 6'
    found = read(tmp_path, ("id,text\n" + "\n".join(rows)).encode())
    (bad,) = [r for r in found if isinstance(r, Reject)]
    assert "row 4 (line 6): opens a quote that never closes" in bad.reason
    told = {str(n): f'row "number" {n}, of\nmany' for n in (1, 2, 4, 5, 7, 8)} | {"6": '"row" number" 6'}
    assert texts([r for r in found if r is not bad]) == told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('id\ttext\n7\t"a nail\n8\ta pipe\n3\ta board of 5"\n', {"7": '"a nail', "8": "a pipe", "3": 'a board of 5"'}),
        ('id,text\n7,"a nail\n8,a pipe\n9,a board of 5"\n', {"7": '"a nail', "8": "a pipe", "9": 'a board of 5"'}),
        ('id\ttext\n7\t"a nail\nand a pipe"\n', {"7": "a nail\nand a pipe"}),
        ('id\ttext\n7\t"a nail\t8\n8\ta pipe"\n', {"7": "a nail\t8\n8\ta pipe"}),
        ('id,text\n7,"nails, long\n8 pipes, thin"\n', {"7": "nails, long\n8 pipes, thin"}),
        ('id,text\n7,"steps\n1,nail it\n2,board it"\n', {"7": "steps\n1,nail it\n2,board it"}),
    ],
)
def test_rows_between_two_stray_quotes_are_rows_and_lines_in_quotes_are_not(
    content: str, told: dict[str, str], tmp_path: Path
) -> None:
    assert texts(read(tmp_path, content.encode(), "a.tsv" if "\t" in content else "a.csv")) == told


@pytest.mark.parametrize(
    "unit", ['1,"a\n', '1,"a\n2,"b" c\n', '"a,', '1,"""a\n', '"a\n\n' + "x\n" * 50], ids=lambda unit: unit[:8]
)
def test_open_quotes_without_end_take_linear_time(unit: str, tmp_path: Path) -> None:
    assert_linear(lambda rows: read(tmp_path, f"id,text\n{rows}\n".encode()), unit, 90_000)


ORDERS = "1;Да\n2;Нет\n3;№ 5\n4;Заказ отправлен\n5;ГОСТ\n"
PLACES = "1;Ærø\n2;n° 5\n3;Åsa\n4;Müller, Straße\n5;5 °C\n"


@pytest.mark.parametrize(
    ("rows", "codec"),
    [(ORDERS, "cp1251"), (ORDERS, "cp866"), (PLACES, "cp1252"), (PLACES, "mac-roman"), (PLACES, "cp850"),
     ("1;你好世界\n2;价格\n3;张三\n", "gbk"), ("1;안녕하세요\n2;가격\n3;서울\n", "euc_kr"),
     ("1;東京\n2;テスト\n3;価格\n", "cp932")],
)  # fmt: skip
def test_the_file_tells_the_charset_of_its_fields(rows: str, codec: str, tmp_path: Path) -> None:
    wanted = dict(row.split(";") for row in rows.splitlines())
    found = read(tmp_path, f"id;text\n{rows}".encode(codec))
    assert texts(found) == wanted


def test_fields_in_other_charsets_than_the_first_are_read_in_theirs(tmp_path: Path) -> None:
    russian = "Она сказала, что придёт завтра вечером, если не будет дождя."
    rows = "2,Übergröße für Ärzte und Köche, schön\n".replace(", s", " s").encode("cp1252") * 4
    found = read(tmp_path, b"id,text\n" + rows + f'9,"{russian}"\n'.encode("koi8-r"))
    assert [r.text for r in found if isinstance(r, RawDocument)][-1] == russian


def test_many_open_quotes_cost_no_more_than_the_rest_of_the_file(tmp_path: Path) -> None:
    found = read(tmp_path, b"id,text\n" + b'1,"a\n2,"""b\n' * 301)
    assert all(isinstance(r, Reject) or r.text for r in found)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_a_file_without_the_text_column_is_kept_whole_and_read_again_under_another_setting(
    name: str, tmp_path: Path
) -> None:
    content = b"id\tbody\n1\tsome words\n2\tmore words\n"
    (reject,) = read(tmp_path, content, name)
    assert isinstance(reject, Reject)
    assert (reject.expectation, reject.content) == ("no_text", content)
    again = list(read_bytes(name, name, reject.content, SETTINGS.model_copy(update={"text_field": ("body",)})))
    assert texts(again) == {"1": "some words", "2": "more words"}
    assert {r.input for r in again} == {name}


def test_a_head_without_rows_is_neither_a_document_nor_a_fault(tmp_path: Path) -> None:
    assert read(tmp_path, b"id,text\n") == []


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_a_reject(content: bytes, tmp_path: Path) -> None:
    (reject,) = read(tmp_path, content)
    assert isinstance(reject, Reject)
    assert reject.expectation == "empty"
