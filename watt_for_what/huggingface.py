"""A callback for the Trainer of Hugging Face's transformers.

    with WattCallback("my-net") as callback:
        Trainer(..., callbacks=[callback]).train()

The `with` leaves the record of a training that an error or Ctrl-C ends: the library tells its
callbacks of neither.
"""

from __future__ import annotations

import math
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from watt_for_what.callback import CallbackRun, WithRun


class WattCallback(WithRun, TrainerCallback):
    """Measures `Trainer.train`: optimizer steps (with their gradient accumulation) as `train`,
    evaluations and checkpoints as parts of their own.

    stops_training: end the training once enough is measured. options: what `watt.measure` takes;
    the batch size is the Trainer's. record: the record, once `train` has ended, on rank 0.
    """

    def __init__(self, name: str, *, stops_training: bool = False, **options: Any) -> None:
        self._run = CallbackRun(name, stops_training, options)
        self._left_in_epoch: int | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any
    ) -> None:
        precision = "bf16" if args.bf16 else "fp16" if args.fp16 else "fp32"
        batch_size = self._step_size(args) * args.world_size
        self._run.begin(network=more.get("model"), batch_size=batch_size, precision=precision)

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any
    ) -> None:
        data: Any = getattr(more.get("train_dataloader"), "dataset", None)
        size = len(data) if hasattr(data, "__len__") else None
        self._left_in_epoch = None if size is None else math.ceil(size / args.world_size)

    def on_step_begin(self, *_: Any, **more: Any) -> None:
        self._run.before_step()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any
    ) -> None:
        num_samples = self._step_size(args)
        if self._left_in_epoch is not None:  # the last step of an epoch may have fewer
            num_samples = max(1, min(num_samples, self._left_in_epoch))
            self._left_in_epoch -= num_samples
        if self._run.after_step(num_samples):
            control.should_training_stop = True
        self._begin_what_follows(control)

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any
    ) -> None:
        self._begin_what_follows(control)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any
    ) -> None:
        self._run.end_part()
        if control.should_save and self._run.is_open:
            self._run.begin_part("checkpoint")

    def on_save(self, *_: Any, **more: Any) -> None:
        self._run.end_part()

    def on_train_end(self, *_: Any, **more: Any) -> None:
        self._run.end()

    def _begin_what_follows(self, control: TrainerControl) -> None:
        """The Trainer evaluates, then saves, as soon as the callbacks have returned."""
        if control.should_evaluate:
            self._run.begin_part("evaluation")
        elif control.should_save:
            self._run.begin_part("checkpoint")

    @staticmethod
    def _step_size(args: TrainingArguments) -> int:
        """Samples of a full optimizer step on one rank."""
        return int(args.train_batch_size * args.gradient_accumulation_steps)
