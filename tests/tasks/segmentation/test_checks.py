"""Segmentation: what is refused before anything is built, and the paper's protocol."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from tasks.errors import PlanError
from tasks.plan import Plan
from tasks.running.execute import execute
from tasks.segmentation import session as segmentation


def test_a_mistyped_config_is_refused_before_anything_is_built(
    compose: Callable[..., Plan],
) -> None:
    plan = compose("model=mmseg", "model.config=segformer_mit-b0_8xb2-160k_ade20k-512x51")
    with pytest.raises(PlanError, match="did you mean segformer_mit-b0_8xb2-160k_ade20k-512x512"):
        list(segmentation.check(plan))


def test_the_papers_protocol_is_2000_iterations_of_eight_images(
    compose: Callable[..., Plan],
) -> None:
    plan = compose("model=bisenet", "meter=paper")  # section 5.2
    assert (plan.batch_size, plan.meter.num_steps) == (8, 2000)
    assert compose("model=bisenet", "meter=paper", "batch_size=16").meter.num_steps == 1000


@pytest.mark.trains
def test_the_papers_protocol_counts_every_iteration(compose: Callable[..., Plan]) -> None:
    plan = compose(
        "model=bisenet",
        "meter=paper",
        "scale=small",
        "batch_size=2",
        "data.num_workers=0",
        "hardware.accelerator=cpu",
        "task.paper_samples=6",
    )
    record = execute(dataclasses.replace(plan, checkpoint_write=False)).record
    assert record.status == "finished"
    for phase in (record.phases["train"], record.phases["test"]):
        assert phase.stop_reason == "num_steps"
        assert sum(reading.num_steps for reading in phase.readings) == 3
        assert {reading.use for reading in phase.readings} == {"measured"}
    assert sum(reading.num_samples for reading in record.phases["train"].readings) == 6


def test_a_run_without_a_config_says_which_key_is_missing(compose: Callable[..., Plan]) -> None:
    with pytest.raises(PlanError, match=r"model=mmseg needs model\.config=NAME"):
        compose("model=mmseg")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("data.options.num_files=0", r"data\.options\.num_files=0 is not a whole number"),
        ("data.options.num_files=abc", r"data\.options\.num_files=abc is not a whole number"),
        ("data.options.num_classes=abc", r"data\.options\.num_classes=abc is not a whole"),
        ("+model.options.num_classes=abc", r"model\.options\.num_classes=abc is not a whole"),
        ("+model.options.num_classes=0", r"model\.options\.num_classes=0 is not a whole"),
    ],
)
def test_a_count_that_is_none_is_refused(
    compose: Callable[..., Plan], value: str, says: str
) -> None:
    with pytest.raises(PlanError, match=says):
        list(segmentation.check(compose("model=bisenet", value)))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("checkpoint_weights=ema", "checkpoint_weights=ema is for files of timm; .*: leave it out"),
        ("data.options.num_classes=1", "any network is right in each pixel; give the background"),
    ],
)
def test_what_would_give_another_or_an_empty_quality_is_refused(
    compose: Callable[..., Plan], value: str, words: str
) -> None:
    with pytest.raises(PlanError, match=words):
        list(segmentation.check(compose("model=bisenet", "checkpoint=pretrained", value)))


def test_an_unknown_option_is_refused(compose: Callable[..., Plan]) -> None:
    with pytest.raises(PlanError, match=r"key model.options 'crops' is unknown; did you mean crop"):
        list(segmentation.check(compose("model=segmenter", "+model.options.crops=[64,64]")))
