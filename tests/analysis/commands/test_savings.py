"""`python -m analysis savings` on records of a shuffled sweep."""

from __future__ import annotations

import pytest

from analysis.__main__ import main
from metering.record import SweepPlace
from tests.analysis.sample_records import a_phase, a_record, put
from tests.conftest import ROOT


def _sweep(order: str):
    """Four equal runs; each later one uses 1 % more."""
    return [
        a_record(
            phases={"train": a_phase("train", 1e-6 * (1 + 0.01 * place), 1e-8)},
            sweep=SweepPlace(place, 4, order),  # type: ignore[arg-type]
        )
        for place in (1, 2, 3, 4)
    ]


def test_a_sweep_that_changes_no_switch_still_tells_what_order_does(tmp_path, capsys):
    assert main(["savings", str(put(tmp_path, *_sweep("shuffled")))]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("Order: a rate changes by +2.93 %")
    assert "4 runs of 1 set-ups, shuffled; shown" in line


def test_a_sweep_in_the_order_given_can_tell_neither(tmp_path, capsys):
    assert main(["savings", str(put(tmp_path, *_sweep("given")))]) == 2
    assert "no network was measured with a switch changed" in capsys.readouterr().err


def test_a_figure_of_no_switch_is_refused(tmp_path, capsys):
    folder = put(tmp_path / "runs", *_sweep("shuffled"))
    assert main(["savings", str(folder), "--figure", str(tmp_path / "a.png")]) == 2
    assert "measure: python run.py -m experiment=savings" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a.xyz", "no_ending"])
def test_a_figure_of_no_known_kind_is_refused_before_anything_is_read(tmp_path, capsys, name):
    assert main(["savings", "nowhere", "--figure", str(tmp_path / name)]) == 2
    assert capsys.readouterr().err.endswith("is no figure; name a .svg, .pdf or .png\n")


@pytest.mark.parametrize("name", ["no/such/folder/a.png"])
def test_a_figure_that_cannot_be_written_is_one_line(tmp_path, capsys, name):
    records = [*_sweep("given"), a_record(batch_size=64), a_record(batch_size=64)]
    folder = put(tmp_path / "runs", *records)
    assert main(["savings", str(folder), "--figure", str(tmp_path / name)]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_the_page_shows_what_the_shipped_records_give(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert main(["savings", "results/records"]) == 0
    assert capsys.readouterr().out in (ROOT / "docs/savings.md").read_text(encoding="utf-8")
