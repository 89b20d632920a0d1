import polars as pl
import pyarrow as pa
import pytest

from winnow.base.conform import conform, table_of
from winnow.base.contracts import TABLES
from winnow.base.errors import ContractBroken
from winnow.base.staging import REPAIRED

EDIT = {
    "seq": 0, "rule": "entities", "rule_version": 1, "start": 0, "end": 5,
    "before": "&amp;", "after": "&", "confidence": 1.0, "applied": True,
}  # fmt: skip
ROW = {
    "doc_id": "0" * 16, "source": "a.txt", "title": None, "encoding": "utf-8", "content_sha256": "0" * 64,
    "collected_at": None, "metadata": {"site": "x"}, "input": "a.txt", "row": None, "text": "&", "language": None,
    "language_confidence": None, "n_chars": 1, "n_words": 0, "n_edits": 1, "letter_share": 0.0,
    "residual_markup": 0.0, "edits": [EDIT],
}  # fmt: skip
SMALL = pa.schema([pa.field("doc_id", pa.string(), nullable=False), pa.field("n", pa.int32())])


def test_rows_that_fit_come_out_under_the_very_schema():
    assert table_of([ROW], REPAIRED, "repaired").schema.equals(REPAIRED, check_metadata=True)


def test_what_polars_stores_in_its_own_way_is_rewritten():
    table = table_of([ROW], REPAIRED, "repaired")
    shuffled = pl.from_arrow(table.drop_columns(["metadata"])).to_arrow().append_column("metadata", table["metadata"])
    assert conform(shuffled, REPAIRED, "repaired").equals(table)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"surplus": 1}, "unknown columns 'surplus'"),
        ({"text": None}, "column 'text' is null in row 1"),
        ({"n_chars": "many"}, "column 'n_chars', row 1: 'many' is no int64"),
        ({"n_edits": 2**40}, "row 1: 1099511627776 is no int32"),
        ({"text": "\ud800"}, "column 'text', row 1"),
        ({"edits": [None]}, "holds a null in item"),
        ({"edits": [{**EDIT, "before": None}]}, "holds a null in before"),
        ({"edits": [{**EDIT, "surplus": 1}]}, "unknown field 'surplus'"),
    ],
)
def test_a_row_that_does_not_fit_is_named(change, words):
    with pytest.raises(ContractBroken, match=r"repaired: ") as caught:
        table_of([ROW, {**ROW, **change}], REPAIRED, "repaired")
    assert words in str(caught.value)


def test_a_missing_column_is_named():
    with pytest.raises(ContractBroken, match="missing column 'n'"):
        conform(pa.table({"doc_id": ["a"]}), SMALL, "small")


def test_an_unknown_column_is_not_dropped_in_silence():
    with pytest.raises(ContractBroken, match="unknown column 'more'"):
        conform(pa.table({"doc_id": ["a"], "n": [1], "more": [2]}), SMALL, "small")


@pytest.mark.parametrize("values", [pa.array([1.5]), pa.array(["1"]), pa.array([2**40])])
def test_no_value_is_rounded_parsed_or_cut(values):
    with pytest.raises(ContractBroken, match="column 'n'"):
        conform(pa.table({"doc_id": ["a"], "n": values}), SMALL, "small")


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_table_without_rows_fits(name):
    assert table_of([], TABLES[name], name).num_rows == 0
