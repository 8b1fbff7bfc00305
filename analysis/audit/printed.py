"""The paper's printed numbers beside its own sources and its own formulas."""

from __future__ import annotations

import math

import pandas as pd

from analysis.audit.finding import Finding
from analysis.audit.numbers import IMAGES, SURE
from analysis.published import facts as published

WITHIN = 0.05
_PAPER = "watt-for-what"
TEACHER = "RegNetY-16GF"


def findings() -> list[Finding]:
    rows = published.wide(published.IMAGENET).set_index("model")
    return [_epochs(rows), _pretraining(), _teacher(rows), _counts(rows), _rounding(rows)]


def _rate(model: str, workload: str) -> float:
    """kWh an image that the printed total implies."""
    return published.implied_rates()[(model, published.IMAGENET, workload)].kwh_per_sample


def with_source_recipe(rows: pd.DataFrame, model: str) -> float:
    """kWh of the row's implied rates over the epochs that the recipe's source gives."""
    row = rows.loc[model]
    stages = published.paper_recipes()[(model, published.IMAGENET)].stages
    others = sum(
        float(rows.loc[stage.row, "train_kwh"]) * stage.share for stage in stages if stage.row
    )
    if pd.notna(row["source_epochs"]):
        return others + _rate(model, "supervised") * IMAGES * float(row["source_epochs"])
    first = next((stage for stage in stages if stage.name == "pretrain"), None)
    if first is None or first.workload == "supervised":
        images, workload = float(row["source_pretrain_images"]), "supervised"
    else:
        images, workload = float(first.num_samples or 0), first.workload
    before = _rate(model, workload) * images * float(row["source_pretrain_epochs"])
    after = 0.0
    if pd.notna(row["source_finetune_epochs"]):
        after = _rate(model, "supervised") * IMAGES * float(row["source_finetune_epochs"])
    return others + before + after


def _epochs(rows: pd.DataFrame) -> Finding:
    off = pd.Series(
        {
            model: with_source_recipe(rows, model) / rows.loc[model, "train_kwh"] - 1
            for model in rows.index
        }
    )
    wrong = off[off.abs() > WITHIN]
    stages = {
        model: published.paper_recipes()[(model, published.IMAGENET)].stages
        for model in wrong.index
    }
    differences = ", ".join(
        f"{model} {stages[model][-1].num_epochs:.0f} for {rows.loc[model, 'source_epochs']:.0f}"
        for model in wrong.index
    )
    return Finding(
        "Epochs of the recipes",
        f"{len(off) - len(wrong)} of {len(off)} totals of Table 3 fit the epochs of the recipe's "
        f"source within {WITHIN:.0%}. The others, implied for source: {differences}.",
        "high for rows whose digits determine the epochs; the MobileNets' and ResNets' are open "
        "(see the findings above)",
        "Circular for self-supervised and CLIP rows: one total, two unknowns. Recipes marked 'from "
        "memory' in the sources were not re-read.",
        "implied kWh an image x images x epochs of the source / printed total",
        (_PAPER, "derived"),
        "the authors' number of epochs; `python -m analysis tables --accounting paper --diff`",
        f"Over the printed total: {', '.join(f'{m} {share:+.0%}' for m, share in wrong.items())}.",
        {"within": len(off) - len(wrong), "rows": len(off)},
    )


def _pretraining() -> Finding:
    same: list[str] = []
    alone: list[str] = []
    for (model, dataset), recipe in published.paper_recipes().items():
        larger = [
            stage
            for stage in recipe.stages
            if stage.name == "pretrain" and stage.workload == "supervised"
        ]
        if dataset == published.IMAGENET and larger:
            certainty = published.implied_rates()[(model, dataset, "supervised")].certainty
            (same if certainty.startswith(SURE) else alone).append(model)
    return Finding(
        "Pre-training priced without pre-training",
        f"{len(same)} rows on ImageNet-21k, 22k and JFT are exact multiples of the supervised "
        "epoch of the same network on ImageNet-1k: the larger head, and smaller images where the "
        f"recipe has them, are not in them. {len(alone)} more have no row to compare with.",
        "high: digits",
        f"No row of its own: {', '.join(alone)}.",
        "printed total / kWh of the scratch row's epoch = images of the recipe / 1,281,167",
        (_PAPER, "derived"),
        "`python run.py -m model=vit_b_in21k stage=supervised,pretrain hardware=a6000`",
        numbers={"same": len(same), "alone": len(alone)},
    )


