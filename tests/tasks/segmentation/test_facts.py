"""Segmentation: networks of every kind are counted, and one that cannot be says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from mmengine.registry import DefaultScope

from metering.record import ModelFacts
from tasks.patches import openmmlab as patches
from tasks.plan import Plan
from tasks.segmentation.config import native_config
from tasks.segmentation.facts import model_facts

patches.install()

from mmseg.models import EncoderDecoder  # noqa: E402
from mmseg.registry import MODELS  # noqa: E402
from mmseg.utils import register_all_modules  # noqa: E402


def _facts(plan: Plan) -> ModelFacts:
    register_all_modules(init_default_scope=False)
    config = native_config(plan)
    with DefaultScope.overwrite_default_scope("mmseg"):
        return model_facts(MODELS.build(config.model), config)


@pytest.mark.parametrize(
    ("config", "gmacs"),
    [
        ("ocrnet_hr18s_4xb2-40k_cityscapes-512x1024", 44.4),
        ("pointrend_r50_4xb2-80k_cityscapes-512x1024", 48.8),  # MMEngine's counter: 49.1, all ops
        ("maskformer_r50-d32_8xb2-160k_ade20k-512x512", 50.7),  # Cheng 2021, Table 1: 53, all ops
    ],
)
def test_cascades_and_mask_classification_are_counted(
    compose: Callable[..., Plan], config: str, gmacs: float
) -> None:
    facts = _facts(compose("model=mmseg", f"model.config={config}"))
    assert facts.gmacs == pytest.approx(gmacs, rel=0.01)


def test_a_network_that_cannot_be_counted_has_no_gmacs_and_says_why(
    compose: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(*_: Any) -> Any:
        raise ValueError("a head of its own")

    monkeypatch.setattr(EncoderDecoder, "_forward", cannot)
    facts = _facts(compose("model=bisenet"))
    assert facts.gmacs is None and facts.params_m == pytest.approx(13.28, rel=0.01)
    assert "no GMACs: a forward pass failed with ValueError: a head of its own" in facts.notes
