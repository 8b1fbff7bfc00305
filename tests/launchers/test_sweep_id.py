"""A command has a sweep, in which the same command goes on when it is started again."""

from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import DictConfig, OmegaConf

from launchers import sweep_id
from launchers.sweep_id import Sweep


def begin(folder: Path, *words: str, **values: object) -> Sweep:
    """What the command `python run.py -m WORDS` begins."""
    hydra = {"overrides": {"task": list(words), "hydra": ["hydra.mode=MULTIRUN"]}}
    config: DictConfig = OmegaConf.create({"output_dir": str(folder), "hydra": hydra, **values})
    return sweep_id.begun(config)


def test_the_same_command_goes_on_in_its_sweep(tmp_path: Path) -> None:
    first = begin(tmp_path, "model=a,b", "repeats=3")
    again = begin(tmp_path, "repeats=3", "model=a,b", "retry_failed=true")
    assert again.id == first.id
    assert again.started_at >= first.started_at


@pytest.mark.parametrize("other", [["model=a,b,c"], ["model=a,b", "repeats=3"]])
def test_another_command_is_another_sweep(tmp_path: Path, other: list[str]) -> None:
    assert begin(tmp_path, "model=a,b").id != begin(tmp_path, *other).id


def test_another_folder_is_another_sweep(tmp_path: Path) -> None:
    assert begin(tmp_path / "one", "model=a").id != begin(tmp_path / "two", "model=a").id


def test_what_is_measured_anew_is_another_sweep_in_which_the_command_then_goes_on(
    tmp_path: Path,
) -> None:
    first = begin(tmp_path, "model=a")
    anew = begin(tmp_path, "model=a", "force=true", force=True)
    assert anew.id != first.id
    assert begin(tmp_path, "model=a").id == anew.id


def test_a_preview_begins_nothing(tmp_path: Path) -> None:
    begin(tmp_path, "model=a", "dry_run=true", dry_run=True)
    assert not list(tmp_path.iterdir())


def test_a_damaged_note_begins_a_sweep_anew(tmp_path: Path) -> None:
    first = begin(tmp_path, "model=a")
    (note,) = (tmp_path / ".sweeps").glob("*.json")
    note.write_text("[]")
    assert begin(tmp_path, "model=a").id != first.id
    assert begin(tmp_path, "model=a").id != first.id
