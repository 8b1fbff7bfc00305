"""A user's own file: joined where it can be compared, refused in one line where it cannot."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.audit.all_findings import findings
from analysis.errors import AnalysisError
from analysis.independent import facts
from analysis.independent.own_file import notes, with_files
from analysis.independent.sets import energy_sets

HEADER = "row,phase,scope,hardware,num_samples,energy_j,source,licence"
MINE = "ResNet50,test,wall,my desktop,1000,300,my logbook,own"


def mine(tmp_path: Path, *lines: str, encoding: str = "utf-8") -> str:
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return str(path)


def sets_of(path: str) -> dict[str, pd.Series]:
    energy = with_files([path])
    return {one.name: one.values for one in energy_sets(energy[energy["file"] != ""])}


def test_a_users_file_joins_the_shipped_facts(tmp_path: Path) -> None:
    joined = with_files([mine(tmp_path, HEADER, MINE)])
    assert len(joined) == 208
    last = joined.iloc[-1]
    assert (last["j_per_sample"], last["use"], last["framework"]) == (0.3, "yes", "")


@pytest.mark.parametrize(
    ("lines", "encoding"),
    [
        ((HEADER, MINE), "utf-8-sig"),
        ((HEADER.replace(",", ", "), MINE.replace(",", " , ")), "utf-8"),
        ((HEADER, "", MINE, "", ""), "utf-8"),
        ((f"{HEADER},note,date", f'{MINE},"a, b",2026-01-01'), "utf-8"),
    ],
    ids=["byte order mark", "blanks", "empty lines", "other columns"],
)
def test_what_a_spreadsheet_writes_is_read(tmp_path: Path, lines, encoding) -> None:
    (values,) = sets_of(mine(tmp_path, *lines, encoding=encoding)).values()
    assert values.to_dict() == {"ResNet50": 0.3}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((HEADER.replace(",licence", ""), MINE), "no column 'licence'"),
        ((HEADER.replace(",", ";"), MINE.replace(",", ";")), "separated by commas"),
        ((HEADER.replace("energy_j", "energy_kwh"), MINE), "no column 'energy_j'"),
        ((f"{HEADER},batchsize", f"{MINE},32"), "'batchsize' is unknown; .* 'batch_size'"),
        ((f"{HEADER},row", f"{MINE},ResNet50"), "column 'row.1' is unknown"),
        ((f"{HEADER},batch_size", f"{MINE},many"), "batch_size is not a number above 0"),
        ((f"{HEADER},batch_size", f"{MINE},8.5"), "batch_size is no whole number"),
        ((HEADER, MINE.replace("1000,300", "1000.5,300")), "num_samples is no whole number"),
        ((f"{HEADER},gpu_util_pct", f"{MINE},150"), "gpu_util_pct is not a number from 0 to 100"),
        ((HEADER, MINE.replace("wall", "plug")), r"line 2 \(ResNet50\): scope is none of gpu"),
        ((HEADER, "", MINE, MINE.replace("300", "-3")), "line 4 .*energy_j is not a number above"),
        ((HEADER, MINE.replace("my logbook", "")), "source is empty"),
        ((HEADER, MINE.replace("ResNet50", "resnet-50")), "Table 3 spells it 'ResNet50'"),
        ((f"{HEADER},input_size", f"{MINE},176"), "176 is not the row's own 224"),
        ((HEADER, MINE, MINE), "line 3 .*an earlier line says the same"),
        ((HEADER, MINE.replace("300", "0.0000833")), "less than any hardware .*energy_j is in j"),
        ((HEADER, MINE.replace("300", "3e9")), "more than any hardware"),
        ((f"{HEADER},duration_s", f"{MINE},100000"), "no power of a computer"),
        ((HEADER, f"{MINE},32"), "more cells than the heading"),
        ((HEADER, MINE, f"{MINE},32"), "Expected 8 fields in line 3"),
        ((HEADER,), "has no line of numbers"),
        ((), "give a CSV file"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(
    tmp_path: Path, lines: tuple[str, ...], words: str
) -> None:
    with pytest.raises(AnalysisError, match=words) as error:
        with_files([mine(tmp_path, *lines)])
    assert "mine.csv" in str(error.value) and "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(AnalysisError, match=r"nowhere\.csv: No such file"):
        with_files(["nowhere.csv"])


def test_repeated_measurements_are_one(tmp_path: Path) -> None:
    twice = MINE.replace("1000,300", "3000,1300")
    (values,) = sets_of(mine(tmp_path, HEADER, MINE, twice)).values()
    assert values["ResNet50"] == pytest.approx(1600 / 4000)


def test_scopes_precisions_and_boards_are_sets_of_their_own(tmp_path: Path) -> None:
    head = f"{HEADER},precision,num_gpus"
    gpu = MINE.replace("wall", "gpu")
    lines = (f"{MINE},fp32,1", f"{gpu},fp32,1", f"{gpu},fp16,1", f"{gpu},fp16,8")
    assert set(sets_of(mine(tmp_path, head, *lines))) == {
        "my desktop fp32, wall (my logbook)",
        "my desktop fp32, gpu (my logbook)",
        "my desktop fp16, gpu (my logbook)",
        "my desktop on 8 GPUs fp16, gpu (my logbook)",
    }


def test_a_board_that_waited_is_not_called_busy(tmp_path: Path) -> None:
    lines = (f"{MINE.replace('50', '18')},90", f"{MINE},50", f"{MINE.replace('50', '101')},9")
    energy = with_files([mine(tmp_path, f"{HEADER},gpu_util_pct", *lines)])
    assert list(energy["use"][-3:]) == ["yes", "data-bound", "idle"]


def test_the_audit_takes_a_file_that_repeats_what_others_measured(tmp_path: Path) -> None:
    """The same boards, software and sources as the shipped facts, every number half as much."""
    shipped = facts.energy().drop(columns="file")
    own = shipped.assign(energy_j=shipped["energy_j"] / 2)
    path = tmp_path / "mine.csv"
    own.drop(columns="j_per_sample").to_csv(path, index=False)
    before, after = findings(facts.energy()), findings(with_files([str(path)]))
    changed = [
        one.subject for one, other in zip(before, after, strict=True) if one.says != other.says
    ]
    assert "Order of networks, testing" in changed, "there are more sets now"
    tested = next(one for one in after if one.subject == "Order of networks, testing")
    assert "a limit of 0.9 on the printed test kWh fails" not in tested.says, "a set reaches it"
    told = list(notes(with_files([str(path)])))
    assert len(told) == 5, "idle rows, three sets, and how many more"
    assert told[0].startswith("--independent: 22 of 207 rows are idle")
    assert not [subject for subject in changed if "Epochs" in subject or "Power" in subject]


def test_rows_that_are_compared_with_nothing_are_told(tmp_path: Path, capsys) -> None:
    lines = (f"{HEADER},gpu_util_pct", f"{MINE},0")
    assert main(["audit", "--independent", mine(tmp_path, *lines)]) == 0
    assert "1 of 1 rows are idle (gpu_util_pct under 20, or said to be)" in capsys.readouterr().err


def test_a_set_that_is_too_small_is_told(tmp_path: Path, capsys) -> None:
    assert main(["audit", "--independent", mine(tmp_path, HEADER, MINE)]) == 0
    assert "note: --independent: test on my desktop, wall (my logbook) has 1 network of" in (
        capsys.readouterr().err
    )
