"""Readings that cannot be true are dropped and said so; a run without GPU energy fails."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from benchmarks.simulation.loads import Workload
from benchmarks.simulation.meter import J_PER_KWH, measure
from benchmarks.simulation.nvml import Machine, NVMLError, SimulatedGpu
from metering.block import Block, MeterError
from metering.emissions import emission_factor
from metering.flags import of_blocks
from metering.plausibility import gpu_fault
from metering.record import Energy
from metering.sensors.codecarbon import CodeCarbonMeter
from metering.sensors.own_readers import OwnReaders, strangers
from metering.sensors.rapl import moving, readable_domains


@pytest.mark.parametrize(
    ("used_j", "said"),
    [
        (-1.0, "backwards"),
        (float("nan"), "no number"),
        (0.0, "stood still"),
        (900.0, "above the board's limit of 300 W"),
        (250.0, ""),
    ],
)
def test_one_gpus_joules_over_a_second(used_j, said):
    fault = gpu_fault(used_j, duration_s=1.0, limit_w=300.0)
    assert said in fault
    assert bool(fault) == bool(said)


def test_a_gpu_run_without_a_gpu_sensor_fails_before_it_computes(make_meter):
    with pytest.raises(MeterError, match=r"metering\.doctor"), make_meter(Machine()):
        pass


def test_a_counter_reset_costs_one_block_and_is_said(make_meter):
    machine = Machine(SimulatedGpu("GPU-a"))
    workload = Workload(machine, seed=4)
    meter = make_meter(machine)
    with meter, meter.window("train", 32) as window:
        window.open()
        for step in range(10_000):
            if step == 100:
                machine.gpus[0].reset_counter()
            if window.step(workload.step()):
                break
    record = window.result()
    dropped = [block for block in record.readings if block.use == "dropped"]
    assert [block.reason for block in dropped] == ["a GPU energy counter went backwards"]
    assert any("1 blocks were dropped" in flag for flag in record.flags)


def test_a_counter_that_stands_still_fails_the_run(make_meter):
    machine = Machine(SimulatedGpu("GPU-a", period_s=1e6))
    with pytest.raises(MeterError, match="stood still"):
        measure(make_meter(machine, max_blocks=10), Workload(machine, seed=5))


def test_two_readings_that_differ_by_more_than_two_percent_are_flagged(make_meter):
    machine = Machine(SimulatedGpu("GPU-a"))
    record = measure(make_meter(machine, error=0.05), Workload(machine, seed=6))
    assert any("GPU energy differs by 5.0 %" in flag for flag in record.flags)
    assert all(block.own.gpu_kwh is not None for block in record.readings)
    agreeing = measure(make_meter(machine, error=0.01), Workload(machine, seed=6))
    assert agreeing.flags == ()


def test_a_second_process_on_the_gpu_is_flagged_and_ours_is_not(make_meter):
    machine = Machine(SimulatedGpu("GPU-a", pids=[os.getpid(), 1]))
    record = measure(make_meter(machine), Workload(machine, seed=7))
    assert record.flags == ("other processes computed on the same GPU: [1]",)


def test_in_a_container_an_unknown_id_stands_for_our_own_process():
    assert strangers([70001], own_pids=[12], visible=lambda _: False) == []
    assert strangers([70001, 70002], own_pids=[12], visible=lambda _: False) == [70002]
    assert strangers([12, 70001], own_pids=[12], visible=lambda _: False) == [70001]


def test_a_budget_shorter_than_two_blocks_gives_a_mean_without_an_interval(make_meter):
    machine = Machine(SimulatedGpu("GPU-a"))
    workload = Workload(machine, seed=8, step_s=70.0, num_cold_steps=0)
    record = measure(make_meter(machine, time_budget_s=80.0), workload)
    assert record.stop_reason == "time_budget"
    # two blocks, the steps between them and the idle second before
    assert machine.now_s < 3.5 * 70
    assert [one.use for one in record.readings] == ["warm-up", "measured"]
    assert record.energy_kwh_per_sample.mean > 0
    assert record.energy_kwh_per_sample.half_width is None


def test_data_that_end_early_close_the_window(make_meter):
    machine = Machine(SimulatedGpu("GPU-a"))
    workload = Workload(machine, seed=9)
    meter = make_meter(machine)
    with meter, meter.window("test", 32) as window:
        window.open()
        for _ in range(40):
            assert not window.step(workload.step())
    record = window.result()
    assert record.stop_reason == "end_of_data"
    assert sum(block.num_steps for block in record.readings) == 40


def rapl(root: Path, package_uj: int, dram_uj: int = 0) -> None:
    """Linux's powercap files of one package and its memory, as they stand now."""
    for folder, name, energy in (
        ("intel-rapl:0", "package-0", package_uj),
        ("intel-rapl:0:0", "dram", dram_uj),
    ):
        (root / folder).mkdir(exist_ok=True)
        (root / folder / "name").write_text(name)
        (root / folder / "energy_uj").write_text(str(energy))
        (root / folder / "max_energy_range_uj").write_text(str(262_143_328_850))


