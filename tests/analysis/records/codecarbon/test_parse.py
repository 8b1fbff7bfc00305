"""What people's spreadsheets, shells and editors do to a CSV file."""

from __future__ import annotations

import pytest

from analysis.records.codecarbon.parse import is_emissions_header, parsed
from metering.record import RecordError
from tests.analysis.records.codecarbon.logs import LINE, csv_text


def _kwh(text: str | bytes) -> list[float | None]:
    content = text.encode() if isinstance(text, str) else text
    return [line.number_of("energy_consumed") for line in parsed(content).lines]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_semicolons_and_tabs_with_decimal_commas_are_read_and_told(separator: str) -> None:
    text = csv_text({}, separator=separator).replace("0.010", "0,010")
    assert _kwh(text) == [0.01]
    assert "separated by" in parsed(text.encode()).notes[0]


@pytest.mark.parametrize(
    ("said", "kwh"),
    [("0.010", 0.01), ("1.234,5", 1234.5), ("1,234.5", 1234.5), ("5,2E-05", 5.2e-5)],
)
def test_a_decimal_comma_is_told_from_a_thousands_separator(said: str, kwh: float) -> None:
    assert _kwh(csv_text({"energy_consumed": said}, separator=";")) == [kwh]


def test_a_quoted_decimal_comma_is_read_and_one_that_may_group_thousands_is_not() -> None:
    assert _kwh(csv_text({"energy_consumed": '"0,5"'})) == [0.5]
    with pytest.raises(RecordError, match="'1,234' is not a number"):
        _kwh(csv_text({"energy_consumed": '"1,234"'}))


@pytest.mark.parametrize("null", ["nan", "NaN", "None", "", "NULL", "<NA>"])
def test_what_other_software_writes_for_nothing_is_empty(null: str) -> None:
    [line] = parsed(csv_text({"gpu_count": null}).encode()).lines
    assert line.number_of("gpu_count") is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_of_windows_are_read(encoding: str) -> None:
    assert _kwh(csv_text({}).replace("\n", "\r\n").encode(encoding)) == [0.01]


def test_a_code_page_of_windows_is_read_and_told() -> None:
    log = parsed(csv_text({"project_name": "Île-de-France"}).encode("cp1252"))
    assert log.lines[0].text("project_name") == "Île-de-France"
    assert log.notes == ("the file is not UTF-8; read as Windows-1252",)


def test_the_line_that_tells_excel_the_separator_is_no_header() -> None:
    assert _kwh("sep=;\n" + csv_text({}, separator=";")) == [0.01]


def test_a_header_in_the_middle_names_the_columns_from_there_on() -> None:
    newer = (
        csv_text({"energy_consumed": "0.020"})
        .replace("pue", "water,pue")
        .replace("1.0\n", "0,1.0\n")
    )
    assert _kwh(csv_text({}) + newer) == [0.01, 0.02]


def test_a_line_break_within_quotes_belongs_to_its_cell() -> None:
    text = csv_text({"project_name": '"two\nlines"'}, {"energy_consumed": "0.020"})
    log = parsed(text.encode())
    assert [line.text("project_name") for line in log.lines] == ["two lines", "codecarbon"]


def test_a_quote_that_is_never_closed_costs_its_own_line_only() -> None:
    log = parsed(csv_text({"project_name": '"open'}, {}, {}).encode())
    assert len(log.lines) == 2
    assert log.problems == ("line 2: not a CSV file: unexpected end of data",)


def test_a_last_line_that_was_cut_off_is_named() -> None:
    text = csv_text({}, {})
    log = parsed(text[: len(text) - 60].encode())
    assert len(log.lines) == 1
    assert "line 3: " in log.problems[0]
    assert "the file was cut off here" in log.problems[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        (",".join(LINE) + "\n", "no line of measurements"),
        ("a,b\n1,2\n", "column energy_consumed is missing"),
        ("duration,energy_consumed,duration\n1,2,3\n", "column 'duration' stands twice"),
    ],
)
def test_what_is_no_log_says_why(text: str, words: str) -> None:
    with pytest.raises(RecordError, match=words):
        parsed(text.encode())


def test_a_log_under_any_name_is_known_by_its_header() -> None:
    assert is_emissions_header(",".join(LINE))
    assert is_emissions_header(";".join(LINE))
    assert not is_emissions_header("epoch,loss,duration")


@pytest.mark.parametrize(
    ("cells", "kwh"),
    [
        ('"0,012","1,234"', 1.234),  # the first can be nothing else
        ('"0.012","1,234"', None),  # a point beside it: may be a thousand
        ('100,"0,012"', 0.012),
    ],
)
def test_quoted_decimal_commas_are_told_by_the_others_of_their_file(
    cells: str, kwh: float | None
) -> None:
    [line] = parsed(f"duration,energy_consumed\n{cells}\n".encode()).lines
    if kwh is not None:
        assert line.number_of("energy_consumed") == kwh
        return
    with pytest.raises(RecordError):
        line.number_of("energy_consumed")


def test_a_conflict_of_git_costs_no_run() -> None:
    lines = csv_text({"run_id": "a"}, {"run_id": "b"}, {"run_id": "c"}).splitlines()
    marks = [*lines[:2], "<<<<<<< HEAD", lines[2], "=======", lines[3], ">>>>>>> a branch"]
    log = parsed("\n".join(marks).encode())
    assert [line.text("run_id") for line in log.lines] == ["a", "b", "c"]
    assert (log.problems, log.cut_run_ids) == ((), ())
    assert "conflict of Git's" in log.notes[0]


@pytest.mark.parametrize(
    ("header", "tool"),
    [
        ("id,project_name,duration(s),power_consumption(kWh),CO2_emissions(kg)", "Eco2AI"),
        ("timestamp;tag;duration;package_0;dram_0", "pyJoules"),
    ],
)
def test_a_file_of_another_meter_is_named(header: str, tool: str) -> None:
    with pytest.raises(RecordError, match=f"a file of {tool}"):
        parsed(f"{header}\n1,2,3,4,5\n".encode())
