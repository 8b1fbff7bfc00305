"""The audit as it is printed: every finding whole, its command, its page, a user's own file."""

from __future__ import annotations

import re
import shlex
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from analysis.__main__ import main, parser
from analysis.audit import ranks
from analysis.audit.all_findings import findings
from analysis.audit.finding import Finding, pages, table
from analysis.independent import facts
from analysis.independent.own_file import NEEDED, with_files
from analysis.published import facts as published
from tests.analysis.audit.test_findings import ENERGY, RTX5000, about, near
from tests.conftest import ROOT
from tests.tasks.terminal.typed import type_in

pytestmark = pytest.mark.slow

typed = cache(type_in)
"""Several findings are settled by one command."""


def test_every_finding_is_complete() -> None:
    listed = findings(ENERGY)
    keys = set(facts.sources()["key"]) | set(published.sources()["key"])
    for one in listed:
        assert one.subject and one.says and one.sure and one.basis and one.formula and one.settles
        assert set(one.sources) <= keys and one.sources
    assert len({one.subject for one in listed}) == len(listed)


@pytest.mark.parametrize("one", findings(ENERGY), ids=lambda one: one.subject)
def test_what_would_settle_a_finding_can_be_typed(one: Finding, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in re.findall(r"`(python [^`]+)`", one.settles):
        # a whole experiment takes long to compose: its own tests do so
        words = [word for word in shlex.split(command) if not word.startswith("experiment=")]
        if words[1] == "run.py":
            status, said = typed(*words[2:])
            assert status == 0, said
        elif words[2] == "analysis":
            parser().parse_args(words[3:])
        else:
            assert find_spec(words[2]) is not None


def test_the_documents_quote_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit"]) == 0
    assert capsys.readouterr().out in (ROOT / "RESULTS.md").read_text(encoding="utf-8")
    assert main(["audit", "--full"]) == 0
    assert capsys.readouterr().out in (ROOT / "docs/evidence.md").read_text(encoding="utf-8")


def test_a_users_own_measurement_enters_the_findings(tmp_path: Path) -> None:
    rows = ENERGY[
        (ENERGY["hardware"] == RTX5000)
        & (ENERGY["phase"] == "test")
        & ENERGY["framework"].str.startswith("PyTorch")
    ]
    own = rows.assign(hardware="my board", source="my logbook", framework="")
    path = tmp_path / "mine.csv"
    own[[*NEEDED, "batch_size"]].to_csv(path, index=False)
    listed = ranks.findings(with_files([str(path)]))
    numbers = about("Order of networks, testing", listed).numbers
    assert numbers["my board batch 32, gpu (my logbook)"] == near(0.77)


def test_a_file_that_cannot_be_used_ends_with_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--independent", "nowhere.csv"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_table_has_a_line_a_finding() -> None:
    one = Finding("subject", "says 1", "sure", "basis", "formula", ("zeus",), "command")
    assert table([one]).splitlines()[2:] == ["| 1 | subject | says 1 | sure |"]
    assert "### 1. subject" in pages([one]) and "Apache-2.0" in pages([one])
