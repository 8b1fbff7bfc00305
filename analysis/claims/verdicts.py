"""What the paper claims, beside what these records show: one row per claim, with its numbers.

Every number is computed from records; a claim without records says so. Where a verdict needs a
limit, the row names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimates.validate import Prediction
from analysis.figures.figure4 import MEASURED_RATE
from analysis.figures.figure4 import MODELS as SELF_SUPERVISED
from analysis.figures.frames import Frames
from analysis.figures.measured import SET_UP, compared, curve, fit_line, name_of

LINEAR_WITHIN = 0.05
"""An extrapolation from the smallest part is called right when it errs by this share at most."""
SAME_ORDER = 0.9
"""Spearman's rank correlation from which two orders are called the same."""
LIMIT = f"limit {LINEAR_WITHIN:.0%}"
LEAST_POINTS = 3
"""Two always lie on a line."""
LEAST_NETWORKS, LEAST_PRINTED = 3, 5
"""An order of fewer networks says nothing, across hardware and against the printed one."""
PRETRAINING_SHARE = 0.9
"""Section 5.5: pre-training is over 90 % of a self-supervised model's training."""


@dataclass(frozen=True)
class Claim:
    """`holds` is None where nothing was measured that could tell."""

    place: str
    says: str
    measured: str
    holds: bool | None = None

    @property
    def verdict(self) -> str:
        return {True: "holds", False: "does not hold", None: "not measured"}[self.holds]


def claims(frames: Frames, predictions: Sequence[Prediction]) -> list[Claim]:
    """Every claim of the paper that electricity alone can test, in the paper's order."""
    runs = frames.runs
    return [
        _order_of_models(frames.rows),
        _larger_sets(frames.rows),
        _self_supervision(frames.stages),
        _hardware(runs),
        _batch_size(runs),
        *_epochs(runs),
        *_shares(runs),
        _short_predicts_long(predictions),
    ]


def markdown(found: Sequence[Claim]) -> str:
    lines = ["| Where | The paper | Measured here | |", "|---|---|---|---|"]
    lines += [f"| {one.place} | {one.says} | {one.measured} | {one.verdict} |" for one in found]
    return "\n".join(lines) + "\n"


def _claim(place: str, says: str, parts: Sequence[tuple[str, bool]], limit: str = "") -> Claim:
    """One claim from its models: it holds when it holds for each."""
    if not parts:
        return Claim(place, says, "nothing yet")
    words = "; ".join(text for text, _ in parts)
    return Claim(place, says, words + (f" ({limit})" if limit else ""), all(ok for _, ok in parts))


def _order_of_models(rows: pd.DataFrame) -> Claim:
    printed = rows[rows["kind"] == "published"].set_index("model")["test_kwh"].dropna()
    ours = rows[(rows["kind"] == "estimated") & rows["model"].isin(printed.index)]
    parts = []
    for (hardware, set_up), group in ours.dropna(subset=["test_kwh"]).groupby(
        ["hardware", "set_up"]
    ):
        one_each = group.drop_duplicates("model")
        if len(one_each) < LEAST_PRINTED:
            continue
        rho = _spearman(one_each["test_kwh"], printed.loc[one_each["model"]])
        parts.append(
            (
                f"{len(one_each)} networks on {hardware} ({set_up}): rank correlation "
                f"{rho:.2f} with the printed test kWh",
                rho >= SAME_ORDER,
            )
        )
    limit = f"limit {SAME_ORDER}"
    return _claim("Table 3", "networks rank by electricity as printed", parts, limit)


def _larger_sets(rows: pd.DataFrame) -> Claim:
    pairs = {
        "Swin-B": "Swin-B+PT on Im21k", "Swin-v2-B": "Swin-v2-B+PT on Im21k",
        "ViT-B-scratch": "ViT-B-Im21k", "ViT-L-scratch": "ViT-L-Im21k",
    }  # fmt: skip
    kwh = {
        kind: group.drop_duplicates("model").set_index("model")["train_kwh"]
        for kind, group in rows.groupby("kind")
    }
    parts = []
    for plain, larger in pairs.items():
        if "estimated" in kwh and {plain, larger} <= set(kwh["estimated"].index):
            ours, printed = (
                kwh[kind][larger] / kwh[kind][plain] for kind in ("estimated", "published")
            )
            parts.append(
                (
                    f"{larger} over {plain}: {ours:.1f} x the electricity "
                    f"(printed: {printed:.1f} x)",
                    bool(ours > 1),
                )
            )
    return _claim("5.4, Figure 3", "pre-training on a larger set costs more than training", parts)


def _self_supervision(stages: pd.DataFrame) -> Claim:
    measured = stages[(stages["basis"] == MEASURED_RATE) & stages["model"].isin(SELF_SUPERVISED)]
    parts = []
    for model, group in measured.groupby("model"):
        kwh = group.drop_duplicates("stage").set_index("stage")["kwh"]
        if not {"pre-training", "fine-tuning"} <= set(kwh.index):
            continue
        share = kwh["pre-training"] / (kwh["pre-training"] + kwh["fine-tuning"])
        parts.append((f"{model}: {100 * share:.1f} %", bool(share > PRETRAINING_SHARE)))
    return _claim(
        "5.5, Figure 4", "self-supervised pre-training is over 90 % of the training", parts
    )


