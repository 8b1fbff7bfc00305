"""`python -m metering.doctor`: each line ok, warning or failure, with its cure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from codecarbon.core.config import get_hierarchical_config

from benchmarks.simulation.nvml import Machine, SimulatedGpu
from metering import doctor, doctor_gpus
from metering.doctor import examine
from metering.sensors import rapl


def levels(lines, topic):
    return [line.level for line in lines if line.topic == topic]


def test_a_good_gpu_is_ok(monkeypatch, tmp_path):
    Machine(SimulatedGpu("GPU-a")).install(monkeypatch)
    lines = examine({}, tmp_path)
    assert levels(lines, "gpu 0") == ["ok", "ok"]
    assert "power limit 300.0 W" in next(line.finding for line in lines if line.topic == "gpu 0")


def test_a_gpus_limit_clocks_driver_and_temperature_are_told(monkeypatch, tmp_path):
    gpu = SimulatedGpu("GPU-a", power_limit_w=250.0, sm_clock_mhz=1410, memory_clock_mhz=1593)
    Machine(gpu).install(monkeypatch)
    line = next(line for line in examine({}, tmp_path) if line.topic == "gpu 0")
    for fact in (
        "Simulated GPU",
        "driver 550.00",
        "power limit 250.0 W",
        "SM clock 1410 MHz",
        "memory clock 1593 MHz",
        "55 C",
    ):
        assert fact in line.finding


@pytest.mark.parametrize(
    ("reasons", "said"),
    [
        (0x20, ["heat"]),  # software thermal slowdown
        (0x40, ["heat"]),  # hardware thermal slowdown
        (0x04, ["power limit"]),  # software power cap
        (0x80, ["power limit"]),  # hardware power brake
        (0x24, ["heat", "power limit"]),
        (0x01, []),  # idle
    ],
)
def test_clocks_lowered_by_heat_or_power_are_warned_about(monkeypatch, tmp_path, reasons, said):
    Machine(SimulatedGpu("GPU-a", throttle_reasons=reasons)).install(monkeypatch)
    lines = [line for line in examine({}, tmp_path) if "lowered" in line.finding]
    assert len(lines) == len(said)
    for line, cause in zip(lines, said, strict=True):
        assert (line.topic, line.level) == ("gpu 0", "warning")
        assert line.finding == f"clocks are lowered by {'' if cause == 'heat' else 'the '}{cause}"
        assert line.cure


def test_a_shared_gpu_without_a_counter_is_warned_about_twice(monkeypatch, tmp_path):
    Machine(SimulatedGpu("GPU-a", has_counter=False, pids=[1])).install(monkeypatch)
    assert levels(examine({}, tmp_path), "gpu 0") == ["ok", "warning", "warning"]


def test_a_gpu_split_by_mig_is_warned_about(monkeypatch, tmp_path):
    Machine(SimulatedGpu("GPU-a", mig_mode=True)).install(monkeypatch)
    (line,) = [line for line in examine({}, tmp_path) if "MIG" in line.finding]
    assert (line.topic, line.level) == ("gpu 0", "warning")
    assert line.cure


def test_a_mask_without_gpus_is_a_failure_and_the_exit_status_says_so(monkeypatch, capsys):
    Machine(SimulatedGpu("GPU-a")).install(monkeypatch)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    assert doctor.main(["--json"]) == 1
    lines = json.loads(capsys.readouterr().out)
    assert any(line["level"] == "failure" and line["cure"] for line in lines)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, ["ok"]),
        ({"SLURM_JOB_GPUS": "0"}, ["ok"]),
        ({"SLURM_JOB_GPUS": "4,5"}, ["ok"]),  # a cgroup hides the GPUs before them
        ({"SLURM_STEP_GPUS": "1", "SLURM_JOB_GPUS": "0,1"}, ["ok", "failure"]),
        ({"CUDA_VISIBLE_DEVICES": "1", "SLURM_STEP_GPUS": "1"}, ["ok"]),
    ],
)
def test_slurms_gpus_that_cuda_would_not_take_are_a_failure(
    monkeypatch, tmp_path, environment, said
):
    Machine(SimulatedGpu("GPU-a"), SimulatedGpu("GPU-b")).install(monkeypatch)
    lines = [line for line in examine(environment, tmp_path) if line.topic == "gpu mask"]
    assert [line.level for line in lines] == said
    if "failure" in said:
        assert lines[1].cure == "export CUDA_VISIBLE_DEVICES=$SLURM_STEP_GPUS"


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, ["ok", "warning"]),  # a run on all GPUs is right
        ({"CUDA_VISIBLE_DEVICES": "1"}, ["failure"]),
        ({"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, ["ok"]),
    ],
)
def test_mixed_gpus_ask_for_the_bus_order(monkeypatch, tmp_path, environment, said):
    Machine(SimulatedGpu("GPU-a", "T4"), SimulatedGpu("GPU-b", "A100")).install(monkeypatch)
    lines = [line for line in examine(environment, tmp_path) if line.topic == "gpu mask"]
    assert [line.level for line in lines] == said
    assert all("PCI_BUS_ID" in line.cure for line in lines if line.level != "ok")


def the_failure(capsys, topic, said):
    """Of a whole diagnosis, as JSON: one failure of `topic` with a cure, and the rest goes on."""
    assert doctor.main(["--json"]) == 1
    lines = json.loads(capsys.readouterr().out)
    (line,) = [line for line in lines if line["level"] == "failure"]
    assert line["topic"] == topic
    assert said in line["finding"]
    assert line["cure"]
    assert {"cpu", "codecarbon", "clock"} <= {line["topic"] for line in lines}
    return line


def test_a_lost_gpu_of_the_job_is_a_failure(monkeypatch, capsys):
    Machine(SimulatedGpu("GPU-a"), SimulatedGpu("GPU-b", lost=True)).install(monkeypatch)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert "nvidia-smi" in the_failure(capsys, "gpu 1", "GPU is lost")["cure"]


def test_a_lost_gpu_of_others_is_named_and_the_jobs_are_examined(monkeypatch, tmp_path):
    Machine(SimulatedGpu("GPU-a"), SimulatedGpu("GPU-b", lost=True)).install(monkeypatch)
    lines = examine({"CUDA_VISIBLE_DEVICES": "0"}, tmp_path)
    assert levels(lines, "gpu 0") == ["ok", "ok"]
    (line,) = [line for line in lines if line.topic == "gpu 1"]
    assert (line.level, line.finding) == ("warning", "does not answer: GPU is lost")


def test_a_gpu_that_breaks_under_examination_leaves_the_other_its_lines(monkeypatch, capsys):
    machine = Machine(SimulatedGpu("GPU-a"), SimulatedGpu("GPU-b")).install(monkeypatch)

    def strangers(pids, own):
        machine.gpus[1].lost = True
        return []

    monkeypatch.setattr(doctor_gpus, "strangers", strangers)
    the_failure(capsys, "gpu 1", "GPU is lost")


def test_an_amd_smi_that_cannot_start_is_a_failure(monkeypatch, capsys):
    def broken(environment):
        raise RuntimeError("AMDSMI_STATUS_NO_DRV")

    Machine().install(monkeypatch)
    monkeypatch.setattr("metering.sensors.amd.job_gpu_indices", broken)
    assert "amd-smi" in the_failure(capsys, "gpu", "AMDSMI_STATUS_NO_DRV")["cure"]


def test_a_mask_that_is_no_number_is_a_failure(monkeypatch, capsys):
    Machine(SimulatedGpu("GPU-a")).install(monkeypatch)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "²")
    the_failure(capsys, "gpu mask", "CUDA_VISIBLE_DEVICES=² names none")


def test_a_working_directory_that_is_gone_is_a_failure(monkeypatch, capsys, tmp_path):
    Machine().install(monkeypatch)
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert "go to a folder" in the_failure(capsys, "codecarbon", "FileNotFoundError")["cure"]


def test_a_home_that_cannot_be_read_is_a_failure(monkeypatch, capsys, tmp_path):
    def is_file(path):
        if path.parent == tmp_path:
            raise PermissionError(f"Permission denied: '{path}'")
        return False

    Machine().install(monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(Path, "is_file", is_file)  # the tests may run as root, who reads all
    assert "HOME" in the_failure(capsys, "codecarbon", "Permission denied")["cure"]


@pytest.mark.parametrize("check", ["cpu", "clock"])
def test_any_other_check_that_breaks_is_a_failure(monkeypatch, tmp_path, check):
    def broken():
        raise ValueError("of two\nlines")

    Machine().install(monkeypatch)
    monkeypatch.setattr(doctor, check, broken)
    (line,) = [line for line in examine({}, tmp_path) if line.topic == check]
    assert line.level == "failure"
    assert line.finding == "cannot be examined: ValueError: of two lines"
    assert line.cure


@pytest.mark.parametrize(
    ("environment", "text", "named"),
    [
        ({"CODECARBON_GPU_IDS": "3"}, None, "CODECARBON_GPU_IDS"),
        ({"codecarbon_gpu_ids": "3"}, None, "codecarbon_gpu_ids"),
        ({}, "[codecarbon]\ngpu_ids = 3\n", ".codecarbon.config"),
    ],
)
def test_stray_codecarbon_configuration_is_named(monkeypatch, tmp_path, environment, text, named):
    Machine().install(monkeypatch)
    if text:
        (tmp_path / ".codecarbon.config").write_text(text)
    (line,) = [line for line in examine(environment, tmp_path) if line.topic == "codecarbon"]
    assert line.level == "warning"
    assert named in line.finding
    assert line.cure


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"gpu_ids = 3", "no section headers"),
        (b"[codecarbon]\ngpu_ids = 3\ngpu_ids = 4\n", "already exists"),
        (b"[codecarbon]\nproject_name = 50 % of it\n", "must be followed by"),
        (b"[codecarbon]\nproject_name = \xff\n", "decode"),
    ],
)
def test_configuration_that_codecarbon_stumbles_over_is_named_with_its_cure(
    monkeypatch, tmp_path, text, said
):
    (tmp_path / ".codecarbon.config").write_bytes(text)
    Machine().install(monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Exception, match=said):
        get_hierarchical_config()  # what the tracker's constructor calls
    (line,) = [line for line in examine({}, tmp_path) if said in line.finding]
    assert (line.topic, line.level) == ("codecarbon", "warning")
    assert ".codecarbon.config" in line.finding
    assert "remove" in line.cure


@pytest.mark.parametrize(
    ("present", "domains", "cpu", "ram"),
    [
        (True, ("package-0", "dram"), ("ok", "RAPL readable (package-0, dram)"), []),
        (True, ("package-0",), ("ok", "RAPL readable (package-0)"), ["warning"]),
        (True, (), ("warning", "RAPL is there but not readable"), ["warning"]),
        (False, (), ("warning", "no RAPL; energy is modelled"), ["warning"]),
    ],
)
def test_how_cpu_and_memory_are_read_is_told(monkeypatch, tmp_path, present, domains, cpu, ram):
    readable = tuple(rapl.Domain(name, tmp_path / name, 99) for name in domains)
    monkeypatch.setattr(rapl, "present", lambda: present)
    monkeypatch.setattr(rapl, "readable_domains", lambda: readable)
    Machine().install(monkeypatch)
    lines = examine({}, tmp_path)
    (line,) = [line for line in lines if line.topic == "cpu"]
    assert line.level == cpu[0]
    assert cpu[1] in line.finding
    assert ("chmod" in line.cure) == (present and not domains)
    assert levels(lines, "ram") == ram


def test_rapl_counters_wrap_and_dram_is_apart(tmp_path):
    for folder, name, energy in (("intel-rapl:0", "package-0", 90), ("intel-rapl:0:0", "dram", 5)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "name").write_text(name)
        (tmp_path / folder / "energy_uj").write_text(str(energy))
        (tmp_path / folder / "max_energy_range_uj").write_text("99")
    reader = rapl.RaplEnergy(rapl.readable_domains(tmp_path))
    before = reader.read_uj()
    (tmp_path / "intel-rapl:0/energy_uj").write_text("10")
    (tmp_path / "intel-rapl:0:0/energy_uj").write_text("8")
    used = {domain.name: j for domain, j in reader.between_j(before, reader.read_uj()).items()}
    assert used == pytest.approx({"package-0": 20e-6, "dram": 3e-6})
