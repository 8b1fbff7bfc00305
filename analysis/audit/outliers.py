"""Rows of Table 3 that cost much more or less than their neighbours in most sets."""

from __future__ import annotations

import pandas as pd

from analysis.audit.finding import Finding
from analysis.audit.numbers import MISSIZED, kwh_per_epoch
from analysis.independent.crosscheck import LOW, cross_check, published_estimates
from analysis.independent.sets import all_sets, energy_sets
from analysis.published.counts import share_at_224_px

_FORMULA = (
    "r = printed / independent; shown: r over the median r of the set's networks (one row a "
    "network; train: kWh per implied epoch of rows trained with the supervised step alone)"
)
_SAME_FORMULA = "r, as of EfficientNet-B0"
SHOWN = 1.25
"""A row that costs less than so many times its neighbours' ratio does not stand out there."""
_SOURCES = ("imagenet-energy-efficiency", "ai-energy-validation", "strep", "timm-benchmark")


def findings(energy: pd.DataFrame) -> list[Finding]:
    """`energy`: as `independent.facts.energy()` gives it, with or without a user's rows."""
    check = cross_check(_estimates(), all_sets(energy))
    others = (_missized, _resnet18, _mobilenets, _swinging)
    return [_b0(check, _with_idle_row(energy)), *(finding(check) for finding in others)]


def _estimates() -> pd.DataFrame:
    """The paper's numbers, less training rows whose long stage is not the supervised step."""
    estimates = published_estimates()
    supervised = kwh_per_epoch(with_pretraining=False).index
    return estimates[(estimates["phase"] == "test") | estimates["model"].isin(supervised)]


def _of(
    check: pd.DataFrame, model: str, phase: str, quantity: str, on_gpu: bool = True
) -> pd.Series:
    """Normalised ratios of a row by set."""
    of = check[(check["model"] == model) & (check["phase"] == phase)]
    of = of[of["quantity"] == quantity]
    is_cpu = of["hardware"].str.startswith("CPU")
    of = of[~is_cpu] if on_gpu else of[is_cpu]
    return of.set_index("set")["normalised"]


def _words(values: pd.Series) -> str:
    """`2.35 to 3.51 (5 sets)`, or that nobody measured it."""
    if values.empty:
        return "not measured"
    if len(values) == 1:
        return f"{values.iloc[0]:.2f} (1 set)"
    return f"{values.min():.2f} to {values.max():.2f} ({len(values)} sets)"


def _numbers(check: pd.DataFrame, *models: str) -> dict[str, float]:
    rows = check[check["model"].isin(models)]
    return {
        f"{row['model']}, {row['phase']}, {row['set']}": row["normalised"]
        for row in rows.to_dict("records")
    }


