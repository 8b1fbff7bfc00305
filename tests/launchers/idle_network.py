"""A user's own network whose steps take time and next to no CPU: runs on the test cluster, whose
nodes are all this machine, do not hold each other up."""

from __future__ import annotations

import time

import torch

STEP_S = 0.02


class IdleNetwork(torch.nn.Linear):
    """(n, 3, 32, 32) to (n, num_classes)."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        time.sleep(STEP_S)
        return super().forward(images.flatten(1))


def build(num_classes: int = 10) -> torch.nn.Module:
    return IdleNetwork(3 * 32 * 32, num_classes)
