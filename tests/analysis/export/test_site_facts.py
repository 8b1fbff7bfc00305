"""The YAML of what no record has."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.errors import AnalysisError
from analysis.export.site_facts import SiteFacts, read_site_facts


def _read(folder: Path, text: str) -> SiteFacts:
    path = folder / "site.yaml"
    path.write_text(text)
    return read_site_facts(path)


def test_facts_are_read(tmp_path: Path) -> None:
    site = _read(tmp_path, "pue: 1.2\nsupplier: {name: EDF, energy_source: nuclear}\n")
    assert (site.pue, site.supplier and site.supplier.name) == (1.2, "EDF")
    assert _read(tmp_path, "") == SiteFacts()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pues: 1.2", "key 'pues' is unknown; did you mean pue or publisher?"),
        ("embodied: {kg: 1}", "key 'kg' is unknown; known: kg_co2eq_per_device"),
        ("pue: 0.8", "pue: 0.8: Input should be greater than or equal to 1"),
        ("supplier: {name: x, energy_source: magic}", "supplier.energy_source: 'magic'"),
        ("carbon_intensity_g_per_kwh: 0.05", "0.05 is no supply's; it is in grams"),
        ("carbon_intensity_g_per_kwh: 56000", "56000 is no supply's"),
        ("- a", "is not a mapping"),
        ("a: [", "is not YAML"),
        ("pue: 1.2\npue: 1.5", "pue (line 2) stands twice"),
        ("supplier:\n  name: a\n  name: b", "supplier.name (line 3) stands twice"),
        ("country: FRN", "country: 'FRN' has no factor in CodeCarbon's table; did you mean"),
        ("country: fra", "country: 'fra': it is no country; give three capital letters"),
        ("country: NO", "country: False: YAML reads this as false; put the word in quotes"),
        ("country: AAA", "has no factor in CodeCarbon's table; if it is right"),
        ("pue: 1,2", "pue: '1,2': it is no number; write one such as 1.2"),
        ("embodied: 150", "embodied: 150: it is one value; give KEY: VALUE pairs"),
        ("model: {version: 1.0}", "model.version: 1.0: it is no text; put it in quotes"),
        ("model: {download_location: here}", "model.download_location: 'here': it is no address"),
        ("a: &x [*x]", "key 'a' is unknown"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(AnalysisError) as error:
        _read(tmp_path, text)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_country_without_a_factor_is_taken_with_an_intensity(tmp_path: Path) -> None:
    site = _read(tmp_path, "country: ATA\ncarbon_intensity_g_per_kwh: 700\n")
    assert (site.country, site.carbon_intensity_g_per_kwh) == ("ATA", 700)
