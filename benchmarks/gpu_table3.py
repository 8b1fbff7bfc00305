"""All 67 rows of Table 3 on this machine's GPU: train and test windows, a process a row.

    python -m benchmarks.gpu_table3 [--out FOLDER] [--minutes 25] [--models a,b] [KEY=VALUE ...]

Embedded data, each network's own image size, batches of 32. A row takes about 25 seconds, up to
ten of them for its first steps, which load and try out kernels: short windows, weights drawn on the
GPU itself. `data=tensors` leaves the decoding out, which limits small networks on a fast GPU. The
next network is not built beside the one being measured: that work would be metered as the other's.
Every row is written when it is measured, so nothing is lost when the sweep is cut off, and the same
command goes on where it stopped; no row is begun that would not end within `--minutes`. Ends with
the sweep's own time share inside measured windows. Further arguments are settings as `run.py` takes
them (`hardware=h100`).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import launchers
from launchers.local import Machine
from metering.record import Record
from tasks.config.model_names import CONF_DIR
from tasks.errors import PlanError
from tasks.plan import Plan, from_config
from tasks.running.execute import finished
from tasks.running.interruption import interruptible
from tasks.terminal.summary import summary_lines

SHORT_WINDOWS = (
    "meter.time_budget_s=6",
    "meter.block_s=0.5",
    "meter.idle_s=0.5",
    "checkpoint_write=false",
)
FIRST_ROW_S = 40.0  # imports, CUDA's start and the embedded files come with the first row


@dataclass
class Tally:
    """What became of the rows; times in seconds, of the rows that were run now."""

    num_measured: int = 0
    num_earlier: int = 0
    num_failed: int = 0
    num_left: int = 0
    wall_s: float = 0.0
    window_s: float = 0.0

    @property
    def window_share(self) -> float:
        """Of the sweep's own time, the share inside blocks that count."""
        return self.window_s / self.wall_s if self.wall_s else 0.0


def table3_models() -> list[str]:
    """The rows in the order of Table 3, as `experiment=table3` sweeps them."""
    from omegaconf import OmegaConf

    experiment = OmegaConf.load(CONF_DIR / "experiment" / "table3.yaml")
    return [name.strip() for name in experiment.hydra.sweeper.params.model.split(",")]


def plans(models: list[str], out: Path, settings: list[str]) -> Iterator[Plan]:
    """One plan per model. Raises `PlanError`."""
    from hydra import compose, initialize_config_dir

    launchers.register()
    given = [*SHORT_WINDOWS, f"output_dir={out}", *settings]
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        for model in models:
            yield from_config(compose("config", [f"model={model}", *given]))


def sweep(wanted: list[Plan], limit_s: float) -> Tally:
    """Measure what is not measured yet, as long as the time suffices."""
    tally, began_s = Tally(), time.perf_counter()
    with Machine() as machine:  # one server imports for all rows
        _sweep_on(machine, wanted, limit_s, tally, began_s)
    tally.wall_s = time.perf_counter() - began_s
    return tally


def _sweep_on(
    machine: Machine, wanted: list[Plan], limit_s: float, tally: Tally, began_s: float
) -> None:
    longest_s = FIRST_ROW_S
    for number, plan in enumerate(wanted):
        if finished(plan) is not None and not plan.force:
            tally.num_earlier += 1
            continue
        elapsed_s = time.perf_counter() - began_s
        if elapsed_s + longest_s > limit_s:
            tally.num_left += 1
            continue
        print(f"[{number + 1}/{len(wanted)}, {elapsed_s:.0f} s]", end=" ", flush=True)
        with interruptible():
            outcome = machine.run(plan)
        print("\n".join(summary_lines(outcome)), flush=True)
        tally.num_measured += outcome.record.status == "finished"
        tally.num_failed += outcome.record.status != "finished"
        tally.window_s += window_s(outcome.record)
        row_s = time.perf_counter() - began_s - elapsed_s
        # the first row's start is not the others'; rows differ by less than a factor of two
        longest_s = 1.5 * row_s if longest_s == FIRST_ROW_S else max(longest_s, row_s)


def window_s(record: Record) -> float:
    """Seconds of the record's measured blocks."""
    blocks = (block for phase in record.phases.values() for block in phase.readings)
    return sum(block.duration_s for block in blocks if block.use == "measured")


def main(arguments: list[str] | None = None) -> int:
    """0: every row is measured; 1: rows failed or are left; 2: a setting is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/gpu-table3"))
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--models", default="", help="some rows only, by short name")
    parser.add_argument("settings", nargs="*", metavar="KEY=VALUE")
    given = parser.parse_args(arguments)
    models = [name for name in given.models.split(",") if name] or table3_models()
    settings = [*given.settings]
    if not any(setting.startswith("hardware") for setting in settings):
        settings.append("hardware.accelerator=cuda")
    try:
        tally = sweep(list(plans(models, given.out.absolute(), settings)), given.minutes * 60)
    except PlanError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ncut off; the same command goes on where it stopped", file=sys.stderr)
        return 130
    print(
        f"{tally.num_measured} rows measured now, {tally.num_earlier} earlier, "
        f"{tally.num_failed} failed, {tally.num_left} left; {tally.window_share:.0%} of "
        f"{tally.wall_s:.0f} s inside measured windows"
    )
    share = asdict(tally) | {"window_share": tally.window_share}
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "time_share.json").write_text(json.dumps(share, indent=1) + "\n")
    return 1 if tally.num_failed or tally.num_left else 0


if __name__ == "__main__":
    sys.exit(main())
