"""One run of several processes, each with a tracker and a file of its own, as one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from analysis.records.codecarbon.quantities import Logged
from analysis.records.codecarbon.tasks import RunLog, with_energies_of

_NUMBER = re.compile(r"(?P<word>[A-Za-z]*)(?P<mark>[_.-]?)(?P<number>\d{1,4})$")
_RANK_WORDS = frozenset(
    [
        "rank",
        "localrank",
        "globalrank",
        "gpu",
        "cuda",
        "device",
        "node",
        "host",
        "proc",
        "process",
        "worker",
        "local",
        "shard",
    ]
)
_COUNT_WORDS = frozenset(["gpu", "cuda", "device", "proc", "process", "worker"])
COUNTED = "the number in its name is taken as how many devices it ran on, and not as a rank"
_FILE_WORDS = frozenset(
    ["emissions", "emission", "codecarbon", "carbon", "energy", "log", "logs", "tracker"]
)
"""Before a mark and a number, in a file's name: `emissions_3.csv`. Any other word counts something
else: `emissions_seed_3.csv`, `emissions_resnet50.csv`."""
SHARED_FROM = 0.5
"""Ranks run at the same time: their windows share at least this much of the shorter."""

SAME_LENGTH = 0.8
"""Ranks of one run end together: none is shorter than this share of the longest."""


@dataclass(frozen=True)
class Processes:
    """What one run of several processes left: one of `runs` a file. missing: ranks whose files or
    times are not there."""

    runs: tuple[RunLog, ...]
    missing: tuple[int, ...] = ()


def rank_of(path: str) -> int | None:
    """The rank that a file's name, or its folder's, ends with: `emissions_3.csv`,
    `rank_3/emissions.csv`; None where neither does. A folder's bare number is that of a job."""
    file = Path(path)
    of_file = _number_after(file.stem, in_file=True)
    return of_file if of_file is not None else _number_after(file.parent.name, in_file=False)


def home_of(path: Path) -> Path:
    """The folder of the run that `path` is of: above its rank's folder where it has one."""
    folder = path.parent
    return folder if _number_after(folder.name, in_file=False) is None else folder.parent


def _number_after(name: str, in_file: bool) -> int | None:
    match = _NUMBER.search(name)
    if match is None:
        return None
    word = match["word"].lower()
    if word in _RANK_WORDS or (in_file and match["mark"] and word in _FILE_WORDS):
        return int(match["number"])
    return None


def by_process(runs: Sequence[RunLog]) -> list[Processes] | None:
    """Runs of files that are named after ranks, those of one time together; None where the files
    are not named so. A file without a number beside them is rank 0's."""
    paths = sorted({run.path for run in runs})
    ranks = {path: rank_of(path) for path in paths}
    numbered = [rank for rank in ranks.values() if rank is not None]
    plain = [path for path in paths if ranks[path] is None]
    if not numbered or len(set(numbered)) < len(numbered) or len(plain) > 1:
        return None
    if plain and 0 in numbered:
        return None
    of_path = {path: 0 if rank is None else rank for path, rank in ranks.items()}
    if set(of_path.values()) == {0}:
        return None  # one process
    groups: list[list[RunLog]] = []
    for run in sorted(runs, key=lambda run: run.any.start_s or 0.0):
        for group in groups:
            if all(_may_be_one(run, other) for other in group):
                group.append(run)
                break
        else:
            groups.append([run])
    wanted = set(range(max(of_path.values()) + 1))
    made = []
    for group in groups:
        missing = wanted - {of_path[run.path] for run in group}
        made.append(Processes(tuple(group), tuple(sorted(missing))))
    return made


def is_of_job(path: str, config: Path | None) -> bool:
    """Whether a folder such as `gpu8` is of a job on so many devices: it holds its own config."""
    folder = Path(path).parent
    if config is None or config.parent.parent != folder:
        return False
    match = _NUMBER.search(folder.name)
    if match is None or match["word"].lower() not in _COUNT_WORDS or int(match["number"]) == 0:
        return False
    return _number_after(Path(path).stem, in_file=True) is None


def at_once(runs: Sequence[RunLog]) -> set[str]:
    """Ids of the runs that one file has of one project and time, and of one length or one within
    the other: the ranks of a run append to one file where all of them have a tracker, and so do a
    tracker of the whole and one of a part. Runs on other hardware are jobs of their own."""
    groups: dict[tuple[str | None, ...], list[RunLog]] = {}
    for run in runs:
        if (logged := run.any).start_s is not None:
            key = (run.path, logged.project_name, logged.cpu_model, logged.gpu_name)
            groups.setdefault(key, []).append(run)
    ids: set[str] = set()
    for group in groups.values():
        group.sort(key=lambda run: run.any.start_s or 0.0)
        longest = group[0]
        for run, before in zip(group[1:], group, strict=False):
            for other in {before.any.run_id: before, longest.any.run_id: longest}.values():
                if _overlap(run.any, other.any) and _may_hold(other.any, run.any):
                    ids |= {run.any.run_id, other.any.run_id}
            if (run.any.end_s or 0.0) > (longest.any.end_s or 0.0):
                longest = run
    return ids


def _may_hold(logged: Logged, later: Logged) -> bool:
    """Two trackers never last equally long to the last digit: such lines were made from another."""
    shorter_s, longer_s = sorted((logged.duration_s, later.duration_s))
    starts_later_s = (later.start_s or 0.0) - (logged.start_s or 0.0)
    ends_earlier_s = (logged.end_s or 0.0) - (later.end_s or 0.0)
    is_within = min(starts_later_s, ends_earlier_s) > 1
    return is_within or SAME_LENGTH * longer_s <= shorter_s < longer_s


