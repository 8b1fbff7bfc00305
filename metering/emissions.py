"""CodeCarbon's offline emission factors: what a country's kWh emit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

FILE = "data/private_infra/global_energy_mix.json"
SOURCE = "CodeCarbon, global_energy_mix.json"


def emission_factor(country_iso_code: str | None) -> dict[str, Any] | None:
    """The country's factor, kg CO2eq per kWh, and the year of the data it comes from; null for a
    country that CodeCarbon's table does not have. None where nobody said the country."""
    if country_iso_code is None:
        return None
    mix = _mixes().get(country_iso_code, {})
    grams = mix.get("carbon_intensity")
    return {
        "country_iso_code": country_iso_code,
        "kg_co2eq_per_kwh": None if grams is None else grams / 1000,
        "year": mix.get("year"),
        "source": SOURCE,
        "is_said": True,
    }


def emitted_kg(energies_kwh: Sequence[float | None], factor: dict[str, Any] | None) -> float | None:
    """kg CO2eq of all these energies, by what `emission_factor` answers; None where one of them or
    the factor is unknown."""
    kg_per_kwh = None if factor is None else factor["kg_co2eq_per_kwh"]
    known = [kwh for kwh in energies_kwh if kwh is not None]
    return None if kg_per_kwh is None or len(known) < len(energies_kwh) else kg_per_kwh * sum(known)


def countries() -> list[str]:
    """Three-letter codes of the countries that have a factor."""
    return sorted(code for code, mix in _mixes().items() if mix.get("carbon_intensity") is not None)


@cache
def _mixes() -> dict[str, dict[str, Any]]:
    spec = find_spec("codecarbon")  # not imported: that takes seconds, and a plan needs this table
    folders = spec.submodule_search_locations if spec is not None else None
    if not folders:
        raise ModuleNotFoundError("codecarbon is not installed")
    mixes = json.loads((Path(folders[0]) / FILE).read_text(encoding="utf-8"))
    return {code: mix for code, mix in mixes.items() if isinstance(mix, dict)}
