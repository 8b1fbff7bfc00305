"""A sample of a set that cannot be used, named through loader processes."""

from __future__ import annotations

from tasks.patches.timm import BrokenSample


class UnreadableImage(RuntimeError):
    """A file of the set that cannot be decoded, or a label that is no class. One argument, so that
    it survives the way from a loader's worker, where PyTorch puts the worker's traceback before
    it."""


UNUSABLE = (UnreadableImage, BrokenSample)


def in_one_line(error: BaseException) -> str:
    """What an error of `UNUSABLE` says, without a worker's traceback."""
    kind = type(error)
    last = str(error).strip().splitlines()[-1]
    return last.removeprefix(f"{kind.__module__}.{kind.__qualname__}: ")
