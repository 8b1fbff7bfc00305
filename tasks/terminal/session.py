"""What a person at the terminal sees of a sweep: errors in one line, a summary, a status."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from tasks.errors import PlanError, unknown

if TYPE_CHECKING:  # what runs is imported when something runs: `--cfg job` answers at once
    from tasks.plan import Plan
    from tasks.running.execute import Outcome

    Runner = Callable[[Plan, Callable[[Any], None]], Outcome]


class Session:
    """One call of `run.py`: runs plans one after the other and remembers what became of them."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.refusals: list[str] = []

    def run(self, config: DictConfig, runner: Runner) -> Outcome | None:
        """Run or preview one config. A `PlanError` refuses this run; the sweep goes on."""
        from tasks.plan import from_config
        from tasks.running.interruption import interruptible
        from tasks.terminal.progress import terminal_progress
        from tasks.terminal.summary import summary_lines

        try:
            plan = from_config(config)
            if plan.dry_run:
                self.preview(plan)
                return None
            with terminal_progress() as shown, interruptible(shown) as say:
                outcome = runner(plan, say)
        except PlanError as error:
            self.refusals.append(str(error))
            _complain(str(error))
            return None
        self.outcomes.append(outcome)
        if os.environ.get("RANK", "0") == "0":  # of torchrun's ranks the first speaks for all
            print("\n".join(summary_lines(outcome)), flush=True)
        return outcome

    def preview(self, plan: Plan) -> None:
        """One line of `dry_run=true`."""
        from tasks.running.execute import finished

        if finished(plan) and not plan.force:
            state = "done, will not run again"
        else:
            state = f"at most {plan.meter.time_budget_s * len(plan.phases) / 60:.0f} min measured"
        print(
            f"{plan.task} model={plan.model.name} data={plan.data.name} "
            f"hardware={plan.hardware.name} batch_size={plan.batch_size} "
            f"{plan.precision} stage={plan.stage} scale={plan.scale} {plan.identity}: {state}"
        )

    def status(self) -> int:
        """Exit status, after listing every run that failed."""
        failed = [done for done in self.outcomes if done.record.status != "finished"]
        total = len(self.outcomes) + len(self.refusals)
        if total > 1:
            reused = sum(done.reused for done in self.outcomes)
            print(
                f"\n{total} runs: {len(self.outcomes) - len(failed)} finished "
                f"({reused} of them earlier), {len(failed)} failed, {len(self.refusals)} refused"
            )
            for done in failed:
                failure = done.record.failure
                reason = failure.message.splitlines()[0] if failure and failure.message else ""
                print(f"  failed: {done.record.model}: {reason} ({done.folder})")
            for refusal in self.refusals:
                print(f"  refused: {refusal}")
        return 2 if self.refusals else 1 if failed else 0


def exit_on_errors(run: Callable[[], Any], session: Session) -> int:
    """Call the Hydra application `run`; answer with the exit status of the whole sweep."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come here instead of ending in a traceback
    try:
        run()
    except PlanError as error:
        _complain(str(error))
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on where it stopped", file=sys.stderr)
        return 130
    except (HydraException, OmegaConfBaseException) as error:
        _complain(_one_line(error))
        return 2
    except OSError as error:
        _complain(f"output_dir cannot be written: {error}; set output_dir=FOLDER to one that can")
        return 2
    return session.status()


def _complain(line: str) -> None:
    print(f"error: {line}", file=sys.stderr, flush=True)


def _one_line(error: Exception) -> str:
    """Hydra's message in one line, with the nearest known names where a name was mistyped."""
    from hydra.errors import MissingConfigException, OverrideParseException

    from tasks.config.model_names import CONF_DIR, timm_names, yaml_names

    missing = getattr(error, "missing_cfg_file", None)
    if isinstance(error, MissingConfigException) and isinstance(missing, str) and "/" in missing:
        group, name = missing.removesuffix(".yaml").rsplit("/", 1)
        known = list(error.options or ())
        if group == "model":
            known = sorted(yaml_names() | timm_names())
        return str(unknown(group, name, known, f"known: {', '.join(known[:40])}"))
    mistyped = re.match(r"Could not override '([^']+)'", str(error))
    if mistyped and "." not in mistyped.group(1):
        keys = OmegaConf.load(CONF_DIR / "config.yaml")
        groups = [str(path.name) for path in CONF_DIR.iterdir() if path.is_dir()]
        return str(unknown("key", mistyped.group(1), [*map(str, keys), *groups], "see --help"))
    if isinstance(error, OverrideParseException):
        return f"{error.override!r} cannot be read as key=value; write key=value or key=a,b"
    lines = [line.strip().rstrip(".") for line in str(error).splitlines() if line.strip()]
    return "; ".join(line for line in lines if not line.startswith(("full_key", "object_type")))
