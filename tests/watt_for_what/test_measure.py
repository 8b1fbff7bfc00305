"""`watt.measure` around loops as a user writes them, on a CPU."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

import watt_for_what as watt
from analysis.tables.paper import all_tables


def work() -> None:
    a = np.ones((64, 64))
    for _ in range(20):
        a = a @ a / 64


def test_a_loop_leaves_a_record_and_the_loop_goes_on(measure, tmp_path):
    answers = []
    with measure("my-net", batch_size=32, data="my-set", precision="fp64") as run:
        with run.window("train") as window:
            while not answers or not answers[-1] or len(answers) % 10:
                work()
                answers.append(window.step(32))
        assert window.step is not None and answers.count(True) >= 1
        after = answers.index(True)
        assert all(answers[after:]), "once enough is measured, it stays so"
    record = watt.read_record(run.folder / "record.json")
    train = record.phases["train"]
    assert record.status == "finished" and record == run.record
    assert record.setup.asked.data.origin == "own" and record.precision == "fp64"
    assert train.energy_kwh_per_sample.mean > 0 and train.stop_reason != "end_of_data"
    assert sum(one.num_steps for one in train.readings) == after + 1
    rate = train.energy_kwh_per_sample  # a machine under load leaves time for one block alone
    assert (rate.half_width is not None) == (rate.num_blocks > 1)


def test_its_record_stands_in_the_tables_and_never_in_a_row_of_the_paper(measure, tmp_path):
    recipe = [watt.Stage("train", num_samples=1000, num_epochs=3)]
    name = "ViT-B"  # a row of the paper has this name
    said = dict(task="classification", data="imagenet", recipe=recipe, batch_size=8)
    with measure(name, **said) as run, run.window("train") as window:
        while not window.step(8):
            work()
    table = all_tables(watt.load([tmp_path]).frame)["table3"]
    mine = table[table["estimated_train_kwh"].notna()]
    kwh = run.record.phases["train"].energy_kwh_per_sample.mean * 3000
    assert list(mine["estimated_train_kwh"]) == [pytest.approx(kwh)]
    assert mine["published_train_kwh"].isna().all()
    assert run.record.paper_row is None


def test_a_task_of_ones_own_has_a_table_of_its_own(measure, tmp_path):
    for _ in range(2):
        with measure("denoiser", batch_size=8, task="denoising", data="noise") as run:
            with run.window("train") as window:
                while not window.step(8):
                    work()
            with run.window("test") as window:
                while not window.step(8):
                    work()
            run.quality(accuracy_pct=91.5)
    assert run.record.repetition == 2 and run.folder.name.endswith("-2")
    [row] = all_tables(watt.load([tmp_path]).frame)["denoising"].to_dict("records")
    assert row["model"] == "denoiser" and row["measured_test_kwh_per_sample"] > 0


def test_the_network_gives_its_class_size_fingerprint_and_gmacs(measure):
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.Flatten())
    said = dict(batch_size=4, network=network, input_size=18, gmacs=True)
    with measure("conv", **said) as run, run.window("train") as window:
        network(torch.zeros(4, 3, 18, 18))
        window.step(4)
    facts, asked = run.record.facts, run.record.setup.asked
    assert facts.params_m == pytest.approx((3 * 9 * 8 + 8) / 1e6)
    assert facts.gmacs == pytest.approx(16 * 16 * 8 * 27 / 1e9)
    assert asked.network == "torch.nn.modules.container:Sequential"
    assert asked.input_size == (18, 18)
    assert len(run.record.setup.found.network_fingerprint) == 16


def test_a_failure_leaves_what_was_measured_and_is_raised(measure):
    with (
        pytest.raises(ZeroDivisionError),
        measure("failing", batch_size=4) as run,
        run.window("train") as window,
    ):
        for at in range(60):
            work()
            window.step(4)
            1 // (50 - at)
    record = watt.read_record(run.folder / "record.json")
    assert record.status == "failed" and record.failure.type == "ZeroDivisionError"
    assert sum(one.num_steps for one in record.phases["train"].readings) == 51


def test_ctrl_c_leaves_an_interrupted_record_whose_cost_the_next_one_carries(measure):
    with (
        pytest.raises(KeyboardInterrupt),
        measure("left", batch_size=4) as run,
        run.window("train") as window,
    ):
        work()
        window.step(4)
        raise KeyboardInterrupt
    assert run.record.status == "interrupted"
    with measure("left", batch_size=4) as again, again.window("train") as window:
        work()
        window.step(4)
    assert again.folder == run.folder and again.record.status == "finished"
    assert "interrupted attempt" in [o.name.split(" of ")[0] for o in again.record.overheads]


class LosesCtrlC:
    """As Python's own functions around a loader's fork do."""

    def __del__(self):
        raise KeyboardInterrupt


def test_ctrl_c_that_python_drops_ends_the_loop_at_the_next_step(measure):
    with (
        pytest.raises(KeyboardInterrupt),
        measure("lost", batch_size=4) as run,
        run.window("train") as window,
    ):
        for at in range(3):
            work()
            window.step(4)
            if at == 0:
                LosesCtrlC()
    assert at == 1
    assert run.record.status == "interrupted"


def test_an_error_in_the_wake_of_ctrl_c_makes_no_failure(measure):
    with (
        pytest.raises(RuntimeError),
        measure("wake", batch_size=4) as run,
        run.window("train") as window,
    ):
        window.step(4)
        try:
            raise KeyboardInterrupt
        finally:
            raise RuntimeError("DataLoader worker (pid(s) 7) exited unexpectedly")
    assert run.record.status == "interrupted"


def test_a_checkpoint_in_the_middle_is_in_no_block(measure):
    with measure("saves", batch_size=4) as run:
        began_s = time.perf_counter()
        with run.window("train") as window:
            for at in range(200):
                work()
                if window.step(4):
                    break
                if at == 20:
                    with run.checkpoint():
                        time.sleep(0.3)
        wall_s = time.perf_counter() - began_s
    train = run.record.phases["train"]
    [checkpoint] = [one for one in run.record.overheads if one.name == "checkpoint"]
    assert checkpoint.duration_s >= 0.3 and checkpoint.energy.total_kwh > 0
    ends = [one.started_at_s + one.duration_s for one in train.readings]
    starts = [one.started_at_s for one in train.readings]
    assert all(end <= start + 1e-6 for end, start in zip(ends, starts[1:], strict=False))
    in_blocks_s = sum(one.duration_s for one in train.readings)
    assert in_blocks_s + checkpoint.duration_s <= wall_s, "it is in no block"


def test_the_decorated_function_gets_the_window(tmp_path):
    settings = watt.MeterSettings(block_s=0.05, max_blocks=5, idle_s=0.0)

    @watt.measured("plain", batch_size=2, meter=settings, output_dir=tmp_path, quiet=True)
    def train(num_steps: int, window: watt.Window) -> int:
        for _ in range(num_steps):
            window.step(2)
        return num_steps

    assert train(7) == 7
    [record] = [watt.read_record(path) for path in tmp_path.rglob("record.json")]
    assert sum(one.num_samples for one in record.phases["train"].readings) == 14


def test_steps_that_are_never_a_whole_batch_are_noted(tmp_path, capsys):
    batch = [[0] * 8, [0] * 8]  # images and labels
    said = dict(batch_size=8, output_dir=tmp_path, whole=True)
    with watt.measure("short", **said) as run, run.window("train") as window:
        window.step(len(batch))
    assert run.record is not None
    note = "train: no step had batch_size=8 samples, but at most 2; "
    assert [one for one in run.record.notes if one.startswith(note)]
    assert f"short: note: {note}" in capsys.readouterr().err

    with watt.measure("last", **said) as run, run.window("train") as window:
        window.step(8)
        window.step(3)
    assert run.record is not None and not [one for one in run.record.notes if "no step had" in one]


def test_the_end_is_said_in_a_few_lines(tmp_path, capsys):
    said = dict(batch_size=2, output_dir=tmp_path, whole=True)
    with watt.measure("said", **said) as run, run.window("train") as window:
        window.step(2)
    lines = capsys.readouterr().err.splitlines()
    rate, sums, where = [line for line in lines if not line.startswith("said: note: ")][-3:]
    assert rate.startswith("said: train ") and "J a sample" in rate
    assert "kWh in all: train" in sums and "set-up" in sums
    assert where == f"said: finished: {run.folder / 'record.json'}"
