"""A run of other software as a set-up and as a row of the tidy DataFrame."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.records.codecarbon.config_names import ConfigFacts
from analysis.records.codecarbon.config_samples import CURE
from analysis.records.codecarbon.energy_faults import energy_fault
from analysis.records.codecarbon.quantities import Logged
from analysis.records.codecarbon.sensors import sensors_of
from analysis.records.codecarbon.tasks import kind_of
from analysis.records.collection import collection_of
from analysis.records.describe import dataset_of, device_of, variant_of
from analysis.records.rows import COLUMNS, LEAST_KWH
from metering.record import RecordError
from metering.setup import Asked, DataSetUp, Found, SetUp, merge_key

KIND = "codecarbon"
NOTE = "measured with CodeCarbon alone: warm-up included, no interval"
DEFAULT_TASK = "classification"
NO_TASK = f"no task is named: shown as {DEFAULT_TASK}"
NO_PHASE = "neither its log nor a config says that it trained: taken as training"
_RUN_ID = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True)
class ForeignRun:
    """One phase of one run. model, task: as the tables name them; num_samples: processed, `None`
    where it is not known, and then there is no rate; flags: what a reader must know
    to believe the numbers; notes: what else."""

    path: str
    logged: Logged
    facts: ConfigFacts
    model: str
    task: str
    phase: str
    num_samples: int | None
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def known_samples(self) -> int | None:
        """None where the run may have processed others than `num_samples`, or not all of them: it
        has no rate, for another reason than its energy."""
        others = [
            flag for flag in self.flags if "no rate is made" in flag and not energy_fault([flag])
        ]
        return None if others else self.num_samples

    @property
    def kwh_per_sample(self) -> float | None:
        if not self.known_samples or not self.logged.has_rate:
            return None
        return self.logged.energy_kwh / self.known_samples

    @property
    def setup(self) -> SetUp:
        """For the rules of likeness: what a log does not say is None."""
        facts, logged = self.facts, self.logged
        asked = Asked(
            task=self.task,
            model=self.model,
            source_digest=facts.digest or None,
            input_size=_pixels(facts.input_size),
            data=DataSetUp(facts.data or "unknown"),
            batch_size=facts.batch_size,
            precision=facts.precision or "unknown",
            channels_last=None,
            num_devices=logged.num_gpus or None,
            num_nodes=None,
        )
        found = Found(
            device=logged.gpu_name,
            num_devices=logged.num_gpus or None,
            cpu_model=logged.cpu_model,
            num_nodes=logged.num_machines,
            sensors={name: sensor.how for name, sensor in sensors_of(logged).items()},
            scope=logged.scope,
            reader=f"codecarbon {'.'.join(logged.version.split('.')[:2])}".strip(),
        )
        return SetUp(asked, found)


def foreign_run(
    path: str, logged: Logged, facts: ConfigFacts, phase: str, flags: tuple[str, ...], label: str
) -> ForeignRun:
    """label: the run's name where its config has none for the model. Raises `RecordError` where
    its numbers or its task cannot be in a table."""
    texts = [*flags, *logged.flags, *facts.notes]
    if phase in facts.sample_notes:
        texts.append(facts.sample_notes[phase])
    if facts.task_word is not None and facts.task is None:
        raise RecordError(
            f"task '{facts.task_word}' is none of classification, segmentation and "
            "action_recognition; `python -m analysis import FOLDER --task ...` says which"
        )
    notes = [NOTE]
    if facts.task is None:
        notes.append(NO_TASK)
    if phase == "train" and not _phase_is_said(path, logged, facts):
        notes.append(NO_PHASE)
    if facts.model is None:
        notes.append("no model is named: named after its folder")
    num_samples = facts.num_samples if phase == facts.phase else None
    if phase == "test" and facts.num_test_samples is not None:
        num_samples = facts.num_test_samples
    if num_samples is None and phase not in facts.sample_notes:
        texts.append(f"the samples of its {phase} phase are not said: no rate is made; {CURE}")
    run = ForeignRun(
        path=path,
        logged=logged,
        facts=facts,
        model=facts.model or label,
        task=facts.task or DEFAULT_TASK,
        phase=phase,
        num_samples=num_samples,
        flags=tuple(dict.fromkeys(texts)),
        notes=tuple(notes),
    )
    if num_samples and logged.energy_kwh / num_samples < LEAST_KWH:
        raise RecordError(
            f"energy_consumed: {logged.energy_kwh} kWh is too little for {num_samples} samples"
        )
    return run


def _phase_is_said(path: str, logged: Logged, facts: ConfigFacts) -> bool:
    """By the config, the task, the project or the file's name."""
    names = (logged.task_name, logged.project_name, Path(path).stem)
    return facts.phase_is_said or any(kind_of(name) != "other" for name in names)


