"""What `hydra.launcher` may hold."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from omegaconf import OmegaConf

from launchers.settings import LocalSettings, SlurmSettings, launcher_settings
from tasks.config.model_names import CONF_DIR
from tasks.errors import PlanError


@pytest.mark.parametrize(("name", "kind"), [("local", LocalSettings), ("slurm", SlurmSettings)])
def test_the_files_of_conf_hold_every_setting_with_its_default(name: str, kind: type) -> None:
    given: Any = OmegaConf.to_container(OmegaConf.load(CONF_DIR / f"hydra/launcher/{name}.yaml"))
    assert launcher_settings(given) == kind()
    assert set(given) == {"_target_", *(field.name for field in dataclasses.fields(kind))}


def test_groups_of_devices_and_lines_of_set_up_are_kept() -> None:
    local = launcher_settings({"_target_": "x.LocalLauncher", "devices": [[0], [1, 2]]})
    assert isinstance(local, LocalSettings) and local.devices == ((0,), (1, 2))
    slurm = launcher_settings({"_target_": "x.SlurmLauncher", "setup": ["module load cuda"]})
    assert isinstance(slurm, SlurmSettings) and slurm.setup == ("module load cuda",)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"isolate": "perhaps"}, "hydra.launcher.isolate=perhaps is neither true nor false"),
        ({"devices": 5}, "hydra.launcher.devices=5 is not a list"),
        ({"devices": [[0], "a"]}, "hydra.launcher.devices.1=a is not a list"),
        ({"cooldown": 5}, "did you mean cooldown_s?"),
    ],
)
def test_a_wrong_setting_is_one_line(given: dict[str, Any], words: str) -> None:
    with pytest.raises(PlanError, match=words):
        launcher_settings({"_target_": "x.LocalLauncher"} | given)
