"""Repetition that carries meaning: an answer under several questions, a refrain, equal rows, a legal formula.

A passage that stands again is judged by what stands around both places, not by its length alone. Where passage after
passage stands again in the same order, the stretch is a second copy, and nothing in it stays for its meaning.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, pairwise

import xxhash

from winnow.deduplicate.passages.splitter import INDENTS, QUOTES, ends_sentence, reads_as_code
from winnow.deduplicate.repeats.references import is_reference
from winnow.deduplicate.repeats.spoken import (
    MAX_CALL,
    MAX_VERSE,
    in_litany,
    is_pointed,
    is_stanza,
    is_verse,
    speaker_of,
)

ANSWER, TURN, REFRAIN, ROW, MEASUREMENT, HEADING, FORMULA, QUOTATION, CODE = (
    "answer", "turn", "refrain", "table_row", "measurement", "heading", "formula", "quotation", "code",
)  # fmt: skip
MEANINGS = {
    ANSWER: "it stands under another question or label",
    TURN: "a speaker says it again",
    REFRAIN: "it is a refrain of verse",
    ROW: "it is a row of a table",
    MEASUREMENT: "it gives measurements",
    HEADING: "it heads something else",
    FORMULA: "it is a formula of law or procedure",
    QUOTATION: "it is quoted as a passage of its own",
    CODE: "it is code or a command, given where it is to be used",
}
"""Why a passage that stands again stays, and what that means."""

_FAR = 32  # passages looked at on either side; keeps hostile repetition linear
_SECTION = 8  # passages at most of what stands under a label and is one answer
ALL_BELOW = 2  # stands for no passages: hashes are odd, or 0
_UNSUNG = frozenset(("list_item", "table_row", "code"))  # kinds that are never verse
_COPY = 3  # different passages in a row that stand again in the same order are a second copy
_MAX_NAME = 40  # characters
_MAX_LABEL = 80
MAX_QUESTION = 300
_MAX_FORMULA = 500
_WORDS_A_NUMBER = 6  # at most, where numbers are what is said
QUESTION = (
    r"^\s{0,40}(?:[-*>•]\s{1,4})?\*{0,2}(?:Q|Question|Frage|Pregunta|Pergunta|Domanda|Vraag|Pytanie|Fråga|Soru|Вопрос|"
    r"Питання|Ερώτηση|سؤال|问|問|質問|질문)\s?\d{0,3}\s?[.:)：]"
)
"""How a passage opens that is marked as a question; the same in Rust's dialect, and so is `ASKS`."""
ASKS = r"[?？؟][\s*_\"”»)]{0,4}$"
_QUESTION, _ASKS = re.compile(QUESTION), re.compile(ASKS)
_PROCEDURE = re.compile(
    r"(?i)\W{0,8}(?:\d{1,3}[.)]\s)?(?:(?:then |and )?(?:repeat|go back to|return to) "
    r"(?:steps?|rows?|rounds?|from|the|this|until)\b|"
    r"wiederhol\w* sie\b|répéte[rz]\b|rép[èe]te\w* les? étapes?|repita\b|repítase\b|ripetere\b|повторите\b|重复|重複|"
    r"(?:warning|caution|danger|warnung|vorsicht|achtung|gefahr|avertissement|attention|advertencia|precaución|atención|"
    r"aviso|avvertenza|attenzione|waarschuwing|ostrzeżenie|uwaga|предупреждение|внимание|осторожно|警告|注意)\*{0,2}\s?[:!：！])"
)
"""How a passage opens that says what to do again, or what to beware of; it is said where it matters."""
_CHORUS = re.compile(
    r"(?i)\W{0,4}(?:(?:pre-?)?chorus|refrain|hook|kehrvers|estribillo|coro|refrão|ritornello|refrein|refräng|refren|припев|"
    r"приспів|サビ|副歌|후렴)\b[^\n]{0,12}(?:\n|$)"
)
_NUMBERED = re.compile(r"\s{0,40}(?:\(?\d{1,3}[.)]|\[\d{1,3}\])\s")
_CELLS = re.compile(r"\t|\s{2,40}|;\s?")
_NUMBER = re.compile(r"(?<!\w)\d+(?:[.,:]\d+)*")
_CLAUSE = re.compile(
    r"(?i)\W{0,6}(?:§+|art(?:icle|ikel|iculo|ículo|icolo|\.)?|sec(?:tion|\.)|clause|abschnitt|artigo|rule|"
    r"статья|ст\.|第.{1,6}条)\s{0,4}[\divxlc一-十]"
)
_LEGAL = re.compile(  # of text in lower case, three times as fast as one that does not mind
    r"\b(?:shall|hereby|herein\w{0,6}|hereof|hereunder|hereto|thereof|whereas|pursuant to|notwithstanding|"
    r"in witness whereof|without prejudice|without regard to|governed by|construed|this agreement|"
    r"mutatis mutandis|provisions? of|so ordered|motion (?:was )?(?:carried|"
    r"passed|approved|seconded)|(?:moved|seconded|proposed) by|"
    r"unanimous(?:ly)?|(?:was|were) (?:adopted|carried|approved)|"
    r"votes? (?:in favou?r|against)|abst(?:ained|entions?)|gemäß|unbeschadet|findet? (?:entsprechende )?anwendung|"
    r"en vertu de|sans préjudice|aux termes de|sin perjuicio|en virtud de)(?:\b|(?<=\W))"
)
_WORDS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What speaks for a passage to stay although another document has it too, as far as its own document tells.

    `beside` is a hash of what gives it its meaning: the question above an answer, what a heading heads. Two passages
    with the same `beside` say the same; 0 stands where only the structure counts. Two answers are compared only if they
    are alike in `among`, what stands between the question and the passage, or in `section`, all that stands under it.
    `windows` are hashes of the three passages that end with it, that have it in their middle, and that begin with it:
    where one of them is the same elsewhere, the stretch is a copy. It is 0 where the three are not different.
    A meaning that is `firm` counts more than the number of documents that have the passage.
    """

    meaning: str
    beside: int = 0
    among: int = 0
    section: int = 0
    windows: tuple[int, int, int] = (0, 0, 0)
    firm: bool = False


class Meaning:
    """What stands around the passages of one document: it tells which of those that stand again do so for a reason.

    `prints` are alike where passages are.
    """

    def __init__(
        self, kinds: Sequence[str], texts: Sequence[str], gaps: Sequence[str], prints: Sequence[Hashable]
    ) -> None:
        self.kinds, self.texts, self.gaps, self.prints = kinds, texts, gaps, prints
        self._found_labels: dict[int, bool] = {}

    @cached_property
    def _twins(self) -> Mapping[int, int]:
        """Where each passage that stands again stands earlier: beside its predecessor's twin if it can, else first."""
        first: dict[Hashable, int] = {}
        twins: dict[int, int] = {}
        for n, key in enumerate(self.prints):
            m = first.setdefault(key, n)
            if m < n:
                beside = twins.get(n - 1, -1) + 1
                twins[n] = beside if 0 < beside < n and self.prints[beside] == key else m
        return twins

    def of(self, n: int, m: int) -> str | None:
        """Why passage `n`, which says again what `m` says, stays; None where nothing speaks for it."""
        m = self._twins.get(n, m)
        start, stop = self._stretch(n, m)
        if self._asks_of_another(start, stop, n - m):
            return ANSWER
        row = self._is_row(n) and self._is_row(m)
        listed = row or self._measures(n)
        answer = self._answers(n, m)
        if stop - start > 1 and not (answer and listed) and self._is_copy(start, stop, n - m):
            return None
        if answer:
            return ANSWER
        if row:
            return ROW
        if self._is_turn(n, m, stop - start) or (stop - start == 1 and self._is_spoken(n, m)):
            return TURN
        if (self._in_verse(n) and self._in_verse(m)) or self._is_chorus(n) or self._responds(n) or self._is_litany(n):
            return REFRAIN
        if self._measures(n):
            return MEASUREMENT
        if self._heads(n, m):
            return HEADING
        if self._is_code(n) and self._is_code(m):
            return CODE
        return FORMULA if self._is_formula(n, m) else None

    def _is_code(self, n: int) -> bool:
        """Whether a passage is marked as code, or set off by indentation as code is."""
        return self.kinds[n] == "code" or all(line.startswith(INDENTS) for line in self.texts[n].split("\n"))

    def of_run(self, n: int, start: int) -> str | None:
        """Why sentences of passage `n` from `start` on, which stand earlier as well, stay."""
        if self._in_verse(n):
            return REFRAIN
        return ANSWER if _ASKS.search(self.texts[n][max(0, start - MAX_QUESTION) : start]) else None

    def of_near(self, n: int, m: int) -> str | None:
        """Why passage `n`, which says nearly what `m` says, stays."""
        numbers, words = (Counter(e.findall(self.texts[n])) for e in (_NUMBER, _WORDS))
        others, other_words = (Counter(e.findall(self.texts[m])) for e in (_NUMBER, _WORDS))
        if words == other_words and numbers - others:
            return MEASUREMENT
        return self.of(n, m)

    def standing(self, n: int) -> Standing | None:
        """What speaks for passage `n` to stay although another document has it; None where nothing does."""
        if self.kinds[n] == "code" or reads_as_code(self.texts[n]):
            return Standing(meaning=CODE, windows=self._windows(n))
        if answer := self._answer(n):
            return answer
        if self._is_row(n) or self._is_table(n):
            return Standing(meaning=ROW)
        if self._is_numbered(n) and (self._is_numbered(n - 1) or self._is_numbered(n + 1)):
            return Standing(meaning=FORMULA, windows=self._windows(n))
        if self._takes_turn(n):
            return Standing(meaning=TURN, windows=self._windows(n), firm=True)
        if max(map(len, self.texts[n].split("\n"))) <= MAX_VERSE and self._in_verse(n):
            return Standing(meaning=REFRAIN, windows=self._windows(n), firm=is_pointed(self.texts[n]))
        if is_reference(self.texts[n]):
            return Standing(meaning=QUOTATION)  # papers on one subject have several in a row in common
        if is_stanza(self.texts[n]):
            return Standing(meaning=REFRAIN, windows=self._windows(n))
        if self._measures(n):
            return Standing(meaning=MEASUREMENT, windows=self._windows(n))
        if (leads := self._leads_on(n)) or self._asks(n):
            below = _hash(*self.prints[n + 1 : n + 2])
            return Standing(meaning=HEADING, beside=below, firm=leads) if below else None
        if len(self.texts[n]) > _MAX_FORMULA:
            return None
        clauses, hits = self._clause_of[-1] if self._clause_of[n] else 0, len(self._legal(n))
        if hits >= 2 or clauses >= 3 or _PROCEDURE.match(self.texts[n]):
            windows = self._windows(n, least_chars=_MAX_LABEL)  # clauses stand in one order under one heading by rights
            return Standing(meaning=FORMULA, windows=windows, firm=bool(hits and clauses >= 3))
        return None

    def _answer(self, n: int) -> Standing | None:
        """How passage `n` answers the question above it, or says what stands under a label.

        Under a question inside a document it is enough that the answer begins alike. The first line of a document may
        be its title, even if it asks: there, and under a label, all that stands below must be the same.
        """
        label = n - 1
        while n - label < _SECTION and label >= 0 and not self._labels(label):
            label -= 1
        if label < 0 or not self._labels(label) or self._labels(n):
            return None
        stop = n + 1
        while stop - label <= _SECTION and not self._ends_at(stop):
            stop += 1
        section = _hash(*self.prints[label + 1 : stop]) if self._ends_at(stop) else 0
        among = _hash(*self.prints[label + 1 : n])
        if not (_QUESTION.match(self.texts[label]) or (label and self._asks(label))):
            among = ALL_BELOW
            if not section or not (self._asks(label) or self._many_labels):
                return None
        firm = self._asks(label) and label == n - 1 and self._ends_at(n + 1)
        beside = _hash(self.prints[label])
        return Standing(meaning=ANSWER, beside=beside, among=among, section=section, firm=firm)

    @cached_property
    def _many_labels(self) -> bool:
        """Whether passage and label alternate at least three times."""
        labels = self._labels
        found = (n for n in range(len(self.texts) - 1) if labels(n) and not labels(n + 1) and self._ends_at(n + 2))
        return len(list(islice(found, 3))) == 3

    def _windows(self, n: int, least_chars: int = 0) -> tuple[int, int, int]:
        """Hashes of three passages in a row, all of them as long as that, which passage `n` ends, halves and opens."""

        def told(start: int) -> int:
            three, texts = self.prints[max(0, start) : start + 3], self.texts[max(0, start) : start + 3]
            apart = len(set(three)) == _COPY and min(map(len, texts)) >= least_chars
            return _hash(*three) if start >= 0 and apart else 0

        return told(n - 2), told(n - 1), told(n)

    def _takes_turn(self, n: int) -> bool:
        if self._speaks(n):
            return self._is_talk and (self._speaks(n - 1) or self._speaks(n + 1))
        named = n > 0 and len(self.texts[n - 1]) <= _MAX_NAME
        return named and self.prints[n - 1] in self._callers and self.prints[n] not in self._callers

    def _stretch(self, n: int, m: int) -> tuple[int, int]:
        """The passages around `n`, itself among them, that stand in the same order around `m`."""
        start, stop, delta = n, n + 1, n - m
        while n - start < _FAR and start > delta and self.prints[start - 1] == self.prints[start - 1 - delta]:
            start -= 1
        while stop - n < _FAR and stop < len(self.prints) and self.prints[stop] == self.prints[stop - delta]:
            stop += 1
        return start, stop

    def _is_copy(self, start: int, stop: int, delta: int) -> bool:
        """Whether a stretch that stands again is a second copy: different blocks in a row, or all there is."""
        different = len(set(self.prints[start:stop]))
        if different == 1 or (stop - start > delta and different < _COPY):
            return False  # one and the same, again and again
        if start == delta and stop == len(self.prints) and delta > 1:
            return True
        told = {self.prints[n] for n in range(start, stop) if len(self.texts[n]) > _MAX_LABEL or self._told_apart(n)}
        return len(told - self._callers) >= _COPY

    def _told_apart(self, n: int) -> bool:
        """Whether a short passage is a block of its own, and no line of a stanza."""
        return n == 0 or "\n\n" in self.gaps[n - 1] or not self._in_verse(n)

    def _answers(self, n: int, m: int) -> bool:
        """Whether both stand under different questions; or, with nothing else below, under different labels."""
        first, delta = n, n - m
        while n - first < _FAR and first > delta + 1 and not self._labels(first - 1) and self._again(first - 1, delta):
            first -= 1
        label, other = first - 1, first - 1 - delta
        if other < 0 or self.prints[label] == self.prints[other]:
            return False
        if self._asks(label) and self._asks(other):
            return True
        if not (self._labels(label) and self._labels(other)):
            return False
        stop = n + 1
        while stop - n < _FAR and stop < len(self.prints) and not self._labels(stop) and self._again(stop, delta):
            stop += 1
        return self._ends_at(stop) and self._ends_at(stop - delta)

    def _asks_of_another(self, start: int, stop: int, delta: int) -> bool:
        """Whether a stretch that stands again under another label is a form: questions, and what may be ticked."""
        above, other = start - 1, start - 1 - delta
        if other < 0 or not any(map(self._asks, range(start, stop))):
            return False
        labelled = all(self._labels(k) and not self._asks(k) for k in (above, other))
        return labelled and all(self._asks(k) or not ends_sentence(self.texts[k]) for k in range(start, stop))

    def _again(self, n: int, delta: int) -> bool:
        return self.prints[n] == self.prints[n - delta]

    def _ends_at(self, n: int) -> bool:
        return n == len(self.texts) or self._labels(n)

    def _asks(self, n: int) -> bool:
        text = self.texts[n]
        return len(text) <= MAX_QUESTION and bool(_ASKS.search(text, len(text) - 8) or _QUESTION.match(text))

    def _labels(self, n: int) -> bool:
        """Whether a passage is a label of what follows: a heading, a question, a date or name on a line of its own."""
        if n not in self._found_labels:
            self._found_labels[n] = self._is_label(n)
        return self._found_labels[n]

    def _is_label(self, n: int) -> bool:
        if self.kinds[n] == "heading" or self._asks(n):
            return True
        text = self.texts[n]
        if self.kinds[n] == "table_row" or "\n" in text or len(text) > _MAX_LABEL or "://" in text:
            return False
        return not ends_sentence(text)

    @cached_property
    def _speakers(self) -> Counter[str]:
        """How many passages begin with each name and a colon."""
        return Counter(filter(None, map(speaker_of, self.texts)))

    @cached_property
    def _is_talk(self) -> bool:
        """Whether speakers alternate."""
        return len(self._speakers) > 1 and sum(times for times in self._speakers.values() if times >= 2) >= 4

    @cached_property
    def _callers(self) -> set[Hashable]:
        """Short passages that stand again above different ones, as names above lines of a play do."""
        times = Counter(self.prints)
        followers: dict[Hashable, set[Hashable]] = {}
        for n, (key, following) in enumerate(pairwise(self.prints)):
            if times[key] >= 2 and len(self.texts[n]) <= _MAX_NAME:
                followers.setdefault(key, set()).add(following)
        callers = {key for key, after in followers.items() if len(after) > 1}
        return callers if len(callers) > 1 and sum(times[key] for key in callers) >= 5 else set()

    def _speaks(self, n: int) -> bool:
        speaker = speaker_of(self.texts[n]) if 0 <= n < len(self.texts) else None
        return speaker is not None and self._speakers[speaker] >= 2

    def _is_turn(self, n: int, m: int, stretch: int) -> bool:
        if self._speaks(n) and self._speaks(m) and len(self._speakers) > 1 and stretch <= 2:
            return self._is_talk and (self._speaks(n - 1) or self._speaks(n + 1)) and not self._asks(n)
        return (
            m > 0
            and self.prints[n - 1] in self._callers
            and self.prints[m - 1] in self._callers
            and (n + 1 == len(self.prints) or self.prints[n + 1] in self._callers)
            and stretch <= 4
        )

    @cached_property
    def _verse(self) -> Sequence[bool]:
        """Which passages are, or stand in, a stanza among other stanzas."""
        ends = [n + 1 for n, gap in enumerate(self.gaps) if gap.count("\n") > 1]
        bounds = sorted({0, *ends, len(self.texts)})
        lines = [[line for text in self.texts[a:b] for line in text.split("\n")] for a, b in pairwise(bounds)]
        out = [False] * len(self.texts)
        narrow = [len(some) > 1 and max(len(line.strip()) for line in some) <= MAX_VERSE for some in lines]
        if sum(narrow) < 3:  # as most texts have it
            return out
        sizes = Counter(len(some) for some in lines if max(map(len, some)) <= MAX_VERSE)
        alike = {size for size, times in sizes.items() if 3 <= size <= 16 and times >= 3}
        stanzas = [
            fits
            and _UNSUNG.isdisjoint(self.kinds[a:b])
            and (is_verse(some) or (len(some) in alike and max(map(len, some)) <= MAX_VERSE))
            and not any(map(self._asks_or_speaks, range(a, b)))
            for some, fits, (a, b) in zip(lines, narrow, pairwise(bounds), strict=True)
        ]
        different = {tuple(self.prints[a:b]) for (a, b), verse in zip(pairwise(bounds), stanzas, strict=True) if verse}
        if sum(stanzas) < 3 or len(different) < 2:
            return out
        for place, (a, b) in enumerate(pairwise(bounds)):
            if stanzas[place] and any(stanzas[max(0, place - 2) : place] + stanzas[place + 1 : place + 3]):
                out[a:b] = [True] * (b - a)
        return out

    def _is_chorus(self, n: int) -> bool:
        """Whether a passage is called a chorus, in its first line or in the one above it."""
        above = n > 0 and len(self.texts[n - 1]) <= _MAX_NAME and bool(_CHORUS.match(self.texts[n - 1]))
        return above or bool(_CHORUS.match(self.texts[n]))

    def _responds(self, n: int) -> bool:
        """Whether a short passage is every second one, three times at least, between others that are short as well."""
        first, last = n, n
        while n - first < _FAR and first > 2 and self._again(first, 2):
            first -= 2
        while last - n < _FAR and last + 2 < len(self.prints) and self._again(last + 2, 2):
            last += 2
        calls = range(first - 1, last, 2)
        short = all(len(self.texts[k]) <= MAX_CALL for k in (n, *calls))
        return len(calls) >= _COPY and short and len({self.prints[k] for k in calls}) == len(calls)

    def _is_litany(self, n: int) -> bool:
        """Whether a line stands twice in a row, among others of a litany."""
        if self.prints[n] not in (self.prints[n - 1], *self.prints[n + 1 : n + 2]):
            return False
        beside = (k for k in range(max(0, n - _COPY), min(len(self.texts), n + 1 + _COPY)) if not self._again(k, k - n))
        return in_litany(self.texts[n], [self.texts[k] for k in beside])

    def _is_spoken(self, n: int, m: int) -> bool:
        """Whether a passage is speech in quotation marks, with other speech beside it where it stands again."""

        def quoted(k: int) -> bool:
            return 0 <= k < len(self.texts) and self.texts[k].lstrip()[:1] in QUOTES

        beside = ((n + k, m + k) for k in (-1, 1))
        return quoted(n) and any(quoted(a) and quoted(b) and self.prints[a] != self.prints[b] for a, b in beside)

    def _asks_or_speaks(self, n: int) -> bool:
        return bool(_QUESTION.match(self.texts[n])) or self._speaks(n)

    def _in_verse(self, n: int) -> bool:
        lines = self.texts[n].split("\n")
        if self.kinds[n] in _UNSUNG or max(len(line.strip()) for line in lines) > MAX_VERSE:
            return False  # as of most: what the others are need not be asked then, nor where no line stands beside it
        beside = len(lines) > 1 or any(gap.count("\n") < 2 for gap in self.gaps[max(0, n - 1) : n + 1])
        return beside and self._verse[n]

    def _cells(self, n: int) -> int:
        text = self.texts[n].strip() if 0 <= n < len(self.texts) else ""
        return 0 if "\n" in text or len(text) > 400 else len(_CELLS.split(text))

    def _is_row(self, n: int) -> bool:
        """Whether a line has cells, as many as the line above or below it."""
        cells = self._cells(n)
        return cells > 2 and cells in (self._cells(n - 1), self._cells(n + 1))

    def _is_table(self, n: int) -> bool:
        """Whether a passage is rows with cells, all of them as many."""
        lines = self.texts[n].strip().split("\n")
        cells = {len(_CELLS.split(line.strip())) for line in lines} if 2 <= len(lines) <= _FAR else set()
        return len(cells) == 1 and cells.pop() > 2

    def _measures(self, n: int) -> bool:
        """Whether an item of a list gives two numbers or more, and so does the one before or after it."""
        return self._counts(n) and (self._counts(n - 1) or self._counts(n + 1))

    def _counts(self, n: int) -> bool:
        if not 0 <= n < len(self.texts) or self.kinds[n] != "list_item":
            return False
        body = self.texts[n].lstrip()
        numbers = len(_NUMBER.findall(body, 4))
        return numbers >= 2 and len(_WORDS.findall(body)) <= _WORDS_A_NUMBER * numbers

    def _is_numbered(self, n: int) -> bool:
        """Whether a passage is a step, or an entry of a bibliography, by its number."""
        return 0 <= n < len(self.texts) and self.kinds[n] == "list_item" and bool(_NUMBERED.match(self.texts[n]))

    def _leads_on(self, n: int) -> bool:
        text = self.texts[n].rstrip(" *_")
        return text[-1:] in (":", "：") and len(text) <= 2 * _MAX_LABEL and "\n" not in text

    def _heads(self, n: int, m: int) -> bool:
        return self._leads_on(n) and n + 1 < len(self.prints) and self.prints[n + 1] != self.prints[m + 1]

    def _legal(self, n: int) -> set[str]:
        """Which different words of law a passage uses."""
        return set(_LEGAL.findall(self.texts[n].lower()))

    def _is_formula(self, n: int, m: int) -> bool:
        if len(self.texts[n]) > _MAX_FORMULA:
            return False
        if _PROCEDURE.match(self.texts[n]):
            return True
        hits = self._legal(n)
        clause, other = self._clause_of[n], self._clause_of[m]
        return len(hits) >= 2 or (clause != other and self._clause_of[-1] >= 3) or bool(hits and clause != other)

    @cached_property
    def _clause_of(self) -> Sequence[int]:
        """In which clause each passage stands, counted from 1; 0 before the first."""
        out, clause = [], 0
        for text in self.texts:
            clause += bool(_CLAUSE.match(text))
            out.append(clause)
        return out


def _hash(*prints: Hashable) -> int:
    """64 bits, of passages in a row; none of them gives 0, and nothing else does."""
    return xxhash.xxh3_64_intdigest(repr(prints).encode()) | 1 if prints else 0
