"""Configs: found by name, freed of downloads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.errors import PlanError
from tasks.openmmlab import configs


def test_a_config_is_found_by_its_bare_name_and_by_its_path() -> None:
    name = "pspnet_r101-d8_4xb2-80k_cityscapes-512x1024"
    bare = configs.config_path(name, "mmseg")
    assert bare == configs.config_path(f"pspnet/{name}.py", "mmseg")
    assert bare == configs.config_path(str(bare), "mmseg")


def test_a_mistyped_config_names_the_nearest() -> None:
    with pytest.raises(PlanError, match=r"did you mean .*pspnet_r101-d8_4xb2-80k_cityscapes"):
        configs.load_config("pspnet_r101-d8_4xb2-80k_cityscape-512x1024", "mmseg")


def test_a_broken_config_file_is_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("model = dict(\n", encoding="utf-8")
    with pytest.raises(PlanError, match=r"broken\.py is not a readable config"):
        configs.load_config(str(broken), "mmseg")


def test_nothing_is_left_to_download_and_random_initialisers_stay() -> None:
    config = configs.load_config("mask2former_r50_8xb2-90k_cityscapes-512x1024", "mmseg")
    config.model.backbone.init_cfg = [
        {"type": "Pretrained", "checkpoint": "torchvision://resnet50"},
        {"type": "Kaiming", "layer": "Conv2d"},
    ]
    config.model.pretrained = "open-mmlab://resnet101_v1c"
    config.load_from = "https://example.org/weights.pth"
    configs.without_downloads(config)
    assert config.model.backbone.init_cfg == [{"type": "Kaiming", "layer": "Conv2d"}]
    assert "://" not in config.pretty_text.replace("https://download", "")
    assert config.load_from is None


def test_synchronised_batch_norm_becomes_plain_everywhere() -> None:
    config = configs.load_config("setr_vit-l_pup_8xb1-80k_cityscapes-768x768", "mmseg")
    configs.with_plain_batch_norm(config)
    assert "SyncBN" not in str(config.model)


def test_an_override_that_does_not_fit_names_itself() -> None:
    config = configs.load_config("pspnet_r101-d8_4xb2-80k_cityscapes-512x1024", "mmseg")
    configs.apply_overrides(config, {"model.decode_head.num_classes": 7})
    assert config.model.decode_head.num_classes == 7
    with pytest.raises(PlanError, match=r"overrides=.*cannot be set"):
        configs.apply_overrides(config, {"model.decode_head.num_classes.more": 7})
