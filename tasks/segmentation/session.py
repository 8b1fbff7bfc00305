"""Semantic segmentation with MMSegmentation: its Runner, configs, transforms and evaluator."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from metering.ranks import Ranks
from metering.record import ModelFacts
from tasks.config import weight_files
from tasks.data.shares import train_indices
from tasks.openmmlab import published
from tasks.openmmlab.configs import config_path, dicts
from tasks.plan import Plan
from tasks.protocol import PhaseOutcome, Window
from tasks.running import device
from tasks.segmentation import config as configs
from tasks.segmentation import data, image_bootstrap
from tasks.segmentation.facts import model_facts, train_pass

if TYPE_CHECKING:
    from mmengine.config import Config

    from tasks.openmmlab.metered import MeteredRun
    from tasks.patches.mmcv import Operators


def check(plan: Plan) -> Iterable[str]:
    """Problems that can be seen without building anything. Raises `PlanError` for each."""
    configs.check_options(plan.model.options)
    source = config_path(plan.model.source, configs.PACKAGE)
    published.check(plan, source, configs.PACKAGE)
    data.check_options(plan.data)
    data.check_root(plan.data)
    data.check_masks(plan.data)
    weight_files.check(plan.model.checkpoint)
    return ()


STEP_VERSION = 1  # see tasks.protocol.Task


def prepare(plan: Plan, ranks: Ranks, say: Callable[[str], None]) -> SegmentationSession:
    """Open or write the data, derive the config, build MMEngine's Runner. Raises `PlanError`."""
    from tasks.patches import openmmlab as patches

    operators = patches.install()
    from mmseg.utils import register_all_modules

    import tasks.segmentation.image_counts  # (registers ImageIoU)
    import tasks.segmentation.masks  # noqa: F401  (registers NamedAnnotations)
    from tasks.network_facts import fingerprint
    from tasks.openmmlab import memory
    from tasks.openmmlab.metered import MeteredRun

    register_all_modules(init_default_scope=False)
    source = config_path(plan.model.source, configs.PACKAGE)
    plan = published.with_file(plan, source, configs.PACKAGE)
    is_small = plan.scale == "small"
    say(f"opening {plan.data.name}")
    images = data.open_set(plan.data, configs.SMALL if is_small else 1)
    config = configs.native_config(plan)
    if is_small:
        configs.shrink(config)
    use_images(config, plan, images)
    say(f"building {plan.model.name}")
    run = MeteredRun(
        config,
        plan,
        ranks,
        endless_test=plan.meter.mode == "adaptive",
        whole_test=_wants_miou(plan),
    )
    crop = configs.crop_of(config)
    if crop is not None:
        cure = "a smaller model.options.crop=[HEIGHT,WIDTH], "
        memory.require(run, plan, train_pass, (plan.micro_batch, 3, *crop), cure)
    facts, built = model_facts(run.model, config), fingerprint(run.model)
    notes = _notes(plan, config, operators)
    if plan.compile:
        say(f"compiling {plan.model.name}")
        notes = (*notes, run.compile_ahead())
    return SegmentationSession(plan, run, facts, notes, built)


def use_images(config: Config, plan: Plan, images: data.SegmentationSet) -> None:
    """Point the config's loaders at `images`: part of them for training, all for testing."""
    for name in ("train_dataloader", "test_dataloader"):
        config[name].dataset.data_root = str(images.root)
        for step in dicts(config[name].dataset.get("pipeline")):
            if step.get("type") == "LoadAnnotations":
                step["type"] = "NamedAnnotations"
    indices = train_indices(images.num_train, plan.data.fraction, plan.seed)
    config.train_dataloader.dataset.indices = indices
    for metric in dicts(config.test_evaluator):
        if metric.get("type") == "IoUMetric":
            metric["type"] = "ImageIoU"
    if images.test_repeats > 1 and not _wants_miou(plan):
        config.test_dataloader.dataset = {
            "type": "RepeatDataset",
            "times": images.test_repeats,
            "dataset": config.test_dataloader.dataset,
        }


