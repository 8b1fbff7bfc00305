from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.estimates.accounting import Costs, published_estimate
from analysis.estimates.merge import merge
from analysis.published import facts as published
from analysis.records.load import load
from metering.record import ModelFacts, Stage
from tests.analysis.sample_records import IMAGES, TRAIN, a_phase, a_record, put

KNOWN = [key for key, recipe in published.paper_recipes().items() if not recipe.is_weak]
TABLE3 = [model for model, dataset in KNOWN if dataset == published.IMAGENET]


def test_the_paper_accounting_covers_all_but_the_undetermined_rows_of_table_3():
    rows = set(published.wide(published.IMAGENET)["model"])
    assert rows - set(TABLE3) == {"MobileNetv2", "MobileNet v3"}


@pytest.mark.parametrize(("model", "dataset"), KNOWN, ids=lambda name: name)
def test_the_paper_accounting_reproduces_the_printed_total(model: str, dataset: str):
    """From the implied kWh per epoch, within 0.5 %. Rows that are one network under several
    recipes share one implied rate, so a wrong recipe of either would show."""
    estimated = published_estimate(model, dataset)
    assert estimated.kwh is not None
    printed = published.value(model, dataset, "train_kwh")
    assert estimated.kwh.value == pytest.approx(printed, rel=0.005)


def _costs(folder: Path, *records, accounting: str = "source"):
    merged = merge(load([put(folder, *records)]).frame)
    return Costs(merged, accounting), merged  # type: ignore[arg-type]


def test_source_accounting_is_the_records_recipe_and_set_up(tmp_path: Path):
    costs, [one] = _costs(tmp_path, a_record())
    estimated = costs.estimate(one)
    assert estimated.kwh is not None
    assert estimated.kwh.value == pytest.approx(300 * IMAGES * 1e-6 + 1e-4)
    assert estimated.kwh.half_width == pytest.approx(300 * IMAGES * 2e-8)


def test_paper_accounting_uses_the_papers_epochs(tmp_path: Path):
    recipe = (Stage("train", num_samples=IMAGES, num_epochs=120),)
    record = a_record(model="resnet18", paper_row="ResNet18", recipe=recipe)
    costs, [one] = _costs(tmp_path, record, accounting="paper")
    estimated = costs.estimate(one)
    assert estimated.kwh is not None
    assert estimated.kwh.value == pytest.approx(60 * IMAGES * 1e-6)


SEGMENTATION = {
    "task": "segmentation",
    "model": "pspnet",
    "paper_row": "PSPNet (ResNet101)",
    "data": "cityscapes",
    "batch_size": 8,
    "recipe": (
        Stage("backbone", row="ResNet101"),
        Stage("train", dataset="cityscapes", num_samples=2975, num_epochs=100),
    ),
}


def test_a_backbone_that_was_not_measured_is_published_and_marked(tmp_path: Path):
    costs, [one] = _costs(tmp_path, a_record(**SEGMENTATION))
    estimated = costs.estimate(one)
    assert estimated.kwh is not None
    assert estimated.kwh.value == pytest.approx(41.694 + 2975 * 100 * 1e-6 + 1e-4)
    assert not estimated.is_measured
    assert "ResNet101 published, not measured here" in estimated.notes


def test_a_backbone_measured_on_the_same_hardware_is_used(tmp_path: Path):
    backbone = a_record(model="resnet101", paper_row="ResNet101")
    costs, merged = _costs(tmp_path, a_record(**SEGMENTATION), backbone)
    estimated = costs.estimate(next(one for one in merged if one.setup.asked.model == "pspnet"))
    assert estimated.kwh is not None
    assert estimated.kwh.value == pytest.approx(300 * IMAGES * 1e-6 + 2975 * 100 * 1e-6 + 2e-4)
    assert estimated.is_measured


def test_a_backbone_measured_elsewhere_is_not_used(tmp_path: Path):
    backbone = a_record(model="resnet101", paper_row="ResNet101", device="Tesla V100")
    costs, merged = _costs(tmp_path, a_record(**SEGMENTATION), backbone)
    estimated = costs.estimate(next(one for one in merged if one.setup.asked.model == "pspnet"))
    assert not estimated.is_measured


def test_a_row_that_needs_itself_ends(tmp_path: Path):
    record = a_record(recipe=(TRAIN, Stage("again", row="Swin-T")))
    costs, [one] = _costs(tmp_path, record)
    assert "row Swin-T is not known" in costs.estimate(one).missing[0]


def test_the_pretraining_workload_is_another_record(tmp_path: Path):
    recipe = (
        Stage("pretrain", workload="mae", num_samples=IMAGES, num_epochs=1600),
        Stage("finetune", num_samples=IMAGES, num_epochs=100),
    )
    shared = {"model": "vit_b_mae", "paper_row": "ViT-B-MAE", "recipe": recipe}
    supervised = a_record(**shared)
    costs, [one] = _costs(tmp_path / "a", supervised)
    assert "stage=mae" in costs.estimate(one).missing[0]
    mae = a_record(**shared, stage="mae", phases={"train": a_phase(kwh_per_sample=5e-7)})
    costs, [one] = _costs(tmp_path / "b", supervised, mae)
    estimated = costs.estimate(one)
    assert estimated.kwh is not None
    assert estimated.kwh.value == pytest.approx((1600 * 5e-7 + 100 * 1e-6) * IMAGES + 2e-4)


