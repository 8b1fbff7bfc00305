"""The second stage of `experiment=savings`: the best combination of each network as a switch of its
own, and the commands that measure it beside the reference."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from analysis.errors import AnalysisError
from analysis.estimates.combinations import Combination
from analysis.records.describe import variant_of
from metering.record import FILE_NAME

MORE_REPEATS = 2
"""Of the reference, between those of the combination, which is compared with these alone: the
machine may have changed since the first stage."""


def write_switches(combinations: Sequence[Combination], folder: Path) -> list[str]:
    """Write `folder/switch/best_MODEL_PHASE.yaml` of each combination that was not measured; the
    commands that measure them, one for each network. Raises `AnalysisError`."""
    commands: dict[tuple[str, ...], list[Combination]] = {}
    for combination in combinations:
        if combination.saving is None:
            commands.setdefault(_setting(combination), []).append(combination)
    places: dict[str, list[str]] = {}
    for name, combination in (
        switch for of_command in commands.values() for switch in _switches(of_command)
    ):
        places.setdefault(name, []).append(combination.where)
    for name, several in places.items():
        if len(several) > 1:
            raise AnalysisError(
                f"{name} would be another combination on {' and on '.join(several)}; name the "
                "folder of one of these studies"
            )
    try:
        (folder / "switch").mkdir(parents=True, exist_ok=True)
        for of_command in commands.values():
            for name, combination in _switches(of_command):
                (folder / "switch" / f"{name}.yaml").write_text(
                    _yaml(combination), encoding="utf-8"
                )
    except OSError as error:
        raise AnalysisError(f"--best {folder} cannot be written: {error}") from None
    return [_command(commands[setting], folder) for setting in sorted(commands)]


def references(combinations: Sequence[Combination]) -> list[str]:
    """A line for each network to be measured: what its reference was, which the commands do not
    say where the first one said it."""
    lines = []
    for combination in combinations:
        if combination.saving is None:
            asked = combination.reference.setup.asked
            words = (
                f"batch {asked.batch_size or 'unknown'}",
                asked.precision,
                f"data {asked.data.name}",
                variant_of(combination.reference.setup),
            )
            lines.append(
                f"the reference of {combination.model} was {', '.join(filter(None, words))}"
            )
    return list(dict.fromkeys(lines))


def _setting(combination: Combination) -> tuple[str, ...]:
    """Of a reference: what its command says besides the switches."""
    asked = combination.reference.setup.asked
    words = ["experiment=savings", *(["scale=small"] if asked.scale == "small" else [])]
    words.append(f"model={asked.model}")
    if combination.reference.hardware != "local":
        words.append(f"hardware={combination.reference.hardware}")
    output_dir = _output_dir(combination)
    if output_dir != "runs":
        words.append(f"output_dir={output_dir}")
    return tuple(words)


def _output_dir(combination: Combination) -> str:
    """Of `<output_dir>/<task>/<model>/<hardware>/<identity>/record.json`."""
    path = Path(combination.reference.paths[0])
    if path.name != FILE_NAME or len(path.parents) < 5:
        return "runs"
    return os.path.relpath(path.parents[4])


def _switches(combinations: Sequence[Combination]) -> Iterator[tuple[str, Combination]]:
    """Name and combination, each once: what is best for training may be best for testing too."""
    for place, combination in enumerate(combinations):
        if all(combination.values != other.values for other in combinations[:place]):
            yield f"best_{combination.model.replace('/', '_')}_{combination.phase}", combination


def _command(combinations: Sequence[Combination], folder: Path) -> str:
    switches = ",".join(["reference", *(name for name, _ in _switches(combinations))])
    repeats = len(combinations[0].reference.run_ids) + MORE_REPEATS
    words = [
        "python",
        "run.py",
        "-m",
        "-cd",
        str(folder),
        *_setting(combinations[0]),
        f"switch={switches}",
        f"repeats={repeats}",
    ]
    if any("power_limit_w" in combination.values for combination in combinations):
        words.append("hardware.allow_power_limit=true")
    return shlex.join(words)


def _yaml(combination: Combination) -> str:
    """JSON is YAML; the first line is Hydra's."""
    nested: dict[str, Any] = {}
    for key, value in combination.keys.items():
        if key != "hardware.allow_power_limit":  # for the user to say
            _put(nested, key, value)
    return (
        "# @package _global_\n"
        f"# Of each factor the value that saved most: {combination.model}, {combination.phase}, on "
        f"{combination.reference.device}.\n{json.dumps(nested)}\n"
    )


def _put(nested: dict[str, Any], key: str, value: Any) -> None:
    *groups, name = key.split(".")
    for group in groups:
        nested = nested.setdefault(group, {})
    nested[name] = value
