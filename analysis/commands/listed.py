"""The commands of `python -m analysis`, in the order of its help; `watt` has each of them too."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AnalysisCommand:
    """`module` has `add_arguments(parser)`, which adds the command's options and sets its `run`."""

    name: str
    help: str
    module: str


COMMANDS = (
    AnalysisCommand(
        "show", "all that is known of one run; the runs of a folder", "analysis.commands.show"
    ),
    AnalysisCommand("compare", "runs beside each other", "analysis.commands.compare"),
    AnalysisCommand(
        "tables", "the paper's tables with what was measured", "analysis.commands.tables"
    ),
    AnalysisCommand(
        "figures", "the paper's figures as SVG, PDF and PNG", "analysis.commands.figures"
    ),
    AnalysisCommand(
        "report", "everything in one HTML file that works offline", "analysis.commands.report"
    ),
    AnalysisCommand(
        "claims", "the paper's claims beside what was measured", "analysis.commands.claims"
    ),
    AnalysisCommand(
        "validate", "how well a run's first part predicts it", "analysis.commands.validate"
    ),
    AnalysisCommand(
        "audit", "the paper's numbers beside other people's", "analysis.commands.audit"
    ),
    AnalysisCommand("ranks", "Table 3 ranked by several indices", "analysis.commands.ranks"),
    AnalysisCommand(
        "choose", "the Pareto front, the cheapest, the break-even", "analysis.commands.choose"
    ),
    AnalysisCommand(
        "predict", "kWh of a network that nobody measured", "analysis.commands.predict"
    ),
    AnalysisCommand("savings", "what each switch of a set-up saves", "analysis.commands.savings"),
    AnalysisCommand("import", "CodeCarbon logs as records", "analysis.commands.import_logs"),
    AnalysisCommand("export", "records in other programs' formats", "analysis.commands.export"),
    AnalysisCommand("share", "a bundle of records without names", "analysis.commands.share"),
    AnalysisCommand("check", "can records be believed?", "analysis.commands.check"),
)
