"""Markdown of what each switch saves."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.estimates.combinations import Combination
from analysis.estimates.ratio import Ratio
from analysis.estimates.savings import Cheapest, Saving

HEAD = (
    "| Model | Phase | Device | Switch | Electricity | Time | Shown? | Runs |",
    "|---|---|---|---|---|---|---|---|",
)
MODELLED = "modelled"
NO_SENSOR = (
    "modelled: no sensor read the device that computed, so its electricity is a model of time and "
    "load; the verdict is about time."
)
IN_PART = (
    "Electricity holds components that no sensor read, modelled from time and load: {share} of "
    "each reference's. That part changes as the time does."
)
NOT_REPEATED = (
    "not repeated: no set-up was measured twice on this machine, so the interval holds what varies "
    "within a run, and another run may differ by more; measure with repeats=3."
)
APART = (
    "measured apart: no sweep has both this set-up and its reference (runs of one command on one "
    "machine or board: see docs/savings.md), so what changed between the two sweeps is in the "
    "change as well: no interval, no verdict. Measure both with one command and repeats=3 "
    "(or three more than were measured: what is measured already keeps its sweep)."
)
SWEEPS = (
    "Where several sweeps have both, the change is the weighted mean of the changes within each, "
    "its interval wider where these differ by more than their own allow (Birge; Student's t where "
    "they contradict each other)."
)
FLAGGED = " †"
MOST_FLAGS = 5
SMALL = "*: a scaled-down study; it says nothing of the recipe's own size."


def markdown(savings: Sequence[Saving], combinations: Sequence[Combination]) -> str:
    """The table, its notes, and the best combination of each model."""
    lines = [*HEAD, *(_line(saving) for saving in savings), ""]
    lines.append("Change for each sample, with its 95 % interval (Fieller); below 0 it saves.")
    if any(saving.energy is None for saving in savings):
        lines.append(NO_SENSOR)
    if shares := [
        saving.modelled_share for saving in savings if saving.energy and saving.modelled_share
    ]:
        low, high = f"{100 * min(shares):.0f}", f"{100 * max(shares):.0f}"
        lines.append(IN_PART.format(share=f"{low} %" if low == high else f"{low} to {high} %"))
    if any(saving.num_sweeps > 1 for saving in savings):
        lines.append(SWEEPS)
    if any(saving.verdict == "not repeated" for saving in savings):
        lines.append(NOT_REPEATED)
    if any(saving.verdict == "measured apart" for saving in savings):
        lines.append(APART)
    if any(saving.is_small for saving in savings):
        lines.append(SMALL)
    lines += _flags(savings)
    lines.append("")
    lines += [cheapest(combination) for combination in combinations]
    return "\n".join(lines).rstrip() + "\n"


def _flags(savings: Sequence[Saving]) -> list[str]:
    """What is said against the runs of the lines that are marked."""
    flags = list(dict.fromkeys(flag for saving in savings for flag in saving.flags))
    if not flags:
        return []
    more = [f"and {len(flags) - MOST_FLAGS} more"] if len(flags) > MOST_FLAGS else []
    listed = "; ".join([*flags[:MOST_FLAGS], *more])
    return [f"{FLAGGED.strip()}: a run of this line or of its reference is flagged: {listed}."]


def change(ratio: Ratio | None) -> str:
    """`-12.3 % (-14.0 to -10.5)`."""
    if ratio is None:
        return "not known"
    change_pct = f"{100 * (ratio.value - 1):+.1f} %"
    if not ratio.has_interval:
        return f"{change_pct} (no interval)"
    return f"{change_pct} ({100 * (ratio.low - 1):+.1f} to {100 * (ratio.high - 1):+.1f})"


def cheapest(combination: Combination) -> str:
    """One line: the best combination, and what it saves or the command that measures it."""
    best = (
        f"{combination.model}, {combination.phase}, on {combination.where}: the best "
        f"value of each switch is {combination.overrides}"
    )
    if combination.saving is not None:
        saving = combination.saving
        resource = "electricity" if saving.energy else "time"
        return f"{best}: {change(saving.compared)} {resource}, {saving.verdict}"
    return f"{best}; together not measured, see python -m analysis savings --best FOLDER"


def cheapest_measured(choice: Cheapest) -> str:
    """One line on the largest saving that is shown, and on what it was measured."""
    saving = choice.saving
    resource = "electricity" if saving.energy else "time (its electricity is modelled from it)"
    small = "; a scaled-down study" if saving.is_small else ""
    return (
        f"{saving.phase}: the cheapest setting of {saving.model} measured on {saving.where} is "
        f"{saving.switch}: {change(saving.compared)} {resource} a sample, the largest of "
        f"{choice.num_compared} compared{small}"
    )


def _line(saving: Saving) -> str:
    small = " *" if saving.is_small else ""
    energy = change(saving.energy) if saving.energy else MODELLED
    runs = " / ".join(map(str, saving.num_records))
    if saving.num_sweeps > 1:
        runs += f" in {saving.num_sweeps} sweeps"
    cells = (
        saving.model + small,
        saving.phase,
        saving.where,
        saving.switch,
        energy,
        change(saving.time),
        saving.verdict + FLAGGED * bool(saving.flags),
        runs,
    )
    return f"| {' | '.join(cells)} |"
