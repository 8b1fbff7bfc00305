"""Configs that MMAction2 does not have are derived as their papers describe them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tasks.action_recognition.config import (
    native_config,
    pipeline,
    segments_of,
    shrink,
    train_shape,
)
from tasks.action_recognition.session import views_of
from tasks.errors import PlanError
from tasks.openmmlab.configs import dicts
from tasks.patches import openmmlab as patches
from tasks.plan import Plan

patches.install()
NAMES = (
    "timesformer",
    "uniformerv2_in21k",
    "uniformerv2_clip",
    "movinet_a0",
    "i3d",
    "tsm",
    "trn",
)
Compose = Callable[..., Plan]


def step(config: Any, loader: str, kind: str) -> Any:
    return next((one for one in pipeline(config, loader) if one["type"] == kind), None)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("data", "classes"), [("kinetics400", 400), ("sthv2", 174)])
def test_every_network_is_there_for_both_sets_without_downloads(
    compose: Compose, name: str, data: str, classes: int
) -> None:
    config = native_config(compose(f"model={name}", f"data={data}"))
    assert config.model.cls_head.num_classes == classes
    for node in dicts(config.model):
        assert not isinstance(node.get("pretrained"), str)
        assert node.get("type") != "Pretrained"
        assert not node.get("clip_pretrained")
        assert not node.get("pretrained2d")


def test_something_something_is_not_flipped_where_left_is_not_right(compose: Compose) -> None:
    derived = native_config(compose("model=timesformer", "data=sthv2"))
    assert step(derived, "train_dataloader", "Flip") is None
    exact = native_config(compose("model=tsm", "data=sthv2"))
    assert step(exact, "train_dataloader", "Flip")["flip_label_map"]
    assert step(native_config(compose("model=timesformer")), "train_dataloader", "Flip")


def test_timesformer_sees_eight_frames_of_the_whole_something_something_video(
    compose: Compose,
) -> None:
    config = native_config(compose("model=timesformer", "data=sthv2"))
    assert step(config, "train_dataloader", "UniformSample")["clip_len"] == 8
    assert config.param_scheduler[0].milestones == [11, 14]
    assert train_shape(config) == (8, 224, 224)


def test_uniformerv2_is_deeper_and_longer_on_something_something(compose: Compose) -> None:
    config = native_config(compose("model=uniformerv2_clip", "data=sthv2"))
    assert (config.model.backbone.t_size, config.model.backbone.n_layers) == (16, 8)
    assert train_shape(config) == (16, 224, 224)


def test_tsm_of_16_frames_is_tested_with_16(compose: Compose) -> None:
    """MMAction2's own config would test it with 8, having set the pipeline on the loader."""
    config = native_config(compose("model=tsm", "data=sthv2"))
    assert step(config, "test_dataloader", "SampleFrames")["num_clips"] == 16
    assert "pipeline" not in config.test_dataloader
    assert segments_of(config) == 16


def test_rand_augment_is_torchvisions(compose: Compose) -> None:
    config = native_config(compose("model=uniformerv2_clip"))
    augment = step(config, "train_dataloader", "TorchVisionWrapper")
    assert (augment["op"], augment["num_ops"], augment["magnitude"]) == ("RandAugment", 4, 7)


def test_the_recipe_follows_the_data(compose: Compose) -> None:
    for data, samples, epochs in (("kinetics400", 234619, 55), ("sthv2", 168913, 22)):
        stage = compose("model=uniformerv2_clip", f"data={data}").model.recipe[-1]
        assert (stage.num_samples, stage.num_epochs) == (samples, epochs)
        assert stage.dataset == data


def test_a_small_study_divides_every_size_by_seven(compose: Compose) -> None:
    config = native_config(compose("model=timesformer"))
    shrink(config)
    assert train_shape(config) == (8, 32, 32)
    assert config.model.backbone.img_size == 32


def test_a_config_that_reads_no_videos_is_refused(compose: Compose) -> None:
    name = "slowonly_r50_8xb16-u48-240e_ntu60-xsub-keypoint"
    with pytest.raises(PlanError, match="name a config whose train_dataloader is a VideoDataset"):
        native_config(compose("model=mmaction", f"model.config={name}"))


def test_an_unknown_option_is_refused(compose: Compose) -> None:
    with pytest.raises(PlanError, match=r"key model.options.sthv2 'frames' is unknown"):
        native_config(compose("model=timesformer", "+model.options.sthv2.frames=4"))


@pytest.mark.parametrize(
    ("num_inputs", "segments", "views"), [(8, 8, 1), (240, 8, 30), (12, 1, 12)]
)
def test_views_are_how_often_a_test_sample_holds_a_training_clip(
    num_inputs: int, segments: int, views: int
) -> None:
    assert views_of(num_inputs, segments) == (views, ())


@pytest.mark.parametrize(("num_inputs", "times", "views"), [(250, "83.3", 83), (1, "0.3", 1)])
def test_frames_that_fill_no_whole_clips_are_said(num_inputs: int, times: str, views: int) -> None:
    rounded, (flag,) = views_of(num_inputs, segments=3)
    assert rounded == views
    assert f"has {num_inputs} frames, {times} times a training clip's 3" in flag
