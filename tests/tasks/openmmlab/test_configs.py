"""Configs: found by name, freed of downloads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.errors import PlanError
from tasks.openmmlab import configs
from tasks.openmmlab.run_config import set_precision


def test_a_config_is_found_by_its_bare_name_and_by_its_path() -> None:
    name = "pspnet_r101-d8_4xb2-80k_cityscapes-512x1024"
    bare = configs.config_path(name, "mmseg")
    assert bare == configs.config_path(f"pspnet/{name}.py", "mmseg")
    assert bare == configs.config_path(str(bare), "mmseg")


def test_a_mistyped_config_names_the_nearest() -> None:
    with pytest.raises(PlanError, match=r"did you mean .*pspnet_r101-d8_4xb2-80k_cityscapes"):
        configs.load_config("pspnet_r101-d8_4xb2-80k_cityscape-512x1024", "mmseg")


def test_a_mistyped_path_of_a_config_is_said_to_be_no_file(tmp_path: Path) -> None:
    with pytest.raises(
        PlanError, match=r"mine\.py does not exist; correct the path in model\.config"
    ):
        configs.load_config(str(tmp_path / "mine.py"), "mmseg")


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"model = dict(\n", "SyntaxError"),
        (b"scale = 1 / 0\n", "ZeroDivisionError: division by zero"),
        (b"crop = int('x')\n", "ValueError: invalid literal"),
        (b"# \xff\nmodel = 1\n", "UnicodeDecodeError|SyntaxError"),
    ],
)
def test_a_broken_config_file_is_one_line(tmp_path: Path, content: bytes, cause: str) -> None:
    broken = tmp_path / "broken.py"
    broken.write_bytes(content)
    with pytest.raises(PlanError, match=rf"broken\.py is not a readable config: ({cause})"):
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


@pytest.mark.parametrize("precision", ["fp32", "tf32"])
def test_an_amp_config_trains_in_the_precision_that_is_asked_for(precision: str) -> None:
    config = configs.load_config("pspnet_r101-d8_4xb2-amp-80k_cityscapes-512x1024", "mmseg")
    assert config.optim_wrapper.type == "AmpOptimWrapper"
    set_precision(config, precision)
    assert dict(config.optim_wrapper) == {
        "type": "OptimWrapper",
        "optimizer": {"type": "SGD", "lr": 0.01, "momentum": 0.9, "weight_decay": 0.0005},
    }


def test_half_precision_is_amp_in_that_type() -> None:
    config = configs.load_config("pspnet_r101-d8_4xb2-80k_cityscapes-512x1024", "mmseg")
    set_precision(config, "bf16")
    assert config.optim_wrapper.type == "AmpOptimWrapper"
    assert config.optim_wrapper.dtype == "bfloat16"
    assert config.optim_wrapper.clip_grad is None, "the rest is the config's"


def test_an_override_that_does_not_fit_names_itself() -> None:
    config = configs.load_config("pspnet_r101-d8_4xb2-80k_cityscapes-512x1024", "mmseg")
    configs.apply_overrides(config, {"model.decode_head.num_classes": 7})
    assert config.model.decode_head.num_classes == 7
    with pytest.raises(PlanError, match=r"overrides=.*cannot be set"):
        configs.apply_overrides(config, {"model.decode_head.num_classes.more": 7})
