"""A sweep that is killed again and again measures every row once."""

from __future__ import annotations

import json
import subprocess
import sys

from metering.record_file import read
from tests.conftest import ROOT
from tests.endurance import FULL
from tests.endurance.killed_sweep import finished

NUM_KILLS = 20 if FULL else 8


def test_every_row_is_measured_once_however_often_the_sweep_is_killed(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.endurance.killed_sweep", str(tmp_path), str(NUM_KILLS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    log = (tmp_path / "sweeps.log").read_text()
    assert told["kills"] == NUM_KILLS
    assert told["status"] == 0, log
    rows = finished(tmp_path)
    assert len(rows) == told["runs"]
    # what was finished before a kill is the row of the end: it was not measured again
    assert rows == rows | told["seen"]
    earlier = [read(path).status for path in tmp_path.glob("runs/*/*/*/*/attempts/*.json")]
    assert "finished" not in earlier
    assert f"{told['runs']} finished" in log
    leftovers = [path for path in tmp_path.rglob(".*") if path.suffix in {".tmp", ".draft"}]
    assert not leftovers
