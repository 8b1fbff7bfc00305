"""Numbers as text: as many digits as their interval bears."""

from __future__ import annotations

import pytest

from analysis.tables.numbers import percent, plain, with_interval


@pytest.mark.parametrize(
    ("value", "half_width", "text"),
    [
        (224.012, 3.14, "224.0 ± 3.1"),
        (0.0123456, 0.00012, "0.01235 ± 0.00012"),
        (12925.6, 131.0, "12930 ± 130"),
        (10.0, 0.0996, "10.00 ± 0.10"),
        (1.0, 2.62, "1.0 ± 2.6"),
        (3.6e-6, 7.2e-8, "(3.600 ± 0.072)e-06"),
        (224.012, None, "224"),
        (224.512, float("nan"), "224.5"),
        (5.0, 0.0, "5"),
    ],
)
def test_a_value_ends_where_its_interval_does(value, half_width, text) -> None:
    assert with_interval(value, half_width) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(33337.3983, "33337"), (0.00162, "0.00162"), (0.0, "0"), (2.5e-7, "2.500e-07")],
)
def test_no_exponent_where_a_person_writes_none(value: float, text: str) -> None:
    assert plain(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (1.65, "+165"),
        (0.2, "+20"),
        (-0.0123, "-1.2"),
        (0.997, "+100"),
        (0.0, "+0"),
        (20.0, "+2000"),
    ],
)
def test_a_percentage_has_no_exponent(share, text) -> None:
    assert percent(share, "+") == text
