"""`watt`: one command for what is otherwise `python run.py`, `python -m analysis`, ..."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tomllib

import pytest

import watt_for_what
from tests.conftest import ROOT
from watt_for_what import subcommands
from watt_for_what.command import main
from watt_for_what.subcommands import SUBCOMMANDS, Subcommand


def test_help_lists_what_is_there_and_nothing_else(capsys, monkeypatch):
    table = (
        Subcommand("there", "a module of this version", "metering.doctor"),
        Subcommand("later", "a module of another version", "metering.not_written"),
        Subcommand("much-later", "its package is missing too", "not_written.at_all"),
    )
    monkeypatch.setattr("watt_for_what.command.SUBCOMMANDS", table)
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert "there     a module of this version" in shown
    assert "later" not in shown
    assert main(["much-later"]) == 2
    assert capsys.readouterr().err == (
        "error: watt much-later is not part of this version: module not_written.at_all is "
        "missing; `watt --help` lists what there is\n"
    )


def test_a_mistyped_command_is_one_line_with_the_nearest_names(capsys):
    assert main(["tabels"]) == 2
    assert capsys.readouterr().err == "error: command 'tabels' is unknown; did you mean tables?\n"


@pytest.mark.parametrize(
    "command", [one for one in SUBCOMMANDS if one.is_there], ids=lambda command: command.name
)
def test_each_listed_command_is_reached_and_tells_of_itself(command, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["watt", command.name, "--help"])
    monkeypatch.chdir(ROOT)
    try:
        status = main()
    except SystemExit as ended:
        status = int(ended.code or 0)
    assert status == 0
    assert capsys.readouterr().out.strip()


def test_the_status_is_that_of_the_command(tmp_path, capsys):
    assert main(["tables", str(tmp_path / "nowhere")]) == 2
    assert "nowhere does not exist" in capsys.readouterr().err


def test_names_of_subcommands_are_used_once():
    names = [command.name for command in subcommands.SUBCOMMANDS]
    assert sorted(names) == sorted(set(names))


def test_both_console_commands_are_declared_and_can_be_called():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert set(scripts) == {"watt", "watt-for-what"}
    for target in scripts.values():
        module, function = target.split(":")
        assert callable(getattr(importlib.import_module(module), function))


def test_the_public_module_gives_what_it_names_and_loads_nothing_before():
    for name in watt_for_what.__all__:
        assert getattr(watt_for_what, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'recrod'"):
        _ = watt_for_what.recrod
    code = "import sys, watt_for_what; print({'torch', 'pandas', 'hydra'} & sys.modules.keys())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "set()"
