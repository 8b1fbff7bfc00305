"""A sweep of tiny runs; prints what this process holds after each, as JSON lines.

python -m tests.endurance.fifty_runs FOLDER NUM_RUNS here|isolated

here: all in this process; isolated: each in a process of its own, of which this one starts many.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.endurance import TINY


def main(folder: Path, num_runs: int, isolate: bool) -> None:
    import psutil
    from hydra import compose, initialize_config_dir

    import launchers
    from tasks.terminal.session import Session

    launchers.register()
    session, process = Session(launchers.single.preview), psutil.Process()
    places = (f"output_dir={folder / 'runs'}", f"data.cache_dir={folder / 'cache'}")
    with (
        launchers.local.Machine(isolate) as machine,
        initialize_config_dir(str(ROOT / "conf"), version_base="1.3"),
    ):
        for number in range(1, num_runs + 1):
            config = compose(
                "config", [*TINY, *places, f"repeats={num_runs}", f"repetition={number}"]
            )
            with contextlib.redirect_stdout(io.StringIO()):
                outcome = session.run(config, machine.run)
            gc.collect()
            print(
                json.dumps(
                    {
                        "status": outcome.record.status if outcome else "refused",
                        "handles": process.num_fds(),
                        "threads": process.num_threads(),
                        "children": len(process.children(recursive=True)),
                        "resident_mib": process.memory_info().rss / 2**20,
                    }
                ),
                flush=True,
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), isolate=sys.argv[3] == "isolated")
