"""Our classification run and a bare timm loop of the same settings, side by side in one process."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metering.meter import Meter
from metering.ranks import OneRank
from metering.settings import MeterSettings

if TYPE_CHECKING:
    from tasks.plan import Plan

ROOT = Path(__file__).resolve().parent.parent
UNBOUNDED_WINDOW: dict[str, Any] = {
    "relative_error": 1e-9,
    "max_blocks": 10**6,
    "time_budget_s": 1e6,
    "idle_s": 0.0,
}


def plan_of(folder: Path, *overrides: str) -> Plan:
    """The plan that `python run.py <overrides>` makes."""
    from hydra import compose, initialize_config_dir

    import launchers
    from tasks.plan import from_config

    launchers.register()
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        return from_config(compose("config", [f"output_dir={folder}", *overrides]))


@contextmanager
def opened(plan: Plan, settings: MeterSettings) -> Iterator[tuple[Any, Meter]]:
    """Our session of this plan, and a meter over it."""
    from tasks.classification import session as classification
    from tasks.running import device

    session = classification.prepare(plan, OneRank(), lambda _: None)
    plan.folder.mkdir(parents=True, exist_ok=True)
    use_gpu = device.uses_gpu(plan.hardware.accelerator)
    meter = Meter(settings, folder=plan.folder, ranks=OneRank(), use_gpu=use_gpu)
    meter.synchronize = session.synchronize
    with meter:
        try:
            yield session, meter
        finally:
            session.close()


def bare_parts(plan: Plan) -> tuple[Any, Any]:
    """The network and the optimizer as one makes them with timm alone."""
    import timm
    import torch
    from timm.optim import create_optimizer_v2

    from tasks.classification import training
    from tasks.running import device as devices

    setup = training.named(plan.model.training)
    model = timm.create_model(
        plan.model.source, num_classes=plan.data.options["num_classes"], **dict(plan.model.options)
    )
    model = model.to(devices.choose(plan.hardware.accelerator, 0))
    model = model.to(memory_format=torch.channels_last)
    optimizer = create_optimizer_v2(
        model,
        opt=setup.optimizer,
        lr=setup.lr * plan.batch_size / setup.lr_batch_size,
        weight_decay=setup.weight_decay,
    )
    return model, optimizer


def bare(plan: Plan, model: Any, optimizer: Any) -> Callable[[int], float]:
    """`seconds(num_steps)` of a loop as one writes it with timm alone: same files, same loader."""
    import torch

    from tasks.classification import training
    from tasks.running import device as devices

    device = devices.choose(plan.hardware.accelerator, 0)
    setup = training.named(plan.model.training)
    criterion = torch.nn.CrossEntropyLoss(label_smoothing=setup.label_smoothing)
    loader = bare_loader(plan)
    batches = (batch for _ in itertools.count() for batch in loader)  # epoch after epoch
    parameters = list(model.parameters())
    model.train()

    def seconds(num_steps: int) -> float:
        began_s = time.perf_counter()
        for images, targets in itertools.islice(batches, num_steps):
            optimizer.zero_grad(set_to_none=True)
            loss = criterion(model(images.contiguous(memory_format=torch.channels_last)), targets)
            loss.backward()
            if setup.clip_grad_norm is not None:
                torch.nn.utils.clip_grad_norm_(parameters, setup.clip_grad_norm)
            optimizer.step()
        devices.synchronize(device)
        return time.perf_counter() - began_s

    return seconds


def bare_loader(plan: Plan) -> Any:
    """timm's loader with the same workers over the same files, read the way timm reads them."""
    import random

    from timm.data import create_loader, resolve_data_config
    from timm.models import get_pretrained_cfg

    from tasks.classification import data, training
    from tasks.data.workers import default_workers
    from tasks.running import device as devices

    device = devices.choose(plan.hardware.accelerator, 0)
    setup = training.named(plan.model.training)
    train, _ = data.open_sets(plan.data, plan.seed)
    config = resolve_data_config(pretrained_cfg=get_pretrained_cfg(plan.model.source).to_dict())
    workers = plan.data.num_workers
    if workers is None:
        workers = default_workers(1, device.type == "cuda")
    random.seed(plan.seed)
    return create_loader(
        Files(train.files, train.num_samples),
        input_size=(3, plan.model.input_size, plan.model.input_size),
        batch_size=plan.batch_size,
        is_training=True,
        mean=config["mean"],
        std=config["std"],
        crop_pct=config["crop_pct"],
        num_workers=workers,
        device=device,
        use_prefetcher=True,
        use_multi_epochs_loader=workers > 0,
        persistent_workers=workers > 0,
        pin_memory=device.type == "cuda",
        auto_augment=setup.auto_augment,
        color_jitter=setup.color_jitter,
        re_prob=setup.random_erasing,
        re_mode="pixel",
        interpolation="random",
    )


class Files:
    """Images and labels as timm's `ImageDataset` reads them, repeated to `length`."""

    def __init__(self, files: list[tuple[Path, int]], length: int) -> None:
        self.files, self.length = files, length
        self.transform: Any = None

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[Any, int]:
        from PIL import Image

        path, label = self.files[index % len(self.files)]
        image = Image.open(path.open("rb")).convert("RGB")
        return self.transform(image), label
