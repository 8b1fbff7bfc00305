"""What a wall meter would have shown: sensor kWh corrected by a hardware profile's calibration."""

from __future__ import annotations

from typing import Any

from analysis.records.calibration import Calibration


def columns(
    calibration: Calibration | None,
    rate: Any,
    num_nodes: float,
    estimate_kwh: float | None = None,
    estimate_half_width: float | None = None,
    published_kwh: float = 0.0,
) -> dict[str, float | None]:
    """The table's wall columns from a training rate (`merge.MeasuredRate`, the sum over
    `num_nodes` machines) and the estimate; empty without a calibration or a pace. The estimate's
    hours follow from the rate's power. `published_kwh` of the estimate, which another meter read,
    stay as they are."""
    if calibration is None or rate is None or not rate.s_per_sample:
        return {}
    per_sample, _ = calibration.wall_kwh(rate.kwh_per_sample, None, rate.s_per_sample, num_nodes)
    values: dict[str, float | None] = {"measured_train_wall_kwh_per_sample": per_sample}
    if estimate_kwh is not None:
        measured_kwh = estimate_kwh - published_kwh
        duration_s = measured_kwh / rate.kwh_per_sample * rate.s_per_sample
        wall, half_width = calibration.wall_kwh(
            measured_kwh, estimate_half_width, duration_s, num_nodes
        )
        values["estimated_train_wall_kwh"] = wall + published_kwh
        values["estimated_train_wall_kwh_half_width"] = half_width
    return values
