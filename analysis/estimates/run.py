"""One run's phase, as rows are merged from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from metering.setup import SetUp


@dataclass(frozen=True)
class Run:
    """One row of the tidy DataFrame, a run's phase: its values by column (`records.rows.COLUMNS`)
    and `sweep`, and its place in time. row_key, hardware_key: of its collection alone."""

    values: Mapping[str, Any]
    order: int
    is_at_recipe_size: bool
    row_key: str
    hardware_key: str

    COLUMNS: ClassVar[tuple[str, ...]] = (
        "path", "collection", "sweep", "kind", "run_id", "identity", "merge_key", "setup", "task",
        "paper_row", "dataset", "hardware", "stage", "phase", "recipe", "wall_meter", "size_px",
        "kwh_per_sample", "kwh_half_width", "s_per_sample", "s_half_width", "idle_power_w",
        "energy_kwh", "country",
        "num_samples", "gpu_kwh", "cpu_kwh", "ram_kwh", "num_nodes", "views_per_sample",
        "gpu_sensor", "cpu_sensor", "ram_sensor", "emissions_kg_co2eq", "setup_kwh",
        "checkpoint_kwh", "params_m", "gmacs", "accuracy_pct", "accuracy_half_width_pct",
        "num_accuracy_samples", "flags",
    )  # fmt: skip

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def setup(self) -> SetUp:
        setup: SetUp = self.values["setup"]
        return setup

    @property
    def collection(self) -> str:
        return str(self.values["collection"])

    @property
    def sweep(self) -> int:
        """Its number (`records.sweeps`)."""
        return int(self.values["sweep"])

    @property
    def merge_key(self) -> str:
        return str(self.values["merge_key"])

    @property
    def stage(self) -> str:
        return str(self.values["stage"])

    @property
    def phase(self) -> str:
        return str(self.values["phase"])

    @property
    def kwh_per_sample(self) -> float:
        return float(self.values["kwh_per_sample"])
