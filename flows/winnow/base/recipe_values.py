"""Values of settings that have a form of their own: cron lines, licences, time zones."""

from __future__ import annotations

import difflib
import re
from encodings.aliases import aliases
from typing import NamedTuple
from zoneinfo import available_timezones

from winnow.base.addresses import holds_credentials


class CronField(NamedTuple):
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()  # stand for numbers, the first for `low`


CRON_FIELDS = (
    CronField("minute", 0, 59),
    CronField("hour", 0, 23),
    CronField("day of the month", 1, 31),
    CronField("month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    CronField("day of the week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")),
)

_CRON_PART = re.compile(r"(?P<first>\*|\w+)(-(?P<last>\w+))?(/(?P<step>[0-9]{1,4}))?", re.ASCII)


def without_credentials(address: str) -> str:
    """An address, as it came. Raises ValueError where it holds a password or a token."""
    if holds_credentials(address):
        raise ValueError("holds credentials; a recipe is kept with every version, so they belong in the environment")
    return address


def one_or_more(said: object) -> object:
    """A list of the one that was said, or what it was."""
    return (said,) if isinstance(said, str) else said


def check_charset(name: str) -> str:
    """A charset that Python can decode, as it came.

    Raises ValueError with the nearest name for another one.

    >>> check_charset("windows-1252")
    'windows-1252'
    >>> check_charset("windos-1252")
    Traceback (most recent call last):
    ValueError: is no charset that is known; did you mean 'windows_1252'?
    """
    try:
        if name.lower().replace("-", "_") in _ESCAPES:
            raise ValueError
        b"a".decode(name)  # codecs that are no charsets (base64) raise as unknown ones do
    except UnicodeDecodeError:
        pass
    except (LookupError, ValueError):
        known = sorted(aliases.keys() | {*aliases.values()})
        near = difflib.get_close_matches(name.lower().replace("-", "_"), known, 1)
        hint = f"; did you mean {near[0]!r}?" if near and near[0] != name else ""
        raise ValueError(f"is no charset that is known{hint}") from None
    return name


_ESCAPES = {"idna", "punycode", "unicode_escape", "raw_unicode_escape"}  # codecs that read escapes, of names or code


def check_cron(line: str) -> str:
    """A cron line of five fields, as it came.

    Raises ValueError that names the field which is wrong.

    >>> check_cron("*/15 8-18 * jan-mar mon,wed")
    '*/15 8-18 * jan-mar mon,wed'
    >>> check_cron("30 24 * * *")
    Traceback (most recent call last):
    ValueError: is no cron line: the hour '24' is not within 0 to 23
    """
    fields = line.split()
    if len(fields) != len(CRON_FIELDS):
        names = ", ".join(field.name for field in CRON_FIELDS)
        raise ValueError(f"is no cron line: it has {len(fields)} fields and needs five ({names}), as in '30 2 * * *'")
    for field, said in zip(CRON_FIELDS, fields, strict=True):
        for part in said.split(","):
            _check_part(field, part)
    return line


def _check_part(field: CronField, part: str) -> None:
    found = _CRON_PART.fullmatch(part)
    if not found or (found["first"] == "*" and found["last"]):
        raise ValueError(f"is no cron line: the {field.name} {part!r} is none of *, 5, 1-5, */10, 1,15")
    ends = [_number(field, end) for end in (found["first"], found["last"]) if end not in (None, "*")]
    if ends != sorted(ends):
        raise ValueError(f"is no cron line: the {field.name} {part!r} ends before it begins")
    if found["step"] and int(found["step"]) == 0:
        raise ValueError(f"is no cron line: the {field.name} {part!r} has steps of 0")


def _number(field: CronField, said: str) -> int:
    if said.lower() in field.words:
        return field.low + field.words.index(said.lower())
    number = int(said) if said.isdecimal() and len(said) < 5 else -1
    if not field.low <= number <= field.high:
        words = f" or one of {', '.join(dict.fromkeys(field.words))}" if field.words else ""
        raise ValueError(f"is no cron line: the {field.name} {said!r} is not within {field.low} to {field.high}{words}")
    return number


# huggingface.co/docs/hub/repositories-licenses; a dataset card names its licence by one of these.
HUB_LICENCES = frozenset(
    """
    afl-3.0 agpl-3.0 apache-2.0 apple-amlr apple-ascl artistic-2.0 bigcode-openrail-m bigscience-bloom-rail-1.0
    bigscience-openrail-m bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0 c-uda cc cc-by-2.0 cc-by-2.5
    cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0
    cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0
    cdla-permissive-2.0 cdla-sharing-1.0 creativeml-openrail-m deepfloyd-if-license ecl-2.0 epl-1.0 epl-2.0 etalab-2.0
    eupl-1.1 eupl-1.2 gemma gfdl gpl gpl-2.0 gpl-3.0 h-research intel-research isc lgpl lgpl-2.1 lgpl-3.0 lgpl-lr
    llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 lppl-1.3c mit mpl-2.0 ms-pl ncsa odbl odc-by ofl-1.1 openmdw-1.0
    openrail openrail++ osl-3.0 other pddl postgresql unknown unlicense wtfpl zlib
    """.split()
)


def check_licence(name: str) -> str:
    """A licence that others can look up: an id of the Hugging Face Hub, an SPDX id or an expression of SPDX ids.

    Raises ValueError with the nearest id for another name.

    >>> check_licence("cc-by-4.0"), check_licence("OGL-UK-3.0 OR MIT")
    ('cc-by-4.0', 'OGL-UK-3.0 OR MIT')
    >>> check_licence("cc-by-4")
    Traceback (most recent call last):
    ValueError: is no licence id of Hugging Face or SPDX; did you mean 'cc-by-4.0'? other stands for what has none
    """
    if name not in HUB_LICENCES and spdx_licence(name) is None:
        near = difflib.get_close_matches(name.lower(), sorted(HUB_LICENCES), 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"is no licence id of Hugging Face or SPDX; {hint}other stands for what has none")
    return name


def spdx_licence(name: str) -> str | None:
    """The licence as SPDX writes it; None for one that SPDX does not know.

    >>> spdx_licence("cc-by-4.0"), spdx_licence("mit or ogl-uk-3.0"), spdx_licence("other")
    ('CC-BY-4.0', 'MIT OR OGL-UK-3.0', None)
    """
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return str(canonicalize_license_expression(name))
    except InvalidLicenseExpression:
        return None


def check_time_zone(name: str) -> str:
    """A time zone of the IANA database.

    Raises ValueError for another name.
    """
    if name not in (known := available_timezones()):
        near = difflib.get_close_matches(name, sorted(known), 1)
        raise ValueError(
            f"is no time zone; {f'did you mean {near[0]!r}?' if near else 'names look like Europe/Berlin'}"
        )
    return name
