"""Parameters and GMACs of a segmentor at the paper's image size, whatever its heads are."""

from __future__ import annotations

import copy
import inspect
from typing import TYPE_CHECKING, Any

from metering.record import ModelFacts
from tasks.openmmlab.configs import dicts
from tasks.segmentation import config as configs

if TYPE_CHECKING:
    from mmengine.config import Config

# GMACs are the paper's at this size (section 5.2), whatever the crop
SHAPE = (3, 512, 512)
_TRAINING_ONLY = ("auxiliary_head.",)


def model_facts(model: Any, config: Config) -> ModelFacts:
    """Parameters without auxiliary heads of the built `model`, GMACs at 3 x 512 x 512.

    A network that cannot be counted has no GMACs and a note that says why: a run is not lost
    for it.
    """
    from tasks.network_facts import params_m

    counted = None
    notes: tuple[str, ...] = ("parameters without auxiliary heads",)
    try:
        counted = _gmacs(_at_facts_size(model, config))
    except Exception as error:
        cause = (str(error).splitlines() or [""])[0]
        notes += (f"no GMACs: a forward pass failed with {type(error).__name__}: {cause}",)
    return ModelFacts(
        params_m=params_m(model, without=_TRAINING_ONLY),
        gmacs=counted,
        input_shape=SHAPE,
        notes=notes,
    )


def _gmacs(model: Any) -> float:
    from tasks.network_facts import gmacs

    def forward(image: Any) -> Any:
        return _forward(model, image)

    try:
        return gmacs(model, forward, (1, *SHAPE))
    except Exception:  # a pass that looks at values (masked attention) has to compute them
        return gmacs(model, forward, (1, *SHAPE), symbolic=False)


def _forward(model: Any, image: Any) -> Any:
    """A forward pass as a test has it, up to the head's output.

    A list of heads is a cascade (OCRNet, PointRend), which only the segmentor knows to run; the
    heads of MaskFormer and Mask2Former ask for the images' sizes too.
    """
    from mmseg.structures import SegDataSample

    size = tuple(image.shape[2:])
    shapes = ("img_shape", "pad_shape", "ori_shape", "batch_input_shape")
    sample = SegDataSample(metainfo=dict.fromkeys(shapes, size))
    if hasattr(model, "num_stages"):
        return model.encode_decode(image, [sample.metainfo])
    if "batch_data_samples" in inspect.signature(model.decode_head.forward).parameters:
        return model.decode_head(model.extract_feat(image), [sample])
    return model._forward(image)


def train_pass(model: Any, images: Any) -> None:
    """From images (batch, 3, height, width) to the losses, without labels: each head's answer at
    the images' size, and cross-entropy over it. A head that asks for the samples is left out."""
    import torch
    from torch.nn import functional

    features = model.extract_feat(images)
    heads = [model.decode_head, getattr(model, "auxiliary_head", None) or []]
    for head in _flat(heads):
        if "batch_data_samples" in inspect.signature(head.forward).parameters:
            continue
        answer = functional.interpolate(head(features), size=images.shape[2:], mode="bilinear")
        size = (len(answer), *answer.shape[2:])
        functional.cross_entropy(answer, torch.zeros(size, dtype=torch.int64, device=answer.device))


def _flat(heads: Any) -> list[Any]:
    """Auxiliary heads are one or a list of them."""
    groups = [list(head) if hasattr(head, "__iter__") else [head] for head in heads]
    return [head for group in groups for head in group]


def _at_facts_size(model: Any, config: Config) -> Any:
    """`model`, or one like it for 512 x 512 where the config fixes the image size."""
    from mmseg.registry import MODELS

    size = (SHAPE[1], SHAPE[2])
    fixed = [node["img_size"] for node in dicts(config.model) if "img_size" in node]
    if all(size == ((side, side) if isinstance(side, int) else tuple(side)) for side in fixed):
        return model
    resized = copy.deepcopy(config)
    configs.set_crop(resized, size)
    return MODELS.build(resized.model)
