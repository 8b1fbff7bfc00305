"""Each finding gives the numbers that were computed from the same facts by other means."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.audit import epochs, outliers, power, printed, ranks, sensors
from analysis.audit.all_findings import CHANGED
from analysis.audit.finding import Finding
from analysis.independent import facts
from analysis.independent.sets import throughput_sets
from analysis.published import facts as published

ROOT = Path(__file__).parents[3]
ENERGY = facts.energy()
RTX5000, A100 = "Quadro RTX 5000", "NVIDIA A100-SXM4-40GB x8"


def about(subject: str, found: list[Finding]) -> Finding:
    [one] = [finding for finding in found if finding.subject == subject]
    return one


@cache
def found_by(module: Any) -> list[Finding]:
    """The findings of one module of the audit, computed once."""
    return list(module.findings(ENERGY))


def near(value: float, digits: int = 2) -> object:
    """Equal within the rounding of `value` as it is written."""
    return pytest.approx(value, abs=0.5 * 10**-digits + 1e-9)


@pytest.mark.parametrize(
    ("subject", "values"),
    [
        ("Order of networks, training", (0.95, 0.95, 0.95, 0.99)),
        ("Order of networks, totals", (0.45, 0.29, 0.55, 0.61)),
    ],
)
def test_the_order_of_training(subject: str, values: tuple[float, ...]) -> None:
    numbers = about(subject, found_by(ranks)).numbers
    names = [
        f"{board} {software} batch {batch}, gpu"
        for board, batch in ((RTX5000, 32), (A100, 256))
        for software in ("PyTorch", "TensorFlow")
    ]
    assert [numbers[name] for name in names] == [near(value) for value in values]


def test_the_order_of_training_by_time() -> None:
    per_epoch = about("Order of networks, training", found_by(ranks)).numbers
    totals = about("Order of networks, totals", found_by(ranks)).numbers
    for layout, value in (("nchw", 0.90), ("nhwc", 0.91)):
        assert per_epoch[f"RTX 3090 {layout}, time"] == near(value)
        assert totals[f"RTX 3090 {layout}, time"] == near(0.69)


def test_the_order_of_testing() -> None:
    numbers = about("Order of networks, testing", found_by(ranks)).numbers
    desktop = "NVIDIA GeForce RTX 4090 + i9-13900K TensorFlow"
    assert numbers[f"{RTX5000} PyTorch batch 32, gpu"] == near(0.77)
    assert numbers[f"{RTX5000} TensorFlow batch 32, gpu"] == near(0.85)
    assert numbers[f"{desktop}, cpu+gpu+ram"] == near(0.74)
    assert numbers[f"{desktop} batch 16, wall"] == near(0.68)
    times = {
        "RTX 3090 nchw": (0.75, 0.82),
        "RTX 3090 nhwc": (0.80, 0.85),
        "RTX 4090 nchw": (0.71, 0.77),
        "RTX 5090 nchw": (0.72, 0.77),
        "RTX 5090 nchw compiled": (0.83, 0.92),
        "CPU i9-10940X nchw compiled": (0.82, 0.84),
        "CPU i7-12700H nchw compiled": (0.84, 0.86),
    }
    for name, (whole, without) in times.items():
        assert numbers[f"{name}, time"] == near(whole)
        assert numbers[f"{name}, time, without"] == near(without)


@pytest.mark.parametrize(
    ("row", "phase", "quantity", "least", "most"),
    [
        ("EfficientNet B0", "test", "time", 2.35, 3.51),
        ("EfficientNet B7", "test", "time", 0.16, 0.22),
        ("EfficientNetv2 S", "test", "time", 0.34, 0.45),
        ("EfficientNetv2 M", "test", "time", 0.17, 0.23),
        ("EfficientNetv2 L", "test", "time", 0.15, 0.20),
        ("ResNet18", "test", "time", 2.02, 2.34),
        ("ResNet18", "train", "time", 2.60, 2.92),
        ("MobileNetv2", "test", "time", 0.47, 0.57),
        ("EfficientNet B0", "train", "energy", 1.05, 2.85),
        ("EfficientNet B7", "train", "time", 0.22, 0.23),
    ],
)
def test_outliers(row: str, phase: str, quantity: str, least: float, most: float) -> None:
    numbers = {
        name: value
        for finding in found_by(outliers)
        for name, value in finding.numbers.items()
        if name.startswith(f"{row}, {phase}, ")
        and name.endswith(", time") == (quantity == "time")
        and "CPU" not in name
    }
    assert (min(numbers.values()), max(numbers.values())) == (near(least), near(most))


def test_another_count_of_networks_moves_the_median_a_little() -> None:
    """As docs/evidence.md says of the cross-check."""
    [one] = [
        each
        for each in throughput_sets()
        if each.name == "RTX 3090 nhwc, time" and each.phase == "test"
    ]
    frame = published.facts()
    built = frame[frame["quantity"] == "params_m_built"].drop_duplicates("model")
    names = built.set_index("model")["locator"]
    kwh = published.wide(published.IMAGENET).set_index("model")["test_kwh"]
    ratios = (kwh / one.values).dropna()
    by_name = ratios[~names[ratios.index].duplicated()]
    assert len(by_name) == 48
    assert ratios["EfficientNet B0"] / by_name.median() == near(3.57)


def test_the_row_near_idle_power_would_move_b0() -> None:
    numbers = about("EfficientNet-B0", found_by(outliers)).numbers
    name = f"EfficientNet B0, train, {A100} PyTorch batch 256, gpu"
    assert (numbers[name], numbers["with the idle row"]) == (near(1.61), near(1.69))


def test_the_share_of_macs_at_224_pixels() -> None:
    numbers = about("EfficientNet-B7 and EfficientNetv2", found_by(outliers)).numbers
    shares = [numbers[f"EfficientNet{name}"] for name in (" B7", "v2 S", "v2 M", "v2 L")]
    assert shares == [near(0.14), near(0.34), near(0.22), near(0.22)]


@pytest.mark.parametrize(
    ("subject", "row", "values"),
    [
        ("Epochs of the MobileNets", "MobileNetv2", (88, 74, 113, 78)),
        ("Epochs of the MobileNets", "MobileNet v3", (291, 259, 313, 278)),
        ("Epochs of the ResNets", "ResNet50", (74, 79, 128, 159)),
        ("Epochs of the ResNets", "ResNet101", (62, 62, 116, 134)),
        ("Epochs of the ResNets", "ResNet152", (58, 57, 100, 128)),
        ("Epochs of the ResNets", "VGG16", (80, 94, 186, 185)),
        ("Epochs of EfficientNet-B0", "EfficientNet B0", (1071, 695, 1143, 836)),
    ],
)
def test_epochs_that_fit(subject: str, row: str, values: tuple[int, ...]) -> None:
    numbers = about(subject, found_by(epochs)).numbers
    fitted = [numbers[f"{row}, {name}"] for name in epochs.SETS]
    assert fitted == [near(value, 0) for value in values]


def test_resnets_beside_the_vggs_and_an_a40() -> None:
    numbers = about("Epochs of the ResNets", found_by(epochs)).numbers
    fair = {"ResNet50": (68, 64), "ResNet101": (56, 51), "ResNet152": (53, 47)}
    for row, values in fair.items():
        for name, value in zip(epochs.SETS[:2], values, strict=True):
            assert numbers[f"{row}, fair, {name}"] == near(value, 0)
    assert numbers["A40 kWh"] == near(0.2803, 4)
    assert numbers["RTX 3090 kWh"] == near(0.15)
    assert (numbers["A40 epochs"], numbers["V100 epochs"]) == (near(112, 0), near(123, 0))
    assert [numbers[f"A40 at {n}"] for n in (60, 90, 120)] == [near(1.87), near(1.25), near(0.94)]


def test_power_at_an_rtx_3090s_speed() -> None:
    listed = found_by(power)
    numbers = about("Speed of the paper's runs", listed).numbers
    watts = {
        "median": 1216,
        "n": 30,
        "ViT-B-scratch": 1427,
        "ResNet50": 1219,
        "VGG16": 873,
        "MobileNetv2": 554,
        "MobileNet v3": 594,
        "EfficientNet B0": 2611,
        "ConvNeXt-T": 2350,
        "EfficientNet B7": 263,
    }
    for name, watt in watts.items():
        assert numbers[name] == near(watt, 0)
    assert numbers["factor"] == near(2.7, 1)
    v2 = about("Training EfficientNetv2-M and L", listed).numbers
    assert v2["EfficientNetv2 M, 384 px"] == near(368, 0)
    assert v2["EfficientNetv2 L, 384 px"] == near(362, 0)
    assert (v2["sure, least"], v2["sure, most"]) == (near(738, 0), near(2350, 0))


def test_epochs_that_would_need_too_little_power() -> None:
    numbers = about("Power by the number of epochs", found_by(power)).numbers
    watts = {"MobileNetv2 at 300": 277, "MobileNet v3 at 600": 495, "ResNet50 at 120": 609}
    for name, watt in {**watts, "B0": 2611}.items():
        assert numbers[name] == near(watt, 0)


def test_power_at_slower_cards() -> None:
    listed = found_by(power)
    numbers = about("Power at a slower card's speed", listed).numbers
    watts = {
        "VGG16": 182,
        "VGG19": 229,
        "ResNet50": 234,
        "ResNet101": 218,
        "ResNet152": 209,
        "EfficientNet B3": 278,
        "EfficientNet B0": 468,
        "MobileNetv2": 78,
        "MobileNet v3": 72,
        "B0 over": 168,
        "B0 drew": 153,
    }
    for name, watt in watts.items():
        assert numbers[name] == near(watt, 0)
    a40 = about("ResNet50's power by its epochs", listed).numbers
    assert [a40[n] for n in ("60", "90", "120", "drew")] == [
        near(w, 0) for w in (455, 303, 227, 243)
    ]


def test_b7_cannot_have_been_trained_at_600_pixels() -> None:
    numbers = about("Training B7 at 600 pixels", found_by(power)).numbers
    assert numbers["J per image"] == near(8.28)
    assert (numbers["low"], numbers["high"], numbers["batch"]) == (near(9.5, 1), near(11.0, 1), 8)
    # what the basis says: 350 epochs by the digits, and how many would be an RTX 3090's
    assert numbers["epochs"] == 350
    assert 350 * numbers["J per image"] / numbers["low"] == near(307, 0)


def test_sensors_of_boards() -> None:
    numbers = about("Sensors of Ampere and Ada boards", sensors.findings()).numbers
    expected = {
        "n": 9,
        "mean": -4.3,
        "sd": 1.7,
        "low": -8.4,
        "high": -0.2,
        "least": -7.0,
        "most": -2.0,
        "drivers": 1.0,
        "SD, least": 0.1,
        "SD, most": 0.8,
        "SD of the A100, least": 0.6,
        "SD of the A100, most": 1.8,
    }
    for name, value in expected.items():
        assert numbers[name] == near(value, 1)


def test_the_interval_of_one_board_more_is_wider_than_that_of_the_mean() -> None:
    low, high = sensors.next_board(pd.Series([-1.0, 1.0]))
    assert (low, high) == (pytest.approx(-22.01, abs=0.01), pytest.approx(22.01, abs=0.01))


def test_sensors_and_the_wall() -> None:
    numbers = about("Sensors and the wall", sensors.findings()).numbers
    for load, (missed, fewest, mostly), least, most in (
        ("GPU, image classification", (27, 18, 38), 1.11, 1.24),
        ("GPU, language model", (20, 13, 25), 1.19, 1.22),
        ("CPU, image classification", (37, 9, 67), 1.17, 1.28),
    ):
        assert numbers[f"{load}, missed"] == near(missed, 0)
        assert numbers[f"{load}, missed least"] == near(fewest, 0)
        assert numbers[f"{load}, missed most"] == near(mostly, 0)
        assert numbers[f"{load}, least factor"] == near(least)
        assert numbers[f"{load}, most factor"] == near(most)
    assert (numbers["half-width, least"], numbers["half-width, most"]) == (near(4, 0), near(9, 0))


@pytest.mark.parametrize(
    ("subject", "numbers"),
    [
        ("Epochs of the recipes", {"within": 56, "rows": 67}),
        ("Pre-training priced without pre-training", {"same": 10, "alone": 3}),
        ("One constant in many rows", {"rows": 13, "kWh": 136.05}),
        ("GQI in Table 3", {"up": 65, "legible": 65, "nearest": 29}),
    ],
)
def test_the_papers_own_numbers(subject: str, numbers: dict[str, float]) -> None:
    assert about(subject, printed.findings()).numbers == numbers


def test_a_total_with_its_sources_epochs() -> None:
    rows = published.wide(published.IMAGENET).set_index("model")
    assert printed.with_source_recipe(rows, "ResNet50") == pytest.approx(2 * 31.506, rel=1e-5)
    assert printed.with_source_recipe(rows, "DeIT-S-300Ep") == pytest.approx(315.18, rel=1e-5)
    # 1.2992 kWh x (90 x 14,197,122 / 1,281,167 + 8)
    assert printed.with_source_recipe(rows, "ViT-B-Im21k") == pytest.approx(1306.1, abs=0.2)


def test_the_notes_of_the_implied_rates_carry_what_the_audit_found() -> None:
    rates = published.implied_rates()
    for row, words in CHANGED.items():
        assert words in rates[(row, published.IMAGENET, "supervised")].note
