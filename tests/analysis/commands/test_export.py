"""`python -m analysis export`: each format from a measured record and from an imported log."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from analysis.__main__ import main
from analysis.commands.export import gather
from analysis.export.development import breakdown
from analysis.export.formats import FORMATS
from analysis.export.site_facts import SiteFacts
from metering.record_file import to_json
from metering.record_host import EmissionFactor, Host
from tests.analysis.records.codecarbon.logs import CONFIG, a_config, a_log
from tests.analysis.sample_records import a_failure, a_record, put

FACTOR = EmissionFactor("GBR", 0.25, 2023, "CodeCarbon")


@pytest.fixture
def records(tmp_path: Path) -> Path:
    return put(tmp_path / "runs", a_record(host=Host(emissions=FACTOR)))


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_made_from_a_measured_record(
    name: str, records: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert main(["export", str(records), "--to", name, "--out", str(out)]) == 0
    assert all(path.stat().st_size for path in out.iterdir())


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("imported", [True, False])
def test_each_format_is_made_from_a_log(name: str, imported: bool, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    a_log(logs, {})
    if imported:
        given = ["--samples", "10000", "--model", "vit", "--out", str(tmp_path / "runs")]
        assert main(["import", str(logs), *given]) == 0
    else:
        a_config(logs)
    folder = tmp_path / "runs" if imported else logs
    out = tmp_path / "out"
    assert main(["export", str(folder), "--to", name, "--out", str(out)]) == 0
    assert all(path.stat().st_size for path in out.iterdir())


def test_one_file_goes_to_the_terminal_and_what_is_left_out_is_named(
    records: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(records), "--to", "cyclonedx"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["bomFormat"] == "CycloneDX"
    assert "left out energyProviders" in said.err


@pytest.mark.parametrize("name", ["huggingface", "boamps", "compute-report", "spdx", "cyclonedx"])
def test_what_a_reader_must_know_is_in_the_report(name: str, tmp_path: Path) -> None:
    a_config(tmp_path / "logs")
    a_log(tmp_path / "logs", {"pue": "1.25"})
    out = tmp_path / "out"
    assert main(["export", str(tmp_path / "logs"), "--to", name, "--out", str(out)]) == 0
    assert all("pue 1.25 is divided out" in path.read_text() for path in out.iterdir())


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"gpu_energy": "0.0", "energy_consumed": "0.003"}, "it was not read"),
        ({"gpu_energy": "7000", "energy_consumed": "7000.003"}, "a unit is mistaken"),
        ({"pue": "0.2", "energy_consumed": "0.010"}, "pue 0.2 is no data centre's"),
        ({"pue": "50", "energy_consumed": "0.010"}, "pue 50 is no data centre's"),
    ],
)
def test_no_emissions_are_made_of_an_energy_that_is_wrong(
    wrong: dict[str, str], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a_config(tmp_path / "logs")
    a_log(tmp_path / "logs", wrong | {"emissions": str(float(wrong["energy_consumed"]) * 0.05)})
    export = ["export", str(tmp_path / "logs"), "--to"]
    assert main([*export, "huggingface"]) == 2
    assert "left out emissions of the train phase" in capsys.readouterr().err
    assert main([*export, "cyclonedx"]) == 0
    said = capsys.readouterr()
    assert "co2CostEquivalent" not in said.out
    assert "activityEnergyCost" not in said.out
    assert f"left out energy of the train phase: {why}" in said.err or why in said.err
    [line] = [one for one in said.err.splitlines() if "left out emissions" in one]
    assert why in line


@pytest.mark.parametrize("name", ["boamps", "compute-report"])
def test_runs_whose_ids_begin_alike_are_told_apart(name: str, tmp_path: Path) -> None:
    start = "0123abcd-0000-4000-8000-00000000000"
    ids = [{"run_id": f"{start}{end}"} for end in "12"]
    a_log(tmp_path / "logs", *ids)
    given = ["--samples", "100", "--model", "vit", "--out", str(tmp_path / "runs")]
    assert main(["import", str(tmp_path / "logs"), *given]) == 0
    made = FORMATS[name](gather([str(tmp_path / "runs")]), SiteFacts()).files
    said = "".join((*made, *map(str, made.values())))
    assert all(one["run_id"].replace("-", "") in said for one in ids)


def test_facts_of_a_model_are_refused_for_several_networks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = [{"run_id": name, "project_name": name} for name in ("resnet50", "vit")]
    a_log(tmp_path / "logs", *logs)
    given = ["--samples", "100", "--out", str(tmp_path / "runs")]
    assert main(["import", str(tmp_path / "logs"), *given]) == 0
    facts = tmp_path / "site.yaml"
    facts.write_text("model: {name: My-Net}\n")
    export = ["export", str(tmp_path / "runs"), "--facts", str(facts), "--to"]
    assert main([*export, "boamps", "--out", str(tmp_path / "out")]) == 2
    assert "model is of one network, and resnet50, vit are given" in capsys.readouterr().err
    assert main([*export, "compute-report", "--out", str(tmp_path / "out")]) == 0


def test_site_facts_fill_what_the_record_lacks(
    records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = tmp_path / "site.yaml"
    facts.write_text("supplier: {name: EDF, energy_source: nuclear}\nmodel: {version: '1'}\n")
    assert main(["export", str(records), "--to", "cyclonedx", "--facts", str(facts)]) == 0
    said = capsys.readouterr()
    assert "EDF" in said.out
    assert "left out" not in said.err


def test_a_card_gets_its_block(records: Path, tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    card.write_text("---\nlicense: mit\n---\n# Card\n")
    assert main(["export", str(records), "--to", "huggingface", "--card", str(card)]) == 0
    front = yaml.safe_load(card.read_text().split("---")[1])
    assert front["license"] == "mit"
    assert front["co2_eq_emissions"]["emissions"] > 0


def test_a_card_is_copied_to_out_and_stays_as_it_is(records: Path, tmp_path: Path) -> None:
    card, out = tmp_path / "README.md", tmp_path / "new" / "card.md"
    out.parent.mkdir()
    card.write_bytes(b"---\r\nlicense: mit\r\n---\r\n# Card\n")
    arguments = ["export", str(records), "--to", "huggingface", "--card", str(card), "--out"]
    assert main([*arguments, str(out)]) == 0
    assert main([*arguments, str(tmp_path / "folder")]) == 0
    assert card.read_bytes() == b"---\r\nlicense: mit\r\n---\r\n# Card\n"
    front = out.read_bytes().split(b"---")[1]
    assert b"co2_eq_emissions:\r\n" in front and front.count(b"\n") == front.count(b"\r\n")
    assert (tmp_path / "folder" / "README.md").read_bytes() == out.read_bytes()


def test_a_failed_run_is_in_the_development(tmp_path: Path) -> None:
    put(tmp_path / "runs", a_record(), a_failure())
    out = tmp_path / "out"
    assert (
        main(["export", str(tmp_path / "runs"), "--to", "compute-report", "--out", str(out)]) == 0
    )
    assert "| failed | 1 |" in (out / "compute.md").read_text()


@pytest.mark.parametrize("name", ["boamps", "cyclonedx", "spdx", "sci", "huggingface"])
def test_a_run_that_did_not_finish_is_no_result(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = a_record(host=Host(emissions=FACTOR))
    cut = replace(record, run_id="c" * 32, status="interrupted")
    arguments = ["export", str(tmp_path / "runs"), "--to", name, "--out", str(tmp_path / "out")]
    put(tmp_path / "runs", cut)
    assert main(arguments) == 2
    put(tmp_path / "runs", cut, record)
    assert main(arguments) == 0
    assert f"left out run cccccccc of {cut.model}: it was interrupted" in capsys.readouterr().err


def test_a_run_that_lies_there_in_several_ways_counts_once(tmp_path: Path) -> None:
    record, failure = a_record(), a_failure()
    runs = put(tmp_path / "runs", record, record, failure)  # a copy, and a failed run
    attempts = runs / f"{record.model}-0" / "attempts"
    attempts.mkdir()
    earlier = replace(failure, run_id="a" * 32, status="interrupted")
    (attempts / "20261123T220000000000.json").write_text(to_json(earlier))
    a_config(tmp_path / "logs")
    a_log(tmp_path / "logs", {"run_id": "0123abcd-0000-4000-8000-0000000000ff"})
    assert main(["import", str(tmp_path / "logs"), "--out", str(runs / "imported")]) == 0
    gathered = gather([str(runs), str(tmp_path / "logs")])
    assert len(gathered) == 3
    numbers = {one.name: one.num_runs for one in breakdown(gathered)}
    assert numbers == {"training and testing": 2, "failed": 1, "interrupted": 1, "all": 4}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "cyclone"], "--to 'cyclone' is unknown; did you mean cyclonedx?"),
        (["--to", "sci", "--card", "x"], "--card is of --to huggingface"),
        (["--to", "sci", "--facts", "missing.yaml"], "missing.yaml cannot be read"),
    ],
)
def test_what_cannot_be_done_is_refused(
    records: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["export", str(records), *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_path_that_is_mistyped_makes_no_folder(
    records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "exprots" / "bom.json"
    export = ["export", str(records), "--to", "cyclonedx", "--out"]
    assert main([*export, str(out)]) == 2
    assert f"--out {out}: there is no folder {out.parent}" in capsys.readouterr().err
    assert main(["share", str(records), "--out", str(out)]) == 2
    assert not out.parent.exists()


def test_several_files_do_not_go_into_a_folder_that_is_named_as_a_file(
    records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "compute.md"
    assert main(["export", str(records), "--to", "compute-report", "--out", str(out)]) == 2
    assert "is the name of one file, and there are 3" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ("config", "line", "is_said"),
    [
        ("", {}, False),
        ("mode: train\n", {}, True),
        ("", {"project_name": "train-vit"}, True),
    ],
)
@pytest.mark.parametrize("name", ["huggingface", "boamps", "cyclonedx", "spdx", "compute-report"])
def test_a_training_that_no_log_names_says_that_it_is_assumed(
    name: str, config: str, line: dict[str, str], is_said: bool, tmp_path: Path
) -> None:
    a_config(tmp_path, f"{CONFIG}{config}")
    a_log(tmp_path, line)
    files = FORMATS[name](gather([str(tmp_path)]), SiteFacts()).files
    for text in files.values():
        assert ("taken as training" in str(text)) == (not is_said)