def _detail(check: pd.DataFrame, *models: str) -> str:
    """One line a set, r of each row in a column."""
    of_models = check[check["model"].isin(models)]
    lines = [
        f"| Phase | Set | n | {' | '.join(map(_name, models))} |",
        "|---" * (3 + len(models)) + "|",
    ]
    for (phase, name), rows in of_models.groupby(["phase", "set"], sort=False):
        r = rows.set_index("model")["normalised"]
        cells = [f"{r[model]:.2f}" if model in r.index else "-" for model in models]
        lines.append(f"| {phase} | {name} | {rows['num_common'].iloc[0]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _with_idle_row(energy: pd.DataFrame) -> float:
    """B0's normalised ratio in the one set that has a row near idle power, with that row."""
    whole = cross_check(_estimates(), energy_sets(energy[energy["file"] == ""]))
    of = whole[(whole["model"] == "EfficientNet B0") & whole["set"].str.contains("A100.*PyTorch")]
    return float(of[of["phase"] == "train"]["normalised"].iloc[0])


def _b0(check: pd.DataFrame, with_idle_row: float) -> Finding:
    row = "EfficientNet B0"
    time, energy = _of(check, row, "test", "time"), _of(check, row, "test", "energy")
    train = _of(check, row, "train", "energy")
    return Finding(
        "EfficientNet-B0",
        f"Printed high in testing: {_words(time)} x its neighbours' ratio to time, "
        f"{_words(energy)} to energy. In training {_words(_of(check, row, 'train', 'time'))} to "
        f"time and {_words(train)} to energy: {_not_shown_in(train)}.",
        "high in testing; likely in training",
        f"CPU sets {_words(_of(check, row, 'test', 'time', on_gpu=False))}. The four test sets of "
        "ai-energy-validation are one machine and two batch sizes. RTX 5000 PyTorch training of B0 "
        "diverged (chance accuracy), its power may be low. With its row near idle power, which is "
        f"left out, the A100 PyTorch set gives {with_idle_row:.2f}.",
        _FORMULA,
        _SOURCES,
        "`python run.py -m model=efficientnet_b0,efficientnet_b3,resnet50 hardware=a6000 "
        "batch_size=32`",
        _detail(check, row),
        _numbers(check, row) | {"with the idle row": with_idle_row},
    )


def _not_shown_in(values: pd.Series) -> str:
    """Which sets have the row near its neighbours."""
    near = [str(name) for name in values.index[values < SHOWN]]
    if not near:
        return "all of them show it"
    many = "one energy set" if len(near) == 1 else f"{len(near)} energy sets"
    return f"{many} ({'; '.join(near)}) {'does' if len(near) == 1 else 'do'} not show it"


def _missized(check: pd.DataFrame) -> Finding:
    def all_of(phase: str, quantity: str) -> str:
        return "; ".join(
            f"{_name(model)} {_words(values)}"
            for model in MISSIZED
            if len(values := _of(check, model, phase, quantity))
        )

    of_s = _of(check, MISSIZED[1], "test", "energy")
    not_s = ", so S is not beyond there" if of_s.min() > LOW else ""
    shares = {model: share_at_224_px(model) for model in MISSIZED}
    at_224 = ", ".join(f"{share:.2f} ({_name(model)})" for model, share in shares.items())
    return Finding(
        "EfficientNet-B7 and EfficientNetv2",
        f"Test kWh as if run at 224 pixels, not at the 600, 384 and 480 that go with the printed "
        f"GMACs. To time: {all_of('test', 'time')}. To energy: {all_of('test', 'energy')}{not_s}. "
        f"GMACs at 224 px over printed size: {at_224}. "
        f"B7's training too: {_words(_of(check, MISSIZED[0], 'train', 'time'))}.",
        "high for B7, M and L that the energy is not of the printed size, likely for S; likely "
        "that it is of 224 px",
        "The energy sets are two machines, and of M and L one. Nobody measured EfficientNetv2's "
        "training at our size. A smaller image also changes how well a GPU is filled, so ratio and "
        "GMAC share need not agree.",
        f"{_SAME_FORMULA}; GMACs counted with timm (`python -m benchmarks.network_counts`)",
        _SOURCES,
        "`python run.py -m model=efficientnet_b7 model.input_size=224,600 batch_size=32 "
        "hardware=a6000` (and efficientnetv2_m at 224,480)",
        _detail(check, *MISSIZED),
        _numbers(check, *MISSIZED) | shares,
    )


def _name(model: str) -> str:
    shorter = {"EfficientNet B": "B", "EfficientNetv2 ": "V2-", "EfficientFormer-v2-": "v2-"}
    for long, short in shorter.items():
        model = model.replace(long, short)
    return model


def _resnet18(check: pd.DataFrame) -> Finding:
    row, deit = "ResNet18", "DeIT-S-300Ep"
    return Finding(
        "ResNet18, DeiT-S",
        f"High, and expected to be: ResNet18 {_words(_of(check, row, 'test', 'time'))} in testing, "
        f"{_words(_of(check, row, 'train', 'time'))} in training at 60 epochs; DeiT-S "
        f"{_words(_of(check, deit, 'test', 'time'))} in testing. At thousands of images a second "
        "a real loader may be the limit and not the network.",
        "open: the loader would explain it, and no energy was measured",
        "Throughput alone, on synthetic tensors without a loader.",
        _SAME_FORMULA,
        ("timm-benchmark",),
        "`python run.py -m model=resnet18 data=tensors,synthetic hardware=a6000`",
        _detail(check, row, deit),
        _numbers(check, row, deit),
    )


def _mobilenets(check: pd.DataFrame) -> Finding:
    v2, v3 = "MobileNetv2", "MobileNet v3"
    return Finding(
        "MobileNets",
        f"Low: v2 {_words(_of(check, v2, 'test', 'time'))} to time in testing, "
        f"{_words(_of(check, v2, 'test', 'energy'))} to energy; in training v2 "
        f"{_words(_of(check, v2, 'train', 'energy'))}, v3 "
        f"{_words(_of(check, v3, 'train', 'energy'))} to energy. In training fewer epochs than "
        "150 and 500 would explain it (see the epochs below); in testing nothing here does.",
        "likely",
        "The implied epochs of both are the weakest of all. A small network is bound by its loader "
        "and host more than others, which moves the ratio with the machine.",
        _SAME_FORMULA,
        _SOURCES,
        "`python run.py -m model=mobilenet_v2,mobilenet_v3 hardware=a6000 batch_size=32`",
        _detail(check, v2, v3),
        _numbers(check, v2, v3),
    )


def _swinging(check: pd.DataFrame) -> Finding:
    rows = ("EfficientFormer-v2-s0", "EfficientFormer-v2-s2", "EfficientFormer-v2-l")
    values = pd.concat([_of(check, row, "test", "time") for row in rows])
    return Finding(
        "EfficientFormer-v2",
        f"No verdict: {values.min():.2f} eager to {values.max():.2f} compiled, {len(rows)} "
        "networks on the same boards.",
        "open",
        "Throughput alone; the software decides more than the network.",
        _SAME_FORMULA,
        ("timm-benchmark",),
        "`python run.py -m model=efficientformerv2_s0,efficientformerv2_s2 compile=false,true "
        "hardware=a6000`",
        _detail(check, *rows),
        _numbers(check, *rows),
    )
