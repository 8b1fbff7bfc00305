"""Label masks of a real set, looked at before anything is built: on a GPU a class that the network
does not have is an assertion of the device, which ends the process and names nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tasks.errors import PlanError

IGNORED = 255
_ONE_CHANNEL = ("L", "P", "1", "I", "I;16", "I;16B", "I;16L")
_MAX_THREADS = 8


def check(
    pairs: Sequence[tuple[Path, Path]], largest: int, cache_dir: Path, split: str, cure: str
) -> None:
    """pairs: image and mask; largest: label that a mask may have beside 255. Pairs that
    passed are remembered in `cache_dir`, so that a sweep checks once. Raises `PlanError` for the
    first mask that cannot be used, with its cure."""
    stamp = cache_dir / "checked-masks" / _digest(pairs, largest)
    if stamp.exists():
        return
    with ThreadPoolExecutor(min(_MAX_THREADS, len(os.sched_getaffinity(0)))) as pool:
        for fault in pool.map(partial(_fault, largest=largest, cure=cure), pairs):
            if fault is not None:
                pool.shutdown(wait=False, cancel_futures=True)
                raise PlanError(f"data.root ({split}): {fault}")
    try:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.touch()
    except OSError:
        return  # looked at again next time


def _digest(pairs: Sequence[tuple[Path, Path]], largest: int) -> str:
    content = hashlib.sha256(str(largest).encode())
    for path in (path for pair in pairs for path in pair):
        status = path.stat()
        content.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode(errors="replace"))
    return content.hexdigest()[:24]


def _fault(pair: tuple[Path, Path], largest: int, cure: str) -> str | None:
    import numpy as np
    from PIL import Image

    image_path, mask_path = pair
    try:
        with Image.open(image_path) as image:
            size = image.size
    except (OSError, SyntaxError, ValueError) as error:
        return f"image {image_path} cannot be decoded ({_why(error)}); fetch it again or delete it"
    try:
        with Image.open(mask_path) as mask:
            if mask.mode not in _ONE_CHANNEL:
                return (
                    f"mask {mask_path} has {len(mask.getbands())} channels ({mask.mode}); a mask "
                    f"has one, with the number of a class in each pixel: {cure}"
                )
            if mask.size != size:
                return (
                    f"mask {mask_path} has {mask.width} x {mask.height} pixels, and its image "
                    f"{image_path} {size[0]} x {size[1]}; write the mask at the image's size"
                )
            labels = np.asarray(mask)
    except (OSError, SyntaxError, ValueError) as error:
        return (
            f"mask {mask_path} cannot be decoded ({_why(error)}); fetch it again or write it anew"
        )
    beyond = labels[(labels > largest) & (labels != IGNORED)]
    if len(beyond):
        return (
            f"mask {mask_path} has the label {int(beyond.max())}; labels go to {largest}, and "
            f"{IGNORED} is ignored: {cure}"
        )
    return None


def _why(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0] or type(error).__name__
