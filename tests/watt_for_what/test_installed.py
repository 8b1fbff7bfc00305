"""The package as pip unpacks it, without the checkout: its commands work from any folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from metering.record_file import read
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of packages that a wheel would hold."""
    folder = tmp_path_factory.mktemp("installed")
    build = ["build", "--build-base", str(folder / "build"), "--build-lib", str(folder / "lib")]
    code = "from setuptools import setup; setup()"
    subprocess.run(
        [sys.executable, "-c", code, "-q", "egg_info", "--egg-base", str(folder), *build],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return folder / "lib"


def watt(installed: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "watt_for_what", *words],
        env={**os.environ, "PYTHONPATH": str(installed)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.trains
def test_a_run_is_measured_and_shown_away_from_the_checkout(installed, tmp_path):
    quick = ("data=digits", "meter=fixed", "meter.num_steps=2", "meter.num_warmup_steps=1")
    place = ("hardware.accelerator=cpu", "meter.idle_s=0", f"data.cache_dir={tmp_path}/cache")
    done = watt(installed, tmp_path, "run", "model=test_resnet", *quick, *place)
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "runs").glob("*/*/*/*/record.json")
    assert read(path).status == "finished"

    tables = watt(installed, tmp_path, "tables", "runs")
    assert tables.returncode == 0, tables.stderr
    assert "ViT-B" in (tmp_path / "tables/table3.csv").read_text()  # the published facts are there

    status = watt(installed, tmp_path, "status", "runs")
    assert (status.returncode, "1 finished" in status.stdout) == (0, True), status.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("run", "-m", "task=segmentation", "model=pspnet,bisenet", "dry_run=true"),
        ("run", "task=action_recognition", "model=movinet_a0", "dry_run=true"),
    ],
)
def test_the_configuration_is_part_of_the_package(installed, tmp_path, words):
    done = watt(installed, tmp_path, *words)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_report_and_its_assets_are_part_of_the_package(installed, tmp_path):
    done = watt(installed, tmp_path, "report")
    assert done.returncode == 0, done.stderr
    (page,) = (tmp_path / "report").glob("*.html")
    assert "<style>" in page.read_text()
