"""Semantic segmentation with MMSegmentation: its Runner, configs, transforms and evaluator."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from metering.ranks import Ranks
from tasks.config import weight_files
from tasks.data.shares import train_indices
from tasks.openmmlab import published
from tasks.openmmlab.configs import config_path, dicts
from tasks.openmmlab.session import RunnerSession, notes, repeat_test_set, wants_quality
from tasks.plan import Plan
from tasks.protocol import PhaseOutcome
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


def prepare(plan: Plan, ranks: Ranks, say: Callable[[str], None]) -> RunnerSession:
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
        whole_test=wants_quality(plan),
    )
    crop = configs.crop_of(config)
    if crop is not None:
        cure = "a smaller model.options.crop=[HEIGHT,WIDTH], "
        memory.require(run, plan, train_pass, (plan.micro_batch, 3, *crop), cure)
    facts, built = model_facts(run.model, config), fingerprint(run.model)
    run_notes = (*_notes(plan, config, operators), *run.notes)
    if plan.compile:
        say(f"compiling {plan.model.name}")
        run_notes = (*run_notes, run.compile_ahead())
    return RunnerSession(run, facts, _trained, partial(_tested, plan, run), run_notes, built)


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
    repeat_test_set(config, plan, images.test_repeats)


def _trained(losses: dict[str, float]) -> PhaseOutcome:
    return PhaseOutcome(quality={"train_loss": losses["loss"]})


def _tested(plan: Plan, run: MeteredRun, metrics: dict[str, float]) -> PhaseOutcome:
    """mIoU is given only when the whole set was seen by weights that mean something."""
    batch_size = run.runner.test_dataloader.batch_size
    flags = (f"test batches of {batch_size} a rank, as in MMSegmentation's configs",)
    if not wants_quality(plan):
        return PhaseOutcome(flags=flags)
    quality = {"miou_pct": float(metrics["mIoU"])} | _sampling_error(plan, run)
    return PhaseOutcome(quality=quality, flags=flags)


def _sampling_error(plan: Plan, run: MeteredRun) -> dict[str, float]:
    """The mIoU's half-width over images, whose counts are kept beside the record; empty where
    there are too few images, or on a rank without them."""
    metrics = run.runner.test_loop.evaluator.metrics
    kept = [metric.images for metric in metrics if getattr(metric, "images", None) is not None]
    if not kept:
        return {}
    [(intersect, union)] = kept
    image_bootstrap.keep(intersect, union, plan.folder)
    half_width = image_bootstrap.half_width_pct(intersect, union)
    quality = {"num_test_samples": float(len(intersect))}
    return quality if half_width is None else quality | {"miou_half_width_pct": half_width}


def _notes(plan: Plan, config: Config, operators: Operators) -> tuple[str, ...]:
    said = notes(
        plan,
        samples="images",
        quality="mIoU",
        library="MMSegmentation",
        shrunk_by=configs.SMALL,
    )
    if replaced := configs.replaced_data(plan):
        said.append(replaced)
    said.extend(data.left_out(plan.data))
    if plan.model.options:
        given = ", ".join(f"{key}={value}" for key, value in plan.model.options.items())
        said.append(f"the config is changed by model.options: {given}")
    if _calls_deformable_attention(config):
        how = attention_path(operators, device.uses_gpu(plan.hardware.accelerator))
        said.append(f"multi-scale deformable attention ran {how}")
    return tuple(said)


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
