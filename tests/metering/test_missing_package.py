"""What a command says under a Python without the project's packages."""

from __future__ import annotations

import pytest

from metering import missing_package


def test_a_missing_library_is_one_line_with_the_python_to_use(capsys):
    with pytest.raises(SystemExit) as ended:
        missing_package.leave(ModuleNotFoundError("No module named 'pandas'", name="pandas"))
    assert ended.value.code == 2
    line = capsys.readouterr().err
    assert " has no package pandas; " in line
    assert line.count("\n") == 1


@pytest.mark.parametrize("name", ["analysis.tables.renamed", "metering.renamed"])
def test_a_missing_module_of_the_project_is_a_fault_and_no_matter_of_installing(name):
    fault = ModuleNotFoundError(f"No module named {name!r}", name=name)
    with pytest.raises(ModuleNotFoundError, match="renamed"):
        missing_package.leave(fault)
