"""`watt.measure`: a training loop of the user's own under the meter, and the record it leaves.

    with watt.measure("my-net", batch_size=256) as run:
        with run.window("train") as window:
            for images, labels in loader:
                step(images, labels)
                window.step(len(images))

A whole training is measured to its end (time from left to right; each part is metered once):

    measure                                                                      end
     | set-up | window("train")  | window("test") | ("train")  | part("checkpoint") |
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from metering.settings import MeterSettings
from watt_for_what.asked import Request
from watt_for_what.devices import Device
from watt_for_what.errors import WattError
from watt_for_what.run import Run


def measure(
    name: str,
    *,
    device: Device = "auto",
    synchronize: Callable[[], None] | None = None,
    quiet: bool = False,
    **options: Any,
) -> Run:
    """Measure a loop of your own: `with watt.measure("my-net", batch_size=256) as run:`.

    batch_size: samples of one step, over all ranks.
    recipe: list of `watt.Stage` (or dicts): the full training whose electricity is estimated.
    whole: measure a training to its end, as it is; else until the rate is known well enough.
    training_id: a name that the parts of a training share that was interrupted and resumed.
    network: a `torch.nn.Module` gives parameters, class and fingerprint; gmacs=True counts GMACs.
    data, num_classes, input_size (pixels), precision, task, stage, training (a dict of what else
    changes a step), channels_last, compile: what tells this run from others, kept in its set-up.
    device: `auto` (see `watt_for_what.devices.find`), `cpu` or `cuda`.
    synchronize: waits for the device, where it is not PyTorch's CUDA.
    meter: `watt.MeterSettings`, where the stopping rule is not the default.
    has_nodes_alone: a job of SLURM has its nodes alone, so that their CPU and memory are its own.
    hardware, country (whose electricity, three letters; without it no emissions are computed),
    output_dir: as in the settings of `run.py`.
    quiet: print nothing, neither while it measures nor at the end.

    Raises `WattError`.
    """
    known = [field.name for field in dataclasses.fields(Request)]
    meter_keys = [field.name for field in dataclasses.fields(MeterSettings)]
    for key in options:
        if key in meter_keys:
            raise WattError(
                f"measure: {key}= is a key of the meter; give meter=watt.MeterSettings({key}=...)"
            )
        if key not in known:
            raise WattError(f"measure: {key}= is unknown; known: {', '.join(known[1:])}")
    return Run(Request(name, **({"batch_size": None} | options)), device, synchronize, quiet)
