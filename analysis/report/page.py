"""Values to one HTML page. Everything is escaped, and no script but the page's own may run."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analysis.report import scatter
from analysis.report.model import Report
from metering import atomic_file

ASSETS = Path(__file__).parent / "assets"
FILE_NAME = "report.html"


def render(report: Report) -> str:
    """The page as text. Its security policy allows the page's own script, named by its hash,
    and nothing that is loaded from anywhere."""
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["zip"] = zip
    script = "\n" + (ASSETS / "report.js").read_text(encoding="utf-8")
    style = (ASSETS / "report.css").read_text(encoding="utf-8")
    figures = {
        title: _inline(svg, f"figure{number}-")
        for number, (title, svg) in enumerate(report.figures.items())
    }
    return environment.get_template("report.html").render(
        report=report,
        figures=figures,
        panels=scatter.panels(report.points),
        families={point.family: point.color for point in report.points},
        box=scatter,
        script=Markup(script),
        style=Markup(style),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def write(report: Report, out: Path) -> Path:
    """Write the page as `out/report.html`, whole or not at all. Raises `OSError`."""
    text = render(report)
    target = out / FILE_NAME
    atomic_file.write(target, text.encode())
    return target


def _inline(svg: str, prefix: str) -> Markup:
    """An SVG document of matplotlib's as an element, its identifiers made unique in the page."""
    element = svg[svg.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    element = re.sub(r'\bid="', f'id="{prefix}', element)
    element = re.sub(r'(xlink:href|href)="#', rf'\1="#{prefix}', element)
    element = element.replace("url(#", f"url(#{prefix}")
    return Markup(element)
