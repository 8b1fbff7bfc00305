"""Every command in README and docs can be typed: it is planned, parsed or found."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec

import pytest

from analysis.__main__ import parser
from tests.conftest import ROOT
from tests.tasks.terminal.test_refusals import type_in
from watt_for_what.subcommands import SUBCOMMANDS

pytestmark = pytest.mark.slow

PAGES = [
    ROOT / "README.md",
    ROOT / "RESULTS.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
BLOCK = re.compile(r"^ *```(?:bash|sh|console|yaml)?\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:python|make|watt|watt-for-what) [^`]+)`")
INDENTED = re.compile(r"(?:^    \S.*\n?)+", re.MULTILINE)
READERS_OWN = re.compile(
    r"/data/|/scratch|/shared|/home|FILE|FOLDER|NAME|my_|cooldown_s=idle|switch=reference,best_|\.pth|\.ckpt|my-|lab_"
    r"|~/|cpu48|KEY|=a,b|experiment=\.\.\."
)
"""Words of a command that name what only its reader has."""


@dataclass(frozen=True)
class Typed:
    """A command of a page; expected: the output that the page shows below it, if any."""

    page: str
    words: tuple[str, ...]
    expected: str
    in_sentence: bool

    def __str__(self) -> str:
        return f"{self.page}: {' '.join(self.words)}"[:120]


def commands() -> list[Typed]:
    """All commands of all pages, each once: in blocks, where what is shown with a `$` or as the
    step of a CI is one too, and within sentences."""
    typed: dict[tuple[str, ...], Typed] = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = BLOCK.findall(text)
        prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
        sentences = [" ".join(inline.split()) for inline in INLINE.findall(prose)]
        for block in INDENTED.findall(prose):
            blocks.append(re.sub(r"^    ", "", block, flags=re.MULTILINE))
        for block in (*blocks, *sentences):
            lines = block.replace("\\\n", " ").splitlines()
            for line, below in zip(lines, [*lines[1:], ""], strict=True):
                words = _words(line)
                if words:
                    expected = below if line.startswith("$ ") and below.startswith("error:") else ""
                    typed.setdefault(words, Typed(page.name, words, expected, block in sentences))
    return list(typed.values())


def _words(line: str) -> tuple[str, ...]:
    """Of a line that is a command; its comment and the settings before it are left out."""
    try:
        words = shlex.split(re.sub(r"^ *(\$|- run:) ", "", line), comments=True)
    except ValueError:
        return ()
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words.pop(0)
    if len(words) < 2 or words[0] not in {"python", "make", "watt", "watt-for-what"}:
        return ()
    # what a page writes for optional words
    return tuple(word for word in words if not word.startswith("[") and not word.endswith("]"))


COMMANDS = commands()


def test_pages_hold_commands():
    assert len(COMMANDS) > 60


RUNS = [one for one in COMMANDS if "run.py" in one.words or one.words[:2] == ("watt", "run")]


def _marks(typed: Typed) -> list[pytest.MarkDecorator]:
    """A whole experiment takes seconds to plan."""
    return [pytest.mark.slow] if _is_experiment(typed) else []


def _is_experiment(typed: Typed) -> bool:
    return any(word.startswith("experiment=") for word in typed.words)


@pytest.mark.parametrize("typed", [pytest.param(one, marks=_marks(one)) for one in RUNS], ids=str)
def test_a_run_is_planned(typed: Typed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = [word for word in typed.words[2:] if not word.startswith("dry_run")]
    if typed.in_sentence and _is_experiment(typed):
        arguments.append("model=resnet50")  # one row: commands in blocks plan the whole
    status, said = type_in(*arguments)
    if typed.expected:
        assert said.strip() == typed.expected
    elif READERS_OWN.search(" ".join(typed.words)):
        assert status in {0, 2}, said
    else:
        assert status == 0, said


@pytest.mark.parametrize("typed", [one for one in COMMANDS if one.words[0] == "make"], ids=str)
def test_a_target_is_made(typed: Typed):
    done = subprocess.run(
        ["make", "-n", *typed.words[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "typed", [one for one in COMMANDS if one.words[:2] == ("python", "-m")], ids=str
)
def test_a_module_is_there_and_takes_the_options(typed: Typed):
    module = typed.words[2]
    if module == "analysis":
        _parsed(typed.words[3:])
    else:
        assert find_spec(module) is not None, f"no module {module}"


@pytest.mark.parametrize(
    "typed",
    [one for one in COMMANDS if one.words[0].startswith("watt") and one.words[1:2] != ("run",)],
    ids=str,
)
def test_a_subcommand_is_there_and_takes_the_options(typed: Typed):
    known = {one.name: one for one in SUBCOMMANDS}
    if typed.words[1] in {"--help", "-h"}:
        return
    assert typed.words[1] in known
    assert known[typed.words[1]].is_there
    if known[typed.words[1]].of_analysis:
        _parsed(typed.words[1:])


def _parsed(words: tuple[str, ...]) -> None:
    """argparse leaves with 0 after --help, and with 2 for an option that it does not have. A
    sentence may name a command without its arguments."""
    if len(words) < 2:
        words = (*words, "--help")
    try:
        parser().parse_args(list(words))
    except SystemExit as ended:
        assert ended.code == 0, words
