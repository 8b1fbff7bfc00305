"""How CodeCarbon read each part, as far as a log's version and its numbers tell."""

from __future__ import annotations

from analysis.records.codecarbon.quantities import Logged
from metering.record import Component, Sensor

CPU_NOTE = "a CodeCarbon log does not say whether RAPL was read or TDP x load taken"


def sensors_of(logged: Logged) -> dict[Component, Sensor]:
    """Absent where the log has no energy of a part; empty where it has a total alone, which does
    not say what was read. From version 2 on CodeCarbon reads a GPU's energy counter, before it
    integrated its power."""
    if not logged.has_parts:
        return {}
    name = f"CodeCarbon {logged.version}".strip()
    gpu = cpu = ram = Sensor("absent")
    if logged.gpu_kwh is not None:
        gpu = Sensor("power" if logged.version.startswith(("0.", "1.")) else "counter", name)
    if logged.cpu_kwh is not None:
        cpu = Sensor("modelled", name, CPU_NOTE)
    if logged.ram_kwh is not None:
        ram = Sensor("modelled", f"{name}, RAM model")
    return {"gpu": gpu, "cpu": cpu, "ram": ram}
