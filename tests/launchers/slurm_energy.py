"""A counter of a node's energy that SLURM reads: its plugin for Cray's counters, a copy of which
looks for them where this machine has them written, since /sys cannot be."""

from __future__ import annotations

import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POWER_W = 100.0
PERIOD_S = 0.5
_PLUGIN = "acct_gather_energy_pm_counters.so"
_CRAY = "/sys/cray/pm_counters"
_CONF = """
AcctGatherEnergyType=acct_gather_energy/pm_counters
AcctGatherNodeFreq=1
PluginDir={own}:{installed}
"""


@contextmanager
def energy_counter(home: Path) -> Iterator[str]:
    """A counter that rises by POWER_W; yields what slurm.conf says of it."""
    (installed,) = Path("/usr/lib").glob(f"*/slurm*/{_PLUGIN}")
    counters = Path("/tmp") / uuid.uuid4().hex[: len(_CRAY) - len("/tmp/")]  # of the same length
    own = home / "plugins"
    own.mkdir()
    content = installed.read_bytes()
    assert content.count(_CRAY.encode()) == 2
    (own / _PLUGIN).write_bytes(content.replace(_CRAY.encode(), str(counters).encode()))
    counters.mkdir()
    ended = threading.Event()
    (counters / "energy").write_text("1000000 J\n")
    (counters / "power").write_text(f"{POWER_W:.0f} W\n")
    writer = threading.Thread(target=_rise, args=(counters / "energy", ended), daemon=True)
    writer.start()
    try:
        yield _CONF.format(own=own, installed=installed.parent)
    finally:
        ended.set()
        writer.join()
        shutil.rmtree(counters)


def _rise(path: Path, ended: threading.Event) -> None:
    """In place: SLURM keeps the file open."""
    joules = 1_000_000.0
    with path.open("r+") as stream:
        while not ended.wait(PERIOD_S):
            joules += POWER_W * PERIOD_S
            stream.seek(0)
            stream.write(f"{joules:.0f} J\n")
            stream.flush()
