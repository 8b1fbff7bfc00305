"""Where the record of a run of the user's goes, and that nobody else writes there meanwhile."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

from metering.record import FILE_NAME, RecordError
from metering.record_file import read
from metering.setup import Asked, identity
from tasks.running import attempts
from watt_for_what.errors import WattError


class Folder:
    """`<output_dir>/<task>/<name>/<hardware>/<identity>`, with `-2`, `-3`, ... for repetitions.

    The first one that holds no finished record and that no other process uses. An unfinished
    record is kept in `attempts/`, unless it is a part of a training (`keeps_parts`): then it stays.
    """

    def __init__(
        self, output_dir: Path | str, asked: Asked, hardware: str, keeps_parts: bool
    ) -> None:
        parts = [_plain(part) for part in (asked.task, asked.model, hardware)]
        base = Path(output_dir).expanduser().absolute().joinpath(*parts, identity(asked))
        for self.repetition, self.path in enumerate(_names(base), 1):
            _make(self.path, output_dir)
            self._lock = FileLock(self.path / ".lock")
            try:
                self._lock.acquire(blocking=False)
            except Timeout:
                continue
            if self._is_free(keeps_parts):
                break
            self._lock.release()
        attempts.sweep_drafts(self.path)
        attempts.put_aside(self.path)

    def _is_free(self, keeps_parts: bool) -> bool:
        file = self.path / FILE_NAME
        if not file.exists():
            return True
        if keeps_parts:
            return False
        try:
            return read(file).status != "finished"
        except (OSError, RecordError):
            return True

    def release(self) -> None:
        self._lock.release()


def _names(base: Path) -> Iterator[Path]:
    yield base
    for number in count(2):
        yield base.with_name(f"{base.name}-{number}")


def _make(folder: Path, output_dir: Path | str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(f"no permission to write in {folder}")
    except OSError as error:
        raise WattError(
            f"output_dir={str(output_dir)!r} cannot be written: {error}; give one that can"
        ) from None


def _plain(text: str) -> str:
    return re.sub(r"[^\w.\-]+", "-", text).strip(".") or "unnamed"
