"""RAPL energy counters of the CPU package and its memory, through Linux's powercap files."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


@dataclass(frozen=True)
class Domain:
    """One counter: `package-0`, `dram`; it wraps at `range_uj`."""

    name: str
    path: Path
    range_uj: int


def readable_domains(root: Path = POWERCAP) -> tuple[Domain, ...]:
    """Package and DRAM domains whose counters this process may read (root only, by default)."""
    domains = []
    for folder in sorted(root.glob("intel-rapl:*")):
        try:
            name = (folder / "name").read_text().strip()
            domain = Domain(name, folder / "energy_uj", _integer(folder / "max_energy_range_uj"))
            _integer(domain.path)
        except (OSError, ValueError):
            continue
        if name.startswith("package") or name == "dram":
            domains.append(domain)
    return tuple(domains)


def moving(domains: tuple[Domain, ...], patience_s: float = 0.1) -> tuple[Domain, ...]:
    """Those whose counters move; some virtual machines show ones that never do."""
    first = {domain: _integer(domain.path) for domain in domains}
    counting: set[Domain] = set()
    deadline = time.monotonic() + patience_s
    while len(counting) < len(domains) and time.monotonic() < deadline:
        counting |= {domain for domain in domains if _integer(domain.path) != first[domain]}
    return tuple(domain for domain in domains if domain in counting)


def present(root: Path = POWERCAP) -> bool:
    """Whether the machine has RAPL at all, readable or not."""
    return any(root.glob("intel-rapl:*"))


class RaplEnergy:
    """Counters of `domains`; differences are taken with their wrap-around."""

    def __init__(self, domains: tuple[Domain, ...]) -> None:
        self.domains = domains

    def read_uj(self) -> dict[Domain, int]:
        return {domain: _integer(domain.path) for domain in self.domains}

    def between_j(self, before: dict[Domain, int], after: dict[Domain, int]) -> dict[Domain, float]:
        """Joules of each domain."""
        return {
            domain: (after[domain] - before[domain]) % (domain.range_uj + 1) / 1e6
            for domain in self.domains
        }


def _integer(path: Path) -> int:
    return int(path.read_text())