def _hardware(runs: pd.DataFrame) -> Claim:
    set_up = [column for column in SET_UP if column != "device"]
    rates = (
        runs[runs["phase"] == "train"]
        .drop_duplicates([*set_up, "device"], keep="last")
        .pivot(index=set_up, columns="device", values="kwh_per_sample")
    )
    parts = []
    for number, first in enumerate(rates.columns):
        for second in rates.columns[number + 1 :]:
            both = rates[[first, second]].dropna()
            if len(both) < LEAST_NETWORKS:
                continue
            rho = _spearman(both[first], both[second])
            ratio = (both[first] / both[second]).agg(["min", "max"])
            parts.append(
                (
                    f"{first} and {second}, {len(both)} networks: rank correlation {rho:.2f}, "
                    f"{ratio['min']:.2f} to {ratio['max']:.2f} x the electricity",
                    rho >= SAME_ORDER,
                )
            )
    return _claim(
        "A.2, Figure 5",
        "the order of networks is the same on other hardware",
        parts,
        f"limit {SAME_ORDER}",
    )


def _batch_size(runs: pd.DataFrame) -> Claim:
    parts = []
    for values, group in compared(runs[runs["phase"] == "test"], "batch_size"):
        small, large = group.iloc[0], group.iloc[-1]
        ratio = small["kwh_per_sample"] / large["kwh_per_sample"]
        margin = ratio * _relative_margin(small, large)
        parts.append(
            (
                f"{name_of(values)}: {ratio:.2f} ± {margin:.2f} x at {small['batch_size']} over "
                f"{large['batch_size']}",
                bool(ratio - margin > 1),
            )
        )
    return _claim("A.3, Figure 6", "testing with a smaller batch takes more per image", parts)


def _epochs(runs: pd.DataFrame) -> tuple[Claim, Claim]:
    straight, enough = [], []
    for _, run in _with_curves(runs).iterrows():
        samples, kwh = curve(run)
        size = float(run["num_epoch_samples"])
        ends = np.arange(1, int(samples[-1] / size) + 1)
        used = np.interp(ends * size, samples, kwh)
        if len(ends) < LEAST_POINTS:
            continue
        name = name_of(dict(run))
        straight.append(_fit(name, ends, used))
        error = len(ends) * used[0] / used[-1] - 1
        enough.append(
            (
                f"{name}: {len(ends)} x the first epoch errs by {error:+.1%}",
                bool(abs(error) <= LINEAR_WITHIN),
            )
        )
    return (
        _claim("A.4.1, Figure 7", "electricity is linear in epochs", straight, LIMIT),
        _claim("A.4.1", "so one epoch is enough", enough, LIMIT),
    )


def _shares(runs: pd.DataFrame) -> tuple[Claim, Claim]:
    straight, enough = [], []
    for values, group in compared(_with_curves(runs), "fraction"):
        sizes = group["num_epoch_samples"].to_numpy(float)
        used = np.asarray(
            [
                np.interp(size, *curve(run))
                for size, (_, run) in zip(sizes, group.iterrows(), strict=True)
            ]
        )
        if len(sizes) < LEAST_POINTS:
            continue
        name, share = name_of(values), sizes[0] / sizes[-1]
        straight.append(_fit(name, sizes, used))
        error = used[0] / share / used[-1] - 1
        enough.append(
            (
                f"{name}: {share:.0%} of the data scaled up errs by {error:+.1%}",
                bool(abs(error) <= LINEAR_WITHIN),
            )
        )
    return (
        _claim("A.4.2, Figure 8", "electricity is linear in the share of data", straight, LIMIT),
        _claim("A.4.2", "so 1 % of the data is enough", enough, LIMIT),
    )


def _fit(name: str, x: np.ndarray, kwh: np.ndarray) -> tuple[str, bool]:
    """How straight the points are, in words, and whether no point is far off the line."""
    line = fit_line(x, kwh)
    assert line is not None, "three points or more"
    return f"{name}: {line}", line.largest_deviation <= LINEAR_WITHIN


def _short_predicts_long(predictions: Sequence[Prediction]) -> Claim:
    says = "a short run predicts a long one"
    if not predictions:
        return Claim("A.4", says, "nothing yet")
    worst = max(abs(one.error) for one in predictions)
    held = sum(one.held for one in predictions)
    return Claim(
        "A.4",
        says,
        f"{len(predictions)} adaptive windows from their first fifth: largest error {worst:.1%}, "
        f"our interval held in {held} ({LIMIT})",
        worst <= LINEAR_WITHIN,
    )


def _with_curves(runs: pd.DataFrame) -> pd.DataFrame:
    """Trainings that lasted an epoch of their data or more, with the energy of every block."""
    trained = runs[(runs["phase"] == "train") & (runs["num_epoch_samples"] > 0)]
    whole = [
        bool(run["curve_samples"]) and run["curve_samples"][-1] >= run["num_epoch_samples"]
        for _, run in trained.iterrows()
    ]
    return trained.loc[np.asarray(whole, bool)]


def _spearman(first: pd.Series, second: pd.Series) -> float:
    """Spearman's rank correlation of two series in the same order."""
    from scipy.stats import spearmanr

    return float(spearmanr(first.to_numpy(float), second.to_numpy(float)).statistic)


def _relative_margin(first: pd.Series, second: pd.Series) -> float:
    """Half-width of the 95 % interval of a ratio of two rates, over the ratio (delta method)."""
    shares = [
        float(run["half_width_kwh_per_sample"] or np.nan) / float(run["kwh_per_sample"])
        for run in (first, second)
    ]
    return float(np.hypot(shares[0], shares[1]))
