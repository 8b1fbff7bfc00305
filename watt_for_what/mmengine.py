"""A hook for MMEngine's Runner: `runner.register_hook(WattHook("my-net"))`.

    with WattHook("my-net") as hook:
        runner.register_hook(hook)
        runner.train()

The `with` leaves the record of a training that an error or Ctrl-C ends: MMEngine tells its hooks
of neither.
"""

from __future__ import annotations

from typing import Any

from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from tasks.openmmlab.hook import MeteringHook
from watt_for_what.callback import CallbackRun, WithRun


class WattHook(WithRun, MeteringHook):
    """Measures `Runner.train` by the hook that this suite's own tasks use: the optimizer's steps as
    `train`, validation and checkpoints as parts of their own.

    stops_training: end the training once enough is measured. options: what `watt.measure` takes;
    the batch size is the Runner's. record: the record, once `train` has ended, on rank 0.
    """

    def __init__(self, name: str, *, stops_training: bool = False, **options: Any) -> None:
        super().__init__(num_ranks=1)  # the window itself counts the ranks
        self._run = CallbackRun(name, stops_training, options)

    def before_train(self, runner: Runner) -> None:
        self.accumulation_steps = getattr(runner.optim_wrapper, "_accumulative_counts", 1)
        network = runner.model.module if is_model_wrapper(runner.model) else runner.model
        known = {"network": network}
        if (batch_size := runner.train_dataloader.batch_size) is not None:
            known["batch_size"] = batch_size * runner.world_size * self.accumulation_steps
        self._run.begin(**known)
        self._save = runner.save_checkpoint
        runner.save_checkpoint = self._metered_save

    def counted(self, num_samples: int, data_wait_s: float) -> bool:
        return self._run.after_step(num_samples, data_wait_s)

    def _before_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, mode: str = "train"
    ) -> None:
        super()._before_iter(runner, batch_idx, data_batch, mode)
        if mode == "train":
            self._run.before_step()

    def before_val(self, runner: Runner) -> None:
        self._run.begin_part("evaluation")

    def after_val(self, runner: Runner) -> None:
        self._run.end_part()

    def after_train(self, runner: Runner) -> None:
        runner.save_checkpoint = self._save
        self._run.end()

    def _metered_save(self, *args: Any, **options: Any) -> None:
        self._run.begin_part("checkpoint")
        try:
            self._save(*args, **options)
        finally:
            self._run.end_part()
