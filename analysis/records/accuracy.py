"""Which accuracy a record can show: of labels that mean something, over the whole test set."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.records.describe import dataset_of
from metering import catalogue
from metering.record import PhaseRecord, Record, RecordError

EMBEDDED = "no accuracy: the labels of embedded files mean nothing"
_NUM = "num_test_samples"
_SHARES = ("accuracy", "miou")


@dataclass(frozen=True)
class Quality:
    """values: what a phase found out, by name, without an accuracy that shows nothing; note: why
    one was left out, empty where none was."""

    values: dict[str, float]
    note: str = ""


def refuse_impossible(phase: PhaseRecord) -> None:
    """Raises `RecordError` for a quality that cannot be."""
    where = f"phases.{phase.phase}.quality"
    for name, value in phase.quality.items():
        most = 100 if name.endswith("_pct") else 1 if name in _SHARES else None
        if most is not None and not 0 <= value <= most:
            raise RecordError(f"{where}.{name}: {value} is not in 0..{most}; measure it again")
    num = phase.quality.get(_NUM)
    if num is not None and not (num >= 1 and num == int(num)):
        raise RecordError(f"{where}.{_NUM}: {num:g} is no number of samples; measure it again")


def quality_of(record: Record, phase: PhaseRecord) -> Quality:
    """The quality of a phase that may be shown: an accuracy on embedded files is none, nor is one
    over a part of the test set, of a public set as it is published, else of the user's own where
    its size is known."""
    if not any(map(_is_accuracy, phase.quality)):
        return Quality(phase.quality)
    note = _why_not(record, phase.quality.get(_NUM))
    if not note:
        return Quality(phase.quality)
    kept = {
        name: value
        for name, value in phase.quality.items()
        if not _is_accuracy(name) and name != _NUM
    }
    return Quality(kept, note)


def _is_accuracy(name: str) -> bool:
    return name.endswith("_pct") or name in _SHARES


def _why_not(record: Record, num_tested: float | None) -> str:
    data = record.setup.asked.data
    named = catalogue.data_set(data.name)
    if data.origin == "embedded" or (named is not None and named.stands_in_for is not None):
        return EMBEDDED
    known = catalogue.data_set(dataset_of(record.setup.asked))
    num_test = known.num_test if known is not None and known.num_test else data.num_test
    if num_tested is not None and num_test is not None and num_tested < num_test:
        return f"no accuracy: {num_tested:.0f} of the {num_test} test samples were seen"
    return ""
