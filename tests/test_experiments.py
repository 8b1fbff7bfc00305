"""Every study of the paper is an experiment that composes, at full and at small scale."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from tasks.config.model_names import CONF_DIR
from tasks.errors import PlanError
from tasks.plan import Plan, from_config

pytestmark = pytest.mark.slow

EXPERIMENTS = sorted(path.stem for path in (CONF_DIR / "experiment").glob("*.yaml"))
LONG = {("table3", "full"), ("savings", "full")}  # dozens of runs, each composed
NUM_RUNS = {"table3": 67, "epochs": 6, "data_share": 30, "batch_size": 20, "validate": 6}


@pytest.fixture
def runs_of(
    composed: Callable[[Sequence[str]], DictConfig], tmp_path: Path
) -> Callable[[str, str], Iterator[Plan]]:
    """The plan of each run that `python run.py -m experiment=NAME scale=SCALE` would make."""

    def plans(name: str, scale: str) -> Iterator[Plan]:
        given = [f"experiment={name}", f"scale={scale}", f"output_dir={tmp_path}"]
        with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
            config = hydra_compose("config", given, return_hydra_config=True)
        params = OmegaConf.to_container(config.hydra.sweeper.params, resolve=True)
        choices = [
            [f"{key}={choice.strip()}" for choice in str(values).split(",")]
            for key, values in params.items()
        ]
        for overrides in itertools.product(*choices):
            yield from_config(composed([*given, *overrides]))

    return plans


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        pytest.param(name, scale, marks=[pytest.mark.slow] * ((name, scale) in LONG))
        for name, scale in itertools.product(EXPERIMENTS, ["full", "small"])
    ],
)
def test_every_run_of_an_experiment_is_a_plan_marked_with_its_scale(name, scale, runs_of):
    plans = list(runs_of(name, scale))
    assert {plan.scale for plan in plans} == {scale}
    if scale == "full":
        assert len(plans) == NUM_RUNS.get(name, len(plans))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_small_study_measures_a_quarter_of_an_hour_at_most(name, runs_of):
    plans = {plan.identity: plan for plan in runs_of(name, "small")}.values()
    adaptive = [plan for plan in plans if plan.meter.mode == "adaptive"]
    assert sum(len(plan.phases) * plan.meter.time_budget_s for plan in adaptive) <= 10 * 60
    steps = [plan for plan in plans if plan.meter.mode == "fixed"]
    assert sum((plan.meter.num_steps or 0) * plan.batch_size for plan in steps) <= 15_000


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiments_head_says_what_it_is_and_how_to_run_it(name):
    head = (CONF_DIR / "experiment" / f"{name}.yaml").read_text().split("defaults:")[0]
    assert any(word in head for word in ("Table", "Figure", "Appendix"))
    assert f"python run.py -m experiment={name} scale=small" in head
    assert "about" in head
    assert "paper" in head or name == "validate"


def test_epochs_are_metered_whole(runs_of):
    plan = next(runs_of("epochs", "full"))
    assert plan.data.fraction == 0.01
    assert plan.meter.num_steps == 8008
    assert plan.meter.num_warmup_steps == 0


def test_savings_change_one_factor_at_a_time(runs_of):
    plans = list(runs_of("savings", "small"))
    first, *others = [plan for plan in plans if plan.model.name == "resnet18"]
    changed = [
        {name for name, value in values_of(plan).items() if value != values_of(first)[name]}
        for plan in others
    ]
    assert changed == [
        {"channels_last"},
        {"batch_size"},
        {"batch_size"},
        {"num_workers"},
        {"num_threads"},
    ]
    assert {plan.batch_size for plan in plans} == {4, 8, 16}


def test_compiling_is_measured_beside_its_reference_in_one_shuffled_sweep(run_py, tmp_path):
    done = run_py("-m", "experiment=compile", "scale=small", "dry_run=true")
    assert done.returncode == 0, done.stderr
    *lines, total, _ = done.stdout.splitlines()
    shipped = {"780fda903ccdf244", "153870ed21571a3d", "7e89873fd89e0343", "f7548a678e2c822e"}
    names = [line.split(": ")[0].split()[-1] for line in lines]
    assert Counter(name.split("-")[0] for name in names) == dict.fromkeys(shipped, 3)
    assert [name[:4] for name in names] != sorted(name[:4] for name in names)
    assert total.startswith("12 runs, ")
    assert not (tmp_path / "runs" / "compile" / "classification").exists()


def test_compiling_is_the_only_change(runs_of):
    plans = list(runs_of("compile", "full"))
    for reference, compiled in zip(plans[::2], plans[1::2], strict=True):
        assert reference.model == compiled.model
        assert values_of(compiled) == values_of(reference) | {"compile": True}
        assert not reference.compile


def test_savings_change_the_power_limit_only_where_that_is_allowed(compose):
    import launchers

    launchers.register()
    allowed = "hardware.allow_power_limit=true"
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        sweeps = [
            hydra_compose("config", ["experiment=savings", *more], return_hydra_config=True)
            for more in ([], [allowed])
        ]
    plain, limited = (str(sweep.hydra.sweeper.params.switch).split(",") for sweep in sweeps)
    added = limited[len(plain) :]
    assert limited[: len(plain)] == plain
    plans = [compose(f"switch={name}", "hardware=a100", allowed) for name in added]
    assert [plan.hardware.power_limit_w for plan in plans] == [240.0, 320.0]
    with pytest.raises(PlanError, match=r"add hardware\.allow_power_limit=true"):
        compose(f"switch={added[0]}", "hardware=a100")


def test_a_power_limit_of_a_profile_without_a_board_is_refused_in_one_line(compose):
    with pytest.raises(PlanError) as refused:
        compose("switch=power_limit_60", "hardware.allow_power_limit=true")
    assert "the profile has no hardware.board_power_w" in str(refused.value)
    assert "raised while" not in str(refused.value)


def values_of(plan: Plan) -> dict[str, object]:
    return {
        "batch_size": plan.batch_size,
        "precision": plan.precision,
        "channels_last": plan.channels_last,
        "compile": plan.compile,
        "num_workers": plan.data.num_workers,
        "num_threads": plan.hardware.num_threads,
    }
