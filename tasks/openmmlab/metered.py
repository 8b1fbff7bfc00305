"""MMEngine's Runner under a meter: real training and test loops that end when enough is measured.

Imported by the OpenMMLab tasks inside their `prepare`, since it needs MMEngine at its top.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import logging
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import MessageHub, MMLogger
from mmengine.model import is_model_wrapper, revert_sync_batchnorm
from mmengine.registry import LOOPS, DefaultScope
from mmengine.runner import Runner, TestLoop
from mmengine.visualization import Visualizer

from metering.ranks import Ranks
from tasks.data.workers import workers_end
from tasks.errors import PlanError
from tasks.openmmlab import checkpoints, environment, log_processor  # noqa: F401 (registers)
from tasks.openmmlab.compile_ahead import compile_ahead
from tasks.openmmlab.hook import MeteringHook
from tasks.openmmlab.run_config import prepare_config
from tasks.openmmlab.unreadable import Unreadable, undecodable
from tasks.plan import Plan
from tasks.protocol import Window
from tasks.running import device as devices

_AMP = {"fp16": torch.float16, "bf16": torch.bfloat16}


@LOOPS.register_module(force=True)
class MeteredTestLoop(TestLoop):
    """MMEngine's test loop that can stop early and go round again.

    endless: start over at the end of the set until the meter is satisfied.
    whole: go on to the end of the set, unmetered, when the meter is satisfied before it.
    """

    def __init__(
        self,
        *args: Any,
        endless: bool = False,
        whole: bool = False,
        precision: str = "fp32",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.endless, self.whole, self.precision = endless, whole, precision
        self.stop_testing = False
        self.metrics: dict[str, float] | None = None

    def run(self) -> dict[str, float]:
        """The metrics over the whole set, empty when it was not seen to its end."""
        self.runner.call_hook("before_test")
        self.runner.call_hook("before_test_epoch")
        self.runner.model.eval()
        self.stop_testing, self.metrics = False, None
        for epoch in itertools.count() if self.endless else (0,):
            self._run_epoch(epoch)
            if self.stop_testing:
                break
        metrics: dict[str, float] = self.metrics or {}
        self.runner.call_hook("after_test_epoch", metrics=metrics)
        self.runner.call_hook("after_test")
        return metrics

    def _run_epoch(self, epoch: int) -> None:
        num_seen, batches = 0, iter(self.dataloader)
        for index, batch in enumerate(batches):
            self.run_iter(index, batch)
            num_seen += len(batch["inputs"])
            if self.stop_testing and not (self.whole and epoch == 0):
                break
        else:
            if epoch == 0:
                self.metrics = self.evaluator.evaluate(len(self.dataloader.dataset))
                return
        if epoch == 0:  # a part of the set: the evaluator does its work, its result means little
            self.evaluator.evaluate(num_seen * self.runner.world_size)
        for metric in self.evaluator.metrics:
            metric.results.clear()

    @torch.no_grad()
    def answers(self, batch: Any) -> Any:
        """What the network answers in the run's precision."""
        kind = _AMP.get(self.precision)
        with torch.autocast("cuda", dtype=kind, enabled=kind is not None):
            return self.runner.model.test_step(batch)

    def run_iter(self, idx: int, data_batch: Any) -> None:
        """One test step, into the evaluator."""
        self.runner.call_hook("before_test_iter", batch_idx=idx, data_batch=data_batch)
        outputs = self.answers(data_batch)
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        self.runner.call_hook(
            "after_test_iter", batch_idx=idx, data_batch=data_batch, outputs=outputs
        )


class QuietRunner(Runner):
    """The Runner with its log in a file alone and its weights initialised once, when asked."""

    _initialised = False

    def build_model(self, model: Any) -> Any:
        """SyncBN works on GPUs alone: on a CPU its layers become BN. In the network and not in its
        config, since some modules have SyncBN as their own default."""
        built = super().build_model(model)
        return revert_sync_batchnorm(built) if get_device() == "cpu" else built

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        logger = super().build_logger(*args, **kwargs)
        for handler in list(logger.handlers):
            if not isinstance(handler, logging.FileHandler):
                logger.removeHandler(handler)
        return logger

    def _init_model_weights(self) -> None:
        if not self._initialised:
            super()._init_model_weights()
            self._initialised = True


