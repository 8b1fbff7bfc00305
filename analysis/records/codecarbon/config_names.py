"""What the Hydra config of a stranger's run calls its model, data, batch size and so on.

Every scalar is read as text; what is no number (`auto`) means something else to its owner. What
the config does not say is None; nothing is guessed from what it does not say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from analysis.records.codecarbon.config_digest import digest_of
from analysis.records.codecarbon.config_samples import SIZES, TEST_SIZES, count, samples_of
from analysis.records.codecarbon.config_text import flat_texts, read_texts, resolved
from analysis.records.codecarbon.tasks import kind_of
from metering import catalogue
from metering.record import RecordError

_MODEL = (
    "model", "model.name", "model.model_name", "model_name", "model.arch", "model.architecture",
    "model.model", "model.model.name", "model.net", "model.net.name", "model.net.model_name",
    "model.network", "model.backbone", "model.backbone.name", "model.type", "model.model_type",
    "model.id", "model.model_id", "arch", "architecture", "network", "network.name", "net",
    "net.name", "backbone", "backbone.name",
)  # fmt: skip
_MODEL_LEAVES = ("model_name", "model_name_or_path", "pretrained_model_name_or_path", "model_arch")
_TARGETS = tuple(
    f"{group}._target_"
    for group in ("model.net", "model.model", "model.network", "model.backbone", "model", "net")
)
_GENERIC = re.compile(
    "(create|get|build|load)?(model|net|network|module)|frompretrained|partial|default|base|"
    "classifier|lit(model|module)|lightningmodule"
)
_DATA = (
    "data",
    "data.name",
    "dataset",
    "dataset.name",
    "data.dataset",
    "data.dataset.name",
    "data.dataset_name",
    "dataset.dataset_name",
    "dataset_name",
    "datamodule",
    "datamodule.name",
    "data_name",
)
_BATCH_LEAVES = ("batch_size", "train_batch_size", "per_device_train_batch_size", "batchsize")
_SIZE_LEAVES = ("input_size", "img_size", "image_size", "crop_size", "resolution")
_DEVICES = (
    "trainer.devices",
    "devices",
    "trainer.num_devices",
    "trainer.gpus",
    "num_gpus",
    "n_gpus",
    "ngpus",
    "trainer.num_gpus",
    "nproc_per_node",
)
_NODES = ("trainer.num_nodes", "num_nodes", "nnodes")
_TASK_WORDS = {
    "classification": "classification",
    "imageclassification": "classification",
    "classify": "classification",
    "cls": "classification",
    "segmentation": "segmentation",
    "semanticsegmentation": "segmentation",
    "imagesegmentation": "segmentation",
    "seg": "segmentation",
    "semseg": "segmentation",
    "actionrecognition": "action_recognition",
    "videoclassification": "action_recognition",
    "action": "action_recognition",
}


@dataclass(frozen=True)
class ConfigFacts:
    """model: `None` where the config names none; task: of the tables', `None` where it is not
    said; task_word: as it is said; phase_is_said: else `phase` is assumed; num_samples: that the
    run's training processed, and num_test_samples; num_processes: that it ran in, one a device;
    digest: of what makes a run another one; notes: what a reader must know, and sample_notes of the
    samples of a phase."""

    model: str | None = None
    task: str | None = None
    task_word: str | None = None
    data: str | None = None
    hardware: str | None = None
    batch_size: int | None = None
    precision: str | None = None
    phase: str = "train"
    phase_is_said: bool = False
    num_samples: int | None = None
    num_test_samples: int | None = None
    num_processes: int | None = None
    input_size: str | None = None
    digest: str = ""
    notes: tuple[str, ...] = ()
    sample_notes: Mapping[str, str] = field(default_factory=dict)


def facts_of(config: Path) -> ConfigFacts:
    """What `config` and Hydra's own files beside it say. Raises `RecordError` or `OSError`."""
    raw = flat_texts(read_texts(config))
    flat = resolved(raw)
    data = _data(flat)
    word = _first(flat, ("task", "task.name", "task_type", "task.type"))
    phase, phase_is_said = _phase(flat, word), _phase_said(flat, word)
    task = _TASK_WORDS.get(_plain(word or ""))
    if word is not None and task is None and kind_of(word) != "other":
        word = None  # `task: train` is a phase
    known = catalogue.data_set(data or "")
    if word is None and known is not None:
        task = known.task
    batch, batch_notes = _batch(flat, phase)
    with_unknown = raw | flat  # a limit that Hydra alone can resolve is a limit
    samples, of_run = samples_of(with_unknown, phase, batch, SIZES)
    test_samples, of_test = samples_of(with_unknown, "test", batch, TEST_SIZES)
    counted_as = {"test": of_test} | {phase: of_run or (of_test if phase == "test" else None)}
    return ConfigFacts(
        model=_model(flat) or _of_hydra(config, ("model", "network", "net", "backbone", "arch")),
        task=task,
        task_word=word,
        data=data or _of_hydra(config, ("data", "dataset", "datamodule")),
        hardware=_first(flat, ("hardware", "hardware.name")),
        batch_size=batch,
        precision=_precision(_first(flat, ("precision", "trainer.precision"))),
        phase=phase,
        phase_is_said=phase_is_said,
        num_samples=samples,
        num_test_samples=test_samples,
        num_processes=_processes(flat),
        input_size=_only(_values(flat, _SIZE_LEAVES)),
        digest=digest_of(config, raw, flat),
        notes=batch_notes,
        sample_notes={phase: note for phase, note in counted_as.items() if note is not None},
    )


