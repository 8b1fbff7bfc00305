"""One factor changed is compared with the reference, at the interval of the ratio."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.estimates.combinations import combinations
from analysis.estimates.measured import Measured
from analysis.estimates.merge import merge
from analysis.estimates.savings import Saving, cheapest_shown, savings
from analysis.figures.savings import figure_savings
from analysis.records.load import load
from analysis.tables.savings import cheapest, cheapest_measured, markdown
from metering.record import Interval, Record, Sensor
from tests.analysis.sample_records import a_phase, a_record, put

ALMOST = (1e-6, 1.000001e-6)
MODELLED = {"gpu": "absent", "cpu": "modelled", "ram": "modelled"}


def run(kwh: float, half_width: float = 1e-8, pace: float = 1 / 320, **more: Any) -> Record:
    """A training at `kwh` and `pace` seconds per sample."""
    seconds = Interval(pace, pace / 100, num_blocks=10)
    phase = a_phase(kwh_per_sample=kwh, half_width=half_width, duration_s_per_sample=seconds)
    return a_record(phases={"train": phase}, **more)


def rows_of(folder: Path, *records: Record) -> list[Measured]:
    """With another network that was measured twice: runs hardly differ."""
    twice = [run(kwh, pace=1e6 * kwh / 320, model="convnext_t") for kwh in ALMOST]
    return merge(load([put(folder, *records, *twice)]).frame)


def compared(folder: Path, *records: Record) -> list[Saving]:
    return savings(rows_of(folder, *records))


def test_a_switch_that_saves_is_shown_with_its_interval(tmp_path):
    saving = compared(
        tmp_path,
        run(1e-6),
        run(0.8e-6, compile=True),
        run(1.005e-6, channels_last=False),
        run(1.3e-6, batch_size=8),
    )
    assert [(tuple(one.changed.items()), one.verdict) for one in saving] == [
        ((("compile", (False, True)),), "saves"),
        ((("channels_last", (True, False)),), "not shown"),
        ((("batch_size", (32, 8)),), "costs more"),
    ]
    ratio = saving[0].energy
    assert ratio is not None
    assert ratio.value == pytest.approx(0.8)
    # Fieller: half-widths 1 % of the reference, 0.01 / 0.8 of the switched
    assert (ratio.low, ratio.high) == pytest.approx((0.8 - 0.0128, 0.8 + 0.0128), abs=3e-4)


def test_the_reference_is_the_middle_of_the_star_whatever_came_first(tmp_path):
    saving = compared(
        tmp_path,
        run(1.3e-6, batch_size=8, precision="bf16"),
        run(0.9e-6, batch_size=8),
        run(1e-6, precision="bf16"),
        run(1e-6, batch_size=8, compile=True),
        run(1e-6, batch_size=8, channels_last=False),
    )
    assert all(one.changed.get("batch_size", (8, 0))[0] == 8 for one in saving)
    assert sum(one.is_combination for one in saving) == 1


def test_nothing_is_said_to_save_where_nobody_knows_how_much_runs_differ(tmp_path):
    rows = merge(load([put(tmp_path, run(1e-6), run(0.8e-6, compile=True))]).frame)
    (one,) = savings(rows)
    assert one.verdict == "not repeated"
    assert "measure with repeats=3" in markdown([one], [])
    assert combinations(rows) == []
    assert cheapest_shown(rows, rows[0].setup) == []


def test_the_cheapest_setting_is_the_largest_saving_that_is_shown(tmp_path):
    rows = rows_of(
        tmp_path,
        run(1e-6),
        run(0.8e-6, compile=True),
        run(0.7e-6, half_width=4e-7, batch_size=8),
        run(0.95e-6, channels_last=False),
    )
    (one,) = cheapest_shown(rows, rows[0].setup)
    line = cheapest_measured(one)
    assert line.startswith(
        "train: the cheapest setting of swin_t measured on NVIDIA RTX A6000 is "
        "compile false -> true: -20.0 %"
    )
    assert line.endswith("electricity a sample, the largest of 3 compared")


def test_lines_of_two_machines_name_both(tmp_path):
    """One machine gains from a larger batch, the other does not."""
    rows = rows_of(
        tmp_path,
        run(1e-6),
        run(0.7e-6, batch_size=64),
        run(0.9e-6, compile=True),
        run(1e-6, device="Tesla T4"),
        run(1.4e-6, device="Tesla T4", batch_size=64),
        run(0.8e-6, device="Tesla T4", compile=True),
        *(run(kwh, device="Tesla T4", model="vit_b") for kwh in ALMOST),
    )
    lines = markdown(savings(rows), combinations(rows)).splitlines()
    for device, best in (("NVIDIA RTX A6000", "batch_size=64"), ("Tesla T4", "compile=true")):
        (line,) = [line for line in lines if f"swin_t, train, on {device}: the best" in line]
        assert best in line
        assert sum(f"| {device} |" in line for line in lines) == 2
        (setup,) = [
            one.setup
            for one in rows
            if one.device == device
            and one.setup.asked.batch_size == 64
            and not one.setup.asked.compile
        ]
        (found,) = cheapest_shown(rows, setup)
        assert f"measured on {device} is" in cheapest_measured(found)


def test_studies_of_two_sizes_on_one_machine_name_the_size(tmp_path):
    records = [
        run(kwh, compile=compiled, input_size=(size, size))
        for size in (96, 224)
        for kwh, compiled in ((1e-6, False), (0.8e-6, True))
    ]
    assert {one.where for one in compared(tmp_path, *records)} == {
        "NVIDIA RTX A6000, input size (96, 96)",
        "NVIDIA RTX A6000, input size (224, 224)",
    }


def test_other_networks_data_and_devices_are_no_switch(tmp_path):
    records = (
        run(1e-6),
        run(1e-6, model="resnet18"),
        run(1e-6, device="Tesla T4"),
        run(1e-6, data_fraction=0.1),
    )
    assert compared(tmp_path, *records) == []


def test_energy_that_no_sensor_read_is_reported_as_time(tmp_path):
    plain = {"device": None, "num_devices": None, "sensors": MODELLED}

    def modelled(record: Record) -> Record:
        sensors = {name: Sensor(how) for name, how in MODELLED.items()}  # type: ignore[arg-type]
        phases = {name: replace(one, sensors=sensors) for name, one in record.phases.items()}
        return replace(record, phases=phases)

    records = [
        modelled(run(1e-6, pace=0.01, **plain)),
        modelled(run(0.5e-6, pace=0.008, compile=True, **plain)),
        *(modelled(run(kwh, pace=1e6 * kwh / 320, model="vit_b", **plain)) for kwh in ALMOST),
    ]
    (one,) = compared(tmp_path, *records)
    assert one.energy is None
    assert one.compared == one.time
    assert one.time is not None
    assert one.time.value == pytest.approx(0.8)
    text = markdown([one], [])
    assert "| modelled | -20.0 % (-21.1 to -18.9) | saves |" in text
    assert "no sensor read the device that computed" in text


def test_a_gpu_that_idled_beside_a_cpu_that_computed_is_no_sensor_of_the_network(tmp_path):
    sensors = {"gpu": "counter", "cpu": "modelled", "ram": "modelled"}
    on_cpu = {"device": None, "num_devices": None, "sensors": sensors}
    records = [
        run(1e-6, pace=0.01, **on_cpu),
        run(0.5e-6, pace=0.008, compile=True, **on_cpu),
        *(run(1e-6, model="vit_b", **on_cpu) for _ in range(2)),
    ]
    (one,) = compared(tmp_path, *records)
    assert one.energy is None and one.compared == one.time


def test_the_part_of_the_electricity_that_is_a_model_is_said(tmp_path):
    found = compared(tmp_path, run(1e-6), run(0.8e-6, compile=True))
    text = markdown(found, [])  # the RAM, a tenth
    assert "components that no sensor read, modelled from time and load: 10 % of" in text
    assert "modelled" not in markdown([replace(one, modelled_share=0.0) for one in found], [])


def test_a_line_whose_runs_are_flagged_is_marked(tmp_path):
    flagged = run(0.8e-6, compile=True)
    flag = "other processes took 90 % of the CPU time"
    phases = {name: replace(one, flags=(flag,)) for name, one in flagged.phases.items()}
    records = run(1e-6), replace(flagged, phases=phases), run(0.9e-6, batch_size=64)
    text = markdown(compared(tmp_path, *records), [])
    (line,) = [line for line in text.splitlines() if "compile false -> true" in line]
    assert "| saves † |" in line
    (line,) = [line for line in text.splitlines() if "batch_size 32 -> 64" in line]
    assert "†" not in line
    assert f"†: a run of this line or of its reference is flagged: {flag}." in text


def test_the_best_combination_takes_of_each_factor_the_value_that_saves_most(tmp_path):
    parts = (
        run(1e-6),
        run(0.8e-6, compile=True),
        run(0.9e-6, batch_size=64),
        run(0.7e-6, batch_size=128),
        run(1.2e-6, channels_last=False),
    )
    rows = rows_of(tmp_path / "parts", *parts)
    (best,) = combinations(rows)
    assert best.values == {"compile": True, "batch_size": 128}
    assert best.overrides == "compile=true batch_size=128"
    assert best.saving is None
    assert "together not measured" in cheapest(best)

    whole = *parts, run(0.6e-6, compile=True, batch_size=128)
    (best,) = combinations(rows_of(tmp_path / "whole", *whole))
    assert best.saving is not None
    assert "-40.0 %" in cheapest(best)


def test_nothing_is_recommended_where_nothing_is_shown_to_save(tmp_path):
    records = run(1e-6), run(0.999e-6, compile=True), run(1.2e-6, batch_size=8)
    assert combinations(rows_of(tmp_path, *records)) == []


def test_the_figure_has_a_panel_for_each_model_and_a_tick_for_each_switch(tmp_path):
    records = [
        run(kwh, model=model, compile=compiled)
        for model in ("swin_t", "resnet18")
        for kwh, compiled in ((1e-6, False), (0.8e-6, True))
    ]
    figure = figure_savings(compared(tmp_path, *records))
    assert len(figure.axes) == 2
    ticks = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert ticks == ["compile false -> true (saves)"]


def test_the_figure_cuts_no_title_and_no_label(tmp_path):
    cpu = "Intel(R) Xeon(R) Platinum 8480C Processor with many words"
    plain = {"device": None, "num_devices": None, "cpu_model": cpu, "sensors": MODELLED}
    more = {"batch_size": 64, "channels_last": False, "num_workers": 0, "num_threads": 1}
    records = [run(1e-6, **plain), run(0.9e-6, **plain, compile=True)]
    figure = figure_savings(compared(tmp_path, *records, run(0.8e-6, **plain, **more)))
    figure.savefig(tmp_path / "savings.png")
    for axes in figure.axes:
        for text in (axes.title, *axes.get_yticklabels()):
            box = text.get_window_extent()
            assert box.x0 >= 0 and box.x1 <= figure.bbox.x1, text.get_text()


def test_a_power_limit_is_a_factor(tmp_path):
    watts = (300.0, 200.0)  # runs differ in their own way under each
    records = (
        run(1e-6, power_limit_w=300.0),
        run(0.9e-6, power_limit_w=200.0),
        run(0.9e-6, power_limit_w=300.0, num_workers=2),
        *(run(kwh, model="vit_b", power_limit_w=limit_w) for limit_w in watts for kwh in ALMOST),
    )
    (best,) = combinations(rows_of(tmp_path, *records))
    assert best.overrides == (
        "data.num_workers=2 hardware.power_limit_w=200 hardware.allow_power_limit=true"
    )
