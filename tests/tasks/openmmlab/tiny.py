"""A config whose parts are registered under the given names."""

from __future__ import annotations

from mmengine.config import Config


def config(model: str, dataset: str, metric: str) -> Config:
    """Batches of one (the plan has its own size) of samples as they are; plain SGD."""
    loader = {
        "batch_size": 1,
        "num_workers": 0,
        "dataset": {"type": dataset},
        "sampler": {"type": "DefaultSampler", "shuffle": False},
        "collate_fn": {"type": "pseudo_collate"},
    }
    return Config(
        {
            "model": {"type": model},
            "train_dataloader": loader,
            "test_dataloader": loader,
            "train_cfg": {"by_epoch": True, "max_epochs": 1},
            "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.01}},
            "test_evaluator": {"type": metric},
        }
    )
