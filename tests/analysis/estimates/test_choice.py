"""The front, the cheapest and the break-even, with what the numbers' errors leave open."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.estimates.choice import BreakEven, Model, break_even, cheapest, front, on_front
from analysis.estimates.ranks import pareto_front


def rows(**models: tuple[float, float, float]) -> pd.DataFrame:
    """name -> accuracy in %, kWh, half-width in kWh."""
    frame = pd.DataFrame.from_dict(
        models, orient="index", columns=["accuracy_pct", "kwh", "kwh_half_width"]
    )
    return frame.assign(num_tested=50_000)


def test_the_front_is_that_of_the_tables() -> None:
    generator = np.random.default_rng(0)
    accuracy, kwh = generator.uniform(70, 90, 40), generator.uniform(10, 1000, 40)
    assert on_front(accuracy, kwh).tolist() == pareto_front(accuracy.tolist(), kwh.tolist())


def test_a_clear_front_is_on_it_in_every_draw() -> None:
    on_front = front(rows(small=(70, 10, 1), large=(85, 100, 10), worse=(69, 200, 20)))
    assert on_front["is_on_front"].tolist() == [True, True, False]
    assert on_front["front_share"].tolist() == [1.0, 1.0, 0.0]


def test_two_networks_alike_share_the_front() -> None:
    shares = front(rows(one=(80.0, 100, 10), two=(80.0, 100, 10)))["front_share"]
    # the less accurate or costlier one leaves it when it is worse in both: a quarter of the draws
    assert shares.to_numpy() == pytest.approx([0.75, 0.75], abs=0.03)


def test_the_cheapest_at_or_above_an_accuracy() -> None:
    candidates = cheapest(rows(cheap=(79.0, 10, 1), enough=(80.5, 50, 5), best=(85, 500, 50)), 80)
    assert candidates["reaches"].tolist() == [False, True, True]
    assert candidates["cheapest_share"].tolist() == pytest.approx([0, 1, 0], abs=0.01)
    on_the_edge = cheapest(rows(edge=(80.0, 10, 1), safe=(85, 50, 5)), 80)
    assert on_the_edge["cheapest_share"].to_numpy() == pytest.approx([0.5, 0.5], abs=0.03)


def test_break_even_is_the_costlier_training_over_the_saving_an_image() -> None:
    cheap, costly = Model("cheap", 30.0, 2e-7), Model("costly", 130.0, 1e-7)
    assert break_even(costly, cheap) == BreakEven("cheap", "costly", pytest.approx(1e9), None)


def test_break_even_has_the_interval_of_a_ratio() -> None:
    crossing = break_even(
        Model("cheap", 30.0, 2e-7, 1.0, 1e-8), Model("costly", 130.0, 1e-7, 5.0, 1e-8)
    )
    assert crossing.interval is not None
    assert crossing.interval[0] < 1e9 < crossing.interval[1]
    noisy = break_even(
        Model("cheap", 30.0, 2e-7, 1.0, 1e-7), Model("costly", 130.0, 1e-7, 5.0, 1e-7)
    )
    assert noisy.interval is None, "the saving may be none"


def test_a_model_cheaper_in_both_is_always_cheaper() -> None:
    assert break_even(Model("a", 1.0, 1e-7), Model("b", 2.0, 2e-7)).num_samples is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "14 on it as the numbers stand"),
        (["--at-least", "80"], "RegNetY-16GF"),
        (["--break-even", "ResNet50", "DeIT-T-300Ep"], "up to 1,950,000,000 images"),
        (["--break-even", "Swin-T", "ConvNeXt-T", "--energy-error", "5"], "95 %: 538,000,000 to"),
        (["--break-even", "Swin-T", "ResNet50"], "ResNet50 takes less in training"),
    ],
)
def test_choosing_from_table_3(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["choose", *arguments]) == 0
    assert words in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--at-least", "99"],
        ["--break-even", "ResNet50", "Swinn"],
        ["--break-even", "ResNet101", "Swin-T"],
        ["--energy-error", "-1"],
    ],
)
def test_what_cannot_be_chosen_is_refused_in_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["choose", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1
