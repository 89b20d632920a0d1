"""One-byte encodings taken for one another: which pairs, and for which languages they are tried."""

from __future__ import annotations

from dataclasses import dataclass, field

_WESTERN = ("en", "fr", "es", "de", "pt", "it", "nl", "sv", "da", "nb", "fi", "ca", "is")
_CENTRAL = ("pl", "cs", "hu", "sk", "ro", "sh", "sl")
_CYRILLIC = ("ru", "uk", "bg", "mk")

# What text really was, with the languages written so.
_REALLY: dict[str, tuple[str, ...]] = {
    "cp1251": _CYRILLIC, "koi8-u": ("ru", "uk", "bg"), "cp866": ("ru", "uk", "bg"), "iso8859-5": _CYRILLIC,
    "mac-cyrillic": _CYRILLIC, "cp1253": ("el",), "iso8859-7": ("el",), "cp1255": ("he",), "cp1256": ("ar", "fa"),
    "iso8859-6": ("ar",), "cp737": ("el",), "cp862": ("he",), "cp857": ("tr",), "cp775": ("lt", "lv"),
    "cp1250": _CENTRAL, "iso8859-2": _CENTRAL, "cp852": _CENTRAL, "cp1254": ("tr",), "cp1257": ("lt", "lv"),
    "cp1252": _WESTERN, "cp850": _WESTERN, "mac-roman": _WESTERN, "tcvn3": ("vi",),
}  # fmt: skip

NO_CODEC = "tcvn3"
"""Vietnamese fonts (TCVN 5712, third set), for which Python has no codec. Their capitals have no tones."""
# From A1 on.
_TCVN3 = ("ĂÂÊÔƠƯĐăâêôơưđ......àảãáạ.ằẳẵắ.......ặầẩẫấậè.ẻẽéẹềểễếệìỉ...ĩíịò.ỏõóọồổỗốộờởỡớợù.ủũúụừửữứựỳỷỹýỵ.").replace(
    ".", "\ufffd"
)

# What it was taken for; commonest first.
_READ_AS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cp1252", ("cp1251", "koi8-u", "cp866", "iso8859-5", "mac-cyrillic", "cp1253", "iso8859-7", "cp1255", "cp1256",
                "cp1250", "iso8859-2", "cp852", "cp1254", "cp1257", "cp850", "mac-roman", "iso8859-6", "cp737", "cp862",
                "cp857", "cp775", "tcvn3")),
    ("cp1251", ("koi8-u", "cp866", "iso8859-5", "mac-cyrillic", "cp1252", "cp1250", "cp1254", "cp1253", "cp1255",
                "cp1256", "cp1257")),
    ("koi8-u", ("cp1251", "cp866", "iso8859-5")),
    ("cp866", ("cp1251", "koi8-u")),
    ("iso8859-5", ("cp1251", "koi8-u")),
    ("mac-cyrillic", ("cp1251",)),
    ("mac-roman", ("cp1252", "cp1251", "cp1250")),
    ("cp437", ("cp1252", "cp1251", "cp866")),
    ("cp850", ("cp1252", "cp1251", "cp866")),
    ("cp1250", ("cp1252", "cp1251", "koi8-u", "cp866", "iso8859-2", "cp852", "cp1254", "cp1257", "cp1253", "cp1255",
                "cp1256")),
    ("iso8859-2", ("cp1250", "cp1252", "cp1251")),
    ("cp852", ("cp1250",)),
    ("cp1253", ("cp1252", "cp1251")),
    ("cp1255", ("cp1252", "cp1251")),
    ("cp1256", ("cp1252", "cp1251")),
    ("cp1257", ("cp1251", "cp1252")),
    ("cp1254", ("cp1251", "cp1253")),
)  # fmt: skip

_TYPOGRAPHY = frozenset("“”‘’„‚–—…•«»°€™©®\xa0")
LOST = "\ufffd"  # a byte that the real encoding leaves undefined


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Text in the encoding `really` that was decoded as `read_as`."""

    read_as: str
    really: str
    table: dict[int, str] = field(repr=False)
    """For `str.translate`: characters of `read_as` to those of `really`; one to one, so lengths stay."""
    repertoire: frozenset[str] = field(repr=False)
    """Characters beyond ASCII that `read_as` can give; C1 controls where it leaves a byte undefined."""
    languages: tuple[str, ...]

    @property
    def latin(self) -> bool:
        """Whether the languages are written in Latin letters."""
        return self.languages[0] not in ("ru", "el", "he", "ar")


def pair(read_as: str, really: str) -> Pair:
    """The pair of encodings.

    >>> "Ïðèâåò".translate(pair("cp1252", "cp1251").table)
    'Привет'
    """
    table: dict[int, str] = {}
    for number in range(0x80, 0x100):
        byte = bytes([number])
        after = (_tcvn3(number) if really == NO_CODEC else byte.decode(really, "ignore")) or LOST
        forms = {byte.decode(read_as, "ignore") or chr(number)}
        if read_as == "cp1252":
            forms.add(chr(number))  # Latin-1 differs by its C1 controls only
        for form in forms:
            # A sign that would become an odd one was put in later, by an entity or an editor.
            stays = form in _TYPOGRAPHY and not after.isalpha() and after not in _TYPOGRAPHY
            table[ord(form)] = form if stays else after
    return Pair(read_as, really, table, frozenset(map(chr, table)), _REALLY[really])


def _tcvn3(number: int) -> str:
    return _TCVN3[number - 0xA1] if number > 0xA0 else bytes([number]).decode("cp1252", "ignore")


PAIRS: tuple[Pair, ...] = tuple(pair(a, b) for a, bs in _READ_AS for b in bs)
"""Every pair that is tried, in the order in which equally good ones are preferred."""
