"""One run on one page: what, where, how much, how sure, in full, and what is uncertain."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.estimates.accounting import Costs
from analysis.estimates.measured import NOT_REPEATED, Measured
from analysis.estimates.rates import MeasuredRate
from analysis.published import facts as published
from analysis.records.describe import dataset_of, device_of, variant_of
from analysis.show import crosscheck
from analysis.show.find import Named
from analysis.show.settings import cheapest_lines
from analysis.tables.epochs import epochs_of
from analysis.tables.lines import DEFAULTS, Line, measured_line
from analysis.tables.numbers import absent, plain, with_interval
from analysis.tables.own import J_PER_KWH
from analysis.tables.shape_rates import short_sensors
from metering.error_budget import ErrorBudget
from metering.record import PhaseRecord, Record
from metering.used import used

Section = tuple[str, list[str]]
NO_FACTOR = "no kg CO2eq: nobody said whose electricity it is (hardware.country_iso_code)"
_TERMS = {
    "noise": "noise between blocks",
    "drift": "power that still drifted",
    "gap": "idle time at the edges of blocks",
    "lag": "lag of the counter",
    "latency": "instants at which counters were read",
    "unseen": "heat that a short window cannot see",
}


def page(run: Named) -> list[Section]:
    """Headings with their lines. `run`: a single one."""
    return [
        ("What", list(_what(run))),
        ("Where", list(_where(run))),
        ("How much", list(_how_much(run))),
        ("The whole recipe", list(_whole_recipe(run))),
        ("What is uncertain, and why", list(_uncertain(run))),
    ]


def _what(run: Named) -> Iterator[str]:
    row = run.frame.iloc[0]
    setup = row["setup"]
    asked = setup.asked
    variant = variant_of(setup)
    yield (
        f"{asked.model} on {dataset_of(asked)} ({asked.task}), stage {asked.stage}, batch "
        f"{asked.batch_size or 'unknown'}, {asked.precision}" + (f", {variant}" if variant else "")
    )
    if (kept := asked.data.options.get("kept_batches")) is not None:
        yield (
            f"data: {asked.data.name}, {kept} batches kept on the device; reading and decoding are "
            "in no number, so it is the network's part of the cost"
        )
    elif asked.data.origin == "embedded":
        yield f"data: {asked.data.name}, files of the suite's own in a real set's place"
    if run.measured is not None and run.measured.paper_row:
        yield f"row of the paper: {run.measured.paper_row}"
    facts = [
        f"{plain(row[name])} {unit}"
        for name, unit in (("params_m", "M parameters"), ("gmacs", "GMACs"))
        if not absent(row[name])
    ]
    if facts:
        yield ", ".join(facts)
    yield f"run {row['run_id']}, {row['status']}, began {row['started_at']}"
    if isinstance(row["failure"], str):
        yield f"it has no result: {row['failure']}"
    yield f"{row['path']}"


def _where(run: Named) -> Iterator[str]:
    row = run.frame.iloc[0]
    yield f"{device_of(row['setup'])} (profile {row['hardware']})"
    for record in run.records:
        host, found = record.host, record.setup.found
        machine = (
            host.hostname and f"host {host.hostname}",
            found and found.cpu_model,
            host.num_cpus and f"{host.num_cpus} CPUs",
            record.code.version and f"suite {record.code.version}",
        )
        yield ", ".join(part for part in machine if part) or "the machine is not named"


def _how_much(run: Named) -> Iterator[str]:
    measured = run.measured
    if measured is None:
        yield from _until_it_ended(run)
    yield from _used(run)
    if measured is None:
        return
    for (_, phase), rate in measured.rates.items():
        yield from _rate(run, phase, rate)
    yield from cheapest_lines(run)


def _is_whole(run: Named) -> bool:
    """Whether a whole training or program was measured, and not a part that stands for it."""
    modes = [record.setup.asked.protocol.get("mode") for record in run.records]
    return bool(modes) and all(mode in ("whole", "exec") for mode in modes)


def _until_it_ended(run: Named) -> Iterator[str]:
    """Of runs that were not measured to their end: what each phase gave until then."""
    phases = [phase for record in run.records for phase in record.phases.values() if phase.readings]
    if not phases:
        yield "nothing was measured"
        return
    if any(record.status != "finished" for record in run.records):
        yield "it was not measured to its end; until then:"
    for phase in phases:
        num_blocks = len([block for block in phase.readings if block.use == "measured"])
        num_samples = sum(block.num_samples for block in phase.readings)
        if num_samples == 0:
            continue
        yield (
            f"{phase.phase:<6} {_rate_so_far(phase)}, {num_samples} samples, "
            f"{num_blocks} measured blocks of {len(phase.readings)}"
        )


def _rate_so_far(phase: PhaseRecord) -> str:
    rate = phase.energy_kwh_per_sample
    if rate is None:
        return "no rate yet"
    spread = rate.relative_half_width
    half_width = None if spread is None else J_PER_KWH * spread * rate.mean
    sure = "no interval yet" if half_width is None else "95 %, of this part"
    return f"{with_interval(J_PER_KWH * rate.mean, half_width)} J a sample ({sure})"


def _used(run: Named) -> Iterator[str]:
    """What a whole training or program used, or a run that was not measured to its end: no
    estimate."""
    if not (_is_whole(run) or run.measured is None) or not run.records:
        return
    parts = {name: energy.total_kwh for name, energy in used(run.records).items()}
    known = {name: kwh for name, kwh in parts.items() if kwh is not None}
    if not known:
        return
    durations_s = [overhead.duration_s for record in run.records for overhead in record.overheads]
    for record in run.records:
        durations_s += [block.duration_s for of in record.phases.values() for block in of.readings]
    yield f"used in all: {plain(sum(known.values()))} kWh in {plain(sum(durations_s))} s"
    if len(known) > 1:
        yield "  " + ", ".join(f"{name} {plain(kwh)} kWh" for name, kwh in known.items())


def _rate(run: Named, phase: str, rate: MeasuredRate) -> Iterator[str]:
    half_width = None if rate.half_width is None else J_PER_KWH * rate.half_width
    sure = (
        f"95 %, {rate.basis}" if half_width is not None else f"no interval: {rate.why_no_interval}"
    )
    joules = with_interval(J_PER_KWH * rate.kwh_per_sample, half_width)
    yield f"{phase:<6} {joules} J a sample ({sure})"
    if rate.s_per_sample:
        power_w = J_PER_KWH * rate.kwh_per_sample / rate.s_per_sample
        yield f"       {plain(1 / rate.s_per_sample)} samples/s at {plain(power_w)} W"
    rows = run.frame[run.frame["phase"] == phase]
    if rows.empty:
        return
    row = rows.iloc[0]
    if row["energy_kwh"]:
        parts = [
            f"{name.upper()} {100 * row[f'{name}_kwh'] / row['energy_kwh']:.0f} % "
            f"({row[f'{name}_sensor']})"
            for name in ("gpu", "cpu", "ram")
            if not absent(row[f"{name}_kwh"])
        ]
        yield f"       {', '.join(parts)}"
    blocks = "" if absent(row["num_blocks"]) else f"{row['num_blocks']:.0f} blocks, "
    yield f"       {blocks}{row['num_samples']:.0f} samples, ended by {row['stop_reason']}"
    if not absent(row["accuracy_pct"]):
        yield f"       accuracy {plain(row['accuracy_pct'])} %"


def line_of(measured: Measured) -> Line:
    """The table's line of `measured`: the published row of its name, and ours."""
    base = Line({"model": measured.name, "dataset": measured.dataset})
    if measured.paper_row:
        for name in ("train_kwh", "gqi", "test_kwh", "top1_pct", "miou_pct"):
            value = published.value(measured.paper_row, measured.dataset, name)
            if value is not None:
                base.values[f"published_{name}"] = value
    return measured_line(base, measured, DEFAULTS.costs([measured]), DEFAULTS)


