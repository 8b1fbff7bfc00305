"""Fifty tiny runs (twenty in the short form) leave behind neither memory nor file handles nor
threads, in the process that executes them or that supervises them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.endurance import FULL

NUM_RUNS = 50 if FULL else 20
SETTLED = 10  # libraries fill their caches in the first runs
MIB_PER_RUN = 0.25
HEAP_STEP_MIB = 5.0  # the C library's heap grows in steps, whenever it does


@pytest.mark.parametrize(("where", "num_children"), [("here", 0), ("isolated", 1)])
def test_many_runs_leak_nothing(tmp_path, where, num_children):
    done = subprocess.run(
        [sys.executable, "-m", "tests.endurance.fifty_runs", str(tmp_path), str(NUM_RUNS), where],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    held = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["status"] for one in held] == ["finished"] * NUM_RUNS
    settled, last = held[SETTLED], held[-1]
    assert last["handles"] <= settled["handles"]
    assert last["threads"] <= settled["threads"]
    assert last["children"] == settled["children"] == num_children
    growth_mib = last["resident_mib"] - settled["resident_mib"]
    assert growth_mib <= HEAP_STEP_MIB + MIB_PER_RUN * (NUM_RUNS - SETTLED)
