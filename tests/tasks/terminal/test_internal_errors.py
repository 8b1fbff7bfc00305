"""A fault of this suite while it composes or checks: told as one, with its traceback, status 70."""

from __future__ import annotations

from typing import Any

import pytest

import tasks.config.checked
from tasks.plan import Plan, from_config
from tests.tasks.terminal.typed import type_in


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes no plan of a batch of 7."""

    def make(config: Any) -> Plan:
        if config.batch_size == 7:
            raise KeyError("not there")
        return from_config(config)

    monkeypatch.setattr(tasks.config.checked, "from_config", make)


def test_it_is_not_said_to_be_the_users(faulty: None) -> None:
    status, said = type_in("batch_size=7")
    assert status == 70
    assert said.startswith("Traceback (most recent call last)")
    last = said.splitlines()[-1]
    assert last.startswith("internal error: KeyError: 'not there'; watt-for-what is at fault")


def test_the_other_runs_of_a_sweep_are_looked_at(faulty: None) -> None:
    status, said = type_in("-m", "batch_size=7,8.5")
    assert status == 70
    assert "internal error: KeyError" in said
    assert "error: batch_size=8.5 is not a whole number" in said


def test_what_a_run_raises_goes_on_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """It may be the user's network, or the driver."""

    def fail(*_: Any) -> None:
        raise ZeroDivisionError("of the network's")

    monkeypatch.setattr("launchers.single.run", fail)
    monkeypatch.setattr("sys.argv", ["run.py", f"output_dir={tmp_path}"])
    import run

    with pytest.raises(ZeroDivisionError, match="of the network's"):
        run.main()
