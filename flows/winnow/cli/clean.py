"""``winnow clean`` and ``winnow explain``: repair as a filter, and the ledger of a document as a person reads it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from winnow.base.errors import UsageError
from winnow.base.recipe import Recipe
from winnow.base.records import Edit, without_lone_surrogates
from winnow.base.terminal import Paint, colours_for, visible
from winnow.repair import Repaired, repair
from winnow.repair.engine.explain import shown_edits

MAX_LINE = 256 << 20  # bytes of one JSONL line; longer ones are answered by an error and passed over
SHOWN = 60  # characters of an edit's text that are printed


def clean(files: Sequence[str], recipe: Recipe, jsonl: bool, explain: bool, passages: bool) -> int:
    """Repair files or standard input to standard output; returns the exit code (1 if a record could not be read)."""
    failed = 0
    for name in files or ["-"]:
        with _open(name) as stream:
            if jsonl:
                failed += _clean_jsonl(stream, recipe, explain, passages, name)
            else:
                _clean_text(stream.read(), recipe, explain, passages)
    return 1 if failed else 0


@contextmanager
def _open(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = Path(name).open("rb")  # noqa: SIM115  (closed by the with below; here only a failure to open is caught)
    except OSError as error:
        raise UsageError(
            f"{name}: cannot be read: {error.strerror}; name a readable file, or - for standard input"
        ) from error
    with stream:
        yield stream


def _clean_text(content: bytes, recipe: Recipe, explain: bool, passages: bool) -> None:
    text = _decode(content)
    repaired = repair(text, recipe.repair)
    if explain:
        for line in edit_lines(text, repaired.edits, Paint(colours_for(sys.stdout))):
            _write(line + "\n")
        return
    out = _without_repeats(repaired, recipe) if passages else repaired.text
    _write(out + "\n" if out else "")


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        from winnow.read.charset import decode

        return decode(content).text


def _clean_jsonl(stream: BinaryIO, recipe: Recipe, explain: bool, passages: bool, name: str) -> int:
    """Answer each record by a record with the repaired text; returns how many lines were no such records."""
    failed = 0
    field = recipe.read.text_field
    number = 0
    while line := stream.readline(MAX_LINE):
        number += 1
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            text = record[field]
            if not isinstance(text, str):
                raise TypeError
        except (ValueError, KeyError, TypeError, RecursionError):
            failed += 1
            why = f"is no JSON object with a text in {field!r}; mend it or name the field in read.text_field"
            error = f"{name}, line {number}: {why}"
            answer: dict[str, object] = {"error": error}
        else:
            repaired = repair(without_lone_surrogates(text), recipe.repair)
            record[field] = _without_repeats(repaired, recipe) if passages else repaired.text
            if explain:
                record["edits"] = [_edit_record(e) for e in repaired.edits]
            answer = record
        _write(json.dumps(answer, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    return failed


def _edit_record(edit: Edit) -> dict[str, object]:
    return {name: getattr(edit, name) for name in Edit.__slots__}


def _without_repeats(repaired: Repaired, recipe: Recipe) -> str:
    from winnow.deduplicate.clean import inside_document

    return inside_document(repaired.text, recipe.deduplicate)[0]


def _write(text: str) -> None:
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))


def edit_lines(text: str, edits: Iterable[Edit], paint: Paint) -> Iterator[str]:
    """One line an edit: number, rule, confidence, place, and the change within its line."""
    edits = list(edits)
    width = max((len(e.rule) for e in edits), default=0)
    for shown in shown_edits(text, edits):
        edit = shown.edit
        before, after = _short(edit.before), _short(edit.after)
        change = paint.red(f"[-{before}-]" if before else "") + paint.green(f"{{+{after}+}}" if after else "")
        left, right = paint.dim(visible(shown.left)), paint.dim(visible(shown.right))
        mark = "" if edit.applied else paint.yellow("  suspicion, not made")
        yield (
            f"{edit.seq:>5}  {edit.rule:<{width}}  {edit.confidence:.2f}  line {shown.line:<5} "
            f"{left}{change}{right}{mark}"
        )


def _short(text: str) -> str:
    if len(text) > SHOWN:
        text = f"{text[: SHOWN // 2]} … {text[-SHOWN // 2 :]}"
    return visible(text)
