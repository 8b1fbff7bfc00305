"""The few lines that end a run at the terminal: what was measured, how, and how sure it is."""

from __future__ import annotations

from metering.record import Failure, PhaseRecord, Record
from tasks.running.execute import Outcome

_WORDS = {
    "counter": "hardware energy counter",
    "power": "integrated power samples",
    "rapl": "RAPL counter",
    "modelled": "modelled, not measured",
    "absent": "absent",
}


def summary_lines(outcome: Outcome) -> list[str]:
    """Lines for one finished, failed or reused run."""
    record = outcome.record
    head = f"{record.model} ({record.task}, {record.data}, batch {record.batch_size}, "
    head += f"{record.precision}, {record.hardware}"
    head += f", stage {record.stage}" if record.stage != "supervised" else ""
    head += ", small scale)" if record.setup.asked.scale == "small" else ")"
    if record.status != "finished":
        failure = record.failure
        message = first_line(failure) if failure else ""
        earlier = " earlier, not run again (retry_failed=true does)" if outcome.reused else ""
        return [f"{head}: {record.status}{earlier}: {message}", f"  see {outcome.folder}"]
    lines = [head + (": measured earlier, not run again" if outcome.reused else "")]
    for phase in record.phases.values():
        lines.append("  " + _phase_line(phase))
        lines += [f"    note: {flag}" for flag in phase.flags]
    lines += [f"  note: {note}" for note in (*record.notes, outcome.note) if note]
    lines.append("  sensors: " + _sensors(record))
    lines.append(f"  record: {outcome.folder / 'record.json'}")
    return lines


def first_line(failure: Failure) -> str:
    """Of its message; the error's type where it has none (`StopIteration`, an `assert`)."""
    return next(iter(failure.message.strip().splitlines()), failure.type)


def _phase_line(phase: PhaseRecord) -> str:
    energy, duration = phase.energy_kwh_per_sample, phase.duration_s_per_sample
    if energy is None or duration is None:
        return f"{phase.phase}: no block was measured ({phase.stop_reason})"
    spread = energy.relative_half_width
    interval = f"± {100 * spread:.1f} %" if spread is not None else "no interval (too few blocks)"
    rate = 1 / duration.mean if duration.mean else float("nan")
    line = (
        f"{phase.phase}: {3.6e6 * energy.mean:.4g} J a sample ({interval}), "
        f"{rate:.4g} samples/s, {energy.num_blocks} blocks"
    )
    if phase.stop_reason == "time_budget":
        line += ", stopped by meter.time_budget_s"
    for name, value in phase.quality.items():
        if name.endswith("_pct"):
            line += f", {name.removesuffix('_pct')} {value:.2f} %"
    return line


def _sensors(record: Record) -> str:
    phase = next(iter(record.phases.values()), None)
    if phase is None:
        return "none read"
    return "; ".join(
        f"{component.upper()} {_WORDS[sensor.how]}" for component, sensor in phase.sensors.items()
    )
