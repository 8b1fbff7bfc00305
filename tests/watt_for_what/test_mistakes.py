"""What a user may get wrong: each is one line that names the key, the value and the cure."""

from __future__ import annotations

import os
import sys
import types

import pytest

import watt_for_what as watt

STAGE = dict(name="train", num_samples=10, num_epochs=1)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({}, "batch_size is missing: give the samples of one step, over all ranks"),
        ({"batch_size": 0}, "batch_size=0 is no whole number of at least 1"),
        ({"batch_size": "many"}, "batch_size='many' is no whole number of at least 1"),
        ({"batch_sise": 8}, "measure: batch_sise= is unknown; known: batch_size"),
        ({"time_budget_s": 9}, r"give meter=watt.MeterSettings\(time_budget_s=...\)"),
        ({"batch_size": 8, "task": "My task"}, "task='My task' is no task's name"),
        ({"batch_size": 8, "country": "GRB"}, "country='GRB' is unknown; did you mean"),
        ({"batch_size": 8, "training_id": "a"}, "training_id='a' names the parts of a whole"),
        ({"batch_size": 8, "gmacs": True}, "gmacs=True needs network="),
        ({"batch_size": 8, "recipe": STAGE}, "recipe is no list"),
        ({"batch_size": 8, "recipe": [3]}, "recipe\\[0\\]=3 is no stage"),
        ({"batch_size": 8, "recipe": [STAGE | {"epochs": 3}]}, "recipe\\[0\\].epochs is no key"),
        ({"batch_size": 8, "recipe": [{"name": "a"}]}, "recipe\\[0\\] \\(a\\) has no cost"),
        ({"batch_size": 8, "recipe": [STAGE | {"num_epochs": "x"}]}, "recipe\\[0\\]: num_epochs="),
        ({"batch_size": 8, "recipe": [STAGE | {"num_epochs": -1}]}, "are >= 0"),
    ],
)
def test_of_the_arguments_before_anything_starts(said, line):
    with pytest.raises(watt.WattError, match=line) as error:
        watt.measure("net", **said)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"precision": 16}, "precision=16"),
        ({"input_size": 0}, "input_size=0 is no whole number"),
        ({"device": "tpu"}, "device='tpu' is unknown; use auto, cpu or cuda"),
        ({"device": "cuda"}, "device='cuda', but"),
    ],
)
def test_of_the_set_up_before_the_sensors_start(said, line, measure, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(watt.WattError, match=line), measure("net", batch_size=8, **said):
        pass


def test_a_folder_that_cannot_be_written(measure, tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(watt.WattError, match=r"output_dir='.*file' cannot be written: .*; give one"),
        measure("net", batch_size=8, output_dir=tmp_path / "file"),
    ):
        pass


def _nested(measure, run, window):
    with measure("inner", batch_size=8):
        pass


def _two_windows(measure, run, window):
    with run.window("test"):
        pass


def _too_many(measure, run, window):
    window.step(9)


def _none(measure, run, window):
    window.step(0)


def _words(measure, run, window):
    window.step("8")


def _part(measure, run, window):
    with run.part("train"):
        pass


def _phase(measure, run, window):
    run.window("val")


@pytest.mark.parametrize(
    ("mistake", "line"),
    [
        (_nested, "measure\\('inner'\\) inside measure\\('net'\\): one run at a time"),
        (_two_windows, "window\\('test'\\) inside window\\('train'\\): one window at a time"),
        (_too_many, "num_samples=9 is more than batch_size=8"),
        (_none, "num_samples=0 is no batch; give len\\(images\\)"),
        (_words, "num_samples='8' is no whole number"),
        (_part, "part\\('train'\\): give it a name of its own"),
        (_phase, "window\\('val'\\) is no phase; use train or test"),
    ],
)
def test_inside_a_window(mistake, line, measure):
    with (
        pytest.raises(watt.WattError, match=line),
        measure("net", batch_size=8) as run,
        run.window("train") as window,
    ):
        window.step(8)
        mistake(measure, run, window)
    assert run.record.status == "failed" and run.record.phases["train"].readings


def test_a_window_used_twice_without_steps_and_outside(measure):
    with pytest.raises(watt.WattError, match="is used twice"), measure("a", batch_size=8) as run:
        for _ in range(2):
            with run.window("train") as window:
                window.step(8)
    without = pytest.raises(watt.WattError, match="closed without a step")
    with without, measure("b", batch_size=8) as run, run.window("train"):
        pass
    nothing = pytest.raises(watt.WattError, match="measured nothing: open a window")
    with nothing, measure("c", batch_size=8):
        pass
    with pytest.raises(watt.WattError, match="the run is not open"):
        run.window("test").__enter__()
    with pytest.raises(watt.WattError, match="step: the window is not open"):
        window.step(8)


def test_a_gpu_that_came_into_use_after_the_meter_began(measure, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    refused = pytest.raises(watt.WattError, match="move the network to it before")
    with refused, measure("late", batch_size=8) as run:
        monkeypatch.setattr("watt_for_what.devices.cuda_is_ready", lambda: True)
        run.window("train").__enter__()


def test_ranks_that_cannot_reach_each_other_yet(measure, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    refused = pytest.raises(watt.WattError, match=r"WORLD_SIZE=2, but torch.distributed is not")
    with refused, measure("net", batch_size=8):
        pass


def test_the_gpus_in_use_are_named_by_uuid(monkeypatch):
    """A process that computes on its second GPU is metered there."""
    from metering.ranks import OneRank
    from watt_for_what import devices

    cuda = types.SimpleNamespace(
        is_available=lambda: True,
        is_initialized=lambda: True,
        current_device=lambda: 1,
        device_count=lambda: 3,
        memory_reserved=lambda at: 2**20 if at == 2 else 0,
        get_device_properties=lambda at: types.SimpleNamespace(name="V100", uuid=f"{at}{at}-ab"),
    )
    fake = types.SimpleNamespace(cuda=cuda, version=types.SimpleNamespace(hip=None))
    monkeypatch.setitem(sys.modules, "torch", fake)
    assert devices.find("auto", OneRank()) == devices.Devices(2, 2, "GPU-11-ab,GPU-22-ab")
    assert devices.find("cpu", OneRank()) == devices.Devices(0, 0)
    assert os.environ.get("WORLD_SIZE") is None
