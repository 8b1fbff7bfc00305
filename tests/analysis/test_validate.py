from __future__ import annotations

import random
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.validate import predictions_of
from metering.record import Energy, Overhead, Reading
from tests.analysis.records import a_phase, a_record, put


def _blocks(kwh: list[float]) -> tuple[Reading, ...]:
    return tuple(
        Reading(float(i), 1.0, 10, 320, Energy(gpu_kwh=value)) for i, value in enumerate(kwh)
    )


def _record(kwh: list[float], **more):
    return a_record(phases={"train": a_phase(readings=_blocks(kwh))}, **more)


def test_a_steady_run_is_predicted_exactly():
    [found] = predictions_of(_record([0.01] * 50, overheads=()), first=0.2)
    assert (found.num_first, found.num_blocks) == (10, 50)
    assert found.predicted_kwh == pytest.approx(0.5)
    assert found.held


def test_set_up_evaluations_and_checkpoints_are_part_of_the_run():
    overheads = (
        Overhead("set-up", 1.0, Energy(gpu_kwh=1.0)),
        Overhead("evaluation", 1.0, Energy(gpu_kwh=0.2)),
        Overhead("evaluation", 1.0, Energy(gpu_kwh=0.2)),
        Overhead("checkpoint", 1.0, Energy(gpu_kwh=0.05)),
    )
    [found] = predictions_of(_record([0.01] * 50, overheads=overheads), first=0.2)
    assert found.predicted_kwh == pytest.approx(0.5 + 1.0 + 0.4 + 0.05)


def test_a_run_that_becomes_costlier_later_is_missed():
    steady, costly = [0.0099, 0.0101] * 5, [0.02] * 40
    [found] = predictions_of(_record(steady + costly), first=0.2)
    assert found.error < -0.2
    assert not found.held


def test_intervals_hold_about_as_often_as_they_say():
    """200 seeded runs of independent noise: 95 % nominal, so at least 180 of them (binomial
    margin: 180 or fewer would come by chance less than once in 300)."""
    draw = random.Random(0)
    runs = [_record([draw.gauss(1.0, 0.05) for _ in range(60)]) for _ in range(200)]
    held = sum(found.held for run in runs for found in predictions_of(run, first=0.2))
    assert held >= 181


def test_too_few_blocks_predict_nothing():
    assert predictions_of(_record([0.01] * 5), first=0.2) == []


def test_the_command_reports_each_run_and_how_often_the_interval_held(tmp_path: Path, capsys):
    put(tmp_path, _record([0.01] * 50))
    assert main(["validate", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "swin_t on a6000, train: from 10 of 50 blocks" in out
    assert "interval held in 1 of 1" in out


def test_a_folder_without_records_is_refused(tmp_path: Path, capsys):
    assert main(["validate", str(tmp_path)]) == 2
    assert "holds no record.json" in capsys.readouterr().err
