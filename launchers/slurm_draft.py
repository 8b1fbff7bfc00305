"""What a job has measured so far, written down now and then: all that is left where its node dies.

A draft is a whole record beside the run's own, as if the run had been cut off at that moment. It
goes when the run writes its record; else it becomes the record of that attempt.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from metering import atomic_file
from metering.code_version import code_version
from metering.host import host_facts
from metering.progress import Progress
from metering.record import Failure, Phase, PhaseRecord, Record, RecordError
from metering.record_file import from_json, to_json, write
from metering.record_host import Code, Host
from metering.scheduler import from_environment, job_id
from tasks.plan import Plan
from tasks.running import attempts
from tasks.running.execute import empty_record

NAME = ".draft.json"
KIND = "EndedWithoutNotice"
PERIOD_S = 20.0
SHARE = 0.002  # of the run's time, at most: it is spent between two blocks


class Drafter:
    """Called with all that a run says."""

    def __init__(self, plan: Plan, started_at: str) -> None:
        self._plan, self._started_at = plan, started_at
        self._phases: dict[Phase, PhaseRecord] = {}
        self._due_s = 0.0

    def __call__(self, news: Any) -> None:
        began_s = time.monotonic()
        if not isinstance(news, Progress) or began_s < self._due_s:
            return
        self._phases[news.phase] = news.so_far()
        failure = Failure(KIND, f"job {job_id()} ended without notice; its last draft is kept")
        record = dataclasses.replace(
            empty_record(self._plan, "interrupted", self._started_at, failure),
            code=Code(**code_version()),
            host=Host(**host_facts()),
            phases=dict(self._phases),
            overheads=tuple(news.overheads),
            scheduler=from_environment(),
        )
        atomic_file.write(self._plan.folder / NAME, to_json(record).encode())
        ended_s = time.monotonic()
        self._due_s = ended_s + max(PERIOD_S, (ended_s - began_s) / SHARE)


def forget(folder: Path) -> None:
    """The run has written its own record."""
    (folder / NAME).unlink(missing_ok=True)


def become_record(
    folder: Path, job: str | None = None, find_end: Callable[[str], str | None] = lambda _: None
) -> Record | None:
    """The draft takes the record's place, whose earlier one is put aside. job: only of this job;
    None: of any; find_end: SLURM's word for how a job ended before it began again. None where there
    is no such draft."""
    try:
        draft = from_json((folder / NAME).read_bytes())
    except (FileNotFoundError, RecordError):
        return None
    if job is not None and (draft.scheduler is None or draft.scheduler.job_id != job):
        return None
    end = find_end(draft.scheduler.job_id) if draft.scheduler is not None else None
    if end is not None and draft.failure is not None:
        draft = dataclasses.replace(draft, failure=dataclasses.replace(draft.failure, type=end))
    attempts.put_aside(folder)
    write(draft, folder)
    forget(folder)
    return draft
