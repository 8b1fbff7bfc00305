"""One thing takes more than another only when the interval of their ratio says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.claims.claim import FAILS, HOLDS, OPEN, Claim
from analysis.claims.cost import batch_size, larger_sets, self_supervision
from analysis.estimates.merge import merge
from analysis.records.load import load
from metering.record import Record, Stage
from tests.analysis.sample_records import a_phase, a_record, put

SCRATCH = Stage("train", dataset="imagenet1k", num_samples=1_000_000, num_epochs=300)
LARGER = (
    Stage("pretrain", dataset="imagenet21k", num_samples=10_000_000, num_epochs=90),
    Stage("finetune", dataset="imagenet1k", num_samples=1_000_000, num_epochs=30),
)
MASKED = (
    Stage("pretrain", workload="mae", dataset="imagenet1k", num_samples=1_000_000, num_epochs=800),
    Stage("finetune", dataset="imagenet1k", num_samples=1_000_000, num_epochs=100),
)


def measured(folder: Path, *records: Record) -> Any:
    return merge(load([put(folder, *records)]).frame)


def runs_of(batch: int, kwh: float, half_width: float, **more: Any) -> Record:
    phases = {"test": a_phase("test", kwh, half_width, batch_size=batch)}
    return a_record(batch_size=batch, phases=phases, **more)


@pytest.mark.parametrize(
    ("half_width", "shown", "verdict"),
    [
        (1e-9, "1.25 x (1.25 to 1.25)", HOLDS),
        (1e-8, "1.25 x (1.21 to 1.29)", HOLDS),
        (2e-7, "1.25 x (0.65 to 2.68)", OPEN),
    ],
)
def test_a_smaller_batch_takes_more_beyond_the_interval(
    tmp_path: Path, half_width: float, shown: str, verdict: str
) -> None:
    runs = runs_of(8, 5e-7, half_width), runs_of(32, 4e-7, half_width)
    claim = batch_size(measured(tmp_path, *runs))
    assert f"Swin-T: {shown} at 8 over 32" in claim.shown
    assert claim.verdict == verdict


def test_a_ratio_of_two_days_says_so(tmp_path: Path) -> None:
    later = {"started_at": "2024-01-02T00:00:00+00:00", "ended_at": "2024-01-02T00:05:00+00:00"}
    runs = runs_of(8, 5e-7, 1e-9), runs_of(32, 4e-7, 1e-9, **later)
    claim = batch_size(measured(tmp_path, *runs))
    assert "at 8 over 32, measured apart" in claim.shown


def test_a_larger_batch_that_takes_more_refutes_it(tmp_path: Path) -> None:
    claim = batch_size(measured(tmp_path, runs_of(8, 4e-7, 1e-9), runs_of(32, 5e-7, 1e-9)))
    assert claim.verdict == FAILS


@pytest.mark.parametrize(
    "other",
    [
        {"precision": "bf16"},
        {"input_size": (64, 64)},
        {"cpu_model": "Xeon"},
        {"device": "Tesla V100-SXM2-32GB"},
    ],
)
def test_batch_sizes_are_compared_within_one_set_up(tmp_path: Path, other: dict[str, Any]) -> None:
    claim = batch_size(measured(tmp_path, runs_of(8, 5e-7, 1e-9), runs_of(32, 4e-7, 1e-9, **other)))
    assert claim.shown == "nothing yet"


def trained(name: str, recipe: tuple[Stage, ...], stage: str, kwh: float, **more: Any) -> Record:
    phases = {"train": a_phase("train", kwh, kwh / 50)}
    return a_record(
        model=name, paper_row=name, recipe=recipe, stage=stage, phases=phases, scale="small", **more
    )


def larger(folder: Path, rate: float) -> Claim:
    """ViT-B at 1e-6 kWh an image, its pre-training step at `rate`."""
    return larger_sets(
        measured(
            folder,
            trained("ViT-B-scratch", (SCRATCH,), "supervised", 1e-6),
            trained("ViT-B-Im21k", LARGER, "pretrain", rate),
            trained("ViT-B-Im21k", LARGER, "supervised", 1e-6),
        )
    )


def test_pre_training_is_priced_at_its_own_step(tmp_path: Path) -> None:
    claim = larger(tmp_path, 1.1e-6)
    # (900 M x 1.1e-6 + 30 M x 1e-6) / (300 M x 1e-6) = 3.4
    assert "ViT-B-Im21k over ViT-B-scratch: 3.4 x" in claim.shown
    assert claim.verdict == HOLDS


def test_cheap_pre_training_refutes_it(tmp_path: Path) -> None:
    assert larger(tmp_path, 0.1e-6).verdict == FAILS


@pytest.mark.parametrize(
    ("rate", "share", "verdict"), [(2e-6, "94.1%", HOLDS), (1e-6, "88.9%", FAILS)]
)
def test_the_share_of_pre_training(tmp_path: Path, rate: float, share: str, verdict: str) -> None:
    claim = self_supervision(
        measured(
            tmp_path,
            trained("ViT-B-MAE", MASKED, "mae", rate),
            trained("ViT-B-MAE", MASKED, "supervised", 1e-6),
        )
    )
    assert f"ViT-B-MAE: {share}" in claim.shown
    assert claim.verdict == verdict


def test_a_stage_that_was_not_measured_leaves_the_claim_open(tmp_path: Path) -> None:
    runs = measured(tmp_path, trained("ViT-B-MAE", MASKED, "mae", 1e-6))
    assert self_supervision(runs).shown == "nothing yet"