def _whole_recipe(run: Named) -> Iterator[str]:
    measured = run.measured
    if measured is None:
        yield f"no estimate: {_why_no_result(run)}"
        return
    line = line_of(measured)
    values = line.values
    estimated = Costs([measured]).estimate(measured)
    if estimated.kwh is None:
        yield f"no estimate: {'; '.join(estimated.missing)}"
    else:
        total = with_interval(estimated.kwh.value, estimated.kwh.half_width)
        yield f"{total} kWh for the whole recipe:"
        for part in estimated.parts:
            note = f" ({part.note})" if part.note else ""
            yield f"  {part.name:<12} {plain(part.kwh.value):>9} kWh, {part.origin}{note}"
        if text := _epochs(measured):
            yield text
    yield from _emissions(line)
    if (test_kwh := values.get("estimated_test_kwh")) is not None:
        half_width = values.get("estimated_test_kwh_half_width")
        yield f"{with_interval(test_kwh, half_width)} kWh for one pass over the test set"
    if (gqi := values.get("estimated_gqi")) is not None:
        origin = values["estimated_gqi_accuracy"]
        interval = with_interval(gqi, values.get("estimated_gqi_half_width"))
        yield f"GQI {interval}, with the {origin} accuracy"
    if (kwh := values.get("published_train_kwh")) is not None:
        yield f"the paper: {plain(kwh)} kWh, GQI {values.get('published_gqi', 'not legible')}"


