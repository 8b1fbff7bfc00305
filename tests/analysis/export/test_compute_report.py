"""The compute report: fields, development breakdown, a sentence for the appendix."""

from __future__ import annotations

import csv
import io
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.export.compute_report import export
from analysis.export.development import breakdown
from analysis.export.report_facts import Overhead, RunFacts
from analysis.export.site_facts import Baseline, SiteFacts
from tests.analysis.export.sample_runs import a_run, a_site, a_window

FAILED = a_run(
    run_id="b" * 32,
    status="failed",
    phases=(),
    projection=None,
    failure="OutOfMemory",
    overheads=(Overhead("attempt cut off", 30.0, 1e-4),),
)
STOPPED = replace(
    FAILED,
    run_id="c" * 32,
    status="interrupted",
    started_at="2026-11-23T22:29:55.000+00:00",
    ended_at="2026-11-23T22:30:39.123+00:00",
    overheads=(),
)


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
        pm = "±" if name == "compute.md" else r"$\pm$"
        assert f"whole training recipe, projected from that rate, takes 316.4 {pm} 16 kWh" in text
        assert "CITATION.cff" in text
        assert "check against the form" in text
    assert "300\\_" not in str(files["compute.tex"])
    assert "$\\pm$" in str(files["compute.tex"])


def test_what_the_record_lacks_is_left_out_by_name() -> None:
    left_out = export([a_run()], SiteFacts()).left_out
    for name in ("infrastructure", "data size", "ratio to a baseline"):
        assert any(one.startswith(name) for one in left_out)
    assert export([a_run()], a_site()).left_out == ()


BARE = a_run(
    cpu_model=None,
    memory_gib=None,
    params_m=None,
    gmacs=None,
    precision="unknown",
    dataset="unknown",
    country_iso_code=None,
    kg_co2eq_per_kwh=None,
    phases=(a_window(num_samples=0, kwh_per_sample=None, s_per_sample=None),),
    projection=None,
    projection_missing=("a log has no recipe",),
)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("CPU", "the record does not say it"),
        ("RAM (GiB)", "the record does not say it"),
        ("parameters (millions)", "the record does not say it"),
        ("precision", "the record does not say it"),
        ("data set", "the record does not say it"),
        ("CPU hours of the training", "a log has no recipe"),
        ("energy of the training", "a log has no recipe"),
        ("FLOPs of the training", "the record has no GMACs"),
        ("emissions of the training (kg CO2eq)", "a log has no recipe"),
        ("FLOPs of one image (10^9)", "the record has no GMACs"),
        ("time per 1,000 images", "it has no test phase"),
        ("energy per 1,000 images", "it has no test phase"),
        ("train: energy to the baseline", "it has no rate"),
    ],
)
def test_each_field_that_a_run_does_not_fill_is_named_with_the_reason(name: str, why: str) -> None:
    site = a_site(country=None, carbon_intensity_g_per_kwh=None)
    said = [one for one in export([BARE], site).left_out if one.startswith(f"{name} of ")]
    assert [one.endswith(why) for one in said] == [True]


def test_of_a_run_metered_as_a_whole_hours_energy_and_emissions_are_measured() -> None:
    whole = replace(BARE, is_whole=True, num_devices=4, gmacs=4.5, phases=(a_window(),))
    text = str(export([whole], SiteFacts(country="FRA")).files["compute.csv"])
    rows = {row["field"]: row for row in csv.DictReader(io.StringIO(text))}
    for name in ("CPU hours", "energy", "FLOPs", "emissions"):
        [row] = [row for field, row in rows.items() if field.startswith(f"{name} of the training")]
        assert row["basis"] == "measured window"
    assert float(rows["CPU hours of the training"]["value"]) == pytest.approx(
        4 * 11.877 / 3600, rel=1e-3
    )
    assert rows["FLOPs of the training"]["value"].startswith(f"{2 * 3 * 4.5e9 * 88:.3g}")


def test_an_energy_that_is_wrong_gives_no_emissions_and_says_why() -> None:
    wrong = a_window(
        flags=("pue 50 is no data centre's: it is not divided out, and no rate is made",)
    )
    run = replace(BARE, is_whole=True, phases=(wrong,))
    made = export([run], SiteFacts(country="FRA"))
    assert "energy of the training," not in str(made.files["compute.csv"])
    for name in ("energy", "emissions"):
        [said] = [one for one in made.left_out if one.startswith(f"{name} of the training")]
        assert "pue 50 is no data centre's" in said


ATTEMPT = "failed attempt of 2026-11-22T10:00:00+00:00"


def _spent(*runs: RunFacts) -> dict[str, tuple[int, float, float | None]]:
    return {one.name: (one.num_runs, one.device_hours, one.kwh) for one in breakdown(runs)}


def test_an_attempt_that_a_record_tells_of_counts_as_a_failed_run() -> None:
    overheads = (Overhead("idle", 1.0, 5e-6), Overhead(ATTEMPT, 36.0, 2e-4))
    spent = _spent(a_run(overheads=overheads, num_devices=2))
    assert spent["failed"] == (1, pytest.approx(0.02), pytest.approx(2e-4))
    assert spent["training and testing"][2] == pytest.approx(2 * 7.2452e-05 + 5e-6)
    assert spent["all"][0] == 2


def test_an_attempt_whose_file_is_there_counts_once_and_from_start_to_end() -> None:
    failed = replace(
        FAILED,
        started_at="2026-11-22T10:00:00+00:00",
        ended_at="2026-11-22T11:00:00+00:00",
        overheads=(Overhead("set-up", 30.0, 1e-4),),
    )
    run = a_run(overheads=(Overhead(ATTEMPT, 30.0, 1e-4),), attempts=(failed,))
    for runs in ((run,), (run, failed), (failed, run, run)):
        spent = _spent(*runs)
        assert spent["failed"] == (1, 1.0, pytest.approx(1e-4))
        assert spent["training and testing"][0] == 1


def test_blocks_that_a_record_took_over_from_its_attempt_count_once() -> None:
    earlier = a_run(run_id="d" * 32, phases=(a_window(),), overheads=())
    [block] = a_window().blocks
    both = a_window(blocks=(replace(block, attempt="d" * 32), block))
    run = a_run(phases=(both,), overheads=())
    assert _spent(run)["all"][2] == pytest.approx(2 * 7.2452e-05)
    assert _spent(run, earlier)["all"][2] == pytest.approx(2 * 7.2452e-05)


DOCUMENT = r"""\documentclass[%s]{article}
\usepackage{booktabs}
\begin{document}
\input{compute.tex}
\end{document}
"""
HOSTILE = (
    "a|b & 5% $x$ #1 {y} ~ ^ \\input{z} _ < > \u00e9 \u00df \u03bc \u2192 \u4e2d \U0001f600\nnext"
)


@pytest.mark.latex
@pytest.mark.parametrize("columns", ["onecolumn", "twocolumn"])
def test_the_latex_compiles_whatever_a_name_holds(tmp_path: Path, columns: str) -> None:
    runs = [a_run(), a_run(run_id="e" * 32, network=HOSTILE, cpu_model=HOSTILE), FAILED]
    text = export(runs, a_site(baseline=Baseline(HOSTILE, 1e-7))).files["compute.tex"]
    assert isinstance(text, str)
    (tmp_path / "compute.tex").write_text(text)
    (tmp_path / "all.tex").write_text(DOCUMENT % columns)
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        errors="replace",
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "all.pdf").stat().st_size > 10_000
