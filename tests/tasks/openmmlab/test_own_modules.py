"""A config of the user's, by path, with a backbone that a module of theirs registers: the
libraries' real Runners train and test it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from metering.ranks import OneRank
from tasks.action_recognition import session as action_recognition
from tasks.errors import PlanError
from tasks.plan import Plan
from tasks.segmentation import session as segmentation
from tests.tasks.counting_window import CountingWindow

PARTS = """
import torch
from {library}.registry import MODELS

@MODELS.register_module(force=True)
class TinyBackbone(torch.nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.body = torch.nn.Conv2d(3, width, 7, 8, 3)

    def init_weights(self):
        pass

    def forward(self, images):
        return {answer}
"""
SEGMENTATION = """
_base_ = ["mmseg::_base_/datasets/cityscapes.py"]
custom_imports = dict(imports=["my_parts"], allow_failed_imports=False)
crop_size = (64, 64)
default_scope = "mmseg"
model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(type="SegDataPreProcessor", size=crop_size, pad_val=0, seg_pad_val=255),
    backbone=dict(type="TinyBackbone"),
    decode_head=dict(type="FCNHead", in_channels=8, channels=4, num_convs=1, num_classes=19),
    train_cfg=dict(),
    test_cfg=dict(mode="whole"),
)
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.01))
"""
ACTION = """
custom_imports = dict(imports=["my_parts"], allow_failed_imports=False)
default_scope = "mmaction"
model = dict(
    type="Recognizer2D",
    backbone=dict(type="TinyBackbone"),
    cls_head=dict(type="TSNHead", num_classes=400, in_channels=8, average_clips="prob"),
    data_preprocessor=dict(type="ActionDataPreprocessor", format_shape="NCHW"),
)
pipeline = [
    dict(type="DecordInit"), dict(type="SampleFrames", clip_len=1, frame_interval=1, num_clips=2),
    dict(type="DecordDecode"), dict(type="Resize", scale=(32, 32), keep_ratio=False),
    dict(type="FormatShape", input_format="NCHW"), dict(type="PackActionInputs"),
]
train_dataloader = dict(
    batch_size=2, num_workers=0,
    dataset=dict(type="VideoDataset", ann_file="kinetics400", pipeline=pipeline),
)
test_dataloader = dict(
    batch_size=1, num_workers=0, sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(type="VideoDataset", ann_file="kinetics400", pipeline=pipeline, test_mode=True),
)
test_evaluator = dict(type="AccMetric")
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.01))
"""
TINY = (
    "batch_size=2",
    "data.num_workers=0",
    "hardware.accelerator=cpu",
    "data.options.num_files=4",
)


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Callable[[str, str, str], list[str]]]:
    """`written(config, library, answer)`: the config in one folder, its parts in another."""

    def write(config: str, library: str, answer: str) -> list[str]:
        for name, text in (
            ("configs/mine.py", config),
            ("modules/my_parts.py", PARTS.format(library=library, answer=answer)),
        ):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        return [f"model.config={tmp_path / 'configs/mine.py'}", *TINY]

    before = list(sys.path)
    yield write
    sys.path[:] = before
    sys.modules.pop("my_parts", None)


@pytest.mark.trains
def test_mmsegmentation_trains_and_tests_a_backbone_of_the_users(
    compose: Callable[..., Plan], written: Callable[..., list[str]], tmp_path: Path
) -> None:
    asked = ["model=mmseg", *written(SEGMENTATION, "mmseg", "[self.body(images)]")]
    asked += ["scale=small", "data.options.sizes=[[512,256]]"]
    with pytest.raises(
        PlanError, match=r"module my_parts .* is not found .*; give model\.path=FOLDER"
    ):
        compose(*asked)
    plan = compose(*asked, f"model.path={tmp_path / 'modules'}")
    assert list(segmentation.check(plan)) == []
    prepared = segmentation.prepare(plan, OneRank(), lambda _: None)
    assert type(prepared.run.model.backbone).__name__ == "TinyBackbone"
    train, test = CountingWindow(2), CountingWindow(2)
    assert prepared.train(train).quality["train_loss"] > 0
    prepared.test(test)
    prepared.close()
    assert (train.samples, test.samples) == ([2, 2], [1, 1])


@pytest.mark.trains
def test_mmaction2_trains_and_tests_a_backbone_of_the_users(
    compose: Callable[..., Plan], written: Callable[..., list[str]], tmp_path: Path
) -> None:
    asked = ["model=mmaction", *written(ACTION, "mmaction", "self.body(images)")]
    asked += ["data.options.size=[64,48]", "data.options.num_frames=8"]
    plan = compose(*asked, f"model.path={tmp_path / 'modules'}")
    assert list(action_recognition.check(plan)) == []
    prepared = action_recognition.prepare(plan, OneRank(), lambda _: None)
    train, test = CountingWindow(2), CountingWindow(2)
    assert prepared.train(train).quality["train_loss"] > 0
    prepared.test(test)
    prepared.close()
    assert (train.samples, test.samples) == ([2, 2], [1, 1])


def test_a_change_of_the_module_or_of_a_base_is_another_run(
    compose: Callable[..., Plan], written: Callable[..., list[str]], tmp_path: Path
) -> None:
    based = SEGMENTATION.replace('cityscapes.py"', 'cityscapes.py", "base.py"')
    asked = ["model=mmseg", *written(based, "mmseg", "[self.body(images)]")]
    asked.append(f"model.path={tmp_path / 'modules'}")
    base, parts = tmp_path / "configs/base.py", tmp_path / "modules/my_parts.py"
    base.write_text("log_level = 'INFO'\n")
    identities = [compose(*asked).identity]
    base.write_text("log_level = 'WARNING'\n")
    identities.append(compose(*asked).identity)
    parts.write_text(parts.read_text() + "# changed\n")
    identities.append(compose(*asked).identity)
    assert len(set(identities)) == 3


def test_a_config_that_is_moved_is_the_same_run(
    compose: Callable[..., Plan], written: Callable[..., list[str]], tmp_path: Path
) -> None:
    asked = ["model=mmseg", *written(SEGMENTATION, "mmseg", "[self.body(images)]")]
    asked.append(f"model.path={tmp_path / 'modules'}")
    plan = compose(*asked)
    network, before = plan.asked.network, plan.identity
    (tmp_path / "configs").rename(tmp_path / "moved")
    asked[1] = f"model.config={tmp_path / 'moved/mine.py'}"
    assert compose(*asked).identity == before
    assert network == "mine.py"
