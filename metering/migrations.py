"""Records of older schemas in the shape of the next one: what an old record knew is mapped, what
it did not know is absent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from metering import catalogue
from metering.boards import Board, together
from metering.json_values import group, is_number, number, shown, text, whole
from metering.record import RecordError

_HOST_FIELDS = (
    "hostname",
    "os",
    "python",
    "num_cpus",
    "memory_gib",
    "packages",
    "gpus",
    "gpu_states",
    "sensor_period_s",
    "clock_skew_s",
    "emissions",
)
COMPUTING_PACKAGES = ("torch", "timm", "mmcv", "mmcv-lite", "mmengine")
"""Whose version changes what a step computes, beside those that begin with `mm`."""


def from_1(record: dict[str, Any], digest: str) -> dict[str, Any]:
    """Schema 1, which kept its set-up in the resolved config and the host's facts. digest: 64 hex
    digits of the content, from which the run's id is made where the record states none: copies of a
    file have one id."""
    config, host = group(record, "config", "record"), group(record, "host", "record")
    moved = ("identity", "task", "model", "data", "batch_size", "precision", "stage")
    for name in ("status", *moved):
        if name not in record:
            raise RecordError(f"{name}: Field required")
    kept = {name: value for name, value in record.items() if name not in moved}
    asked = _asked(record, config)
    found = _found(record, config, host, asked) if host else None
    return kept | {
        "schema_version": 2,
        "run_id": record.get("run_id", digest[:32]),
        "setup": {"asked": asked, "found": found},
        "code": _code(group(record, "code", "record")),
        "host": _host(host),
    }


MIGRATIONS: dict[int, Callable[[dict[str, Any], str], dict[str, Any]]] = {1: from_1}
"""Schema version -> the function that turns a record of it, and its digest, into one of the next
version."""


def _asked(record: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    model, hardware = group(config, "model"), group(config, "hardware")
    digests = group(model, "digests", "config.model")
    size = whole(config, "model", "input_size", 0)
    training = text(model, "config.model", "training")
    num_nodes = whole(config, "hardware", "nodes", 1)
    return {
        "task": record["task"],
        "model": record["model"],
        "network": text(model, "config.model", "source"),
        "network_options": group(model, "options", "config.model"),
        "source_digest": text(digests, "config.model.digests", "source"),
        "input_size": (size, size) if size else None,
        "training": {"name": training} if training else {},
        "stage": record["stage"],
        "data": _data(record["data"], config),
        "batch_size": record["batch_size"],
        "precision": record["precision"],
        "channels_last": config.get("channels_last", True),
        "compile": config.get("compile", False),
        "accelerator": text(hardware, "config.hardware", "accelerator") or "auto",
        "num_devices": whole(config, "hardware", "devices", 1) * num_nodes,
        "num_nodes": num_nodes,
        "num_threads": hardware.get("num_threads"),
        "num_workers": group(config, "data").get("num_workers"),
        "checkpoint_digest": text(digests, "config.model.digests", "checkpoint"),
        "scale": text(config, "config", "scale") or "full",
        "protocol": _protocol(group(config, "meter")),
    }


def _data(name: Any, config: dict[str, Any]) -> dict[str, Any]:
    data = group(config, "data")
    options = dict(group(data, "options", "config.data"))
    return {
        "name": name,
        "origin": _origin(name, text(data, "config.data", "root")),
        "fraction": number(config, "data", "fraction", 1.0, most=1.0),
        "num_classes": options.pop("num_classes", None),
        "num_train": options.pop("train_samples", None),
        "num_test": options.pop("test_samples", None),
        "options": options,
    }


def _origin(name: Any, root: str | None) -> str:
    known = catalogue.data_set(name) if isinstance(name, str) else None
    if known is None:
        return "unknown" if root is None else "own"
    if root is not None or known.name == "digits":  # digits come with a library, and are real
        return "real"
    return "embedded"


def _protocol(meter: dict[str, Any]) -> dict[str, Any]:
    """How many steps were measured, where it was not the meter that decided."""
    mode = text(meter, "config.meter", "mode")
    if mode is None:
        return {}
    if mode == "adaptive":
        return {"mode": mode}
    names = ["num_steps", "num_warmup_steps"]
    if meter.get("num_steps") is None and meter.get("num_epochs") is not None:
        names.append("num_epochs")  # the only word for how much was measured
    return {"mode": mode} | {name: meter.get(name) for name in names}


def _found(
    record: dict[str, Any], config: dict[str, Any], host: dict[str, Any], asked: dict[str, Any]
) -> dict[str, Any]:
    sensors = _sensors(group(record, "phases", "record"))
    num_devices, boards = _metered(host, asked, sensors)
    device, power_limit_w = together(boards)
    packages = group(host, "packages", "host")
    return {
        "device": device,
        "num_devices": num_devices,
        "power_limit_w": power_limit_w,
        "cpu_model": text(host, "host", "cpu_model", "cpu"),
        "num_nodes": asked["num_nodes"],
        "versions": {name: packages[name] for name in packages if computes(name)},
        "sensors": sensors,
    }


def _metered(
    host: dict[str, Any], asked: dict[str, Any], sensors: dict[str, Any]
) -> tuple[int | None, list[Board]]:
    """Number, names and power limits of the boards that were metered. Where the host does not say
    which they were, all boards of the machine are named, unless none was used."""
    gpus, states = _boards(host, "gpus"), _boards(host, "gpu_states")
    limits = {str(state.get("uuid")): _limit_w(state) for state in states}
    if "gpus" in host:
        return len(gpus) or None, [
            (text(gpu, f"host.gpus.{index}", "name"), limits.get(str(gpu.get("uuid"))))
            for index, gpu in enumerate(gpus)
        ]
    if not states or asked["accelerator"] == "cpu" or sensors.get("gpu") == "absent":
        return None, []
    named = [
        (text(state, f"host.gpu_states.{index}", "name"), _limit_w(state))
        for index, state in enumerate(states)
    ]
    num_devices = min(asked["num_devices"], len(states))
    return num_devices, named[:num_devices] if len(set(named)) == 1 else named


def _limit_w(state: dict[str, Any]) -> float | None:
    value = state.get("power_limit_w")
    if value is None or is_number(value):
        return value
    raise RecordError(f"host.gpu_states.power_limit_w: {shown(value)} is not a number")


def computes(package: str) -> bool:
    """Whether the version of `package` may change what a step computes."""
    return package in COMPUTING_PACKAGES or package.startswith("mm")


def _boards(host: dict[str, Any], name: str) -> list[dict[str, Any]]:
    boards = host.get(name) or []
    if not isinstance(boards, list):
        raise RecordError(f"host.{name}: {shown(boards)} is not a list of boards")
    for index, board in enumerate(boards):
        if not isinstance(board, dict):
            raise RecordError(f"host.{name}.{index}: {shown(board)} is not a board")
    return boards


def _sensors(phases: dict[str, Any]) -> dict[str, Any]:
    """Component -> how it was read, as the record's first phase has it."""
    for name in phases:
        sensors = group(group(phases, name, "phases"), "sensors", f"phases.{name}")
        where = f"phases.{name}.sensors"
        return {part: group(sensors, part, where).get("how") for part in sensors}
    return {}


def _code(code: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": text(code, "code", "version"),
        "git_commit": text(code, "code", "git_commit", "commit", "revision"),
        "dirty": code.get("dirty"),
    }


def _host(host: dict[str, Any]) -> dict[str, Any]:
    kept = {name: host[name] for name in _HOST_FIELDS if host.get(name) is not None}
    moved = (*_HOST_FIELDS, "cpu_model", "cpu")
    return kept | {"more": {name: value for name, value in host.items() if name not in moved}}
