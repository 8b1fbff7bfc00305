"""How many samples a config says that its run processed, and what makes that unclear.

A config is written before the run. What can end a run early (a limit of batches or steps, early
stopping), or lets it begin in the middle (a checkpoint), leaves the number unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from metering.bounds import MOST
from metering.json_values import shown
from metering.record import RecordError

CURE = "`python -m analysis import FOLDER --samples N` says it"
SIZES = ("num_samples", "num_images")
TEST_SIZES = ("num_test_samples", "num_test_images")
_EPOCHS = re.compile(r"(num_|max_|n_|total_)?(train_)?epochs?")
_ALL = frozenset(("1.0", "1.", "100%", "false", "-1", "-1.0", "0", "0.0", "inf", ".inf"))
"""What a limit says where it limits nothing; the whole number 1 is one batch."""
_STEPS = re.compile(r"(max|num|total|n)_(train_|training_)?(steps?|iters?|iterations?)")
_LIMIT = re.compile(
    r"limit_(train_)?batches|overfit_batches|fast_dev_run|debug_run|max_time|"
    r"(max|limit)_(train_)?(samples|images)|(max|num)_(train_)?batches|"
    r"(train_|data_|dataset_)?(subset|subset_size|subset_fraction|fraction|data_frac)|"
    r"use_early_stopping|early_stopping_patience"
)
_TEST_LIMIT = re.compile(
    r"limit_((test|eval|val|valid|predict|inference)_)?batches|overfit_batches|fast_dev_run|"
    r"debug_run|(max|limit)_((test|eval|val|predict)_)?(samples|images)|"
    r"(max|num)_(test|eval|val|predict)_(batches|steps|iters)|"
    r"(test_|data_|dataset_)?(subset|subset_size|subset_fraction|fraction|data_frac)"
)
_EARLY_STOP = re.compile(r"(?:^|.*\.)early_?stop(?:ping|per)?(?=\.|$)")
_ENABLED = ("enabled", "enable", "use", "active")
_RESUME = re.compile(
    r"resume\w*|resume_from_checkpoint|resume_checkpoint|auto_resume|ckpt_path|start_epoch"
)


def count(flat: Mapping[str, str], name: str) -> int | None:
    """A whole number; what is no number (`auto`) means something else to its owner. Raises
    `RecordError`."""
    value = flat.get(name)
    try:  # YAML writes .nan and .inf, Python nan and inf
        number = float((value or "").lower().replace(".nan", "nan").replace(".inf", "inf"))
    except ValueError:
        return None
    if not 1 <= number <= MOST or number != int(number):
        raise RecordError(f"{name}: {shown(value)} is not a whole number above 0")
    return int(number)


def samples_of(
    flat: Mapping[str, str], phase: str, batch_size: int | None, sizes: tuple[str, ...]
) -> tuple[int | None, str | None]:
    """Samples that the run processed in `phase`, and what makes them unclear or is to be known.

    sizes: keys that say it: `num_samples` at the top is what the run's own phase processed,
    `num_test_samples` what its test did. A nested `num_samples` may be the size of the set, and is
    used where no epochs multiply it.
    """
    key = next((name for name in sizes if count(flat, name) is not None), None)
    is_nested = key is None
    if key is None and sizes == SIZES:
        nested = [key for key in flat if key.rsplit(".", 1)[-1] in sizes]
        if len(nested) > 1:
            return None, _unclear(nested[0], flat, nested[1:])
        key = nested[0] if nested else None
    if key is None or count(flat, key) is None:
        return None, _not_a_number(flat, key, sizes)
    limits = _limits(flat, phase, key, batch_size)
    epochs = _epochs(flat) if phase == "train" else []
    if limits or (is_nested and epochs):
        return None, _unclear(key, flat, [*limits, *epochs])
    note = None
    if epochs:
        note = (
            f"{key} {flat[key]} is taken as all that was processed, beside {_listed(flat, epochs)}"
        )
    return count(flat, key), note


def _not_a_number(flat: Mapping[str, str], key: str | None, sizes: tuple[str, ...]) -> str | None:
    """What to know of a key of `sizes` with another value; None where the config has none."""
    key = key or next((name for name in sizes if name in flat), None)
    if key is None:
        return None
    return f"{key}: {shown(flat[key])} is not a whole number: no rate is made; {CURE}"


def _unclear(key: str, flat: Mapping[str, str], others: list[str]) -> str:
    return (
        f"{key} {flat[key]} beside {_listed(flat, others)}: how many samples were processed is not "
        f"clear, and no rate is made; {CURE}"
    )


def _listed(flat: Mapping[str, str], keys: list[str]) -> str:
    return ", ".join(f"{key} {flat[key]}" for key in keys)


def _epochs(flat: Mapping[str, str]) -> list[str]:
    """Keys of a number of epochs other than one."""
    return [
        key
        for key, value in flat.items()
        if _EPOCHS.fullmatch(key.rsplit(".", 1)[-1]) and value not in ("1", "1.0")
    ]


def _limits(flat: Mapping[str, str], phase: str, key: str, batch_size: int | None) -> list[str]:
    """Keys that may keep a run from the samples of `key` in `phase`."""
    limit = _LIMIT if phase == "train" else _TEST_LIMIT
    limits = []
    for name, value in flat.items():
        leaf = name.rsplit(".", 1)[-1].lower()
        if name == key or value.lower() in _ALL:
            continue
        if limit.fullmatch(leaf) or (
            phase == "train" and _ends_training(flat, name, key, batch_size)
        ):
            limits.append(name)
    return limits + (_early_stops(flat) if phase == "train" else [])


def _ends_training(flat: Mapping[str, str], name: str, key: str, batch_size: int | None) -> bool:
    """Whether `name` lets training begin late, or end before or after the samples of `key`."""
    leaf = name.rsplit(".", 1)[-1].lower()
    if _STEPS.fullmatch(leaf):
        return not _agree(flat[name], flat[key], batch_size)
    return bool(_RESUME.fullmatch(leaf))


def _agree(steps: str, samples: str, batch_size: int | None) -> bool:
    """Whether so many steps process so many samples, but for the last batch."""
    if batch_size is None or not steps.isdigit():
        return False
    return abs(int(steps) * batch_size - float(samples)) < batch_size


def _early_stops(flat: Mapping[str, str]) -> list[str]:
    """The first key of each group that stops a run early, unless it is switched off."""
    groups: dict[str, list[str]] = {}
    for name in flat:
        if match := _EARLY_STOP.match(name.lower()):
            groups.setdefault(match[0], []).append(name)
    return [
        names[0]
        for names in groups.values()
        if not any(
            flat[name].lower() == "false"
            for name in names
            if len(names) == 1 or name.rsplit(".", 1)[-1].lower() in _ENABLED
        )
    ]
