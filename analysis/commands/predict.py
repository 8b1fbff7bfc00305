"""`python -m analysis predict`: the electricity of a network that nobody measured."""

from __future__ import annotations

import argparse
import math
from typing import Any

import pandas as pd

from analysis.errors import AnalysisError

SETS = {"train": "RTX 3090 nhwc, time", "test": "RTX 3090 nhwc, time"}
SHAPE = ("gmacs", "activations_m", "params_m")
MODELS = (("gmacs",), ("activations_m",), ("gmacs", "activations_m"), SHAPE)
CONFIDENCES = (0.8, 0.9)
"""Fifteen families carry no interval at 95 %."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--gmacs", type=float, help="of one image (the paper's GFLOPs)")
    parser.add_argument(
        "--activations",
        type=float,
        dest="activations_m",
        help="millions of outputs of convolutions and fully connected layers",
    )
    parser.add_argument("--params", type=float, dest="params_m", help="millions")
    parser.add_argument(
        "--images-per-s",
        type=float,
        help="on an RTX 3090 as timm measures it "
        "(mixed precision, channels_last), in training or in testing",
    )
    parser.add_argument("--phase", choices=("train", "test"), help="of --images-per-s")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the prediction, or without numbers how well each model predicts."""
    shape = {name: value for name in SHAPE if (value := getattr(args, name)) is not None}
    speed = {} if args.images_per_s is None else {"images-per-s": args.images_per_s}
    for name, value in (shape | speed).items():
        if not 0 < value < float("inf"):
            raise AnalysisError(
                f"--{name.removesuffix('_m')} {value} is not above 0; give a number"
            )
    if (args.images_per_s is None) != (args.phase is None):
        raise AnalysisError("--images-per-s and --phase go together: --phase train or test")
    if args.images_per_s:
        shape["s_per_image"] = 1 / args.images_per_s
    print(_predicted(shape, args.phase) if shape else errors(), end="")
    return 0


def errors() -> str:
    """How each model errs on families that it has not seen, Markdown."""
    lines = [
        "| kWh | From | n | Families | Median error | GMACs alone, same networks | 80 % within | "
        "90 % within |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for phase in ("train", "test"):
        for names in (*MODELS, ("s_per_image",), ("gmacs", "activations_m", "s_per_image")):
            fit = fitted(phase, names)
            alone = fitted(phase, ("gmacs",), has_time="s_per_image" in names)
            factors = (f"x/÷ {fit.factor(level):.1f}" for level in CONFIDENCES)
            lines.append(
                f"| {_TARGET[phase]} | {_named(names)} | {fit.num_networks} | {fit.num_families} | "
                f"{fit.median_error:.0%} | {alone.median_error:.0%} | {' | '.join(factors)} |"
            )
    return "\n".join(lines) + "\n"


_TARGET = {"train": "an ImageNet-1k epoch", "test": "testing on 50,000 images"}
_NAMES = {
    "gmacs": "GMACs",
    "activations_m": "activations",
    "params_m": "parameters",
    "s_per_image": "time on an RTX 3090",
}


def _named(names: tuple[str, ...]) -> str:
    return ", ".join(_NAMES[name] for name in names)


def fitted(phase: str, names: tuple[str, ...], has_time: bool = False) -> Any:
    """The fit of the paper's kWh (an implied epoch of the supervised step; 50,000 test images)
    on `names`, one row a network. has_time: of networks whose time is known alone, as every fit on
    time is."""
    from analysis.audit.numbers import kwh_per_epoch, printed
    from analysis.estimates.prediction import fit
    from analysis.independent.sets import one_a_network, throughput_sets
    from analysis.published.counts import at_own_size

    kwh = kwh_per_epoch(with_pretraining=False) if phase == "train" else printed("test_kwh")
    features = at_own_size()[list(SHAPE)]
    if has_time or "s_per_image" in names:
        [time] = [
            timed
            for timed in throughput_sets()
            if timed.phase == phase and timed.name == SETS[phase]
        ]
        features = features.join(time.values.rename("s_per_image"), how="inner")
    rows = one_a_network([row for row in features.index if pd.notna(kwh.get(row))])
    return fit(kwh, features.loc[rows, list(names)])


def _interval(level: Any) -> str:
    if not math.isfinite(level.high):
        return f"no interval at {level.confidence:.0%}: too few families"
    return f"{level.confidence:.0%} {level.low:.3g} to {level.high:.3g}"


def _range(name: str, model: Any) -> str:
    """Of the networks that the fit learned from."""
    least, most = model.ranges[name]
    unit = " ms" if name == "s_per_image" else ""
    scale = 1000 if unit else 1
    return f"{_NAMES[name]} {scale * least:.2g} to {scale * most:.3g}{unit}"


def _predicted(shape: dict[str, float], phase: str | None) -> str:
    names = tuple(shape)
    lines = []
    for wanted in (phase,) if phase else ("train", "test"):
        model = fitted(wanted, names)
        predictions = [model.predict(shape, level) for level in CONFIDENCES]
        outside = model.outside(shape)
        intervals = "; ".join(map(_interval, predictions))
        if outside:
            ranges = ", ".join(_range(name, model) for name in outside)
            intervals = f"no interval: outside of what the fit learned from, {ranges}"
        lines.append(
            f"{_TARGET[wanted]}: {predictions[0].kwh:.3g} kWh ({intervals})\n"
            f"  from {_named(names)}; median error {model.median_error:.0%} on families left out, "
            f"n {model.num_networks} networks of {model.num_families} families\n"
        )
    return (
        "predicted on the scale of the paper's RTX A6000 rows, which are themselves outliers here "
        "and there (analysis audit)\n" + "".join(lines)
    )
