"""`python -m analysis COMMAND`: from records to tables, figures, a report and a validation.

0: done. 2: the user asked for something that cannot be done (one line says what, and the cure).
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from analysis.commands.listed import COMMANDS, AnalysisCommand
from analysis.errors import AnalysisError, printable
from metering import missing_package


class OneLineParser(argparse.ArgumentParser):
    """Refuses in one line, without all options before it."""

    def error(self, message: str) -> NoReturn:
        """Status 2."""
        self.exit(2, f"{printable(message)}; see {self.prog} --help\n")


def parser(typed: str | None = None) -> argparse.ArgumentParser:
    """Of every command; what it parses has `run`. With `typed`, only the command of that name has
    its options: another's module is not loaded."""
    whole = OneLineParser(
        prog="python -m analysis",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        options = commands.add_parser(command.name, help=command.help)
        if typed in (None, command.name):
            _add_arguments(command, options)
    return whole


def _add_arguments(command: AnalysisCommand, options: argparse.ArgumentParser) -> None:
    try:
        module = importlib.import_module(command.module)
    except ModuleNotFoundError as error:
        missing_package.leave(error)
    module.add_arguments(options)


def main(arguments: Sequence[str] | None = None) -> int:
    given = _joined(sys.argv[1:] if arguments is None else arguments)
    chosen = parser(given[0] if given else "").parse_args(given)
    try:
        _refuse_empty(given, chosen)
        return int(chosen.run(chosen))
    except BrokenPipeError:  # `... | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except AnalysisError as error:
        print(printable(str(error)), file=sys.stderr)
        return 2


def _refuse_empty(arguments: Sequence[str], chosen: argparse.Namespace) -> None:
    """A shell variable without a value would name the present folder. Options that take no path
    have words of their own for an empty value."""
    for before, argument in zip(("", *arguments), arguments, strict=False):
        option = before if not argument else argument.removesuffix("=")
        if argument and not (argument.startswith("--") and argument.endswith("=")):
            continue
        is_path = isinstance(getattr(chosen, option[2:].replace("-", "_"), None), Path)
        if is_path or not option.startswith("--"):
            where = f"after {option} " if option else ""
            raise AnalysisError(f"an argument {where}is empty; give a value or leave it out")


def _joined(arguments: Sequence[str]) -> list[str]:
    """`--sort -gqi` as `--sort=-gqi`: argparse takes a value that begins with a dash for an
    option."""
    joined: list[str] = []
    for argument in arguments:
        is_value = argument.startswith("-") and argument[1:2].isalpha()
        if joined and joined[-1] == "--sort" and is_value:
            joined[-1] = f"--sort={argument}"
        else:
            joined.append(argument)
    return joined


if __name__ == "__main__":
    sys.exit(main())
