"""What the report holds: the paper's tables with notes, provenance, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from analysis.__main__ import main
from analysis.figures import gather, look
from analysis.records import load
from analysis.report import page, scatter
from analysis.report.build import build, points
from analysis.report.model import Cell, Point, Report, Table
from analysis.tables.printed import grid_of, tables_of
from metering.record import Failure, Record
from metering.record_file import write
from metering.record_host import Host
from tests.analysis.sample_records import a_phase, a_record


def stored(tmp_path: Path, *records: Record) -> Path:
    for number, record in enumerate(records):
        write(record, tmp_path / "runs" / str(number))
    return tmp_path / "runs"


def built(tmp_path: Path, *records: Record) -> Report:
    """The report over `records`, with one figure that says it is absent."""
    loaded = load.load([stored(tmp_path, *records)])
    gathered = gather.Gathered(gather.frames(loaded.frame), loaded.frame, loaded.problems)
    return build(gathered, {"figure1": Figure(), "figure5": look.absent("Figure 5", "why", "how")})


def column(table: Table, label: str, kind: str = "") -> list[Cell]:
    (place,) = (k for k, one in enumerate(table.columns) if (one.label, one.kind) == (label, kind))
    return [row[place] for row in table.rows]


def test_the_three_tables_keep_published_measured_and_estimated_in_columns_of_their_own(
    tmp_path: Path,
) -> None:
    record = a_record()
    report = built(tmp_path, record)
    assert [(table.name, len(table.rows)) for table in report.tables] == [
        ("own", 1),
        ("table1", 8),
        ("table2", 12),
        ("table3", 67),
    ]
    table3 = report.tables[3]
    models = [cell.text for cell in column(table3, "Model")]
    at = models.index("Swin-T")
    assert column(table3, "Train (kWh)", "published")[at].value == 224.01
    assert column(table3, "Train (kWh)", "estimated")[at].value == pytest.approx(384.35, rel=1e-4)
    assert table3.runs[at] == record.run_id[:8] and table3.runs[0] == ""


def test_the_tables_are_those_of_make_tables(tmp_path: Path) -> None:
    """One code path: titles, headings, cells and notes of the Markdown files are the page's."""
    report = built(tmp_path, a_record(), a_record(batch_size=8))
    made = tables_of(load.load([tmp_path / "runs"]).frame)
    assert [table.name for table in report.tables] == list(made)
    for table in report.tables:
        grid = grid_of(table.name, made[table.name])
        assert (table.title, table.notes) == (grid.title, tuple(grid.footnotes))
        # the model's column, which stays while the others scroll, is moved to the front
        order = sorted(range(len(grid.headings)), key=lambda at: grid.headings[at] != "Model")
        heads = [column.label for column in table.columns if column.is_main]
        assert heads == [grid.headings[at] for at in order]
        shown = [[(cell.text, list(cell.marks)) for cell in row] for row in table.rows]
        assert [row[: len(order)] for row in shown] == [
            [(line[at][0] or ("-" if line[at][1] else ""), line[at][1]) for at in order]
            for line in grid.cells
        ]


def test_of_table_2_the_lines_that_are_ours_lead_to_their_runs(tmp_path: Path) -> None:
    record = a_record(
        task="action_recognition", model="tsm", paper_row="TSM (ResNet50)", data="sthv2"
    )
    [table2] = [table for table in built(tmp_path, record).tables if table.name == "table2"]
    runs = dict(zip((row[2].text for row in table2.rows), table2.runs, strict=True))
    assert runs == {"published": "", "estimated": record.run_id[:8]}


def test_a_rows_provenance_names_its_runs_tier_sensors_and_cross_check(tmp_path: Path) -> None:
    records = [a_record(run_id=f"{number:032x}") for number in (1, 2)]
    small = a_record(scale="small", hardware="other")
    rows = built(tmp_path, *records, small).rows
    assert [cell.text for cell in column(rows, "tier")] == ["counter", "small"]
    assert column(rows, "runs")[0].value == 2
    assert column(rows, "run ids")[0].text.split() == [record.run_id for record in records]
    assert rows.runs[0].split() == ["00000000"], "of ids that begin alike one word"
    assert column(rows, "sensors")[0].text == "GPU counter, CPU rapl, RAM modelled"
    assert column(rows, "training, J a sample", "measured")[0].text.startswith("3.600 ± ")
    kinds = [one.kind for one in rows.columns]
    assert kinds.count("independent") == 10


def test_an_illegible_cell_is_empty_of_numbers_and_says_why(tmp_path: Path) -> None:
    table3 = built(tmp_path, a_record()).tables[3]
    models = [cell.text for cell in column(table3, "Model")]
    cell = column(table3, "Test (kWh)", "published")[models.index("ResNet101")]
    assert cell.value is None
    assert "legible" in cell.note and table3.notes[cell.marks[0] - 1] in cell.note


def test_a_scaled_down_study_is_marked_wherever_it_stands(tmp_path: Path) -> None:
    small = a_record(scale="small")
    report = built(tmp_path, small)
    [studies] = [table for table in report.tables if table.name == "studies"]
    [cell] = column(studies, "Model")
    assert (cell.text, "small: a scaled-down study" in cell.note) == ("Swin-T", True)
    [table3] = [table for table in report.tables if table.name == "table3"]
    assert not any(table3.runs)
    assert not [point for point in report.points if point.kind == "estimated"]
    assert column(report.provenance, "model")[0].text == "swin_t *"
    # and it does not count as the measurement of its row
    assert "Table 3: Swin-T, ImageNet-1k" in [item.title for item in report.missing]


