"""`python -m analysis compare RUN RUN ...`: each run against the first.

0: done. 1: with --fail-over, the energy of a phase rose by more than that, and that is shown.
2: what cannot be compared, or with --fail-over cannot be told (one line says why).
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence

from analysis.errors import AnalysisError, printable
from analysis.share.record_checks import findings
from analysis.show.difference import Difference, differences, is_modelled, setup_differences
from analysis.show.find import Named, named
from analysis.tables.numbers import percent, plain
from analysis.tables.own import J_PER_KWH


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        help="a run's folder, record or run id, FOLDER/ID, or repetitions of one: a folder, a "
        "quoted pattern such as 'runs/*/resnet18/*/0123*', FOLDER/ID,ID,ID, or FOLDER/IDENTITY; "
        "the first is what the others are compared with",
    )
    parser.add_argument(
        "--fail-over",
        metavar="SHARE",
        help="exit status 1 where the energy a sample rose by more than this, as 5%% or 0.05",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    limit = None if arguments.fail_over is None else share_of(arguments.fail_over)
    if len(arguments.runs) < 2:
        raise AnalysisError("compare needs two runs or more; name another")
    old, *others = [named(name) for name in arguments.runs]
    for runs in (old, *others):
        if runs.measured is None:
            raise AnalysisError(f"{runs.name} measured nothing to the end; `show` tells why")
        if runs is not old and (shared := _run_ids(old) & _run_ids(runs)):
            raise AnalysisError(
                f"{old.name} and {runs.name} both hold run {min(shared)}; name runs of their own"
            )
    by_name = {new.name: list(differences(old, new)) for new in others}
    for new in others:
        _print(old, new, by_name[new.name])
    return 0 if limit is None else _status(by_name, limit)


def _run_ids(named: Named) -> set[str]:
    return set(named.frame["run_id"].dropna())


def share_of(text: str) -> float:
    """`5%` and `0.05` are 0.05. Raises `AnalysisError`."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = math.nan
    if not 0 <= share < math.inf:
        raise AnalysisError(f"--fail-over {text} is no share of at least 0; write it like 5%")
    if share >= 1 and not text.endswith("%"):
        raise AnalysisError(f"--fail-over {text} is {100 * share:g} %; write {text}% or 0.05")
    return share


def _print(old: Named, new: Named, changes: Sequence[Difference]) -> None:
    print(printable(f"{new.name} against {old.name}"))
    for change in changes:
        rates = " -> ".join(plain(J_PER_KWH * kwh) for kwh in (change.old_kwh, change.new_kwh))
        interval = "no interval"
        if change.low is not None and change.high is not None:
            interval = f"{percent(change.low, '+')} to {percent(change.high, '+')} %"
        print(
            f"  {change.phase:<6} {rates} J a sample: {percent(change.change, '+')} % ({interval})"
        )
        print(printable(f"         {change.verdict}: {change.why}"))
    if not changes:
        print("  no phase in common")
    if is_modelled(old) or is_modelled(new):
        print("  modelled: rated power x load; a difference is one of time and load, not read")
    for side in (old, new):
        for reason in _wrong_with(side):
            print(printable(f"  not believable: {side.name}: {reason}"))
    unlike = list(setup_differences(old, new))
    print("  set-ups: " + ("alike" if not unlike else "differ in"))
    for line in unlike:
        print(printable(f"    {line}"))
    print()


def _wrong_with(side: Named) -> list[str]:
    """What `check` finds in its records that cannot be."""
    suspicions = [finding for record in side.records for finding in findings(record)]
    return list(dict.fromkeys(one.reason for one in suspicions if one.weight == "wrong"))


def _status(by_name: dict[str, list[Difference]], limit: float) -> int:
    """Of --fail-over, with a line a rise. Raises `AnalysisError` where nothing can be told."""
    rose = False
    for name, changes in by_name.items():
        for change in changes:
            if change.rose_by_more_than(limit):
                rose = True
                print(
                    printable(
                        f"{name}: {change.phase} rose by {plain(100 * change.change)} %, "
                        f"shown to be over {100 * limit:g} %"
                    ),
                    file=sys.stderr,
                )
    if rose:
        return 1
    for name, changes in by_name.items():
        if not changes:
            raise AnalysisError(f"--fail-over cannot be told: {name} has no phase in common")
        for change in changes:
            if change.low is None:
                raise AnalysisError(
                    f"--fail-over cannot be told: {name}, {change.phase}: {change.why}"
                )
    return 0
