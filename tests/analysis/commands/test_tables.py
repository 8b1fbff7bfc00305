from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.__main__ import main
from metering.record import Failure
from tests.analysis.sample_records import a_failure, a_phase, a_record, put

HOSTILE = r"<script>x</script> a|b & 5% $x$ #1 {y} ~ ^ \input{z} _"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return put(tmp_path / "measured", a_record(), a_record(model=HOSTILE, paper_row=None))


def tables(runs: Path | str, out: Path, *more: str) -> int:
    return main(["tables", str(runs), "--out", str(out), *more])


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_three_tables_in_three_formats_are_written_and_named(runs: Path, tmp_path: Path, capsys):
    assert tables(runs, tmp_path / "out") == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    tables_of = ("own", "table1", "table2", "table3")
    assert names == sorted(f"{name}.{kind}" for name in tables_of for kind in ("csv", "md", "tex"))
    assert "table3.tex" in capsys.readouterr().out


def test_without_default_folders_the_published_tables_come_with_a_hint(
    tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert main(["tables", "runs", "results/records"]) == 0
    assert "Nothing was measured yet" in capsys.readouterr().out
    assert len(rows(tmp_path / "tables" / "table3.csv")) == 67


def test_markdown_keeps_its_columns_whatever_a_model_is_called(runs: Path, tmp_path: Path):
    tables(runs, tmp_path / "out")
    lines = (tmp_path / "out" / "table3.md").read_text().splitlines()
    piped = [re.sub(r"\\\|", "", line).count("|") for line in lines if line.startswith("|")]
    assert len(set(piped)) == 1
    assert "<script>" not in "\n".join(lines)


def test_markdown_has_the_footnotes_of_the_paper(runs: Path, tmp_path: Path):
    tables(runs, tmp_path / "out")
    text = (tmp_path / "out" / "table3.md").read_text()
    [line] = [line for line in text.splitlines() if line.startswith("| Clip-L/14 |")]
    mark = re.search(r"506<sup>(\d+)</sup>", line)
    assert mark is not None
    assert f"\n{mark[1]}. 506 M is not the vision tower" in text


def test_latex_has_as_many_cells_as_columns_and_escapes(runs: Path, tmp_path: Path):
    tables(runs, tmp_path / "out")
    text = (tmp_path / "out" / "table3.tex").read_text()
    spec = re.search(r"\\begin\{longtable\}\{([lr]+)\}", text)
    assert spec is not None
    body = text.split(r"\endfoot")[1].split(r"\end{longtable}")[0]
    for line in filter(None, body.strip().split("\n")):
        assert len(re.split(r"(?<!\\)&", line)) == len(spec[1])
        assert line.endswith(r"\\")
    assert r"\textbackslash{}input" in text
    assert r"\input" not in text
    unescaped = text.replace(r"\{", "").replace(r"\}", "")
    assert unescaped.count("{") == unescaped.count("}")


def cells_of(path: Path) -> list[list[str]]:
    lines = [line for line in path.read_text().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_table_2_has_the_papers_layout_with_ours_beneath_a_line_a_hardware(tmp_path: Path):
    tsm = {"task": "action_recognition", "model": "tsm", "paper_row": "TSM (ResNet50)"}
    runs = put(
        tmp_path / "measured",
        a_record(**tsm, data="sthv2", hardware="rtx3090x2", device="NVIDIA RTX 3090"),
        a_record(**tsm, data="sthv2", hardware="a100", device="NVIDIA A100"),
    )
    tables(runs, tmp_path / "out")
    head, _, *body = cells_of(tmp_path / "out" / "table2.md")
    assert len(head) == 10
    at = head.index("TSM (ResNet50)")
    table = {tuple(row[:3]): row[at] for row in body}
    order = ["GMACs", "Params (M)", "Train (kWh)", "Top-1 (%)", "Test (kWh)", "GQI"]
    assert [row[1] for row in body[:6]] == order
    assert table["SSv2", "Train (kWh)", "published"] == "107.361"
    assert table["K400", "Train (kWh)", "published"].startswith("124.6118")
    assert table["SSv2", "Test (kWh), a100", "estimated"] == "0.00619 ± 0.00012"
    assert table["SSv2", "Test (kWh), rtx3090x2", "estimated"] == "0.00619 ± 0.00012"


def test_table_3_has_the_papers_columns_in_its_order_with_ours_beside(tmp_path: Path):
    runs = put(
        tmp_path / "measured",
        a_record(batch_size=64),
        a_record(),
        a_record(),
        a_record(batch_size=8),
    )
    tables(runs, tmp_path / "out")
    head, _, *body = cells_of(tmp_path / "out" / "table3.md")
    assert head == [
        "Model",
        "GMACs, published",
        "Params (M), published",
        "Train (kWh), published",
        "Top-1 (%), published",
        "GQI, published",
        "Test (kWh), published",
        "Train (kWh), estimated",
        "GQI, estimated",
        "Test (kWh), estimated",
    ]
    assert len(body) == 67, "one row a model and hardware"
    [swin] = [row for row in body if row[0].startswith("Swin-T<")]
    assert swin[3] == "224.01" and swin[7].startswith("384.4 ± ")
    text = (tmp_path / "out" / "table3.md").read_text()
    assert "a6000, NVIDIA RTX A6000, batch 32, fp32, tier counter, 2 runs; 2 other set-ups" in text
    assert len(rows(tmp_path / "out" / "table3.csv")) == 69, "the CSV file has every set-up"


def test_the_users_runs_come_first_and_shipped_records_do_not_mix_with_them(tmp_path: Path, capsys):
    small = {"scale": "small"}
    put(tmp_path / "results/records", a_record(**small))
    put(tmp_path / "runs", a_record(**small), a_record(model="mine", paper_row=None))
    folders = [str(tmp_path / name) for name in ("results/records", "runs")]
    assert main(["tables", *folders, "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert said.index("Your own runs") < said.index("Table 1.") < said.index("Table 3.")
    own = rows(tmp_path / "out" / "own.csv")
    assert {(row["model"], row["scale"]) for row in own} == {("mine", "full"), ("Swin-T", "small")}
    assert all("results/records" not in row["path"] for row in own)
    assert {row["measured_num_records"] for row in own} == {"1.0"}
    [mine] = [row for row in own if row["model"] == "mine"]
    assert float(mine["measured_train_j_per_sample"]) == pytest.approx(3.6)
    assert float(mine["measured_train_samples_per_s"]) == pytest.approx(320)
    assert float(mine["measured_test_wh_per_1000"]) == pytest.approx(0.25)
    assert float(mine["estimated_train_kwh"]) > 300
    assert (mine["tier"], mine["measured_sensors"][:11]) == ("counter", "GPU counter")


def test_own_prints_the_users_runs_alone_and_writes_all_tables(tmp_path: Path, capsys):
    put(tmp_path / "runs", a_record(model="mine", paper_row=None))
    out = tmp_path / "out"
    assert main(["tables", str(tmp_path / "runs"), "--own", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "Your own runs" in said and "mine" in said and "Table 3." not in said
    assert (out / "table3.csv").is_file()
    assert main(["tables", str(tmp_path / "runs"), "--own", "--diff", "--out", str(out)]) == 2
    assert "--own does nothing with --diff" in capsys.readouterr().err


def test_a_run_without_a_result_is_named(tmp_path: Path, capsys):
    runs = put(tmp_path / "measured", a_record(), a_failure())
    assert tables(runs, tmp_path / "out") == 0
    said = capsys.readouterr().err
    assert f"has no row: {runs}/swin_t-1/record.json: failed: OutOfMemory" in said


def test_a_part_that_was_interrupted_is_in_the_row_of_its_training(tmp_path: Path, capsys):
    own = dict(model="mine", paper_row=None, training_id="t")
    ended = a_record(status="interrupted", failure=Failure("KeyboardInterrupt", ""), **own)
    runs = put(tmp_path / "measured", ended, a_record(**own))
    assert tables(runs, tmp_path / "out") == 0
    assert "has no row" not in capsys.readouterr().err
    assert "2 parts of one training, added" in (tmp_path / "out" / "own.md").read_text()
    runs = put(tmp_path / "alone", ended)
    assert tables(runs, tmp_path / "alone-out") == 0
    said = capsys.readouterr().err
    where = f"{runs}/mine-0/record.json"
    assert f"{where}: interrupted: KeyboardInterrupt (`show` says what it used)" in said


def test_html_escapes_what_comes_from_a_record(runs: Path, tmp_path: Path):
    tables(runs, tmp_path / "out", "--format", "html")
    text = (tmp_path / "out" / "table3.html").read_text()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_where_sort_and_columns_mean_one_number_by_one_name(runs: Path, tmp_path: Path):
    """Without a prefix ours; the paper's are called published_*."""
    out = tmp_path / "out"
    wanted = ["--where", "published_top1_pct > 80 and published_train_kwh < 400"]
    more = ["--sort", "published_gqi", "--columns", "gqi,published_gqi,samples_per_kwh"]
    assert tables(runs, out, *wanted, *more) == 0
    printed = rows(out / "table3.csv")
    assert printed[0]["model"] == "EfficientNetv2 S"
    assert {"published_gqi", "estimated_gqi", "measured_samples_per_kwh"} <= set(printed[0])
    assert "published_train_kwh" not in printed[0]
    assert "MobileNetv2" not in {row["model"] for row in printed}
    assert tables(runs, out, "--where", "train_kwh > 0", "--columns", "train_kwh") == 0
    assert {row["model"] for row in rows(out / "table3.csv")} == {"Swin-T", HOSTILE}
    assert float(rows(out / "table3.csv")[0]["estimated_train_kwh"]) > 300


@pytest.mark.parametrize("name", ["-gqi", "--sort=-gqi", "pareto", "sensors", "-model"])
def test_a_table_is_sorted_by_any_column_either_way(runs: Path, tmp_path: Path, name: str):
    wanted = [name] if name.startswith("--") else ["--sort", name]
    assert tables(runs, tmp_path / "out", *wanted) == 0


def test_hardware_shows_its_measurements_only(tmp_path: Path):
    runs = put(tmp_path / "measured", a_record(), a_record(hardware="v100", device="Tesla V100"))
    tables(runs, tmp_path / "out", "--hardware", "v100")
    assert {row["hardware"] for row in rows(tmp_path / "out" / "table3.csv")} == {"", "v100"}


def test_diff_is_a_view_of_its_own(runs: Path, tmp_path: Path):
    assert tables(runs, tmp_path / "out", "--diff") == 0
    [row] = [r for r in rows(tmp_path / "out" / "table3_diff.csv") if r["model"] == "Swin-T"]
    assert float(row["diff_params_m_pct"]) == pytest.approx(100 * (28.288 / 28.3 - 1))


def test_a_name_that_a_terminal_or_a_spreadsheet_would_obey_is_spelled_out(tmp_path: Path, capsys):
    formula, escape = '=HYPERLINK("http://x","y")', "\x1b[2Jgone"
    records = (a_record(model=name, paper_row=None) for name in (formula, escape))
    runs = put(tmp_path / "measured", *records)
    (runs / "\x1b]0;x").mkdir()
    (runs / "\x1b]0;x" / "record.json").write_text("{")
    assert tables(runs, tmp_path / "out") == 0
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert "\\x1b[2Jgone" in said.out and "\\x1b]0;x" in said.err
    assert f"'{formula}" in {row["model"] for row in rows(tmp_path / "out" / "table3.csv")}
    assert not [one for one in (tmp_path / "out").iterdir() if "\x1b" in one.read_text()]


def test_a_broken_file_is_named_and_left_out(runs: Path, tmp_path: Path, capsys):
    bad = runs / "bad" / "record.json"
    bad.parent.mkdir()
    bad.write_text("{")
    assert tables(runs, tmp_path / "out") == 0
    assert f"left out {bad}: not JSON" in capsys.readouterr().err


@pytest.mark.parametrize("make", [False, True])
def test_a_named_folder_that_holds_nothing_is_refused(tmp_path: Path, capsys, make: bool):
    folder = tmp_path / "nothing"
    if make:
        folder.mkdir()
    assert tables(folder, tmp_path / "out") == 2
    assert "does not exist" in (error := capsys.readouterr().err) or "holds no readable" in error


def test_an_output_that_is_a_file_is_refused(runs: Path, tmp_path: Path, capsys):
    (tmp_path / "out").write_text("in the way")
    assert tables(runs, tmp_path / "out") == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_folder_of_failures_still_gives_the_published_tables(tmp_path: Path):
    runs = put(tmp_path / "measured", a_failure(), a_record(phases={"test": a_phase("test")}))
    assert tables(runs, tmp_path / "out") == 0


def test_torch_is_never_imported(runs: Path, tmp_path: Path):
    code = (
        "import sys; from analysis.__main__ import main; "
        f"main(['tables', {str(runs)!r}, '--out', {str(tmp_path / 'out')!r}]); "
        "sys.exit('torch' in sys.modules)"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
