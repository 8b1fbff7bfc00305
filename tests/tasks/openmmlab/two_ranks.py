"""One of two CPU ranks of a segmentation run; started by `test_ranks.py` through torchrun.

Usage: two_ranks.py CACHE_DIR OUTPUT_DIR. Leaves OUTPUT_DIR/rank<N>.json.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from hydra import compose, initialize_config_dir

import launchers
from tasks import segmentation
from tasks.plan import from_config

ROOT = Path(__file__).resolve().parents[3]


class GlooRanks:
    """Ranks over a process group, as the launcher gives them to a task."""

    num_nodes = 1

    def __init__(self) -> None:
        dist.init_process_group("gloo")
        self.rank = self.local_rank = dist.get_rank()
        self.num_ranks = dist.get_world_size()

    def broadcast(self, value: Any) -> Any:
        box = [value]
        dist.broadcast_object_list(box, src=0)
        return box[0]

    def gather(self, value: Any) -> list[Any] | None:
        found: list[Any] | None = [None] * self.num_ranks if self.rank == 0 else None
        dist.gather_object(value, found)
        return found

    def barrier(self) -> None:
        dist.barrier()


class SharedWindow:
    """Rank 0 decides, alone, that four steps are enough."""

    def __init__(self, ranks: GlooRanks) -> None:
        self.ranks = ranks
        self.samples: list[int] = []

    def step(self, num_samples: int, data_wait_s: float = 0.0) -> bool:
        self.samples.append(num_samples)
        return bool(self.ranks.broadcast(self.ranks.rank == 0 and len(self.samples) == 4))


def main(cache_dir: str, output_dir: str) -> None:
    torch.set_num_threads(1)
    ranks = GlooRanks()
    launchers.register()
    overrides = [
        "model=bisenet", "scale=small", "batch_size=4", "data.num_workers=0",
        "hardware.accelerator=cpu", f"data.cache_dir={cache_dir}", f"output_dir={output_dir}",
    ]  # fmt: skip
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        plan = from_config(compose("config", overrides))
    plan = dataclasses.replace(plan, hardware=dataclasses.replace(plan.hardware, devices=2))
    session = segmentation.prepare(plan, ranks, lambda _: None)
    train, test = SharedWindow(ranks), SharedWindow(ranks)
    session.train(train)
    weights = sum(float(p.detach().double().abs().sum()) for p in session.run.model.parameters())
    session.test(test)
    session.close()
    result = {"train": train.samples, "test": test.samples, "weights": weights}
    (Path(output_dir) / f"rank{ranks.rank}.json").write_text(json.dumps(result), encoding="utf-8")
    dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
