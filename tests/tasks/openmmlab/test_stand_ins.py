"""The installed wheels' gaps, and what fills them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from tasks.openmmlab import stand_ins


def test_each_stand_in_is_still_needed_by_the_installed_wheels() -> None:
    """If this fails with mmcv-lite and mmaction2 installed, remove that stand-in."""
    needed = stand_ins.needed()
    mmaction = Path(str(importlib.util.find_spec("mmaction").origin)).parent  # type: ignore[union-attr]
    imports_drn = "from .drn.drn import DRN" in (
        mmaction / "models" / "localizers" / "__init__.py"
    ).read_text(encoding="utf-8")
    assert imports_drn
    assert needed["mmaction.models.localizers.drn"]
    is_lite = importlib.util.find_spec("mmcv") is not None and not list(
        Path(str(importlib.util.find_spec("mmcv").origin)).parent.glob("_ext.*")  # type: ignore[union-attr]
    )
    assert needed["mmcv._ext"] == is_lite


def test_a_missing_operator_names_itself_and_the_cure() -> None:
    if stand_ins.install() != "pytorch":
        assert not isinstance(sys.modules.get("mmcv._ext"), stand_ins._Extension)
        return
    import torch
    from mmcv.ops import nms

    with pytest.raises(stand_ins.MissingOperator, match=r"'nms'.*make mmcv-ops"):
        nms(torch.rand(3, 4), torch.rand(3), 0.5)


def test_mmcv_itself_still_knows_that_it_has_no_operators() -> None:
    operators = stand_ins.install()
    from mmcv.utils.ext_loader import check_ops_exist

    assert check_ops_exist() == (operators != "pytorch")


def test_deformable_attention_takes_the_pytorch_path_on_every_device() -> None:
    if stand_ins.install() != "compiled":
        from mmcv.ops import multi_scale_deform_attn

        assert multi_scale_deform_attn.IS_CUDA_AVAILABLE is False


@pytest.mark.parametrize(
    ("cuda", "operators", "calls_the_kernel"),
    [("12.6", "compiled", True), ("not available", "without_cuda", False)],
)
def test_an_mmcv_that_was_compiled_without_a_gpu_has_no_kernel_for_one(
    monkeypatch: pytest.MonkeyPatch, cuda: str, operators: str, calls_the_kernel: bool
) -> None:
    """A compiled mmcv as both kinds of build answer; with mmcv-lite there is none to ask."""
    stand_ins.install()
    from mmcv import ops
    from mmcv.ops import multi_scale_deform_attn

    whole = dict.fromkeys(stand_ins.needed(), False)
    monkeypatch.setattr(stand_ins, "needed", lambda: whole)
    monkeypatch.setattr(ops, "get_compiling_cuda_version", lambda: cuda)
    monkeypatch.setattr(multi_scale_deform_attn, "IS_CUDA_AVAILABLE", True)
    assert stand_ins.install() == operators
    assert multi_scale_deform_attn.IS_CUDA_AVAILABLE is calls_the_kernel


def test_the_libraries_models_import() -> None:
    stand_ins.install()
    import mmaction.models
    import mmdet.models
    import mmseg.models

    with pytest.raises(NotImplementedError, match="without DRN"):
        mmaction.models.localizers.DRN()
    assert mmseg.models.EncoderDecoder and mmdet.models.MaskFormer
