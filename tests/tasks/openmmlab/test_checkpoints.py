"""Weights from files: whole, of this network, and without running what a file says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from mmengine.logging import HistoryBuffer
from safetensors.torch import save_file
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


@pytest.mark.parametrize(
    ("prefix", "note"),
    [
        ("module.", ""),
        ("_orig_mod.module.", "names read without _orig_mod.module."),
        ("model.", "names read without model."),
    ],
)
def test_wrappers_and_safetensors_are_read(tmp_path: Path, prefix: str, note: str) -> None:
    weights = nn.Linear(2, 3).state_dict()
    named = {prefix + name: value for name, value in weights.items()}
    torch.save({"state_dict": named}, tmp_path / "a.pth")
    save_file(named, tmp_path / "a.safetensors")
    for file in ("a.pth", "a.safetensors"):
        network = nn.Linear(2, 3)
        assert load(network, str(tmp_path / file)) == note
        assert torch.equal(network.weight, weights["weight"])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (torch.ones(3, 2, dtype=torch.int8), r"has int8 in place of real numbers \(weight\)"),
        (torch.full((3, 2), torch.nan), r"infinite or no numbers \(weight\)"),
    ],
)
def test_weights_that_are_no_numbers_are_refused(
    tmp_path: Path, value: torch.Tensor, words: str
) -> None:
    torch.save({"weight": value, "bias": torch.ones(3)}, tmp_path / "a.pth")
    with pytest.raises(PlanError, match=words):
        load(nn.Linear(2, 3), str(tmp_path / "a.pth"))


def test_another_prefix_beside_other_weights_and_numpy_are_told(tmp_path: Path) -> None:
    state = {f"model.{name}": value for name, value in nn.Linear(2, 3).state_dict().items()}
    torch.save({"state_dict": state | {"loss.weight": torch.ones(3)}}, tmp_path / "a.ckpt")
    with pytest.raises(PlanError, match=r"under names that begin with 'model\.'"):
        load(nn.Linear(2, 3), str(tmp_path / "a.ckpt"))
    with pytest.raises(PlanError, match="is an archive of NumPy"):
        load(nn.Linear(2, 3), str(tmp_path / "a.npz"))


def test_half_a_network_is_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(3, 2)}, tmp_path / "half.pth")
    with pytest.raises(PlanError, match=r"1 of 2 weights are missing .* \(bias"):
        load(nn.Linear(2, 3), str(tmp_path / "half.pth"))


def test_a_larger_network_is_refused_though_it_holds_every_weight(tmp_path: Path) -> None:
    """As a ResNet101 holds those of a ResNet50: its blocks are the same, and then more."""
    deep = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2))
    torch.save(deep.state_dict(), tmp_path / "deep.pth")
    message = r"no place for 2 of its 6 weights \(2\.weight, 2\.bias, \.\.\.\); give the checkpoint"
    with pytest.raises(PlanError, match=message):
        load(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), str(tmp_path / "deep.pth"))


@pytest.mark.parametrize(
    "key",
    [
        "auxiliary_head.0.conv.weight",
        "data_preprocessor.mean",
        "ema_backbone_conv1_weight",
        "bn1.num_batches_tracked",
        "backbone.layers.0.attn.relative_position_index",
    ],
)
def test_what_real_checkpoints_hold_beside_the_weights_is_let_be(tmp_path: Path, key: str) -> None:
    weights = nn.Linear(2, 3).state_dict()
    torch.save({"state_dict": weights | {key: torch.ones(1)}}, tmp_path / "file.pth")
    network = nn.Linear(2, 3)
    load(network, str(tmp_path / "file.pth"))
    assert torch.equal(network.weight, weights["weight"])


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    weights = nn.Linear(2, 3).state_dict()
    torch.save(weights, tmp_path / "file.pth")
    network = nn.Linear(2, 3)
    load(network, "~/file.pth")
    assert torch.equal(network.weight, weights["weight"])


def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.pth").write_text("not a checkpoint")
    with pytest.raises(PlanError, match="cannot be read as weights"):
        load(nn.Linear(2, 3), str(tmp_path / "notes.pth"))
