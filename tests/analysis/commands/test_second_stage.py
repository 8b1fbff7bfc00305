"""The best combination of switches becomes a switch of its own, and a command that measures it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir

from analysis.__main__ import main
from metering.record import Interval
from metering.record_file import write
from tasks.config.model_names import CONF_DIR
from tasks.plan import from_config
from tests.analysis.sample_records import a_phase, a_record

RATES = {"reference": 1e-6, "compile": 0.8e-6, "batch_size": 0.9e-6, "num_workers": 1.2e-6}
SWITCHED = {
    "reference": {},
    "compile": {"compile": True},
    "batch_size": {"batch_size": 64},
    "num_workers": {"num_workers": 0},
}


def measured(
    runs: Path, model: str = "resnet18", more: dict[str, Any] | None = None, **rates: float
) -> None:
    """Each switch three times, as a sweep leaves it; runs differ by 1 %. more: of the set-up."""
    for name, kwh in {**RATES, **rates}.items():
        for number in range(3):
            seconds = Interval(1 / 320, 1e-5, num_blocks=10)
            rate = kwh * (1 + 0.01 * (number - 1))
            phase = a_phase(kwh_per_sample=rate, half_width=1e-9, duration_s_per_sample=seconds)
            record = a_record(
                model=model, phases={"train": phase}, **SWITCHED[name], **(more or {})
            )
            place = runs / record.task / model / record.hardware / f"{record.identity}-{number}"
            write(record, place)


def test_the_commands_measure_the_best_of_each_switch_beside_the_reference(
    tmp_path: Path, capsys, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    measured(tmp_path / "runs")
    measured(tmp_path / "runs", "swin_t", batch_size=1.5e-6, num_workers=0.9e-6)
    assert main(["savings", "runs", "--best", "best"]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        f"python run.py -m -cd best experiment=savings model={model} hardware=a6000 "
        f"switch=reference,best_{model}_train repeats=5"
        for model in ("resnet18", "swin_t")
    ]
    assert "add what else your first command had" in printed.err
    assert "the reference of swin_t was batch 32, fp32, data synthetic" in printed.err
    values = [
        json.loads(path.read_text().splitlines()[-1])
        for path in sorted(Path("best/switch").glob("*.yaml"))
    ]
    assert values == [
        {"compile": True, "batch_size": 64},
        {"compile": True, "data": {"num_workers": 0}},
    ]


def test_the_switch_makes_the_plan_that_was_proposed(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    measured(tmp_path / "runs", num_workers=0.7e-6)
    assert main(["savings", "runs", "--best", "best"]) == 0
    words = shlex.split(capsys.readouterr().out)
    import launchers

    launchers.register()
    monkeypatch.setattr("sys.argv", ["run.py", *words[2:]])
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        given = ["model=resnet18", "switch=best_resnet18_train", f"output_dir={tmp_path}"]
        plan = from_config(compose("config", given))
    assert (plan.compile, plan.batch_size, plan.data.num_workers) == (True, 64, 0)


def test_nothing_is_proposed_where_nothing_saves_or_all_was_measured(
    tmp_path: Path, capsys, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    measured(tmp_path / "runs", compile=1.1e-6, batch_size=1.1e-6)
    assert main(["savings", "runs", "--best", "best"]) == 2
    assert "nothing is shown to save" in capsys.readouterr().err
    measured(tmp_path / "one", batch_size=1.1e-6)
    assert main(["savings", "one", "--best", "best"]) == 2
    assert "every combination was measured already" in capsys.readouterr().err


def test_two_studies_of_a_network_are_told_apart(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    measured(tmp_path / "runs")
    measured(tmp_path / "others", num_workers=0.7e-6, more={"device": "Tesla T4"})
    assert main(["savings", "runs", "others", "--best", "best"]) == 2
    assert (
        "best_resnet18_train would be another combination on NVIDIA RTX A6000 and on Tesla T4"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("name", ["file", "/proc/nowhere"])
def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, capsys, monkeypatch, name) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    measured(tmp_path / "runs")
    assert main(["savings", "runs", "--best", name]) == 2
    assert f"--best {name} cannot be written" in capsys.readouterr().err