def _why_no_result(run: Named) -> str:
    if all(record.status == "finished" for record in run.records):
        return "no samples are known"
    return "it was not measured to its end"


def _emissions(line: Line) -> Iterator[str]:
    if line.values.get("estimated_train_kwh") is None:
        return
    note = line.notes.get("estimated_train_kg_co2eq", NO_FACTOR)
    kg = line.values.get("estimated_train_kg_co2eq")
    yield note if kg is None else f"{plain(kg)} kg CO2eq ({note})"


def _epochs(measured: Measured) -> str:
    """Both numbers of epochs, where ours are not those that the paper's total implies."""
    epochs = epochs_of(measured, DEFAULTS.accounting)
    return "" if epochs is None else epochs.note(measured.dataset)


def _uncertain(run: Named) -> Iterator[str]:
    measured = run.measured
    if measured is None:
        yield f"all of it: {_why_no_result(run)}"
    else:
        line = line_of(measured)
        sensors = measured.train_rate or measured.test_rate
        yield f"tier {measured.tier}: {short_sensors(sensors.sensors) if sensors else 'no sensor'}"
        share = line.values.get("estimated_published_share_pct") or 0.0
        if share:
            yield f"{share:.3g} % of the estimate is published by others: no interval"
        # flags are named with their phase below, what the estimate lacks and its epochs above
        phases = [phase for record in run.records for phase in record.phases.values()]
        above = {"", _epochs(measured), *Costs([measured]).estimate(measured).missing}
        elsewhere = above.union(*(phase.flags for phase in phases))
        for column in ("model", "estimated_train_kwh", "estimated_gqi"):
            notes = line.notes.get(column, "").split("; ")
            yield from (_of_one_run(text) for text in notes if text not in elsewhere)
        yield from crosscheck.lines_of(run)
    for record in run.records:
        yield from _of_record(record)


def _of_one_run(note: str) -> str:
    """Of a page on one run nobody can tell whether others repeated it."""
    return note.replace(NOT_REPEATED, "what differs from run to run is not in it")


def _of_record(record: Record) -> Iterator[str]:
    for name, phase in record.phases.items():
        yield from (f"{name}: {flag}" for flag in phase.flags)
        if phase.error_budget is not None:
            yield from (f"{name}: {text}" for text in budget_lines(phase.error_budget))
    yield from record.notes
    yield from record.facts.notes


def budget_lines(budget: ErrorBudget) -> Iterator[str]:
    """The meter's error in words: its terms, and the two intervals. What one run shows of another
    on its board is in its terms; how much runs differ beyond that, only repeated runs show."""
    terms = [
        f"{words} {100 * getattr(budget, term):.2g} %"
        for term, words in _TERMS.items()
        if getattr(budget, term)
    ]
    if terms:
        yield f"error of the meter: {', '.join(terms)}"
    repeat = "not known" if budget.repeat is None else f"± {100 * budget.repeat:.2g} %"
    yield f"together, without what differs from run to run: {repeat}"
    if budget.absolute is not None:
        yield f"a meter at the plugs: ± {100 * budget.absolute:.2g} % ({budget.absolute_note})"
    else:
        yield f"a meter at the plugs: {budget.absolute_note or 'not known'}"
    if budget.modelled_share:
        yield f"{100 * budget.modelled_share:.0f} % of the energy is a model's: no interval"
