"""What every benchmark answers: ratios with their goals, printed and kept as JSON."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

VERSIONS_OF = ("torch", "timm", "hydra-core", "codecarbon", "submitit", "pandas", "pydantic")


@dataclass(frozen=True)
class Result:
    """claim: what is said to hold; value: what was measured, in `unit` (a ratio where empty);
    goal: the bound, with the side that is good; detail: the numbers behind it."""

    claim: str
    value: float
    goal: float
    better: Literal["at least", "at most"]
    unit: str = ""
    detail: str = ""

    @property
    def held(self) -> bool:
        if self.better == "at least":
            return self.value >= self.goal
        return self.value <= self.goal


def parser(text: str | None) -> argparse.ArgumentParser:
    """Options of every benchmark: `--out FOLDER` keeps the results, `--quick` measures less."""
    made = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--out", type=Path, help="write NAME.json into this folder")
    made.add_argument("--quick", action="store_true", help="a short run that shows it works")
    return made


def report(name: str, results: Sequence[Result], options: argparse.Namespace) -> None:
    """Print the table and, with `--out`, write `<out>/<name>.json`."""
    print(table(results))
    if options.out is None:
        return
    options.out.mkdir(parents=True, exist_ok=True)
    kept = {
        "name": name,
        "quick": options.quick,
        **circumstances(),
        "results": [asdict(result) | {"held": result.held} for result in results],
    }
    path = options.out / f"{name}.json"
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def table(results: Sequence[Result]) -> str:
    """One line per claim: claim | measured | goal | held?"""
    sign = {"at least": ">=", "at most": "<="}
    lines = ["| claim | measured | goal | held? |", "|---|---|---|---|"]
    for result in results:
        measured = f"{result.value:.4g} {result.unit}".strip()
        goal = f"{sign[result.better]} {result.goal:.4g} {result.unit}".strip()
        detail = f" ({result.detail})" if result.detail else ""
        held = "yes" if result.held else "NO"
        lines.append(f"| {result.claim}{detail} | {measured} | {goal} | {held} |")
    return "\n".join(lines)


def circumstances() -> dict[str, Any]:
    """Host, date and versions, without which a measured number says nothing."""
    from metering.code_version import code_version
    from metering.host import cpu_model, gpu_states

    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": {
            "cpu_model": cpu_model(),
            "num_cores": len(os.sched_getaffinity(0)),
            "gpus": [state["name"] for state in gpu_states()],
            "system": platform.system(),
            "load_average": os.getloadavg()[0],
        },
        "versions": {
            "python": platform.python_version(),
            "code": code_version(),
            **{name: importlib.metadata.version(name) for name in VERSIONS_OF},
        },
    }
