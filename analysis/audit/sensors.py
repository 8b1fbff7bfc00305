"""What power sensors miss: the board's own error, and the rest of the machine."""

from __future__ import annotations

import math

import pandas as pd
from scipy import stats

from analysis.audit.finding import Finding
from analysis.audit.numbers import span
from analysis.independent import facts
from analysis.records.confidence import Z_95

TYPICAL_W = 350.0
"""A busy desktop at the wall."""
AMPERE_AND_ADA = ("RTX 3090", "RTX 3070", "A100", "A5000", "RTX 4090")


def findings() -> list[Finding]:
    return [_boards(), _wall()]


def board_errors() -> pd.Series:
    """Error of the sensor of each Ampere and Ada board under its newest driver, %, by board."""
    frame = facts.sensor_gain()
    frame = frame[frame["board"].str.contains("|".join(AMPERE_AND_ADA))]
    newest = frame.sort_values("driver", ascending=False).drop_duplicates("board_uuid")
    return newest.set_index("board_uuid")["energy_error_pct"]


def next_board(errors: pd.Series, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of one board more: mean +- t x SD x sqrt(1 + 1/n), %."""
    n = len(errors)
    width = stats.t.ppf((1 + confidence) / 2, n - 1) * errors.std() * math.sqrt(1 + 1 / n)
    return float(errors.mean() - width), float(errors.mean() + width)


def _boards() -> Finding:
    errors = board_errors()
    frame = facts.sensor_gain()
    of_3090 = frame[frame["board"].str.contains("RTX 3090")].drop_duplicates("board_uuid")
    of_3090 = errors[of_3090["board_uuid"]]
    low, high = next_board(errors)
    by_driver = frame.groupby("board_uuid")["energy_error_pct"].agg(lambda x: x.max() - x.min())
    apart = by_driver[errors.index].max()
    two = frame[frame["board_uuid"] == by_driver[errors.index].idxmax()]["energy_error_pct"]
    scatter = frame[frame["board_uuid"].isin(errors.index)].set_index("board")
    scatter = scatter["energy_error_sd_pct"].dropna()
    is_a100 = scatter.index.str.contains("A100")
    return Finding(
        "Sensors of Ampere and Ada boards",
        f"All {len(errors)} read too little: {errors.min():.1f} to {errors.max():.1f} %, mean "
        f"{errors.mean():.1f}, SD {errors.std():.1f}; a tenth board lies at {low:.1f} to "
        f"{high:.1f} % (95 %). Two drivers on one board differ by up to {apart:.1f} "
        f"points ({two.min():.2f} and {two.max():.2f} %).",
        "high for these boards; no A6000, V100 or H100 is among them",
        f"{len(of_3090)} of {len(errors)} boards are RTX 3090 ({of_3090.min():.2f} to "
        f"{of_3090.max():.2f} %), so the interval of a tenth board is mostly theirs. "
        f"Runs on one board scatter by SD {span(scatter[~is_a100], 1)} points, on the A100 by "
        f"{span(scatter[is_a100], 1)}. Error of power.draw under square-wave loads; NVML's energy "
        "counter, which this suite reads, was not tested there. One error per board, the same in "
        "every run on it: it enters absolute kWh once and no ratio of runs on one board.",
        "error = (reading - probe) / probe, newest driver a board; mean +- t(0.975, n-1) x SD x "
        "sqrt(1 + 1/n)",
        ("gpu-power-benchmark",),
        "a probe on slot and power cables of an A6000, beside `python -m benchmarks.gpu_check`",
        numbers={
            "n": len(errors),
            "mean": errors.mean(),
            "sd": errors.std(),
            "low": low,
            "high": high,
            "least": errors.min(),
            "most": errors.max(),
            "drivers": apart,
            "SD, least": scatter[~is_a100].min(),
            "SD, most": scatter[~is_a100].max(),
            "SD of the A100, least": scatter[is_a100].min(),
            "SD of the A100, most": scatter[is_a100].max(),
        },
    )


def _wall() -> Finding:
    fits = facts.wall_meter()
    loads = {
        "GPU, image classification": "images on the GPU",
        "GPU, language model": "language on the GPU",
        "CPU, image classification": "images on the CPU",
    }
    sentences: list[str] = []
    numbers: dict[str, float] = {}
    for key, words in loads.items():
        device, load = key.split(", ")
        of = fits[(fits["device"] == device) & (fits["load"] == load)]
        one, each = of[of["session"] == "all"].iloc[0], of[of["session"] != "all"]
        sentences.append(
            f"{-one['sensor_minus_wall_pct_mean']:.0f} % on {words} (single runs "
            f"{-one['sensor_minus_wall_pct_max']:.0f} to "
            f"{-one['sensor_minus_wall_pct_min']:.0f}; wall = "
            f"{each['factor'].min():.2f} to {each['factor'].max():.2f} x sensor + "
            f"{each['offset_w'].min():.0f} to {each['offset_w'].max():.0f} W)"
        )
        numbers |= {
            f"{key}, missed": -one["sensor_minus_wall_pct_mean"],
            f"{key}, missed least": -one["sensor_minus_wall_pct_max"],
            f"{key}, missed most": -one["sensor_minus_wall_pct_min"],
            f"{key}, least factor": each["factor"].min(),
            f"{key}, most factor": each["factor"].max(),
        }
    every = fits[(fits["session"] == "all") & (fits["load"] != "all")]
    language = fits[fits["load"] == "language model"]["scatter_sd_w"]
    widths = [100 * Z_95 * watt / TYPICAL_W for watt in (language.min(), language.max())]
    return Finding(
        "Sensors and the wall",
        f"A sensor total lies under the wall by {'; '.join(sentences)}.",
        "high for this desktop; another machine has its own factor",
        f"One desktop (i9-13900K, RTX 4090), {every['n'].sum()} runs. The fit holds the error of "
        "CodeCarbon's RAM and CPU figures too. The meter's step is 3600 J: 12 W of a two-minute "
        f"run. Fifteen-minute runs scatter by SD {language.min():.0f} to {language.max():.0f} W: "
        f"as a 95 % half-width {widths[0]:.0f} to {widths[1]:.0f} % of {TYPICAL_W:.0f} W.",
        "least squares on power, a run a point",
        ("ai-energy-validation",),
        "a meter at the plug, two or more loads: `wall_meter` of a hardware profile",
        numbers=numbers | {"half-width, least": widths[0], "half-width, most": widths[1]},
    )
