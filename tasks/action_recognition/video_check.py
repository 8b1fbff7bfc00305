"""Videos of a real set, looked at before the run: one that cannot be decoded would end it in the
middle, when its loader comes to it.

First the headers of all files, then the first and the last frame of each, in the order of a draw
and no longer than a time budget. What passed is remembered, so that a later run comes further.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from metering import atomic_file
from tasks.action_recognition import video_containers
from tasks.errors import PlanError

BUDGET_S = 20.0
_MAX_THREADS = 8
_AT_ONCE = 64  # videos
_SHOWN = 3


def check(
    videos: Sequence[Path], cache_dir: Path, num_threads: int, budget_s: float = BUDGET_S
) -> str | None:
    """A note where the budget did not suffice for all. Raises `PlanError` naming the videos that
    cannot be decoded."""
    ends_at = time.monotonic() + budget_s
    order = random.Random(0).sample(list(dict.fromkeys(videos)), len(set(videos)))
    memory = cache_dir / "checked-videos" / _digest("\n".join(map(str, sorted(videos))))
    passed = _remembered(memory)
    with ThreadPoolExecutor(min(_MAX_THREADS, num_threads)) as pool:
        of_files, _ = _faults(pool, order, fault_of_file, ends_at)
        keys = dict(zip(order, pool.map(_key, order), strict=True))
        left = [path for path in order if keys[path] not in passed and path not in of_files]
        faults, num_seen = _faults(pool, left, fault, ends_at)
    _remember(memory, passed | {keys[path] for path in left[:num_seen] if path not in faults})
    _refuse(of_files | faults)
    if num_seen == len(left):
        return None
    return (
        f"of {len(order):,} videos {len(order) - len(left) + num_seen:,} were looked at before the "
        "run; one of the others that cannot be decoded ends it"
    )


def fault_of_file(path: Path) -> str | None:
    """What its headers tell."""
    try:
        return video_containers.fault(path)
    except OSError as error:
        return error.strerror or type(error).__name__


def fault(path: Path) -> str | None:
    """Why it is no video that can be read from its first frame to its last."""
    import decord

    try:
        reader = decord.VideoReader(str(path), num_threads=1)
        if len(reader) == 0:
            return "it has no frames"
        reader.get_batch([0, len(reader) - 1])
    except (decord.DECORDError, RuntimeError, OSError) as error:
        return fault_of_file(path) or _words(str(error)) or type(error).__name__
    return None


_WORDS = {
    "cannot find video stream": "it has no video stream",
    "Error reading": "it is no video, or damaged",
    "Unable to handle EOF": "its end cannot be found: it is damaged, or MPEG-TS; write an MP4",
    "avcodec_send_packet": "its frames are damaged",
    "av_read_frame": "its frames are damaged",
    "Failed to measure duration": "it has no length, as a picture has none",
}
"""What we say for a part of what decord says."""


def _words(message: str) -> str:
    """Of what decord says, without its lines of source."""
    for part, words in _WORDS.items():
        if part in message:
            return words
    last = (message.strip().splitlines() or [""])[-1]
    return last.rpartition(".cc:")[2].partition(": ")[2] or last


def _faults(
    pool: ThreadPoolExecutor,
    paths: Sequence[Path],
    find: Callable[[Path], str | None],
    ends_at: float,
) -> tuple[dict[Path, str], int]:
    """What is wrong with which, and how many were looked at until the budget ended."""
    faults: dict[Path, str] = {}
    for start in range(0, len(paths), _AT_ONCE):
        if time.monotonic() > ends_at:
            return faults, start
        some = paths[start : start + _AT_ONCE]
        for path, found in zip(some, pool.map(find, some), strict=True):
            if found is not None:
                faults[path] = found
    return faults, len(paths)


def _refuse(faults: dict[Path, str]) -> None:
    if not faults:
        return
    shown = [f"video {path} ({why})" for path, why in sorted(faults.items())[:_SHOWN]]
    more = f" and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    raise PlanError(
        f"data.root: {', '.join(shown)}{more} cannot be decoded; fetch it again or take its line "
        "out of the list, or set data.on_error=skip"
    )


def _key(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return ""
    return _digest(f"{path}\0{status.st_size}\0{status.st_mtime_ns}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]


def _remembered(memory: Path) -> frozenset[str]:
    try:
        return frozenset(memory.read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return frozenset()


def _remember(memory: Path, keys: frozenset[str]) -> None:
    try:
        atomic_file.write(memory, "\n".join(sorted(keys)).encode("ascii"))
    except OSError:
        return  # looked at again next time