@pytest.fixture
def readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OwnReaders:
    """Readers of a machine whose RAPL counters stand at 900 kJ and 5 J."""
    rapl(tmp_path, 900_000_000_000, 5_000_000)
    domains = readable_domains(tmp_path)
    monkeypatch.setattr("metering.sensors.own_readers.readable_domains", lambda: domains)
    monkeypatch.setattr("metering.sensors.own_readers.moving", lambda domains: domains)
    return OwnReaders(())


@pytest.mark.parametrize(
    ("package_uj", "dram_uj", "cpu_j", "ram_j", "said"),
    [
        (900_040_000_000, 8_000_000, 40.0, 3.0, ""),
        (900_000_000_000, 8_000_000, None, None, "package-0 stood still"),
        (900_040_000_000, 5_000_000, None, None, "dram stood still"),
        (1_000, 8_000_000, None, None, "package-0 was reset or jumped"),
    ],
)
def test_rapl_readings_of_a_second(
    readers, tmp_path, package_uj, dram_uj, cpu_j, ram_j, said
) -> None:
    before = readers.snapshot()
    rapl(tmp_path, package_uj, dram_uj)
    difference = readers.between(before, readers.snapshot(), duration_s=1.0)
    assert said in difference.fault
    assert bool(said) == bool(difference.fault)
    expected = [None if joules is None else joules / J_PER_KWH for joules in (cpu_j, ram_j)]
    assert [difference.energy.cpu_kwh, difference.energy.ram_kwh] == pytest.approx(expected)
    assert readers.sensors()["cpu"].how == readers.sensors()["ram"].how == "rapl"


def test_a_rapl_counter_that_cannot_be_read_for_once_costs_one_block(readers, tmp_path) -> None:
    before = readers.snapshot()
    (tmp_path / "intel-rapl:0" / "energy_uj").unlink()
    difference = readers.between(before, readers.snapshot(), duration_s=1.0)
    assert "could not be read" in difference.fault
    assert difference.energy == Energy()


def test_a_rapl_counter_that_never_moves_is_no_sensor(tmp_path) -> None:
    rapl(tmp_path, 900, 5)
    assert moving(readable_domains(tmp_path), patience_s=0.01) == ()


def test_a_gpu_that_does_not_answer_once_costs_one_block_and_not_the_run(make_meter) -> None:
    machine = Machine(SimulatedGpu("GPU-a"))
    workload = Workload(machine, seed=4)
    answer, calls = machine.nvmlDeviceGetTotalEnergyConsumption, itertools.count()

    def sometimes(handle: SimulatedGpu) -> int:
        if workload.machine.now_s > 10 and next(calls) == 0:
            raise NVMLError("GPU is lost")
        return answer(handle)

    machine.nvmlDeviceGetTotalEnergyConsumption = sometimes  # type: ignore[method-assign]
    record = measure(make_meter(machine), workload)
    dropped = [block.reason for block in record.readings if block.use == "dropped"]
    assert dropped == ["a counter could not be read (GPU is lost)"]


def test_each_boards_own_limit_counts(make_meter) -> None:
    machine = Machine(SimulatedGpu("GPU-a", power_limit_w=600.0), SimulatedGpu("GPU-b"))
    with make_meter(machine, max_blocks=6) as meter:
        meter.begin_block()
        machine.work(1.0, 500.0, 200.0)
        assert meter.end_block().fault == ""
        meter.begin_block()
        machine.work(1.0, 200.0, 500.0)
        assert "above the board's limit of 300 W" in meter.end_block().fault


