"""mmcv's operators: what is missing, and what stands in for it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from tasks.patches import mmcv, openmmlab


def test_the_stand_in_is_still_needed() -> None:
    """If this fails, MMSegmentation imports without mmcv's operators: remove the patch."""
    distributed = Path(str(importlib.util.find_spec("mmcv").origin)).parent  # type: ignore[union-attr]
    assert mmcv.lacks_operators() == (not list(distributed.glob("_ext.*")))
    asks = (distributed / "utils" / "ext_loader.py").read_text(encoding="utf-8")
    assert "importlib.import_module('mmcv.' + name)" in asks
    assert "load_ext(\n    '_ext'" in (distributed / "ops" / "nms.py").read_text(encoding="utf-8")


def test_a_missing_operator_names_itself_and_the_cure() -> None:
    if openmmlab.install() != "pytorch":
        assert not isinstance(sys.modules.get("mmcv._ext"), mmcv.Extension)
        return
    import torch
    from mmcv.ops import nms

    with pytest.raises(mmcv.MissingOperator, match=r"'nms'.*make mmcv-ops"):
        nms(torch.rand(3, 4), torch.rand(3), 0.5)


def test_mmcv_itself_still_knows_that_it_has_no_operators() -> None:
    operators = mmcv.install()
    from mmcv.utils.ext_loader import check_ops_exist

    assert check_ops_exist() == (operators != "pytorch")


def test_deformable_attention_takes_the_pytorch_path_on_every_device() -> None:
    operators = mmcv.install()
    from mmcv.ops import multi_scale_deform_attn

    asks = Path(multi_scale_deform_attn.__file__).read_text(encoding="utf-8")
    assert "IS_CUDA_AVAILABLE and value.is_cuda" in asks, "the patch no longer fits"
    if operators != "compiled":
        assert multi_scale_deform_attn.IS_CUDA_AVAILABLE is False


@pytest.mark.parametrize(
    ("cuda", "operators", "calls_the_kernel"),
    [("12.6", "compiled", True), ("not available", "without_cuda", False)],
)
def test_an_mmcv_that_was_compiled_without_a_gpu_has_no_kernel_for_one(
    monkeypatch: pytest.MonkeyPatch, cuda: str, operators: str, calls_the_kernel: bool
) -> None:
    """A compiled mmcv as both kinds of build answer; with mmcv-lite there is none to ask."""
    mmcv.install()
    from mmcv import ops
    from mmcv.ops import multi_scale_deform_attn

    monkeypatch.setattr(mmcv, "lacks_operators", lambda: False)
    monkeypatch.setattr(ops, "get_compiling_cuda_version", lambda: cuda)
    monkeypatch.setattr(multi_scale_deform_attn, "IS_CUDA_AVAILABLE", True)
    assert mmcv.install() == operators
    assert multi_scale_deform_attn.IS_CUDA_AVAILABLE is calls_the_kernel
