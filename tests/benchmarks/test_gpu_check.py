"""`make gpu-check` on a machine without a GPU, and the name under which it keeps results."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.gpu_check import folder_name
from tests.conftest import ROOT


def test_results_are_kept_under_the_date_and_the_gpu():
    one = folder_name(["NVIDIA RTX A6000"], "2026-01-31")
    four = folder_name(["Tesla V100-SXM2-32GB"] * 4, "2026-01-31")
    assert (one, four) == ("2026-01-31-nvidia-rtx-a6000", "2026-01-31-4x-tesla-v100-sxm2-32gb")


def test_without_a_gpu_it_says_so_in_one_line():
    code = (
        "import sys; from benchmarks import gpu_check; import metering.sensors.nvml as nvml;"
        "nvml.job_gpus = lambda: (); sys.argv[1:] = []; sys.exit(gpu_check.main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: NVML shows no GPU of this job; see python -m metering.doctor\n"
