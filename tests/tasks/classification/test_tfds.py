"""Sets of TensorFlow's library, whose package is not installed here: what its features tell."""

from __future__ import annotations

from collections import UserList
from types import SimpleNamespace
from typing import Any

import pytest

from tasks.classification import timm_sets
from tasks.errors import PlanError


def test_features_of_tensorflows_library_tell_the_classes() -> None:
    """`FeaturesDict` is no `dict`: it has `in` and `[]` alone. The package itself is not needed."""

    class Features(UserList[str]):
        def __getitem__(self, name: object) -> Any:
            return SimpleNamespace(num_classes=3, names=["a", "b", "c"])

    builder = SimpleNamespace(info=SimpleNamespace(features=Features(["image", "label"])))
    images: Any = SimpleNamespace(reader=SimpleNamespace(builder=builder))
    timm_sets._require_classes("tfds/mine", images, 3)
    with pytest.raises(PlanError, match="num_classes=5, but tfds/mine has 3 classes"):
        timm_sets._require_classes("tfds/mine", images, 5)
    assert timm_sets._class_names(images) == ("a", "b", "c")
