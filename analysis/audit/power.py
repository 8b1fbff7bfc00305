"""What power the printed energy implies at the speeds that others measured."""

from __future__ import annotations

import math

import pandas as pd

from analysis.audit.finding import Finding
from analysis.audit.numbers import (
    A6000_W,
    IMAGES,
    J_PER_KWH,
    RTX3090_W,
    is_sure,
    kwh_per_epoch,
    printed,
    rtx3090_train_speed,
)
from analysis.independent.facts import throughput, throughput_other_size
from analysis.independent.sets import one_a_network
from analysis.published import facts as published
from analysis.published.counts import at_own_size

HOST_W = 150.0
"""A workstation's CPU and RAM at work: an assumption, said where it is used."""
A6000_GIB, RTX3090_GIB = 48, 24
RTX3090_LOW_W = 300.0
B0, B7, V2 = "EfficientNet B0", "EfficientNet B7", ("EfficientNetv2 M", "EfficientNetv2 L")
_FORMULA = "P = kWh per implied epoch x 3.6e6 x v / 1,281,167, v = images a second"


def findings(energy: pd.DataFrame) -> list[Finding]:
    """`energy`: as `independent.facts.energy()` gives it."""
    epochs = kwh_per_epoch(with_pretraining=False)
    v3090 = rtx3090_train_speed()
    power = implied(epochs, v3090)
    return [
        _b7(epochs, v3090),
        _slower(power),
        _efficientnetv2(epochs, power),
        _by_epochs(power),
        _rtx5000(epochs, energy),
        _a40(energy),
    ]


def implied(kwh: pd.Series, images_per_s: pd.Series) -> pd.Series:
    """W of the whole machine, one row a network, in the order of the table."""
    power = (kwh * J_PER_KWH / IMAGES * images_per_s).dropna()
    order = [row for row in kwh.index if row in power.index]
    return power[one_a_network(order)]


def _b7(epochs: pd.Series, v3090: pd.Series) -> Finding:
    frame = throughput()
    of = frame[(frame["row"] == B7) & (frame["phase"] == "train") & (frame["layout"] == "nchw")]
    batch, speed = int(of["batch_size"].iloc[0]), float(v3090[B7])
    joules = epochs[B7] * J_PER_KWH / IMAGES
    low, high = RTX3090_LOW_W / speed, RTX3090_W / speed
    num_epochs = published.paper_recipes()[(B7, published.IMAGENET)].stages[-1].num_epochs or 0
    return Finding(
        "Training B7 at 600 pixels",
        f"Not physical in fp32: printed {joules:.2f} J an image for the whole machine, where an "
        f"RTX 3090 in mixed precision at {speed:.1f} images/s takes {low:.1f} to {high:.1f} J at "
        f"{RTX3090_LOW_W:.0f} to {RTX3090_W:.0f} W. In mixed precision the A6000 would have to "
        f"take {1 - joules / low:.0%} less than the lower of these and its host nothing. The "
        f"3090's largest batch in {RTX3090_GIB} GB was {batch} in mixed precision, so batch 32 "
        f"does not fit {A6000_GIB} GB either, unless activations are computed anew.",
        "high in fp32; likely in mixed precision",
        "One board, synthetic tensors; power taken as near the board's limit, not measured. The "
        "A6000 has the 3090's chip; fp32 takes more than mixed precision. Memory scaled with the "
        f"batch size. At {num_epochs:.0f} epochs, which the digits and its source have; at "
        f"{num_epochs * joules / low:.0f} or fewer the printed total would be an RTX 3090's.",
        f"kWh per epoch x 3.6e6 / 1,281,167; W / images a second; 2 x {batch} < 32",
        ("timm-benchmark",),
        "`python run.py model=efficientnet_b7 batch_size=32 hardware=a6000`: it ends with out of "
        "memory, or with its energy",
        numbers={
            "J per image": joules,
            "low": low,
            "high": high,
            "batch": batch,
            "v": speed,
            "epochs": num_epochs,
        },
    )


