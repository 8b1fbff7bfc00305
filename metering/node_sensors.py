"""What every rank has to know of the sensors of all nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metering.node_reader import NodeReader
from metering.record import Component, Sensor
from metering.sensors.nvml import Gpu

TRUST = {"counter": 0, "rapl": 1, "power": 2, "modelled": 3, "absent": 4}


@dataclass(frozen=True)
class NodeSensors:
    """One node's. period_s: how often its GPUs' counters move; latency_s: how long reading them
    takes; task_cost_s: the same of a task of CodeCarbon."""

    gpus: Sequence[Gpu]
    period_s: float
    latency_s: float
    task_cost_s: float
    counts_gpus: bool
    sensors: Mapping[Component, Sensor]

    @classmethod
    def of(cls, gpus: Sequence[Gpu], reader: NodeReader) -> NodeSensors:
        return cls(
            gpus=gpus,
            period_s=reader.period_s,
            latency_s=reader.latency_s,
            task_cost_s=reader.task_cost_s,
            counts_gpus=reader.counts_gpus,
            sensors=reader.sensors(),
        )


def sensors_of(nodes: Sequence[NodeSensors]) -> dict[Component, Sensor]:
    """By component; of several nodes the least trustworthy counts."""
    if not nodes:
        return {}
    return {
        name: max((node.sensors[name] for node in nodes), key=lambda sensor: TRUST[sensor.how])
        for name in nodes[0].sensors
    }


def mismatch(used: Sequence[str | None], metered: Sequence[Gpu]) -> str | None:
    """Why the GPUs in use are not those that are metered; None where they are."""
    known = {uuid.removeprefix("GPU-") for uuid in used if uuid is not None}
    if not known or not metered or any(gpu.mig for gpu in metered):
        return None
    read = {gpu.uuid.removeprefix("GPU-"): gpu for gpu in metered}
    if known == read.keys():
        return None
    names = ", ".join(f"{gpu.name} {gpu.uuid}" for gpu in metered)
    return (
        f"the run computes on GPU {', '.join(sorted(known))}, but the meter reads {names}; "
        "set CUDA_DEVICE_ORDER=PCI_BUS_ID, or CUDA_VISIBLE_DEVICES to UUIDs (nvidia-smi -L)"
    )
