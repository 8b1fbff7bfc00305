"""The copy of the code that a sweep's jobs run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from launchers import slurm_code
from tasks.errors import PlanError
from tasks.plan import Plan

NETWORK = "import {helper}\n\ndef build(num_classes=10):\n    return None\n"


def _own_plan(compose: Callable[..., Plan], folder: Path, helper: str) -> Plan:
    """A network in `folder/copied_nets.py` that imports `helper`."""
    folder.mkdir(exist_ok=True)
    (folder / "copied_nets.py").write_text(NETWORK.format(helper=helper))
    return compose("model=own", "model.source=copied_nets:build", f"model.path={folder}")


def test_modules_beside_the_users_own_that_it_imports_are_copied_too(
    compose: Callable[..., Plan], tmp_path: Path
) -> None:
    folder = tmp_path / "nets"
    plan = _own_plan(compose, folder, "copied_blocks.attention")
    blocks = folder / "copied_blocks"
    blocks.mkdir()
    (blocks / "attention.py").write_text("import json\nimport copied_sizes\n")
    (blocks / "table.json").write_text("{}")
    (blocks / "itself").symlink_to(blocks)
    (folder / "copied_sizes.py").write_text("WIDTH = 8\n")
    (folder / "unrelated.py").write_text("")

    copy = slurm_code.copied(tmp_path / "home", [plan])

    own = copy.folder / "own"
    assert sorted(str(path.relative_to(own)) for path in own.rglob("*") if path.is_file()) == [
        "copied_blocks/attention.py",
        "copied_blocks/table.json",
        "copied_nets.py",
        "copied_sizes.py",
    ]


def test_a_copy_from_which_the_site_deleted_old_files_is_made_whole(
    compose: Callable[..., Plan], tmp_path: Path
) -> None:
    copy = slurm_code.copied(tmp_path, [compose()])
    deleted, changed = copy.folder / "suite/tasks/plan.py", copy.folder / "suite/run.py"
    facts = copy.folder / "suite" / slurm_code.COPY_FACTS
    whole = [path.read_bytes() for path in (deleted, changed, facts)]
    deleted.unlink()
    facts.unlink()
    changed.write_text("raise SystemExit")
    assert slurm_code.copied(tmp_path, [compose()]) == copy
    assert [path.read_bytes() for path in (deleted, changed, facts)] == whole


def test_a_package_with_data_in_it_is_not_copied_for_every_sweep(
    compose: Callable[..., Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slurm_code, "MOST_OWN_BYTES", 10)
    with pytest.raises(PlanError, match="move data and weights out of their folders"):
        slurm_code.copied(tmp_path / "home", [_own_plan(compose, tmp_path / "nets", "json")])


def test_a_config_is_known_by_its_content_and_that_of_its_bases(
    compose: Callable[..., Plan], tmp_path: Path
) -> None:
    base, config = tmp_path / "base.py", tmp_path / "config.py"
    base.write_text("model = dict()\n")
    config.write_text("_base_ = 'base.py'\n")
    plan = compose("model=mmseg", f"model.config={config}")
    before = slurm_code.file_digests(plan)
    base.write_text("model = dict(type='x')\n")
    after = slurm_code.file_digests(plan)
    assert set(before) == {str(config), str(base)}
    assert before[str(config)] == after[str(config)]
    assert before[str(base)] != after[str(base)]
