"""Help: one screen for all, an example for each, and completion that knows the commands."""

import os
import subprocess
import sys

import pytest
from tests.conftest import ROOT

from winnow.base.errors import WinnowError
from winnow.cli.main import app

COMMANDS = [
    c.name or c.callback.__name__ for part in app.registered_groups for c in part.typer_instance.registered_commands
]


def run(*words, stdin=None, **environment):
    return subprocess.run(
        [sys.executable, "-m", "winnow", *words],
        capture_output=True, text=True, cwd=ROOT, input=stdin, env={**os.environ, **environment}, timeout=60,
    )  # fmt: skip


def kinds_of(error: type[WinnowError]) -> list[type[WinnowError]]:
    return [error, *(kind for sub in error.__subclasses__() for kind in kinds_of(sub))]


def test_help_fits_a_screen_and_names_every_command_and_exit_code(winnow):
    lines = winnow("--help").stdout.splitlines()
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 100
    assert {line[6:16].strip() for line in lines} >= set(COMMANDS)
    said = " ".join(lines)
    for code in {0, 130, 143, *(kind.exit_code for kind in kinds_of(WinnowError))}:
        assert f" {code} " in said.partition("Exit codes:")[2], code


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_an_example_that_calls_it(winnow, command):
    shown = winnow(command, "--help")
    assert shown.exit_code == 0
    assert f"winnow {command}" in shown.stdout.partition("Example:")[2]


def test_every_command_has_json(winnow):
    for command in COMMANDS:
        assert "--json" in winnow(command, "--help").stdout, command


def test_the_shell_completes_commands():
    env = {"_WINNOW_COMPLETE": "complete_bash", "COMP_WORDS": "winnow ver", "COMP_CWORD": "1"}
    code = "import sys; sys.argv[0] = 'winnow'; from winnow.cli.main import app; app(prog_name='winnow')"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env={**os.environ, **env}
    )
    assert done.stdout.split() == ["versions", "verify"]


def test_a_wrong_call_is_one_line_and_exit_code_2(tmp_path):
    done = run("versions", "--into", str(tmp_path / "none"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("winnow: ")


@pytest.mark.parametrize(
    ("words", "text", "unneeded"),
    [
        (["--help"], "", ("pydantic", "re2", "ftfy", "asyncio")),
        (["clean"], "x", ("wordfreq", "msgpack", "winnow.read", "winnow.deduplicate")),
        # Words have to be judged here: their lists are read without the package around them.
        (["clean"], "& lt ;p> the minis ter said , w ith counsel , that the bridge would be open .", ("wordfreq",)),
    ],
    ids=["help", "clean", "clean with words"],
)
def test_a_command_loads_only_what_it_needs(words, text, unneeded):
    heavy = ("pyarrow", "polars", "pandas", "numpy", "prefect", "great_expectations", "rich", *unneeded)
    code = (
        f"import sys, io; sys.argv = ['winnow', *{words!r}]; from winnow.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        f"print([m for m in {heavy!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, input=text)
    assert done.stderr.strip() == "[]"
    assert {"": "Usage", "x": "x\n"}.get(text, "minister said, with counsel") in done.stdout


def test_a_reader_that_has_enough_ends_the_filter_quietly():
    text = "line\n" * 200_000
    clean = subprocess.Popen([sys.executable, "-m", "winnow", "clean"], stdin=-1, stdout=-1, stderr=-1, cwd=ROOT)
    clean.stdout.close()
    _, error = clean.communicate(text.encode())
    assert (clean.returncode, error) == (0, b"")
