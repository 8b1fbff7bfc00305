"""The command `watt` (in full `watt-for-what`): each subcommand passes on what was typed.

2: the user asked for something that cannot be done (one line says what, and the cure). Every
other exit status is the subcommand's own.
"""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Sequence

from watt_for_what.subcommands import SUBCOMMANDS, Subcommand


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the console commands; `arguments` default to what was typed."""
    typed = list(sys.argv[1:] if arguments is None else arguments)
    if not typed or typed[0] in ("-h", "--help", "help"):
        print(help_text())
        return 0
    name, *rest = typed
    known = {command.name: command for command in SUBCOMMANDS}
    if name not in known:
        return _refuse(_unknown(name))
    command = known[name]
    if not command.is_there:
        return _refuse(
            f"watt {name} is not part of this version: module {command.module} is missing; "
            "`watt --help` lists what there is"
        )
    return _call(command, rest)


def help_text() -> str:
    """The subcommands that are there, one a line."""
    lines = [f"  {command.name:<9} {command.help}" for command in SUBCOMMANDS if command.is_there]
    return "\n".join(
        [
            "usage: watt COMMAND ...   (watt-for-what is the same; watt COMMAND --help tells more)",
            "",
            *lines,
        ]
    )


def _call(command: Subcommand, rest: list[str]) -> int:
    if command.of_analysis:
        from analysis.__main__ import main as analyse

        return analyse([command.name, *rest])
    function = getattr(importlib.import_module(command.module), command.function)
    sys.argv = [f"watt {command.name}", *rest]
    return int(function() or 0)


def _unknown(name: str) -> str:
    there = [command.name for command in SUBCOMMANDS if command.is_there]
    near = difflib.get_close_matches(name, there, 3)
    cure = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(there)}"
    return f"command {name!r} is unknown; {cure}"


def _refuse(line: str) -> int:
    print(f"error: {line}", file=sys.stderr)
    return 2
