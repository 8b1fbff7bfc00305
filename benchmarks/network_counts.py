"""`python -m benchmarks.network_counts`: writes `analysis/published/counts.csv`.

GMACs, activations (millions of output elements of convolutions and fully connected layers, as
Radosavovic et al. 2020 count them) and parameters of every network of Table 3, counted with timm
on the meta device: nothing is computed. EfficientNets are also counted at 224 pixels.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from analysis.published import facts as published

TARGET = Path(published.__file__).parent / "counts.csv"
COLUMNS = ("model", "network", "image_size_px", "params_m", "gmacs", "activations_m", "source")
PLAIN_SIZE = 224


def counted(network: str, size: int) -> tuple[float, float, float]:
    """Millions of parameters, GMACs and millions of activations of one image of `size` pixels."""
    import timm
    import torch
    import torch._dynamo  # its first import fails inside a device context, where timm triggers it
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        model = timm.create_model(network).eval()
    dense = {torch.ops.aten.convolution, torch.ops.aten.addmm, torch.ops.aten.mm}

    class Activations(TorchDispatchMode):
        num = 0

        def __torch_dispatch__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            output = function(*args, **(kwargs or {}))
            if function.overloadpacket in dense:
                self.num += output.numel()
            return output

    # outside the counter of GMACs, which takes attention apart into matrix products
    with Activations() as activations, FlopCounterMode(display=False) as counter:
        model(torch.empty(1, 3, size, size, device="meta"))
    params = sum(parameter.numel() for parameter in model.parameters())
    return params / 1e6, counter.get_total_flops() / 2e9, activations.num / 1e6


def rows() -> list[tuple[object, ...]]:
    table = published.wide(published.IMAGENET)
    built = published.facts()
    built = built[built["quantity"] == "params_m_built"].set_index("model")["locator"]
    counts: list[tuple[object, ...]] = []
    for model, own_size in zip(table["model"], table["image_size_px"], strict=True):
        sizes = [int(own_size)]
        if model.startswith("EfficientNet") and PLAIN_SIZE not in sizes:
            sizes.append(PLAIN_SIZE)
        for size in sizes:
            numbers = (f"{number:.4g}" for number in counted(built[model], size))
            counts.append((model, built[model], size, *numbers, "timm"))
    return counts


def main() -> None:
    with TARGET.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows())


if __name__ == "__main__":
    main()