@dataclass
class SegmentationSession:
    """A metered Runner over a segmentation set; see `tasks.protocol.Session`."""

    plan: Plan
    run: MeteredRun
    facts: ModelFacts
    notes: tuple[str, ...] = ()
    fingerprint: str | None = None

    def train(self, window: Window) -> PhaseOutcome:
        """MMEngine's training iterations until the window is satisfied."""
        losses = self.run.train(window)
        return PhaseOutcome(quality={"train_loss": losses["loss"]})

    def test(self, window: Window) -> PhaseOutcome:
        """MMEngine's test iterations: the config's test pipeline, windows and evaluator.

        mIoU is given only when the whole set was seen by weights that mean something.
        """
        metrics = self.run.test(window)
        batch_size = self.run.runner.test_dataloader.batch_size
        flags = (f"test batches of {batch_size} a rank, as in MMSegmentation's configs",)
        if not _wants_miou(self.plan):
            return PhaseOutcome(flags=flags)
        quality = {"miou_pct": float(metrics["mIoU"])} | self._sampling_error()
        return PhaseOutcome(quality=quality, flags=flags)

    def _sampling_error(self) -> dict[str, float]:
        """The mIoU's half-width over images, whose counts are kept beside the record; empty where
        there are too few images, or on a rank without them."""
        metrics = self.run.runner.test_loop.evaluator.metrics
        kept = [one.images for one in metrics if getattr(one, "images", None) is not None]
        if not kept:
            return {}
        [(intersect, union)] = kept
        image_bootstrap.keep(intersect, union, self.plan.folder)
        half_width = image_bootstrap.half_width_pct(intersect, union)
        found = {"num_test_samples": float(len(intersect))}
        return found if half_width is None else found | {"miou_half_width_pct": half_width}

    def save(self, path: Path) -> None:
        self.run.save(path)

    def synchronize(self) -> None:
        self.run.synchronize()

    def peak_memory_mib(self) -> float | None:
        return self.run.peak_memory_mib()

    def close(self) -> None:
        self.run.close()


def _wants_miou(plan: Plan) -> bool:
    """The labels of embedded images mean nothing to weights of another set."""
    is_real = plan.data.root is not None
    given = plan.model.checkpoint is not None and is_real
    return given or bool(plan.data.options.get("full_test"))


def _notes(plan: Plan, config: Config, operators: Operators) -> tuple[str, ...]:
    notes = []
    if plan.data.root is None:
        notes.append(f"embedded images in {plan.data.name}'s layout, not the real set")
    if plan.scale == "small":
        notes.append(f"scale=small: crops and images {configs.SMALL} times smaller than native")
    if plan.model.options:
        given = ", ".join(f"{key}={value}" for key, value in plan.model.options.items())
        notes.append(f"the config is changed by model.options: {given}")
    if plan.model.checkpoint is not None and not _wants_miou(plan):
        notes.append("no mIoU: the labels of embedded images mean nothing to these weights")
    elif plan.model.checkpoint is not None:
        notes.append(
            f"weights of {plan.model.checkpoint}: mIoU is theirs, loaded again before testing"
        )
    elif not _wants_miou(plan):
        notes.append("random weights: no mIoU is reported (energy does not depend on them)")
    if plan.channels_last:
        notes.append("memory layout as MMSegmentation has it: channels_last is not applied")
    if _calls_deformable_attention(config):
        how = attention_path(operators, device.uses_gpu(plan.hardware.accelerator))
        notes.append(f"multi-scale deformable attention ran {how}")
    return tuple(notes)


def attention_path(operators: Operators, on_gpu: bool) -> str:
    """What multi-scale deformable attention runs on: mmcv compiles it for GPUs alone."""
    if not on_gpu:
        return "mmcv's PyTorch path (the compiled operator is for GPUs)"
    if operators == "pytorch":
        return "mmcv's PyTorch path (mmcv-lite has no compiled operators: make mmcv-ops)"
    if operators == "without_cuda":
        return "mmcv's PyTorch path (mmcv was compiled without CUDA: make mmcv-ops FORCE_CUDA=1)"
    return "mmcv's compiled operator"


def _calls_deformable_attention(config: Config) -> bool:
    return any("MSDeformAttn" in str(node.get("type", "")) for node in dicts(config.model))