def run_id_of(run: ForeignRun) -> str:
    """CodeCarbon's own where it is a UUID, so that a log imported twice is one run; else made of
    what the log says."""
    logged = run.logged
    own = logged.run_id.replace("-", "").lower()
    if _RUN_ID.fullmatch(own):
        return own
    content = repr(
        (logged.run_id, logged.ended_at, logged.duration_s, logged.energy_kwh, run.model)
    )
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def row_of(run: ForeignRun) -> tuple[Any, ...]:
    """In the order of `COLUMNS`."""
    logged, facts, num_samples = run.logged, run.facts, run.known_samples
    sensors, rate, setup = sensors_of(logged), run.kwh_per_sample, run.setup
    values = {
        "path": run.path,
        "collection": collection_of(run.path),
        "kind": KIND,
        "status": "finished",
        "run_id": run_id_of(run),
        "identity": logged.run_id,
        "setup": setup,
        "merge_key": merge_key(setup),
        "started_at": logged.ended_at,
        "ended_at": logged.ended_at,
        "machine": "",
        "task": run.task,
        "model": run.model,
        "data": facts.data or "",
        "dataset": dataset_of(setup.asked),
        "hardware": facts.hardware or logged.gpu_name or logged.cpu_model,
        "device": device_of(setup),
        "batch_size": facts.batch_size,
        "precision": facts.precision,
        "variant": _variant(run),
        "stage": "supervised",
        "scale": "full",
        "phase": run.phase,
        "recipe": (),
        "kwh_per_sample": rate,
        "s_per_sample": logged.duration_s / num_samples if num_samples and rate else None,
        "num_samples": num_samples,
        "gpu_kwh": logged.gpu_kwh,
        "cpu_kwh": logged.cpu_kwh,
        "ram_kwh": logged.ram_kwh,
        "energy_kwh": logged.energy_kwh,
        "duration_s": logged.duration_s,
        "gpu_sensor": sensors["gpu"].how if sensors else None,
        "cpu_sensor": sensors["cpu"].how if sensors else None,
        "ram_sensor": sensors["ram"].how if sensors else None,
        "emissions_kg_co2eq": logged.emissions_kg_co2eq,
        "country": logged.country_iso_code,
        "flags": "; ".join(run.flags),
        "notes": "; ".join(run.notes),
    }
    return tuple(values.get(name) for name in COLUMNS)


def _variant(run: ForeignRun) -> str:
    digest = run.facts.digest
    words = (
        variant_of(run.setup),
        f"config {digest}" if digest else "",
        "process mode" if run.logged.scope == "process" else "",
    )
    return ", ".join(word for word in words if word)


def label_of(folder: Path) -> str:
    """A name for a run whose config names no model: its folder's, with those above it while the
    names are numbers only (`multirun/2025-03-01/10-00-00/0`)."""
    parts: list[str] = []
    for part in reversed(folder.parts):
        parts.insert(0, part)
        if re.search("[A-Za-z]", part) or len(parts) == 4:
            break
    return "/".join(parts) or "unnamed"


def _pixels(text: str | None) -> tuple[int, ...] | None:
    return (int(text),) * 2 if text is not None and text.isdigit() else None
