"""Top-1 and top-5 of a whole test set, from what each batch added to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metering.ranks import Ranks
from tasks.classification import timm_images
from tasks.protocol import PhaseOutcome

if TYPE_CHECKING:
    import torch

NUM_COUNTS = 3


def counts(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Number of samples (3,) whose class is the first, and among the first five, of `logits`, and
    of those that were answered with no numbers (nan)."""
    import torch

    best = logits.topk(min(5, logits.shape[1]), dim=1).indices == targets[:, None]
    void = logits.isnan().any(dim=1).sum()
    return torch.stack((best[:, 0].sum(), best.sum(), void)).float()


def stated_length(images: Any) -> int | None:
    """How many samples a stream's list says that it has; they need not be there."""
    number = getattr(images.reader, "num_samples", None) if timm_images.is_stream(images) else None
    return int(number) if number else None


def outcome(ranks: Ranks, summed: torch.Tensor, num_seen: int, stated: int | None) -> PhaseOutcome:
    """summed: of `counts`, over this rank's batches; num_seen: its samples; stated: by a stream.
    Without an accuracy, and with a flag that says why, where it would be a false one."""
    parts = ranks.gather((summed.tolist(), num_seen)) or [(summed.tolist(), num_seen)]
    total = sum(count for _, count in parts)
    top1, top5, void = (sum(part[0][k] for part in parts) for k in range(NUM_COUNTS))
    if void:
        words = f"of {total} test images {void:.0f} were answered with no numbers (nan)"
        return PhaseOutcome(flags=(f"no accuracy: {words}",))
    if stated not in (None, total):
        words = f"the set says that it has {stated} test samples, and {total} were read"
        return PhaseOutcome(flags=(f"no accuracy: {words} (a file is cut off, or its list wrong)",))
    shares = {"top1_pct": 100 * top1 / total, "top5_pct": 100 * top5 / total}
    return PhaseOutcome(shares | {"num_test_samples": float(total)})
