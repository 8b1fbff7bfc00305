"""`watt exec -- python train.py ...`: what a program that nobody may touch uses from start to end.

What is read is the machine's CPU and memory and the job's GPUs while the program and its children
run. What it did meanwhile is not known: samples only where `--samples` says them, no warm-up, no
phases. Its exit status is passed on; signals that would end this command go to the program.

    watt exec --name my-net --samples 1281167 -- python train.py --epochs 1
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watt_for_what.errors import WattError

if TYPE_CHECKING:
    from metering.meter import Meter
    from metering.record import PhaseRecord
    from watt_for_what.child import Child
    from watt_for_what.folder import Folder

BLOCK_S = 60.0  # a counter that wraps around is read more often than it can
UNKNOWN_SAMPLES = "samples unknown: no rate per sample; --samples N says them"
WHAT_IS_READ = (
    "the whole program, its children, start and end included: the machine's CPU and memory and "
    "the job's GPUs while it ran"
)
OF_SHARED_NODE = (
    "the whole program, its children, start and end included: the job's GPUs while it ran; CPU and "
    "memory are the whole node's and absent, unless --has-nodes-alone says that it was the job's"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status of the program; 2 for an order that cannot be followed."""
    options = _parser().parse_args(sys.argv[1:] if arguments is None else arguments)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        print("error: no command: watt exec -- python train.py", file=sys.stderr)
        return 2
    from watt_for_what.child import CannotStart, signals_wait

    with signals_wait():  # before any library starts a thread, which would take them
        try:
            return _measured(options, command)
        except CannotStart as error:
            print(f"error: {error}", file=sys.stderr)
            return error.exit_status
        except WattError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="watt exec", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--name", help="of the run; else that of the script or program")
    made.add_argument("--samples", type=int, help="how many samples the program processes in all")
    made.add_argument("--phase", choices=("train", "test"), default="train")
    made.add_argument("--batch-size", type=int, help="samples of a step, over all devices")
    made.add_argument("--data", default="unknown", help="name of the data set")
    made.add_argument("--precision", default="unknown")
    made.add_argument("--task", default="own")
    made.add_argument("--hardware", default="local", help="name of the hardware profile")
    made.add_argument(
        "--country", help="whose electricity, three letters; else no emissions are computed"
    )
    made.add_argument("--output-dir", default="runs")
    made.add_argument(
        "--has-nodes-alone",
        action="store_true",
        help="this job of SLURM has its node alone; else CPU and memory are not read in a job",
    )
    made.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    return made


def _measured(options: argparse.Namespace, command: list[str]) -> int:
    from metering.meter import Meter
    from metering.ranks import OneRank
    from metering.sensors.nvml import job_gpus
    from watt_for_what import outcome
    from watt_for_what.child import Child
    from watt_for_what.folder import Folder

    request, asked, num_gpus = _asked(options, command, len(job_gpus()))
    child = Child(command)
    if (problem := child.cannot_start()) is not None:
        status, line = problem
        print(f"error: {line}", file=sys.stderr)
        return status
    folder = Folder(options.output_dir, asked, options.hardware, keeps_parts=False)
    outcome.silence_codecarbon()
    meter = Meter(
        request.settings(),
        folder=folder.path,
        ranks=OneRank(),
        use_gpu=num_gpus > 0,
        num_gpus=max(1, num_gpus),
        shares_node=_shares_node(options),
        country_iso_code=options.country,
    )
    try:
        with meter:
            return _run(options, asked, meter, child, folder)
    finally:
        folder.release()


def _shares_node(options: argparse.Namespace) -> bool:
    """Whether jobs of others may run on the node, as in `watt.measure`."""
    from metering import scheduler

    return scheduler.from_environment() is not None and not options.has_nodes_alone


def _asked(options: argparse.Namespace, command: list[str], num_gpus: int) -> tuple[Any, Any, int]:
    import dataclasses
    import hashlib

    from watt_for_what.asked import Request, whole_number

    if options.samples is not None:
        whole_number("--samples", options.samples)
    settings = {
        name: getattr(options, name)
        for name in (
            "data", "precision", "task", "hardware", "country", "output_dir", "has_nodes_alone"
        )
    }  # fmt: skip
    # the batch size may stay unknown here; what else is said is checked as in `watt.measure`
    request = Request(
        options.name or _name_of(command), options.batch_size or 1, **settings
    ).checked()
    digest = hashlib.sha256(shlex.join(command).encode()).hexdigest()[:16]
    asked = dataclasses.replace(
        request.asked(max(1, num_gpus), 1, num_gpus > 0),
        batch_size=options.batch_size,
        training={"command_digest": digest},
        protocol={"mode": "exec"},
    )
    return request, asked, num_gpus


