"""Segmentation sets: the real layouts are checked, the embedded ones are written in them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.errors import PlanError
from tasks.plan import DataPlan
from tasks.segmentation.data import check_root, left_out, open_set


@pytest.fixture
def cityscapes(tmp_path: Path) -> DataPlan:
    options: dict[str, Any] = {
        "dataset_type": "CityscapesDataset",
        "sizes": [[128, 64]],
        "num_files": 4,
        "test_samples": 500,
    }
    return DataPlan("cityscapes", cache_dir=str(tmp_path), options=options)


@pytest.fixture
def ade20k(tmp_path: Path) -> DataPlan:
    options: dict[str, Any] = {
        "dataset_type": "ADE20KDataset",
        "sizes": [[96, 64], [64, 96]],
        "num_files": 4,
        "test_samples": 2000,
    }
    return DataPlan("ade20k", cache_dir=str(tmp_path), options=options)


def test_embedded_cityscapes_is_read_by_mmsegmentations_own_class(cityscapes: DataPlan) -> None:
    from tasks.patches import openmmlab as patches

    patches.install()
    from mmseg.datasets import CityscapesDataset

    embedded = open_set(cityscapes)
    prefix = {"img_path": "leftImg8bit/train", "seg_map_path": "gtFine/train"}
    read = CityscapesDataset(data_root=str(embedded.root), data_prefix=prefix)
    assert len(read) == embedded.num_train == 4
    entry = read.get_data_info(0)
    image, mask = Image.open(entry["img_path"]), np.asarray(Image.open(entry["seg_map_path"]))
    assert image.size == (128, 64) and image.mode == "RGB"
    assert mask.shape == (64, 128) and set(np.unique(mask)) <= {*range(19), 255}


def test_embedded_ade20k_counts_its_classes_from_one(ade20k: DataPlan) -> None:
    embedded = open_set(ade20k)
    masks = sorted((embedded.root / "annotations/training").glob("*.png"))
    values = {int(value) for mask in masks for value in np.unique(np.asarray(Image.open(mask)))}
    assert len(masks) == 4 and 0 in values and max(values) <= 150
    sizes = {Image.open(path).size for path in (embedded.root / "images/training").glob("*.jpg")}
    assert sizes == {(96, 64), (64, 96)}


def test_the_embedded_test_images_stand_in_for_the_whole_validation_set(
    cityscapes: DataPlan,
) -> None:
    assert open_set(cityscapes).test_repeats * 2 == 500


def test_the_embedded_set_is_written_once(cityscapes: DataPlan) -> None:
    root = open_set(cityscapes).root
    stamp = root.stat().st_mtime_ns
    assert open_set(cityscapes).root == root and root.stat().st_mtime_ns == stamp


def test_a_real_set_is_counted(cityscapes: DataPlan) -> None:
    root = open_set(cityscapes).root
    counted = open_set(replace(cityscapes, root=str(root)))
    assert (counted.root, counted.num_train, counted.test_repeats) == (root, 4, 1)


def test_a_missing_folder_is_named(cityscapes: DataPlan) -> None:
    root = open_set(cityscapes).root
    shutil.rmtree(root / "gtFine" / "val")
    with pytest.raises(PlanError, match="has no folder gtFine/val; data=cityscapes is read from"):
        check_root(replace(cityscapes, root=str(root)))


def test_an_image_without_its_mask_is_named_with_the_cure(cityscapes: DataPlan) -> None:
    root = open_set(cityscapes).root
    next((root / "gtFine/train").rglob("*_000002_*labelTrainIds.png")).unlink()
    with pytest.raises(PlanError, match=r"1 images of .*_000002_.*createTrainIdLabelImgs"):
        open_set(replace(cityscapes, root=str(root)))


def test_linked_city_folders_are_followed_as_mmsegmentation_follows_them(
    cityscapes: DataPlan, tmp_path: Path
) -> None:
    root = shutil.copytree(open_set(cityscapes).root, tmp_path / "linked")
    for split in ("leftImg8bit/train", "leftImg8bit/val", "gtFine/train", "gtFine/val"):
        city = next((root / split).iterdir())
        elsewhere = tmp_path / "disk" / split
        elsewhere.parent.mkdir(parents=True, exist_ok=True)
        city.rename(elsewhere)
        city.symlink_to(elsewhere, target_is_directory=True)
    assert open_set(replace(cityscapes, root=str(root))).num_train == 4


def test_a_folder_without_images_is_named(ade20k: DataPlan) -> None:
    root = open_set(ade20k).root
    for image in (root / "images/training").glob("*.jpg"):
        image.unlink()
    with pytest.raises(PlanError, match=r"images/training holds no \*\.jpg"):
        open_set(replace(ade20k, root=str(root)))


def test_pictures_that_are_not_read_are_counted_by_their_kind(
    ade20k: DataPlan, tmp_path: Path
) -> None:
    images = tmp_path / "images"
    for split in ("training", "validation"):
        (images / split).mkdir(parents=True)
        (images / split / "a.jpg").touch()
    for name in ("a.JPG", "b.png", "c.png", ".hidden.png", "notes.txt"):
        (images / "training" / name).touch()
    [note] = left_out(replace(ade20k, root=str(tmp_path)))
    assert note.startswith("pictures in images/training that are not read, since data=ade20k has ")
    assert "*.jpg alone: " in note and "1 .JPG" in note and "2 .png" in note
    assert list(left_out(ade20k)) == []
