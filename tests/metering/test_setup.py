"""Which runs are alike, and for what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from metering.setup import (
    Asked,
    DataSetUp,
    Found,
    SetUp,
    comparison_key,
    hardware_key,
    identity,
    lender_key,
    merge_key,
    row_key,
    study_key,
)

ASKED = Asked("classification", "resnet18", data=DataSetUp("imagenet", "real"), batch_size=32)
FOUND = Found(device="Tesla T4", num_devices=1, sensors={"gpu": "counter"})
ONE = SetUp(ASKED, FOUND)


def asking(**more: Any) -> SetUp:
    return SetUp(replace(ASKED, **more), FOUND)


def finding(**more: Any) -> SetUp:
    return SetUp(ASKED, replace(FOUND, **more))


@pytest.mark.parametrize(
    "other", [asking(batch_size=64), asking(stage="mae"), finding(device="Tesla V100")]
)
def test_runs_merge_only_where_everything_is_equal(other: SetUp):
    assert merge_key(ONE) == merge_key(SetUp(ASKED, FOUND))
    assert merge_key(ONE) != merge_key(other)


def test_whole_nodes_are_another_run_and_no_difference_where_the_same_was_read():
    alone = asking(has_nodes_alone=True)
    assert identity(alone.asked) != identity(ASKED)
    assert merge_key(alone) == merge_key(ONE) and comparison_key(alone, True) == comparison_key(
        ONE, True
    )


def test_the_machines_word_counts_where_it_was_left_to_it():
    asked = replace(ASKED, num_devices=None)
    assert merge_key(SetUp(asked, FOUND)) == merge_key(asking(num_devices=1))


def test_what_was_left_to_the_machine_is_no_difference_once_it_is_found():
    left, named = asking(accelerator="auto"), asking(accelerator="cuda", device="Tesla T4")
    assert merge_key(left) == merge_key(named)
    on_cpu = replace(FOUND, device=None, num_devices=None, sensors={"cpu": "rapl"})
    wished = SetUp(replace(ASKED, device="Tesla T4", accelerator="cpu"), on_cpu)
    assert merge_key(wished) == merge_key(SetUp(ASKED, on_cpu)) != merge_key(named)


def test_a_machine_with_fewer_cpus_of_the_same_kind_is_another():
    two, many = finding(num_cpus=2), finding(num_cpus=64)
    assert merge_key(two) != merge_key(many)
    assert comparison_key(two, True) != comparison_key(many, True)
    assert hardware_key(two) != hardware_key(many)


def test_stages_are_one_row_whatever_they_determine():
    pretrain = asking(
        stage="pretrain",
        input_size=(384, 384),
        training={"name": "larger set"},
        data=replace(ASKED.data, num_classes=21_843),
    )
    assert row_key(ONE, True) == row_key(pretrain, True)
    assert row_key(ONE, True) != row_key(asking(batch_size=64), True)


def test_a_size_of_the_users_choice_is_another_row():
    small, smaller = asking(input_size=(96, 96)), asking(input_size=(64, 64))
    assert row_key(small, False) != row_key(smaller, False) != row_key(ONE, True)


@pytest.mark.parametrize(
    ("other", "compares"),
    [
        (asking(model="swin_t", training={"name": "deit"}), True),
        (asking(model="deit_t", stage="distill"), True),
        (asking(model="swin_t", batch_size=64), False),
        (asking(model="swin_t", data=DataSetUp("imagenet", "embedded")), False),
        (finding(sensors={"gpu": "modelled"}), False),
    ],
)
def test_models_compare_where_all_but_network_and_recipe_are_equal(other: SetUp, compares: bool):
    assert (comparison_key(ONE, True) == comparison_key(other, True)) is compares


def test_a_study_may_change_its_axis_alone():
    assert study_key(ONE, ["batch_size"]) == study_key(asking(batch_size=8), ["batch_size"])
    tenth = asking(data=replace(ASKED.data, fraction=0.1))
    assert study_key(ONE, ["data.fraction"]) == study_key(tenth, ["data.fraction"])
    assert study_key(ONE, ["batch_size"]) != study_key(tenth, ["batch_size"])


def test_the_spread_of_runs_belongs_to_a_machine_and_how_it_is_read():
    assert hardware_key(ONE) == hardware_key(asking(model="swin_t", batch_size=8))
    assert hardware_key(ONE) != hardware_key(finding(power_limit_w=70.0))
    assert hardware_key(ONE) != hardware_key(finding(sensors={"gpu": "power"}))


def test_a_cost_may_be_lent_over_tasks_but_not_over_precisions_or_sizes():
    segmenter = asking(task="segmentation", data=DataSetUp("cityscapes", "real"), batch_size=8)
    assert lender_key(ONE, True) == lender_key(segmenter, True)
    assert lender_key(ONE, True) != lender_key(asking(precision="bf16"), True)
    assert lender_key(asking(input_size=(64, 64)), False) != lender_key(ONE, True)
