"""Set-ups of a network that differ in switches alone, and the one that others are compared with.

The reference of a group of set-ups is the one in the middle of the star: changing one factor of it
leads to most of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.estimates.measured import Measured
from analysis.records.collection import apart
from analysis.records.describe import setup_fields
from metering.setup import Asked, SetUp, study_key

FACTORS = (
    "precision",
    "channels_last",
    "compile",
    "batch_size",
    "num_workers",
    "num_threads",
    "power_limit_w",
)
"""Of a set-up: what may be switched without another network, recipe or data."""
DETERMINED = ("network_fingerprint",)
"""What a factor may change besides itself."""
AXIS = (*FACTORS, *DETERMINED)


def reference_of(group: Sequence[Measured]) -> Measured:
    """From which the others are the fewest changes away; of equals the one that keeps most
    defaults, then the one that was measured more often."""

    def distance(one: Measured) -> tuple[int, int, int]:
        changes = sum(len(differing(one.setup, other.setup)) for other in group)
        kept = sum(
            getattr(one.setup.asked, name, None) == getattr(_DEFAULT, name, None)
            for name in FACTORS
        )
        return changes, -kept, -len(one.run_ids)

    return min(group, key=distance)


_DEFAULT = Asked("", "")


def differing(reference: SetUp, other: SetUp) -> dict[str, tuple[Any, Any]]:
    """The factors in which two set-ups differ, with both values."""
    values = {name: (_factor(reference, name), _factor(other, name)) for name in FACTORS}
    return {name: both for name, both in values.items() if both[0] != both[1]}


def _factor(setup: SetUp, name: str) -> Any:
    part = setup.found if name == "power_limit_w" else setup.asked
    return getattr(part, name, None)


@dataclass(frozen=True)
class Group:
    """Set-ups that are alike but for the factors. where: see `savings.Saving`; others: all but the
    reference."""

    reference: Measured
    others: tuple[Measured, ...]
    where: str


def groups_of(rows: Iterable[Measured]) -> list[Group]:
    """Rows that are alike but for the factors, two set-ups at least."""
    groups: dict[str, list[Measured]] = {}
    for one in rows:
        key = study_key(one.setup, AXIS)
        groups.setdefault(apart(key, one.collection), []).append(one)
    several = [group for group in groups.values() if len(group) > 1]
    references = [reference_of(group) for group in several]
    return [
        Group(
            reference,
            tuple(one for one in group if one is not reference),
            _where(reference, references),
        )
        for group, reference in zip(several, references, strict=True)
    ]


def _where(reference: Measured, references: Sequence[Measured]) -> str:
    """The device of a group, and in what it differs from other groups of its network on it."""
    alike = [
        other
        for other in references
        if other is not reference
        and other.setup.asked.model == reference.setup.asked.model
        and other.device == reference.device
    ]
    factors = {name.replace("_", " ") for name in AXIS}
    own = setup_fields(reference.setup)
    theirs = [setup_fields(other.setup) for other in alike]
    words = [reference.device]
    if any(one.collection != reference.collection for one in alike):
        words.append(f"{reference.collection} records")
    words += [
        f"{name} {value}"
        for name, value in own.items()
        if name not in factors and any(other.get(name) != value for other in theirs)
    ]
    return ", ".join(words)
