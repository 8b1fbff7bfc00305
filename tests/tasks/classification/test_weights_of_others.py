"""Files of weights as networks of the user's own and scripts of others save them."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_model

from tasks.classification import networks, weights
from tasks.plan import Plan
from tests.tasks.classification.test_weights import DIGITS, noted

OWN = """
import torch

class Masked(torch.nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.body, self.head = torch.nn.Conv2d(3, 4, 3), torch.nn.Linear(4, num_classes)
        self.register_buffer("mask", torch.full((2, 2), -torch.inf).triu(1))

    def forward(self, images):
        return self.head(self.body(images).mean((2, 3)))

class WithMore(Masked):
    def get_extra_state(self):
        return {"version": 1}

    def set_extra_state(self, state):
        pass

class Tied(Masked):
    def __init__(self, num_classes=10):
        super().__init__(num_classes)
        self.other = torch.nn.Linear(4, num_classes)
        self.other.weight = self.head.weight

def wrapped(num_classes=10):
    return torch.nn.DataParallel(Masked(num_classes))
"""


@pytest.mark.parametrize("name", ["Masked", "WithMore", "Tied", "wrapped"])
def test_what_a_network_of_ones_own_saves_is_read(
    compose: Callable[..., Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A mask is infinite, a wrapper puts a word before the names, and safetensors keeps one name of
    tied weights."""
    (tmp_path / "ownweights.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    network = getattr(importlib.import_module("ownweights"), name)()
    path = tmp_path / ("w.safetensors" if name == "Tied" else "w.pth")
    save_model(network, str(path)) if name == "Tied" else torch.save(network.state_dict(), path)
    plan = compose(
        "model=own", f"model.source=ownweights:{name}", *DIGITS[1:], f"checkpoint={path}"
    )
    weights.require_fit(plan, networks.build_without_weights(plan))
    read = networks.build(plan).named_parameters()
    assert all(torch.equal(value, dict(network.named_parameters())[key]) for key, value in read)
    sys.modules.pop("ownweights")


def test_values_that_scripts_save_beside_weights_are_no_hindrance(
    compose: Callable[..., Plan], tmp_path: Path
) -> None:
    state = timm.create_model("test_resnet", num_classes=10).state_dict()
    content = {
        "state_dict": {f"module.{name}": value for name, value in state.items()},
        "metric": np.float64(77.2),
        "history": np.array([70.1, 77.2], np.float32),
        "optimizer": {"state": defaultdict(dict)},
        "args": argparse.Namespace(output_dir=tmp_path),
    }
    content["state_dict"]["n_averaged"] = torch.tensor(3)  # of torch.optim.swa_utils
    torch.save(content, tmp_path / "w.pth")
    plan = compose(*DIGITS, f"checkpoint={tmp_path / 'w.pth'}")
    weights.require_fit(plan, networks.build_without_weights(plan))
    read = networks.build(plan).state_dict()
    assert all(torch.equal(read[name], value) for name, value in state.items())


def named(prefix: str, state: dict[str, Any]) -> dict[str, Any]:
    return {prefix + name: value for name, value in state.items()}


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (
            lambda plain, ema: {"state_dict": named("model.", plain), "optimizer_states": [{}]},
            "the plain ones, names read without model.",
        ),
        (
            lambda plain, ema: {
                "state_dict": named("model.", plain) | named("ema_model.module.", ema)
            },
            "the plain ones; the file has both, checkpoint_weights=ema takes the others, names "
            "read without model.",
        ),
        (
            lambda plain, ema: {"teacher": named("module.", ema), "epoch": 3},
            "the EMA ones; the file has no others, found under teacher",
        ),
    ],
)
def test_weights_as_other_scripts_save_them_are_read_and_noted(
    compose: Callable[..., Plan],
    tmp_path: Path,
    content: Callable[..., dict[str, Any]],
    note: str,
) -> None:
    plain, ema = (timm.create_model("test_resnet", num_classes=10).state_dict() for _ in range(2))
    torch.save(content(plain, ema), tmp_path / "w.ckpt")
    asked = compose(*DIGITS, f"checkpoint={tmp_path / 'w.ckpt'}")
    weights.require_fit(asked, networks.build_without_weights(asked))
    assert noted(asked) == f"weights of w.ckpt: {note}"
    built, taken = networks.build(asked).state_dict(), ema if "EMA ones" in note else plain
    assert all(torch.equal(built[name], value) for name, value in taken.items())