def _teacher(rows: pd.DataFrame) -> Finding:
    students = [
        model
        for (model, dataset), recipe in published.paper_recipes().items()
        if dataset == published.IMAGENET and any(stage.row == TEACHER for stage in recipe.stages)
    ]
    kwh = float(rows.loc[TEACHER, "train_kwh"])
    return Finding(
        "One constant in many rows",
        f"{TEACHER}'s whole training, {kwh:.2f} kWh, is in {len(students)} rows of networks "
        "distilled from it. Its forward pass on each image of the student's training is in none.",
        "high: digits, the same constant in all",
        "DeiT and EfficientFormer rows.",
        "(printed total - constant) / epochs has as few digits as the other rows",
        (_PAPER, "derived"),
        "`python run.py -m model=deit_s stage=supervised,distill hardware=a6000`",
        f"Rows: {', '.join(students)}.",
        {"rows": len(students), "kWh": kwh},
    )


def _counts(rows: pd.DataFrame) -> Finding:
    macs = (rows["gmacs"] / rows["gmacs_built"] - 1).abs()
    params = (rows["params_m"] / rows["params_m_built"] - 1).abs()
    far = params.idxmax()
    notes = published.notes()
    marked = [
        f"{model}, {dataset}: {note}"
        for (model, dataset), of in notes.items()
        for quantity, note in of.items()
        if quantity in ("gmacs", "params_m")
    ]
    return Finding(
        "GMACs and parameters",
        f"The printed GFLOPs are GMACs: within {macs.max():.0%} of those counted in all "
        f"{len(macs)} rows, where operations would be twice that. Parameters: {far} prints "
        f"{rows.loc[far, 'params_m']:.0f} M, its vision tower has "
        f"{rows.loc[far, 'params_m_built']:.0f} M; the others are within "
        f"{params.drop(far).max():.0%}.",
        "high: counted",
        "Counted with timm on the network as built, at the row's image size; GMACs below 1 are "
        "printed with one digit.",
        "printed / counted - 1",
        (_PAPER, "timm", "mmseg", "mmaction2"),
        "nothing is open; `python -m benchmarks.network_counts`",
        "\n".join(f"- {note}" for note in dict.fromkeys(marked)),
        {"gmacs": macs.max(), "params": params.drop(far).max()},
    )


def _rounding(rows: pd.DataFrame) -> Finding:
    known = rows.dropna(subset=["gqi"])
    exact = [
        5 * (row["top1_pct"] / 100) ** 5 / math.log10(row["train_kwh"])
        for row in known.to_dict("records")
    ]
    up = sum(
        abs(math.ceil(1000 * value - 1e-9) / 1000 - gqi) < 1e-9
        for value, gqi in zip(exact, known["gqi"], strict=True)
    )
    nearest = sum(
        abs(round(value, 3) - gqi) < 1e-9 for value, gqi in zip(exact, known["gqi"], strict=True)
    )
    return Finding(
        "GQI in Table 3",
        f"Rounded up in {up} of {len(known)} legible rows; {nearest} of them are also the "
        "nearest thousandth.",
        "high: arithmetic",
        "Two of 67 cells are not legible.",
        "ceil(1000 x 5 x accuracy^5 / log10(kWh)) / 1000",
        (_PAPER,),
        "nothing is open",
        numbers={"up": up, "legible": len(known), "nearest": nearest},
    )
