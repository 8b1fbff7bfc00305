"""A set-up in a reader's words: its data set, its device, and what else tells it apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from metering import catalogue
from metering.setup import Asked, SetUp

MAX_OPTION = 80


def dataset_of(asked: Asked) -> str:
    """The data set that a run's row is about. Embedded files stand in for a set's cost; data of a
    user's own keep their name, and say so where a public set has it too."""
    data = asked.data
    known = catalogue.data_set(data.name)
    if known is None:
        return data.name
    if known.stands_in_for is not None:
        return catalogue.display_name(known.stands_in_for)
    if data.origin == "own" or data.num_classes not in (None, known.num_classes):
        return f"{data.name} (own)"
    return known.display_name


def device_of(setup: SetUp) -> str:
    """What computed: `NVIDIA RTX A6000`, `2 x Tesla V100`, or `CPU (AMD EPYC 7543)`, with the
    number of threads where one was asked for."""
    found = setup.found
    if found is None:
        return "unknown"
    if found.device is None:
        threads = setup.asked.num_threads
        processors = f", {threads} thread{'s' * (threads > 1)}" if threads else ""
        if not threads and found.num_cpus:
            processors = f", {found.num_cpus} CPU{'s' * (found.num_cpus > 1)}"
        return f"CPU ({found.cpu_model or 'unknown'}{processors})"
    number = found.num_devices or setup.asked.num_devices or 1
    alike = number > 1 and " + " not in found.device  # unlike boards are counted in the name
    name = f"{number} x {found.device}" if alike else found.device
    return f"{name}, MIG {found.mig_profile}" if found.mig_profile else name


def variant_of(setup: SetUp, *, with_network: bool = True) -> str:
    """What else changes the rate, or the accuracy: image size, options of the network, embedded
    files in a real set's stead, memory layout, compilation, a batch that passes in parts.
    with_network: False for what several networks have in common."""
    asked = setup.asked
    options = asked.network_options if with_network else {}
    num_parts = asked.training.get("accumulation_steps")
    size = " x ".join(map(str, dict.fromkeys(asked.input_size or ())))
    known = catalogue.data_set(asked.data.name)
    stands_in = asked.data.origin == "embedded" and known is not None and not known.stands_in_for
    parts = (
        f"{size} px" if size else "",
        *(_option(name, value) for name, value in options.items()),
        f"{asked.data.fraction:.3g} of the data" if asked.data.fraction < 1 else "",
        "embedded data" if stands_in else "",
        "no decoding" if "kept_batches" in asked.data.options else "",
        "compiled" if asked.compile else "",
        f"batch in {num_parts} parts" if num_parts else "",
        "channels first" if asked.channels_last is False else "",
    )
    return ", ".join(word for word in parts if word)


def _option(name: str, value: Any) -> str:
    """An option of a network in a few words; what a config keeps for another data set is left
    out."""
    if name == "overrides" and value:
        return f"overrides {value!s:.{MAX_OPTION}}"
    if isinstance(value, dict) or value is None:
        return ""
    if isinstance(value, list | tuple):
        value = " x ".join(map(str, value))
    return f"{name} {value!s:.{MAX_OPTION}}"


def differences(setup: SetUp, others: Sequence[SetUp]) -> str:
    """The fields in which `setup` differs from any of `others`, with its own values; empty where
    there are none."""
    fields, theirs = setup_fields(setup), [setup_fields(other) for other in others]
    differing = (
        name for name in fields if any(other.get(name) != fields[name] for other in theirs)
    )
    return ", ".join(f"{name} {fields[name]}" for name in differing)


def setup_fields(setup: SetUp) -> dict[str, str]:
    """Every field that tells set-ups apart, by a reader's name, as short text."""
    asked, found = asdict(setup.asked), asdict(setup.found) if setup.found else {}
    data = {f"data {name}": value for name, value in asked.pop("data").items()}
    flat: dict[str, str] = {}
    for name, value in (asked | found | data).items():
        parts = (
            {f"{name} {key}": part for key, part in value.items()}
            if isinstance(value, dict)
            else {name: value}
        )
        flat |= {key.replace("_", " "): f"{part!s:.{MAX_OPTION}}" for key, part in parts.items()}
    return flat
