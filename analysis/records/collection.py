"""Whose records: a user's own, those that come with the suite, or a bundle's.

Rows of different collections never merge, rank together or price each other: another person's
machine is another machine, however alike its set-up. It follows from where a record lies, and is
no part of the record.
"""

from __future__ import annotations

import itertools
from pathlib import Path

OWN, SHIPPED = "own", "shipped"
_SHIPPED_FOLDER = ("results", "records")


def collection_of(path: str) -> str:
    """`shipped` of a record in `results/records`, else `own`."""
    return SHIPPED if _SHIPPED_FOLDER in itertools.pairwise(Path(path).parts) else OWN


def apart(key: str, collection: str) -> str:
    """`key` as one of this collection alone; of a user's own, or where there is one, it stays as it
    is."""
    return key if collection in ("", OWN) else f"{key} {collection}"
