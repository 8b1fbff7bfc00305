"""The compute report: fields, development breakdown, a sentence for the appendix."""

from __future__ import annotations

import csv
import io

import pytest

from analysis.export.compute_report import export
from analysis.export.report_facts import Overhead, RunFacts
from analysis.export.site_facts import SiteFacts
from tests.analysis.export.sample_runs import a_run, a_site

FAILED = a_run(
    status="failed",
    phases=(),
    projection=None,
    failure="OutOfMemory",
    overheads=(Overhead("attempt cut off", 30.0, 1e-4),),
)
STOPPED = a_run(status="interrupted", phases=(), projection=None, overheads=())


def _fields(runs: list[RunFacts], site: SiteFacts) -> dict[tuple[str, str], str]:
    text = export(runs, site).files["compute.csv"]
    assert isinstance(text, str)
    rows = csv.DictReader(io.StringIO(text))
    return {(row["run"], row["field"]): row["value"] for row in rows}


def test_the_fields_that_are_known_of_the_form() -> None:
    fields = {field: value for (_, field), value in _fields([a_run()], a_site()).items()}
    assert fields["CPU hours of the training"] == "1.441e+04"
    assert fields["energy of the training"] == "316.4 ± 16 kWh"
    assert fields["FLOPs of the training"].startswith("1.04e+19")
    assert fields["energy per 1,000 images"] == "0.0002518 ± 4.1e-05 kWh"
    assert fields["time per 1,000 images"] == "135 ± 1 s"
    assert fields["train: energy to the baseline"].startswith("2 x ResNet-50")
    assert fields["infrastructure"] == "onPremise"


def test_failed_and_interrupted_runs_count_in_the_development() -> None:
    fields = _fields([a_run(), FAILED, STOPPED], a_site())
    assert fields["development: failed", "runs"] == "1"
    assert fields["development: failed", "kWh"] == "0.0001"
    assert fields["development: interrupted", "kWh"] == ""
    assert fields["development: interrupted", "not known of"] == "1"
    assert fields["development: all", "runs"] == "3"
    assert float(fields["development: all", "device hours"]) == pytest.approx(
        3 * 44.123 / 3600, rel=1e-3
    )
    assert float(fields["development: all", "kWh"]) == pytest.approx(
        2 * (2.2452e-05 + 5e-05) + 5e-6 + 1e-4, rel=1e-3
    )


def test_markdown_and_latex_hold_the_sentence_and_the_citation() -> None:
    files = export([a_run()], SiteFacts()).files
    for name in ("compute.md", "compute.tex"):
        text = files[name]
        assert isinstance(text, str)
        assert "whole training recipe, projected from that rate, takes 316.4 ± 16 kWh" in text
        assert "CITATION.cff" in text
        assert "check against the form" in text
    assert "300\\_" not in str(files["compute.tex"])
    assert "$\\pm$" in str(files["compute.tex"])


def test_what_the_record_lacks_is_left_out_by_name() -> None:
    left_out = export([a_run()], SiteFacts()).left_out
    for name in ("infrastructure", "data size", "ratio to a baseline"):
        assert any(one.startswith(name) for one in left_out)
    assert export([a_run()], a_site()).left_out == ()
