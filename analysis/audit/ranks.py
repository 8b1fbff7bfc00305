"""Does the paper's order of networks agree with other people's measurements?"""

from __future__ import annotations

import pandas as pd

from analysis.audit.finding import Finding
from analysis.audit.numbers import MISSIZED, is_sure, kwh_per_epoch, printed
from analysis.estimates.order import SAME_ORDER, Rank, rank
from analysis.independent.sets import (
    LEAST_COMMON,
    IndependentSet,
    energy_sets,
    one_a_network,
    throughput_sets,
)

_RANK = "Spearman's rank correlation over the rows that both have; interval: Bonett and Wright 2000"
_ALL = ("imagenet-energy-efficiency", "timm-benchmark")


def findings(energy: pd.DataFrame) -> list[Finding]:
    """`energy`: as `independent.facts.energy()` gives it, with or without a user's rows."""
    trained = [
        independent
        for independent in energy_sets(energy)
        if independent.phase == "train" and _is_large(independent)
    ]
    timed = [independent for independent in throughput_sets() if independent.phase == "train"]
    tested = [
        independent
        for independent in [*energy_sets(energy, ("yes", "data-bound", "rank")), *throughput_sets()]
        if independent.phase == "test" and _is_large(independent)
    ]
    return [_per_epoch(trained, timed), _totals(trained, timed), _tests(tested)]


def _is_large(independent: IndependentSet) -> bool:
    return len(one_a_network(independent.values.index)) >= LEAST_COMMON


def _per_epoch(trained: list[IndependentSet], timed: list[IndependentSet]) -> Finding:
    epochs = kwh_per_epoch(with_pretraining=True)
    energies = {independent.name: rank(epochs, independent.values) for independent in trained}
    times = {independent.name: rank(epochs, independent.values) for independent in timed}
    plain = kwh_per_epoch(with_pretraining=False)
    sure = plain[is_sure(plain.index)]
    strict = {
        independent.name: rank(sure, independent.values, one_a_network) for independent in timed
    }
    low = min(agreement.low for agreement in energies.values())
    return Finding(
        "Order of networks, training",
        f"kWh per implied epoch rank as measured training energy does: {_span(energies)}, lowest "
        f"95 % limit {low:.2f}; as measured training time does: "
        f"{_span(times, 'rows')}, and {_span(strict)} with one row a network and only epochs that "
        "the digits determine.",
        "high for the order; lower for rows whose epochs are guesses",
        "Energy of the GPUs alone. Partly circular: the epochs of MobileNets, ResNets and "
        "DenseNets were read from the digits of the totals, with a plausible energy in mind. Most "
        "A100 rows waited for data, one (MobileNet v3, PyTorch) was near idle power. Five of nine "
        "RTX 5000 PyTorch trainings diverged (VGGs, MobileNet v3, EfficientNets), which may lower "
        "their power. The four sets are two machines.",
        f"{_RANK}; kWh per epoch = (printed total - constants) / implied epochs",
        _ALL,
        "`python run.py -m experiment=table3 hardware=a6000`, then `python -m analysis claims`",
        f"Energy: {_list(energies)}. Time: {_list(times)}; sure epochs: {_list(strict)}.",
        _numbers(energies | times),
    )


def _totals(trained: list[IndependentSet], timed: list[IndependentSet]) -> Finding:
    totals = printed("train_kwh")
    energies = {independent.name: rank(totals, independent.values) for independent in trained}
    times = {independent.name: rank(totals, independent.values) for independent in timed}
    return Finding(
        "Order of networks, totals",
        f"The printed totals do not rank so: {_span(energies)} with measured energy an image, "
        f"{_span(times, 'rows')} with time. A total holds the number of epochs too, in which "
        "the recipes differ.",
        "high: arithmetic on printed and measured numbers",
        "Energy of the GPUs alone. No fault of the paper: a total is rate x epochs, and its "
        "recipes have 60 to some 10,000 epochs of ImageNet-1k's size.",
        f"{_RANK} of printed train kWh and measured J per image",
        _ALL,
        "nothing is open; `python -m analysis tables --accounting paper` shows the epochs",
        f"Energy: {_list(energies)}. Time: {_list(times)}.",
        _numbers(energies | times),
    )


