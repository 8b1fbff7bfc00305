"""Values pass between real processes, which may leave their group right afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

RANK = """
import json, sys
from torch import distributed
from metering import gloo

for round in range(3):
    distributed.init_process_group("gloo", init_method="file://" + sys.argv[1] + f"/{round}",
        rank=int(sys.argv[2]), world_size=2)
    rank = distributed.get_rank()
    everyones = gloo.gather({"rank": rank, "text": "x" * 1000 * rank}, rank, 2, None)
    answer = gloo.broadcast(["of", rank, None], rank, None)
    distributed.destroy_process_group()
print(json.dumps([answer, everyones and [[one["rank"], len(one["text"])] for one in everyones]]))
"""


@pytest.mark.trains
def test_values_of_any_length_pass_and_the_group_is_left_at_once(tmp_path: Path) -> None:
    ranks = [
        subprocess.Popen(
            [sys.executable, "-c", RANK, str(tmp_path), str(rank)],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        heard = [json.loads(rank.communicate(timeout=60)[0]) for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    assert heard == [[["of", 0, None], [[0, 0], [1, 1000]]], [["of", 0, None], None]]