def _slower(power: pd.Series) -> Finding:
    over = power[power > A6000_W]
    factor = power.median() / (A6000_W + HOST_W)
    shown = (
        "ViT-B-scratch",
        "ResNet50",
        "VGG16",
        "MobileNetv2",
        "EfficientNet B0",
        "ConvNeXt-T",
        B7,
    )
    listed = ", ".join(f"{row} {power[row]:,.0f}" for row in shown)
    return Finding(
        "Speed of the paper's runs",
        f"At an RTX 3090's speed the printed energy is {power.median():,.0f} W (median of "
        f"{len(power)} networks), above an A6000's {A6000_W:.0f} W in {len(over)}: the runs were "
        f"about {factor:.1f} times slower than that card in mixed precision. This proves no number "
        "wrong.",
        "high that they were slower; the factor assumes the host",
        f"v in mixed precision at the largest batch, faster than batch 32 in fp32. Host "
        f"{HOST_W:.0f} W is an assumption. Epochs of ResNets, MobileNets and DenseNets are "
        "guesses.",
        f"{_FORMULA}; factor = median P / ({A6000_W:.0f} + {HOST_W:.0f})",
        ("timm-benchmark",),
        "`python run.py -m experiment=table3 hardware=a6000 precision=fp32,fp16`",
        f"W: {listed}.",
        dict(power) | {"median": power.median(), "n": len(power), "factor": factor},
    )


def _efficientnetv2(epochs: pd.Series, power: pd.Series) -> Finding:
    rows = throughput_other_size().set_index("row")
    sizes = at_own_size()["image_size_px"]
    sure = _of_sure_epochs(power)
    at_384 = {row: epochs[row] * J_PER_KWH / IMAGES * rows.loc[row, "samples_per_s"] for row in V2}
    own = {row: at_384[row] * (rows.loc[row, "input_size"] / sizes[row]) ** 2 for row in V2}
    watts = " and ".join(f"{own[row]:.0f} W ({row[-1]})" for row in V2)
    other = ", ".join(f"{row[-1]} {watt:.0f} W" for row, watt in at_384.items())
    return Finding(
        "Training EfficientNetv2-M and L",
        f"Implausible at {sizes[V2[0]]} pixels: {watts} at an RTX 3090's speed, where rows whose "
        f"epochs are sure need {sure.min():.0f} to {sure.max():,.0f} W (n {len(sure)}).",
        "likely",
        f"Speeds were measured at 384 pixels ({other}) and scaled to {sizes[V2[0]]} by the number "
        "of pixels. B0 and B7 are left out of the comparison. Mixed precision, synthetic tensors.",
        f"{_FORMULA}, v x (384 / {sizes[V2[0]]})^2",
        ("timm-benchmark",),
        "`python run.py -m model=efficientnetv2_m model.input_size=224,480 hardware=a6000`",
        numbers={f"{row}, 384 px": at_384[row] for row in V2}
        | {f"{row}, own size": own[row] for row in V2}
        | {"sure, least": sure.min(), "sure, most": sure.max()},
    )


def _of_sure_epochs(power: pd.Series) -> pd.Series:
    """Of rows whose epochs the digits determine, B0 and B7, which are outliers, apart."""
    return power[is_sure(power.index)].drop([B7, B0])


