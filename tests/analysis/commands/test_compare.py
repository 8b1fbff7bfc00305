"""`compare`: differences with intervals, what is shown, and a guard for a CI."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.share.bundle import write_bundle
from metering.record import Record, SweepPlace
from metering.record_host import Host, MeteredGpu
from tests.analysis.sample_records import a_failure, a_phase, a_record, put
from tests.analysis.share.sites import records


def run_at(folder: Path, kwh: float, half_width: float | None = 2e-8, **more) -> str:
    phases = {"train": a_phase(kwh_per_sample=kwh, half_width=half_width)}
    put(folder, a_record(phases=phases, **more))
    return str(folder)


def on_board(uuid: str) -> Host:
    return Host(gpus=(MeteredGpu("NVIDIA RTX A6000", uuid=uuid),))


@pytest.mark.parametrize(
    ("kwh", "limit", "status"),
    [
        (1.2e-6, "5%", 1),
        (1.2e-6, "0.05", 1),
        (1.2e-6, "30%", 0),
        (1.02e-6, "0%", 0),  # within the intervals: a rise is not shown
        (0.8e-6, "0%", 0),
    ],
)
def test_a_rise_that_is_shown_to_be_over_the_limit_ends_with_1(
    tmp_path: Path, capsys, kwh: float, limit: str, status: int
) -> None:
    runs = run_at(tmp_path / "old", 1e-6), run_at(tmp_path / "new", kwh)
    assert main(["compare", *runs, "--fail-over", limit]) == status
    assert ("train rose by 20 %" in capsys.readouterr().err) == bool(status)


def test_a_baseline_that_may_be_0_leaves_the_change_without_an_interval(
    tmp_path: Path, capsys
) -> None:
    runs = run_at(tmp_path / "old", 1e-6, half_width=1.1e-6), run_at(tmp_path / "new", 1.2e-6)
    assert main(["compare", *runs]) == 0
    said = capsys.readouterr().out
    assert "+20 % (no interval)" in said
    assert "not shown: the interval of the first one's rate reaches down to 0" in said


def test_differences_have_intervals_and_the_set_ups_are_compared_field_by_field(
    tmp_path: Path, capsys
) -> None:
    runs = run_at(tmp_path / "old", 1e-6), run_at(tmp_path / "new", 1.2e-6, batch_size=64)
    assert main(["compare", *runs]) == 0
    said = capsys.readouterr().out
    assert "3.6 -> 4.32 J a sample: +20 % (+17 to +23 %)" in said
    assert "shown: repeat interval" in said
    assert "batch size: 32 -> 64" in said


@pytest.mark.parametrize(
    ("began", "said"),
    [("2024-01-01T00:40", ""), ("2024-01-01T07:05", "7.0 h"), ("2024-01-04T00:05", "3.0 days")],
)
def test_runs_of_two_days_are_said_to_be_so(tmp_path: Path, capsys, began: str, said: str) -> None:
    old = run_at(tmp_path / "old", 1e-6)  # from 00:00 to 00:05
    times = {"started_at": f"{began}:00+00:00", "ended_at": f"{began}:30+00:00"}
    new = run_at(tmp_path / "new", 1.2e-6, **times)
    for pair in ((old, new), (new, old)):
        assert main(["compare", *pair]) == 0
        out = capsys.readouterr().out
        assert (f"measured {said} apart, and what changed" in out) if said else "apart" not in out


@pytest.mark.parametrize(
    ("ids", "is_said"), [("ab", True), ("aa", False), (("a", None), False), ((None, None), False)]
)
def test_runs_of_two_commands_are_said_to_be_so(tmp_path: Path, capsys, ids, is_said: bool) -> None:
    sweeps = [SweepPlace(1, 2, id=name and name * 32) for name in ids]
    runs = [run_at(tmp_path / str(at), 1e-6, sweep=sweep) for at, sweep in enumerate(sweeps)]
    assert main(["compare", *runs]) == 0
    assert ("measured in two sweeps" in capsys.readouterr().out) == is_said


def test_two_boards_differ_by_an_unknown_gain(tmp_path: Path, capsys) -> None:
    old = run_at(tmp_path / "old", 1e-6, host=on_board("GPU-1"))
    other = run_at(tmp_path / "other", 1.2e-6, host=on_board("GPU-2"))
    same = run_at(tmp_path / "same", 1.2e-6, host=on_board("GPU-1"))
    assert main(["compare", old, same, "--fail-over", "5%"]) == 1
    assert main(["compare", old, other, "--fail-over", "5%"]) == 2
    said = capsys.readouterr()
    assert "not shown: two boards, and the gain error" in said.out
    assert "--fail-over cannot be told" in said.err


@pytest.mark.parametrize(
    "other",
    [
        {"device": None, "host": Host()},
        {"cpu_model": "Xeon", "host": Host()},
        {"num_devices": 2, "host": Host()},
        {"num_cpus": 4, "host": Host()},
        {"device": None, "host": on_board("GPU-1")},
    ],
    ids=["a CPU", "another CPU", "two GPUs", "fewer CPUs", "only one names its board"],
)
def test_unlike_devices_are_two_boards_where_the_records_name_none(
    tmp_path: Path, capsys, other: dict
) -> None:
    old = run_at(tmp_path / "old", 1e-6, num_cpus=8)
    new = run_at(tmp_path / "new", 2.65e-6, **({"num_cpus": 8} | other))
    assert main(["compare", old, new, "--fail-over", "5%"]) == 2
    said = capsys.readouterr().out
    assert "+165 % (no interval)" in said
    assert "not shown: two boards, and the gain error" in said


def test_two_peoples_bundles_that_name_no_board_are_two_machines(tmp_path: Path, capsys) -> None:
    bundles = []
    for name, kwh in (("theirs", 1e-6), ("ours", 0.7e-6)):
        phases = {"train": a_phase(kwh_per_sample=kwh, half_width=2e-8)}
        bundles.append(str(tmp_path / f"{name}.jsonl"))
        write_bundle([a_record(phases=phases)], Path(bundles[-1]))
    assert main(["compare", *bundles]) == 0
    said = capsys.readouterr().out
    assert "-30 % (no interval)" in said
    assert "not shown: records of others that name no board" in said


def test_a_side_that_cannot_be_is_said_not_to_be_believable(tmp_path: Path, capsys) -> None:
    old, new = records(num_sites=1, num_each=2)
    put(tmp_path / "old", old)
    for ended_at, is_said in ((new.ended_at, False), ("2020-01-01T00:00:00+00:00", True)):
        put(tmp_path / "new", replace(new, ended_at=ended_at))
        assert main(["compare", str(tmp_path / "old"), str(tmp_path / "new")]) == 0
        assert ("new: it ended" in capsys.readouterr().out) == is_said


def test_what_is_modelled_is_told_by_the_sensors_and_not_by_the_scale(
    tmp_path: Path, capsys
) -> None:
    modelled = {"scale": "small", "device": None, "sensors": {"cpu": "modelled"}}
    runs = run_at(tmp_path / "old", 1e-6, **modelled), run_at(tmp_path / "new", 1e-6, **modelled)
    assert main(["compare", *runs]) == 0
    assert "modelled: rated power x load" in capsys.readouterr().out
    read = run_at(tmp_path / "a", 1e-6, scale="small"), run_at(tmp_path / "b", 1e-6, scale="small")
    assert main(["compare", *read]) == 0
    assert "modelled: rated" not in capsys.readouterr().out


def test_a_folder_of_repetitions_is_one_side(tmp_path: Path) -> None:
    old = put(tmp_path / "old", a_record(), a_record())
    assert main(["compare", str(old), run_at(tmp_path / "new", 1e-6)]) == 0


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("five", "is no share"),
        ("-1%", "is no share"),
        ("5", "write 5% or 0.05"),
        ("nan", "no share"),
    ],
)
def test_a_limit_that_means_nothing_is_refused(
    tmp_path: Path, capsys, limit: str, words: str
) -> None:
    runs = run_at(tmp_path / "old", 1e-6), run_at(tmp_path / "new", 1e-6)
    assert main(["compare", *runs, f"--fail-over={limit}"]) == 2
    assert words in capsys.readouterr().err


def test_a_pattern_names_the_repetitions_of_one_set_up(tmp_path: Path, capsys) -> None:
    for number, kwh in enumerate((1e-6, 1.01e-6, 0.99e-6)):
        run_at(tmp_path / f"old-{number}", kwh)
        run_at(tmp_path / f"new-{number}", 2 * kwh)
    assert main(["compare", f"{tmp_path}/old-*", f"{tmp_path}/new-*"]) == 0
    assert "(between 3 runs each)" in capsys.readouterr().out


def in_a_bundle(path: Path, *records: Record) -> str:
    write_bundle(records, path)
    return str(path)


def repetitions(*kwh: float, **more) -> list[Record]:
    return [a_record(phases={"train": a_phase(kwh_per_sample=one)}, **more) for one in kwh]


def test_repetitions_in_a_bundle_are_a_side(tmp_path: Path, capsys) -> None:
    three = repetitions(1e-6, 1.01e-6, 0.99e-6)
    two = repetitions(2e-6, 2.02e-6, batch_size=64)
    bundle = in_a_bundle(tmp_path / "bundle.jsonl", *three, *two)
    assert main(["compare", bundle, bundle]) == 2
    said = capsys.readouterr().err
    assert "holds 2 set-ups, which differ in batch size; name the runs of one, such as" in said
    names = [f"{bundle}/{some[0].identity}" for some in (three, two)]
    assert ", ".join(names) in said
    by_ids = [f"{bundle}/" + ",".join(one.run_id[:8] for one in some) for some in (three, two)]
    for sides in (names, by_ids):
        assert main(["compare", *sides]) == 0
        said = capsys.readouterr().out
        assert "(between 3 runs; between 2 runs)" in said
        assert "3.6 -> 7.236 J a sample: +101 %" in said
        # each run is one observation: 2.01 +- 0.13 (Student's t of 1 degree) over 1 +- 0.025
        assert "(+87 to +115 %)" in said


def test_repetitions_on_two_machines_are_no_side(tmp_path: Path, capsys) -> None:
    here, there = repetitions(1e-6, 1.01e-6), repetitions(1e-6, 1.01e-6, cpu_model="Xeon")
    bundle = in_a_bundle(tmp_path / "bundle.jsonl", *here, *there)
    assert main(["compare", f"{bundle}/{here[0].identity}", run_at(tmp_path / "new", 1e-6)]) == 2
    said = capsys.readouterr().err
    assert "holds 2 set-ups, which differ in cpu model; name the runs of one, such as" in said
    ids = [",".join(one.run_id[:8] for one in some) for some in (here, there)]
    assert all(f"{bundle}/{some}" in said for some in ids)
    assert main(["compare", *(f"{bundle}/{some}" for some in ids)]) == 0


def test_an_id_that_nothing_has_is_named(tmp_path: Path, capsys) -> None:
    (one,) = repetitions(1e-6)
    bundle = in_a_bundle(tmp_path / "bundle.jsonl", one)
    assert main(["compare", f"{bundle}/{one.run_id[:8]},0123", str(tmp_path)]) == 2
    assert "no run id (0123) in" in capsys.readouterr().err


def test_what_cannot_be_compared_is_refused_in_one_line(tmp_path: Path, capsys) -> None:
    one = run_at(tmp_path / "one", 1e-6)
    failed = str(put(tmp_path / "failed", a_failure()))
    two = str(put(tmp_path / "two", a_record(), a_record(batch_size=64)))
    for runs, words in (
        ([one], "needs two runs"),
        ([one, failed], "measured nothing to the end"),
        ([one, two], "holds 2 set-ups"),
        ([one, str(tmp_path / "none")], "does not exist"),
    ):
        assert main(["compare", *runs]) == 2
        error = capsys.readouterr().err
        assert words in error and error.count("\n") == 1
