"""Standard streams that the caller has closed (`>&-`, some service managers)."""

from __future__ import annotations

import os
import sys


def open_closed() -> None:
    """Open them to nowhere: the next files that are opened would get their numbers, and be written
    to by whatever prints."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
