"""How many epochs fit the printed totals, by the energy of an epoch that others measured."""

from __future__ import annotations

import pandas as pd

from analysis.audit.finding import Finding
from analysis.audit.numbers import (
    IMAGES,
    J_PER_KWH,
    RTX3090_W,
    printed,
    rtx3090_train_speed,
)
from analysis.independent.sets import IndependentSet, energy_sets

_FISCHER = "imagenet-energy-efficiency"
_FORMULA = "N = printed train kWh / (measured J per image x 1,281,167 / 3.6e6)"
_BASIS = (
    "GPU alone, so N is an upper end where the paper's kWh hold the host too. RTX 5000: fp32, "
    "batch 32; A100: eight boards, mostly waiting for data."
)
RESNETS = ("ResNet50", "ResNet101", "ResNet152")
VGGS, VGG_EPOCHS = ("VGG16", "VGG19"), 75
"""Sure by their digits: 75 x 0.6673 and 75 x 0.7461 kWh are the printed totals exactly."""
SETS = ("RTX 5000 PyTorch", "RTX 5000 TensorFlow", "A100 PyTorch", "A100 TensorFlow")


def findings(energy: pd.DataFrame) -> list[Finding]:
    """`energy`: as `independent.facts.energy()` gives it."""
    sets = [
        independent
        for independent in energy_sets(energy)
        if independent.phase == "train"
        and independent.source == _FISCHER
        and independent.scope == "gpu"
    ]
    kwh = {_name(independent): independent.values * IMAGES / J_PER_KWH for independent in sets}
    epochs = pd.DataFrame({name: printed("train_kwh") / of for name, of in kwh.items()})
    epochs = epochs[list(SETS)].dropna(how="all")
    return [_mobilenets(epochs), _resnets(epochs, energy), _b0(epochs)]


def _name(independent: IndependentSet) -> str:
    board = "RTX 5000" if "RTX 5000" in independent.hardware else "A100"
    return f"{board} {'PyTorch' if 'PyTorch' in independent.name else 'TensorFlow'}"


def _n(epochs: pd.DataFrame, *rows: str) -> str:
    """`MobileNetv2 88, 74, 113, 78`."""
    return "; ".join(
        f"{row} " + ", ".join(f"{n:.0f}" for n in epochs.loc[row].dropna()) for row in rows
    )


def _numbers(epochs: pd.DataFrame, *rows: str) -> dict[str, float]:
    return {f"{row}, {name}": epochs.loc[row, name] for row in rows for name in epochs}


def _sets(epochs: pd.DataFrame) -> str:
    return f"Order of the numbers: {', '.join(epochs.columns)}."


def _mobilenets(epochs: pd.DataFrame) -> Finding:
    v2, v3 = "MobileNetv2", "MobileNet v3"
    return Finding(
        "Epochs of the MobileNets",
        f"{_n(epochs, v2, v3)}: v2 fits 75 to 100 epochs, not 150 "
        f"({150 / epochs.loc[v2].max():.1f} to {150 / epochs.loc[v2].min():.1f} times too many) "
        "and not its recipe's 300; v3 fits 300, not 500 or 600.",
        "likely",
        f"{_BASIS} v3's number from A100 PyTorch is of a run near idle power and says little; its "
        f"RTX 5000 PyTorch training diverged. {_sets(epochs)}",
        _FORMULA,
        (_FISCHER,),
        "`python run.py -m model=mobilenet_v2,mobilenet_v3 hardware=a6000 batch_size=32` gives "
        "the kWh per epoch; the authors alone know N",
        numbers=_numbers(epochs, v2, v3),
    )


def _resnets(epochs: pd.DataFrame, energy: pd.DataFrame) -> Finding:
    zeus = energy[(energy["source"] == "zeus") & (energy["batch_size"] == 32)]
    zeus = zeus.set_index("hardware")["j_per_sample"] * IMAGES / J_PER_KWH
    total = float(printed("train_kwh")["ResNet50"])
    a40, v100 = zeus["NVIDIA A40"], zeus["NVIDIA V100"]
    board = epochs[[name for name in epochs if name.startswith("RTX 5000")]]
    excess = board.loc[list(VGGS)].mean() / VGG_EPOCHS
    fair = board.loc[list(RESNETS)] / excess
    mixed_kwh = IMAGES / rtx3090_train_speed()["ResNet50"] * RTX3090_W / J_PER_KWH
    over = {n: total / n / a40 for n in (60, 90, 120)}
    return Finding(
        "Epochs of the ResNets",
        f"{_n(epochs, *RESNETS)}. Divided by the VGGs' excess on the same board "
        f"({excess.min():.2f}, {excess.max():.2f}): {_n(fair, *RESNETS)}. "
        f"ResNet50's total is {total / a40:.0f} epochs of an A40 alone and {total / v100:.0f} of a "
        f"V100, so 60 means {over[60]:.2f} x the GPU's energy, 90 means {over[90]:.2f} x, 120 "
        f"means {over[120]:.2f} x. 60 is likely, 90 open, 120 unlikely.",
        "60 likely, 90 open, 120 unlikely",
        f"{_BASIS} The VGGs, sure at {VGG_EPOCHS}: {_n(epochs, *VGGS)}; their RTX 5000 PyTorch "
        "trainings diverged, which may lower their power and so the ResNets' epochs. TensorFlow's "
        "ResNets are v1, of 3 to 6 % fewer GMACs, which raises N. A40 and "
        f"V100: one value each at batch 32, precision not stated; in mixed precision an RTX 3090 "
        f"would need about {mixed_kwh:.2f} kWh an epoch at {RTX3090_W:.0f} W, so a faster "
        f"precision is a way to 120 epochs. {_sets(epochs)}",
        f"{_FORMULA}; excess = mean N of VGG16 and VGG19 / {VGG_EPOCHS}; over the A40: printed / "
        f"N / {a40:.4f} kWh",
        (_FISCHER, "zeus", "timm-benchmark"),
        "`python run.py -m model=resnet50,resnet101,resnet152,vgg16 hardware=a6000 batch_size=32`",
        numbers=_numbers(epochs, *RESNETS, *VGGS)
        | {f"{row}, fair, {name}": fair.loc[row, name] for row in RESNETS for name in fair}
        | {f"excess, {name}": value for name, value in excess.items()}
        | {"A40 kWh": a40, "A40 epochs": total / a40, "V100 epochs": total / v100}
        | {f"A40 at {n}": ratio for n, ratio in over.items()}
        | {"RTX 3090 kWh": mixed_kwh},
    )


def _b0(epochs: pd.DataFrame) -> Finding:
    row = "EfficientNet B0"
    return Finding(
        "Epochs of EfficientNet-B0",
        f"{_n(epochs, row)}: no schedule that we know has so many (350 in its source), so the "
        "printed energy is off rather than the number of epochs.",
        "likely",
        f"{_BASIS} RTX 5000 PyTorch training of B0 diverged. {_sets(epochs)}",
        _FORMULA,
        (_FISCHER,),
        "`python run.py -m model=efficientnet_b0,vgg16 hardware=a6000 batch_size=32`",
        numbers=_numbers(epochs, row),
    )
