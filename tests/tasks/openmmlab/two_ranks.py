"""One of two CPU ranks of an OpenMMLab run; started by `test_ranks.py` through torchrun.

Usage: two_ranks.py MODEL CACHE_DIR OUTPUT_DIR. Leaves OUTPUT_DIR/rank<N>.json.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
from pathlib import Path

import torch
from hydra import compose, initialize_config_dir

import launchers
from launchers.ranks import TorchRanks, from_environment
from tasks.plan import from_config

ROOT = Path(__file__).resolve().parents[3]


class SharedWindow:
    """Rank 0 decides, alone, that four steps are enough."""

    def __init__(self, ranks: TorchRanks) -> None:
        self.ranks = ranks
        self.samples: list[int] = []

    def step(self, num_samples: int, data_wait_s: float = 0.0) -> bool:
        self.samples.append(num_samples)
        return bool(self.ranks.broadcast(self.ranks.rank == 0 and len(self.samples) == 4))


def main(model: str, cache_dir: str, output_dir: str) -> None:
    ranks = TorchRanks(from_environment(), uses_gpu=False, folder=Path(output_dir))
    launchers.register()
    overrides = [
        f"model={model}",
        "scale=small",
        "batch_size=4",
        "data.num_workers=0",
        "hardware.accelerator=cpu",
        f"data.cache_dir={cache_dir}",
        f"output_dir={output_dir}",
    ]
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        plan = from_config(compose("config", overrides))
    plan = dataclasses.replace(plan, hardware=dataclasses.replace(plan.hardware, devices=2))
    session = importlib.import_module(f"tasks.{plan.task}.session").prepare(
        plan, ranks, lambda _: None
    )
    train, test = SharedWindow(ranks), SharedWindow(ranks)
    session.train(train)
    weights = sum(float(p.detach().double().abs().sum()) for p in session.run.model.parameters())
    sync_batch_norms = sum(
        isinstance(module, torch.nn.SyncBatchNorm) for module in session.run.model.modules()
    )
    session.test(test)
    session.close()
    result = {
        "train": train.samples,
        "test": test.samples,
        "weights": weights,
        "sync_batch_norms": sync_batch_norms,
    }
    (Path(output_dir) / f"rank{ranks.rank}.json").write_text(json.dumps(result), encoding="utf-8")
    ranks.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
