"""Semantic segmentation with MMSegmentation: its Runner, configs, transforms and evaluator."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metering.ranks import Ranks
from metering.record import ModelFacts
from tasks import device
from tasks import segmentation_config as configs
from tasks import segmentation_data as data
from tasks.openmmlab.configs import config_path, dicts
from tasks.plan import Plan
from tasks.protocol import PhaseOutcome, Window

if TYPE_CHECKING:
    from mmengine.config import Config

    from tasks.openmmlab.metered import MeteredRun
    from tasks.openmmlab.stand_ins import Operators

# GMACs are the paper's at this size (section 5.2), whatever the crop
FACTS_SHAPE = (3, 512, 512)
_TRAINING_ONLY = ("auxiliary_head.",)


def check(plan: Plan) -> Iterable[str]:
    """Problems that can be seen without building anything. Raises `PlanError` for each."""
    configs.check_options(plan.model.options)
    config_path(plan.model.source, configs.PACKAGE)
    data.check_root(plan.data)
    return ()


def prepare(plan: Plan, ranks: Ranks, say: Callable[[str], None]) -> SegmentationSession:
    """Open or write the data, derive the config, build MMEngine's Runner. Raises `PlanError`."""
    from tasks.openmmlab import stand_ins

    operators = stand_ins.install()
    from mmseg.utils import register_all_modules

    from tasks.openmmlab.metered import MeteredRun

    register_all_modules(init_default_scope=False)
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
    facts = model_facts(_facts_model(run, config))
    return SegmentationSession(plan, run, facts, _notes(plan, config, operators))


def use_images(config: Config, plan: Plan, images: data.SegmentationSet) -> None:
    """Point the config's loaders at `images`: part of them for training, all for testing."""
    for name in ("train_dataloader", "test_dataloader"):
        config[name].dataset.data_root = str(images.root)
    if plan.data.root is not None:
        indices = data.train_indices(images.num_train, plan.data.fraction, plan.seed)
        config.train_dataloader.dataset.indices = indices
    if images.test_repeats > 1 and not _wants_miou(plan):
        config.test_dataloader.dataset = {
            "type": "RepeatDataset",
            "times": images.test_repeats,
            "dataset": config.test_dataloader.dataset,
        }


def model_facts(model: Any) -> ModelFacts:
    """Parameters without auxiliary heads and GMACs at 3 x 512 x 512 of a built segmentor."""
    from mmseg.structures import SegDataSample

    from tasks.openmmlab.model_facts import gmacs, params_m

    queries = "Mask2Former" in type(model.decode_head).__name__
    size = FACTS_SHAPE[1:]
    sample = SegDataSample(metainfo={"img_shape": size, "pad_shape": size, "ori_shape": size})

    def forward(image: Any) -> Any:
        features = model.extract_feat(image)
        return model.decode_head(features, [sample]) if queries else model.decode_head(features)

    return ModelFacts(
        params_m=params_m(model, without=_TRAINING_ONLY),
        # masked attention looks at values, so its forward pass has to be computed
        gmacs=gmacs(model, forward, (1, *FACTS_SHAPE), symbolic=not queries),
        input_shape=FACTS_SHAPE,
        notes=("parameters without auxiliary heads",),
    )


def _facts_model(run: MeteredRun, config: Config) -> Any:
    """The run's network, or one like it for 512 x 512 where the config fixes the image size."""
    from mmseg.registry import MODELS

    size = FACTS_SHAPE[1:]
    sizes = [tuple(node["img_size"]) for node in dicts(config.model) if "img_size" in node]
    if all(found == size for found in sizes):
        return run.model
    resized = copy.deepcopy(config)
    configs.set_crop(resized, (size[0], size[1]))
    return MODELS.build(resized.model)


@dataclass
class SegmentationSession:
    """A metered Runner over a segmentation set; see `tasks.protocol.Session`."""

    plan: Plan
    run: MeteredRun
    facts: ModelFacts
    notes: tuple[str, ...] = ()

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
        return PhaseOutcome(quality={"miou_pct": float(metrics["mIoU"])}, flags=flags)

    def save(self, path: Path) -> None:
        self.run.save(path)

    def synchronize(self) -> None:
        self.run.synchronize()

    def peak_memory_mib(self) -> float | None:
        return self.run.peak_memory_mib()

    def close(self) -> None:
        self.run.close()


def _wants_miou(plan: Plan) -> bool:
    return plan.model.checkpoint is not None or bool(plan.data.options.get("full_test"))


def _notes(plan: Plan, config: Config, operators: Operators) -> tuple[str, ...]:
    notes = []
    if plan.data.root is None:
        notes.append(f"embedded images in {plan.data.name}'s layout, not the real set")
    if plan.scale == "small":
        notes.append(f"scale=small: crops and images {configs.SMALL} times smaller than native")
    if plan.model.checkpoint is not None:
        notes.append(f"weights of {plan.model.checkpoint}: mIoU is theirs, loaded again before testing")
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
