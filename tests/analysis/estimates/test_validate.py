from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from analysis.estimates.validate import LeftOut, Prediction, predictions_of
from metering.record import Energy, Overhead, Reading, Record
from tests.analysis.estimates.test_forecast import AT_LEAST, TRIALS, ar1
from tests.analysis.sample_records import a_failure, a_phase, a_record, put


def _blocks(kwh: list[float], **more: Any) -> tuple[Reading, ...]:
    return tuple(
        Reading(float(i), 1.0, 10, 320, Energy(gpu_kwh=value), **more)
        for i, value in enumerate(kwh)
    )


def _record(kwh: list[float], **more: Any) -> Record:
    return _of(_blocks(kwh), **more)


def _of(blocks: tuple[Reading, ...], **more: Any) -> Record:
    return a_record(phases={"train": a_phase(readings=blocks)}, **more)


def _predicted(record: Record, first: float = 0.2) -> Prediction:
    [prediction] = predictions_of(record, first)
    assert isinstance(prediction, Prediction), str(prediction)
    return prediction


def _left_out(record: Record) -> str:
    [prediction] = predictions_of(record, first=0.2)
    assert isinstance(prediction, LeftOut), str(prediction)
    return str(prediction)


def test_the_rest_of_a_steady_run_is_predicted_exactly():
    prediction = _predicted(_record([0.01] * 50))
    assert (prediction.num_first, prediction.num_blocks) == (10, 50)
    assert prediction.predicted_kwh == pytest.approx(0.4)
    assert prediction.realised_kwh == pytest.approx(0.4)
    assert prediction.held


def test_what_is_measured_on_both_sides_does_not_flatter_the_error():
    """Steps that cost 10 % more than predicted, beside overheads ten times as large."""
    overheads = (
        Overhead("set-up", 1.0, Energy(gpu_kwh=4.0)),
        Overhead("idle", 1.0, Energy(gpu_kwh=100.0)),
        Overhead("checkpoint", 1.0, Energy(gpu_kwh=0.05)),
        Overhead("checkpoint", 1.0, Energy(gpu_kwh=0.07)),
    )
    prediction = _predicted(_record([0.01] * 10 + [0.011] * 40, overheads=overheads))
    assert prediction.error == pytest.approx(0.4 / 0.44 - 1)
    assert prediction.whole_predicted_kwh == pytest.approx(0.1 + 0.4 + 4.0 + 0.12)
    assert prediction.whole_realised_kwh == pytest.approx(0.1 + 0.44 + 4.0 + 0.12)
    assert prediction.whole_error == pytest.approx(-0.04 / 4.66)
    assert prediction.overheads == ("set-up", "checkpoint")
    assert "as measured on both sides: first part, set-up, checkpoint" in str(prediction)


def test_an_overhead_without_a_sensor_is_not_named():
    prediction = _predicted(_record([0.01] * 50, overheads=(Overhead("set-up", 1.0, Energy()),)))
    assert prediction.overheads == ()


def test_a_run_that_becomes_costlier_later_is_missed():
    steady, costly = [0.0099, 0.0101] * 5, [0.02] * 40
    prediction = _predicted(_record(steady + costly))
    assert prediction.error == pytest.approx(-0.5, abs=0.01)
    assert not prediction.held


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.8])
def test_intervals_hold_as_often_as_they_say(correlation: float):
    """60 blocks from their first fifth; the margin is binomial (`AT_LEAST`)."""
    draw = random.Random(0)
    runs = [_record(ar1(draw, 60, correlation)) for _ in range(TRIALS)]
    assert sum(_predicted(run).held for run in runs) >= AT_LEAST


def test_our_own_counter_goes_before_codecarbons_by_component():
    energy, own = Energy(gpu_kwh=0.01, cpu_kwh=0.005), Energy(gpu_kwh=0.02)
    blocks = tuple(Reading(float(i), 1.0, 10, 320, energy, own) for i in range(50))
    assert _predicted(_of(blocks)).predicted_kwh == pytest.approx(40 * 0.025)


