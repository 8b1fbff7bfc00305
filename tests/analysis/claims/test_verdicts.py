"""Each claim gets its own numbers and a verdict that follows from them; silence stays silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.claims.verdicts import Claim, claims, markdown
from analysis.estimates.validate import Prediction
from analysis.figures.frames import STAGE_COLUMNS, Frames
from analysis.figures.gather import frames
from analysis.records.load import load
from tests.analysis.figures.test_figures import EPOCH, run
from tests.analysis.sample_records import a_phase, a_record, put


def about(place: str, predictions: tuple[Prediction, ...] = (), **parts: Any) -> Claim:
    """The claim made at `place`, when only `parts` were measured."""
    known = {name: frame for name, frame in parts.items() if frame is not None}
    found = claims(Frames(**known), predictions)
    [one] = [claim for claim in found if claim.place == place]
    return one


def runs(*each: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(each))


def bent(num_epochs: int, first: float) -> dict[str, Any]:
    """A training whose first epoch costs `first` times each later one."""
    per_epoch = np.asarray([first, *[1.0] * (num_epochs - 1)])
    return {
        "curve_samples": tuple(EPOCH * np.arange(1, num_epochs + 1)),
        "curve_kwh": tuple(np.cumsum(per_epoch)),
    }


def test_without_records_nothing_is_claimed_to_hold() -> None:
    found = claims(Frames(), ())
    assert len(found) == 10
    assert {(claim.verdict, claim.measured) for claim in found} == {("not measured", "nothing yet")}


@pytest.mark.parametrize(
    ("first", "error", "holds"), [(1.0, "+0.0%", True), (1.5, "+42.9%", False)]
)
def test_one_epoch_is_enough_when_the_epochs_cost_alike(
    first: float, error: str, holds: bool
) -> None:
    measured = runs(run(**bent(10, first)))
    claim = about("A.4.1", runs=measured)
    assert f"10 x the first epoch errs by {error}" in claim.measured
    assert claim.holds is holds
    assert about("A.4.1, Figure 7", runs=measured).holds, "a dear first epoch is an offset"


def test_a_share_of_the_data_is_scaled_up_and_compared() -> None:
    small = run(fraction=0.01, num_epoch_samples=100, curve_samples=(50, 100), curve_kwh=(1.2, 2.4))
    half = run(
        fraction=0.5, num_epoch_samples=5_000, curve_samples=(2_500, 5_000), curve_kwh=(50.0, 100.0)
    )
    whole = run(
        fraction=1.0,
        num_epoch_samples=10_000,
        curve_samples=(5_000, 10_000),
        curve_kwh=(100.0, 200.0),
    )
    claim = about("A.4.2", runs=runs(small, half, whole))
    assert "1% of the data scaled up errs by +20.0%" in claim.measured
    assert claim.holds is False
    line = about("A.4.2, Figure 8", runs=runs(small, half, whole))
    assert line.holds and "R2 1.00000" in line.measured
    assert about("A.4.2", runs=runs(small, whole)).holds is None, "two points always fit"


@pytest.mark.parametrize(("half_width", "holds"), [(1e-9, True), (2e-7, False)])
def test_a_smaller_batch_takes_more_only_beyond_the_interval(
    half_width: float, holds: bool
) -> None:
    one = {"phase": "test", "half_width_kwh_per_sample": half_width}
    claim = about(
        "A.3, Figure 6",
        runs=runs(
            run(batch_size=8, kwh_per_sample=5e-7, **one),
            run(batch_size=32, kwh_per_sample=4e-7, **one),
        ),
    )
    assert "1.25 ± " in claim.measured and "at 8 over 32" in claim.measured
    assert claim.holds is holds


@pytest.mark.parametrize(("order", "holds"), [((1, 2, 3), True), ((3, 1, 2), False)])
def test_hardware_keeps_the_order_of_networks_or_not(order: tuple[int, ...], holds: bool) -> None:
    here = [run(model=f"net{k}", kwh_per_sample=k * 1e-7) for k in (1, 2, 3)]
    there = [
        run(model=f"net{k}", kwh_per_sample=place * 2e-7, device="NVIDIA A100")
        for k, place in zip((1, 2, 3), order, strict=True)
    ]
    claim = about("A.2, Figure 5", runs=runs(*here, *there))
    assert claim.holds is holds and "3 networks" in claim.measured


def test_runs_that_differ_in_more_than_the_device_are_not_compared() -> None:
    here = [run(model=f"net{k}") for k in (1, 2, 3)]
    there = [run(model=f"net{k}", device="NVIDIA A100", batch_size=8) for k in (1, 2, 3)]
    assert about("A.2, Figure 5", runs=runs(*here, *there)).holds is None


@pytest.mark.parametrize("other", [{"variant": "64 px"}, {"precision": "bf16"}])
def test_batch_sizes_are_compared_within_one_set_up(other: dict[str, Any]) -> None:
    small, large = run(phase="test", batch_size=8), run(phase="test", batch_size=32, **other)
    assert about("A.3, Figure 6", runs=runs(small, large)).holds is None


def test_the_share_of_pre_training_is_of_training_alone() -> None:
    parts = {"pre-training": 80.0, "fine-tuning": 20.0, "inference": 1e3}
    rows = [("ViT-B-MAE", "estimated", *part, "measured rate", True) for part in parts.items()]
    claim = about("5.5, Figure 4", stages=pd.DataFrame(rows, columns=list(STAGE_COLUMNS)))
    assert claim.measured == "ViT-B-MAE: 80.0 %" and claim.holds is False


def test_the_order_of_networks_stands_beside_the_printed_one(tmp_path: Path) -> None:
    networks = (("MobileNetv2", 1e-7), ("ResNet50", 2e-7), ("Swin-T", 3e-7), ("Swin-B", 4e-7),
                ("ViT-L-scratch", 9e-7))  # fmt: skip
    put(
        tmp_path,
        *(
            a_record(
                model=name,
                paper_row=name,
                phases={"train": a_phase(), "test": a_phase("test", kwh, kwh / 50)},
            )
            for name, kwh in networks
        ),
    )
    found = claims(frames(load([tmp_path]).frame), ())
    [claim] = [one for one in found if one.place == "Table 3"]
    assert (
        "5 networks on NVIDIA RTX A6000 (batch 32, fp32): rank correlation 1.00" in claim.measured
    )
    assert claim.holds


def test_predictions_are_counted_with_their_worst_error() -> None:
    good = Prediction("a", 10, 50, 1.00, 0.02, 1.01)
    bad = Prediction("b", 10, 50, 1.20, 0.02, 1.00)
    assert about("A.4", (good,)).holds is True
    claim = about("A.4", (good, bad))
    assert "largest error 20.0%" in claim.measured and "held in 1" in claim.measured
    assert claim.holds is False


def test_the_results_page_quotes_the_shipped_records(capsys: pytest.CaptureFixture[str]) -> None:
    root = Path(__file__).parents[3]
    assert main(["claims", str(root / "results/records")]) == 0
    table = capsys.readouterr().out
    assert table in (root / "RESULTS.md").read_text(encoding="utf-8")


def test_the_table_is_markdown() -> None:
    text = markdown([Claim("A", "says", "seen", True), Claim("B", "says", "nothing yet")])
    assert text.splitlines()[2:] == [
        "| A | says | seen | holds |",
        "| B | says | nothing yet | not measured |",
    ]
