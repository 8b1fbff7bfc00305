"""`repeats=3`: three records of one identity, from one run and from a sweep."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from metering.record_file import read
from tests.endurance import TINY


@pytest.mark.parametrize("sweep", [(), ("-m", "batch_size=2,4")], ids=["run", "sweep"])
def test_each_repetition_leaves_a_record_and_none_is_measured_again(
    run_py: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, sweep: tuple[str, ...]
) -> None:
    sizes = 2 if sweep else 1
    tiny = [word for word in TINY if not (sweep and word.startswith("batch_size"))]
    command = (*sweep, *tiny, "repeats=3", "phases=train", f"output_dir={tmp_path / 'runs'}")
    done = run_py(*command)
    assert done.returncode == 0, done.stderr
    records = [read(path) for path in (tmp_path / "runs").rglob("record.json")]
    assert len({record.run_id for record in records}) == 3 * sizes
    assert len({record.identity for record in records}) == sizes
    assert sorted(record.repetition for record in records) == sorted([1, 2, 3] * sizes)
    again = run_py(*command)
    assert again.returncode == 0
    assert again.stdout.count("measured earlier, not run again") == 3 * sizes
