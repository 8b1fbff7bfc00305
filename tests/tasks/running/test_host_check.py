"""Every node of a run must be what its hardware profile says."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from metering.ranks import OneRank
from tasks.errors import PlanError
from tasks.plan import HardwarePlan
from tasks.running import host_check

V100 = "Tesla V100-SXM2-32GB"


class _WithASecondNode(OneRank):
    """Rank 0 of two; `there` is what the other node finds."""

    def __init__(self, there: str | None) -> None:
        self.there = there

    def gather(self, value: Any) -> list[Any] | None:
        return [value, self.there]


@pytest.fixture
def two_v100(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: V100)


def test_a_node_with_enough_of_the_gpu_passes(two_v100: None) -> None:
    host_check.require(HardwarePlan("v100x2", V100, devices=2, nodes=2), _WithASecondNode(None))


def test_a_node_with_too_few_is_named_with_what_it_has(
    two_v100: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURMD_NODENAME", "gpu07")
    with pytest.raises(PlanError, match=f"4 x {V100} on each node; found 2 x {V100} on gpu07"):
        host_check.require(HardwarePlan("v100x4", V100, devices=4), OneRank())


def test_another_node_that_does_not_match_stops_this_one_too(two_v100: None) -> None:
    there = "hardware=v100x2 expects 2 x V100 on each node; found none on gpu08"
    with pytest.raises(PlanError, match="gpu08"):
        host_check.require(
            HardwarePlan("v100x2", V100, devices=2, nodes=2), _WithASecondNode(there)
        )
