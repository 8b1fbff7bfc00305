"""Image classification with timm: real training and test steps over real decoded images."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metering.ranks import Ranks
from metering.record import ModelFacts
from tasks.classification import (
    accuracy,
    answers,
    data,
    loaders,
    pretraining,
    setup,
    trial,
)
from tasks.classification import compile_ahead as compilation
from tasks.classification import networks as models
from tasks.classification.stages.step import Step
from tasks.classification.unreadable import UNUSABLE, in_one_line
from tasks.config import own_modules, weight_files
from tasks.config.model_names import require_timm_name
from tasks.data.workers import workers_end
from tasks.errors import PlanError
from tasks.plan import Plan
from tasks.protocol import PhaseOutcome, Window
from tasks.running import device as devices

if TYPE_CHECKING:
    import torch


def check(plan: Plan) -> Iterable[str]:
    """Problems that can be seen without building anything."""
    source = plan.model.source
    if own_modules.callable_name(source) is None and not plan.model.imports:
        if settings := own_modules.in_our_words(source, plan.model.path):
            raise PlanError(
                f"model.source={source} is no name of timm; for a network of your own write "
                f"{settings}, a function or class"
            )
        require_timm_name(source)
    weight_files.check(plan.model.checkpoint)
    setup.check_options(plan.data)
    setup.check_model(plan)
    pretraining.check(plan)
    setup.check_batch(plan)
    setup.check_classes(plan)
    setup.check_scale(plan)
    return ()


STEP_VERSION = 2  # see tasks.protocol.Task


def prepare(plan: Plan, ranks: Ranks, say: Callable[[str], None]) -> ClassificationSession:
    """Open the data, build network, loss, optimizer and loaders. Raises `PlanError`."""
    import torch

    from tasks.network_facts import fingerprint

    plan = data.with_classes(plan)
    say(f"building {plan.model.name}")
    torch.manual_seed(plan.seed)
    device = devices.choose(plan.hardware.accelerator, ranks.local_rank)
    devices.set_precision(plan.precision, device)
    findings = _tried(plan, device)
    train_set, test_set = data.open_sets(plan.data, plan.seed, plan.micro_batch)
    with _clear_errors(plan.batch_size):
        step = pretraining.step(plan, ranks, device)
        model: Any = step.network.to(device)
        if plan.channels_last:
            model = model.to(memory_format=torch.channels_last)
    optimizer = models.optimizer(model, step.setup, plan.batch_size)
    average = None if step.setup.ema_decay is None else models.average(model, step.setup.ema_decay)
    has_unused = step.has_unused_parameters or findings.has_unused_parameters
    network = _over_ranks(model, ranks, device, has_unused)
    if plan.compile:
        network = compilation.compiled(network)
    batches = [
        loaders.of_plan(plan, images, step, device, ranks, is_training)
        for images, is_training in ((train_set, True), (test_set, False))
    ]
    on_weights = pretraining.notes_on_weights(step, plan)
    session = ClassificationSession(
        plan,
        ranks,
        network,
        optimizer,
        step,
        batches[0],
        batches[1],
        device,
        pretraining.facts(plan, step),
        (*step.notes, *findings.notes, *setup.notes(plan), *on_weights),
        fingerprint(step.network),
        average,
    )
    if plan.compile:
        say(f"compiling {plan.model.name}")
        with _clear_errors(plan.batch_size):
            compilation.ahead(session)
    return session


def _tried(plan: Plan, device: torch.device) -> trial.Findings:
    """What a trial of the network shows before it is built in full."""
    if plan.stage in pretraining.SELF_SUPERVISED:
        return trial.Findings()
    total = devices.total_memory(device, plan.hardware.devices)
    return trial.run(*pretraining.tried(plan), total)


def _over_ranks(model: Any, ranks: Ranks, device: torch.device, has_unused_parameters: bool) -> Any:
    """`model` with its gradients averaged over all ranks, where there are several."""
    if ranks.num_ranks == 1:
        return model
    from torch.nn.parallel import DistributedDataParallel

    ids = [device.index] if device.type == "cuda" else None
    return DistributedDataParallel(
        model, device_ids=ids, find_unused_parameters=has_unused_parameters
    )


@dataclass
class ClassificationSession:
    """A network on its device with its loaders; see `tasks.protocol.Session`."""

    plan: Plan
    ranks: Ranks
    network: Any
    optimizer: Any
    step: Step
    train_loader: Any
    test_loader: Any
    device: torch.device
    facts: ModelFacts
    notes: tuple[str, ...] = ()
    fingerprint: str | None = None
    average: Any = None

    def train(self, window: Window) -> PhaseOutcome:
        """Forward, loss and backward on each batch, and an optimizer step, which is the window's
        step too, after `accumulation_steps` of them.

        A checkpoint's weights are put back where a test follows, here and not in the test, whose
        window would pay for it.
        """
        import torch

        scaler = torch.amp.GradScaler(self.device.type, enabled=self.plan.precision == "fp16")
        parameters, num_parts = list(self.network.parameters()), self.plan.accumulation_steps
        num_passed, num_samples, waited_s = 0, 0, 0.0
        self.network.train()
        with _clear_errors(self.plan.batch_size):
            for _, images, targets, wait_s in self._batches(self.train_loader, endless=True):
                if num_passed == 0:
                    self.optimizer.zero_grad(set_to_none=True)
                num_passed, num_samples = num_passed + 1, num_samples + len(images)
                waited_s += wait_s
                with self._exchanging(num_passed == num_parts):
                    loss = self.loss_of(images, targets)
                    scaler.scale(loss / num_parts if num_parts > 1 else loss).backward()
                if num_passed < num_parts:
                    continue
                self._update(scaler, parameters)
                if window.step(num_samples * self.ranks.num_ranks, waited_s):
                    break
                num_passed, num_samples, waited_s = 0, 0, 0.0
        if self.plan.model.checkpoint is not None and "test" in self.plan.phases:
            pretraining.restore(self.step, self.plan)
        return PhaseOutcome(quality={"train_loss": float(loss)})

    def _exchanging(self, wanted: bool) -> AbstractContextManager[Any]:
        """Ranks add their gradients in the last of a step's backward passes alone."""
        if wanted or self.ranks.num_ranks == 1:
            return nullcontext()
        exchanges: AbstractContextManager[Any] = self.network.no_sync()
        return exchanges

    def _update(self, scaler: Any, parameters: list[Any]) -> None:
        """One step of the optimizer."""
        import torch

        clip = self.step.setup.clip_grad_norm
        if clip is not None:
            scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(parameters, clip)
        scaler.step(self.optimizer)
        scaler.update()
        if self.average is not None:
            self.average.update(self.step.network)

    def test(self, window: Window) -> PhaseOutcome:
        """Forward passes over the test set; goes round again while the meter asks for more.

        top-1 and top-5 are given only when the whole set was seen by weights that mean
        something: trained to the end here, or loaded.
        """
        import torch

        endless = self.plan.meter.mode == "adaptive"
        wants_top1 = setup.wants_top1(self.plan)
        counts = torch.zeros(accuracy.NUM_COUNTS, device=self.device)
        num_seen = 0
        satisfied = False
        self.network.eval()
        with _clear_errors(self.plan.batch_size), torch.inference_mode():
            for epoch, images, targets, wait_s in self._batches(self.test_loader, endless):
                looking = wants_top1 and epoch == 0
                if satisfied and not looking:
                    break
                logits = self.logits_of(images)
                if looking:
                    counts += accuracy.counts(logits, targets)
                    num_seen += len(images)
                if not satisfied:
                    satisfied = window.step(len(images) * self.ranks.num_ranks, wait_s)
                if satisfied and not looking:
                    break
        if not wants_top1:
            return PhaseOutcome()
        stated = accuracy.stated_length(self.test_loader.dataset)
        return accuracy.outcome(self.ranks, counts, num_seen, stated)

    def _batches(self, loader: Any, endless: bool) -> Iterator[tuple[int, Any, Any, float]]:
        """Epoch, images, targets, and the seconds that the step waited for them."""
        for epoch in itertools.count() if endless else (0,):
            for one in (loader.sampler, loader.dataset):  # which of them shuffles
                if hasattr(one, "set_epoch"):
                    one.set_epoch(epoch)
            images, asked_s = None, time.perf_counter()
            for images, targets in loader:
                laid_out = self.laid_out(images)
                yield epoch, laid_out, targets, time.perf_counter() - asked_s
                asked_s = time.perf_counter()
            if images is None:
                raise PlanError(
                    f"data={self.plan.data.name} gave no batch of {self.plan.batch_size}: choose a "
                    "smaller batch_size, or prepare the set again"
                )

    def laid_out(self, images: Any) -> Any:
        """Images (batch, 3, height, width) in the plan's memory format."""
        import torch

        layout = torch.channels_last if self.plan.channels_last else torch.contiguous_format
        return images.contiguous(memory_format=layout)

    def loss_of(self, images: Any, targets: Any) -> Any:
        """The step's loss, a scalar, in the plan's precision."""
        with self._autocast():
            return self.step.loss(self.network, images, targets)

    def logits_of(self, images: Any) -> Any:
        """The logits, (batch, classes), in the plan's precision."""
        with self._autocast():
            return answers.logits(self.network(images))

    def _autocast(self) -> AbstractContextManager[Any]:
        import torch

        kind = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(self.plan.precision)
        return torch.autocast(self.device.type, dtype=kind) if kind else nullcontext()

    def save(self, path: Path) -> None:
        import torch

        weights, state = self.network.state_dict(), self.optimizer.state_dict()
        torch.save({"model": weights, "optimizer": state}, path)

    def synchronize(self) -> None:
        devices.synchronize(self.device)

    def peak_memory_mib(self) -> float | None:
        return devices.peak_memory_mib(self.device)

    def close(self) -> None:
        with workers_end():
            self.train_loader = self.test_loader = self.network = self.optimizer = None
            self.average = None
        devices.release(self.device)


@contextmanager
def _clear_errors(batch_size: int) -> Iterator[None]:
    """Out of memory as `OutOfMemory`; a broken image as `PlanError`."""
    try:
        with devices.memory_errors(batch_size):
            yield
    except UNUSABLE as error:
        raise PlanError(in_one_line(error)) from error
