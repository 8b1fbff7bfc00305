"""BoAmps 1.1.0, one report a phase (Boavizta/BoAmps, model/report_schema.json).

`powerConsumption` is kWh in spite of its name, `parametersNumber` is in billions, accuracy is
0 to 1 and the carbon intensity grams per kWh.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from analysis.export import carbon
from analysis.export.report_facts import Export, PhaseFacts, RunFacts, sensors_text, short_ids
from analysis.export.site_facts import SiteFacts
from analysis.export.training import name_of, why_no_energy

VERSION = "1.1.0"
_QUALITY = ((0.10, "high"), (0.25, "medium"), (0.50, "low"))
"""Error of the energy up to which BoAmps calls a report so."""
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:watt-for-what")
_LEARNING = {"supervised": "supervisedLearning", "distill": "supervisedLearning"}
_MOST_BYTES = 150
"""Of a model's name in a file's name."""
_READ = frozenset(("counter", "rapl", "absent"))
_INFRASTRUCTURE = "infrastructure.infraType (give infrastructure.kind in --facts)"


def export(runs: Sequence[RunFacts], site: SiteFacts) -> Export:
    """The measured window of each phase: BoAmps reports what was measured. A file without the
    required `infrastructure.infraType` is written too, and says so in what was left out."""
    left_out: dict[str, None] = {}
    files: dict[str, str | bytes] = {}
    ids = short_ids(runs)
    for run in runs:
        for phase in run.phases:
            why = why_no_energy(phase)
            if phase.energy_kwh is None or why is not None:
                left_out[f"{run.model}: {why}"] = None
                continue
            if not _components(run, site, left_out):
                problem = f"{phase.phase} of {run.model}: its log or record names no hardware"
                left_out[f"{problem}, and infrastructure.components cannot be empty"] = None
                continue
            report = _report(run, phase, phase.energy_kwh, site, left_out)
            model = run.model.replace("/", "_").encode()[:_MOST_BYTES].decode(errors="ignore")
            name = f"boamps-{model}-{ids[run.run_id]}-{phase.phase}.json"
            files[name] = json.dumps(report, indent=1) + "\n"
    return Export(files, tuple(left_out))


def _report(
    run: RunFacts, phase: PhaseFacts, kwh: float, site: SiteFacts, left_out: dict[str, None]
) -> dict[str, Any]:
    report = {
        "header": _header(run, phase, site, left_out),
        "task": _task(run, phase, site, left_out),
        "measures": [_measure(run, phase, kwh, left_out)],
        "system": {"os": run.os} if run.os else None,
        "software": {"language": "python", "version": run.python} if run.python else None,
        "infrastructure": _infrastructure(run, site, left_out),
        "environment": _environment(run, site, left_out),
        "quality": _quality(phase, left_out),
    }
    return _known(report)


def _header(
    run: RunFacts, phase: PhaseFacts, site: SiteFacts, left_out: dict[str, None]
) -> dict[str, Any]:
    header: dict[str, Any] = {
        "formatVersion": VERSION,
        "reportId": report_id(run, phase),
        "reportDatetime": _stamp(run.ended_at),
        "reportStatus": "final",
    }
    if site.publisher is None:
        left_out["header.publisher (give publisher in --facts)"] = None
        return _known(header)
    publisher = site.publisher
    if publisher.confidentiality is None:  # which the schema requires of a publisher
        left_out["header.publisher (give publisher.confidentiality in --facts)"] = None
        return _known(header)
    header["publisher"] = _known(
        {
            "name": publisher.name,
            "division": publisher.division,
            "projectName": publisher.project,
            "confidentialityLevel": publisher.confidentiality,
        }
    )
    return _known(header)


def _task(
    run: RunFacts, phase: PhaseFacts, site: SiteFacts, left_out: dict[str, None]
) -> dict[str, Any]:
    framework = run.framework
    algorithm = {
        "algorithmType": None if run.task_title == "unknown" else "deep learning",
        "algorithmName": name_of(run, site.model.name),
        "trainingType": _training_type(run, site, left_out) if phase.phase == "train" else None,
        "framework": framework,
        "frameworkVersion": run.versions.get(framework) if framework else None,
        "parametersNumber": None if run.params_m is None else run.params_m / 1000,
        "quantization": None if run.precision == "unknown" else run.precision,
    }
    data = {
        "dataUsage": "input",
        "dataType": run.sample if run.sample in ("image", "video") else "other",
        "dataQuantity": phase.num_samples or None,
        "dataSize": site.data_size_gb if phase.phase == "train" else None,
        "shape": f"({', '.join(map(str, run.input_shape))})" if run.input_shape else None,
    }
    words = [_step(run, phase), "energy of the measured window"]
    if run.scale != "full":
        words.append(f"scale={run.scale}")
    if run.phase_note is not None and phase.phase == "train":
        words.append(run.phase_note)
    words += phase.flags
    accuracy = phase.quality.get("top1_pct", phase.quality.get("miou_pct"))
    task = {
        "taskStage": "inference"
        if phase.phase == "test"
        else ("finetuning" if run.stage == "finetune" else "training"),
        "taskFamily": run.task_title.lower(),
        "nbRequest": (phase.num_samples or None) if phase.phase == "test" else None,
        "algorithms": [_known(algorithm)],
        "dataset": [_known(data)],
        "measuredAccuracy": None if accuracy is None else accuracy / 100,
        "taskDescription": "; ".join(words),
    }
    return _known(task)


def _step(run: RunFacts, phase: PhaseFacts) -> str:
    """`supervised step on ImageNet-1k, batch size 64`, without what nobody said."""
    kind = "inference" if phase.phase == "test" else "training"
    if phase.phase == "train" and (run.has_known_recipe or run.stage != "supervised"):
        kind = run.stage
    data = "" if run.dataset == "unknown" else f" on {run.dataset}"
    batch = "" if phase.batch_size is None else f", batch size {phase.batch_size}"
    return f"{kind} step{data}{batch}"


def _training_type(run: RunFacts, site: SiteFacts, left_out: dict[str, None]) -> str | None:
    """In BoAmps' words, which tell how a network learns and not whether it began anew: of a row of
    the paper's by its stage, else transfer where the user says that it was fine-tuned."""
    if site.model.training_type == "fine-tuning" or run.stage == "finetune":
        return "transferLearning"
    if run.has_known_recipe and run.stage in _LEARNING:
        return _LEARNING[run.stage]
    left_out["algorithms.trainingType: how the network learns is not recorded"] = None
    return None


