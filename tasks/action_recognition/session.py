"""Action recognition with MMAction2: its Runner, configs, video pipeline and evaluator."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metering.ranks import Ranks
from metering.record import ModelFacts
from tasks.action_recognition import config as configs
from tasks.action_recognition import data
from tasks.config import weight_files
from tasks.data.shares import train_indices
from tasks.openmmlab import published
from tasks.plan import Plan
from tasks.protocol import PhaseOutcome, Window

if TYPE_CHECKING:
    from mmengine.config import Config

    from tasks.action_recognition.videos import Skipped
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


def prepare(plan: Plan, ranks: Ranks, say: Callable[[str], None]) -> ActionSession:
    """Open or write the videos, derive the config, build MMEngine's Runner. Raises `PlanError`."""
    from tasks.patches import openmmlab as patches

    patches.install()
    from mmaction.utils import register_all_modules

    from tasks.action_recognition.videos import new_counter
    from tasks.network_facts import fingerprint
    from tasks.openmmlab import memory
    from tasks.openmmlab.metered import MeteredRun

    register_all_modules(init_default_scope=False)
    plan = published.with_file(plan, configs.source_of(plan), configs.PACKAGE)
    is_small = plan.scale == "small"
    say(f"opening {plan.data.name}")
    videos = data.open_set(plan.data, configs.SMALL if is_small else 1)
    config = configs.native_config(plan)
    native = copy.deepcopy(config)
    if is_small:
        configs.shrink(config)
    number, skipped = new_counter()
    use_videos(config, plan, videos, number if plan.data.on_error == "skip" else None)
    say(f"building {plan.model.name}")
    run = MeteredRun(
        config,
        plan,
        ranks,
        endless_test=plan.meter.mode == "adaptive",
        whole_test=_wants_top1(plan),
    )
    shape, forward = train_pass(config)
    memory.require(run, plan, forward, (shape[0] * plan.micro_batch, *shape[1:]), "")
    facts = model_facts(_built(native) if is_small else run.model, native)
    notes, built = _notes(plan), fingerprint(run.model)
    if plan.compile:
        say(f"compiling {plan.model.name}")
        notes = (*notes, run.compile_ahead())
    return ActionSession(plan, run, facts, configs.segments_of(config), skipped, notes, built)


def use_videos(config: Config, plan: Plan, videos: data.VideoSet, skip_into: int | None) -> None:
    """Point the config's loaders at `videos`: part of them for training, all for testing."""
    for name, split in (("train_dataloader", "train"), ("test_dataloader", "val")):
        dataset = config[name].dataset
        dataset["type"] = "WatchedVideos"
        dataset["ann_file"] = str(videos.root / videos.layout.lists[split])
        dataset["data_prefix"] = {"video": str(videos.root / videos.layout.videos[split])}
        dataset["skip_into"] = skip_into
    indices = train_indices(videos.num_train, plan.data.fraction, plan.seed)
    config.train_dataloader.dataset.indices = indices
    if videos.test_repeats > 1 and not _wants_top1(plan):
        config.test_dataloader.dataset = {
            "type": "RepeatDataset",
            "times": videos.test_repeats,
            "dataset": config.test_dataloader.dataset,
        }


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


@dataclass
class ActionSession:
    """A metered Runner over a video set; see `tasks.protocol.Session`."""

    plan: Plan
    run: MeteredRun
    facts: ModelFacts
    segments: int
    skipped: Skipped
    notes: tuple[str, ...] = ()
    fingerprint: str | None = None

    def train(self, window: Window) -> PhaseOutcome:
        """MMEngine's training iterations until the window is satisfied."""
        losses = self.run.train(window)
        return PhaseOutcome(quality={"train_loss": losses["loss"]}, flags=self._skips())

    def test(self, window: Window) -> PhaseOutcome:
        """MMEngine's test iterations: the config's test pipeline, its views and evaluator.

        top-1 is given only when the whole set was seen by weights that mean something.
        """
        metrics = self.run.test(window)
        loader = self.run.runner.test_dataloader
        flags = (
            f"test batches of {loader.batch_size} a rank, as in MMAction2's configs",
            *self._skips(),
        )
        views = self.run.inputs_per_sample // self.segments
        quality = {}
        if _wants_top1(self.plan):
            quality = {f"top{k}_pct": 100 * float(metrics[f"acc/top{k}"]) for k in (1, 5)}
        return PhaseOutcome(quality=quality, views_per_sample=views, flags=flags)

    def _skips(self) -> tuple[str, ...]:
        number = self.skipped.count
        return (f"{number} times a video could not be decoded and was left out",) if number else ()

    def save(self, path: Path) -> None:
        self.run.save(path)

    def synchronize(self) -> None:
        self.run.synchronize()

    def peak_memory_mib(self) -> float | None:
        return self.run.peak_memory_mib()

    def close(self) -> None:
        self.run.close()


def _wants_top1(plan: Plan) -> bool:
    """The labels of embedded clips mean nothing to weights of another set."""
    is_real = plan.data.root is not None
    given = plan.model.checkpoint is not None and is_real
    return given or bool(plan.data.options.get("full_test"))


def _notes(plan: Plan) -> tuple[str, ...]:
    notes = []
    if plan.data.root is None:
        notes.append(f"embedded clips in {plan.data.name}'s layout, not the real set")
    if plan.scale == "small":
        notes.append(f"scale=small: crops and videos {configs.SMALL} times smaller than native")
    if plan.model.checkpoint is not None and not _wants_top1(plan):
        notes.append("no top-1: the labels of embedded clips mean nothing to these weights")
    elif plan.model.checkpoint is not None:
        notes.append(
            f"weights of {plan.model.checkpoint}: top-1 is theirs, loaded again before testing"
        )
    elif not _wants_top1(plan):
        notes.append("random weights: no top-1 is reported (energy does not depend on them)")
    if plan.channels_last:
        notes.append("memory layout as MMAction2 has it: channels_last is not applied")
    return tuple(notes)
