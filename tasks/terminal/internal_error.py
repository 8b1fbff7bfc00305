"""An error that no command should cause: a fault of this suite, reported as one."""

from __future__ import annotations

import sys
import traceback

STATUS = 70  # EX_SOFTWARE of sysexits.h


def report(error: BaseException) -> None:
    """Its traceback, and in the last line that the user's command is not at fault."""
    sys.stdout.flush()
    traceback.print_exception(error, file=sys.stderr)
    why = " ".join(f"{type(error).__name__}: {error}".split())
    print(
        f"internal error: {why}; watt-for-what is at fault here, not your command: report it with "
        "the lines above",
        file=sys.stderr,
        flush=True,
    )
