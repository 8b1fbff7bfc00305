"""CodeCarbon, with every setting passed explicitly, as a reader of tasks."""

from __future__ import annotations

import logging
import math
from contextlib import suppress
from pathlib import Path
from typing import Any

from metering.block import Difference
from metering.deferred_signals import deferred_signals
from metering.record import Component, Energy, Sensor
from metering.sensors.codecarbon_patches import set_up

PERIOD_S = 1.0


class CodeCarbonMeter:
    """Energy of tasks by component through CodeCarbon's `start_task` and `stop_task`.

    Every setting is passed explicitly. Offline; its CSV goes into `folder`. gpu_indices: the job's
    boards, NVIDIA's in NVML's order (`nvidia`) or AMD's in AMD SMI's. country_iso_code: for the
    emissions in that CSV, which nothing here reads; None leaves it without a country.
    """

    def __init__(
        self,
        folder: Path,
        gpu_indices: list[int],
        country_iso_code: str | None,
        *,
        nvidia: bool = False,
    ) -> None:
        _keep_off_the_terminal()
        self._has_gpu = bool(gpu_indices)
        self._num_tasks = 0
        with set_up(gpu_indices if nvidia else None):
            self._tracker = self._tracker_of(folder, gpu_indices, country_iso_code)
            _keep_off_the_terminal()
            self.begin()  # detects the hardware, which takes seconds, outside of every window
            self.end()

    def _tracker_of(
        self, folder: Path, gpu_indices: list[int], country_iso_code: str | None
    ) -> Any:
        from codecarbon import OfflineEmissionsTracker
        from codecarbon.output_methods.base_output import OutputMethod

        return OfflineEmissionsTracker(
            project_name="watt-for-what",
            measure_power_secs=PERIOD_S,
            api_call_interval=-1,
            api_endpoint="",
            api_key="",
            output_dir=str(folder),
            output_file="emissions.csv",
            output_methods=[OutputMethod.CSV],
            logging_logger=None,
            prometheus_url="",
            output_handlers=[],
            gpu_ids=gpu_indices,
            emissions_endpoint=None,
            experiment_id="",
            experiment_name="",
            electricitymaps_api_token="",
            tracking_mode="machine",
            log_level="error",
            on_csv_write="append",
            logger_preamble="",
            force_cpu_power=None,
            force_ram_power=None,
            pue=1.0,
            wue=0,
            force_carbon_intensity_g_co2e_kwh=None,
            force_mode_cpu_load=False,
            allow_multiple_runs=True,
            rapl_include_dram=False,
            rapl_prefer_psys=False,
            metadata=None,
            country_iso_code=country_iso_code,
            region=None,
            cloud_provider=None,
            cloud_region=None,
            country_2letter_iso_code=None,
        )

    def begin(self) -> None:
        self._num_tasks += 1
        with deferred_signals():
            self._tracker.start_task(f"task-{self._num_tasks}")

    def end(self) -> Difference:
        """Energy since `begin`. Absent components are None, and so is one that is no energy: then
        the fault says so."""
        with deferred_signals():
            data = self._tracker.stop_task()
        sensors = self.sensors()
        fault = ""

        def read(component: Component, kwh: float) -> float | None:
            nonlocal fault
            if sensors[component].how == "absent":
                return None
            if math.isfinite(kwh) and kwh >= 0:
                return kwh
            fault = f"CodeCarbon gave {kwh} kWh for the {component.upper()}"
            return None

        energy = Energy(
            gpu_kwh=read("gpu", data.gpu_energy),
            cpu_kwh=read("cpu", data.cpu_energy),
            ram_kwh=read("ram", data.ram_energy),
        )
        return Difference(energy, fault)

    def sensors(self) -> dict[Component, Sensor]:
        """How CodeCarbon reads each component on this machine."""
        sensors: dict[Component, Sensor] = {
            "gpu": Sensor("absent"),
            "cpu": Sensor("absent"),
            "ram": Sensor("absent"),
        }
        for hardware in self._tracker._hardware:
            kind = type(hardware).__name__
            if kind == "GPU" and self._has_gpu:
                sensors["gpu"] = _gpu_sensor(hardware)
            elif kind == "CPU":
                sensors["cpu"] = _cpu_sensor(hardware)
            elif kind == "RAM":
                sensors["ram"] = Sensor("modelled", "CodeCarbon's RAM model")
        return sensors

    def stop(self) -> None:
        """Write the CSV and stop CodeCarbon's threads."""
        # CodeCarbon writes its CSV here: a full disk must not hide the error that filled it
        with suppress(OSError), deferred_signals():
            self._tracker.stop()


def _gpu_sensor(hardware: Any) -> Sensor:
    """CodeCarbon samples the power of a device whose counter it cannot read."""
    devices = hardware.devices.devices
    library = "AMD SMI" if any("AMD" in type(device).__name__ for device in devices) else "NVML"
    sampled = any(getattr(device, "_use_power_fallback", False) for device in devices)
    return Sensor("power" if sampled else "counter", f"{library} through CodeCarbon")


def _cpu_sensor(hardware: Any) -> Sensor:
    mode = getattr(hardware, "_mode", "constant")
    if "rapl" in mode:
        return Sensor("rapl", "RAPL through CodeCarbon")
    words = "TDP x load" if mode == "cpu_load" else "a constant share of the TDP"
    return Sensor("modelled", f"CodeCarbon: {words}")


def _keep_off_the_terminal() -> None:
    """Let CodeCarbon's log go the way of all logs (the run's file), not to its own handler."""
    logger = logging.getLogger("codecarbon")
    logger.handlers.clear()
    logger.addHandler(logging.NullHandler())
    logger.propagate = True
