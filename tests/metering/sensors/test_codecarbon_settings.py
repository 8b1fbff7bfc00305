"""CodeCarbon's stray settings, in the environment or in files, change nothing that is measured."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from codecarbon import emissions_tracker
from codecarbon.core import util
from codecarbon.external import ram

from metering.sensors.codecarbon import CodeCarbonMeter

STRAY = {"force_ram_power": "500", "force_cpu_power": "900", "pue": "3", "save_to_file": "False"}


def powers_w(folder: Path) -> tuple[float, float]:
    """CPU and RAM as CodeCarbon reads or models them over a fifth of a second."""
    meter = CodeCarbonMeter(folder, [], "GBR")
    try:
        meter.begin()
        began_s = time.perf_counter()
        time.sleep(0.2)
        energy = meter.end().energy
        duration_s = time.perf_counter() - began_s
    finally:
        meter.stop()
    assert energy.cpu_kwh is not None
    assert energy.ram_kwh is not None
    return energy.cpu_kwh * 3.6e6 / duration_s, energy.ram_kwh * 3.6e6 / duration_s


@pytest.mark.parametrize("place", ["environment", "file"])
def test_stray_settings_are_overridden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    _, clean_ram_w = powers_w(tmp_path)
    monkeypatch.chdir(tmp_path)
    if place == "environment":
        for name, value in STRAY.items():
            monkeypatch.setenv(f"CODECARBON_{name.upper()}", value)
    else:
        lines = [f"{name}={value}" for name, value in STRAY.items()]
        Path(".codecarbon.config").write_text("\n".join(["[codecarbon]", *lines]))
    cpu_w, ram_w = powers_w(tmp_path)
    assert ram_w == pytest.approx(clean_ram_w, rel=0.5)  # 500 W, or times 3, is more
    assert cpu_w < 900
    assert (tmp_path / "emissions.csv").exists()


@pytest.mark.parametrize("has_scontrol", [False, True])
def test_a_slurm_job_is_metered_as_its_machine_is_whatever_scontrol_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_scontrol: bool
) -> None:
    _, usual_ram_w = powers_w(tmp_path)
    for module in (util, ram):
        monkeypatch.setattr(module, "SLURM_JOB_ID", "5")
    if has_scontrol:
        script = tmp_path / "scontrol"
        script.write_text("#!/bin/sh\necho NumCPUs=1 TRES=cpu=1,mem=62.50G,node=1\n")
        script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert powers_w(tmp_path)[1] == pytest.approx(usual_ram_w, rel=0.5)


def test_a_tracker_that_cannot_be_made_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object, *_: object, **__: object) -> None:
        raise ImportError("libnuma.so.1: cannot open shared object file")

    monkeypatch.setattr(emissions_tracker.BaseEmissionsTracker, "__init__", fail)
    with pytest.raises(ImportError, match="libnuma"):
        CodeCarbonMeter(tmp_path, [], "GBR")
