"""Personal data is replaced, nothing that only looks like it, and no part of it stays in the ledger."""

from __future__ import annotations

import json
import random
import re

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import write_jsonl
from tests.operate.dataset_runs import run_stages

from winnow.base.errors import RecipeError
from winnow.base.recipe import Recipe, RedactSettings, RepairSettings
from winnow.publish.dataset import Dataset
from winnow.publish.verify import verify
from winnow.repair import is_masked, repair, repair_versions, replay, undo
from winnow.repair.engine.ledger import MASK
from winnow.repair.redact.national_ids import COUNTRIES, NATIONAL_IDS, checker

KINDS = ["email", "ip", "phone", "iban", "card", "national_id"]
ALL = RepairSettings.model_validate({"redact": {"kinds": KINDS, "phone_regions": ["US", "GB", "DE", "FR"]}})

FOUND = [
    ("EMAIL", "Write to ", "ann.lee+news@mail.example.org", ", please."),
    ("EMAIL", "(", "o'brien@example.ie", ")"),
    ("EMAIL", "", "jürgen.müller@bücher.example", " schreibt"),
    ("EMAIL", "Пишите на ", "анна@почта.рф", "."),
    ("EMAIL", "联系", "wang@example.cn", "谢谢"),
    ("EMAIL", "spelt ", "ann [at] example [dot] org", " against robots"),
    ("EMAIL", "spelt ", "ann.lee(at)example.co.uk", " against robots"),
    ("EMAIL", "https://user:", "word@example.com", "/path"),
    ("IP", "from ", "81.2.69.142", ":443"),
    ("IP", "seen at ", "203.0.114.7", "."),
    ("IP", "ping ", "8.8.8.8", " answers"),
    ("IP", "host ", "2001:4860:4860::8888", " answers"),
    ("PHONE", "Ring ", "+44 20 7946 0958", "."),
    ("PHONE", "ring ", "020 7946 0958", " or write"),
    ("PHONE", "", "(212) 555-0123", " after six"),
    ("PHONE", "at ", "212-736-5000", "; ask"),
    ("PHONE", "Tel.: ", "030/901820", ", Mo-Fr"),
    ("PHONE", "Téléphone : ", "01 42 68 53 00", "."),
    ("PHONE", "fax ", "+1 (212) 736-5000", " and"),
    ("PHONE", "📞 ", "+49 (0)30 901820", ""),
    ("IBAN", "IBAN ", "DE89 3704 0044 0532 0130 00", " BIC COBADEFF"),
    ("IBAN", "to ", "GB29NWBK60161331926819", "."),
    ("IBAN", "", "FR14 2004 1010 0505 0001 3M02 606", " (Paris)"),
    ("CARD", "card ", "4111 1111 1111 1111", " 12/26"),
    ("CARD", "paid with ", "5555-5555-5555-4444", "."),
    ("CARD", "Amex ", "3782 822463 10005", ""),
    ("NATIONAL_ID", "SSN ", "219-09-9997", "."),
    ("NATIONAL_ID", "NI number ", "AB 12 34 56 C", "."),
    ("NATIONAL_ID", "", "RSSMRA85T10A562S", ", nato a"),
    ("NATIONAL_ID", "numéro ", "2 95 10 99 126 111 93", " :"),
    ("NATIONAL_ID", "DNI ", "12345678Z", ","),
    ("NATIONAL_ID", "PESEL: ", "44051401359", "."),
    ("NATIONAL_ID", "BSN ", "111222333", "."),
    ("NATIONAL_ID", "CPF ", "390.533.447-05", "."),
    ("NATIONAL_ID", "hetu ", "131052-308T", "."),
    ("NATIONAL_ID", "AHV ", "756.9217.0769.85", "."),
    ("NATIONAL_ID", "身份证 ", "11010519491231002X", "。"),
    ("NATIONAL_ID", "Aadhaar ", "2341 2341 2346", "."),
    ("NATIONAL_ID", "Steuer-ID ", "36 574 261 809", "."),
    ("NATIONAL_ID", "T.C. Kimlik ", "17291716060", "."),
]

