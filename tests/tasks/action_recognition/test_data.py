"""Video sets: the real layouts are checked, the embedded ones are written in them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.action_recognition.data import check_root, open_set
from tasks.data.embedded_videos import NUM_MOTIONS
from tasks.errors import PlanError
from tasks.plan import DataPlan


def data_plan(name: str, folder: Path) -> DataPlan:
    options: dict[str, Any] = {
        "layout": name,
        "num_classes": 174,
        "size": [64, 48],
        "fps": 12,
        "num_frames": 10,
        "num_files": 4,
        "test_samples": 500,
    }
    return DataPlan(name, cache_dir=str(folder), options=options)


@pytest.fixture
def kinetics(tmp_path: Path) -> DataPlan:
    return data_plan("kinetics400", tmp_path)


def test_embedded_clips_are_read_by_mmaction2s_own_class_and_decord(kinetics: DataPlan) -> None:
    from tasks.patches import openmmlab as patches

    patches.install()
    import decord
    from mmaction.datasets import VideoDataset

    clips = open_set(kinetics)
    read = VideoDataset(
        ann_file=str(clips.root / "kinetics400_train_list_videos.txt"),
        data_prefix={"video": str(clips.root / "videos_train")},
        pipeline=[],
    )
    assert len(read) == clips.num_train == 4
    labels = [read.get_data_info(index)["label"] for index in range(4)]
    assert labels == [0, 1, 2, 3] and max(labels) < NUM_MOTIONS
    video = decord.VideoReader(read.get_data_info(0)["filename"])
    assert len(video) == 10 and video[0].shape == (48, 64, 3)


def test_something_something_keeps_both_splits_in_one_folder(tmp_path: Path) -> None:
    root = open_set(data_plan("sthv2", tmp_path)).root
    assert {path.name for path in root.iterdir()} == {
        "videos",
        "sthv2_train_list_videos.txt",
        "sthv2_val_list_videos.txt",
    }


def test_the_embedded_test_clips_stand_in_for_the_whole_validation_set(kinetics: DataPlan) -> None:
    assert open_set(kinetics).test_repeats * 2 == 500


def test_the_embedded_set_is_written_once(kinetics: DataPlan) -> None:
    root = open_set(kinetics).root
    stamp = root.stat().st_mtime_ns
    assert open_set(kinetics).root == root and root.stat().st_mtime_ns == stamp


@pytest.fixture
def real(kinetics: DataPlan, tmp_path: Path) -> DataPlan:
    """The embedded set, taken for a real one."""
    root = shutil.copytree(open_set(kinetics).root, tmp_path / "real")
    return replace(kinetics, root=str(root))


def test_a_real_set_is_counted(real: DataPlan) -> None:
    counted = open_set(real)
    assert (str(counted.root), counted.num_train, counted.test_repeats) == (real.root, 4, 1)


def test_a_missing_folder_and_a_missing_list_are_named(real: DataPlan) -> None:
    shutil.rmtree(Path(str(real.root)) / "videos_val")
    (Path(str(real.root)) / "kinetics400_val_list_videos.txt").unlink()
    words = "has no folder videos_val and no list kinetics400_val_list_videos.txt; "
    with pytest.raises(PlanError, match=words):
        check_root(real)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("train_00000.mp4", r"line 1 of .* is 'train_00000.mp4'; expected the name"),
        ("train_00000.mp4 174", "labels go from 0 to 173 with data.options.num_classes=174"),
        ("gone.mp4 3", r"lists 1 of 1 videos that are not in .*gone.mp4"),
        ("", "lists no video"),
    ],
)
def test_a_list_that_cannot_be_right_is_refused(real: DataPlan, line: str, words: str) -> None:
    (Path(str(real.root)) / "kinetics400_train_list_videos.txt").write_text(f"{line}\n")
    with pytest.raises(PlanError, match=words):
        open_set(real)
