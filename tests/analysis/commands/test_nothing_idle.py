"""An option that would do nothing, or asks for nothing, is one line and status 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.__main__ import main
from tests.analysis.sample_records import a_record, put


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["choose", "--break-even", "ResNet50", "ResNet50"], "names ResNet50 twice"),
        (["choose", "--break-even", "ResNet50", "VGG16", "--at-least", "80"], "does nothing with"),
        (["choose", "--at-least", "nan"], "--at-least nan is not a percentage"),
        (["choose", "--at-least", "101"], "--at-least 101 is not a percentage"),
        (["ranks", "--index", "accuracy", "--unit", "Wh"], "do nothing without gqi"),
        (["ranks", "--top", "0"], "--top 0 shows no model"),
        (["predict", "--images-per-s", "0", "--phase", "train"], "--images-per-s 0.0 is not above"),
        (["claims", "somewhere", "--text"], "--text needs no records"),
    ],
)
def test_it_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1


def test_a_run_is_not_compared_with_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = a_record()
    one, copy = put(tmp_path / "one", record), put(tmp_path / "copy", record)
    for other in (one, copy):
        assert main(["compare", str(one), str(other)]) == 2
        assert f"both hold run {record.run_id}" in capsys.readouterr().err