def test_blocks_without_a_component_that_others_have_are_not_compared():
    whole = Energy(gpu_kwh=0.01, cpu_kwh=0.004)
    blocks = _blocks([0.01] * 50)
    parts = [
        replace(block, energy=whole if i < 10 else Energy(cpu_kwh=0.004))
        for i, block in enumerate(blocks)
    ]
    assert "GPU was read in 10 of 50 blocks only" in _left_out(_of(tuple(parts)))


def test_a_counter_of_ours_that_fails_midway_is_not_compared_with_codecarbons():
    blocks = (*_blocks([0.01] * 10, own=Energy(gpu_kwh=0.02)), *_blocks([0.01] * 40))
    assert "own counter of the GPU was read in 10 of 50" in _left_out(_of(blocks))


def _with_steps(num_steps: int) -> Record:
    return _of((*_blocks([0.01] * 20), replace(_blocks([0.01])[0], num_steps=num_steps)))


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (_record([0.01] * 5), "5 measured blocks, 8 are needed"),
        (_record([0.0] * 50), "read 0 kWh at first"),
        (_record([0.01] * 10 + [0.0] * 40), "0 kWh afterwards"),
        (_of(tuple(replace(b, energy=Energy()) for b in _blocks([0.0] * 50))), "read 0 kWh"),
        (_with_steps(0), "has no steps"),
        (a_failure(), "swin_t on a6000: the run is failed, not finished"),
        (_record([0.01] * 50, status="interrupted"), "the run is interrupted, not finished"),
        (a_record(phases={}), "no phase was measured"),
    ],
)
def test_what_predicts_nothing_is_left_out_with_a_reason(record: Record, words: str):
    assert words in _left_out(record)


def test_a_later_block_of_absurd_length_is_no_burden():
    [prediction] = predictions_of(_with_steps(2**62), first=0.2)
    assert isinstance(prediction, Prediction)


def test_warm_up_and_dropped_blocks_do_not_count():
    kept = _blocks([0.01] * 50)
    other = (*_blocks([5.0] * 3, use="warm-up"), *_blocks([7.0] * 3, use="dropped"))
    assert _predicted(_of((*other[:3], *kept, *other[3:]))).realised_kwh == pytest.approx(0.4)


def test_the_command_reports_each_run_and_how_often_the_interval_held(tmp_path: Path, capsys):
    put(tmp_path, _record([0.01] * 50, overheads=()))
    assert main(["validate", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "swin_t on a6000, train: from 10 of 50 blocks predicted 0.4" in out
    assert "interval held in 1 of 1, its half-width 0.0% (median); largest error 0.00%" in out


def test_a_record_is_counted_once(tmp_path: Path, capsys):
    put(tmp_path, _record([0.01] * 50))
    assert main(["validate", str(tmp_path), str(tmp_path / "swin_t-0" / "record.json")]) == 0
    assert "interval held in 1 of 1" in capsys.readouterr().out


def test_damaged_failed_and_odd_records_are_named_and_the_others_are_still_predicted(
    tmp_path: Path, capsys
):
    put(tmp_path, _record([0.01] * 50), a_failure(), _record([0.0] * 50))
    bad = tmp_path / "bad" / "record.json"
    bad.parent.mkdir()
    bad.write_text("{")
    assert main(["validate", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert "interval held in 1 of 1" in said.out
    assert f"left out {bad}: not JSON" in said.err
    assert (
        f"left out {tmp_path / 'swin_t-1' / 'record.json'}: swin_t on a6000: the run is failed"
        in (said.err)
    )
    assert "read 0 kWh at first" in said.err


@pytest.mark.parametrize("make", ["nothing", "a damaged record"])
def test_a_folder_without_a_readable_record_is_refused(tmp_path: Path, capsys, make: str):
    if make == "a damaged record":
        (tmp_path / "record.json").write_text("{")
    assert main(["validate", str(tmp_path)]) == 2
    assert "holds no readable record" in capsys.readouterr().err


def test_a_folder_in_which_nothing_can_be_predicted_is_refused(tmp_path: Path, capsys):
    put(tmp_path, a_failure())
    assert main(["validate", str(tmp_path)]) == 2
    assert "no run can be predicted" in capsys.readouterr().err
