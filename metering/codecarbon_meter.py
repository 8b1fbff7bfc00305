"""CodeCarbon, with every setting passed explicitly, as a reader of blocks."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Any

from metering.deferred_signals import deferred_signals
from metering.record import Component, Energy, Sensor

PERIOD_S = 1.0


class CodeCarbonMeter:
    """Energy of blocks by component through CodeCarbon's `start_task` and `stop_task`.

    Nothing is left to `~/.codecarbon.config` or `CODECARBON_*` variables, which CodeCarbon
    reads for every argument that is not given. Offline; its CSV goes into `folder`.
    """

    def __init__(self, folder: Path, gpu_indices: list[int], country_iso_code: str) -> None:
        from codecarbon import OfflineEmissionsTracker
        from codecarbon.output_methods.base_output import OutputMethod

        _keep_off_the_terminal()
        self._country = country_iso_code
        self._has_gpu = bool(gpu_indices)
        self._tracker = OfflineEmissionsTracker(
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
        _keep_off_the_terminal()
        self._num_blocks = 0
        self.emissions_kg_co2eq = 0.0
        self.begin()  # detects the hardware, which takes seconds, outside of every window
        self.end()

    def begin(self) -> None:
        self._num_blocks += 1
        with deferred_signals():
            self._tracker.start_task(f"block-{self._num_blocks}")

    def end(self) -> Energy:
        """Energy since `begin`. Absent components are None."""
        with deferred_signals():
            data = self._tracker.stop_task()
        self.emissions_kg_co2eq = data.emissions
        sensors = self.sensors()

        def read(component: Component, kwh: float) -> float | None:
            return None if sensors[component].how == "absent" else kwh

        return Energy(
            gpu_kwh=read("gpu", data.gpu_energy),
            cpu_kwh=read("cpu", data.cpu_energy),
            ram_kwh=read("ram", data.ram_energy),
        )

    def sensors(self) -> dict[Component, Sensor]:
        """How CodeCarbon reads each component on this machine."""
        found: dict[Component, Sensor] = {
            "gpu": Sensor("absent"),
            "cpu": Sensor("absent"),
            "ram": Sensor("absent"),
        }
        for hardware in self._tracker._hardware:
            kind = type(hardware).__name__
            if kind == "GPU" and self._has_gpu:
                found["gpu"] = _gpu_sensor(hardware)
            elif kind in ("CPU", "AppleSiliconChip"):
                found["cpu"] = _cpu_sensor(hardware)
            elif kind == "RAM":
                found["ram"] = Sensor("modelled", "CodeCarbon's RAM model")
        return found

    def emission_factor(self) -> dict[str, Any]:
        """See `emission_factor`; of this tracker's country."""
        return emission_factor(self._country)

    def stop(self) -> None:
        """Write the CSV and stop CodeCarbon's threads."""
        # CodeCarbon writes its CSV here: a full disk must not hide the error that filled it
        with suppress(OSError), deferred_signals():
            self._tracker.stop()


def _gpu_sensor(hardware: Any) -> Sensor:
    """CodeCarbon samples the power of a device whose counter it cannot read."""
    devices = hardware.devices.devices
    library = "AMD SMI" if any("AMD" in type(one).__name__ for one in devices) else "NVML"
    sampled = any(getattr(one, "_use_power_fallback", False) for one in devices)
    return Sensor("power" if sampled else "counter", f"{library} through CodeCarbon")


def emission_factor(country_iso_code: str) -> dict[str, Any]:
    """The country's factor, kg CO2eq per kWh, and the year of the data it comes from."""
    path = resources.files("codecarbon").joinpath("data/private_infra/global_energy_mix.json")
    mix = json.loads(path.read_text(encoding="utf-8")).get(country_iso_code, {})
    grams = mix.get("carbon_intensity")
    return {
        "country_iso_code": country_iso_code,
        "kg_co2eq_per_kwh": None if grams is None else grams / 1000,
        "year": mix.get("year"),
        "source": "CodeCarbon, global_energy_mix.json",
    }


def _cpu_sensor(hardware: Any) -> Sensor:
    mode = getattr(hardware, "_mode", "constant")
    if "rapl" in mode:
        return Sensor("rapl", "RAPL through CodeCarbon")
    if mode == "intel_power_gadget":
        return Sensor("power", "Intel Power Gadget through CodeCarbon")
    words = "TDP x load" if mode == "cpu_load" else "a constant share of the TDP"
    return Sensor("modelled", f"CodeCarbon: {words}")


def _keep_off_the_terminal() -> None:
    """Let CodeCarbon's log go the way of all logs (the run's file), not to its own handler."""
    logger = logging.getLogger("codecarbon")
    logger.handlers.clear()
    logger.addHandler(logging.NullHandler())
    logger.propagate = True
