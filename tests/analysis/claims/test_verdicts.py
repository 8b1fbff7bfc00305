"""Every claim, from real records and from none."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.claims.claim import NOTHING, OPEN
from analysis.claims.verdicts import claims
from analysis.estimates.studies import curves
from analysis.records.load import load
from tests.analysis.sample_records import a_record, put

ROOT = Path(__file__).parents[3]


def test_without_records_nothing_is_shown(tmp_path: Path) -> None:
    found = claims(load([tmp_path]).frame, ())
    assert len(found) == 10
    assert {(claim.verdict, claim.shown) for claim in found} == {(OPEN, NOTHING)}


def test_the_results_page_quotes_the_shipped_records(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claims", str(ROOT / "results/records")]) == 0
    said = capsys.readouterr().out
    assert NOTHING not in said, "all studies have shipped records"
    assert said in (ROOT / "RESULTS.md").read_text(encoding="utf-8")


def test_a_training_shorter_than_an_epoch_has_no_curve(tmp_path: Path) -> None:
    whole = a_record(data_num_train=1_600)
    short = a_record(data_num_train=1_000_000)
    [curve] = curves(load([put(tmp_path, whole, short)]).frame)
    assert (curve.num_epochs, curve.num_epoch_samples) == (2, 1_600)
    assert curve.kwh_by_epoch() == pytest.approx([1.6e-3, 3.2e-3])
    assert curve.relative_half_width == pytest.approx(0.02)