def _by_epochs(power: pd.Series) -> Finding:
    sure = _of_sure_epochs(power)
    others = {"MobileNetv2": 300, "MobileNet v3": 600, "ResNet50": 120}
    recipes = published.paper_recipes()
    implied_epochs = {
        row: recipes[(row, published.IMAGENET)].stages[-1].num_epochs or math.nan for row in others
    }
    at = {row: power[row] * implied_epochs[row] / n for row, n in others.items()}
    v2, v3, resnet = others
    return Finding(
        "Power by the number of epochs",
        f"At an RTX 3090's speed rows whose epochs are sure need {sure.min():.0f} to "
        f"{sure.max():,.0f} W (n {len(sure)}). Below all of them, and so implausible: {v2} with "
        f"{implied_epochs[v2]:.0f} epochs ({power[v2]:.0f} W) or {others[v2]} ({at[v2]:.0f} W), "
        f"{v3} with {implied_epochs[v3]:.0f} ({power[v3]:.0f} W) or {others[v3]} "
        f"({at[v3]:.0f} W), {resnet} with {others[resnet]} ({at[resnet]:.0f} W). Above all: "
        f"EfficientNet-B0, {power[B0]:,.0f} W.",
        "likely",
        "One board's speed, mixed precision, synthetic tensors. B0 and B7 are left out of the "
        "comparison. A row may also be low because its run waited less than the others.",
        f"{_FORMULA}; at N epochs: x implied epochs / N",
        ("timm-benchmark",),
        "`python run.py -m model=mobilenet_v2,mobilenet_v3,resnet50,efficientnet_b0 "
        "hardware=a6000 batch_size=32`; the authors alone know N",
        numbers={f"{row} at {others[row]}": watt for row, watt in at.items()}
        | {"B0": power[B0], "sure, most": sure.max(), "sure, least": sure.min()},
    )


def _rtx5000(epochs: pd.Series, energy: pd.DataFrame) -> Finding:
    rows = energy[
        (energy["hardware"] == "Quadro RTX 5000")
        & (energy["phase"] == "train")
        & energy["framework"].str.startswith("PyTorch")
    ].set_index("row")
    power = implied(epochs, rows["num_samples"] / rows["duration_s"])
    b0 = B0
    v2, v3 = "MobileNetv2", "MobileNet v3"
    drew = rows["energy_j"] / rows["duration_s"]
    listed = ", ".join(f"{row} {watt:.0f}" for row, watt in power.items())
    return Finding(
        "Power at a slower card's speed",
        f"At an RTX 5000's speed in fp32, batch 32: EfficientNet-B0 {power[b0]:.0f} W, "
        f"{power[b0] - A6000_W:.0f} W above an A6000's limit, where the RTX 5000 drew "
        f"{drew[b0]:.0f} W; MobileNetv2 {power[v2]:.0f} W and v3 {power[v3]:.0f} W for the whole "
        f"machine, less than the RTX 5000 alone drew ({drew[v2]:.0f} and {drew[v3]:.0f} W): too "
        f"many epochs, or a faster card (three times: {3 * power[v2]:.0f} and "
        f"{3 * power[v3]:.0f} W).",
        "likely",
        "n 9, one board, GPU alone, with one validation pass an epoch. An A6000 is faster, which "
        "raises every one of these. At 150 and 500 implied epochs for the MobileNets. B0's and "
        "v3's trainings diverged on this board, which may lower the power that they drew.",
        _FORMULA,
        ("imagenet-energy-efficiency",),
        "`python run.py -m model=efficientnet_b0,mobilenet_v2,mobilenet_v3 hardware=a6000 "
        "batch_size=32 precision=fp32`",
        f"W: {listed}.",
        dict(power) | {"B0 over": power[b0] - A6000_W, "B0 drew": drew[b0]},
    )


def _a40(energy: pd.DataFrame) -> Finding:
    [row] = energy[(energy["hardware"] == "NVIDIA A40") & (energy["batch_size"] == 32)].to_dict(
        "records"
    )
    speed, drew = row["num_samples"] / row["duration_s"], row["energy_j"] / row["duration_s"]
    total = printed("train_kwh")["ResNet50"]
    watt = {n: total / n * J_PER_KWH / IMAGES * speed for n in (60, 90, 120)}
    watts = ", ".join(f"{w:.0f} W at {n} epochs" for n, w in watt.items())
    return Finding(
        "ResNet50's power by its epochs",
        f"At an A40's speed, batch 32: {watts}, where the A40 alone drew {drew:.0f} W. 120 epochs "
        "would leave less than nothing for the host, unless the paper's precision was faster.",
        "likely",
        "One value; precision, image size and validation are not stated. The A40 has the A6000's "
        "chip, memory and limit.",
        "P = printed / N x 3.6e6 x v / 1,281,167",
        ("zeus",),
        "`python run.py model=resnet50 hardware=a6000 batch_size=32`",
        numbers={f"{n}": w for n, w in watt.items()} | {"drew": drew},
    )
