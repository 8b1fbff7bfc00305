"""A fork server for the runs of a test, and real clusters: with accounting for most, without it
for those that ask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from launchers.children import Server
from tests.launchers.real_slurm import Cluster, cluster
from tests.launchers.slurm_site import Site


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """With the imports of classification; its children have one thread each."""
    made = Server(["classification"], {"OMP_NUM_THREADS": "1"})
    yield made
    made.close()


@pytest.fixture(scope="session")
def slurm_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """With slurmdbd and counters of energy, until the session ends; only who asks for it reaches
    it."""
    with cluster(tmp_path_factory.mktemp("slurm"), Site(energy=True)) as made:
        yield made


@pytest.fixture
def slurm(slurm_cluster: Cluster) -> Iterator[Cluster]:
    """The cluster with slurmdbd, in the environment of this test."""
    with slurm_cluster.in_use():
        yield slurm_cluster


@pytest.fixture(scope="module")
def bare_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("bare-slurm"), Site(accounting=False)) as made:
        yield made


@pytest.fixture
def slurm_without_accounting(bare_cluster: Cluster) -> Iterator[Cluster]:
    """A cluster without slurmdbd, in the environment of this test."""
    with bare_cluster.in_use():
        yield bare_cluster
