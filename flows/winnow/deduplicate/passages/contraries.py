"""Statements and their contraries: two texts in the same words, one of which denies what the other says.

A word that was changed makes an edited copy; "not" makes another statement. So texts are read twice: with a mark for
every word that turns a statement round, and without one. Where two differ by the marks for the most part, the one says
the contrary of the other.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from itertools import permutations

_MARK = "ꟿ"  # a letter of no language that is written today
_NOT = (
    "not never none nicht nichts nie niemals kein keine keinem keinen keiner keines niet nooit geen inte icke ikke "
    "ikkje aldrig aldri ingen inga intet inget ne pas jamais aucun aucune rien no nunca jamás ningún ninguna "
    "ninguno não nenhum nenhuma non mai nessun nessuna nessuno nu niciun nicio niciodată nie nigdy żaden żadna "
    "żadne żadnych nikdy žádný žádná žádné žádnou žádných nikad nikada не ни ні никогда ніколи değil ei eivät nem "
    "soha sem δεν δε μη μην όχι ποτέ لا لم لن ليس ليست غير לא אינו אינה נא نه नहीं मत না নয় নেই tidak bukan tak "
    "jangan không chưa chẳng 안 못"
)
_BESIDE = (  # what stands in its place where nothing is denied, or goes with it
    "a an any some the always ever still yet already longer ein eine einem einen einer eines immer een altijd et "
    "ett alltid un une de des du la le les toujours una algún alguna siempre um uma algum sempre uno zawsze vždy "
    "всегда завжди"
)
_INSTEAD = {
    "cannot": "can ꟿ", "can't": "can ꟿ", "won't": "will ꟿ", "shan't": "shall ꟿ", "nobody": "everybody ꟿ",
    "nothing": "everything ꟿ", "neither": "either ꟿ", "nor": "or ꟿ", "without": "with ꟿ", "ohne": "mit ꟿ",
    "sans": "avec ꟿ", "sin": "con ꟿ", "sem": "con ꟿ", "senza": "con ꟿ", "com": "con", "без": "с ꟿ", "χωρίς": "με ꟿ",
    "нельзя": "можно ꟿ", "нет": "есть ꟿ", "немає": "є ꟿ", "není": "je ꟿ", "nije": "je ꟿ", "nisu": "su ꟿ",
    "nincs": "van ꟿ", "nincsenek": "vannak ꟿ", "אין": "יש ꟿ", "ole": "on",
    "yok": "var ꟿ", "نیست": "است ꟿ", "نیستند": "هستند ꟿ",
}  # fmt: skip
_TURNED = dict.fromkeys(_NOT.split(), _MARK) | dict.fromkeys(_BESIDE.split(), "") | _INSTEAD
"""What a word becomes."""
_UNSPACED = (
    ("하지 않았", "ꟿ했"), ("하지 않습", "ꟿ합"), ("하지 않는", "ꟿ한"), ("합니다", "합"), ("않", "ꟿ"),
    ("없", "ꟿ있"), ("아닙니다", "ꟿ입니다"), ("ではありません", "ꟿです"), ("ではない", "ꟿである"),
    ("ません", "ꟿます"), ("しない", "ꟿする"), ("ない", "ꟿる"), *((sign, "ꟿ") for sign in "不没沒无無未非勿"),
    ("ไม่", "ꟿ"),
)  # fmt: skip
"""The same inside words, of scripts that do not set apart what denies."""
_OPENINGS = "un", "in", "im", "il", "ir", "dis", "non", "не", "nie", "ne"
_LETTER = r"[\w\u0900-\u0963\u0966-\u0dff]"  # with the vowel signs of India, which are no letters
_WORD = re.compile(rf"{_LETTER}+(?:'{_LETTER}+)*")
_WORDS = re.compile(f"({_WORD.pattern})")
_DOES = re.compile(r"\b(do|does|did)(?:n't| not)( \w+)?")
_ENDINGS = {"do": "", "does": "s", "did": "ed"}  # it does not work, and it works
_OPPOSITES = frozenset(  # any of which was put for another: a sum that rose and one that fell
    (
        "more less fewer most least above below over under before after until since higher lower increase increases "
        "increased decrease decreases decreased rise rises rising rose risen fall falls falling fell fallen gain "
        "gains gained lose loses lost won win wins winning approve approved reject rejected accept accepted refuse "
        "refused grant granted deny denied allow allowed permit permitted forbid forbidden prohibit prohibited true "
        "false positive negative open opened close closed up down left right north south east west maximum minimum "
        "may must shall should buyer seller lessee lessor tenant landlord plaintiff defendant on off enabled "
        "disabled passed failed for against guilty innocent yes male female and or lender borrower "
        "raise raises raised raising lowers lowered lowering welcomed welcomes criticised criticized criticises "
        "condemned praised praises support supports supported oppose opposes opposed adopted arrested released bought "
        "sold buy sell hired fired began ended started stopped strengthened weakened warm cold hot wet dry morning "
        "evening cheap expensive large small big long short begrüßt kritisiert unterstützt gekauft verkauft "
        "employer employee licensor licensee creditor debtor front rear upper lower inner outer black white red green "
        "blue yellow brown mehr weniger über unter vor nach "
        "höher niedriger darf dürfen muss müssen soll sollen kann können erlaubt verboten steigt steigen gestiegen "
        "sinkt sinken gesunken fällt gefallen angenommen abgelehnt käufer verkäufer mieter vermieter ja nein und "
        "oder plus moins avant après peut peuvent doit doivent interdit interdite autorisé autorisée hausse baisse "
        "acheteur vendeur locataire bailleur oui ou et más menos antes después puede pueden debe deben permitido "
        "prohibido sube subió baja bajó comprador vendedor arrendador arrendatario mais depois pode podem deve "
        "devem più meno prima dopo può possono devono больше меньше выше ниже до после разрешено запрещено может "
        "могут должен должна должны покупатель продавец вырос выросла выросли упал упала упали"
    ).split()
)
_UNSPACED_OPPOSITES = re.compile(
    "增加|减少|上升|下降|提高|降低|可以|必须|应当|允许|禁止|高于|低于|以上|以下|买方|卖方|甲方|乙方|増加|減少|上昇|低下"
)


FIELD = re.compile(r"(?m)^([ \t>*•·-]{0,8}[^\W_][^:：|\n]{0,40}(?::\**[ \t]+|：))[^|\n]{0,60}[^|\s.!?。！？…]$")
"""A line of a form: a label and what it is. Rows of tables are those of documentation too; its revisions are copies."""


def as_stated(word: str) -> str:
    """What becomes of a word of those of `split_words`."""
    if (turned := _TURNED.get(word)) is not None:
        return turned
    if word.endswith("n't"):
        return f"{word[:-3]} {_MARK}"
    if word[1:2] == "'" and word[0] in "dln":  # n'est pas
        return f"{_MARK if word[0] == 'n' else ''} {word[2:]}"
    if word.startswith(_OPENINGS):
        opening = next(o for o in _OPENINGS if word.startswith(o))
        return f"{_MARK} {word[len(opening) :]}" if len(word) > len(opening) + 3 else word
    return word


def split_words(text: str) -> list[str]:
    """What stands between the words of a text, and its words, by turns, in lower case and each form of not as one.

    >>> split_words("It can not work.")
    ['', 'it', ' ', 'cannot', ' ', 'work', '.']
    """
    read = text.lower().replace("’", "'").replace("can not", "cannot").replace("no one", "nobody")
    if "n't" in read or " not" in read:
        read = _DOES.sub(lambda found: f"{_MARK}{found[2] or ''}{_ENDINGS[found[1]] if found[2] else ''}", read)
    if not read.isascii():
        for denied, turned in _UNSPACED:
            read = read.replace(denied, turned)
    return _WORDS.split(read)


@lru_cache(maxsize=1 << 13)  # for `affirmed` asks for it again
def stated(text: str) -> str:
    """A text with a mark for what it denies; words that come and go with that are left out.

    >>> for text in ("It isn't safe.", "It is never unsafe.", "Es ist keine Gefahr.", "It doesn't work", "这不安全"):
    ...     print(*stated(text).split())
    it is ꟿ safe.
    it is ꟿ ꟿ safe.
    es ist ꟿ gefahr.
    it ꟿ works
    这ꟿ安全
    """
    parts = split_words(text)
    parts[1::2] = map(as_stated, parts[1::2])
    return "".join(parts)


def affirmed(text: str) -> str:
    """The same without the marks, as if words and their opposites were one.

    >>> affirmed("It rose in May"), affirmed("It fell in May")
    ('it ꟿ in ꟿ', 'it ꟿ in ꟿ')
    """
    return as_affirmed(stated(text))


def as_affirmed(read: str) -> str:
    """The same of a text that was read `as_stated`, or of a word: words do not join, so those of a text are enough."""
    read = read.replace(_MARK, "")
    if not read.isascii():
        read = _UNSPACED_OPPOSITES.sub(_MARK, read)
    return _WORD.sub(lambda found: _MARK if found[0] in _OPPOSITES else found[0], read)


def contradicts(text: str, other: str) -> bool:
    """Whether two texts in nearly the same words say the contrary of each other.

    They do where at least half of what they have in other words is the same once nothing is denied.

    >>> contradicts("It is safe.", "It is not safe."), contradicts("It is safe.", "It was safe.")
    (True, False)
    """
    as_stated, as_affirmed = (
        sum((one - two).total() for one, two in permutations([Counter(_WORD.findall(read(t))) for t in (text, other)]))
        for read in (stated, affirmed)
    )
    return 2 * as_affirmed <= as_stated > 0
