"""A finding of the audit: what is said, on what numbers, how sure, and what would settle it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from analysis.independent import facts
from analysis.published import facts as published


@dataclass(frozen=True)
class Finding:
    """subject: a few words; says: the finding, numbers in it; detail: every single number behind a
    range; sure: how sure, and why; basis: n, scope and what is circular; formula: how each number
    is made; sources: keys of `sources.csv`; settles: what would settle it, with its command;
    numbers: those in `says`, by name."""

    subject: str
    says: str
    sure: str
    basis: str
    formula: str
    sources: tuple[str, ...]
    settles: str
    detail: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)


def table(findings: Sequence[Finding]) -> str:
    """One line a finding: number, subject, what is said, how sure. Markdown."""
    lines = ["| | Subject | Finding | How sure |", "|---|---|---|---|"]
    lines += [
        f"| {number} | {finding.subject} | {finding.says} | {finding.sure} |"
        for number, finding in enumerate(findings, 1)
    ]
    return "\n".join(lines) + "\n"


def pages(findings: Sequence[Finding]) -> str:
    """Every finding in full, and the sources with their licences. Markdown."""
    parts = [_contents(findings)]
    for number, finding in enumerate(findings, 1):
        detail = f"\n{finding.detail}\n" if finding.detail else ""
        parts.append(
            f"### {number}. {finding.subject}\n\n{finding.says}\n{detail}\n"
            f"- How sure: {finding.sure}\n"
            f"- Basis: {finding.basis}\n"
            f"- Formula: {finding.formula}\n"
            f"- Sources: {', '.join(finding.sources)}\n"
            f"- Settled by: {finding.settles}\n"
        )
    return "\n".join([*parts, _sources(findings)])


def _contents(findings: Sequence[Finding]) -> str:
    """A link to each finding, and how sure it is."""
    lines = ["| Finding | How sure |", "|---|---|"]
    for number, finding in enumerate(findings, 1):
        heading = f"{number}. {finding.subject}"
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        lines.append(f"| [{heading}](#{anchor}) | {finding.sure} |")
    return "\n".join(lines) + "\n"


def _sources(findings: Sequence[Finding]) -> str:
    used = {key for finding in findings for key in finding.sources}
    own = published.sources().assign(licence="", use=published.sources()["note"])
    known = pd.concat([facts.sources(), own], ignore_index=True).fillna("")
    lines = [
        "### Sources",
        "",
        "| Key | What | Licence | What it is, and is not |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {row['key']} | {_title(row)} | {row['licence']} | {row['use']} |"
        for row in known[known["key"].isin(used)].to_dict("records")
    ]
    return "\n".join(lines) + "\n"


def _title(row: Mapping[Any, Any]) -> str:
    return f"[{row['title']}]({row['url']})" if row["url"] else str(row["title"])
