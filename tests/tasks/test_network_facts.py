"""Counting a network as it was built."""

from __future__ import annotations

import pytest
import timm
import torch

from tasks.network_facts import gmacs


class _Query(torch.nn.Module):
    """A parameter is the input of a module, as in CaiT, PiT and the pooling of SigLIP."""

    def __init__(self) -> None:
        super().__init__()
        self.query = torch.nn.Parameter(torch.zeros(1, 10))
        self.project = torch.nn.Linear(10, 100, bias=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.project(self.query) + images.mean()


@pytest.mark.parametrize("symbolic", [True, False])
def test_a_parameter_may_be_the_input_of_a_module(symbolic):
    network = _Query()
    counted = gmacs(network, network, (1, 3, 4, 4), symbolic=symbolic)
    assert counted == pytest.approx(10 * 100 / 1e9)
    assert network.training


def test_pit_has_the_gmacs_of_its_authors():
    with torch.device("meta"):
        network = timm.create_model("pit_ti_224")
    # PiT-Ti, 0.7 G: Heo 2021, Table 1
    assert gmacs(network, network, (1, 3, 224, 224), symbolic=False) == pytest.approx(0.7, abs=0.05)
