"""Loaded weights are numbers; what is no weight may be infinite."""

from __future__ import annotations

import pytest
import torch

from tasks.config.weight_values import require_finite
from tasks.errors import PlanError


def _network() -> torch.nn.Module:
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.BatchNorm2d(4))
    network.register_buffer("mask", torch.full((2, 2), -torch.inf).triu(1))
    return network


def test_a_mask_of_attention_may_be_infinite() -> None:
    require_finite("w.pth", _network())


@pytest.mark.parametrize("name", ["0.weight", "1.running_var"])
def test_a_weight_and_a_statistic_may_not(name: str) -> None:
    network = _network()
    network.state_dict()[name].fill_(torch.nan)
    with pytest.raises(PlanError, match=rf"infinite or no numbers \({name}\)"):
        require_finite("w.pth", network)