def _tests(tested: list[IndependentSet]) -> Finding:
    kwh = printed("test_kwh")
    rest = kwh.drop(list(MISSIZED))
    ranks = {
        independent.name: rank(kwh, independent.values, one_a_network) for independent in tested
    }
    without = {
        independent.name: rank(rest, independent.values, one_a_network)
        for independent in tested
        if independent.quantity == "time"
    }
    energies = {
        independent.name: ranks[independent.name]
        for independent in tested
        if independent.quantity == "energy"
    }
    times = {
        independent.name: ranks[independent.name]
        for independent in tested
        if independent.quantity == "time"
    }
    return Finding(
        "Order of networks, testing",
        f"Printed test kWh rank less well: {_span(energies)} with energy, {_span(times)} with time "
        f"({_span(without)} without B7 and EfficientNetv2). {_limit_says(ranks)}",
        "high for these sets, which share boards and networks",
        "One row a network. ResNet101's test kWh is illegible and left out; ResNet152's may be "
        "ResNet101's. Scopes: GPU (RTX 5000), CPU+GPU+RAM and wall (RTX 4090), never mixed in a "
        "set; the four sets of ai-energy-validation are two batch sizes under two meters. "
        "Throughput is of synthetic tensors, without a loader.",
        _RANK,
        ("imagenet-energy-efficiency", "ai-energy-validation", "strep", "timm-benchmark"),
        "`python run.py -m experiment=table3 phases=[test] hardware=a6000`",
        f"Energy: {_list(energies)}. Time: {_list(times)}. Time, without B7 and EfficientNetv2: "
        f"{_list(without)}.",
        _numbers(ranks)
        | {f"{name}, without": agreement.rho for name, agreement in without.items()},
    )


def _limit_says(ranks: dict[str, Rank]) -> str:
    """What a limit on the printed test kWh would say of these machines."""
    rho = [agreement.rho for agreement in ranks.values()]
    above = sum(coefficient >= SAME_ORDER for coefficient in rho)
    if above:
        return f"Of {len(rho)} sets {above} reach a limit of {SAME_ORDER} on the printed test kWh."
    return (
        f"The best of {len(rho)} sets reaches {max(rho):.2f}: a limit of {SAME_ORDER} on the "
        "printed test kWh fails on each of these machines, so failing it says little about a "
        "machine under test."
    )


def _span(ranks: dict[str, Rank], noun: str = "") -> str:
    """`0.66 to 0.85 (7 sets, n 10 to 19)`, or `(2 sets, 45 to 48 rows)`."""
    rho = [agreement.rho for agreement in ranks.values()]
    n = sorted({agreement.n for agreement in ranks.values()})
    many = f"{n[0]} to {n[-1]}" if len(n) > 1 else f"{n[0]}"
    low, high = f"{min(rho):.2f}", f"{max(rho):.2f}"
    count = f"{many} {noun}" if noun else f"n {many}"
    return f"{low if low == high else f'{low} to {high}'} ({len(rho)} sets, {count})"


def _list(ranks: dict[str, Rank]) -> str:
    return ", ".join(f"{_short(name)} {agreement}" for name, agreement in ranks.items())


def _short(name: str) -> str:
    """The set's name without what every such set has: `RTX 5000 PyTorch`."""
    for word in (
        "NVIDIA ",
        "GeForce ",
        "Quadro ",
        "-SXM4-40GB x8",
        " + i9-13900K",
        ", time",
        ", gpu",
        " batch 32",
        " batch 256",
        " TensorFlow batch",
    ):
        name = name.replace(word, " batch" if word.endswith("TensorFlow batch") else "")
    return name.replace("RTX 4090 TensorFlow,", "RTX 4090,").replace("TensorFlow", "TF")


def _numbers(ranks: dict[str, Rank]) -> dict[str, float]:
    return {name: agreement.rho for name, agreement in ranks.items()}
