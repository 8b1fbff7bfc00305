"""Every snippet of docs/own-loop.md runs as it stands, with a loop of three lines around it."""

from __future__ import annotations

import re

import pytest
import torch

import watt_for_what as watt
from tests.conftest import ROOT
from watt_for_what.exec import _parser

PAGE = (ROOT / "docs/own-loop.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("code", SNIPPETS)
def test_a_snippet_leaves_a_finished_record(code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    network = torch.nn.Linear(4, 2)
    batch = torch.zeros(8, 4), torch.zeros(8)
    names = {
        "watt": watt,
        "network": network,
        "loader": [batch] * 20,
        "step": lambda images, labels: network(images).sum().backward(),
        "save": lambda: torch.save(network.state_dict(), tmp_path / "weights.pt"),
    }
    exec(code, names)
    [path] = (tmp_path / "runs").rglob("record.json")
    assert watt.read_record(path).status == "finished"


def test_the_command_of_the_page_is_understood():
    [line] = re.findall(r"^watt exec (.*)$", PAGE, re.MULTILINE)
    said = _parser().parse_args(line.split())
    assert (said.name, said.samples) == ("my-net", 1281167)
    assert said.command == ["--", "python", "train.py", "--epochs", "1"]
