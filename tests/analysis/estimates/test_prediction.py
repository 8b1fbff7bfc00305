"""A network never measured gets a prediction whose error is that of families never seen."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.commands.predict import errors, fitted
from analysis.estimates.prediction import Fit, family_of, fit
from analysis.published import facts as published

ROOT = Path(__file__).parents[3]
NAMES = [f"family {k} {size}" for k in range(10) for size in "ab"]


def made(noise: float, per_family: float = 0.0) -> tuple[pd.Series, pd.DataFrame]:
    """Twenty networks of ten families, kWh = 0.2 GMACs^0.7 up to errors."""
    generator = np.random.default_rng(3)
    gmacs = np.exp(generator.uniform(-1, 4, len(NAMES)))
    family = np.repeat(generator.normal(0, per_family, len(NAMES) // 2), 2)
    kwh = 0.2 * gmacs**0.7 * np.exp(generator.normal(0, noise, len(NAMES)) + family)
    return pd.Series(kwh, NAMES), pd.DataFrame({"gmacs": gmacs}, NAMES)


def test_a_power_law_is_found_and_has_no_error() -> None:
    law = fit(*made(noise=0.0))
    assert law.median_error == pytest.approx(0, abs=1e-9)
    predicted = law.predict({"gmacs": 10.0})
    assert predicted.kwh == pytest.approx(0.2 * 10**0.7)
    assert predicted.low == pytest.approx(predicted.high)


def test_beyond_the_networks_of_the_fit_there_is_no_interval(capsys) -> None:
    law = fit(*made(noise=0.3))
    assert law.outside({"gmacs": 1e9}) == ["gmacs"] and law.outside({"gmacs": 10.0}) == []
    assert main(["predict", "--gmacs", "1e9"]) == 0
    said = capsys.readouterr().out
    assert "kWh (no interval: outside of what the fit learned from, GMACs 0.22 to 167)" in said


def test_the_interval_spans_the_errors_of_left_out_families() -> None:
    law = fit(*made(noise=0.3))
    factor = law.factor(0.8)
    assert (law.log_errors <= math.log(factor) + 1e-12).sum() == math.ceil(21 * 0.8)
    predicted = law.predict({"gmacs": 10.0}, 0.8)
    assert predicted.high / predicted.kwh == pytest.approx(factor)
    assert law.factor(0.96) == math.inf, "20 networks, each a family, carry 20 / 21"


def test_a_family_counts_once_however_many_networks_it_has() -> None:
    families = ("large",) * 20 + tuple("abcdefghi")
    errors = np.array([0.1] * 20 + [1.0] * 9)
    law = Fit(("gmacs",), families, errors, errors, None)
    assert law.factor(0.09) == pytest.approx(math.exp(0.1))
    assert law.factor(0.1) == pytest.approx(math.exp(1.0)), "one family of eleven is 0.0909"


def test_plain_vits_are_one_family() -> None:
    names = ("ViT-B-MAE", "DeIT-T-300Ep", "BEiTv2-L", "Clip-L/14")
    assert {family_of(name) for name in names} == {"ViT"}
    rows = published.wide(published.IMAGENET)["model"]
    assert len({family_of(row) for row in rows}) == 15
    assert family_of("my own") == "my own"


@pytest.mark.parametrize(
    ("phase", "names", "num", "error"),
    [
        ("train", ("gmacs",), 45, 0.349),
        ("train", ("activations_m",), 45, 0.245),
        ("train", ("s_per_image",), 29, 0.173),
        ("test", ("gmacs",), 48, 0.324),
        ("test", ("gmacs", "activations_m", "s_per_image"), 47, 0.280),
    ],
)
def test_the_error_of_each_model(
    phase: str, names: tuple[str, ...], num: int, error: float
) -> None:
    law = fitted(phase, names)
    assert law.num_networks == num
    assert law.median_error == pytest.approx(error, abs=0.002)


def test_too_few_families_are_refused() -> None:
    kwh, features = made(noise=0.1)
    with pytest.raises(ValueError, match="4 families; 5 are needed"):
        fit(
            kwh.iloc[:8].rename(lambda name: f"{name[:8]}"),
            features.iloc[:8].rename(lambda n: n[:8]),
        )


def test_time_is_compared_on_the_same_networks() -> None:
    """29 networks have a time in training; GMACs alone do better on these than on all 45."""
    alone = fitted("train", ("gmacs",), has_time=True)
    assert alone.num_networks == 29
    assert alone.median_error == pytest.approx(0.261, abs=0.002)


def test_a_prediction_says_its_interval_and_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "--gmacs", "3.66"]) == 0
    said = capsys.readouterr().out
    assert (
        "80%" in said
        and "90%" in said
        and "95%" not in said
        and "median error 35% on families left out" in said
    )


def test_the_document_quotes_the_errors() -> None:
    assert errors() in (ROOT / "docs/evidence.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "arguments", [["--gmacs", "-1"], ["--images-per-s", "100"], ["--params", "nan"]]
)
def test_what_cannot_be_predicted_is_refused_in_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1
