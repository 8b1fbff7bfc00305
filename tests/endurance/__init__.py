"""What lasts: many processes, full disks, damaged files, kills, and fifty runs in a row.

Numbers that would make `make test` long are smaller there; `WATT_ENDURANCE=full` (set by
`make bench`) takes the whole ones.
"""

from __future__ import annotations

import os

FULL = os.environ.get("WATT_ENDURANCE") == "full"
TINY = (
    "model=test_resnet",
    "model.input_size=32",
    "batch_size=2",
    "data=digits",
    "data.options.full_test=false",
    "meter=fixed",
    "meter.num_steps=1",
    "meter.idle_s=0",
    "meter.block_s=0.1",
    "hardware.accelerator=cpu",
)