UNTOUCHED = [
    "ISBN 978-3-16-148410-0 and 0-306-40615-2, ISSN 2049-3630, DOI 10.1000/182, EAN 4006381333931",
    "2024-01-15 12:30:45, 15.01.2024, 01/02/2024, 20240115, 1939-1945, 1914\u20131918, 2024-01-15T08:00:00Z",
    "1,234,567.89 and 1 234 567 and €12.500.000, $1,000-2,000, 99.95, 50 000 000 people, 12 345 678",
    "v1.2.3.4, version 10.15.7.1, Chrome/90.0.44.212, release 81.2.69.142, 4.5.6.7 Scope of the law",
    "10.0.0.1, 192.168.0.12, 127.0.0.1, 999.1.2.3, 1.2.3.4.5, std::vector<int>, 12:34:56:78, 00:1a:2b:3c:4d:5e",
    "part 12345678Z, part no. 555-123-4567, SKU 4111111111111111, model 3310-2000-1, order 0123 456 7890",
    "4111 1111 1111 1112, DE89 3704 0044 0532 0130 01, 3.14159265358979, 6.02214076e23, 40.7128, -74.0060",
    "@ann, @ann@social.example, icon@2x.png, left-pad@1.3.0, git@host.example:group/repo.git, a @ b, 5 @ 3.50",
    "44051401359, 111222333, 12345678901, 123456789012, 9876543210, 123-456-789, 12.345.678-0",
    "IMEI 490154203237518, VIN 1HGCM82633A004352, UPS 1Z999AA10123456784, tracking 9400 1000 0000 0000 0000 00",
    "Psalm 119:105, 3-0, 24/7, 911, 112, page 12-13, Boeing 747-400, ISO 9001:2015, RFC 2822, 5-4-3-2-1",
    "arXiv:2101.00027, PMID 12345678, CAS 7732-18-5, US 4,123,456, call number 823.912 O79, case 12-cv-01234",
    "Call me Ishmael. Some years ago, in 1851, 135 chapters and 209,117 words; text 2000 1999 1998",
    "+1 point, +10 %, +3.5, -273.15, A+ B+, C++17, 2+2=4, +++, (1) (2) (3), 1-2-3",
    "boost-defaults (1.74.0.3) unstable, Debian 11.8.4.1. Setup, at 1970-01-01 00:00 UTC, 0 2007-04-20 16:19 /proc",
    "(cost=0.00..145.00 rows=10), dput (20220512.0-1), (2003/01/31 17:37:17), range 239.252.197.10 239.252.197.250",
    "No mark: <EMAIL> <PHONE> <IP> <IBAN> <CARD> <NATIONAL_ID>",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "before", "value", "after"), FOUND, ids=[f"{k} {v}" for k, _, v, _ in FOUND])
def test_it_is_replaced_whole_and_nothing_beside_it(kind, before, value, after):
    done = repair(before + value + after, ALL)
    assert done.text == f"{before}<{kind}>{after}"
    assert value not in str(done.edits)
    assert [(e.rule, e.before) for e in done.edits] == [(f"redact_{kind.lower()}", MASK * len(value))]
    assert undo(done.text, done.edits) == before + MASK * len(value) + after
    assert repair(done.text, ALL).text == done.text


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_only_looks_like_it_stays(text):
    assert repair(text, ALL).text == text


def test_nothing_is_replaced_where_the_recipe_names_no_kind_and_only_the_kinds_it_names():
    text = "ann@example.org, +44 20 7946 0958"
    assert repair(text).text == text
    assert repair(text, RepairSettings(redact=RedactSettings(kinds=("phone",)))).text == "ann@example.org, <PHONE>"


def test_the_ledger_keeps_no_part_of_it_that_another_rule_had_in_hand():
    text = (
        "<p>Mail <a href='mailto:bob.ray@example.com'>Bob</a> at bob.r&#97;y&#64;example.com &amp;amp; wait</p>\n"
        "<p>or 0&#50;0 7946&nbsp;0958, or caf&amp;eacute;</p>  \n"
    )
    done = repair(text, ALL)
    assert done.text == "Mail Bob at <EMAIL> & wait\nor <PHONE>, or café"
    ledger = json.dumps([[e.before, e.after] for e in done.edits])
    assert not any(part in ledger for part in ("bob.ray", "example.com", "&#97", "7946", "0958"))
    assert "&amp;eacute;" in ledger  # what holds none is kept
    assert replay(text, done.edits) == done.text
    undone = undo(done.text, done.edits)
    assert len(undone) == len(text)
    assert all(a in (b, MASK) for a, b in zip(undone, text, strict=True))
    assert sum(map(is_masked, done.edits)) >= 4


