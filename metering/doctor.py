"""`python -m metering.doctor [--json]`: what can be measured on this machine, and what stands in
the way. Exit status 1 when a line is a failure."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from metering import amd, rapl
from metering.host import cpu_model, gpu_states
from metering.nvml import Gpu, MaskError, NvmlEnergy, job_gpus, mask_of
from metering.own_readers import strangers

POWER_BITS = 0x4 | 0x80  # NVML's clocks-event reasons: software power cap, hardware power brake
HEAT_BITS = 0x20 | 0x40  # software and hardware thermal slowdown


@dataclass(frozen=True)
class Line:
    """One finding. `cure` says what to do about a warning or failure."""

    topic: str
    level: Literal["ok", "warning", "failure"]
    finding: str
    cure: str = ""


def examine(environment: Mapping[str, str] | None = None, home: Path | None = None) -> list[Line]:
    """All findings on this machine."""
    environment = os.environ if environment is None else environment
    checks: list[Callable[[], Iterator[Line]]] = [
        lambda: _gpus(environment),
        _cpu,
        lambda: _codecarbon(environment, home or Path.home()),
        _clock,
    ]
    return [line for check in checks for line in check()]


def _gpus(environment: Mapping[str, str]) -> Iterator[Line]:
    every = job_gpus({})
    try:
        indices = [] if every else amd.job_gpu_indices(environment)
    except MaskError as error:
        yield Line("gpu mask", "failure", str(error), "name AMD GPUs in ROCR_VISIBLE_DEVICES alone")
        return
    if indices:
        named = ", ".join(map(str, indices))
        yield Line("gpu", "ok", f"the job's AMD GPUs: {named}; CodeCarbon alone reads them")
        return
    if not every:
        yield Line(
            "gpu",
            "warning",
            "neither NVML nor AMD SMI shows a GPU; GPU energy will be absent",
            "install the NVIDIA driver if this machine has one; else use hardware.accelerator=cpu",
        )
        return
    try:
        gpus = job_gpus(environment)
    except MaskError as error:
        yield Line("gpu mask", "failure", str(error), "export CUDA_DEVICE_ORDER=PCI_BUS_ID")
        return
    mask = mask_of(environment, len(every))
    written = "=".join(mask) if mask else "no mask"
    if not gpus:
        yield Line(
            "gpu mask",
            "failure",
            f"{written} names none of the {len(every)} GPUs",
            "unset it or name GPUs by index or UUID",
        )
        return
    named = ", ".join(str(gpu.index) for gpu in gpus)
    yield Line("gpu mask", "ok", f"the job's GPUs: {named} of {len(every)} ({written})")
    if mask and mask[0] != "CUDA_VISIBLE_DEVICES" and gpus != every[: len(gpus)]:
        yield Line(
            "gpu mask",
            "failure",
            "CUDA_VISIBLE_DEVICES is unset: CUDA computes on the first of all GPUs, "
            f"not on {written}",
            f"export CUDA_VISIBLE_DEVICES=${mask[0]}",
        )
    try:
        job_gpus(environment, num_gpus=1)
    except MaskError as error:
        yield Line("gpu mask", "warning", str(error), "export CUDA_DEVICE_ORDER=PCI_BUS_ID")
    states = {state["uuid"]: state for state in gpu_states()}
    for gpu in gpus:
        yield from _gpu(gpu, states[gpu.uuid])


def _gpu(gpu: Gpu, state: dict[str, Any]) -> Iterator[Line]:
    topic = f"gpu {gpu.index}"
    yield Line(
        topic,
        "ok",
        f"{gpu.name}, driver {state['driver']}, power limit {state['power_limit_w']} W, SM clock "
        f"{state['sm_clock_mhz']} MHz, memory clock {state['memory_clock_mhz']} MHz, "
        f"{state['temperature_c']} C",
    )
    if gpu.energy_counter:
        yield Line(topic, "ok", "energy counter readable")
    else:
        yield Line(
            topic, "warning", "no energy counter; power is sampled and integrated",
            "use a GPU of the Volta generation or newer, or update the driver",
        )  # fmt: skip
    if gpu.mig:
        yield Line(
            topic, "warning", "a MIG instance is metered as its whole GPU",
            "keep the GPU's other instances idle, or switch MIG off",
        )  # fmt: skip
    reasons = state["throttle_reasons"] or 0
    if reasons & HEAT_BITS:
        yield Line(
            topic, "warning", "clocks are lowered by heat", "let the GPU cool, check its fans"
        )
    if reasons & POWER_BITS:
        yield Line(
            topic, "warning", "clocks are lowered by the power limit",
            "see nvidia-smi -q -d POWER; record the limit with the result",
        )  # fmt: skip
    reader = NvmlEnergy([gpu])
    others = strangers(reader.computing_pids(), [os.getpid()])
    reader.close()
    if others:
        yield Line(
            topic, "warning", f"other processes compute on it: {others}",
            "wait for them, or ask the scheduler for the GPU alone",
        )  # fmt: skip


def _cpu() -> Iterator[Line]:
    domains = rapl.readable_domains()
    if domains:
        names = ", ".join(domain.name for domain in domains)
        yield Line("cpu", "ok", f"{cpu_model()}: RAPL readable ({names})")
        if all(domain.name != "dram" for domain in domains):
            yield Line("ram", "warning", "no DRAM domain; memory energy is modelled", _LABEL)
    elif rapl.present():
        yield Line(
            "cpu", "warning", f"{cpu_model()}: RAPL is there but not readable; energy is modelled",
            f"sudo chmod -R a+r {rapl.POWERCAP}/intel-rapl:*/energy_uj",
        )  # fmt: skip
    else:
        yield Line("cpu", "warning", f"{cpu_model()}: no RAPL; energy is modelled", _LABEL)
        yield Line("ram", "warning", "no counter of memory energy; it is modelled", _LABEL)


_LABEL = "nothing to do; records tag the reading as modelled"


def _codecarbon(environment: Mapping[str, str], home: Path) -> Iterator[Line]:
    stray = sorted(name for name in environment if name.startswith("CODECARBON_"))
    files = [path for path in (home, Path.cwd()) if (path / ".codecarbon.config").is_file()]
    stray += [str(path / ".codecarbon.config") for path in dict.fromkeys(files)]
    if stray:
        yield Line(
            "codecarbon", "warning", f"configuration that this suite overrides: {', '.join(stray)}",
            "remove it, so that other tools agree with this suite",
        )  # fmt: skip
    else:
        yield Line("codecarbon", "ok", "no stray configuration")


def _clock() -> Iterator[Line]:
    """The wall clock must keep pace with the monotonic one, or timestamps and durations part."""
    wall_s, steady_s = time.time(), time.monotonic()
    while time.monotonic() - steady_s < 0.2:
        time.sleep(0.02)
    skew = abs((time.time() - wall_s) / (time.monotonic() - steady_s) - 1)
    if skew > 0.01:
        yield Line(
            "clock", "warning", f"the wall clock runs {100 * skew:.1f} % off the steady clock",
            "check the time service (chrony, systemd-timesyncd)",
        )  # fmt: skip
    else:
        yield Line("clock", "ok", "the wall clock keeps pace with the steady clock")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m metering.doctor", description=__doc__)
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    options = parser.parse_args(arguments)
    lines = examine()
    if options.json:
        print(json.dumps([dataclasses.asdict(line) for line in lines], indent=1))
    else:
        for line in lines:
            print(f"{line.level:8} {line.topic}: {line.finding}")
            if line.cure:
                print(f"{'':8} -> {line.cure}")
    return int(any(line.level == "failure" for line in lines))


if __name__ == "__main__":
    raise SystemExit(main())
