"""What a command says and answers that is not a run's own affair."""

from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import sys
from collections.abc import Sequence

import pytest

from tasks.plan import Plan
from tasks.terminal.progress import terminal_progress
from tests.conftest import ROOT
from tests.tasks.terminal.typed import type_in


def test_a_disk_that_is_full_is_one_line_and_the_other_runs_are_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: os.PathLike[str]
) -> None:
    sizes: list[int] = []

    def look_at(plans: Sequence[Plan]) -> None:
        sizes.extend(plan.batch_size for plan in plans)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(plans[0].folder))

    monkeypatch.setattr("launchers.single.preview", look_at)
    status, said = type_in("-m", "batch_size=1,2", f"output_dir={tmp_path}")
    assert status == 2
    (line,) = said.splitlines()
    assert line.startswith("error: output_dir=") and "its disk is full" in line
    assert sizes == [1, 2]


def test_a_file_of_data_that_is_gone_is_no_fault_of_the_output_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read(_plan: Plan) -> None:
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), "/data/a.png")

    monkeypatch.setattr("tasks.classification.setup.check_scale", read)
    assert type_in("model=test_resnet") == (
        2,
        "error: /data/a.png: No such file or directory\n",
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_between_two_runs_ends_the_sweep_as_ctrl_c_does(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_at(plans: Sequence[Plan]) -> None:
        signal.raise_signal(number)

    monkeypatch.setattr("launchers.single.preview", look_at)
    status, said = type_in("-m", "batch_size=1,2")
    assert status == 130
    assert said.strip() == "interrupted; the same command goes on where it stopped"


def test_an_error_in_the_wake_of_a_ctrl_c_is_the_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_at(plans: Sequence[Plan]) -> None:
        try:
            raise KeyboardInterrupt
        finally:
            raise AttributeError("'NoneType' has no '_invalidate_flags_cache'")  # as OmegaConf does

    monkeypatch.setattr("launchers.single.preview", look_at)
    status, said = type_in("-m", "batch_size=1,2")
    assert status == 130
    assert said.strip() == "interrupted; the same command goes on where it stopped"


def test_closed_streams_are_opened_to_nowhere() -> None:
    script = (
        "from tasks.terminal.streams import open_closed; open_closed(); import os, sys; "
        "print('lost', flush=True); sys.stderr.flush(); "
        "assert [os.readlink(f'/proc/self/fd/{n}') for n in (1, 2)] == [os.devnull] * 2"
    )
    typed = ["sh", "-c", '"$0" -c "$1" >&- 2>&-', sys.executable, script]
    assert subprocess.run(typed, cwd=ROOT, check=False).returncode == 0


def test_brackets_of_a_path_are_no_markup_of_the_progress_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with terminal_progress() as say:
        say("reading /data/[/a]/b")
