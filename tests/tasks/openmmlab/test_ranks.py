"""Two CPU ranks train one network through MMEngine's own data parallelism, over gloo."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.trains

SCRIPT = Path(__file__).with_name("two_ranks.py")
ROOT = SCRIPT.parents[3]


@pytest.mark.parametrize("model", ["bisenet", "mae_upernet", "movinet_a0"])
def test_two_ranks_share_the_batch_stop_together_and_hold_one_network(
    cache_dir: Path, tmp_path: Path, model: str
) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*launch, str(SCRIPT), model, str(cache_dir), str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    first, second = (
        json.loads((tmp_path / f"rank{rank}.json").read_text(encoding="utf-8")) for rank in (0, 1)
    )
    assert first["train"] == second["train"] == [4] * 4, "samples of both ranks, four steps"
    assert first["test"] == second["test"] == [2] * 4
    assert first["weights"] == second["weights"], "gradients were averaged"
    assert first["sync_batch_norms"] == 0, "they work on GPUs alone"
