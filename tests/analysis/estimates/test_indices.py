"""Each index has its own formula; ranks and their agreement follow."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.errors import AnalysisError
from analysis.estimates.indices import (
    INDICES,
    accuracy_per_kwh,
    agreement,
    chosen,
    gqi,
    pepr_e,
    places,
    values,
)
from analysis.estimates.metrics import gqi as gqi_of_one

ACCURACY, KWH = np.array([0.725, 0.761, 0.88]), np.array([16.152, 31.506, 33337.3983])


def test_gqi_is_the_papers() -> None:
    assert gqi(ACCURACY, KWH)[0] == pytest.approx(gqi_of_one(72.5, 16.152).value)
    assert np.isnan(gqi(np.array([0.7]), np.array([1.0])))[0], "undefined at one unit"


@pytest.mark.parametrize(("unit", "value"), [("Wh", 0.2380), ("J", 0.1290)])
def test_the_unit_changes_gqi(unit: str, value: float) -> None:
    # 5 x 0.725^5 = 1.00150; log10(16152) = 4.20823; log10(16.152 x 3.6e6) = 7.76453
    assert gqi(ACCURACY, KWH, unit=unit)[0] == pytest.approx(value, abs=1e-4)


def test_accuracy_per_kwh() -> None:
    assert accuracy_per_kwh(ACCURACY, KWH)[0] == pytest.approx(72.5 / 16.152)


def test_pepr_e_halves_the_accuracy_of_the_costliest() -> None:
    scores = pepr_e(ACCURACY, KWH)
    assert (scores[0], scores[2]) == (pytest.approx(0.725), pytest.approx(0.44))
    assert np.isnan(pepr_e(ACCURACY, np.ones(3))).all(), "nothing to tell apart"


def test_every_index_has_a_source_and_a_number_a_model() -> None:
    rows = pd.DataFrame({"accuracy_pct": 100 * ACCURACY, "kwh": KWH}, index=["a", "b", "c"])
    by_index = values(rows, INDICES)
    assert list(by_index.columns) == list(INDICES) and by_index.notna().all().all()
    assert all(index.source for index in INDICES.values())
    ranks = places(by_index)
    assert ranks["accuracy"].tolist() == [3, 2, 1] and ranks["least_kwh"].tolist() == [1, 2, 3]
    tau = agreement(by_index)
    assert tau.loc["accuracy", "least_kwh"] == pytest.approx(-1) and tau.loc["gqi", "gqi"] == 1


def test_an_unknown_index_is_refused() -> None:
    with pytest.raises(AnalysisError, match="did you mean gqi"):
        chosen(["gqii"])


def test_ranks_of_table_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ranks", "--top", "2", "--index", "gqi,gqi_j"]) == 0
    said = capsys.readouterr().out
    assert "| EfficientNetv2 S |      83.9 | 177.1 |     1 |      10 |" in said
    assert "|  0.14 |" in said, "Kendall's tau of kWh and J"


@pytest.mark.parametrize("arguments", [["--unit", "calories"], ["--beta", "0"], ["--alpha", "nan"]])
def test_what_cannot_be_is_refused_in_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ranks", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_pepr_e_says_over_which_rows_it_scales(capsys) -> None:
    assert main(["ranks", "--index", "pepr_e,accuracy"]) == 0
    said = capsys.readouterr().out
    assert "16 to 33,337 kWh: half of them lie at 0.014 or less" in said
    assert "takes off 1.4% at most" in said and "no interval: rows share networks" in said
    assert main(["ranks", "--index", "gqi"]) == 0
    assert "33,337" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--index", ""], "--index names none"),
        (["--alpha", "1e300"], "gqi is the same number, or none, for every row"),
    ],
)
def test_an_index_that_tells_nothing_is_refused(capsys, arguments, words) -> None:
    assert main(["ranks", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
