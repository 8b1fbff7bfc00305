"""A fork server for the runs of a test, and real clusters: with accounting for most, without it
for those that ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from launchers.children import Server
from tests.launchers.real_slurm import cluster


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """With the imports of classification; its children have one thread each."""
    made = Server(["classification"], {"OMP_NUM_THREADS": "1"})
    yield made
    made.close()


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """SLURM_CONF of a cluster with slurmdbd, in the environment until the session ends."""
    with cluster(tmp_path_factory.mktemp("slurm"), accounting=True) as conf:
        yield conf


@pytest.fixture(scope="module")
def slurm_without_accounting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The same without slurmdbd, in the environment while one module's tests run."""
    with cluster(tmp_path_factory.mktemp("bare-slurm"), accounting=False) as conf:
        yield conf
