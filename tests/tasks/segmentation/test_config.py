"""Configs that MMSegmentation does not have are derived as their papers describe them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import PlanError
from tasks.openmmlab.configs import dicts, load_config
from tasks.plan import Plan
from tasks.segmentation.config import native_config, replaced_data, shrink


def crops(config: Any) -> set[tuple[int, int]]:
    return {tuple(n["crop_size"]) for n in dicts(config._cfg_dict) if "crop_size" in n}  # type: ignore[misc]


def test_segmenter_is_moved_to_cityscapes_as_its_authors_train_it(
    compose: Callable[..., Plan],
) -> None:
    config = native_config(compose("model=segmenter"))
    assert config.train_dataloader.dataset.type == "CityscapesDataset"
    assert crops(config) == {(768, 768)}
    assert config.model.backbone.img_size == (768, 768)
    assert config.model.decode_head.num_classes == 19
    assert config.model.test_cfg.stride == (512, 512)
    assert config.optim_wrapper.optimizer.lr == 0.01
    assert config.param_scheduler[0].end == 80000


def test_beit_is_brought_from_640_to_512(compose: Callable[..., Plan]) -> None:
    config = native_config(compose("model=beit_upernet"))
    assert crops(config) == {(512, 512)}
    assert config.model.backbone.img_size == (512, 512)
    assert config.model.test_cfg.stride == (341, 341)
    resize = config.train_dataloader.dataset.pipeline[2]
    assert resize.scale == (2048, 512)


@pytest.mark.parametrize(
    ("name", "crop"),
    [
        ("pspnet", (512, 1024)),
        ("bisenet", (1024, 1024)),
        ("setr", (768, 768)),
        ("mask2former", (512, 1024)),
        ("mae_upernet", (512, 512)),
    ],
)
def test_an_exact_config_keeps_its_crop(
    compose: Callable[..., Plan], name: str, crop: tuple[int, int]
) -> None:
    config = native_config(compose(f"model={name}"))
    assert tuple(config.model.data_preprocessor["size"]) == crop


def test_nothing_is_downloaded(compose: Callable[..., Plan]) -> None:
    for name in ("pspnet", "bisenet", "segmenter", "setr", "mask2former", "mae_upernet"):
        model = native_config(compose(f"model={name}")).model
        assert not any(node.get("type") == "Pretrained" for node in dicts(model))
        assert not any(isinstance(node.get("pretrained"), str) for node in dicts(model))


def test_another_data_set_brings_its_classes_and_keeps_the_crop(
    compose: Callable[..., Plan],
) -> None:
    config = native_config(compose("model=mask2former", "data=ade20k"))
    assert config.train_dataloader.dataset.type == "ADE20KDataset"
    assert config.model.decode_head.num_classes == 150
    assert len(config.model.decode_head.loss_cls.class_weight) == 151
    assert crops(config) == {(512, 1024)}


def test_a_small_study_divides_every_size_by_eight(compose: Callable[..., Plan]) -> None:
    config = native_config(compose("model=setr"))
    shrink(config)
    assert crops(config) == {(96, 96)}
    assert config.model.test_cfg.stride == (64, 64)
    assert config.test_dataloader.dataset.pipeline[1].scale == (256, 128)
    assert config.model.backbone.patch_size == 16


def test_a_crop_that_is_not_a_pair_is_refused(compose: Callable[..., Plan]) -> None:
    with pytest.raises(PlanError, match=r"model.options.crop=512 is not a list"):
        native_config(compose("model=segmenter", "model.options.crop=512"))


def test_a_data_set_file_must_read_the_chosen_data(compose: Callable[..., Plan]) -> None:
    with pytest.raises(PlanError, match=r"dataset=ade20k\.py does not read data=cityscapes"):
        native_config(compose("model=beit_upernet", "data=cityscapes"))


@pytest.mark.parametrize(
    ("line", "lacks"),
    [
        ("model = 5", "model"),
        ("del_me = train_dataloader.pop('dataset')", "train_dataloader.dataset"),
        ("model.pop('decode_head')", "model.decode_head"),
        ("test_dataloader = None", "test_dataloader"),
    ],
)
def test_a_config_that_is_not_whole_says_what_it_lacks(
    compose: Callable[..., Plan], tmp_path: Path, line: str, lacks: str
) -> None:
    whole = load_config("bisenetv1_r18-d32-in1k-pre_4xb4-160k_cityscapes-1024x1024", "mmseg")
    file = tmp_path / "part.py"
    file.write_text(f"{whole.pretty_text}\n{line}\n", encoding="utf-8")
    with pytest.raises(PlanError, match=rf"not a whole segmentation config \(it lacks {lacks}\)"):
        native_config(compose("model=mmseg", f"model.config={file}"))


def test_a_set_of_the_users_decides_how_many_classes_the_heads_tell_apart(
    compose: Callable[..., Plan], tmp_path: Path
) -> None:
    own = ("data=ade20k", f"data.root={tmp_path}", "data.options.num_classes=5")
    config = native_config(compose("model=mae_upernet", *own))
    assert config.model.decode_head.num_classes == 5
    assert config.model.auxiliary_head.num_classes == 5
    five = (f"data.root={tmp_path}", "data.options.num_classes=5")
    with pytest.raises(PlanError, match=r"num_classes=19 and data\.options\.num_classes=5 are"):
        native_config(compose("model=segmenter", *five))


def test_a_head_of_other_classes_than_the_public_set_asks_whose_masks_these_are(
    compose: Callable[..., Plan], tmp_path: Path
) -> None:
    (tmp_path / "seven.py").write_text(
        '_base_ = ["mmseg::pspnet/pspnet_r50-d8_4xb2-40k_cityscapes-512x1024.py"]\n'
        "model = dict(decode_head=dict(num_classes=7), auxiliary_head=dict(num_classes=7))\n"
    )
    asked = ("model=mmseg", f"model.config={tmp_path / 'seven.py'}", f"data.root={tmp_path}")
    with pytest.raises(PlanError, match=r"has 7 classes in its head.*data\.options\.num_classes=7"):
        native_config(compose(*asked))
    config = native_config(compose(*asked, "data.options.num_classes=7"))
    assert config.model.decode_head.num_classes == 7


def test_a_note_says_that_the_configs_own_set_is_replaced(compose: Callable[..., Plan]) -> None:
    named = "model.config=unet-s5-d16_fcn_4xb4-40k_chase-db1-128x128"
    note = replaced_data(compose("model=mmseg", named))
    assert note is not None
    assert "ChaseDB1Dataset (2 classes)" in note and "data=cityscapes" in note
    assert replaced_data(compose("model=pspnet")) is None
