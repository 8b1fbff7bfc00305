"""Augmentation policies work with every strength they can draw."""

from __future__ import annotations

import random

import numpy as np
import pytest
from PIL import Image

from tasks.classification.training import TRAININGS
from tasks.patches import timm as patch

POLICIES = sorted({setup.auto_augment for setup in TRAININGS.values() if setup.auto_augment})


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_augments_a_thousand_images(policy):
    from timm.data.transforms_factory import transforms_imagenet_train

    patch.install()
    random.seed(0)
    augment = transforms_imagenet_train(16, auto_augment=policy, use_prefetcher=True)
    image = Image.fromarray(np.arange(20 * 20 * 3, dtype=np.uint8).reshape(20, 20, 3))
    for _ in range(1000):
        assert np.asarray(augment(image)).shape == (3, 16, 16)


def test_keeping_no_bits_is_a_black_image_and_some_bits_are_timms():
    image = Image.new("RGB", (2, 2), (255, 200, 9))
    assert patch.posterize(image, 0).getpixel((0, 0)) == (0, 0, 0)
    assert patch.posterize(image, 1).getpixel((0, 0)) == (128, 128, 0)


def test_the_patch_is_still_needed_and_still_fits():
    """If this fails, timm asks for no 0 bits or Pillow grants them: remove the patch."""
    from timm.data import auto_augment

    image = Image.new("RGB", (2, 2))
    assert auto_augment.LEVEL_TO_ARG["Posterize"](0, None) == (0,)
    with pytest.raises(ValueError, match="bits"):
        auto_augment.posterize(image, 0)
    assert set(patch.OPERATIONS) == {name for name in auto_augment.NAME_TO_OP if "Poster" in name}
