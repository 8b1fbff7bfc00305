"""What every analysis command has in common."""

from __future__ import annotations

import pytest

from analysis.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (["savings", ""], "after savings "),
        (["tables", "runs", ""], "after runs "),
        (["savings", "--best", ""], "after --best "),
        (["figures", "--out="], "after --out "),
    ],
)
def test_a_shell_variable_without_a_value_is_not_the_present_folder(
    capsys: pytest.CaptureFixture[str], arguments: list[str], where: str
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said == f"an argument {where}is empty; give a value or leave it out\n"


def test_a_folder_whose_name_ends_like_an_option_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["savings", "a="]) == 2
    assert capsys.readouterr().err == "a= does not exist; name the output_dir of a run\n"
