"""How a model was trained, as one of five groups: what the colours of figures 2 and A.5 mean."""

from __future__ import annotations

import re

from analysis.figures.look import BLACK, BLUE, GREEN, ORANGE, VERMILION

CONVOLUTIONAL = "convolutional, ImageNet-1k"
TRANSFORMER = "transformer, ImageNet-1k"
DISTILLED = "distilled (with its teacher)"
LARGER_SET = "pre-trained on a larger set"
SELF_SUPERVISED = "self-supervised pre-training"

COLORS = {
    CONVOLUTIONAL: BLUE,
    TRANSFORMER: ORANGE,
    DISTILLED: GREEN,
    LARGER_SET: VERMILION,
    SELF_SUPERVISED: BLACK,
}

_RULES = (  # the first that matches the paper's name of the row
    (r"\bbeit|mae\b", SELF_SUPERVISED),
    (r"im2[12]k|im22pt|jft|\bclip", LARGER_SET),
    (r"\bdeit|efficientformer", DISTILLED),
    (r"\bvit|swin|davit", TRANSFORMER),
)


def family(model: str) -> str:
    """The group of a row by its printed name; anything unknown counts as convolutional."""
    name = model.lower().replace("_", "-")
    for pattern, group in _RULES:
        if re.search(pattern, name):
            return group
    return CONVOLUTIONAL