def test_provenance_gives_sensors_versions_and_intervals(tmp_path: Path) -> None:
    host = Host(packages={"torch": "2.7.1"})
    table = built(tmp_path, a_record(host=host, device="Tesla T4")).provenance
    assert column(table, "sensors")[0].text == "GPU counter, CPU rapl, RAM modelled"
    assert column(table, "versions")[0].text == "suite 0.1.0, torch 2.7.1"
    assert column(table, "half-width of the interval", "measured")[0].value == pytest.approx(2e-5)
    assert column(table, "device")[0].text == "Tesla T4"


def test_a_failed_run_is_shown_with_its_reason(tmp_path: Path) -> None:
    failure = Failure("OutOfMemory", "batch_size=512 does not fit")
    report = built(tmp_path, a_record(status="failed", phases={}, failure=failure))
    assert column(report.provenance, "status")[0].text == "failed"
    assert "does not fit" in column(report.provenance, "notes")[0].text
    assert column(report.measured, "failed or interrupted")[0].value == 1


def test_what_is_missing_names_a_command_and_what_was_measured_is_not_missing(
    tmp_path: Path,
) -> None:
    missing = {item.title: item.command for item in built(tmp_path, a_record()).missing}
    assert "Table 3: Swin-T, ImageNet-1k" not in missing
    assert missing["Table 3: ResNet50, ImageNet-1k"] == "python run.py model=resnet50"
    assert "experiment=hardware" in missing["Figure 5: across devices"]


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "runs" / "bad").mkdir(parents=True)
    (tmp_path / "runs" / "bad" / "record.json").write_text('{"schema_version": 99}')
    (problem,) = built(tmp_path, a_record()).problems
    assert "bad" in problem
    assert "newer" in problem


def test_the_page_needs_nothing_but_itself(tmp_path: Path) -> None:
    text = page.render(built(tmp_path, a_record()))
    for loading in ("src=", "@import", "url(http", 'rel="stylesheet"'):
        assert loading not in text
    assert "default-src 'none'" in text


def test_names_inside_a_figure_are_escaped(tmp_path: Path) -> None:
    from analysis.figures.figure2 import figure2

    hostile = "<script>alert(1)</script> -->"
    record = a_record(model=hostile, paper_row=None, phases={"train": a_phase()})
    loaded = load.load([stored(tmp_path, record)])
    frames = gather.frames(loaded.frame)
    rows = frames.rows.tail(1).assign(accuracy_pct=80.0, gqi=0.5)
    gathered = gather.Gathered(frames, loaded.frame, ())
    text = page.render(build(gathered, {"figure1": figure2(rows)}))
    assert "<script>alert" not in text
    assert text.count("<script>") == 1


def test_larger_markers_are_drawn_first_and_an_undefined_index_has_no_marker() -> None:
    small = Point("a", "published", 0.5, 80.0, None, "f", "#000")
    large = Point("b", "published", 500.0, 70.0, 0.6, "f", "#000")
    accuracy, index = scatter.panels([small, large])
    assert [marker.point.model for marker in accuracy.markers] == ["b", "a"]
    assert [marker.point.model for marker in index.markers] == ["b"]
    assert accuracy.markers[0].x > accuracy.markers[1].x
    assert accuracy.markers[0].y > accuracy.markers[1].y  # less accurate stands lower
    assert "undefined" in accuracy.markers[1].tip


def test_the_front_of_our_own_rows_has_what_sensors_read(tmp_path: Path) -> None:
    def of(model: str, row: str, kwh: float, **more: Any) -> Record:
        phases = {"train": a_phase(kwh_per_sample=kwh, half_width=kwh / 50)}
        return a_record(model=model, paper_row=row, phases=phases, **more)

    modelled = {"sensors": {"gpu": "modelled"}}
    frame = load.load(
        [
            stored(
                tmp_path,
                of("swin_t", "Swin-T", 3e-6),
                of("swin_s", "Swin-S", 2e-6),
                of("swin_b", "Swin-B", 2.5e-6),
                of("davit_b", "DaViT-B", 1e-7, **modelled),
            )
        ]
    ).frame
    accuracy, index = scatter.panels(points(gather.frames(frame).rows))
    [line] = accuracy.own_fronts
    on_front = [marker for marker in accuracy.markers if f"{marker.x},{marker.y}" in line.split()]
    assert {marker.point.model for marker in on_front if marker.point.kind == "estimated"} == {
        "Swin-S",
        "Swin-B",
    }
    assert len(line.split()) == 2 and index.own_fronts == ()


def test_every_published_row_is_a_point() -> None:
    assert len(points(gather.published_rows())) == 67


def test_the_command_writes_one_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.figures.draw.draw_all", lambda _: {"figure1": Figure()})
    runs = stored(tmp_path, a_record())
    assert main(["report", str(runs), "--out", str(tmp_path / "out")]) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.html"]
    assert "not measured yet" in capsys.readouterr().out
