"""`tables`: options that cannot be, or would do nothing, are one line and status 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.analysis.commands.test_tables import rows, tables
from tests.analysis.sample_records import a_record, put


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--where", "gqii > 3"], "column 'gqii' is unknown; did you mean gqi"),
        (["--where", "model == Swin-TT"], "model 'Swin-TT' is unknown; did you mean Swin-T"),
        (["--where", "__import__('os')"], "is no condition; write it like"),
        (["--where", "top1_pct > high"], "'high' is not"),
        (["--where", "pareto == maybe"], "pareto is yes or no, not 'maybe'"),
        (["--sort", "footnotes"], "footnotes are no column"),
        (["--evaluations", "1", "--accounting", "paper"], "--evaluations does nothing with"),
        (["--checkpoints", "1", "--accounting", "paper"], "--checkpoints does nothing with"),
        (["--columns", "gqi", "--diff"], "--columns does nothing with --diff"),
        (["--columns", ","], "--columns names none"),
        (["--columns", ""], "--columns names none"),
        (["--hardware", ""], "--hardware names none"),
        (["--where", ""], "--where is empty"),
        (["--sort", " "], "--sort is empty"),
        (["--where", "gqi > nan"], "gqi is a number and 'nan' is not"),
        (["--where", "tier == sure"], "tier 'sure' is unknown; known: counter, power"),
        (["--where", "hardware == a600"], "hardware 'a600' is unknown; did you mean a6000?"),
        (["--where", "published_miou_pct > 1 and published_top1_pct > 1"], "no table has all"),
        (["--alpha", "nan"], "--alpha nan is not a number"),
        (["--format", ","], "--format names none"),
        (["--where", "model > 3"], "compare it with == or !="),
        (["--sort", "nothing_like_it"], "column 'nothing_like_it' is unknown"),
        (["--columns", "gqi,blah"], "column 'blah' is unknown"),
        (["--hardware", "a600"], "hardware 'a600' is unknown; did you mean a6000?"),
        (["--format", "pdf"], "--format 'pdf' is unknown"),
        (["--accounting", "mine"], "--accounting 'mine' is unknown; known: source, paper"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], words: str
):
    runs = put(tmp_path / "measured", a_record())
    assert tables(runs, tmp_path / "out", *more) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_columns_of_two_tables_are_shown_in_each_and_others_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, out = put(tmp_path / "measured", a_record()), tmp_path / "out"
    assert tables(runs, out, "--columns", "published_miou_pct,published_top1_pct") == 0
    assert "--columns leaves out own: no such column there" in capsys.readouterr().err
    assert "published_miou_pct" in rows(out / "table1.csv")[0]
    assert "published_top1_pct" in rows(out / "table3.csv")[0]


@pytest.mark.parametrize("condition", ["tier == counter", "hardware == a6000", "batch_size == 32"])
def test_what_only_measured_rows_have_is_a_condition_for_every_table(
    tmp_path: Path, condition: str
) -> None:
    """Tables 1 and 2 have no measured row here: nothing stands in these columns of theirs."""
    runs, out = put(tmp_path / "measured", a_record()), tmp_path / "out"
    assert tables(runs, out, "--where", condition) == 0
    assert [len(rows(out / f"table{number}.csv")) for number in (1, 2, 3)] == [0, 0, 1]


def test_own_without_a_run_of_ones_own_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert tables("results/records", tmp_path / "out", "--own") == 2
    assert "--own: no run of yours is among these" in capsys.readouterr().err
