"""Runs as an export sees them, for the tests of this room: the window of the shared description."""

from __future__ import annotations

from typing import Any

from analysis.export.report_facts import Block, Overhead, PhaseFacts, Projection, RunFacts
from analysis.export.site_facts import (
    Baseline,
    Embodied,
    Infrastructure,
    ModelPage,
    Publisher,
    SiteFacts,
    Supplier,
)


def a_window(phase: str = "train", **more: Any) -> PhaseFacts:
    """88 samples in 11.877 s and 7.2452e-05 kWh, read on a CPU."""
    values: dict[str, Any] = {
        "phase": phase,
        "num_samples": 88,
        "duration_s": 11.877,
        "energy_kwh": 7.2452e-05,
        "gpu_kwh": None,
        "cpu_kwh": 2.2452e-05,
        "ram_kwh": 5e-05,
        "kwh_per_sample": 8.2332e-07,
        "kwh_half_width": 4.1e-08,
        "s_per_sample": 0.13497,
        "s_half_width": 0.001,
        "confidence": 0.95,
        "emissions_kg_co2eq": 1.7214e-05,
        "sensors": {"gpu": "absent", "cpu": "rapl", "ram": "modelled"},
        "batch_size": 8,
        "blocks": (
            Block(1, "measured", "", 0.0, 11.877, 11, 88, None, 2.2e-05, 5e-05, None, 2.2452e-05,
                  None, 0.1),
        ),
    }  # fmt: skip
    return PhaseFacts(**(values | more))


def a_run(**more: Any) -> RunFacts:
    values: dict[str, Any] = {
        "run_id": "a3ca919bac74c447a3ca919bac74c447",
        "status": "finished",
        "task": "classification",
        "task_title": "Image classification",
        "sample": "image",
        "model": "swin_t",
        "network": "swin_tiny_patch4_window7_224",
        "stage": "supervised",
        "dataset": "ImageNet-1k",
        "precision": "fp32",
        "scale": "full",
        "started_at": "2026-11-23T22:19:55.000+00:00",
        "ended_at": "2026-11-23T22:20:39.123+00:00",
        "reader": "watt-for-what 0.1.0 with CodeCarbon 3.3.2",
        "cpu_model": "AMD EPYC",
        "memory_gib": 23.5,
        "os": "Linux",
        "python": "3.11.7",
        "versions": {"codecarbon": "3.3.2", "timm": "1.0.31"},
        "framework": "timm",
        "params_m": 28.278,
        "gmacs": 4.5,
        "input_shape": (3, 96, 96),
        "country_iso_code": "GBR",
        "kg_co2eq_per_kwh": 0.237589,
        "factor_source": "CodeCarbon, global_energy_mix.json, 2023",
        "phases": (a_window(), a_window("test", kwh_per_sample=2.5181e-07)),
        "projection": Projection(316.4, 15.8, 14_409.0, 1_281_167 * 300.0, 300.0),
        "overheads": (Overhead("idle", 1.0, 5e-6),),
    }
    return RunFacts(**(values | more))


def a_site(**more: Any) -> SiteFacts:
    """Every fact given."""
    values: dict[str, Any] = {
        "publisher": Publisher("Lab", url="https://example.org", confidentiality="public"),
        "supplier": Supplier("EDF", "nuclear"),
        "infrastructure": Infrastructure("onPremise"),
        "location": "Rennes, France",
        "country": "FRA",
        "pue": 1.2,
        "carbon_intensity_g_per_kwh": 50.0,
        "carbon_intensity_source": "the supplier's contract",
        "embodied": Embodied(150.0, 4.0, "maker's data sheet"),
        "baseline": Baseline("ResNet-50", 4.11660e-07, 1.25905e-07),
        "model": ModelPage(
            "Swin-T", "1", "https://example.org/swin_t.pth", "2026-11-23T22:20:39+00:00"
        ),
        "data_size_gb": 150.0,
    }
    return SiteFacts(**(values | more))
