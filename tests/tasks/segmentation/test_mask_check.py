"""Masks that would fail on a device are named beforehand, with their cure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.errors import PlanError
from tasks.plan import DataPlan
from tasks.segmentation import mask_check


def pair(folder: Path, mask: Image.Image) -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 6)).save(folder / "image.png")
    mask.save(folder / "mask.png", format="TIFF" if mask.mode in "FI" else "PNG")
    return folder / "image.png", folder / "mask.png"


def grey(value: int, kind: Any = np.uint8) -> Image.Image:
    labels = np.zeros((6, 8), kind)
    labels[2, 3] = value
    return Image.fromarray(labels)


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (Image.new("RGB", (8, 6)), "has 3 channels"),
        (Image.new("RGBA", (8, 6)), "has 4 channels"),
        (Image.new("LA", (8, 6)), "has 2 channels"),
        (Image.new("L", (8, 7)), "has 8 x 7 pixels, and its image"),
        (Image.new("L", (8, 1)), "is one pixel wide or high"),
        (grey(33), "has the label 33; labels go to 18"),
        (grey(19), "has the label 19"),
        (grey(300, np.uint16), "has the label 300"),
        (grey(20).convert("P"), "has the label 20"),
        (grey(-1, np.int32), "has the label -1"),
        (grey(1, np.float32), "has fractions (mode F)"),
    ],
)
def test_the_mask_and_its_fault_are_named(tmp_path: Path, mask: Image.Image, words: str) -> None:
    with pytest.raises(PlanError) as refusal:
        mask_check.check([pair(tmp_path, mask)], 18, tmp_path / "cache", "train", "write it anew")
    assert words in str(refusal.value)
    assert str(tmp_path / "mask.png") in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "mask", [grey(18), grey(255), grey(18, np.uint16), grey(3).convert("P"), Image.new("1", (8, 6))]
)
def test_sound_masks_pass(tmp_path: Path, mask: Image.Image) -> None:
    mask_check.check([pair(tmp_path, mask)], 18, tmp_path / "cache", "train", "")


def test_a_jpeg_is_no_mask(tmp_path: Path) -> None:
    image, mask = pair(tmp_path, grey(5))
    grey(5).save(mask, format="JPEG")
    with pytest.raises(PlanError, match="is a JPEG, whose compression changes labels"):
        mask_check.check([(image, mask)], 18, tmp_path / "cache", "train", "")


def test_a_mask_that_is_too_large_for_pillow_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, mask = pair(tmp_path, grey(5))
    Image.new("L", (90, 60)).save(mask)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(PlanError, match=r"mask.png cannot be decoded \(Image size \(5400 pixels\)"):
        mask_check.check([(image, mask)], 18, tmp_path / "cache", "train", "")


@pytest.mark.parametrize("index", [0, 1])
def test_a_broken_link_is_named_with_where_it_leads(tmp_path: Path, index: int) -> None:
    files = pair(tmp_path, grey(5))
    files[index].unlink()
    files[index].symlink_to("/nowhere/at.png")
    with pytest.raises(PlanError, match=rf"{files[index].name} cannot be opened \(a link to /nowh"):
        mask_check.check([files], 18, tmp_path / "cache", "train", "")


def test_an_image_counts_as_it_is_turned_when_it_is_read(tmp_path: Path) -> None:
    image, mask = pair(tmp_path, grey(5))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (8, 6)).save(image, exif=exif)
    with pytest.raises(PlanError, match=r"6 x 8, which is turned as its EXIF orientation 6 says"):
        mask_check.check([(image, mask)], 18, tmp_path / "cache", "train", "")
    grey(5).transpose(Image.Transpose.ROTATE_90).save(mask)
    mask_check.check([(image, mask)], 18, tmp_path / "cache", "train", "")


def own_set(root: Path, num_classes: int) -> DataPlan:
    return DataPlan("ade20k", str(root), options={"num_classes": num_classes})


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({0, 255}, "the labels 0, 255, and 0 and 255 are ignored .* write the classes"),
        ({0}, "no two classes"),
        ({0, 1}, "no two classes to tell apart"),
        ({0, 1, 2, 3, 4}, "go from 0 to 4, .* add 1 to each label"),
    ],
)
def test_masks_without_classes_or_counted_from_zero_are_refused(
    labels: set[int], words: str
) -> None:
    with pytest.raises(PlanError, match=words):
        mask_check.require_classes(
            own_set(Path("mine"), 5), frozenset(labels), first=1, num_public=150
        )


def test_masks_that_have_their_classes_pass() -> None:
    for labels in ({0, 1, 5}, {1, 2, 3, 4}, {0, 1, 2}, {3}):
        mask_check.require_classes(
            own_set(Path("mine"), 5), frozenset(labels), first=1, num_public=150
        )
    # a part of the public set may lack its last class
    plan = own_set(Path("ADEChallengeData2016"), 150)
    mask_check.require_classes(plan, frozenset({0, 1, 149}), first=1, num_public=150)
    with pytest.raises(PlanError, match="no two classes"):
        mask_check.require_classes(plan, frozenset({0, 255}), first=0, num_public=19)


def test_masks_are_looked_at_once_unless_they_change(tmp_path: Path) -> None:
    pairs = [pair(tmp_path, grey(5))]
    for _ in range(2):
        assert mask_check.check(pairs, 18, tmp_path / "cache", "train", "") == {0, 5}
    assert len(list((tmp_path / "cache/checked-masks").iterdir())) == 1
    pair(tmp_path, grey(77))
    with pytest.raises(PlanError, match="label 77"):
        mask_check.check(pairs, 18, tmp_path / "cache", "train", "")
