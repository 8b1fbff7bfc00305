"""Facts about tasks and data sets: found by every name that means a set, and by no other."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from metering import catalogue

CONF = Path(__file__).parents[2] / "conf"


@pytest.mark.parametrize(
    ("name", "display_name"),
    [
        ("imagenet", "ImageNet-1k"),
        ("ImageNet-1k", "ImageNet-1k"),
        ("imagenet1k", "ImageNet-1k"),
        ("ssv2", "SSv2"),
        ("Something-Something V2", "SSv2"),
        ("k400", "K400"),
        ("imagenet22k", "ImageNet-22k"),
    ],
)
def test_a_set_is_found_by_each_of_its_names(name: str, display_name: str) -> None:
    assert catalogue.display_name(name) == display_name


@pytest.mark.parametrize("name", ["my_imagenet", "imagenet_two_classes", "cityscapes2"])
def test_a_name_that_only_resembles_a_set_is_another_set(name: str) -> None:
    assert catalogue.data_set(name) is None
    assert catalogue.display_name(name) == name


def test_every_task_has_a_package_a_yaml_and_a_set_of_its_table() -> None:
    for task in catalogue.TASKS:
        assert (CONF / "task" / f"{task.name}.yaml").is_file()
        assert (CONF.parent / "tasks" / task.name / "session.py").is_file()
        assert catalogue.table_sets(task.name)


def test_every_set_of_conf_has_an_entry_of_the_same_classes() -> None:
    for path in (CONF / "data").glob("*.yaml"):
        if path.stem in {"folder", "timm"}:
            continue  # what is in them is the user's
        known = catalogue.data_set(path.stem)
        assert known is not None, path.name
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert known.task in values["tasks"]
        if known.num_classes is not None and "num_classes" in values["options"]:
            assert known.num_classes == values["options"]["num_classes"]


def test_names_are_unique() -> None:
    names = [
        "".join(filter(str.isalnum, name.lower()))
        for known in catalogue.DATA_SETS
        for name in {known.name, *known.aliases}
    ]
    assert len(names) == len(set(names))
