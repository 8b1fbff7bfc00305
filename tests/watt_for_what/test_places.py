"""Where a loop may run: under torchrun, without PyTorch, in a notebook."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import watt_for_what as watt
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}

TWO_RANKS = """
import sys, time
import torch
from torch import distributed
import watt_for_what as watt

distributed.init_process_group("gloo")
rank = distributed.get_rank()
settings = watt.MeterSettings(block_s=0.05, min_blocks=3, max_blocks=6, idle_s=0.0)
answers = []
with watt.measure("two", batch_size=8, meter=settings, output_dir=sys.argv[1], quiet=True) as run:
    with run.window("train") as window:
        for _ in range(5000):
            time.sleep(0.002 * (1 + rank))
            answers.append(window.step(4))
            if answers[-1]:
                break
print("RANK", rank, len(answers), answers[-1], run.record is not None, flush=True)
try:
    with watt.measure("two", batch_size=8, output_dir="/proc/no"):
        pass
except watt.WattError as error:
    print("REFUSED", rank, error, flush=True)
distributed.destroy_process_group()
"""


@pytest.mark.trains
def test_two_ranks_under_torchrun_stop_at_the_same_step(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(TWO_RANKS)
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
         str(script), str(tmp_path)],
        env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = sorted(line for line in done.stdout.splitlines() if line.startswith("RANK"))
    _, _, num_steps, is_done, wrote = said[0].split()
    assert said == [f"RANK 0 {num_steps} True True", f"RANK 1 {num_steps} True False"]
    assert (is_done, wrote) == ("True", "True")
    assert done.stdout.count("REFUSED") == 2, "a mistake ends every rank"
    [path] = tmp_path.rglob("record.json")
    record = watt.read_record(path)
    readings = record.phases["train"].readings
    assert record.setup.asked.num_devices == 2
    assert sum(one.num_steps for one in readings) == int(num_steps)
    assert sum(one.num_samples for one in readings) == 8 * int(num_steps)


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None  # an import of it is an error
import numpy as np
import watt_for_what as watt
settings = watt.MeterSettings(block_s=0.02, min_blocks=3, max_blocks=6, idle_s=0.0)
weights = np.zeros((32, 10))
with watt.measure("numpy", batch_size=64, meter=settings, output_dir=sys.argv[1]) as run:
    with run.window("train") as window:
        done = False
        while not done:
            images, labels = np.random.rand(64, 32), np.eye(10)[np.random.randint(0, 10, 64)]
            weights -= 0.1 * images.T @ (images @ weights - labels) / 64
            done = window.step(np.int64(len(images)))
print(run.record.status, run.record.phases["train"].energy_kwh_per_sample.mean > 0)
"""


def test_a_numpy_loop_without_pytorch(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, str(tmp_path)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout == "finished True\n", done.stderr


def test_in_a_notebook_cell_after_cell(tmp_path, monkeypatch):
    """A cell that fails, and one that is interrupted, leave the next cell free to measure."""
    import nbclient
    import nbformat

    start = (
        "import time\nimport watt_for_what as watt\n"
        "settings = watt.MeterSettings(block_s=0.02, min_blocks=3, max_blocks=6, idle_s=0.0)\n"
        f"said = dict(batch_size=4, meter=settings, output_dir={str(tmp_path)!r}, quiet=True)\n"
    )
    loop = (
        "with watt.measure('cell', **said) as run, run.window('train') as window:\n"
        "    while not window.step(4):\n"
        "        time.sleep(0.002)\n"
    )
    failing = loop + "    raise KeyboardInterrupt\n"
    cells = [start, loop, failing, loop + "print(run.record.status, run.record.repetition)"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.cells[2].metadata["tags"] = ["raises-exception"]
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # the kernel takes this process's environment
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    assert notebook.cells[3].outputs[0]["text"] == "finished 2\n"
