"""A callback for Lightning: `Trainer(callbacks=[WattCallback("my-net", batch_size=256)])`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from metering.record import Record
from watt_for_what.callback import CallbackRun


class WattCallback(Callback):
    """Measures `Trainer.fit`: steps as `train`, validation as `evaluation`, checkpoints.

    stops_training: end the training once enough is measured. options: what `watt.measure` takes;
    `batch_size` is that of a step over all ranks. A batch counts as its first tensor or list is
    long. record: the record, once `fit` has ended, on rank 0.
    """

    def __init__(self, name: str, *, stops_training: bool = False, **options: Any) -> None:
        self._run = CallbackRun(name, stops_training, options)

    @property
    def record(self) -> Record | None:
        return self._run.record

    def on_train_start(self, trainer: Any, pl_module: LightningModule) -> None:
        self._run.begin(network=pl_module, precision=str(trainer.precision))
        self._save = trainer.save_checkpoint
        trainer.save_checkpoint = self._metered_save

    def on_train_batch_start(self, trainer: Trainer, *_: Any) -> None:
        self._run.before_step()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, *_: Any
    ) -> None:
        if self._run.after_step(num_samples(batch)):
            trainer.should_stop = True

    def on_validation_start(self, trainer: Trainer, *_: Any) -> None:
        self._run.begin_part("evaluation")

    def on_validation_end(self, trainer: Trainer, *_: Any) -> None:
        self._run.end_part()

    def on_train_end(self, trainer: Trainer, *_: Any) -> None:
        self._run.end_part()

    def on_fit_end(self, trainer: Trainer, *_: Any) -> None:
        self._leave(trainer, None)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        self._leave(trainer, exception)

    def _leave(self, trainer: Any, error: BaseException | None) -> None:
        if self._run.is_open:
            trainer.save_checkpoint = self._save
        self._run.end(error)

    def _metered_save(self, *args: Any, **options: Any) -> None:
        if self._run.is_in_part or not self._run.is_open:
            self._save(*args, **options)
            return
        self._run.begin_part("checkpoint")
        self._save(*args, **options)
        self._run.end_part()


def num_samples(batch: Any) -> int:
    """Length of the first tensor of `batch`, in whatever lists and dicts it lies; of a list of
    other things its own."""
    if hasattr(batch, "shape"):
        return int(batch.shape[0]) if len(batch.shape) else 1
    if isinstance(batch, Mapping):
        return num_samples(next(iter(batch.values())))
    if isinstance(batch, Sequence) and batch and not isinstance(batch, str):
        first = batch[0]
        is_nested = (hasattr(first, "shape") and len(first.shape)) or isinstance(first, Mapping)
        return num_samples(first) if is_nested else len(batch)
    return 1
