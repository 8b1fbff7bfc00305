"""Write figures as SVG, PDF and PNG: all of them, or none."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from analysis.figures.look import look

FORMATS = ("svg", "pdf", "png")
# no dates and no programme names: the same figure is the same file
METADATA = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}


def to_svg(figure: Figure) -> str:
    """The figure as an SVG document."""
    with look():
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata=METADATA["svg"])
        return stream.getvalue()


def write(figures: Mapping[str, Figure], out: Path) -> list[Path]:
    """Write `{name: figure}` as `out/name.svg`, `.pdf` and `.png` (300 dpi).

    Everything is drawn before the first file appears, each file whole. Raises `OSError`
    when `out` cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    written = []
    with tempfile.TemporaryDirectory(prefix=".figures-", dir=out) as folder, look():
        drawn = []
        for name, figure in figures.items():
            for kind in FORMATS:
                path = Path(folder) / f"{name}.{kind}"
                figure.savefig(path, format=kind, metadata=METADATA[kind])
                drawn.append(path)
        for path in drawn:
            os.replace(path, out / path.name)
            written.append(out / path.name)
    return written
