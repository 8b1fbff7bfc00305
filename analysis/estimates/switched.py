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


def reference_of(group: Sequence[Measured], like: Measured | None = None) -> Measured:
    """From which the others are the fewest changes away; of equals the one that is nearest to
    `like`, then the one that keeps most defaults, then the one that was measured more often."""

    def distance(row: Measured) -> tuple[int, int, int, int]:
        changes = sum(len(differing(row.setup, other.setup)) for other in group)
        from_like = len(differing(like.setup, row.setup)) if like else 0
        kept = sum(
            getattr(row.setup.asked, name, None) == getattr(_DEFAULT, name, None)
            for name in FACTORS
        )
        return changes, from_like, -kept, -len(row.run_ids)

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
    """Set-ups that are alike but for the factors. where: see `savings.Saving`, and the factors of
    the reference that differ from those of the first group of these set-ups; others: what is
    compared with the reference."""

    reference: Measured
    others: tuple[Measured, ...]
    where: str


def groups_of(rows: Iterable[Measured]) -> list[Group]:
    """Rows that are alike but for the factors, two set-ups at least. Those that no sweep measured
    beside their reference, but beside one of their own, are a group of their own as well."""
    alike: dict[str, list[Measured]] = {}
    for row in rows:
        key = study_key(row.setup, AXIS)
        alike.setdefault(apart(key, row.collection), []).append(row)
    several = [group for group in alike.values() if len(group) > 1]
    references = [reference_of(group) for group in several]
    return [
        star
        for group, reference in zip(several, references, strict=True)
        for star in _stars(group, reference, _where(reference, references))
    ]


def _stars(group: Sequence[Measured], reference: Measured, where: str) -> list[Group]:
    others = [row for row in group if row is not reference]
    alone = [row for row in others if not row.shares_sweep_with(reference)]
    stars = []
    while len(alone) > 1:
        own = reference_of(alone, reference)
        beside = [row for row in alone if row is not own and row.shares_sweep_with(own)]
        if beside:
            changed = differing(reference.setup, own.setup).items()
            words = [where, *(f"{name} {as_written(after)}" for name, (_, after) in changed)]
            stars.append(Group(own, tuple(beside), ", ".join(words)))
            others = [row for row in others if not any(row is near for near in beside)]
        alone = [row for row in alone if row is not own and not any(row is b for b in beside)]
    return [Group(reference, tuple(others), where), *stars]


def as_written(value: Any) -> str:
    """As it is written in YAML."""
    if value is None:
        return "null"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).lower() if isinstance(value, bool) else str(value)


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
    if any(row.collection != reference.collection for row in alike):
        words.append(f"{reference.collection} records")
    words += [
        f"{name} {value}"
        for name, value in own.items()
        if name not in factors and any(other.get(name) != value for other in theirs)
    ]
    return ", ".join(words)
