"""Entry point: compose the config, make the plan, hand it over, answer with an exit status.

0: everything is measured. 1: a run failed (its record says why). 2: the user asked for
something that cannot be done (one line says what, and the cure). 70: an internal error, with its
traceback. 130: interrupted.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

try:
    from tasks.terminal.session import Session, exit_on_errors
except KeyboardInterrupt:
    sys.exit(130)
except ModuleNotFoundError as error:
    from metering import missing_package

    missing_package.leave(error)

if TYPE_CHECKING:
    from tasks.terminal.session import Runner

CONF = str(Path(__file__).resolve().parent / "conf")  # absolute: the same wherever it is typed


def main() -> int:
    """Entry point of `python run.py` and of the command `watt run`."""
    try:
        import hydra

        import launchers

        launchers.register()
    except KeyboardInterrupt:
        return 130
    session = Session(launchers.single.preview)

    @hydra.main(version_base="1.3", config_path=CONF, config_name="config")
    def run(config: Any, runner: Runner = launchers.single.run) -> Any:
        """A launcher gives its own `runner`: where the run's plan is executed."""
        return session.run(config, runner)

    return exit_on_errors(run, session)


if __name__ == "__main__":
    sys.exit(main())
