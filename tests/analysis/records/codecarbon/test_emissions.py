"""Emissions of a log that no supply of electricity can have had are no emissions."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.records.codecarbon.find import LogFile
from analysis.records.codecarbon.importing import Given, import_logs
from tests.analysis.records.codecarbon.logs import a_log


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"emissions": "0.56"}, "5.6e+04 g per kWh, which no supply has"),  # grams
        ({"emissions": "0.016"}, "1600 g per kWh"),
        ({"emissions": "0.00000056"}, "0.056 g per kWh"),  # tonnes
        ({"emissions": "-0.0005"}, "-50 g per kWh"),
        ({"emissions": "0.0"}, "are 0 in FRA: none were computed"),
        ({"emissions": "much"}, "emissions: 'much' is not a number"),
        ({"emissions": "0.0", "country_iso_code": ""}, None),
        ({"country_iso_code": ""}, "of no country that it names"),  # the world's average
    ],
)
def test_an_absurd_factor_is_flagged_and_left_out_and_the_energy_stays(
    tmp_path: Path, line: dict[str, str], words: str | None
) -> None:
    path = a_log(tmp_path, line)
    made = import_logs([LogFile(path, None)], Given(model="vit", num_samples=10_000))
    [record] = made.records
    assert record.host.emissions is None
    assert record.phases["train"].emissions_kg_co2eq is None
    assert record.phases["train"].energy_kwh_per_sample is not None
    assert words is None or words in "; ".join(record.phases["train"].flags)


def test_a_possible_factor_is_kept_whatever_the_pue(tmp_path: Path) -> None:
    path = a_log(tmp_path, {"pue": "1.6"})
    [record] = import_logs([LogFile(path, None)], Given(model="vit", num_samples=10)).records
    assert record.host.emissions is not None
    assert record.host.emissions.kg_co2eq_per_kwh == pytest.approx(0.05)
    assert record.phases["train"].emissions_kg_co2eq == pytest.approx(0.0005 / 1.6)
