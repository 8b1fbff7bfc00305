"""The rules of the house: which room may import which, and how long a file may be."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests import import_graph
from tests.import_graph import ROOT, graph, ours, sources

# A module may import its own room, and the rooms named here. The longest prefix of a module's
# name says which room it is in; what else stands under `tasks.` is a task.
_CONTRACT = ("tasks.plan", "tasks.protocol", "tasks.errors")
_FACTS = ("analysis.published", "analysis.independent")
_SHOWN = ("analysis.tables", "analysis.figures", "analysis.claims")
_ESTIMATES = ("analysis.errors", "analysis.records", *_FACTS)
# what a record is, how it is read, and the plain functions that read one
_RECORD = (
    "metering.record",
    "metering.record_file",
    "metering.json_values",
    "metering.atomic_file",
    "metering.record_host",
    "metering.bounds",
    "metering.setup",
    "metering.catalogue",
    "metering.block",
    "metering.used",
    "metering.settings",
    "metering.statistics",
    "metering.error_budget",
    "metering.emissions",
)

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "metering": (),
    "tasks.errors": (),
    "tasks.patches": (),
    "tasks.network_facts": (),
    "tasks.config": ("metering", *_CONTRACT),
    "tasks.plan": ("metering", "tasks.config", "tasks.errors"),
    "tasks.protocol": ("metering", *_CONTRACT),
    "tasks.data": ("metering", *_CONTRACT),
    "tasks.running": ("metering", *_CONTRACT),
    "tasks.terminal": ("metering", "tasks.config", "tasks.running", *_CONTRACT),
    "tasks.openmmlab": (
        "metering", "tasks.config", "tasks.data", "tasks.running", "tasks.patches",
        "tasks.network_facts", *_CONTRACT,
    ),
    "tasks": (
        "metering", "tasks.config", "tasks.data", "tasks.running", "tasks.patches",
        "tasks.openmmlab", "tasks.network_facts", *_CONTRACT,
    ),
    "launchers": ("metering", "tasks.config", "tasks.running", "tasks.terminal", *_CONTRACT),
    "analysis.errors": (),
    "analysis.records": ("analysis.errors", *_RECORD),
    "analysis.published": ("analysis.errors", *_RECORD),
    "analysis.independent": ("analysis.errors", "analysis.published", *_RECORD),
    "analysis.estimates": (*_ESTIMATES, *_RECORD),
    "analysis.tables": (*_ESTIMATES, "analysis.estimates", *_RECORD),
    "analysis.figures": (*_ESTIMATES, "analysis.estimates", *_RECORD),
    "analysis.claims": (*_ESTIMATES, "analysis.estimates", *_RECORD),
    "analysis.report": (*_ESTIMATES, "analysis.estimates", *_SHOWN, *_RECORD),
    "analysis.export": (*_ESTIMATES, "analysis.estimates", *_SHOWN, *_RECORD),
    "analysis.audit": (*_ESTIMATES, "analysis.estimates", *_RECORD),
    "analysis.share": ("analysis.errors", "analysis.records", *_RECORD),
    "analysis.named_folders": ("analysis.errors", "analysis.records", "analysis.share"),
    "analysis.show": (
        *_ESTIMATES, "analysis.estimates", "analysis.named_folders", "analysis.share", *_SHOWN,
        *_RECORD,
    ),
    "analysis": ("analysis", "metering.missing_package", *_RECORD),
    "benchmarks": ("run", "metering", "tasks", "launchers", "analysis", "watt_for_what"),
    "run": ("launchers", "tasks.terminal", "metering.missing_package"),
    "watt_for_what": ("run", "metering", "launchers", "analysis", "tasks"),
}  # fmt: skip

# To be opened. An entry that is no longer needed fails the test: take it out.
STILL_WRONG: set[tuple[str, str]] = set()
STILL_CIRCLES: set[frozenset[str]] = set()
MAX_LINES = 300
MOST_EXEMPT = 70
STILL_TOO_LONG: set[str] = set()


def _room(name: str) -> str:
    """The room of a module. Each task is a room of its own: no task may import another."""
    rooms = [room for room in MAY_IMPORT if name == room or name.startswith(f"{room}.")]
    room = max(rooms, key=len)
    return ".".join(name.split(".")[:2]) if room == "tasks" else room


def _may_import(name: str, other: str) -> bool:
    here, there = _room(name), _room(other)
    allowed = MAY_IMPORT.get(here, MAY_IMPORT["tasks"])
    return here == there or any(other == room or other.startswith(f"{room}.") for room in allowed)


def test_a_room_imports_only_what_data_passed_before_it() -> None:
    wrong = {
        (name, other) for name in graph() for other in ours(name) if not _may_import(name, other)
    }
    assert sorted(wrong - STILL_WRONG) == [], "against the rules of the house"
    assert sorted(STILL_WRONG - wrong) == [], "now right: take these out of STILL_WRONG"


@pytest.mark.parametrize(
    ("name", "other", "may"),
    [
        ("metering.meter", "tasks.plan", False),
        ("tasks.segmentation.data", "tasks.classification.data", False),
        ("tasks.depth.session", "tasks.segmentation.data", False),
        ("tasks.depth.session", "tasks.openmmlab.configs", True),
        ("tasks.openmmlab.configs", "tasks.depth", False),
        ("tasks.running.execute", "tasks.config.derive", False),
        ("tasks.running.execute", "tasks.plan", True),
        ("analysis.records.load", "analysis.estimates.estimate", False),
        ("analysis.tables.paper", "metering.meter", False),
        ("analysis.tables.paper", "metering.record", True),
    ],
)
def test_the_rules_tell_right_from_wrong(name: str, other: str, may: bool) -> None:
    assert _may_import(name, other) is may


def test_no_module_of_ours_imports_the_tests() -> None:
    assert [name for name, imports in graph().items() if "tests" in imports] == []


def test_no_modules_import_each_other() -> None:
    circles = import_graph.circles()
    assert circles - STILL_CIRCLES == set()
    assert STILL_CIRCLES - circles == set(), "now open: take these out of STILL_CIRCLES"


def test_the_analysis_imports_no_torch_even_inside_a_function() -> None:
    heavy = {"torch", "torchvision", "timm", "codecarbon", "mmengine", "mmcv", "pynvml"}
    wrong = {
        name: sorted(heavy & import_graph.reached(name))
        for name in graph()
        if name.split(".")[0] == "analysis" and heavy & import_graph.reached(name)
    }
    assert wrong == {}


def test_the_analysis_loads_no_torch() -> None:
    """In a process of its own: nor does a library that it imports bring torch in."""
    names = [
        name for name in graph() if name.split(".")[0] == "analysis" and "__main__" not in name
    ]
    code = (
        f"import importlib, sys\nfor name in {names}: importlib.import_module(name)\n"
        "print(sorted({'torch', 'timm', 'codecarbon'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.strip() == "[]"


def test_files_are_short() -> None:
    tests = {path.relative_to(ROOT).as_posix(): path for path in (ROOT / "tests").rglob("*.py")}
    files = {path.relative_to(ROOT).as_posix(): path for path in sources().values()} | tests
    long = {name for name, path in files.items() if len(path.read_text().splitlines()) > MAX_LINES}
    assert sorted(long - STILL_TOO_LONG) == [], f"more than {MAX_LINES} lines: split by subject"
    assert sorted(STILL_TOO_LONG - long) == [], "now short: take these out of STILL_TOO_LONG"


def test_few_places_are_exempt_from_formatting() -> None:
    """Tables of data and of cases, which a line for each value would make unreadable."""
    mark = "# fmt: " + "skip"
    files = [*sources().values(), *(ROOT / "tests").rglob("*.py")]
    exempt = [path.name for path in files for _ in range(path.read_text().count(mark))]
    assert len(exempt) <= MOST_EXEMPT, "let ruff format the others"
