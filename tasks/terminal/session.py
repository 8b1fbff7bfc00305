"""What a person at the terminal sees of a sweep: errors in one line, a summary, a status."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from tasks.errors import PlanError

if TYPE_CHECKING:  # what runs is imported when something runs: `--cfg job` answers at once
    from tasks.plan import Plan
    from tasks.running.execute import Outcome
    from tasks.terminal.progress import Pace

    Runner = Callable[[Plan, Callable[[Any], None]], Outcome | None]


@dataclass(frozen=True)
class RunEnd:
    """What the end of a sweep says of a run; a whole record, of which there may be thousands, is
    not kept."""

    model: str
    is_finished: bool
    reused: bool
    reason: str
    folder: Path

    @classmethod
    def of(cls, outcome: Outcome) -> RunEnd:
        from tasks.terminal.summary import first_line

        record = outcome.record
        is_finished = record.status == "finished"
        reason = first_line(record.failure) if record.failure else ""
        return cls(record.model, is_finished, outcome.reused, reason, outcome.folder)


class Session:
    """One call of `run.py`: runs plans one after the other and remembers what became of them.
    preview: prints what `dry_run=true` says of a config's plans."""

    def __init__(self, preview: Callable[[Sequence[Plan]], None]) -> None:
        self._preview = preview
        self.ended: list[RunEnd] = []
        self.refusals: list[str] = []
        self.num_internal_errors = 0
        self.raised_by_runs: list[Exception] = []  # of the network, the driver, the launcher
        self._pace: Pace | None = None
        self.places: dict[str, Path] = {}  # of the last plan

    def run(self, config: DictConfig, runner: Runner) -> Outcome | list[Plan] | None:
        """Run one config, as often as `repeats` says, and answer with the last outcome; or preview
        it, and answer with its plans. A `PlanError`
        refuses this run, and an internal error ends it; the sweep goes on. Raises what is wrong
        with the config as a whole, what the operating system refuses, and what the run raised."""
        from tasks.config.checked import checked_plan
        from tasks.running import os_errors
        from tasks.terminal import hydra_errors, internal_error

        outcome = None
        try:
            _require_sweep()
            plan = checked_plan(config)
            self.places = os_errors.places_of(plan)
            plans = [plan] if config.get("repetition") else list(plan.repetitions())
            if plan.dry_run:
                self._preview(plans)
                return plans
            for repetition in plans:
                outcome = self._run_one(repetition, runner)
        except PlanError as error:
            self.refusals.append(_with_file(str(error)))
            _complain(self.refusals[-1])
        except Exception as error:
            if _was_interrupted(error):
                raise KeyboardInterrupt from error
            if error not in self.raised_by_runs and _is_of_task(error):
                self.refusals.append(os_errors.explain(error, self.places) or str(error))
                _complain(self.refusals[-1])
                return None
            known = isinstance(error, OSError) or hydra_errors.is_of_config(error)
            if known or error in self.raised_by_runs:
                raise
            self.num_internal_errors += 1
            internal_error.report(error)
        return outcome

    def _run_one(self, plan: Plan, runner: Runner) -> Outcome | None:
        """None where the run was handed to a queue and is not waited for."""
        from tasks.running.interruption import interruptible
        from tasks.terminal.progress import Pace, terminal_progress
        from tasks.terminal.summary import summary_lines

        self._pace = self._pace or Pace()
        self._pace.begin()
        try:
            with terminal_progress(plan, self._pace) as say, interruptible():
                outcome = runner(plan, say)
        except Exception as error:
            self.raised_by_runs.append(error)
            raise
        self._pace.end(outcome is None or outcome.reused)
        if outcome is None:
            return None
        self.ended.append(RunEnd.of(outcome))
        if os.environ.get("RANK", "0") == "0":  # of torchrun's ranks the first speaks for all
            print("\n".join(summary_lines(outcome)), flush=True)
        return outcome

    def status(self) -> int:
        """Exit status, after listing every run that failed."""
        from tasks.terminal import internal_error

        has_internal_errors = self.num_internal_errors > 0
        failed = [run for run in self.ended if not run.is_finished]
        total = len(self.ended) + len(self.refusals) + self.num_internal_errors
        if total > 1:
            reused = sum(run.reused for run in self.ended if run.is_finished)
            print(
                f"\n{total} runs: {len(self.ended) - len(failed)} finished "
                f"({reused} of them earlier), {len(failed)} failed, {len(self.refusals)} refused"
                + f", {self.num_internal_errors} with an internal error"
                * has_internal_errors
            )
            for run in failed:
                print(f"  failed: {run.model}: {run.reason} ({run.folder})")
            for refusal in self.refusals:
                print(f"  refused: {refusal}")
        if has_internal_errors:
            return internal_error.STATUS
        return 2 if self.refusals else 1 if failed else 0


