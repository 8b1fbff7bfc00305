"""What was measured already is not measured again; what was not, is, and nothing is lost."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from metering import host
from metering.record import FILE_NAME, Interval, PhaseRecord, Reading, Record
from metering.record_file import read, write
from metering.setup import Found
from tasks.classification.session import STEP_VERSION
from tasks.plan import Plan
from tasks.running import attempts, continuation, earlier, this_machine
from tasks.running.execute import Outcome, execute
from tests.endurance import TINY

BRIEF = (
    "meter=adaptive",
    "meter.block_s=0.001",
    "meter.min_blocks=2",
    "meter.max_blocks=6",
    "meter.relative_error=0.5",
    "meter.idle_s=0",
    "checkpoint_write=false",
)
Make = Callable[..., Plan]


@pytest.fixture
def tiny(compose: Make) -> Make:
    """A plan that runs in a second, and measures two to six blocks of a phase."""
    return lambda *more: compose(*TINY, *BRIEF, *more)


def records(plan: Plan) -> list[Record]:
    """All records of the plan's network, those put aside included."""
    paths = sorted(plan.folder.parent.rglob("*.json"))
    return [read(path) for path in paths]


def energy_kwh(record: Record, attempt: str | None = None) -> float:
    """Of the blocks that this attempt measured (`None`: the record's own)."""
    blocks = [one for phase in record.phases.values() for one in phase.readings]
    return sum(one.energy.total_kwh or 0.0 for one in blocks if one.attempt == attempt)


@pytest.mark.trains
def test_the_same_plan_is_not_measured_again(tiny: Make) -> None:
    first = execute(tiny())
    assert first.record.status == "finished", first.record.failure
    again = execute(tiny())
    assert (again.reused, again.record.run_id) == (True, first.record.run_id)


@pytest.mark.trains
def test_a_record_of_another_confidence_answers_nothing(tiny: Make) -> None:
    plan = tiny("phases=train")
    record = execute(plan).record
    train = record.phases["train"]
    assert train.energy_kwh_per_sample is not None
    looser = dataclasses.replace(train.energy_kwh_per_sample, confidence=0.5)
    other = dataclasses.replace(train, energy_kwh_per_sample=looser)
    write(dataclasses.replace(record, phases={"train": other}), plan.folder)
    assert earlier.find(plan, None) is None


@pytest.mark.trains
def test_found_says_what_computed_and_which_network_was_built(tiny: Make) -> None:
    setup = execute(tiny("phases=train")).record.setup
    assert setup.found is not None
    assert setup.found.cpu_model == host.cpu_model()
    assert setup.found.versions["torch"]
    assert setup.found.sensors["gpu"] == "absent"
    assert setup.found.step_version == STEP_VERSION
    smaller = execute(tiny("phases=train", "model.input_size=48")).record.setup
    assert smaller.found is not None
    assert setup.found.network_fingerprint == smaller.found.network_fingerprint
    other = execute(tiny("phases=train", "data.options.num_classes=7")).record.setup
    assert other.found is not None
    assert setup.found.network_fingerprint != other.found.network_fingerprint


def _on_another_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(this_machine, "cpu_model", lambda: "Another CPU")


def _with_another_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(this_machine, "package_versions", lambda: (("torch", "0.0"),))


@pytest.mark.trains
@pytest.mark.parametrize("change", [_on_another_cpu, _with_another_torch])
def test_another_machine_or_version_measures_anew_and_both_records_stay(
    tiny: Make, monkeypatch: pytest.MonkeyPatch, change: Callable[[pytest.MonkeyPatch], None]
) -> None:
    plan = tiny("phases=train")
    here = execute(plan).record
    with monkeypatch.context() as there:
        change(there)
        other = execute(plan)
        assert not other.reused
        assert execute(plan).record.run_id == other.record.run_id
    assert {record.run_id for record in records(plan)} == {here.run_id, other.record.run_id}
    assert len(list(plan.folder.parent.glob(f"*/{FILE_NAME}"))) == 2  # both are in the tables
    back = execute(plan)
    assert (back.reused, back.record.run_id) == (True, here.run_id)
    assert read(back.folder / FILE_NAME).run_id == here.run_id


@pytest.mark.trains
def test_a_phase_that_is_missing_is_measured_and_the_other_is_kept(tiny: Make) -> None:
    first = execute(tiny("phases=train")).record
    both = execute(tiny("phases=[train,test]"))
    assert not both.reused
    assert set(both.record.phases) == {"train", "test"}
    train = both.record.phases["train"]
    assert {one.attempt for one in train.readings} == {first.run_id}
    assert train.energy_kwh_per_sample == first.phases["train"].energy_kwh_per_sample
    assert execute(tiny("phases=test")).record.run_id == both.record.run_id


def loosen(plan: Plan, relative: float) -> Record:
    """Make the plan's record one whose train interval is that wide."""
    record = read(plan.folder / FILE_NAME)
    train = record.phases["train"]
    interval = train.energy_kwh_per_sample
    assert interval is not None
    wide = dataclasses.replace(interval, half_width=relative * interval.mean)
    phases = {"train": dataclasses.replace(train, energy_kwh_per_sample=wide)}
    record = dataclasses.replace(record, phases=phases)
    write(record, plan.folder)
    return record