class MeteredRun:
    """A built Runner whose phases fill windows; what the OpenMMLab sessions hold.

    config: a complete config of the library, already freed of downloads and derived; it is
        changed here: batch size, workers, precision, logs, ranks.
    endless_test: go round the test set until the meter is satisfied.
    whole_test: see the test set to its end, because the metrics are wanted.
    """

    def __init__(
        self, config: Config, plan: Plan, ranks: Ranks, *, endless_test: bool, whole_test: bool
    ) -> None:
        self.plan, self.ranks = plan, ranks
        self.device = environment.choose_device(plan, ranks)
        prepare_config(config, plan, ranks, self.device)
        config.test_cfg = {
            "type": "MeteredTestLoop",
            "endless": endless_test,
            "whole": whole_test,
            "precision": plan.precision,
        }
        config.experiment_name = f"{plan.model.name}-{uuid.uuid4().hex[:12]}"
        self._hook = MeteringHook(ranks.num_ranks, plan.accumulation_steps)
        logging.captureWarnings(True)  # into the run's log, until close()
        printed = io.StringIO()  # some optimizer constructors print their every parameter
        with clear_errors(plan.batch_size), contextlib.redirect_stdout(printed):
            self.runner: Any = QuietRunner.from_cfg(config)
            self.runner.register_hook(self._hook)
            self._build(plan)
        self.runner.logger.info(printed.getvalue())

    def _build(self, plan: Plan) -> None:
        """What `Runner.train` would build on its first call, ahead of the metered window."""
        runner = self.runner
        if "train" in plan.phases:
            runner._train_loop = runner.build_train_loop(runner._train_loop)
            runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
        if "test" in plan.phases:
            runner._test_loop = runner.build_test_loop(runner._test_loop)
        runner._init_model_weights()
        place = checkpoints.load(self.model, plan.model.checkpoint) if plan.model.checkpoint else ""
        self.notes = (f"weights of {plan.model.checkpoint}: {place}",) if place else ()

    def compile_ahead(self) -> str:
        """Compile the network for the phases of the plan; which parts of it, as a note. Raises
        `CompileError`."""
        with clear_errors(self.plan.batch_size):
            parts = compile_ahead(self.runner, self.model, self.plan, self.device)
        return f"torch.compile: {', '.join(parts) or 'no part of this network'}"

    @property
    def model(self) -> Any:
        """The network itself, out of its data-parallel wrapper."""
        model = self.runner.model
        return model.module if is_model_wrapper(model) else model

    def train(self, window: Window) -> dict[str, float]:
        """Train until the window is satisfied; the last training losses.

        A checkpoint's weights are put back where a test follows, here and not in the test, whose
        window would pay for it.
        """
        self._hook.window = window
        with clear_errors(self.plan.batch_size):
            self.runner.train()
        if self.plan.model.checkpoint is not None and "test" in self.plan.phases:
            checkpoints.load(self.model, self.plan.model.checkpoint)
        scalars = self.runner.message_hub.log_scalars
        return {
            name.removeprefix("train/"): float(history.current())
            for name, history in scalars.items()
            if name.startswith("train/") and "loss" in name
        }

    def test(self, window: Window) -> dict[str, float]:
        """Test until the window is satisfied; the metrics, empty if the set was not seen whole."""
        self._hook.window = window
        with clear_errors(self.plan.batch_size):
            metrics: dict[str, float] = self.runner.test()
        return metrics

    def save(self, path: Path) -> None:
        """MMEngine's own checkpoint, after training: weights, optimizer, schedulers, messages."""
        self.runner.save_checkpoint(str(path.parent), path.name)

    @property
    def inputs_per_sample(self) -> int:
        """Length of the first axis of a test sample's input: frames or clips of a video."""
        return self._hook.inputs_per_sample

    def synchronize(self) -> None:
        devices.synchronize(self.device)

    def peak_memory_mib(self) -> float | None:
        return devices.peak_memory_mib(self.device)

    def close(self) -> None:
        """End the workers, free the network, close the log. Safe to call twice."""
        if self.runner is None:
            return
        name, logger = self.runner.experiment_name, self.runner.logger
        with workers_end():
            self.runner = None
            logging.captureWarnings(False)
            for handler in logger.handlers:
                handler.close()
            for kind in (MMLogger, MessageHub, Visualizer, DefaultScope):
                kind._instance_dict.pop(name, None)
        devices.release(self.device)


@contextlib.contextmanager
def clear_errors(batch_size: int) -> Iterator[None]:
    """Out of memory as `OutOfMemory`; a broken image, mask or video as `PlanError`."""
    try:
        with devices.memory_errors(batch_size):
            yield
    except (AssertionError, Unreadable) as error:
        problem = undecodable(error)
        if problem is None:
            raise
        raise PlanError(f"{problem}; repair or remove it, or leave it out of the list") from error
