"""A run's preview as Hydra's `run_job` would make it, without its four deep copies of the config,
which take most of the time of a sweep's `dry_run`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig


def suits(config: DictConfig) -> bool:
    """Whether the job changes nothing of its process: neither folder nor environment."""
    job = config.hydra.job
    return not job.chdir and not job.env_set


def run(task_function: Callable[[DictConfig], Any], config: DictConfig) -> JobReturn:
    """`config`, of the run and with Hydra's settings, is handed over as it is."""
    sweep = config.hydra.sweep
    config.hydra.runtime.output_dir = os.path.abspath(os.path.join(sweep.dir, sweep.subdir))
    with as_job(config):
        try:
            return JobReturn(status=JobStatus.COMPLETED, _return_value=task_function(config))
        except Exception as error:  # as Hydra's: the other runs go on
            return JobReturn(status=JobStatus.FAILED, _return_value=error)


@contextmanager
def as_job(config: DictConfig) -> Iterator[None]:
    """With `${hydra:job.num}` and the like as they are in `config`."""
    hydra: Any = HydraConfig.instance()
    before, hydra.cfg = hydra.cfg, config
    try:
        yield
    finally:
        hydra.cfg = before
