"""A cached set appears whole or not at all, and once, whoever is killed and however many write."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tasks.action_recognition import data as action
from tasks.classification import data as classification
from tasks.data import cache
from tasks.data.cache import written_once
from tasks.errors import PlanError
from tasks.plan import Plan
from tasks.segmentation import data as segmentation


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.suffix != ".lock"}


def test_two_writers_at_once_write_one_set(tmp_path: Path) -> None:
    num_written = 0
    both = threading.Barrier(2, timeout=20)

    def write(draft: Path) -> None:
        nonlocal num_written
        num_written += 1
        (draft / "image").touch()

    def ask() -> None:
        both.wait()
        written_once(tmp_path / "set", write, 0)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert num_written == 1
    assert names(tmp_path / "set") == {"image"}
    assert names(tmp_path) == {"set"}


def test_what_a_killed_writer_left_is_neither_used_nor_kept(tmp_path: Path) -> None:
    def killed(draft: Path) -> None:
        (draft / "half").touch()
        draft.rename(tmp_path / "moved")  # so that nothing tidies up, as after SIGKILL
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        written_once(tmp_path / "set", killed, 0)
    (tmp_path / "moved").rename(tmp_path / ".set.draft")

    written_once(tmp_path / "set", lambda draft: (draft / "image").touch(), 0)
    assert names(tmp_path / "set") == {"image"}
    assert names(tmp_path) == {"set"}


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fails(draft: Path) -> None:
        (draft / "half").touch()
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        written_once(tmp_path / "set", fails, 0)
    assert names(tmp_path) == set()


SETS = (
    ("model=resnet18", "data.options.num_files=8"),
    ("model=pspnet", "data.options.num_files=1"),
    ("model=beit_upernet", "data.options.num_files=8"),
    ("model=tsm", "data=sthv2", "data.options.num_files=2"),
)


def opened(plan: Plan) -> None:
    if plan.task == "classification":
        classification.open_sets(plan.data, 0)
    else:
        {"segmentation": segmentation, "action_recognition": action}[plan.task].open_set(plan.data)


@pytest.mark.parametrize("asked", SETS)
def test_what_a_set_takes_is_known_about_and_it_is_refused_where_there_is_no_room(
    compose: Callable[..., Plan],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    asked: tuple[str, ...],
) -> None:
    plan = compose(*asked, f"data.cache_dir={tmp_path}")
    with monkeypatch.context() as full:
        full.setattr(cache.shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
        with pytest.raises(PlanError, match=r"has 0 GB left, and the set needs about") as refusal:
            opened(plan)
    said_gb = float(str(refusal.value).split("needs about ")[1].split(" GB")[0])
    opened(plan)
    taken = sum(path.stat().st_blocks * 512 for path in tmp_path.rglob("*.*"))
    assert 0.9 < said_gb * 1e9 / taken < 2
