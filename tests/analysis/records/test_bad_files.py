"""Whatever lies where a record should: one line names it, nothing hangs, the rest is read."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.records.load import load
from metering.record_file import to_json
from tests.analysis.sample_records import a_record, put

pytestmark = pytest.mark.timeout(60)

Make = Callable[[Path], object]


def twice() -> str:
    """The key `status`, once with an escaped letter, and as many colons as without it."""
    text = to_json(a_record(notes=("a:b",))).replace("a:b", r"a\u003ab")
    return text.replace('"status"', r'"\u0073tatus": "failed", "status"', 1)


def a_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's whole path may not be long
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(here)


BAD: dict[str, tuple[Make, str]] = {
    "fifo": (os.mkfifo, "is no regular file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "is no regular file"),
    "socket": (a_socket, "is no regular file"),
    "folder": (lambda path: path.mkdir(), "is no regular file"),
    "loop": (lambda path: path.symlink_to(path.name), "Too many levels of symbolic links"),
    "nothing": (lambda path: path.symlink_to("gone"), "No such file"),
    "bom": (lambda path: path.write_bytes(b"\xef\xbb\xbf{}"), "byte order mark"),
    "utf16": (lambda path: path.write_bytes("{}".encode("utf-16")), "is UTF-16"),
    "deep": (lambda path: path.write_bytes(b"[" * 100_000), "not JSON: recursion limit"),
    "digits": (
        lambda path: path.write_bytes(b'{"schema_version": 1' + b"0" * 5_000 + b"}"),
        "not JSON: number out of range",
    ),
    "empty": (lambda path: path.write_bytes(b""), "not JSON"),
    "twice": (lambda path: path.write_text(twice()), "stands twice"),
}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A good run, and one of each bad kind."""
    put(tmp_path / "runs", a_record())
    for name, (make, _) in BAD.items():
        (tmp_path / "runs" / name).mkdir()
        make(tmp_path / "runs" / name / "record.json")
    return tmp_path / "runs"


def test_each_is_named_in_one_line_and_the_good_run_has_its_row(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tables", str(runs), "--out", str(tmp_path / "out"), "--format", "csv"]) == 0
    said = capsys.readouterr().err.splitlines()
    assert len(said) == len(BAD)
    for name, (_, words) in BAD.items():
        [line] = [one for one in said if one.startswith(f"left out {runs / name}/record.json: ")]
        assert words in line
    assert len((tmp_path / "out/own.csv").read_text().splitlines()) == 2


@pytest.mark.parametrize("name", sorted(BAD))
def test_named_alone_it_is_refused_in_one_line(
    runs: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in (runs / name, runs / name / "record.json"):
        assert main(["show", str(place)]) == 2
        *_, last = capsys.readouterr().err.splitlines()
        assert str(runs / name) in last


def test_a_record_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, a_record(), a_record())
    secret = str(tmp_path / "swin_t-1" / "record.json")

    def refuse(path: str, *more: str) -> object:
        if path == secret:
            raise PermissionError(13, "Permission denied", path)
        return open(path, *more)

    monkeypatch.setattr("analysis.records.load.open", refuse, raising=False)
    loaded = load([tmp_path])
    assert [str(problem) for problem in loaded.problems] == [
        f"{secret}: cannot be read: Permission denied"
    ]
    assert loaded.frame["path"].nunique() == 1


def test_a_folder_whose_name_is_no_utf_8_is_read_and_spelled_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.figures.draw.draw_all", lambda _: {})
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/n\xff"))
    put(folder, a_record(), a_record(batch_size=8))
    for command in ("tables", "report"):
        assert main([command, str(folder), "--out", str(tmp_path / "out")]) == 0
    assert r"n\udcff" in (tmp_path / "out/own.csv").read_text()
    assert r"n\udcff" in (tmp_path / "out/report.html").read_text()
    assert main(["show", str(folder / "swin_t-0")]) == 0
    assert r"n\udcff" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["fifo", "device", "folder"])
def test_a_file_of_independent_numbers_that_is_none_is_refused(
    runs: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "--independent", str(runs / kind / "record.json")]) == 2
    assert "is no regular file; give a CSV file" in capsys.readouterr().err
