"""A primary config of the user's own, and a folder of theirs beside the suite's."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from launchers.search_path import config_dir

RunPy = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "mine"
    (made / "model").mkdir(parents=True)
    (made / "myconfig.yaml").write_text("defaults: [config, _self_]\nmodel: {input_size: 64}\n")
    (made / "model" / "resnet50d.yaml").write_text("name: mine\nsource: resnet18\n")
    return made


@pytest.mark.parametrize("flag", ["--config-dir", "--config-path"])
def test_an_own_primary_config_extends_the_suites(folder: Path, run_py: RunPy, flag: str) -> None:
    done = run_py(flag, str(folder), "-cn", "myconfig", "model=resnet18", "--cfg", "job")
    assert done.returncode == 0, done.stderr
    assert "input_size: 64" in done.stdout
    assert "source: resnet18" in done.stdout


def test_an_own_primary_config_is_swept(folder: Path, run_py: RunPy) -> None:
    own = ("-m", "-cd", str(folder), "-cn", "myconfig")
    done = run_py(*own, "model=resnet18,resnet34", "dry_run=true")
    assert done.returncode == 0, done.stderr
    assert "model=resnet34 " in done.stdout
    assert "\n2 runs, " in done.stdout


def test_a_file_of_the_users_goes_before_timms_network_of_the_same_name(
    folder: Path, run_py: RunPy
) -> None:
    done = run_py("-cd", str(folder), "model=resnet50d", "--cfg", "job")
    assert "name: mine" in done.stdout, done.stderr


@pytest.mark.parametrize("words", [["-cd", "a"], ["--config-dir", "a"], ["--config-dir=a"]])
def test_config_dir_is_found_however_it_is_written(words: list[str]) -> None:
    assert config_dir(["-m", *words, "model=x"]) == "a"
    assert config_dir(["-m", "model=x"]) is None


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], None),
        (["model=vit_b"], None),
        (["-cd"], None),
        (["-cd", "mine", "model=vit_b"], "mine"),
        (["model=vit_b", "--config-dir=mine"], "mine"),
    ],
)
def test_the_folder_of_configs_is_read_from_any_command_line(arguments, expected):
    assert config_dir(arguments) == expected
