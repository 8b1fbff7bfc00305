"""Label masks of a real set, looked at before anything is built: on a GPU a class that the network
does not have is an assertion of the device, which ends the process and names nothing."""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from metering import atomic_file
from tasks.data import unopened
from tasks.errors import PlanError
from tasks.plan import DataPlan

if TYPE_CHECKING:
    from PIL import Image

IGNORED = 255
_ONE_CHANNEL = ("L", "P", "1", "I", "I;16", "I;16B", "I;16L")
_MAX_THREADS = 8
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)
"""What Pillow raises for files that are none, or are cut off."""
_ORIENTATION, _TURNED = 0x0112, (5, 6, 7, 8)
"""The key in EXIF, and its values for an image that lies on its side."""


def check(
    pairs: Sequence[tuple[Path, Path]], largest: int, cache_dir: Path, split: str, cure: str
) -> frozenset[int]:
    """The labels that the masks have. pairs: image and mask; largest: label that a mask may have
    beside 255. What pairs that passed have is remembered in `cache_dir`, so that a sweep checks
    once. Raises `PlanError` for the first mask that cannot be used, with its cure."""
    stamp = cache_dir / "checked-masks" / _digest(pairs, largest)
    if (known := _remembered(stamp)) is not None:
        return known
    labels: set[int] = set()
    with ThreadPoolExecutor(min(_MAX_THREADS, len(os.sched_getaffinity(0)))) as pool:
        for seen in pool.map(partial(_seen, largest=largest, cure=cure), pairs):
            if isinstance(seen, str):
                pool.shutdown(wait=False, cancel_futures=True)
                raise PlanError(f"data.root ({split}): {seen}")
            labels |= seen
    _remember(stamp, labels)
    return frozenset(labels)


def require_classes(plan: DataPlan, labels: frozenset[int], *, first: int, num_public: int) -> None:
    """labels: of all masks; first: label of the first class, 1 where 0 is ignored too; num_public:
    classes of the public set in this layout. Raises `PlanError` for masks that together have no
    two classes, or have them counted from 0 where they count from 1."""
    num_classes = int(plan.options["num_classes"])
    ignored = f"0 and {IGNORED} are" if first else f"{IGNORED} is"
    classes = labels - {IGNORED, 0 if first else IGNORED}
    # one thing and its background, as other tools write them
    is_binary = labels == {0, IGNORED} or (first == 1 and labels - {IGNORED} == {0, 1})
    if not classes or is_binary:
        raise PlanError(
            f"data.root={plan.root}: all masks together have the labels "
            f"{', '.join(map(str, sorted(labels)))}, and {ignored} ignored in the layout of "
            f"data={plan.name}, which leaves no two classes to tell apart; write the classes, "
            f"the background too, as {first}, {first + 1} and so on"
        )
    is_own = num_classes != num_public  # a part of the public set may lack its last class
    if first and is_own and 0 in labels and max(classes) == num_classes - 1:
        raise PlanError(
            f"data.root={plan.root}: the labels of all masks go from 0 to {max(classes)}, and in "
            f"the layout of data={plan.name} 0 is ignored and classes count from 1 to "
            f"data.options.num_classes={num_classes}; add 1 to each label, or, where 0 is to be "
            f"ignored, set data.options.num_classes={num_classes - 1}"
        )


def _remembered(stamp: Path) -> frozenset[int] | None:
    try:
        return frozenset(map(int, stamp.read_text(encoding="ascii").split())) or None
    except (OSError, ValueError):
        return None


def _remember(stamp: Path, labels: set[int]) -> None:
    try:
        atomic_file.write(stamp, " ".join(map(str, sorted(labels))).encode("ascii"))
    except OSError:
        return  # looked at again next time


def _digest(pairs: Sequence[tuple[Path, Path]], largest: int) -> str:
    content = hashlib.sha256(str(largest).encode())
    for path in (path for pair in pairs for path in pair):
        try:
            status = path.stat()
        except OSError as error:
            why = unopened.why(path, error)
            raise PlanError(f"data.root: {path} cannot be opened ({why}); delete it") from error
        content.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode(errors="replace"))
    return content.hexdigest()[:24]


def _seen(pair: tuple[Path, Path], largest: int, cure: str) -> set[int] | str:
    """The labels of a mask, or what is wrong with it or its image."""
    import numpy as np
    from PIL import Image

    image_path, mask_path = pair
    undecodable = (*_BROKEN, Image.DecompressionBombError)
    try:
        with Image.open(image_path) as image:
            size, orientation = image.size, image.getexif().get(_ORIENTATION)
    except undecodable as error:
        return f"image {image_path} cannot be decoded ({_why(error)}); fetch it again or delete it"
    try:
        with Image.open(mask_path) as mask:
            if fault := _kind_fault(mask, cure) or _size_fault(mask, size, orientation):
                return f"mask {mask_path} {fault.format(image=image_path)}"
            labels = np.asarray(mask)
    except undecodable as error:
        return (
            f"mask {mask_path} cannot be decoded ({_why(error)}); fetch it again or write it anew"
        )
    beyond = labels[((labels > largest) & (labels != IGNORED)) | (labels < 0)]
    if len(beyond):
        return (
            f"mask {mask_path} has the label {int(beyond.max())}; labels go to {largest}, and "
            f"{IGNORED} is ignored: {cure}"
        )
    return set(np.flatnonzero(np.bincount(labels.ravel())).tolist())


def _kind_fault(mask: Image.Image, cure: str) -> str | None:
    if len(mask.getbands()) > 1:
        return (
            f"has {len(mask.getbands())} channels ({mask.mode}); a mask has one, with the number "
            f"of a class in each pixel: {cure}"
        )
    if mask.mode not in _ONE_CHANNEL:
        return f"has fractions (mode {mask.mode}); a mask has whole numbers of classes: {cure}"
    if mask.format in ("JPEG", "MPO"):
        return "is a JPEG, whose compression changes labels; write it anew as a PNG"
    if 1 in mask.size:
        return "is one pixel wide or high, which MMSegmentation cannot read; delete both files"
    return None


def _size_fault(mask: Image.Image, size: tuple[int, int], orientation: int | None) -> str | None:
    """size: of the stored image; OpenCV turns one as its EXIF orientation says (5 to 8: by 90
    degrees), a mask stays as it is."""
    turned = orientation in _TURNED
    wanted = size[::-1] if turned else size
    if mask.size == wanted:
        return None
    why = f", which is turned as its EXIF orientation {orientation} says" if turned else ""
    cure = ", or the image without that orientation" if turned else ""
    return (
        f"has {mask.width} x {mask.height} pixels, and its image {{image}} "
        f"{wanted[0]} x {wanted[1]}{why}; write the mask at the image's size{cure}"
    )


def _why(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0] or type(error).__name__
