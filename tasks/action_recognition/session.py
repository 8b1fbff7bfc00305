"""Action recognition with MMAction2: its Runner, configs, video pipeline and evaluator."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metering.ranks import Ranks
from metering.record import ModelFacts
from tasks.action_recognition import config as configs
from tasks.action_recognition import data, lists, video_check
from tasks.config import weight_files
from tasks.data.shares import train_indices
from tasks.openmmlab import published
from tasks.openmmlab.session import RunnerSession, notes, repeat_test_set, wants_quality
from tasks.plan import Plan
from tasks.protocol import PhaseOutcome

if TYPE_CHECKING:
    from mmengine.config import Config

    from tasks.openmmlab.metered import MeteredRun


def check(plan: Plan) -> Iterable[str]:
    """Problems that can be seen without building anything. Raises `PlanError` for each."""
    published.check(plan, configs.source_of(plan), configs.PACKAGE)
    data.check_options(plan.data)
    data.check_root(plan.data)
    if plan.data.root is not None:
        data.check_lists(plan.data)
    weight_files.check(plan.model.checkpoint)
    return ()


STEP_VERSION = 1  # see tasks.protocol.Task


def prepare(plan: Plan, ranks: Ranks, say: Callable[[str], None]) -> RunnerSession:
    """Open or write the videos, derive the config, build MMEngine's Runner. Raises `PlanError`."""
    from tasks.patches import openmmlab as patches

    patches.install()
    from mmaction.utils import register_all_modules

    import tasks.action_recognition.videos  # noqa: F401  (registers WatchedVideos)
    from tasks.network_facts import fingerprint
    from tasks.openmmlab import memory
    from tasks.openmmlab.metered import MeteredRun

    register_all_modules(init_default_scope=False)
    plan = published.with_file(plan, configs.source_of(plan), configs.PACKAGE)
    is_small = plan.scale == "small"
    say(f"opening {plan.data.name}")
    videos = data.open_set(plan.data, configs.SMALL if is_small else 1)
    unseen = _look_at_videos(plan, videos) if ranks.local_rank == 0 else None
    config = configs.native_config(plan)
    native = copy.deepcopy(config)
    if is_small:
        configs.shrink(config)
    use_videos(config, plan, videos)
    say(f"building {plan.model.name}")
    run = MeteredRun(
        config,
        plan,
        ranks,
        endless_test=plan.meter.mode == "adaptive",
        whole_test=wants_quality(plan),
    )
    shape, forward = train_pass(config)
    memory.require(run, plan, forward, (shape[0] * plan.micro_batch, *shape[1:]), "")
    facts = model_facts(_built(native) if is_small else run.model, native)
    run_notes = [*_notes(plan), *run.notes, *filter(None, [unseen])]
    if plan.compile:
        say(f"compiling {plan.model.name}")
        run_notes.append(run.compile_ahead())
    segments = configs.segments_of(config)
    return RunnerSession(
        run,
        facts,
        partial(_trained, run),
        partial(_tested, plan, run, segments),
        tuple(run_notes),
        fingerprint(run.model),
    )


def _notes(plan: Plan) -> list[str]:
    return notes(
        plan, samples="clips", quality="top-1", library="MMAction2", shrunk_by=configs.SMALL
    )


def _look_at_videos(plan: Plan, videos: data.VideoSet) -> str | None:
    """Those of the user's that the plan's phases read; a note where some were not looked at. Raises
    `PlanError`."""
    if plan.data.root is None or plan.data.on_error == "skip":
        return None
    names = {
        split: [name for name, _ in lists.read(videos.root / videos.layout.lists[split])]
        for split in data.SPLITS
    }
    indices = train_indices(videos.num_train, plan.data.fraction, plan.seed)
    if indices is not None:
        names["train"] = [names["train"][index] for index in indices]
    paths = [
        videos.root / videos.layout.videos[split] / name
        for split, phase in zip(data.SPLITS, ("train", "test"), strict=True)
        if phase in plan.phases
        for name in names[split]
    ]
    num_threads = len(os.sched_getaffinity(0))
    return video_check.check(paths, Path(plan.data.cache_dir).expanduser(), num_threads)


