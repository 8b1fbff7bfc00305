"""A country that nobody named is in no record, and no emissions are made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from metering.emissions import SOURCE, emission_factor, emitted_kg
from metering.record_host import OLD_DEFAULT, EmissionFactor
from metering.sensors.codecarbon import CodeCarbonMeter


def test_a_country_that_nobody_named_has_no_factor_and_no_emissions() -> None:
    assert emission_factor(None) is None
    assert emitted_kg([1.0], None) is None
    factor = emission_factor("FRA")
    assert factor is not None
    assert EmissionFactor(**factor).country_is_said


@pytest.mark.parametrize(
    ("factor", "is_said"),
    [
        (EmissionFactor("GBR", 0.24, 2023, SOURCE), False),  # an older record, whose default it was
        (EmissionFactor("FRA", 0.06, 2023, SOURCE), True),
        (EmissionFactor("GBR", 0.24, 2023, SOURCE, is_said=True), True),
        (EmissionFactor("GBR", 0.24, source="the CodeCarbon log", is_said=True), True),
    ],
)
def test_a_record_knows_whether_its_country_was_said(factor: EmissionFactor, is_said: bool) -> None:
    assert factor.country_is_said is is_said
    assert OLD_DEFAULT == ("GBR", SOURCE)


def test_codecarbon_reads_energy_without_a_country(tmp_path: Path) -> None:
    meter = CodeCarbonMeter(tmp_path, [], None)
    meter.begin()
    assert (meter.end().energy.cpu_kwh or 0) >= 0
    meter.stop()
    text = (tmp_path / "emissions.csv").read_text()
    assert "GBR" not in text and "United Kingdom" not in text
