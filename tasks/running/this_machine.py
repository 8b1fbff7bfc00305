"""What a run finds on the machine that computes: the part of its set-up that nobody can ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from metering.boards import together
from metering.host import cpu_model, gpu_states, package_versions, usable_cpus
from metering.migrations import computes
from metering.record import Component, Sensor
from metering.sensors.nvml import Gpu, GpuError, MaskError, job_gpus
from metering.setup import Found
from tasks.plan import HardwarePlan
from tasks.running import device


def machine(hardware: HardwarePlan, step_version: int) -> Found | None:
    """What is known before anything runs, of the GPUs that this node's ranks would use; None where
    the device mask does not tell them, which the meter then refuses."""
    gpus: Sequence[Gpu] = ()
    if device.uses_gpu(hardware.accelerator):
        try:
            gpus = job_gpus(num_gpus=hardware.devices)[: hardware.devices]
        except MaskError:
            return None
    return on_this_machine(list(gpus) * hardware.nodes, hardware.nodes, {}, step_version)


def machine_without_gpu(hardware: HardwarePlan, step_version: int) -> Found | None:
    """What `machine` finds where no GPU would be used; touches no device and imports no PyTorch,
    so that whoever only supervises runs may ask. None where there is one: a run looks itself."""
    if hardware.accelerator != "cpu":
        try:
            if job_gpus():
                return None
        except (MaskError, GpuError):
            return None
    return on_this_machine([], hardware.nodes, {}, step_version)


def on_this_machine(
    gpus: Sequence[Gpu],
    num_nodes: int,
    sensors: Mapping[Component, Sensor],
    step_version: int | None,
) -> Found:
    """gpus: that are metered, on all nodes; sensors: how each component is read; step_version: of
    the task's step."""
    limits = {state["uuid"]: state["power_limit_w"] for state in (gpu_states() if gpus else ())}
    device, power_limit_w = together([(gpu.name, limits.get(gpu.uuid)) for gpu in gpus])
    return Found(
        device=device,
        num_devices=len(gpus) or None,
        power_limit_w=power_limit_w,
        mig_profile=_mig_profile() if gpus and gpus[0].mig else None,
        cpu_model=cpu_model(),
        num_cpus=usable_cpus(),
        num_nodes=num_nodes,
        versions=_versions(uses_gpu=bool(gpus)),
        step_version=step_version,
        sensors={component: sensor.how for component, sensor in sensors.items()},
    )


def _mig_profile() -> str | None:
    """`1g.5gb`, which CUDA puts behind `MIG` in the name of an instance."""
    try:
        import torch
    except ImportError:  # a loop of the user's without it
        return None
    _, _, profile = torch.cuda.get_device_name(0).partition(" MIG ")
    return profile or None


def _versions(uses_gpu: bool) -> dict[str, str]:
    versions = {name: version for name, version in package_versions() if computes(name)}
    if uses_gpu and "torch" in versions:
        import torch

        cudnn = torch.backends.cudnn.version()
        more = {"cuda": torch.version.cuda, "cudnn": None if cudnn is None else str(cudnn)}
        versions |= {name: version for name, version in more.items() if version}
    return versions
