"""What a person says of logs on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.records.load import load
from tests.analysis.records.codecarbon.logs import a_log


def _import(folder: Path, *arguments: str) -> int:
    return main(["import", str(folder), "--out", str(folder / "out"), *arguments])


@pytest.mark.parametrize(("said", "number"), [("1e4", 10_000), ("10_000", 10_000), ("7", 7)])
def test_a_number_of_samples_may_be_written_short(tmp_path: Path, said: str, number: int) -> None:
    a_log(tmp_path, {})
    assert _import(tmp_path, "--samples", said, "--model", "vit") == 0
    assert load([tmp_path / "out"]).frame["num_samples"].tolist() == [number]


@pytest.mark.parametrize("said", ["1,281,167", "1.5", "inf", "many", "1e30", ""])
def test_what_is_no_number_of_samples_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], said: str
) -> None:
    a_log(tmp_path, {})
    with pytest.raises(SystemExit) as ended:
        _import(tmp_path, "--samples", said)
    [line] = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert f"argument --samples: '{said}' is not a whole number" in line
