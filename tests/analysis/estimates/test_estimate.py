from __future__ import annotations

import pytest

from analysis.estimates.estimate import Part, Quantity, estimate, total, whole_run
from metering.record import Stage

RATE = Part("supervised", Quantity(1e-6, {"rate": 1e-8}), "measured")
TEACHER = Part("teacher", Quantity(136.05), "published", "RegNetY-16GF published")


def _rate_of(workload: str) -> Part | None:
    return RATE if workload == "supervised" else None


def _cost_of(row: str) -> Part | None:
    return TEACHER if row == "RegNetY-16GF" else None


def test_a_stage_costs_samples_times_epochs_times_rate():
    estimated = estimate([Stage("train", num_samples=1000, num_epochs=300)], _rate_of, _cost_of)
    assert estimated.kwh is not None
    assert estimated.kwh.value == pytest.approx(0.3)
    assert estimated.kwh.half_width == pytest.approx(0.003)


def test_stages_of_one_rate_share_its_error():
    """Two halves have the interval of the whole, not a smaller one."""
    half = Stage("half", num_samples=1000, num_epochs=150)
    estimated = estimate([half, half], _rate_of, _cost_of)
    assert estimated.kwh is not None
    assert estimated.kwh.half_width == pytest.approx(0.003)


def test_different_rates_err_independently():
    assert total([Quantity(1, {"a": 3.0}), Quantity(1, {"b": 4.0})]).half_width == 5.0


def test_a_part_without_an_interval_leaves_the_whole_without_one():
    assert total([Quantity(1, {"a": 3.0}), Quantity(1, None)]).half_width is None


def test_a_teacher_is_added_and_marked_as_published():
    recipe = [Stage("train", num_samples=1000, num_epochs=300), Stage("t", row="RegNetY-16GF")]
    estimated = estimate(recipe, _rate_of, _cost_of)
    assert estimated.kwh is not None
    assert estimated.kwh.value == pytest.approx(136.35)
    assert not estimated.is_measured
    assert estimated.notes == ("RegNetY-16GF published",)


def test_share_counts_a_row_more_than_once():
    estimated = estimate([Stage("two", row="RegNetY-16GF", share=2)], _rate_of, _cost_of)
    assert estimated.kwh is not None
    assert estimated.kwh.value == pytest.approx(272.1)


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (Stage("pretrain", workload="mae", num_samples=1, num_epochs=1), "stage=mae"),
        (Stage("train", num_epochs=1), "number of samples or epochs is not known"),
        (Stage("backbone", row="BEiT-B"), "row BEiT-B is not known"),
    ],
)
def test_what_is_missing_is_named_instead_of_guessed(stage: Stage, words: str):
    estimated = estimate([stage], _rate_of, _cost_of)
    assert estimated.kwh is None
    assert words in estimated.missing[0]


def test_no_recipe_is_said():
    assert estimate([], _rate_of, _cost_of).missing == ("no recipe is known",)


def test_a_whole_run_is_set_up_steps_evaluations_and_checkpoints():
    estimated = whole_run(Quantity(0.5), 100, Quantity(0.01), 3, Quantity(0.2), 2, Quantity(0.1))
    assert estimated.value == pytest.approx(0.5 + 1.0 + 0.6 + 0.2)