def _measure(
    run: RunFacts, phase: PhaseFacts, kwh: float, left_out: dict[str, None]
) -> dict[str, Any]:
    sensors = phase.sensors
    idle = next((overhead for overhead in run.overheads if overhead.name == "idle"), None)
    return _known(
        {
            "measurementMethod": run.reader,
            "version": run.versions.get("codecarbon"),
            "cpuTrackingMode": sensors.get("cpu"),
            "gpuTrackingMode": sensors.get("gpu"),
            "powerCalibrationMeasurement": idle.energy_kwh if idle else None,
            "durationCalibrationMeasurement": idle.duration_s if idle else None,
            "powerConsumption": kwh,
            "measurementDuration": phase.duration_s,
            "measurementDateTime": _start(phase, left_out),
            "unit": "kWh",
            "interval": _interval(phase, kwh),
            "sensors": sensors_text(sensors) or None,
            "scope": f"measured window, {run.scope}",
        }
    )


def report_id(run: RunFacts, phase: PhaseFacts) -> str:
    """A UUID of this phase of this run, the same each time the report is made."""
    return str(uuid.uuid5(_NAMESPACE, f"boamps/{run.run_id}/{phase.phase}"))


def _start(phase: PhaseFacts, left_out: dict[str, None]) -> str | None:
    """When the phase began; an older record says it of the whole run alone, set-up included."""
    stamp = None if phase.started_at is None else _stamp(phase.started_at)
    if stamp is None:
        left_out[f"measurementDateTime of the {phase.phase} phase: the record has none"] = None
    return stamp


def _interval(phase: PhaseFacts, kwh: float) -> str | None:
    share = phase.relative_half_width
    if share is None:
        return None
    return f"± {share * kwh:.3g} kWh at {phase.confidence or 0.95:.0%}"


def _components(run: RunFacts, site: SiteFacts, left_out: dict[str, None]) -> list[dict[str, Any]]:
    components = []
    if run.gpu_name is not None:
        gpu: dict[str, Any] = {"componentType": "gpu", "nbComponent": run.num_devices}
        gpu |= {"componentName": run.gpu_name, "memorySize": site.gpu_memory_gib}
        components.append(_known(gpu))
    if run.num_nodes is None:
        left_out["infrastructure.components: CPU and RAM, of an unknown number of machines"] = None
        return components
    if run.cpu_model is not None:
        cpu = {"componentType": "cpu", "nbComponent": run.num_nodes, "componentName": run.cpu_model}
        components.append(cpu)
    if run.memory_gib is not None:
        components.append(
            {"componentType": "ram", "nbComponent": run.num_nodes, "memorySize": run.memory_gib}
        )
    return components


def _infrastructure(run: RunFacts, site: SiteFacts, left_out: dict[str, None]) -> dict[str, Any]:
    infrastructure: dict[str, Any] = {"components": _components(run, site, left_out)}
    if site.infrastructure is None:
        left_out[_INFRASTRUCTURE] = None
        return infrastructure
    own = site.infrastructure
    fields = {"infraType": own.kind, "cloudProvider": own.provider, "cloudInstance": own.instance}
    return _known(fields) | infrastructure


def _environment(
    run: RunFacts, site: SiteFacts, left_out: dict[str, None]
) -> dict[str, Any] | None:
    country = site.country or run.country_iso_code
    if country is None:
        left_out["environment.country (give country in --facts)"] = None
        return None
    factor = carbon.factor_kg_per_kwh(run, site)
    if factor is None:
        problem = f"environment.powerSourceCarbonIntensity: no factor of {country} is known"
        left_out[f"{problem} (give carbon_intensity_g_per_kwh in --facts)"] = None
    return _known(
        {
            "country": country,
            "location": site.location,
            "powerSource": site.power_source,
            "powerSourceCarbonIntensity": None if factor is None else factor * 1000,
        }
    )


def _quality(phase: PhaseFacts, left_out: dict[str, None]) -> str | None:
    """Only where every part was read by a counter, and its error is known with the sensor's own
    gain in it: noise alone would call a wrong sensor good."""
    share = phase.absolute_share
    modelled = sorted(name for name, how in phase.sensors.items() if how not in _READ)
    if share is None or modelled or not phase.sensors:
        why = f"{', '.join(modelled)} not counted" if modelled else "the sensor's gain is not known"
        left_out[f"quality of the {phase.phase} phase: its error is not known ({why})"] = None
        return None
    return next((word for limit, word in _QUALITY if share <= limit), None)


def _stamp(iso: str) -> str | None:
    """`YYYY-MM-DD HH:MM:SS`, UTC where the zone is known; None where it is no time."""
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return None
    moment = moment if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