PRETRAINED = {
    "model": "vit_b_in21k",
    "paper_row": "ViT-B-Im21k",
    "recipe": (
        Stage("pretrain", dataset="imagenet21k", num_samples=14 * IMAGES, num_epochs=90),
        Stage("finetune", dataset="imagenet1k", num_samples=IMAGES, num_epochs=8),
    ),
}
DISTILLED = {
    "model": "deit_t",
    "paper_row": "DeIT-T-300Ep",
    "recipe": (TRAIN, Stage("teacher", row="RegNetY-16GF")),
}


@pytest.mark.parametrize(
    ("row", "stage", "costly", "cheap"),
    [(PRETRAINED, "pretrain", 14 * 90, 8), (DISTILLED, "distill", 300, 0)],
)
def test_a_stages_own_step_is_used_where_it_was_measured_and_said(
    tmp_path: Path, row: dict[str, Any], stage: str, costly: float, cheap: float
):
    teacher = 0.0 if row is PRETRAINED else 136.05
    set_up = 1e-4 * sum(one.row is None for one in row["recipe"])
    supervised = a_record(**row)
    costs, [one] = _costs(tmp_path / "a", supervised)
    estimated = costs.estimate(one)
    assert any(f"stage={stage} was not measured" in note for note in estimated.notes)
    assert estimated.kwh is not None
    assert estimated.kwh.value == pytest.approx((costly + cheap) * 1e-6 * IMAGES + set_up + teacher)
    own = a_record(**row, stage=stage, phases={"train": a_phase(kwh_per_sample=3e-6)})
    costs, [one] = _costs(tmp_path / "b", supervised, own)
    estimated = costs.estimate(one)
    assert any(f"its own step was measured (stage={stage})" in note for note in estimated.notes)
    assert estimated.kwh is not None
    expected = (costly * 3e-6 + cheap * 1e-6) * IMAGES + set_up + teacher
    assert estimated.kwh.value == pytest.approx(expected)


def test_the_papers_accounting_prices_pretraining_at_supervised_steps(tmp_path: Path):
    own = a_record(**PRETRAINED, stage="pretrain", phases={"train": a_phase(kwh_per_sample=3e-6)})
    put(tmp_path, a_record(**PRETRAINED), own)
    [one] = merge(load([str(tmp_path)]).frame)
    estimated = Costs([one], "paper").estimate(one)
    assert estimated.kwh is not None
    assert estimated.kwh.value == pytest.approx((997.2 + 7) * 1e-6 * IMAGES)


def test_a_pretraining_networks_size_is_not_the_models(tmp_path: Path):
    bigger = a_record(
        **PRETRAINED,
        stage="pretrain",
        started_at="2024-02-01T00:00:00.000+00:00",
        facts=ModelFacts(params_m=111.9, input_shape=(3, 224, 224)),
    )
    _, [one] = _costs(tmp_path, a_record(**PRETRAINED), bigger)
    assert (one.params_m, one.gmacs) == (86.568, 4.491)


def _segmenter(folder: Path, **lender: Any):
    """The estimate of a row that borrows its backbone from another, as `lender` says of it."""
    backbone = a_record(model="resnet101", paper_row="ResNet101", **lender)
    costs, merged = _costs(folder, a_record(**SEGMENTATION), backbone)
    return costs.estimate(next(one for one in merged if one.task == "segmentation"))


@pytest.mark.parametrize(
    "unlike",
    [
        {"input_size": (64, 64)},
        {"precision": "bf16"},
        {"data_origin": "real"},
        {"data_fraction": 0.1},
        {"scale": "small"},
        {"num_devices": 2},
        {"channels_last": False},
    ],
    ids=lambda unlike: next(iter(unlike)),
)
def test_a_cost_is_borrowed_only_from_a_set_up_that_is_alike(tmp_path: Path, unlike: dict):
    assert _segmenter(tmp_path / "a").is_measured
    assert not _segmenter(tmp_path / "b", **unlike).is_measured


def test_a_published_part_has_no_interval_and_its_share_is_shown(tmp_path: Path):
    costs, [one] = _costs(tmp_path, a_record(**SEGMENTATION))
    estimated = costs.estimate(one)
    assert estimated.kwh is not None and estimated.kwh.half_width is None
    own = 2975 * 100 * 1e-6 + 1e-4
    assert estimated.published_kwh == pytest.approx(41.694)
    assert estimated.published_share == pytest.approx(41.694 / (41.694 + own))


def test_a_borrowed_row_brings_its_published_part_along(tmp_path: Path):
    """The Segmenter's backbone was measured; the backbone's teacher was not."""
    recipe = (TRAIN, Stage("teacher", row="RegNetY-16GF"))
    estimated = _segmenter(tmp_path, recipe=recipe)
    assert not estimated.is_measured
    assert estimated.published_kwh == pytest.approx(136.05)
    assert estimated.kwh is not None and estimated.kwh.half_width is None


def test_a_recipe_of_another_data_set_gives_no_estimate(tmp_path: Path):
    costs, [one] = _costs(tmp_path, a_record(data="birds", data_origin="own", paper_row=None))
    assert costs.estimate(one).missing == (
        "the recipe is one for ImageNet-1k, the run's data are birds: give your training in "
        "model.recipe, with dataset: birds",
    )