def with_given(facts: ConfigFacts, **given: Any) -> ConfigFacts:
    """What a person said on the command line counts before the config; None leaves it."""
    typed = {name: value for name, value in given.items() if value is not None}
    if "phase" in typed:
        typed["phase_is_said"] = True
    if "task" in typed:
        typed["task_word"] = typed["task"]
    if "num_samples" in typed:
        phase = typed.get("phase", facts.phase)
        notes = {name: note for name, note in facts.sample_notes.items() if name != phase}
        typed["sample_notes"] = notes
        if phase == "test":
            typed["num_test_samples"] = typed.pop("num_samples")
    return replace(facts, **typed)


def _first(flat: Mapping[str, str], keys: Sequence[str]) -> str | None:
    return next((flat[key] for key in keys if key in flat), None)


def _values(flat: Mapping[str, str], leaves: Sequence[str]) -> dict[str, str]:
    return {key: value for key, value in flat.items() if key.rsplit(".", 1)[-1] in leaves}


def _only(values: Mapping[str, str]) -> str | None:
    """Their one value; None where there is none, or several."""
    return next(iter(values.values())) if len(set(values.values())) == 1 else None


def _model(flat: Mapping[str, str]) -> str | None:
    name = _first(flat, _MODEL) or _only(_values(flat, _MODEL_LEAVES))
    if name is None:
        last = [flat[key].rsplit(".", 1)[-1] for key in _TARGETS if key in flat]
        name = next((word for word in last if not _GENERIC.fullmatch(_plain(word))), None)
    encoder = _first(flat, ("model.encoder_name", "model.encoder", "encoder_name"))
    if name and encoder and "." not in encoder:
        return f"{name}-{encoder}"
    return name or encoder


def _data(flat: Mapping[str, str]) -> str | None:
    return _first(flat, _DATA)


def _of_hydra(config: Path, groups: Sequence[str]) -> str | None:
    """The choice of a config group, as `hydra.yaml` or `overrides.yaml` beside it tell."""
    flat: dict[str, str] = {}
    for name in ("hydra.yaml", "overrides.yaml"):
        try:
            flat |= {f"{name} {key}": value for key, value in _hydra(config.with_name(name))}
        except (OSError, RecordError):
            continue
    for group in groups:
        choice = flat.get(f"hydra.yaml {group}") or flat.get(f"overrides.yaml {group}")
        if choice and choice not in ("default", "base"):
            return choice
    return None


def _hydra(path: Path) -> list[tuple[str, str]]:
    flat = flat_texts(read_texts(path))
    choices = "hydra.runtime.choices."
    if path.name == "hydra.yaml":
        return [(k.removeprefix(choices), v) for k, v in flat.items() if k.startswith(choices)]
    return [
        (key.lstrip("+"), value)
        for line in flat.values()
        for key, _, value in [line.partition("=")]
        if value
    ]


def _phase(flat: Mapping[str, str], task_word: str | None) -> str:
    for word in (_first(flat, ("phase", "mode", "run_mode", "stage")), task_word):
        if word is not None and kind_of(word) == "test":
            return "test"
        if word is not None and kind_of(word) == "train":
            return "train"
    trains, tests = (flat.get(name, "").lower() for name in ("train", "test"))
    return "test" if trains == "false" and tests == "true" else "train"


def _phase_said(flat: Mapping[str, str], task_word: str | None) -> bool:
    """Whether `_phase` found a word for it."""
    words = (_first(flat, ("phase", "mode", "run_mode", "stage")), task_word)
    named = any(word is not None and kind_of(word) != "other" for word in words)
    return named or "train" in flat or "test" in flat


def _batch(flat: Mapping[str, str], phase: str) -> tuple[int | None, tuple[str, ...]]:
    """The batch size of `phase`: the top-level one, else a nested one, the phase's own first."""
    if "batch_size" in flat:
        return count(flat, "batch_size"), ()
    values = _values(flat, _BATCH_LEAVES)
    words = ("train",) if phase == "train" else ("test", "eval", "val", "infer", "predict")
    others = ("test", "eval", "val", "infer", "predict") if phase == "train" else ("train",)
    own = {k: v for k, v in values.items() if any(word in k.lower() for word in words)}
    rest = {k: v for k, v in values.items() if not any(word in k.lower() for word in others)}
    for candidates in (own, rest, values):
        if candidates and (only := _only(candidates)) is not None:
            return count({"batch_size": only}, "batch_size"), ()
    if values:
        named = ", ".join(f"{key} {value}" for key, value in values.items())
        return None, (f"the config has several batch sizes ({named}): none is shown",)
    return None, ()


def _processes(flat: Mapping[str, str]) -> int | None:
    """Devices over all nodes; None where the config does not say (`auto`, `-1`)."""
    if (whole := _whole(flat.get("world_size") or flat.get("trainer.world_size"))) is not None:
        return whole
    each = next((n for key in _DEVICES if (n := _number_of(flat, key)) is not None), None)
    nodes = next((n for key in _NODES if (n := _whole(flat.get(key))) is not None), 1)
    return None if each is None else each * nodes


def _number_of(flat: Mapping[str, str], key: str) -> int | None:
    """`4`, or the length of a list such as `[0, 1]`."""
    listed = sum(re.fullmatch(rf"{re.escape(key)}\.\d+", other) is not None for other in flat)
    return _whole(flat.get(key)) or listed or None


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch("[1-9][0-9]{0,4}", text) else None


def _precision(text: str | None) -> str | None:
    """Lightning's words and numbers as this suite's names; any other as it is."""
    known = {"32": "fp32", "32-true": "fp32", "float32": "fp32", "16": "fp16", "16-mixed": "fp16"}
    known |= {"float16": "fp16", "bf16-mixed": "bf16", "bfloat16": "bf16"}
    return None if text is None else known.get(text.lower(), text)


def _plain(word: str) -> str:
    return "".join(letter for letter in word.lower() if letter.isalpha())
