"""The order of a sweep, the pause before a run, and what the record says of both."""

from __future__ import annotations

import pytest

from launchers.cooldown import LONGEST_S, CoolDown
from launchers.order import ordered
from launchers.settings import launcher_settings
from metering.record_file import read
from tasks.errors import PlanError

JOBS = [["model=a", "repeats=2"], ["model=b", "repeats=2"], ["model=c", "repeats=2"]]


def test_a_given_order_stays_and_each_repetition_is_a_run() -> None:
    runs = ordered(JOBS, "given", 0)
    assert [(run[0], run[-1]) for run in runs[:3]] == [
        ("model=a", "repetition=1"),
        ("model=a", "repetition=2"),
        ("model=b", "repetition=1"),
    ]


def test_a_shuffled_order_is_the_seeds_and_loses_nothing() -> None:
    given, shuffled = ordered(JOBS, "given", 0), ordered(JOBS, "shuffled", 3)
    assert shuffled == ordered(JOBS, "shuffled", 3)
    assert shuffled != given and sorted(shuffled) == sorted(given)
    assert shuffled != ordered(JOBS, "shuffled", 4)


def test_repetitions_that_a_config_asks_for_are_shuffled_too() -> None:
    runs = ordered([["model=a"], ["model=b"]], "shuffled", 0, repeats=3)
    assert sorted(runs) == [
        [f"model={name}", f"repetition={n}"] for name in "ab" for n in (1, 2, 3)
    ]
    assert [run[0] for run in runs] != ["model=a"] * 3 + ["model=b"] * 3
    assert ordered([["model=a", "repetition=2"]], "given", 0, repeats=3) == [
        ["model=a", "repetition=2"]
    ]


def test_other_orders_and_pauses_are_refused() -> None:
    with pytest.raises(PlanError, match=r"hydra.launcher.order=random is unknown"):
        launcher_settings({"_target_": "x.LocalLauncher", "order": "random"})
    for asked in (-1, "cold", True, float("nan")):
        with pytest.raises(PlanError, match="neither a number of seconds nor idle"):
            launcher_settings({"_target_": "x.LocalLauncher", "cooldown_s": asked})
    with pytest.raises(PlanError, match="tells its temperature"):
        CoolDown("idle", temperature_c=lambda: None)


def test_idle_waits_until_the_device_is_within_two_degrees_of_where_it_was() -> None:
    readings = iter([40.0, 60.0, 45.0, 42.0])
    slept: list[float] = []
    said: list[str] = []
    CoolDown("idle", lambda: next(readings), slept.append).wait(said.append)
    assert len(slept) == 2
    assert said == ["cooling down from 60 to 42 degrees"]


def test_a_device_that_stays_warm_does_not_hold_up_the_sweep() -> None:
    readings = iter([40.0])
    slept: list[float] = []
    said: list[str] = []
    CoolDown("idle", lambda: next(readings, 60.0), slept.append).wait(said.append)
    assert sum(slept) == LONGEST_S and "going on" in said[-1]


def test_seconds_are_slept_before_the_run() -> None:
    slept: list[float] = []
    CoolDown(3, sleep=slept.append).wait(lambda _: None)
    assert slept == [3.0]


@pytest.mark.trains
def test_the_record_says_where_in_the_sweep_a_run_stood(run_py, tmp_path) -> None:
    done = run_py(
        "-m",
        "batch_size=2,4",
        "repeats=2",
        "hydra.launcher.order=shuffled",
        "data=digits",
        "hydra.launcher.order_seed=1",
        "phases=test",
        "model=test_resnet",
        "model.input_size=32",
        "hardware.accelerator=cpu",
        "meter=fixed",
        "meter.num_steps=3",
        "meter.idle_s=0",
    )
    assert done.returncode == 0, done.stderr
    records = sorted(
        (read(path) for path in tmp_path.glob("runs/*/*/*/*/record.json")),
        key=lambda record: record.started_at,
    )
    places = [record.sweep for record in records]
    assert [place and place.position for place in places] == [1, 2, 3, 4]
    assert all(place and (place.num_runs, place.order_seed) == (4, 1) for place in places)
    (names,) = {(place.id, place.started_at) for place in places if place}
    assert names[0] and names[1] and names[1] < records[0].started_at
    wanted = ordered([["2", "repeats=2"], ["4", "repeats=2"]], "shuffled", 1)
    assert [[str(one.batch_size), f"repetition={one.repetition}"] for one in records] == [
        [run[0], run[-1]] for run in wanted
    ]
    assert "run 4 of 4: test_resnet" in done.stderr