DAMAGE = [
    "&amp;",
    " &lt;b&gt;x&lt;/b&gt; ",
    "<p>",
    "</p>\n",
    "caf\u00c3\u00a9 ",
    "\u00a0",
    "  \n\n\n\n",
    "&#64;",
    " w ords ",
    "\u200b",
    "é",
    ".",
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*DAMAGE, *(b + v + a for _, b, v, a in FOUND)]), max_size=12))
def test_ledger_and_text_agree_wherever_it_stands(pieces):
    text = "".join(pieces)
    done = repair(text, ALL)
    assert replay(text, done.edits) == done.text
    undone = undo(done.text, done.edits)
    assert len(undone) == len(text)
    assert all(a in (b, MASK) for a, b in zip(undone, text, strict=True))
    assert repair(done.text, ALL).text == done.text


def test_a_hash_is_the_same_for_one_person_however_written_and_needs_its_key(monkeypatch):
    hashed = RepairSettings.model_validate({"redact": {"kinds": ["phone", "email"], "replace_by": "hash"}})
    monkeypatch.delenv("RUN_SECRET", raising=False)
    with pytest.raises(RecipeError, match="RUN_SECRET"):
        repair_versions(hashed)
    seen = {}
    for key in ("a" * 32, "b" * 32):
        monkeypatch.setenv("RUN_SECRET", key)
        text = repair("+44 20 7946 0958, 020 7946 0958, Ann@Example.org, ann@example.org, bob@example.org", hashed).text
        one, two, *mails = text.split(", ")
        assert one == two and one.startswith("<PHONE_") and len(one) == len("<PHONE_>") + 16
        assert mails[0] == mails[1] != mails[2]
        seen[key] = one, repair_versions(hashed)["redact"]
        assert repair(text, hashed).text == text
    assert len(set(seen.values())) == 2  # another key, other hashes, and rows are made anew
    assert not any(key in str(seen[key]) for key in seen)


def test_every_country_that_the_recipe_names_by_default_is_known_and_its_check_refuses_numbers():
    assert set(RedactSettings().national_ids) == set(COUNTRIES)
    drawn = random.Random(1)
    for kind in NATIONAL_IDS:
        numbers = [
            "".join(drawn.choice("0123456789") for _ in range(n)) for n in (7, 8, 9, 10, 11, 12, 13) for _ in range(20)
        ]
        refused = kind.module == "" or not all(map(checker(kind), numbers))
        assert refused, kind


@pytest.mark.parametrize("setting", ["national_ids", "phone_regions"])
def test_a_country_of_which_nothing_is_known_is_told(setting):
    with pytest.raises(RecipeError, match=f"{setting}.*nothing is known of XX; known are A"):
        repair_versions(RepairSettings.model_validate({"redact": {"kinds": ["phone"], setting: ["US", "XX"]}}))


def test_a_run_leaves_it_nowhere_in_what_it_publishes(tmp_path):
    body = "The bridge over the river was opened to all who had waited there since the early morning of that day. "
    mail = "<p>Mail <a href='mailto:{0}'>me</a> at ann&#64;example.org or +44 20 7946 0958 &amp; wait.</p>"
    records = [
        {"id": name[:3], "title": f"From {name}", "by": name, "text": f"{body * 3}{name} wrote it. {mail.format(name)}"}
        for name in ("ann@example.org", "bob@example.org", "eve@example.org")
    ]
    recipe = Recipe.model_validate({"repair": {"redact": {"kinds": ["email", "phone"]}}})
    into = tmp_path / "out"
    run_stages(write_jsonl(tmp_path / "in" / "a.jsonl", records), into, recipe=recipe)
    said = "".join(str(pq.read_table(f).to_pylist()) for f in into.rglob("*.parquet") if ".staging" not in str(f))
    said += "".join(f.read_text("utf-8") for f in into.rglob("*") if f.suffix in (".json", ".html", ".md"))
    assert said.count("<EMAIL>") >= 12 and "<PHONE>" in said
    said = re.sub("[0-9a-f]{16,}", "", said)  # a hash may hold any four digits
    for part in ("@example.org", "64;example", "20 7946", "7946 0958"):  # a time may hold any four digits
        assert part not in said, said[max(0, said.index(part) - 60) :][:120]
    assert verify(Dataset(into), undo=undo) == []
