"""Ratios to what others measured, freed of the machine by the median, and the mark they earn."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.independent.crosscheck import (
    PREFERRED,
    columns,
    cross_check,
    marks,
    published_estimates,
    words,
)
from analysis.independent.sets import (
    IndependentSet,
    all_sets,
    energy_sets,
    network_of,
    one_a_network,
)

NETWORKS = ("a", "b", "c", "d", "e")


def estimates(**kwh: float) -> pd.DataFrame:
    rows = [(model, "test", value) for model, value in kwh.items()]
    return pd.DataFrame(rows, columns=["model", "phase", "kwh_per_sample"])


def a_set(name: str, runs: str = "", hardware: str = "board", **values: float) -> IndependentSet:
    series = pd.Series(values, dtype=float)
    return IndependentSet(name, "test", "energy", "gpu", hardware, "somebody", runs or name, series)


def test_a_machine_twice_as_hungry_changes_nothing() -> None:
    ours = estimates(a=1, b=2, c=3, d=4, e=15)
    twice = a_set("twice", a=2, b=4, c=6, d=8, e=10)
    check = cross_check(ours, [twice]).set_index("model")
    assert check["ratio"].tolist() == [0.5, 0.5, 0.5, 0.5, 1.5]
    assert check["normalised"].tolist() == [1, 1, 1, 1, 3]
    assert set(check["num_common"]) == {5}


def test_four_networks_in_common_are_too_few() -> None:
    few = a_set("few", a=1, b=1, c=1, d=1)
    assert cross_check(estimates(a=1, b=1, c=1, d=1, e=1), [few]).empty


def check_of(*e: float, cpu: float | None = None) -> pd.Series:
    """The mark of network `e`, whose ratio in each set is one of `e`."""
    base = dict.fromkeys(NETWORKS[:4], 1.0)
    sets = [a_set(f"set {k}", **base, e=1 / ratio) for k, ratio in enumerate(e)]
    if cpu is not None:
        sets.append(a_set("slow", hardware="CPU i7", **base, e=1 / cpu))
    marked = marks(cross_check(estimates(**base, e=1.0), sets)).set_index("model")
    assert (marked.loc[list(NETWORKS[:4]), "mark"] == "").all()
    return marked.loc["e"]


@pytest.mark.parametrize(
    ("ratios", "mark"),
    [
        ((3, 3, 1), "high"),
        ((3, 1, 1), ""),
        ((0.2, 0.4, 1), "low"),
        ((3, 0.2, 3), "mixed"),
        ((3, 1), ""),
    ],
)
def test_most_sets_must_be_beyond_and_none_the_other_way(
    ratios: tuple[float, ...], mark: str
) -> None:
    assert check_of(*ratios)["mark"] == mark


def test_a_cpu_has_no_vote_but_may_contradict() -> None:
    assert check_of(1, 1, cpu=5)["mark"] == ""
    assert check_of(0.2, 0.2, cpu=5)["mark"] == "mixed"


def test_two_meters_on_the_same_runs_count_once() -> None:
    base = dict.fromkeys(NETWORKS[:4], 1.0)
    sets = [
        a_set("sensor", "runs", **base, e=0.1),
        a_set("wall", "runs", **base, e=0.1),
        a_set("other", **base, e=1.0),
        a_set("third", **base, e=1.0),
    ]
    row = marks(cross_check(estimates(**base, e=1.0), sets)).set_index("model").loc["e"]
    assert (row["num_sets"], row["num_high"], row["mark"]) == (3, 1, "")


def test_pre_training_and_window_do_not_make_a_network() -> None:
    networks = network_of()
    assert networks["ViT-B-JFT"] == networks["ViT-B-MAE"] == "vit_base_patch16_224"
    assert one_a_network(["Swin-v2-B", "Swin-v2-B+PT on Im21k", "mine"]) == ["Swin-v2-B", "mine"]


def test_scopes_are_never_in_one_set() -> None:
    for one in energy_sets():
        assert one.name.endswith(one.scope)
    sensors = [one for one in energy_sets() if "4090 + i9-13900K TensorFlow batch 16" in one.name]
    assert {one.scope for one in sensors} == {"cpu+gpu+ram", "wall"}
    assert len({one.runs for one in sensors}) == 1


def test_rows_near_idle_power_are_not_in_a_cross_check() -> None:
    names = {one.name for one in all_sets() if one.phase == "test"}
    assert not any("A100" in name for name in names)


def test_the_papers_outliers_are_those_that_were_found_by_hand() -> None:
    marked = marks(cross_check(published_estimates(), all_sets())).set_index(["phase", "model"])
    test = marked.loc["test"]
    assert set(test.index[test["mark"] == "high"]) == {
        "EfficientNet B0",
        "ResNet18",
        "DeIT-S-300Ep",
        "DeIT-S-1000Ep",
    }
    assert set(test.index[test["mark"] == "low"]) == {
        "MobileNetv2",
        "EfficientNet B7",
        "EfficientNetv2 S",
        "EfficientNetv2 M",
        "EfficientNetv2 L",
    }
    assert test.loc["EfficientFormer-v2-s0", "mark"] == "mixed"
    b7 = test.loc["EfficientNet B7"]
    assert (b7["least"], b7["most"], b7["num_sets"]) == (
        pytest.approx(0.16, abs=0.005),
        pytest.approx(0.45, abs=0.005),
        8,
    )
    assert words(b7).startswith("low: 0.16 to 0.45 x")


def test_a_table_gets_one_scope_a_column() -> None:
    table = columns(["ResNet50", "ViT-H-JFT"], published_estimates(), all_sets(), PREFERRED)
    row = table.loc["ResNet50"]
    assert row["independent_train_j_per_sample"] == pytest.approx(
        0.42510 * 3.6e6 / 1281167, rel=1e-4
    )
    assert row["independent_train_scope"] == row["independent_test_scope"] == "gpu"
    assert row["independent_test_check"].startswith("in line")
    absent = table.loc["ViT-H-JFT"].filter(like="independent_train_")
    assert absent.drop("independent_train_check").isna().all(), "nobody measured it there"
