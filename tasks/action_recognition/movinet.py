"""MoViNet-A0-Base for MMAction2, which has no MoViNet.

Kondratyuk, Yuan, Li, Zhang, Tan, Brown & Gong 2021, "MoViNets: Mobile Video Networks for
Efficient Video Recognition" (CVPR): section 3.1 and Table 8 (appendix) give the layers of A0.
Importing this module registers `MoViNetA0` and `MoViNetHead` with MMAction2's `MODELS`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from mmaction.models.heads import BaseHead
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

Triple = tuple[int, int, int]
"""Time, height, width."""


class Layer(NamedTuple):
    """One inverted residual: channels out, channels of the expansion, kernel, spatial stride."""

    out_channels: int
    expanded: int
    kernel: Triple
    stride: int = 1


STEM_CHANNELS = 8
LAYERS = (
    Layer(8, 24, (1, 5, 5), 2),
    Layer(32, 80, (3, 3, 3), 2),
    Layer(32, 80, (3, 3, 3)),
    Layer(32, 80, (3, 3, 3)),
    Layer(56, 184, (5, 3, 3), 2),
    Layer(56, 112, (3, 3, 3)),
    Layer(56, 184, (3, 3, 3)),
    Layer(56, 184, (5, 3, 3)),
    Layer(56, 184, (3, 3, 3)),
    Layer(56, 184, (3, 3, 3)),
    Layer(56, 184, (3, 3, 3)),
    Layer(104, 384, (5, 3, 3), 2),
    Layer(104, 280, (1, 5, 5)),
    Layer(104, 280, (1, 5, 5)),
    Layer(104, 344, (1, 5, 5)),
)
"""Blocks 2 to 6 of A0 (Table 8)."""
FEATURES = 480
HIDDEN = 2048
_SQUEEZE = 4  # squeeze-and-excitation keeps a quarter of the channels, in multiples of eight


class ConvBnAct(nn.Sequential):
    """Convolution over time and space with "same" padding, batch norm, hard-swish (section 3.1).

    (N, C, T, H, W) -> (N, out, T, ceil(H / stride), ceil(W / stride))
    """

    def __init__(
        self,
        channels: int,
        out: int,
        kernel: Triple,
        stride: int = 1,
        groups: int = 1,
        activation: bool = True,
    ) -> None:
        padding = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
        layers: list[nn.Module] = [
            nn.Conv3d(
                channels, out, kernel, (1, stride, stride), padding, groups=groups, bias=False
            ),
            nn.BatchNorm3d(out),
        ]
        if activation:
            layers.append(nn.Hardswish(inplace=True))
        super().__init__(*layers)


class SqueezeExcite(nn.Module):
    """Channel gates from the mean over time and space. (N, C, T, H, W) -> the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = _multiple_of_eight(channels / _SQUEEZE)
        self.reduce = nn.Conv3d(channels, squeezed, 1)
        self.expand = nn.Conv3d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        gates = x.mean((2, 3, 4), keepdim=True)
        gates = nn.functional.hardswish(self.reduce(gates))
        return x * nn.functional.hardsigmoid(self.expand(gates))


def _multiple_of_eight(value: float) -> int:
    """The nearest multiple of eight that is not more than a tenth smaller (MobileNetV2's rule)."""
    rounded = max(8, int(value + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * value else rounded


class SpatialMean(nn.Module):
    """Mean over 3 x 3 neighbours of each frame. (N, C, T, H, W) -> (N, C, T, H / stride, ...)"""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        frames = x.flatten(1, 2)
        means = nn.functional.avg_pool2d(frames, 3, self.stride, 1, count_include_pad=False)
        return means.unflatten(1, x.shape[1:3])


class InvertedResidual(nn.Module):
    """Expand, 3D depthwise convolution, squeeze-and-excitation, project, and a shortcut: the
    input itself, or its mean over 3 x 3 neighbours projected to the output's channels where the
    shapes differ. (N, C, T, H, W) -> (N, out, T, H / stride, W / stride)"""

    def __init__(self, channels: int, layer: Layer) -> None:
        super().__init__()
        width, out = layer.expanded, layer.out_channels
        self.expand = ConvBnAct(channels, width, (1, 1, 1))
        self.depthwise = ConvBnAct(width, width, layer.kernel, layer.stride, groups=width)
        self.gate = SqueezeExcite(width)
        self.project = ConvBnAct(width, out, (1, 1, 1), activation=False)
        self.shortcut: nn.Module = nn.Identity()
        if layer.stride > 1 or channels != out:
            self.shortcut = nn.Sequential(
                SpatialMean(layer.stride),
                ConvBnAct(channels, out, (1, 1, 1), activation=False),
            )

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.project(self.gate(self.depthwise(self.expand(x))))
        return self.shortcut(x) + residual


@MODELS.register_module(force=True)
class MoViNetA0(BaseModule):
    """Clips (N, 3, T, H, W) -> features (N, 480, T, H / 32, W / 32). Time is never strided."""

    def __init__(self, init_cfg: dict[str, str] | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        blocks: list[nn.Module] = [ConvBnAct(3, STEM_CHANNELS, (1, 3, 3), stride=2)]
        channels = STEM_CHANNELS
        for layer in LAYERS:
            blocks.append(InvertedResidual(channels, layer))
            channels = layer.out_channels
        blocks.append(ConvBnAct(channels, FEATURES, (1, 1, 1)))
        self.blocks = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = self.blocks(x)
        return features


@MODELS.register_module(force=True)
class MoViNetHead(BaseHead):
    """Mean over time and space, a dense layer of 2,048, dropout, the classes (Table 8).

    (N, 480, T, H, W) -> scores (N, num_classes)
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int = FEATURES,
        dropout_ratio: float = 0.2,
        loss_cls: dict[str, str] | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(
            num_classes, in_channels, loss_cls or {"type": "mmaction.CrossEntropyLoss"}, **kwargs
        )
        self.hidden = nn.Linear(in_channels, HIDDEN)
        self.dropout = nn.Dropout(dropout_ratio)
        self.classes = nn.Linear(HIDDEN, num_classes)

    def init_weights(self) -> None:
        """Linear layers as PyTorch draws them: training is from scratch."""

    def forward(self, x: Tensor, **_: object) -> Tensor:
        pooled = torch.flatten(x.mean((2, 3, 4)), 1)
        scores: Tensor = self.classes(self.dropout(nn.functional.hardswish(self.hidden(pooled))))
        return scores
