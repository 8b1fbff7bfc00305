"""The estimate's benchmark says by how much the machine itself is uneven."""

from __future__ import annotations

import math

import pytest

from benchmarks.estimate import uneven_percent
from metering.record import Energy, Reading


def blocks(*energies_kwh: float) -> list[Reading]:
    return [
        Reading(n, duration_s=1.0, num_steps=1, num_samples=8, energy=Energy(cpu_kwh=kwh))
        for n, kwh in enumerate(energies_kwh)
    ]


def test_an_even_machine_differs_by_nothing():
    assert uneven_percent(blocks(1.0, 1.0, 1.0, 1.0), part_s=2.0) == 0.0


def test_noise_within_a_part_does_not_count_a_slower_half_of_the_run_does():
    assert uneven_percent(blocks(0.9, 1.1, 1.1, 0.9), part_s=2.0) == pytest.approx(0.0)
    assert uneven_percent(blocks(0.9, 0.9, 1.1, 1.1), part_s=2.0) == pytest.approx(14.14, rel=1e-3)


def test_one_part_says_nothing():
    assert math.isnan(uneven_percent(blocks(1.0, 1.0, 1.0), part_s=2.0))
