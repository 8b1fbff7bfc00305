"""Records without names as a run leaves them: each in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from metering.record import FILE_NAME, Record
from metering.record_file import write


def write_folders(records: Iterable[Record], target: Path) -> None:
    """`target/<task>/<model>/<hardware>/<identity>/record.json`, `-N` behind the identity of a
    repetition. A record that lies there already is another's only where its run is another: then
    the run's id is added. Raises `OSError`."""
    for record in records:
        number = "" if record.repetition == 1 else f"-{record.repetition}"
        name = record.identity + number
        folder = target / record.task / record.model.replace("/", "_") / record.hardware / name
        if (folder / FILE_NAME).exists() and record.run_id not in (folder / FILE_NAME).read_text():
            folder = folder.with_name(f"{name}.{record.run_id[:8]}")
        write(record, folder)
