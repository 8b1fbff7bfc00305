"""Which sweep a run is of: the same command, started again, goes on in its sweep."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock
from omegaconf import DictConfig
from pydantic import TypeAdapter, ValidationError

from metering import atomic_file
from metering.record import RunId, SweepPlace

_OF_NO_RUN = ("dry_run", "force", "retry_failed")
"""Keys that a command may have or lack and still be the same."""
_RUN_ID: TypeAdapter[str] = TypeAdapter(RunId)


@dataclass(frozen=True)
class Sweep:
    """id: of all runs of one command, 32 hex digits; started_at: when it was started this time,
    ISO 8601, UTC."""

    id: str
    started_at: str

    def place(self, position: int, num_runs: int, **more: Any) -> SweepPlace:
        return SweepPlace(position, num_runs, id=self.id, started_at=self.started_at, **more)


def begun(config: DictConfig) -> Sweep:
    """The sweep that the command begins whose config this is, or goes on in; one that measures all
    anew (`force`) begins another. `output_dir` remembers it, unless nothing is to be run. Raises
    `OSError`."""
    overrides = config.hydra.overrides
    command = _comparable(overrides.task), _comparable(overrides.hydra)
    digest = hashlib.sha256(json.dumps(command).encode()).hexdigest()[:16]
    path = Path(str(config.output_dir)).expanduser() / ".sweeps" / f"{digest}.json"
    new = Sweep(uuid.uuid4().hex, datetime.now(UTC).isoformat(timespec="milliseconds"))
    if config.get("dry_run"):
        return new
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):  # two may start the command at once
        earlier = None if config.get("force") else _earlier(path)
        if earlier is not None:
            return Sweep(earlier, new.started_at)
        content = asdict(new) | {"command": [word for part in command for word in part]}
        atomic_file.write(path, json.dumps(content, indent=1).encode())
    return new


def _comparable(overrides: Iterable[str]) -> list[str]:
    """In whichever order they were given."""
    return sorted(
        text for text in overrides if text.lstrip("+").partition("=")[0] not in _OF_NO_RUN
    )


def _earlier(path: Path) -> str | None:
    """None where there is none, or the file is damaged."""
    try:
        return _RUN_ID.validate_python(json.loads(path.read_bytes())["id"])
    except (FileNotFoundError, ValueError, KeyError, TypeError, ValidationError):
        return None