def _name_of(command: Sequence[str]) -> str:
    """`train` of `python -u train.py`, `my.net` of `python -m my.net`, else the program's name."""
    for before, word in pairwise(command):
        if word.endswith((".py", ".sh")):
            return Path(word).stem
        if before == "-m" and "python" in Path(command[0]).name:
            return word
    return Path(command[0]).stem


def _run(
    options: argparse.Namespace, asked: Any, meter: Meter, child: Child, folder: Folder
) -> int:
    from metering import scheduler
    from metering.record import Failure, Status
    from tasks.running import attempts
    from watt_for_what import outcome

    started_at = outcome.now()
    try:
        reading, others = _read_through(meter, child)
    finally:  # an error of the sensors does not leave the program alone
        child.finish()
    status: Status = "finished"
    failure = None
    if child.exit_status:
        status = "interrupted" if child.was_asked_to_end else "failed"
        failure = Failure("ExitStatus", f"the program ended with exit status {child.exit_status}")
    phase = _phase(options, meter, reading, others, started_at)
    record = outcome.record(
        status=status,
        asked=asked,
        found=outcome.found(meter, None, meter.ranks),
        hardware=options.hardware,
        started_at=started_at,
        config={"command": child.command, "meter": {"name": "exec"}, "country": options.country},
        meter_facts=meter.facts(),
        phases={phase.phase: phase},
        overheads=attempts.unfinished_cost(folder.path) if status == "finished" else (),
        failure=failure,
        notes=(
            OF_SHARED_NODE if _shares_node(options) else WHAT_IS_READ,
            *(() if options.samples else (UNKNOWN_SAMPLES,)),
        ),
        repetition=folder.repetition,
        scheduler=scheduler.from_environment(),
    )
    kwh = reading.energy.total_kwh
    energy = "no sensor" if kwh is None else f"{kwh:.4g} kWh"
    print(f"{asked.model}: {energy} in {reading.duration_s:.1f} s", file=sys.stderr)
    try:
        outcome.write_record(record, folder.path)
    except WattError as error:  # a caller has to learn first how the program itself ended
        print(f"error: {error}", file=sys.stderr)
        return child.exit_status or 2
    for line in outcome.summary(record, folder.path):
        print(line, file=sys.stderr)
    return child.exit_status


def _read_through(meter: Meter, child: Child) -> tuple[Any, bool]:
    """One reading from the program's start to its end, and whether others used its GPUs."""
    from metering.block import preferred
    from metering.record import Energy, Reading
    from metering.used import added

    energy: Energy | None = None
    duration_s, fault, others = 0.0, "", set[int]()
    began_s = meter.clock()
    meter.begin_task()
    child.start()
    while True:
        is_running = child.wait(BLOCK_S)
        task = meter.end_task()
        if is_running:
            meter.begin_task()
        assert task is not None, "one process reads this node"
        energy = added(energy, preferred(task))
        fault = fault or task.fault
        others |= set(task.others) - child.pids
        duration_s = meter.clock() - began_s
        if not is_running:
            break
    reading = Reading(
        started_at_s=0.0,
        duration_s=duration_s,
        num_steps=0,
        num_samples=0,
        energy=energy,
        use="dropped" if fault else "measured",
        reason=fault,
    )
    return reading, bool(others)


def _phase(
    options: argparse.Namespace, meter: Meter, reading: Any, others: bool, started_at: str
) -> PhaseRecord:
    import dataclasses

    from metering.emissions import emitted_kg
    from metering.record import Interval, PhaseRecord

    kwh, samples = reading.energy.total_kwh, options.samples
    reading = dataclasses.replace(
        reading,
        num_samples=samples or 0,
        num_steps=-(-samples // options.batch_size) if samples and options.batch_size else 0,
    )
    is_rate = bool(samples) and kwh is not None and reading.use == "measured"
    pace = Interval(reading.duration_s / samples, None, num_blocks=1) if is_rate else None
    flags = (
        ["the program's start and end are in its rate, which has no interval"] if is_rate else []
    )
    flags += ["other processes computed on the same GPUs"] if others else []
    return PhaseRecord(
        phase=options.phase,
        readings=(reading,),
        sensors=dict(meter.sensors()),
        energy_kwh_per_sample=Interval(kwh / samples, None, num_blocks=1) if is_rate else None,
        duration_s_per_sample=pace,
        stop_reason="end_of_data",
        batch_size=options.batch_size,
        emissions_kg_co2eq=emitted_kg([kwh], meter.emission_factor),
        flags=tuple(flags),
        started_at=started_at,
    )


if __name__ == "__main__":
    sys.exit(main())
