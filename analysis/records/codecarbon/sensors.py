"""How CodeCarbon read each part, as far as a log's version and its numbers tell."""

from __future__ import annotations

from analysis.records.codecarbon.quantities import Logged
from metering.record import Component, Sensor

CPU_NOTE = "a CodeCarbon log does not say whether RAPL was read or TDP x load taken"


def sensors_of(one: Logged) -> dict[Component, Sensor]:
    """Absent where the log has no energy of a part; empty where it has a total alone, which does
    not say what was read. From version 2 on CodeCarbon reads a GPU's energy counter, before it
    integrated its power."""
    if not one.has_parts:
        return {}
    name = f"CodeCarbon {one.version}".strip()
    gpu = cpu = ram = Sensor("absent")
    if one.gpu_kwh is not None:
        gpu = Sensor("power" if one.version.startswith(("0.", "1.")) else "counter", name)
    if one.cpu_kwh is not None:
        cpu = Sensor("modelled", name, CPU_NOTE)
    if one.ram_kwh is not None:
        ram = Sensor("modelled", f"{name}, RAM model")
    return {"gpu": gpu, "cpu": cpu, "ram": ram}
