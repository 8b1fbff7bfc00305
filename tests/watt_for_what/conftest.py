"""A quick meter for loops of a user's own, and folders that no test shares."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

import watt_for_what as watt

QUICK = dict(block_s=0.05, min_blocks=3, max_blocks=8, time_budget_s=2.0, idle_s=0.0)


@pytest.fixture
def measure(tmp_path: Path) -> Callable[..., watt.Run]:
    """`watt.measure` into the test's folder, with short blocks."""
    settings = watt.MeterSettings(**QUICK)
    return partial(watt.measure, output_dir=tmp_path, meter=settings, quiet=True)


@pytest.fixture
def measure_whole(tmp_path: Path) -> Callable[..., watt.Run]:
    """A whole training into the test's folder."""
    return partial(watt.measure, output_dir=tmp_path, whole=True, quiet=True)
