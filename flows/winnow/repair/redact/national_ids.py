"""National identity numbers, by the forms and check digits of python-stdnum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module


@dataclass(frozen=True, slots=True)
class NationalId:
    """A kind of number: the module of python-stdnum that checks it, RE2 of its written forms, and words for it.

    ``bare`` are forms that other numbers have as well, such as eleven digits: they count beside one of the `words`
    alone. ``distinct`` are forms that nothing else has; None where there is none.
    """

    country: str
    module: str
    distinct: str | None
    bare: str | None
    words: str


_SEP = r"[ \x{a0}]"

NATIONAL_IDS = (
    NationalId("US", "us.ssn", r"\d{3}-\d{2}-\d{4}", r"\d{9}|\d{3} \d{2} \d{4}", r"ssn|social security"),
    NationalId("GB", "", r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] \d{2} \d{2} \d{2} [A-D]",
        r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6} ?[A-D]", r"national insurance|nino|ni (?:no|number)|insurance n"),
    NationalId("GB", "gb.nhs", None, r"\d{3}[ -]?\d{3}[ -]?\d{4}", r"nhs"),
    NationalId("FR", "fr.nir",
        rf"[12]{_SEP}?\d{{2}}{_SEP}?\d{{2}}{_SEP}?\d[\dAB]{_SEP}?\d{{3}}{_SEP}?\d{{3}}{_SEP}?\d{{2}}",
        None, r"nir|sécu"),
    NationalId("DE", "de.idnr", None, rf"\d{{2}}{_SEP}?\d{{3}}{_SEP}?\d{{3}}{_SEP}?\d{{3}}",
        r"steuer-?(?:id|identifikations|nummer|nr)|identifikationsnummer|idnr|tax id|tin"),
    NationalId("ES", "es.dni", r"\d{2}\.\d{3}\.\d{3}-?[A-Z]", r"\d{8}[ -]?[A-Z]", r"dni|nif|identidad"),
    NationalId("ES", "es.nie", None, r"[XYZ]-?\d{7}-?[A-Z]", r"nie|nif|extranjer\w+"),
    NationalId("IT", "it.codicefiscale", r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]", None, r"codice fiscale"),
    NationalId("PL", "pl.pesel", None, r"\d{11}", r"pesel"),
    NationalId("NL", "nl.bsn", None, r"\d{4}[. ]?\d{2}[. ]?\d{3}", r"bsn|burgerservice\w*|sofi\w*"),
    NationalId("BE", "be.nn", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", r"\d{11}|\d{6}[ -]\d{3}[ -]\d{2}",
        r"rijksregister\w*|registre national|national(?:regist\w+| register| number)|niss|insz"),
    NationalId("SE", "se.personnummer", r"(?:\d{2})?\d{6}[-+]\d{4}", r"(?:\d{2})?\d{10}", r"person-?(?:nummer|nr)|pnr"),
    NationalId("FI", "fi.hetu", r"\d{6}[-+ABCDEFYXWVU]\d{3}[0-9A-Y]", None, r"henkilötunnus|hetu"),
    NationalId("DK", "dk.cpr", None, r"\d{6}[- ]?\d{4}", r"cpr\w*|personnummer"),
    NationalId("NO", "no.fodselsnummer", rf"\d{{6}}{_SEP}\d{{5}}", r"\d{11}",
        r"fødselsnummer|fodselsnummer|personnummer|fnr"),
    NationalId("CH", "ch.ssn", r"756\.\d{4}\.\d{4}\.\d{2}", r"756\d{10}", r"ahv\w*|avs|oasi"),
    NationalId("AT", "at.vnr", None, r"\d{4} ?\d{6}", r"svnr|sv-?n\w+|versicherungsn\w+"),
    NationalId("PT", "pt.cc", r"\d{8} \d [A-Z]{2}\d", r"\d{9}[A-Z]{2}\d", r"cartão de cidadão|cc"),
    NationalId("IE", "ie.pps", None, r"\d{7}[A-W][A-IW]?", r"pps\w*"),
    NationalId("CZ", "cz.rc", r"\d{6}/\d{4}", r"\d{9,10}|\d{6}/\d{3}", r"rodné číslo|r\. ?č\.?"),
    NationalId("RO", "ro.cnp", None, r"[1-9]\d{12}", r"cnp|cod numeric personal"),
    NationalId("BG", "bg.egn", None, r"\d{10}", r"егн|egn"),
    NationalId("HR", "hr.oib", None, r"\d{11}", r"oib"),
    NationalId("EE", "ee.ik", None, r"[1-8]\d{10}", r"isikukood\w*|personal code"),
    NationalId("LT", "lt.asmens", None, r"[1-8]\d{10}", r"asmens kod\w*|personal code"),
    NationalId("GR", "gr.amka", None, r"\d{11}", r"αμκα|amka"),
    NationalId("IS", "is_.kennitala", None, r"\d{6}-?\d{4}", r"kennitala|kt\."),
    NationalId("TR", "tr.tckimlik", None, r"[1-9]\d{10}", r"t\.?c\.?(?: ?kimlik)?|kimlik"),
    NationalId("IL", "il.idnr", None, r"\d{8}-?\d", r"ת\.?ז\.?|תעודת זהות|teudat zehut|israeli id"),
    NationalId("ZA", "za.idnr", None, r"\d{6} ?\d{4} ?\d{3}", r"id (?:no|number|nr)\.?|identity (?:no|number)\.?"),
    NationalId("CA", "ca.sin", None, r"\d{3}[ -]?\d{3}[ -]?\d{3}", r"sin|social insurance|nas"),
    NationalId("MX", "mx.curp", r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d", None, r"curp"),
    NationalId("BR", "br.cpf", r"\d{3}\.\d{3}\.\d{3}-\d{2}", r"\d{11}", r"cpf"),
    NationalId("CL", "cl.rut", r"\d{1,2}\.\d{3}\.\d{3}-[\dKk]", r"\d{7,8}-[\dKk]", r"rut|run"),
    NationalId("AR", "ar.dni", None, r"\d{2}\.?\d{3}\.?\d{3}", r"dni|documento"),
    NationalId("AU", "au.tfn", None, r"\d{3} ?\d{3} ?\d{3}", r"tfn|tax file n\w+"),
    NationalId("CN", "cn.ric", r"[1-9]\d{5}(?:19|20)\d{9}[\dXx]", None, r"身份证"),
    NationalId("IN", "in_.aadhaar", None, r"\d{4}[ -]?\d{4}[ -]?\d{4}", r"aadha+r|uidai|आधार"),
    NationalId("KR", "kr.rrn", r"\d{6}-[1-8]\d{6}", None, r"주민등록번호"),
    NationalId("JP", "jp.in_", None, r"\d{4}[ -]?\d{4}[ -]?\d{4}", r"マイナンバー|個人番号|my number"),
    NationalId("TH", "th.pin", r"\d-\d{4}-\d{5}-\d{2}-\d", r"\d{13}", r"เลขประจำตัวประชาชน|thai id"),
)  # fmt: skip

COUNTRIES = tuple(sorted({kind.country for kind in NATIONAL_IDS}))
"""ISO 3166 codes of the countries whose numbers are known."""


@lru_cache(maxsize=64)
def checker(kind: NationalId) -> Callable[[str], bool]:
    """The function that says whether a number is possible; a British insurance number has no check digit."""
    if not kind.module:
        return lambda number: number[:2].upper() not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")
    check: Callable[[str], bool] = import_module(f"stdnum.{kind.module}").is_valid
    return check
