"""Tables 1, 2 and 3: DataFrames in which published, measured and estimated never share a column.

A column's prefix says which it is; `footnotes` maps a column to what must be said of the
number in it. A row of the paper without a measurement has empty measured and estimated cells;
a row measured under several set-ups appears once for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.estimates import metrics, net, wall
from analysis.estimates.accounting import Accounting, Costs
from analysis.estimates.merge import Measured, merge
from analysis.published import facts as published

SETUP_COLUMNS = ("hardware", "batch_size", "precision", "data", "variant", "scale")
_PUBLISHED = ("gmacs", "params_m", "train_kwh", "top1_pct", "miou_pct", "gqi", "test_kwh")
_MEASURED = (
    "gmacs", "views", "test_gmacs", "params_m", "accuracy_pct",
    "train_kwh_per_sample", "train_half_width",
    "test_kwh_per_sample", "test_half_width", "train_s_per_sample",
    "train_wall_kwh_per_sample", "num_records", "sensors",
)  # fmt: skip
_ESTIMATED = (
    "train_kwh", "train_kwh_half_width", "gqi", "gqi_half_width", "rank_stability",
    "test_kwh", "test_kwh_half_width", "train_wall_kwh", "train_wall_kwh_half_width",
)  # fmt: skip
EXTRA_COLUMNS = (
    "measured_samples_per_kwh", "estimated_top1_per_kwh", "estimated_train_kg_co2eq",
    "estimated_pareto", "published_top1_per_kwh", "published_pareto",
    *net.COLUMNS,
)  # fmt: skip
"""Shown where `--columns` names them."""


@dataclass(frozen=True)
class Options:
    """accounting: which recipe; evaluations, checkpoints: so many per epoch are added to an
    estimate; alpha, beta: of GQI; num_draws: of the rank stability."""

    accounting: Accounting = "source"
    alpha: float = metrics.ALPHA
    beta: float = metrics.BETA
    num_draws: int = 2_000
    evaluations: float = 0.0
    checkpoints: float = 0.0

    def costs(self, merged: list[Measured]) -> Costs:
        return Costs(merged, self.accounting, self.evaluations, self.checkpoints)


def table1(frame: pd.DataFrame, options: Options = Options()) -> pd.DataFrame:
    """Segmentation: Cityscapes and ADE20K. `frame` is what `load` gives."""
    return _table(frame, "segmentation", (published.CITYSCAPES, published.ADE20K), options)


def table2(frame: pd.DataFrame, options: Options = Options()) -> pd.DataFrame:
    """Action recognition: Something-Something V2 and Kinetics-400."""
    return _table(frame, "action_recognition", (published.SSV2, published.K400), options)


def table3(frame: pd.DataFrame, options: Options = Options()) -> pd.DataFrame:
    """Classification on ImageNet-1k."""
    return _table(frame, "classification", (published.IMAGENET,), options)


def all_tables(frame: pd.DataFrame, options: Options = Options()) -> dict[str, pd.DataFrame]:
    """The three tables by name; the records are merged once."""
    merged = merge(frame)
    costs = options.costs(merged)
    return {
        name: _build(merged, costs, task, datasets, options)
        for name, task, datasets in (
            ("table1", "segmentation", (published.CITYSCAPES, published.ADE20K)),
            ("table2", "action_recognition", (published.SSV2, published.K400)),
            ("table3", "classification", (published.IMAGENET,)),
        )
    }


def _table(
    frame: pd.DataFrame, task: str, datasets: Sequence[str], options: Options
) -> pd.DataFrame:
    merged = merge(frame)
    return _build(merged, options.costs(merged), task, datasets, options)


def _build(
    merged: Iterable[Measured], costs: Costs, task: str, datasets: Sequence[str], options: Options
) -> pd.DataFrame:
    measured: dict[tuple[str, str], list[Measured]] = {}
    for one in merged:
        if one.key.task == task:
            name = one.key.paper_row or one.key.model
            measured.setdefault((name, one.key.dataset), []).append(one)
    rows: list[dict[str, Any]] = []
    for printed in published.wide(*datasets).to_dict("records"):
        key = (printed["model"], printed["dataset"])
        base = _published(printed, options)
        for one in measured.pop(key, []):
            rows.append(_filled(base, one, costs, options))
        if not rows or (rows[-1]["model"], rows[-1]["dataset"]) != key:
            rows.append(base)
    for (name, dataset), some in measured.items():
        base = {"model": name, "dataset": dataset, "footnotes": {}}
        rows.extend(_filled(base, one, costs, options) for one in some)
    return _finished(pd.DataFrame(rows, columns=_columns(task)), options)


def _columns(task: str) -> list[str]:
    accuracy = "miou_pct" if task == "segmentation" else "top1_pct"
    other = "top1_pct" if task == "segmentation" else "miou_pct"
    shown = [name for name in _PUBLISHED if name != other]
    assert accuracy in shown
    return [
        "dataset",
        "model",
        *SETUP_COLUMNS,
        *(f"published_{name}" for name in shown),
        *(f"measured_{name}" for name in _MEASURED),
        *(f"estimated_{name}" for name in _ESTIMATED),
        *EXTRA_COLUMNS,
        "footnotes",
    ]


def _published(printed: dict[Any, Any], options: Options) -> dict[str, Any]:
    key = (printed["model"], printed["dataset"])
    row: dict[str, Any] = {"model": key[0], "dataset": key[1]}
    for name in _PUBLISHED:
        if name in printed:
            row[f"published_{name}"] = printed[name]
    row["footnotes"] = {
        f"published_{name}": n for name, n in published.notes().get(key, {}).items()
    }
    top1, kwh = printed.get("top1_pct"), printed.get("train_kwh")
    if top1 is not None and kwh is not None and pd.notna(top1) and pd.notna(kwh):
        row["published_top1_per_kwh"] = metrics.top1_per_kwh(top1, kwh)
    return row


def _filled(base: dict[str, Any], one: Measured, costs: Costs, options: Options) -> dict[str, Any]:
    """`base` with what `one` measured and what follows from it."""
    row = base | {name: getattr(one.key, name) for name in SETUP_COLUMNS}
    notes = dict(base["footnotes"])
    row |= {
        "measured_gmacs": one.gmacs,
        "measured_params_m": one.params_m,
        "measured_accuracy_pct": one.quality_pct,
    }
    if one.key.task == "action_recognition" and one.views is not None:
        row |= {
            "measured_views": one.views,
            "measured_test_gmacs": one.gmacs and one.gmacs * one.views,
        }
    own = "; ".join(one.notes)
    if one.key.scale == "small":
        own = "; ".join(filter(None, ("small: a scaled-down study, not the paper's set-up", own)))
    if one.key.kind == "codecarbon":
        own = "; ".join(filter(None, ("CodeCarbon alone: warm-up included, no interval", own)))
    if own:
        notes["model"] = own
    train = _train_rate(one)
    if train is not None:
        row |= {
            "measured_train_kwh_per_sample": train.kwh_per_sample,
            "measured_train_half_width": train.half_width,
            "measured_train_s_per_sample": train.s_per_sample,
            "measured_num_records": train.num_records,
            "measured_sensors": train.sensors,
            "measured_samples_per_kwh": metrics.samples_per_kwh(train.kwh_per_sample),
        } | net.columns("train", train, notes)
    test = next((rate for (_, phase), rate in one.rates.items() if phase == "test"), None)
    if test is not None:
        samples = published.TEST_SAMPLES.get(one.key.dataset)
        row |= {
            "measured_test_kwh_per_sample": test.kwh_per_sample,
            "measured_test_half_width": test.half_width,
            "estimated_test_kwh": samples and samples * test.kwh_per_sample,
            "estimated_test_kwh_half_width": (
                samples * test.half_width if samples and test.half_width is not None else None
            ),
        } | net.columns("test", test, notes)
    row |= _estimated(base, one, costs, options, notes)
    return row | {"footnotes": notes}


def _train_rate(one: Measured) -> Any:
    trained = {stage: rate for (stage, phase), rate in one.rates.items() if phase == "train"}
    return trained.get("supervised") or next(iter(trained.values()), None)


def _estimated(
    base: dict[str, Any], one: Measured, costs: Costs, options: Options, notes: dict[str, str]
) -> dict[str, Any]:
    found = costs.estimate(one)
    if found.notes:
        notes["estimated_train_kwh"] = "; ".join(found.notes)
    train = _train_rate(one)
    num_nodes = one.key.num_nodes or 1
    if found.kwh is None:
        return wall.columns(one.wall_meter, train, num_nodes)
    kwh, half_width = found.kwh.value, found.kwh.half_width
    accuracy = base.get("published_miou_pct", base.get("published_top1_pct"))
    if accuracy is None or pd.isna(accuracy):
        accuracy = one.quality_pct
        if accuracy is not None:
            notes["estimated_gqi"] = "with the accuracy measured here; none is published"
    index = metrics.gqi(accuracy, kwh, half_width, alpha=options.alpha, beta=options.beta)
    if index.note and accuracy is not None:
        notes["estimated_gqi"] = index.note
    per_kwh = train and train.emissions_kg_co2eq_per_sample
    return wall.columns(one.wall_meter, train, num_nodes, kwh, half_width) | {
        "estimated_train_kwh": kwh,
        "estimated_train_kwh_half_width": half_width,
        "estimated_gqi": index.value,
        "estimated_gqi_half_width": index.half_width,
        "estimated_top1_per_kwh": accuracy and metrics.top1_per_kwh(accuracy, kwh),
        "estimated_train_kg_co2eq": per_kwh and per_kwh / train.kwh_per_sample * kwh,
    }


def _finished(table: pd.DataFrame, options: Options) -> pd.DataFrame:
    """Numbers as floats, and the columns that look at all rows of a data set at once."""
    for name in table.columns:
        if name.startswith(("published_", "measured_", "estimated_")) and name not in (
            "measured_sensors",
            "estimated_pareto",
            "published_pareto",
        ):
            table[name] = table[name].astype(float)
        elif name.endswith("_pareto"):
            table[name] = table[name].astype(object)
    accuracy = next(name for name in table.columns if name in _ACCURACY)
    same = ["dataset", "hardware", "batch_size", "precision", "data", "scale"]
    for _, at in table.groupby(same, sort=False, dropna=False).indices.items():
        group = table.iloc[at]
        stability = metrics.rank_stability(
            group["estimated_gqi"].tolist(),
            group["estimated_gqi_half_width"].tolist(),
            num_draws=options.num_draws,
        )
        _put(table, "estimated_rank_stability", at, pd.Series(stability, dtype=float))
        front = metrics.pareto_front(
            group[accuracy].tolist(), group["estimated_train_kwh"].tolist()
        )
        _put(table, "estimated_pareto", at, pd.Series(front, dtype=object))
    # a published row repeated for several set-ups is one point
    for _, at in table.groupby("dataset", sort=False).indices.items():
        group = table.iloc[at]
        front = metrics.pareto_front(
            group[accuracy].tolist(), group["published_train_kwh"].tolist()
        )
        _put(table, "published_pareto", at, pd.Series(front, dtype=object))
    return table


def _put(table: pd.DataFrame, column: str, at: Any, values: pd.Series) -> None:
    table.loc[table.index[at], column] = values.to_numpy()


_ACCURACY = ("published_top1_pct", "published_miou_pct")
DIFFED = ("train_kwh", "test_kwh", "gqi", "params_m", "gmacs")


def diff(table: pd.DataFrame, tolerance_pct: float = 10.0) -> pd.DataFrame:
    """What was measured or estimated here against what is published, relative, percent.

    `flag` names the quantities that differ by more than `tolerance_pct`, and says `within`
    where the published training electricity lies inside our interval.
    """
    rows = table[table["hardware"].notna()].copy()
    for name in DIFFED:
        ours = f"estimated_{name}" if f"estimated_{name}" in rows else f"measured_{name}"
        rows[f"diff_{name}_pct"] = 100 * (rows[ours] / rows[f"published_{name}"] - 1)
    flags = []
    for row in rows.to_dict("records"):
        over = [name for name in DIFFED if abs(row[f"diff_{name}_pct"]) > tolerance_pct]
        said = ", ".join(f"{name} differs" for name in over)
        half_width = row["estimated_train_kwh_half_width"]
        distance = abs(row["estimated_train_kwh"] - row["published_train_kwh"])
        if half_width is not None and distance <= half_width:
            said = ", ".join(filter(None, (said, "within")))
        flags.append(said)
    rows["flag"] = flags
    kept = ["dataset", "model", *SETUP_COLUMNS]
    for name in DIFFED:
        ours = f"estimated_{name}" if f"estimated_{name}" in rows else f"measured_{name}"
        kept += [f"published_{name}", ours, f"diff_{name}_pct"]
    return rows[[*kept, "flag", "footnotes"]].reset_index(drop=True)
