"""Parts of one training are added before anything merges."""

from __future__ import annotations

import dataclasses

import pytest

import watt_for_what as watt
from analysis.estimates.merge import merge
from metering.block import preferred
from metering.record_file import write


def train(tmp_path, num_steps, training_id):
    said = dict(batch_size=4, whole=True, training_id=training_id, output_dir=tmp_path, quiet=True)
    with watt.measure("net", **said) as run, run.window("train") as window:
        for _ in range(num_steps):
            window.step(4)
    return run


def test_what_each_part_used_is_added_an_interrupted_one_too(tmp_path):
    first, second = train(tmp_path, 5, "one"), train(tmp_path, 7, "one")
    write(dataclasses.replace(first.record, status="interrupted"), first.folder)
    kwh = sum(
        preferred(one).total_kwh
        for run in (first, second)
        for one in run.record.phases["train"].readings
    )
    [row] = merge(watt.load([tmp_path]).frame)
    assert row.train_rate.kwh_per_sample == pytest.approx(kwh / 48)
    assert len(row.run_ids) == 1, "one training, not two runs"


def test_a_training_that_no_part_finished_is_none(tmp_path):
    for steps in (2, 3):
        run = train(tmp_path, steps, "one")
        write(dataclasses.replace(run.record, status="interrupted"), run.folder)
    assert merge(watt.load([tmp_path]).frame) == []