def exit_on_errors(run: Callable[[], Any], session: Session) -> int:
    """Call the Hydra application `run`; answer with the exit status of the whole sweep."""
    from tasks.config import key_table
    from tasks.running.interruption import interruptible
    from tasks.terminal import arguments, streams

    streams.open_closed()
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come here instead of ending in a traceback
    flags = None
    try:
        sys.argv[1:] = arguments.with_kind_of_info(sys.argv[1:])
        flags = arguments.check(sys.argv[1:])
        if flags.help:
            print(key_table.help_text())
            return 0
        sys.argv[1:] = arguments.in_hydras_order(sys.argv[1:], flags)
        with interruptible():  # between two runs too
            _run(run, flags)
    except PlanError as error:
        _complain(str(error))
        return 2
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:
        _complain("whatever read this command's output has gone (a closed pipe)")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # else Python's end complains again
        return 1
    except Exception as error:
        if error in session.raised_by_runs and not isinstance(error, OSError):
            raise  # no fault of the config, nor of this suite for certain
        return _refused_or_internal(error, session, flags)
    return session.status()


def _run(run: Callable[[], Any], flags: Namespace) -> None:
    """`run`; Hydra leaves with 1 where `--package` names nothing. Raises `PlanError`."""
    if not flags.package:
        run()
        return
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            run()
    except SystemExit:
        raise PlanError(
            f"--package {flags.package} is no group of the config; give one, such as --package "
            "meter, or leave it out"
        ) from None


def _interrupted() -> int:
    print("\ninterrupted; the same command goes on where it stopped", file=sys.stderr)
    return 130


def _was_interrupted(error: BaseException) -> bool:
    """Whether it came in the wake of a Ctrl-C: OmegaConf, interrupted, fails while it tidies up."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, KeyboardInterrupt):
        cause = cause.__context__
    return cause is not None


def _refused_or_internal(error: Exception, session: Session, flags: Namespace | None) -> int:
    """The exit status, after what is wrong was said."""
    from tasks.terminal import hydra_errors, internal_error

    if _was_interrupted(error):
        return _interrupted()
    if isinstance(error, OSError) or hydra_errors.is_of_config(error):
        _complain(_explained(error, session, flags))
        return 2
    internal_error.report(error)
    return internal_error.STATUS


def _explained(error: Exception, session: Session, flags: Namespace | None) -> str:
    from hydra.errors import HydraException

    from tasks.running import os_errors
    from tasks.terminal import hydra_errors

    if isinstance(error, OSError) and not isinstance(error, HydraException):
        places = session.places or _sweep_place(error)
        return os_errors.explain(error, places) or str(error)
    return hydra_errors.explained(error, flags)


def _sweep_place(error: OSError) -> dict[str, Path]:
    """The output folder, where Hydra could not make the sweep's own folder in it."""
    name = Path(str(error.filename or ""))
    above = [folder for folder in name.parents if (folder / ".sweeps") in (name, *name.parents)]
    return {"output_dir": above[0]} if above else {"output_dir": name}


def _is_of_task(error: Exception) -> bool:
    """Whether a file could not be read that a plan names, and not a folder of Hydra's be made."""
    import traceback

    if not isinstance(error, OSError):
        return False
    tasks = Path(__file__).resolve().parents[1]
    files = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    known = [
        file for file in files if tasks in file.parents or {"hydra", "launchers"} & {*file.parts}
    ]
    return bool(known) and tasks in known[-1].parents and known[-1] != Path(__file__).resolve()


def _with_file(message: str) -> str:
    """`message` after the file of the user's that it is about, if any."""
    from hydra.core.hydra_config import HydraConfig

    from tasks.config.origin import with_file

    config: Any = HydraConfig.instance().cfg
    return message if config is None else with_file(message, config.hydra)


def _complain(line: str) -> None:
    print(f"error: {' '.join(line.split())}", file=sys.stderr, flush=True)


def _require_sweep() -> None:
    """Raises `PlanError` where an experiment that sweeps is run without `-m`: Hydra would run its
    first values' defaults alone; and where a file names a launcher too late."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from tasks.config.origin import launcher_not_taken

    if not HydraConfig.initialized():
        return
    settings = HydraConfig.get()
    if (refusal := launcher_not_taken(settings)) is not None:
        raise PlanError(refusal)
    if settings.mode != RunMode.MULTIRUN and settings.sweeper.get("params"):
        name = settings.runtime.choices.get("experiment")
        raise PlanError(f"experiment={name} is a sweep: add -m, python run.py -m experiment={name}")
