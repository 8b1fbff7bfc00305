"""Which rank failed first, and how: the others only lose their connection to it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from metering.record import Failure, Status

_NAME = ".failed-rank.json"


def leave(folder: Path, rank: int, error: BaseException, text: str) -> None:
    """Write the failure down unless another rank was first."""
    folder.mkdir(parents=True, exist_ok=True)
    failure = Failure(type=type(error).__name__, message=str(error), traceback=text, rank=rank)
    try:
        with (folder / _NAME).open("x", encoding="utf-8") as stream:
            json.dump(dataclasses.asdict(failure), stream)
    except FileExistsError:
        return


def peek(folder: Path) -> Failure | None:
    """The first failure, which stays; None when no rank left one."""
    try:
        return Failure(**json.loads((folder / _NAME).read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def take(folder: Path) -> Failure | None:
    """The first failure, which is then forgotten; None when no rank left one."""
    try:
        return peek(folder)
    finally:
        (folder / _NAME).unlink(missing_ok=True)


def status(failure: Failure) -> Status:
    """`interrupted` where that rank was asked to end, by a signal or Ctrl-C, else `failed`."""
    asked = failure.type in {"SystemExit", "KeyboardInterrupt"}
    return "interrupted" if asked else "failed"
