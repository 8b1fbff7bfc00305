"""The part of a config that the plan decides, the same for every OpenMMLab library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metering.ranks import Ranks
from tasks.data.workers import default_workers
from tasks.openmmlab import environment
from tasks.plan import Plan

if TYPE_CHECKING:
    import torch
    from mmengine.config import Config

LOG_FOLDER = "mmengine"
_AMP_DTYPES = {"fp16": "float16", "bf16": "bfloat16"}
_MIXED = ("AmpOptimWrapper", "mmengine.AmpOptimWrapper")


def prepare_config(config: Config, plan: Plan, ranks: Ranks, device: torch.device) -> None:
    """Batch size, workers, endless sampling, precision, logs and ranks as the plan has them."""
    config.work_dir = str(plan.folder / LOG_FOLDER)
    config.randomness = {"seed": plan.seed}
    config.compile = False  # MMEngine's would compile inside the window: see compile_ahead
    config.load_from, config.resume = None, False
    _no_validation(config)
    _train_loop(config)
    _loaders(config, plan, ranks, device)
    # writing a checkpoint is no part of an iteration
    config.default_hooks = {**(config.get("default_hooks") or {}), "checkpoint": None}
    set_precision(config, plan.precision)
    if plan.accumulation_steps > 1:
        config.optim_wrapper["accumulative_counts"] = plan.accumulation_steps
    environment.configure_ranks(config, ranks, device)


def set_precision(config: Config, precision: str) -> None:
    """Train in `precision` whatever the config trains in: many a config is an AMP one."""
    wrapper = config.optim_wrapper
    if precision in _AMP_DTYPES:
        wrapper.type, wrapper.dtype = "AmpOptimWrapper", _AMP_DTYPES[precision]
    elif wrapper.get("type") in _MIXED:
        wrapper.type = "OptimWrapper"
        for key in ("dtype", "loss_scale", "use_fsdp"):
            wrapper.pop(key, None)


def _no_validation(config: Config) -> None:
    config.val_cfg = config.val_dataloader = config.val_evaluator = None


def _train_loop(config: Config) -> None:
    """Training counted in iterations, its end far off: the meter ends it, not the schedule."""
    config.train_cfg = {"type": "IterBasedTrainLoop", "max_iters": 10**9, "val_interval": 10**9}
    config.log_processor = {
        **(config.get("log_processor") or {}),
        "type": "PeakKeepingLogProcessor",
        "by_epoch": False,
    }


def _loaders(config: Config, plan: Plan, ranks: Ranks, device: torch.device) -> None:
    workers = plan.data.num_workers
    if workers is None:
        workers = default_workers(ranks.num_ranks, device.type == "cuda")
    # no epoch ends: each of them would empty the pipeline of decoded batches
    config.train_dataloader.sampler = {"type": "InfiniteSampler", "shuffle": True}
    config.train_dataloader.batch_size = plan.micro_batch
    for name in ("train_dataloader", "test_dataloader"):
        loader: dict[str, Any] = config[name]
        loader["num_workers"] = workers
        loader["persistent_workers"] = workers > 0
        if workers == 0:
            loader.pop("prefetch_factor", None)
