"""The energy that a report about a trained model is of: the whole recipe where it is projected,
else the measured window, and the words that say which."""

from __future__ import annotations

import re
from dataclasses import dataclass

from analysis.export.report_facts import (
    MEASURED,
    PROJECTED,
    Basis,
    PhaseFacts,
    RunFacts,
    interval_text,
)
from analysis.records.codecarbon.energy_faults import energy_fault

_CALLABLE = re.compile(r"[A-Za-z_][\w.]*:(\w+)")
_CONFIG_FILE = re.compile(r"([~./].*/)?[^/]+\.py|<path>.*")
"""A user's own: a file, or what is left of its path in a bundle. A library's lies in a folder of
its own (`pspnet/pspnet_r101-d8.py`)."""


@dataclass(frozen=True)
class Stated:
    """kwh with its half-width; scope: `measured window` or `projected recipe`; words: for a
    reader, with what it rests on."""

    kwh: float
    half_width_kwh: float | None
    scope: Basis
    words: str


def stated(run: RunFacts, phase: PhaseFacts) -> Stated | None:
    """None where `why_no_energy` says why."""
    if why_no_energy(phase) is not None:
        return None
    if phase.phase == "train" and run.projection is not None:
        whole = run.projection
        epochs = "" if whole.num_epochs is None else f" ({whole.num_epochs:g} epochs)"
        projected = f"{PROJECTED}{epochs}: {interval_text(whole.kwh, whole.half_width_kwh, 'kWh')}"
        words = "; ".join(
            (f"{projected}, from {phase.samples_text} that were measured", *whole.notes)
        )
        return Stated(whole.kwh, whole.half_width_kwh, PROJECTED, words)
    assert phase.energy_kwh is not None
    half_width = phase.relative_half_width
    words = (
        f"{MEASURED}: {phase.energy_kwh:.4g} kWh for {phase.samples_text}, {_extent(run, phase)}"
    )
    if run.phase_note is not None and phase.phase == "train":
        words += f"; {run.phase_note}"
    width = None if half_width is None else half_width * phase.energy_kwh
    return Stated(phase.energy_kwh, width, MEASURED, words)


def why_no_energy(phase: PhaseFacts) -> str | None:
    """Why a report can have no energy of the phase: none was read, or what was read is wrong."""
    fault = energy_fault(phase.flags)
    if fault is not None:
        return f"energy of the {phase.phase} phase: {fault}"
    return f"{phase.phase}: no energy was read" if phase.energy_kwh is None else None


def _extent(run: RunFacts, phase: PhaseFacts) -> str:
    if run.is_whole and phase.num_samples:
        return f"all {'training' if phase.phase == 'train' else 'testing'} of the run"
    extent = "not known to be" if run.is_whole else "not"
    return f"{extent} a whole {'training' if phase.phase == 'train' else 'evaluation'}"


def name_of(run: RunFacts, site_name: str | None) -> str:
    """The model's name in a report: as it is handed out, else the network's, else the run's. Of
    code of the user's (`package.module:callable`) the name that was given to the run, if any; of a
    config file of the user's the run's, which says nothing of where the file lies."""
    own = _CALLABLE.fullmatch(run.network or "")
    is_named = own is not None and own[1] != run.model
    is_own_config = _CONFIG_FILE.fullmatch(run.network or "") is not None
    return site_name or (None if is_named or is_own_config else run.network) or run.model
