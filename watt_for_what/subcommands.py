"""The subcommands of `watt`, in the order in which `watt --help` lists them.

Those of `python -m analysis` come from its own list. A command whose module is not there is not
listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from analysis.commands import listed as analysis


@dataclass(frozen=True)
class Subcommand:
    """`watt NAME ...` calls `function` of `module`, which reads `sys.argv` as if it were typed
    on its own: it gives an exit status, or None for 0. One `of_analysis` is passed on to
    `python -m analysis NAME ...` instead."""

    name: str
    help: str
    module: str
    function: str = "main"
    of_analysis: bool = False

    @property
    def is_there(self) -> bool:
        try:
            return find_spec(self.module) is not None
        except ModuleNotFoundError:
            return False


SUBCOMMANDS: tuple[Subcommand, ...] = (
    Subcommand("run", "measure: one run, or a sweep with -m", "run"),
    Subcommand(
        "exec", "measure a program that is not ours: watt exec -- COMMAND", "watt_for_what.exec"
    ),
    Subcommand("status", "what of a sweep is done, running, failed, missing", "launchers.status"),
    Subcommand("cancel", "end a sweep's SLURM jobs", "launchers.cancel"),
    Subcommand("doctor", "what this machine can measure", "metering.doctor"),
    *(
        Subcommand(command.name, command.help, command.module, of_analysis=True)
        for command in analysis.COMMANDS
    ),
)
