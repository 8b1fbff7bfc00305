"""The subcommands of `watt`, in the order in which `watt --help` lists them.

One line adds a command. `module` holds it; a command whose module is not there is not listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True)
class Subcommand:
    """`watt NAME ...` calls `function` of `module`, which reads `sys.argv` as if it were typed
    on its own: it gives an exit status, or None for 0."""

    name: str
    help: str
    module: str
    function: str = "main"

    @property
    def is_there(self) -> bool:
        try:
            return find_spec(self.module) is not None
        except ModuleNotFoundError:
            return False


@dataclass(frozen=True)
class AnalysisCommand(Subcommand):
    """A command of `python -m analysis`; `module` is the one with its `add_parser`."""


SUBCOMMANDS: tuple[Subcommand, ...] = (
    Subcommand("run", "measure: one run, or a sweep with -m", "run"),
    Subcommand(
        "exec", "measure a program that is not ours: watt exec -- COMMAND", "watt_for_what.exec"
    ),
    Subcommand("status", "what of a sweep is done, running, failed, missing", "launchers.status"),
    Subcommand("cancel", "end a sweep's SLURM jobs", "launchers.cancel"),
    Subcommand("doctor", "what this machine can measure", "metering.doctor"),
    AnalysisCommand(
        "show", "all that is known of one run; the runs of a folder", "analysis.commands.show"
    ),
    AnalysisCommand("compare", "runs beside each other", "analysis.commands.compare"),
    AnalysisCommand("tables", "the paper's tables", "analysis.commands.tables"),
    AnalysisCommand("figures", "the paper's figures", "analysis.commands.figures"),
    AnalysisCommand("report", "one HTML file that works offline", "analysis.commands.report"),
    AnalysisCommand("claims", "do the paper's claims hold?", "analysis.commands.claims"),
    AnalysisCommand("validate", "measured beside published", "analysis.commands.validate"),
    AnalysisCommand("audit", "published beside independent sources", "analysis.commands.audit"),
    AnalysisCommand("ranks", "Table 3 ranked by several indices", "analysis.commands.ranks"),
    AnalysisCommand("choose", "which network to take", "analysis.commands.choose"),
    AnalysisCommand("predict", "kWh of a network never measured", "analysis.commands.predict"),
    AnalysisCommand("savings", "what each switch of a set-up saves", "analysis.commands.savings"),
    AnalysisCommand("import", "logs of other programs as records", "analysis.commands.import_logs"),
    AnalysisCommand("export", "records in other programs' formats", "analysis.commands.export"),
    AnalysisCommand("share", "records to give away, without names", "analysis.commands.share"),
    AnalysisCommand("check", "can records be believed?", "analysis.commands.check"),
)
