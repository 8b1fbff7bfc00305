"""Errors that end a run with one clear line instead of a traceback."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PlanError(ValueError):
    """The user asked for something that cannot be done: key, value and cure in one line.
    The process ends with exit status 2."""


class OutOfMemory(RuntimeError):
    """The device's memory does not hold this batch. The batch is never shrunk for the user:
    a smaller one would be another measurement."""

    def __init__(self, batch_size: int, detail: str = "") -> None:
        super().__init__(
            f"batch_size={batch_size} does not fit into the device's memory; "
            f"choose a smaller batch_size or a device with more memory. {detail}".strip()
        )


def unknown(kind: str, name: str, known: Iterable[str], cure: str = "") -> PlanError:
    """`model 'vit_bb' is unknown; did you mean vit_b?`"""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else cure
    hint = hint or f"use one of {', '.join(sorted(names)[:12])}"
    return PlanError(f"{kind} '{' '.join(name.split())}' is unknown; {hint}")