def test_what_codecarbon_cannot_mean_is_a_fault_and_no_number(tmp_path, monkeypatch) -> None:
    meter = CodeCarbonMeter(tmp_path, [], "GBR")
    try:
        stop_task = meter._tracker.stop_task

        def spoiled() -> object:
            data = stop_task()
            data.cpu_energy = float("nan")
            return data

        monkeypatch.setattr(meter._tracker, "stop_task", spoiled)
        meter.begin()
        difference = meter.end()
    finally:
        meter.stop()
    assert difference.energy.cpu_kwh is None
    assert difference.energy.ram_kwh is not None
    assert difference.fault == "CodeCarbon gave nan kWh for the CPU"


def test_idle_power_of_a_counter_that_was_reset_is_absent(make_meter) -> None:
    machine = Machine(SimulatedGpu("GPU-a"))
    with make_meter(machine, idle_s=5.0) as meter:
        machine.idle(5.0)

        def reset(duration_s: float) -> None:
            machine.idle(duration_s)
            machine.gpus[0].reset_counter()

        meter.sleep = reset
        meter.idle()
    assert meter.idle_power_w is None


def test_a_fixed_window_ends_at_its_time_budget_and_says_so(make_meter) -> None:
    machine = Machine(SimulatedGpu("GPU-a"))
    workload = Workload(machine, seed=8)
    settings = {"mode": "fixed", "num_steps": 10_000, "time_budget_s": 30.0}
    record = measure(make_meter(machine, **settings), workload)
    assert record.stop_reason == "time_budget"
    assert sum(block.duration_s for block in record.readings) == pytest.approx(30.0, abs=1.5)


def test_the_gpu_that_computes_must_be_the_one_that_is_metered(make_meter) -> None:
    machine = Machine(SimulatedGpu("GPU-aa"))
    with make_meter(machine) as meter:
        meter.require_devices("aa")
        meter.require_devices(None)
        with pytest.raises(MeterError, match=r"computes on GPU bb.*reads .*GPU-aa.*CUDA_DEVICE"):
            meter.require_devices("bb")


def test_our_own_counter_counts_and_not_codecarbons(make_meter) -> None:
    machine = Machine(SimulatedGpu("GPU-a"))
    workload = Workload(machine, seed=1, noise=0.01, num_cold_steps=0)
    record = measure(make_meter(machine, error=0.5), workload)
    j_per_sample = record.energy_kwh_per_sample.mean * J_PER_KWH
    assert j_per_sample == pytest.approx(workload.true_j_per_sample, rel=0.02)


def test_emissions_are_the_energy_that_counts_times_the_countrys_factor(make_meter) -> None:
    machine = Machine(SimulatedGpu("GPU-a"))
    meter = make_meter(machine, error=0.5)
    meter.emission_factor = emission_factor("GBR")
    record = measure(meter, Workload(machine, seed=1))
    measured = [block for block in record.readings if block.use == "measured"]
    kwh = sum(block.own.gpu_kwh for block in measured)
    factor = meter.facts()["emissions"]["kg_co2eq_per_kwh"]
    assert 0.1 < factor < 0.5  # Great Britain's, kg per kWh
    assert record.emissions_kg_co2eq == pytest.approx(factor * kwh)


def test_two_readings_of_the_cpu_that_differ_are_flagged() -> None:
    apart = Block(1.0, Energy(cpu_kwh=1.1), Energy(cpu_kwh=1.0))
    (flag,) = of_blocks([apart], [apart], disagreement=0.02, num_waits=0)
    assert "CodeCarbon's CPU energy differs by 10.0 %" in flag


def test_the_block_is_long_against_a_slow_sensor(make_meter) -> None:
    machine = Machine(SimulatedGpu("GPU-a", period_s=0.15))
    meter = make_meter(machine, block_s=0.1)
    record = measure(meter, Workload(machine, seed=1, step_s=0.02))
    assert meter.sensor_period_s == pytest.approx(0.15, abs=0.005)
    measured = [block for block in record.readings if block.use == "measured"]
    assert min(block.duration_s for block in measured) > 0.5
