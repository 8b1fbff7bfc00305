"""Weights from files: whole, of this network, and without running what a file says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from mmengine.logging import HistoryBuffer
from torch import nn

from tasks.errors import PlanError
from tasks.openmmlab.checkpoints import load


class Hostile:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("zipped", [True, False])
def test_only_tensors_are_read_and_nothing_is_run(tmp_path: Path, zipped: bool) -> None:
    weights = nn.Linear(2, 3).state_dict()
    content = {"state_dict": weights, "extra": Hostile(tmp_path / "ran")}
    torch.save(content, tmp_path / "file.pth", _use_new_zipfile_serialization=zipped)
    network = nn.Linear(2, 3)
    load(network, str(tmp_path / "file.pth"))
    assert torch.equal(network.weight, weights["weight"])
    assert not (tmp_path / "ran").exists()


def test_a_checkpoint_with_mmengines_loss_histories_is_read(tmp_path: Path) -> None:
    weights = nn.Linear(2, 3).state_dict()
    history = HistoryBuffer([1.0, 0.5], [1, 1])
    message_hub = {"log_scalars": {"train/loss": history}}
    torch.save({"state_dict": weights, "message_hub": message_hub}, tmp_path / "iter_2.pth")
    network = nn.Linear(2, 3)
    load(network, str(tmp_path / "iter_2.pth"))
    assert torch.equal(network.bias, weights["bias"])


def test_half_a_network_is_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(3, 2)}, tmp_path / "half.pth")
    with pytest.raises(PlanError, match=r"1 of 2 weights are missing .* \(bias"):
        load(nn.Linear(2, 3), str(tmp_path / "half.pth"))


def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.pth").write_text("not a checkpoint")
    with pytest.raises(PlanError, match="cannot be read as weights"):
        load(nn.Linear(2, 3), str(tmp_path / "notes.pth"))