def use_videos(config: Config, plan: Plan, videos: data.VideoSet) -> None:
    """Point the config's loaders at `videos`: part of them for training, all for testing."""
    for name, split in (("train_dataloader", "train"), ("test_dataloader", "val")):
        dataset = config[name].dataset
        dataset["type"] = "WatchedVideos"
        dataset["ann_file"] = str(videos.root / videos.layout.lists[split])
        dataset["data_prefix"] = {"video": str(videos.root / videos.layout.videos[split])}
        dataset["skip"] = plan.data.on_error == "skip"
    indices = train_indices(videos.num_train, plan.data.fraction, plan.seed)
    config.train_dataloader.dataset.indices = indices
    repeat_test_set(config, plan, videos.test_repeats)


def _built(config: Config) -> Any:
    from mmaction.registry import MODELS
    from mmengine.registry import DefaultScope

    with DefaultScope.overwrite_default_scope("mmaction"):
        return MODELS.build(config.model)


def train_pass(config: Config) -> tuple[tuple[int, ...], Callable[[Any, Any], Any]]:
    """Shape of one training clip as the network gets it, and (network, clips) -> scores."""
    frames, height, width = configs.train_shape(config)
    is_2d = config.model.type == "Recognizer2D"
    shape = (frames, 3, height, width) if is_2d else (1, 3, frames, height, width)

    def forward(model: Any, clips: Any) -> Any:
        features = model.backbone(clips)
        return model.cls_head(features, num_segs=frames) if is_2d else model.cls_head(features)

    return shape, forward


def model_facts(model: Any, config: Config) -> ModelFacts:
    """Parameters, and GMACs of one clip at the size that the network is trained at."""
    from tasks.network_facts import gmacs, params_m

    shape, forward = train_pass(config)
    return ModelFacts(
        params_m=params_m(model),
        gmacs=gmacs(model, lambda clip: forward(model, clip), shape),
        input_shape=(3, *configs.train_shape(config)),
        notes=("GMACs of one clip; a test sample costs that times its views",),
    )


def _trained(run: MeteredRun, losses: dict[str, float]) -> PhaseOutcome:
    return PhaseOutcome(
        quality={"train_loss": losses["loss"]}, flags=_skips(run.runner.train_dataloader)
    )


def _tested(plan: Plan, run: MeteredRun, segments: int, metrics: dict[str, float]) -> PhaseOutcome:
    """top-1 is given only when the whole set was seen by weights that mean something."""
    loader = run.runner.test_dataloader
    flags = (
        f"test batches of {loader.batch_size} a rank, as in MMAction2's configs",
        *_skips(loader),
    )
    quality = {}
    if wants_quality(plan):
        quality = {f"top{k}_pct": 100 * float(metrics[f"acc/top{k}"]) for k in (1, 5)}
    views, rounded = views_of(run.inputs_per_sample, segments)
    return PhaseOutcome(quality=quality, views_per_sample=views, flags=(*flags, *rounded))


def views_of(num_inputs: int, segments: int) -> tuple[int, tuple[str, ...]]:
    """How often a test sample's inputs (clips, or frames of a 2D network) hold the `segments` of a
    training clip, whose GMACs the record has; with a flag where they do not fit."""
    views = max(num_inputs // segments, 1)
    if num_inputs == views * segments:
        return views, ()
    words = f"a test sample has {num_inputs} frames, {num_inputs / segments:.1f} times a training"
    return views, (f"{words} clip's {segments}: its views are rounded to {views}",)


def _skips(loader: Any) -> tuple[str, ...]:
    """How often a video of the phase was left out, as a flag."""
    videos = getattr(loader.dataset, "dataset", loader.dataset)  # out of a RepeatDataset
    number = videos.num_skipped
    return (f"{number} times a video could not be decoded and was left out",) if number else ()
