"""Names of models, found without importing timm."""

from __future__ import annotations

import subprocess
import sys

import pytest
import timm

from tasks.config.model_names import (
    require_timm_name,
    timm_names,
    timm_renamed,
    timm_source,
)
from tasks.errors import PlanError


def test_the_names_read_from_timms_files_are_those_of_its_registry():
    names = timm.list_models()  # other tests register networks of their own
    assert timm_names() == {
        name for name in names if timm.model_entrypoint(name).__module__.startswith("timm.")
    }


def test_every_tag_of_timm_is_known():
    """Some are computed, such as `vit_base_patch32_clip_quickgelu_224.openai`."""
    assert [name for name in timm.list_pretrained() if timm_source(name) != name] == []


def test_an_unknown_name_gets_its_nearest():
    with pytest.raises(PlanError, match="model 'vit_bb' is unknown; did you mean vit_b"):
        require_timm_name("vit_bb")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("resnet50.a9_in1k", r"resnet50\.\w+"),
        ("torchvision.models.resnet50", r"resnet50\?"),
        ("microsoft/ResNet-50", r"resnet50\?"),
    ],
)
def test_a_tag_and_a_name_of_another_library_get_theirs(name: str, nearest: str):
    with pytest.raises(PlanError, match=f"is unknown; did you mean {nearest}"):
        require_timm_name(name)


def test_a_name_that_timm_had_gets_the_one_of_today():
    assert timm_renamed() == timm.models._registry._deprecated_models
    with pytest.raises(PlanError, match=r"write model=tf_efficientnet_b0.ns_jft_in1k"):
        require_timm_name("tf_efficientnet_b0_ns")
    with pytest.raises(PlanError, match=r"write model=vit_base_patch32_224$"):
        require_timm_name("timm/vit_base_patch32_224_sam")  # timm's own list has a tag that is none


def test_composing_imports_neither_torch_nor_pandas():
    code = (
        "import sys, run, launchers; launchers.register(); "
        "from hydra import compose, initialize; "
        "initialize('conf', version_base='1.3'); compose('config', ['model=resnet50d']); "
        "print([name for name in ('torch', 'timm', 'pandas', 'codecarbon') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
