"""Each estimate beside what others measured: ratios, each set's median taken out, and a mark.

    ratio = estimate / independent          of one row in one set
    normalised = ratio / median ratio       over the networks that both have, five or more

The median takes out what differs between machines (board, precision, batch, host, unit), so a
normalised ratio of 1 says "as expensive as its neighbours" on that machine. Beyond 2 or 0.5 in
most sets, and never beyond in both directions, a row is an outlier. Pure functions over frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from analysis.independent.sets import LEAST_COMMON, IndependentSet, one_a_network
from analysis.published import facts as published

HIGH, LOW = 2.0, 0.5
ESTIMATES = ("model", "phase", "kwh_per_sample")
CHECK = ("model", "phase", "set", "quantity", "scope", "hardware", "source", "runs", "num_common",
         "independent", "ratio", "normalised")  # fmt: skip
MARKS = (
    "model",
    "phase",
    "num_sets",
    "num_high",
    "num_low",
    "least",
    "median",
    "most",
    "scopes",
    "mark",
)
COLUMNS = (
    "independent_j_per_sample",
    "independent_scope",
    "independent_hardware",
    "independent_source",
    "independent_check",
)


def published_estimates() -> pd.DataFrame:
    """The paper's own numbers of Table 3 in `ESTIMATES`: the supervised step that its totals
    imply, and the printed test electricity of 50,000 images."""
    rows = [
        (model, "train", rate.kwh_per_sample)
        for (model, dataset, workload), rate in published.implied_rates().items()
        if dataset == published.IMAGENET and workload == "supervised"
    ]
    table = published.wide(published.IMAGENET)
    num = published.TEST_SAMPLES[published.IMAGENET]
    rows += [
        (model, "test", kwh / num)
        for model, kwh in zip(table["model"], table["test_kwh"], strict=True)
        if pd.notna(kwh)
    ]
    return pd.DataFrame(rows, columns=list(ESTIMATES))


def cross_check(estimates: pd.DataFrame, sets: Iterable[IndependentSet]) -> pd.DataFrame:
    """One row (`CHECK`) per estimate and set of its phase that holds its model.

    `estimates`: columns `ESTIMATES`, of machines and set-ups that compare with each other, each
    model once a phase. A set with fewer than five networks in common is left out.
    """
    rows = []
    for independent in sets:
        ours = estimates[estimates["phase"] == independent.phase].dropna(subset=["kwh_per_sample"])
        ours = ours.drop_duplicates("model").set_index("model")["kwh_per_sample"]
        common = [model for model in ours.index if model in independent.values.index]
        networks = one_a_network(common)
        if len(networks) < LEAST_COMMON:
            continue
        ratios = ours.loc[common] / independent.values.loc[common]
        median = float(ratios.loc[networks].median())
        rows += [
            (
                model,
                independent.phase,
                independent.name,
                independent.quantity,
                independent.scope,
                independent.hardware,
                independent.source,
                independent.runs,
                len(networks),
                float(independent.values[model]),
                float(ratios[model]),
                float(ratios[model]) / median,
            )
            for model in common
        ]
    return pd.DataFrame(rows, columns=list(CHECK))


def marks(check: pd.DataFrame) -> pd.DataFrame:
    """One row (`MARKS`) per model and phase: `high` or `low` beyond 2 or 0.5 in most sets on a
    GPU, `mixed` where sets of any device are beyond in both directions, else empty; `scopes`: whose
    energy those sets read, `device` for a set of times. Sets that were read from the same runs
    count once, by their median."""
    key = ["model", "phase"]
    on_gpu = check[~check["hardware"].str.startswith("CPU")]
    if on_gpu.empty:
        return pd.DataFrame(columns=list(MARKS))
    values = on_gpu.groupby([*key, "runs"], sort=False)["normalised"].median()
    by_row = values.groupby(level=key, sort=False)
    spread = by_row.agg(["size", "min", "median", "max"])
    spread.columns = pd.Index(["num_sets", "least", "median", "most"])
    scopes = on_gpu.groupby(key, sort=False)["scope"].agg(lambda of: ", ".join(sorted(set(of))))
    spread["scopes"] = scopes
    spread["num_high"] = (values > HIGH).groupby(level=key, sort=False).sum()
    spread["num_low"] = (values < LOW).groupby(level=key, sort=False).sum()
    anywhere = check.groupby(key, sort=False)["normalised"].agg(["min", "max"]).loc[spread.index]
    both = (anywhere["max"] > HIGH) & (anywhere["min"] < LOW)
    numbers = zip(both, spread["num_high"], spread["num_low"], spread["num_sets"], strict=True)
    spread["mark"] = ["mixed" if mixed else _mark(*counts) for mixed, *counts in numbers]
    return spread.reset_index()[list(MARKS)]


def _mark(high: int, low: int, num_sets: int) -> str:
    if 2 * high > num_sets:
        return "high"
    return "low" if 2 * low > num_sets else ""


def words(mark: pd.Series) -> str:
    """A row of `marks` in words: `low: 0.16 to 0.25 x its neighbours' ratio in 7 of 7 sets`."""
    beyond = max(mark["num_high"], mark["num_low"])
    text = f"{mark['least']:.2g} to {mark['most']:.2g} x its neighbours' ratio"
    if mark["mark"] in ("high", "low"):
        return f"{mark['mark']}: {text}, beyond in {beyond} of {mark['num_sets']} sets"
    return f"{mark['mark'] or 'in line'}: {text} in {mark['num_sets']} sets"


def columns(
    models: Sequence[str],
    estimates: pd.DataFrame,
    sets: Sequence[IndependentSet],
    preferred: dict[str, str],
) -> pd.DataFrame:
    """`independent_train_*` and `independent_test_*` columns (`COLUMNS`) for tables, indexed by
    `models`. `preferred`: phase -> name of the one energy set whose joules the column shows; one
    set a column, because joules of two scopes or machines are never mixed."""
    table = pd.DataFrame(index=pd.Index(models, name="model"))
    check = marks(cross_check(estimates, sets))
    for phase, name in preferred.items():
        independent = next(each for each in sets if each.name == name and each.phase == phase)
        values = independent.values.reindex(table.index)
        has = values.notna()
        compared = check[check["phase"] == phase].set_index("model")
        text = pd.Series({model: words(row) for model, row in compared.iterrows()}, dtype=object)
        parts = (
            values,
            *(
                pd.Series(word, table.index, dtype=object).where(has)
                for word in (independent.scope, independent.hardware, independent.source)
            ),
            text.reindex(table.index),
        )
        for column, part in zip(COLUMNS, parts, strict=True):
            table[column.replace("independent_", f"independent_{phase}_")] = part
    return table


PREFERRED = {
    "train": "Quadro RTX 5000 PyTorch batch 32, gpu",
    "test": "Quadro RTX 5000 PyTorch batch 32, gpu",
}
"""The paper's batch size and fp32, one board, most of whose rows are busy."""
