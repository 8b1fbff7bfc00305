"""What all tests share: a plan from the real config tree, and a cache for embedded data."""

from __future__ import annotations

import gc
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from omegaconf import DictConfig, open_dict

from tasks.plan import Plan, from_config

ROOT = Path(__file__).resolve().parent.parent
# A SLURM of this machine, or a job of one around these tests, changes no result: tests marked
# `slurm` have a cluster of their own.
for _name in [one for one in os.environ if one.startswith(("SLURM", "SBATCH_", "SQUEUE_"))]:
    del os.environ[_name]
os.environ["SLURM_CONF"] = "/dev/null"
# Workers of pytest, and the programs that tests start, share the cores: PyTorch's threads, which
# wait for one another, would cost more there than they gain.
os.environ["OMP_NUM_THREADS"] = "1"
# Under nohup, or in the background of a script, these are ignored, and programs inherit that.
for _number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(_number) == signal.SIG_IGN:
        _default = signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL
        signal.signal(_number, _default)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`make check` needs not import the libraries that only tests outside of it need."""
    left_out = re.search(r"^not \((.*)\)$", str(config.getoption("markexpr")))
    if left_out is None or collection_path.suffix != ".py":
        return None
    names = left_out[1].split(" or ")
    if "endurance" in collection_path.parts and "trains" in names:
        return True
    text = collection_path.read_text(encoding="utf-8")
    return any(f"\npytestmark = pytest.mark.{name}\n" in text for name in names) or None


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are numbered and not spelled out: archives hold the time at which they were made, and
    two processes that test at once have to call every test alike."""
    return argname if isinstance(val, bytes) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What types `run.py` trains, and endurance takes its time: `make check` leaves both out."""
    for item in items:
        if "run_py" in getattr(item, "fixturenames", ()) or "endurance" in item.path.parts:
            item.add_marker(pytest.mark.trains)
    # Those on a cluster come first: of several processes that share the tests one takes them all,
    # and none steals a part of a file, whose jobs would run twice.
    items.sort(key=lambda item: item.get_closest_marker("slurm") is None)


def pytest_collection_finish() -> None:
    """What is imported by now stays: the garbage collector need not look at it after each test."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def without_slurm(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster that other tests started, or the developer's own, decides about no test but those
    marked `slurm`."""
    if request.node.get_closest_marker("slurm") is None:
        monkeypatch.setenv("SLURM_CONF", os.devnull)


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    """Code that is tested leaves this process's signals alone: the programs of later tests would
    inherit a blocked SIGTERM, and nothing could end them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ()), signal.getsignal(signal.SIGTERM)
    yield
    after = signal.pthread_sigmask(signal.SIG_BLOCK, ()), signal.getsignal(signal.SIGTERM)
    assert after == before, "signals of this process were changed"


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Embedded data of the whole test session: written once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def composed() -> Callable[[Sequence[str]], DictConfig]:
    """`composed(["model=vit_b"])`: what Hydra composes; each choice of groups is composed once."""
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.types import RunMode

    import launchers
    from launchers.sweep_loader import SweepLoader

    launchers.register()
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        loader = SweepLoader(GlobalHydra.instance().config_loader().get_search_path())
        master = loader.load_configuration("config", [], RunMode.RUN)

    def load(overrides: Sequence[str]) -> DictConfig:
        config = loader.load_sweep_config(master, list(overrides))
        with open_dict(config):
            del config["hydra"]
        return config

    return load


@pytest.fixture
def compose(
    cache_dir: Path, tmp_path: Path, composed: Callable[[Sequence[str]], DictConfig]
) -> Callable[..., Plan]:
    """`compose("model=vit_b", ...)`: the plan that `python run.py model=vit_b ...` would make."""
    folders = [f"output_dir={tmp_path / 'runs'}", f"data.cache_dir={cache_dir}"]

    def make(*overrides: str) -> Plan:
        return from_config(composed([*folders, *overrides]))

    return make


@pytest.fixture
def run_py(cache_dir: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`run_py("model=vit_b")`: types `python run.py model=vit_b` in a folder of its own."""

    def run(*args: str, timeout_s: float = 240) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"XDG_CACHE_HOME": str(cache_dir / "xdg")}
        command = [sys.executable, str(ROOT / "run.py"), *args]
        return subprocess.run(
            command,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    return run
