"""Sets of timm's factory whose files are not what their lists, names or columns say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import datasets
import pytest

from tasks.classification import timm_images
from tasks.classification.unreadable import UnreadableImage
from tasks.errors import PlanError
from tasks.plan import Plan
from tests.tasks.classification.test_timm_sets import (
    NUM,
    hfds,
    planned,
    refusal,
    run,
    torch_folder,
    wds,
)

__all__ = ["planned"]  # a fixture


def test_a_stream_that_is_shorter_than_it_says_has_no_accuracy(
    planned: Callable[..., Plan], tmp_path: Path
) -> None:
    """As a tar file that is cut off between two samples, or a list with another number."""
    asked = wds(tmp_path, shards=1)
    info = json.loads((tmp_path / "_info.json").read_text())
    info["splits"]["validation"]["num_samples"] = 100
    (tmp_path / "_info.json").write_text(json.dumps(info))
    _, test = run(planned(*asked))
    assert test.quality == {}
    assert "it has 100 test samples, and 9 were read" in test.flags[0]


def test_columns_and_classes_that_are_others_are_told(
    planned: Callable[..., Plan], tmp_path: Path
) -> None:
    asked = hfds(tmp_path)
    assert "has no images under the name asked for (image), but the columns picture" in refusal(
        planned(*renamed(tmp_path, "picture"))
    )
    folder = torch_folder(tmp_path / "folder")
    (tmp_path / "folder/val/class1").rename(tmp_path / "folder/val/class9")
    with pytest.raises(PlanError, match=r"other classes .* \(class1 and class2 for one number\)"):
        planned(*folder).asked  # noqa: B018
    assert planned(*asked).asked.data.num_train == 12


def renamed(root: Path, column: str) -> list[str]:
    """The parquet files with their images under another name."""
    for split in NUM:
        (path,) = (root / "mine").glob(f"{split}-*.parquet")
        table = datasets.Dataset.from_parquet(str(path), cache_dir=str(root / "read"))
        (root / "renamed").mkdir(exist_ok=True)
        table.rename_column("image", column).to_parquet(str(root / "renamed" / path.name))
    return [f"data.options.dataset=hfds/{root / 'renamed'}", f"data.root={root}"]


@pytest.mark.parametrize(("label", "is_class"), [(1, True), (2.0, True), (1.5, False), (-1, False)])
def test_a_label_is_a_whole_number(label: float, is_class: bool) -> None:
    if is_class:
        assert timm_images.required_label(label, 3, "sample 0") == label
    else:
        with pytest.raises(
            UnreadableImage, match=f"sample 0 has the label {label}; labels go from"
        ):
            timm_images.required_label(label, 3, "sample 0")
