"""Which accuracy enters an index, and how uncertain it is as a sample of images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.estimates.accuracy import choose
from analysis.records.load import load
from analysis.tables.paper import table
from tests.analysis.sample_records import a_phase, a_record, put


def test_a_mean_iou_measured_with_its_images_has_their_sampling_error() -> None:
    chosen = choose(80.0, 80.2, "miou_pct", 500, 0.7)
    assert chosen is not None
    assert (chosen.value_pct, chosen.half_width_pct, chosen.origin) == (80.0, 0.7, "measured")


@pytest.mark.parametrize(
    ("measured", "half_width", "who"),
    [(80.0, None, "the record does not give"), (None, 0.7, "the paper does not give")],
)
def test_one_without_them_has_none_and_says_who_does_not_give_them(
    measured: float | None, half_width: float | None, who: str
) -> None:
    chosen = choose(measured, 80.2, "miou_pct", 500, half_width)
    assert chosen is not None and chosen.half_width_pct is None
    assert who in chosen.note


def test_the_gqi_of_a_segmentation_row_has_an_interval_then(tmp_path: Path) -> None:
    """PSPNet with a checkpoint on the real set, its mIoU ± 0.7 points over images."""
    test = replace(
        a_phase("test"),
        quality={"miou_pct": 80.0, "miou_half_width_pct": 0.7, "num_test_samples": 500.0},
    )
    stage = {"name": "train", "dataset": "cityscapes", "num_samples": 640_000, "num_epochs": 99}
    record = a_record(
        task="segmentation",
        model="pspnet",
        paper_row="PSPNet (ResNet101)",
        data="cityscapes",
        data_origin="real",
        checkpoint_digest="0" * 16,
        phases={"train": a_phase(), "test": test},
    )
    record = replace(record, recipe=(replace(record.recipe[0], **stage),))
    rows = table(load([put(tmp_path, record)]).frame, "segmentation").set_index("model")
    row = rows.loc["PSPNet (ResNet101)"]
    assert row["estimated_gqi_accuracy"] == "measured"
    by_images = row["estimated_gqi"] * ((80.7 / 80.0) ** 5 - 1)
    assert row["estimated_gqi_half_width"] > by_images > 0
