"""`run.py` on a machine whose GPUs are the stand-in's: the meter reads them, and only the choice of
the device is replaced, so that tensors stay on the CPU. STAND_IN_UUID names the GPU in use."""

from __future__ import annotations

import os
import sys

import torch

from tasks.running import device

device.uses_gpu = lambda accelerator: True
device.choose = lambda accelerator, local_rank: torch.device("cpu")
device.uuid = lambda accelerator, local_rank: os.environ["STAND_IN_UUID"]
device.reset_peak_memory = lambda accelerator: None

if __name__ == "__main__":
    from run import main

    sys.exit(main())