def count_devices(runs: Sequence[RunLog]) -> bool:
    """Whether the numbers in the files' names are how many devices each run computed on (`gpu1`,
    `gpu8`), and not which of them: each is the number of GPUs of its log, or they leave numbers out
    that ranks would have, and some log lists more than its one GPU."""
    of_path = {run.path: rank_of(run.path) for run in runs}
    numbers = [number for number in of_path.values() if number is not None]
    if len(numbers) < len(of_path) or len(set(numbers)) < 2 or 0 in numbers:
        return False
    if not all(map(_may_count, of_path)):
        return False
    if all(run.any.num_gpus == of_path[run.path] for run in runs):
        return True
    has_gaps = max(numbers) - min(numbers) >= len(set(numbers))
    return has_gaps and any(run.any.num_gpus != 1 for run in runs)


def _may_count(path: str) -> bool:
    """Whether the word before the number may stand for so many: `gpu8`, and not `rank_3`."""
    names = (Path(path).stem, Path(path).parent.name)
    match = next(filter(None, map(_NUMBER.search, names)), None)
    return match is not None and match["word"].lower() in _COUNT_WORDS


def added(
    paths: Sequence[str],
    parts: Sequence[Logged],
    missing: tuple[int, ...] = (),
    num_processes: int | None = None,
) -> Logged:
    """Energies of all ranks, of the longest one's time, with what to know. The total has no rate
    where a rank is missing, or where each file may hold the whole machine. num_processes: as the
    config says, `None` where it does not."""
    num_ranks = len(parts)
    flags = [f"{num_ranks} rank files are added"] if num_ranks > 1 else []
    has_rate = all(part.has_rate for part in parts)
    if missing == (0,) and num_ranks == num_processes:
        missing = ()  # counted from 1
    if missing:
        flags.append(_missing_text(missing, num_ranks == 1))
        has_rate = False
    elif num_processes is not None and num_ranks < num_processes and not _of_nodes(paths):
        flags.append(
            f"the config has {num_processes} processes, and {num_ranks} have a file: "
            "no rate is made"
        )
        has_rate = False
    longest = max(parts, key=lambda part: part.duration_s)
    shortest_s = min(part.duration_s for part in parts)
    if shortest_s < SAME_LENGTH * longest.duration_s:
        flags.append(
            f"its ranks ran {shortest_s:.4g} to {longest.duration_s:.4g} s, so one may have ended "
            "early: no rate is made"
        )
        has_rate = False
    total = replace(with_energies_of(parts, longest), num_gpus=sum(part.num_gpus for part in parts))
    if not _of_nodes(paths):
        largest, machine_flag = _of_one_machine(parts, longest)
        if largest is not None:
            total, has_rate, flags[0] = largest, False, machine_flag
        elif machine_flag:
            flags.append(machine_flag)
    known = dict.fromkeys(flag for part in parts for flag in part.flags)
    machines = num_ranks if num_ranks == 1 or _of_nodes(paths) else None
    return replace(total, num_machines=machines, has_rate=has_rate, flags=(*known, *flags))


def _of_one_machine(parts: Sequence[Logged], longest: Logged) -> tuple[Logged | None, str]:
    """What stands for all ranks where each file may hold all GPUs of the machine (CodeCarbon reads
    whole GPUs in process mode too), and what to know of files in machine mode ("" where there is
    nothing)."""
    if len(parts) < 2:
        return None, ""
    machine = [part for part in parts if part.scope == "machine"]
    listed = max(part.num_gpus for part in parts)
    if listed > 1:
        largest = max(parts, key=lambda part: part.energy_kwh)
        mode = "machine" if machine else "process"
        return replace(with_energies_of([largest], longest), num_gpus=listed), (
            f"each of {len(parts)} rank files lists up to {listed} GPUs in {mode} mode, so each "
            "may hold the whole machine: the largest is shown, and no rate is made"
        )
    if len(machine) > 1 and any(part.cpu_kwh or part.ram_kwh for part in machine):
        return None, (
            "in machine mode each file holds its whole machine's CPU and RAM: on one machine they "
            f"are counted {len(parts)} times"
        )
    return None, ""


def _missing_text(missing: tuple[int, ...], is_alone: bool) -> str:
    named = f"{missing[0]}" if len(missing) == 1 else f"{missing[0]} to {missing[-1]}"
    if len(missing) != missing[-1] - missing[0] + 1:
        named = ", ".join(map(str, missing))
    if missing == (0,) and not is_alone:
        return "rank 0 is missing, unless ranks are counted from 1: no rate is made"
    return (
        f"rank {named} is missing, or did not run at the same time: no rate is made; `python -m "
        "analysis import FOLDER --run-id ID` takes a run for a whole one"
    )


def _of_nodes(paths: Sequence[str]) -> bool:
    """Whether each file is a node's, by its name: then each holds a machine of its own."""
    return all(re.search(r"(node|host)[_.-]?\d+(\.\w+$|/[^/]*$)", path.lower()) for path in paths)


def _may_be_one(run: RunLog, other: RunLog) -> bool:
    """Whether two runs may be ranks of one: of two files, one project and one time."""
    names = {re.sub(r"\d+", "", log.any.project_name) for log in (run, other)}
    return run.path != other.path and len(names) == 1 and _overlap(run.any, other.any)


def _overlap(logged: Logged, other: Logged) -> bool:
    if None in (logged.start_s, logged.end_s, other.start_s, other.end_s):
        return True  # without time stamps the numbers alone say it
    start = max(logged.start_s or 0.0, other.start_s or 0.0)
    end = min(logged.end_s or 0.0, other.end_s or 0.0)
    return end - start >= SHARED_FROM * min(logged.duration_s, other.duration_s)