@pytest.mark.trains
def test_a_looser_record_is_continued_and_no_energy_is_lost_or_counted_twice(tiny: Make) -> None:
    loose, tight = tiny("phases=train"), tiny("phases=train", "meter.relative_error=0.4")
    assert loose.identity == tight.identity
    execute(loose)
    first = loosen(loose, 0.45)
    whole = execute(tight)
    assert (whole.reused, whole.record.status) == (False, "finished"), whole.record.failure
    assert energy_kwh(whole.record, first.run_id) == pytest.approx(energy_kwh(first))
    assert energy_kwh(whole.record) > 0
    train, before = whole.record.phases["train"], first.phases["train"]
    assert train.num_samples > before.num_samples
    assert train.energy_kwh_per_sample is not None and before.energy_kwh_per_sample is not None
    assert train.energy_kwh_per_sample.num_blocks > before.energy_kwh_per_sample.num_blocks
    assert "measured in more than one attempt" in train.flags
    carried = [one for one in whole.record.overheads if first.run_id[:8] in one.name]
    assert [one.energy for one in carried] == [one.energy for one in first.overheads]
    aside = [read(path).run_id for path in (loose.folder / attempts.ATTEMPTS).glob("*.json")]
    assert aside == [first.run_id]


@pytest.mark.trains
def test_what_the_same_time_could_not_reach_is_not_tried_again(tiny: Make) -> None:
    plan = tiny("phases=train")
    execute(plan)
    first = loosen(plan, 0.9)  # as where the budget ended first
    assert execute(plan).record.run_id == first.run_id
    longer = execute(tiny("phases=train", "meter.max_blocks=7"))
    assert not longer.reused


@pytest.mark.trains
def test_a_finished_record_comes_back_after_an_attempt_to_continue_it_failed(
    tiny: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks.classification.session import ClassificationSession

    plan = tiny("phases=train")
    execute(plan)
    first = loosen(plan, 0.45)

    def fails(session: ClassificationSession, window: Any) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as broken:
        broken.setattr(ClassificationSession, "train", fails)
        failed = execute(tiny("phases=train", "meter.relative_error=0.4"))
    assert failed.record.status == "failed"
    back = execute(plan)
    assert (back.reused, back.record.run_id) == (True, first.run_id)
    assert read(plan.folder / FILE_NAME).run_id == first.run_id
    assert {record.run_id for record in records(plan)} == {first.run_id, failed.record.run_id}


@pytest.mark.trains
def test_repetitions_are_records_of_one_identity_each_in_its_folder(tiny: Make) -> None:
    plan = tiny("phases=train", "repeats=3")
    outcomes: list[Outcome] = [execute(each) for each in plan.repetitions()]
    assert [outcome.record.repetition for outcome in outcomes] == [1, 2, 3]
    assert len({outcome.record.run_id for outcome in outcomes}) == 3
    assert {outcome.record.identity for outcome in outcomes} == {plan.identity}
    assert all(execute(each).reused for each in plan.repetitions())
    reseeded = dataclasses.replace(plan, seed=7)
    assert execute(reseeded).reused  # the seed is no part of the identity


MACHINE = Found(
    device="Tesla T4",
    num_devices=1,
    power_limit_w=70.0,
    cpu_model="EPYC",
    versions={"torch": "2.7.1", "cuda": "12.6"},
    step_version=1,
)


@pytest.mark.parametrize(
    "change",
    [
        {"device": "NVIDIA A100"},
        {"num_devices": 2},
        {"power_limit_w": 60.0},
        {"mig_profile": "1g.5gb"},
        {"cpu_model": "Xeon"},
        {"num_nodes": 2},
        {"step_version": 2},
        {"versions": {"torch": "2.7.1", "cuda": "13.0"}},
    ],
)
def test_each_of_these_makes_another_machine(change: dict[str, Any]) -> None:
    assert earlier.is_machine(MACHINE, MACHINE)
    assert not earlier.is_machine(MACHINE, dataclasses.replace(MACHINE, **change))


def phase(mean: float, half_width: float, num_blocks: int) -> PhaseRecord:
    from metering.record import Energy

    block = Reading(0.0, 1.0, 1, 10, Energy(cpu_kwh=10 * mean))
    interval = Interval(mean, half_width, num_blocks=num_blocks)
    pace = Interval(0.1, 0.001, num_blocks=num_blocks)
    return PhaseRecord("train", (block,) * num_blocks, {}, interval, pace, "time_budget", 10)


def test_attempts_that_agree_give_the_interval_of_their_mean() -> None:
    both = continuation.joined(phase(1.00, 0.04, 30), phase(1.02, 0.04, 30), 0.03)
    interval = both.energy_kwh_per_sample
    assert interval is not None
    assert interval.mean == pytest.approx(1.01)
    assert interval.half_width == pytest.approx(0.04 / 2**0.5)
    assert (both.stop_reason, interval.num_blocks) == ("relative_error", 60)


def test_attempts_that_do_not_agree_show_their_spread_and_say_so() -> None:
    both = continuation.joined(phase(1.0, 0.01, 30), phase(1.1, 0.01, 30), 0.03)
    interval = both.energy_kwh_per_sample
    assert interval is not None
    assert interval.half_width == pytest.approx(12.706 * 0.05, rel=1e-3)
    assert any("differ by more than their intervals" in flag for flag in both.flags)
    assert both.stop_reason == "time_budget"


def test_a_new_attempt_measures_only_what_both_together_need() -> None:
    assert continuation.own_target(0.02, None) == 0.02
    assert continuation.own_target(0.02, 0.01) == 0.02
    own = continuation.own_target(0.02, 0.025)
    assert 1 / own**2 + 1 / 0.025**2 == pytest.approx(1 / 0.02**2)


def test_a_machine_with_other_cpus_is_another_and_an_older_record_does_not_say() -> None:
    here = Found(cpu_model="AMD EPYC", num_cpus=2)
    assert earlier.is_machine(dataclasses.replace(here, num_cpus=None), here)
    assert not earlier.is_machine(dataclasses.replace(here, num_cpus=64), here)
