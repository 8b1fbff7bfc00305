"""Every key is described, once, for `--help` and for docs/settings.md."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import yaml

from analysis.documents import filled
from tasks.config import key_table
from tasks.config.model_names import CONF_DIR
from tasks.terminal.arguments import GROUPS
from tests.conftest import ROOT


def test_no_key_is_without_a_comment_that_describes_it() -> None:
    assert [key.name for key in key_table.all_keys() if not key.says] == []


def test_every_key_of_the_primary_config_is_listed() -> None:
    config = yaml.safe_load((CONF_DIR / "config.yaml").read_text(encoding="utf-8"))
    wanted = {f"hardware.slurm.{key}" for key in config["hardware"]["slurm"]}
    wanted |= {f"{group}.{key}" for group in ("model", "data", "task") for key in config[group]}
    wanted |= {key for key in config if key not in ("defaults", "hydra")}
    assert wanted <= {key.name for key in key_table.all_keys()}


def test_every_group_that_the_command_line_knows_is_listed() -> None:
    assert sorted(key_table.groups()) == sorted(GROUPS)


def test_what_single_files_add_says_which() -> None:
    by_name = {key.name: key for key in key_table.all_keys()}
    assert by_name["data.options.crop_scale"].only == ("digits",)
    assert by_name["hydra.launcher.max_running"].only == ("slurm",)


def test_help_has_each_key_in_one_line_with_its_values(
    run_py: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = run_py("--help")
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "precision=fp32 fp32 (the paper's) | tf32 | bf16 | fp16" in lines
    assert any(line.startswith("hardware= a100, a6000, ") for line in lines)
    listed = [
        line for line in lines if line.partition("=")[0] in {k.name for k in key_table.all_keys()}
    ]
    assert len([line for line in listed if line.partition("=")[2]]) >= len(key_table.all_keys())


def test_the_page_of_settings_has_the_table_as_it_is_now() -> None:
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    assert "| `batch_size` | `null` |" in page
    assert filled(page) == page, "make documents"
