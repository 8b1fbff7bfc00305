"""Composing a sweep quickly gives the very configs that Hydra gives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra import initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import ConfigRepository
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

import launchers
from launchers.sweep_loader import SweepLoader
from tests.tasks.terminal.typed import type_in

CONF = Path(__file__).parents[2] / "conf"


@pytest.fixture
def loaders() -> Iterator[tuple[ConfigLoaderImpl, SweepLoader, DictConfig]]:
    """Hydra's own, ours, and the config of a sweep on SLURM."""
    launchers.register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        hydras = GlobalHydra.instance().config_loader()
        assert isinstance(hydras, ConfigLoaderImpl)
        ours = SweepLoader(hydras.get_search_path())
        yield (
            hydras,
            ours,
            hydras.load_configuration("config", ["hydra/launcher=slurm"], RunMode.MULTIRUN),
        )


SWEEP = [
    ["hardware=a100", "seed=0"],
    ["hardware=a100", "seed=1", "hydra.launcher.wait=false"],
    ["seed=7", "hardware=t4", "meter.time_budget_s=30"],
    ["model=vit_b", "batch_size=8", "+model.options.drop_rate=0.1", "data.options.num_files=64"],
    ["model=resnet50d", "~model.options"],
    ["experiment=table1", "model=pspnet", "force=true"],
    ["model=vit_b", "batch_size=16"],
]


def test_every_run_is_composed_as_hydra_composes_it(
    loaders: tuple[ConfigLoaderImpl, SweepLoader, DictConfig],
) -> None:
    hydras, ours, master = loaders
    for overrides in [*SWEEP, *reversed(SWEEP)]:  # the second time from memory
        expected = hydras.load_sweep_config(master, list(overrides))
        config = ours.load_sweep_config(master, list(overrides))
        assert OmegaConf.to_yaml(config) == OmegaConf.to_yaml(expected)
        assert OmegaConf.is_struct(config) is OmegaConf.is_struct(expected) is True


@pytest.mark.parametrize("wrong", ["seeed=1", "model=vit_bb", "seed=1,2", "+seed=1", "~hardwear"])
def test_what_hydra_refuses_is_refused_alike(
    loaders: tuple[ConfigLoaderImpl, SweepLoader, DictConfig], wrong: str
) -> None:
    hydras, ours, master = loaders
    ours.load_sweep_config(master, ["seed=0"])
    with pytest.raises(HydraException) as expected:
        hydras.load_sweep_config(master, [wrong])
    with pytest.raises(HydraException) as refused:
        ours.load_sweep_config(master, [wrong])
    assert type(refused.value) is type(expected.value)
    assert str(refused.value) == str(expected.value)


def test_what_one_run_changes_in_its_config_does_not_reach_the_next(
    loaders: tuple[ConfigLoaderImpl, SweepLoader, DictConfig],
) -> None:
    _, ours, master = loaders
    first = ours.load_sweep_config(master, ["seed=0"])
    first.batch_size = 999
    assert ours.load_sweep_config(master, ["seed=1"]).batch_size != 999


def test_each_file_is_read_once_a_sweep(
    loaders: tuple[ConfigLoaderImpl, SweepLoader, DictConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, ours, master = loaders
    read: list[str] = []
    original = ConfigRepository.load_config

    def counted(repository: ConfigRepository, config_path: str) -> object:
        read.append(config_path)
        return original(repository, config_path)

    monkeypatch.setattr(ConfigRepository, "load_config", counted)
    for model in ("vit_b", "swin_t"):
        for hardware in ("a100", "t4"):
            ours.load_sweep_config(master, [f"model={model}", f"hardware={hardware}"])
    # Hydra itself reads the top file once more, before it knows where else to look
    assert len(read) - 1 <= len(set(read)) > 10


def test_a_preview_copies_no_config_and_sees_what_a_run_would(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def copy_everything(**_: object) -> None:
        raise AssertionError("Hydra's way takes five times as long")

    monkeypatch.setattr("launchers.local_launcher.run_job", copy_everything)
    seen: list[tuple[int, int]] = []
    monkeypatch.setattr(
        "launchers.single.preview",
        lambda plans: seen.append((HydraConfig.get().job.num, plans[0].batch_size)),
    )
    words = ("model=resnet18", f"output_dir={tmp_path}")
    status, said = type_in("-m", "batch_size=4,5.5,6", *words)
    assert (status, seen) == (2, [(0, 4), (2, 6)])
    assert "batch_size=5.5 is not a whole number" in said


def test_a_preview_in_an_environment_of_its_own_is_hydras(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[str | None] = []
    monkeypatch.setattr("launchers.single.preview", lambda _: seen.append(os.environ.get("OWN")))
    words = ("+hydra.job.env_set.OWN=here", f"output_dir={tmp_path}")
    assert type_in("-m", "model=resnet18,vit_b", *words)[0] == 0
    assert seen == ["here", "here"]
