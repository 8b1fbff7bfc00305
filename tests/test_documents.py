"""Links inside README and docs lead somewhere: to a file of ours, and to a heading in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGES = [ROOT / "README.md", ROOT / "RESULTS.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(<?([^)>\s]+)>?(?: \"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """As GitHub names the headings of a page: lower case, words joined by hyphens, repeats
    numbered."""
    named: list[str] = []
    for heading in HEADING.findall(FENCE.sub("", text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        times = sum(re.fullmatch(rf"{re.escape(name)}(-\d+)?", one) is not None for one in named)
        named.append(f"{name}-{times}" if times else name)
    return set(named)


def dead_links(page: Path) -> list[str]:
    """Links of a page that lead to no file, or to no heading of it. The web's are not followed."""
    dead = []
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        is_page = target.suffix == ".md" and target.is_file()
        if not target.exists() or (
            anchor and is_page and anchor not in anchors(target.read_text(encoding="utf-8"))
        ):
            dead.append(link)
    return dead


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    assert dead_links(page) == []


def test_every_page_is_in_the_index():
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    linked = {(ROOT / "docs" / link.partition("#")[0]).resolve() for link in LINK.findall(index)}
    pages = {page.resolve() for page in PAGES if page.parent.name == "docs"}
    assert sorted(pages - linked - {ROOT / "docs/README.md"}) == [], "add a line to docs/README.md"


def test_a_dead_link_is_found(tmp_path):
    (tmp_path / "other.md").write_text("# One *two*\n## A `b`, c\n## One two\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md) [b](other.md#one-two-1) [c](other.md#a-b-c) [d](https://example.org/no)\n"
        "[e](absent.md) [f](other.md#no-such) [g](#nor-here)\n```\n[h](in-code.md)\n```\n"
    )
    assert dead_links(page) == ["absent.md", "other.md#no-such", "#nor-here"]
