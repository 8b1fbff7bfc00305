"""Masks that would fail on a device are named beforehand, with their cure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.errors import PlanError
from tasks.segmentation import mask_check


def pair(folder: Path, mask: Image.Image) -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 6)).save(folder / "image.png")
    mask.save(folder / "mask.png")
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
        (grey(33), "has the label 33; labels go to 18"),
        (grey(19), "has the label 19"),
        (grey(300, np.uint16), "has the label 300"),
        (grey(20).convert("P"), "has the label 20"),
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


def test_masks_are_looked_at_once_unless_they_change(tmp_path: Path) -> None:
    pairs = [pair(tmp_path, grey(5))]
    for _ in range(2):
        mask_check.check(pairs, 18, tmp_path / "cache", "train", "")
    assert len(list((tmp_path / "cache/checked-masks").iterdir())) == 1
    pair(tmp_path, grey(77))
    with pytest.raises(PlanError, match="label 77"):
        mask_check.check(pairs, 18, tmp_path / "cache", "train", "")
