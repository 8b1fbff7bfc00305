"""`python -m analysis show RUN`: one run on one page, or the runs of a folder, a line each."""

from __future__ import annotations

import argparse
import textwrap

from analysis.errors import printable
from analysis.show.find import frame_of, of_frame
from analysis.show.listing import how_to_see_one, listing
from analysis.show.page import page
from analysis.tables.terminal import show, width_of_output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run_named",
        metavar="RUN",
        help="a run's folder, record or run id, or FOLDER/ID; a folder of runs lists them",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    name = arguments.run_named
    frame = frame_of(name)
    if frame["path"].nunique() > 1:
        show(listing(name, frame), notes=True, beneath=[how_to_see_one(name, frame)])
        return 0
    width = min(width_of_output(), 120)
    for heading, lines in page(of_frame(name, frame)):
        print(heading)
        printed: set[str] = set()
        for line in lines:
            if line in printed and not line.startswith(" "):  # what is indented belongs to its head
                continue
            printed.add(line)
            text = printable(line)
            spaces = len(text) - len(text.lstrip())
            indent = " " * (2 + spaces)
            wrapped = textwrap.wrap(
                text.strip(),
                width,
                initial_indent=indent,
                subsequent_indent=f"{indent}  ",
                break_long_words=False,
                break_on_hyphens=False,
            )
            print("\n".join(wrapped))
        print()
    return 0
