"""A set of the user's own is told from another of its name, size and classes by some samples."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.data import content_digest
from tasks.plan import Plan

NUM_FILES = 3


def folders(root: Path) -> list[str]:
    """Class folders; the content of no file is looked at before the run."""
    for split in ("train", "val"):
        for name in ("cat", "dog"):
            (root / split / name).mkdir(parents=True)
            for index in range(NUM_FILES):
                (root / split / name / f"{index}.png").write_bytes(f"{split}{name}{index}".encode())
    return ["model=resnet18", "data=folder"]


def clips(root: Path) -> list[str]:
    for split in ("train", "val"):
        (root / f"videos_{split}").mkdir(parents=True)
        names = [f"{index}.mp4" for index in range(NUM_FILES)]
        for name in names:
            (root / f"videos_{split}" / name).write_bytes(f"{split}{name}".encode())
        lines = [f"{name} {label}\n" for label, name in enumerate(names)]
        (root / f"kinetics400_{split}_list_videos.txt").write_text("".join(lines))
    return ["model=tsm", "data=kinetics400"]


def masks(root: Path) -> list[str]:
    for split in ("training", "validation"):
        for kind, suffix in (("images", "jpg"), ("annotations", "png")):
            (root / kind / split).mkdir(parents=True)
            for index in range(NUM_FILES):
                path = root / kind / split / f"{index}.{suffix}"
                path.write_bytes(f"{split}{index}".encode())
    return ["model=segmenter", "data=ade20k"]


@pytest.mark.parametrize(
    ("written", "changed"),
    [
        (folders, "train/dog/1.png"),
        (folders, "val/cat/2.png"),
        (clips, "videos_val/0.mp4"),
        (masks, "images/validation/2.jpg"),
    ],
)
def test_another_set_of_the_same_name_and_size(
    compose: Callable[..., Plan],
    tmp_path: Path,
    written: Callable[[Path], list[str]],
    changed: str,
) -> None:
    place, copy, other = (tmp_path / name / "pets" for name in ("here", "copy", "other"))
    asked = written(place)
    shutil.copytree(place, copy)
    shutil.copytree(place, other)
    (other / changed).write_bytes(b"another picture")
    plans = [compose(*asked, f"data.root={root}") for root in (place, copy, other)]
    assert [plan.asked.data.name for plan in plans] == ["pets"] * 3
    assert plans[0].identity == plans[1].identity != plans[2].identity


def test_the_cost_does_not_grow_with_the_set() -> None:
    assert content_digest.spread(range(5)) == [0, 1, 2, 3, 4]
    chosen = content_digest.spread(range(1_000_000))
    assert (len(chosen), chosen[0], chosen[-1]) == (content_digest.NUM_SAMPLES, 0, 999_999)
    assert content_digest.spread([]) == []


@pytest.mark.parametrize("place", [0, 70_000, 199_999])
def test_parts_of_a_large_file_are_read(tmp_path: Path, place: int) -> None:
    bytes_ = bytearray(200_000)
    (tmp_path / "a").write_bytes(bytes_)
    bytes_[place] = 1
    (tmp_path / "b").write_bytes(bytes_)
    assert content_digest.content(tmp_path / "a") != content_digest.content(tmp_path / "b")


def test_a_file_that_cannot_be_read_is_a_sample_too(tmp_path: Path) -> None:
    assert content_digest.content(tmp_path / "none.mp4") == "unreadable"
