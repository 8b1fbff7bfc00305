"""Action recognition sets on disk: the real layouts checked, the embedded ones written.

Both kinds are lists of videos with labels as MMAction2's `VideoDataset` reads them; nothing here
decodes for a run.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Required

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from tasks.action_recognition import lists
from tasks.config.refusals import validated
from tasks.config.values import Count, Flag, Text
from tasks.data import layouts
from tasks.data.cache import PER_FILE
from tasks.data.embedded_videos import Format, label_of, write_clip
from tasks.errors import PlanError
from tasks.plan import DataPlan


@dataclass(frozen=True)
class Layout:
    """Where a set keeps its videos and lists, by split; names under the set's root."""

    videos: dict[str, str]
    lists: dict[str, str]
    cure: str


LAYOUTS = {
    "kinetics400": Layout(
        videos={"train": "videos_train", "val": "videos_val"},
        lists={split: f"kinetics400_{split}_list_videos.txt" for split in ("train", "val")},
        cure="MMAction2's tools/data/kinetics prepares it",
    ),
    "sthv2": Layout(
        videos={"train": "videos", "val": "videos"},
        lists={split: f"sthv2_{split}_list_videos.txt" for split in ("train", "val")},
        cure="MMAction2's tools/data/sthv2 prepares it",
    ),
}
SPLITS = ("train", "val")


@dataclass(frozen=True)
class VideoSet:
    """root, its number of training videos, and how often the test videos are repeated to the
    length of the set that they stand for (1 for a real set)."""

    root: Path
    layout: Layout
    num_train: int
    test_repeats: int


def layout_of(plan: DataPlan) -> Layout:
    return layouts.chosen(plan, "layout", LAYOUTS)


@with_config(ConfigDict(extra="forbid"))
class Options(TypedDict, total=False):
    """`data.options`. size: [width, height] of embedded clips, pixels; train_samples,
    test_samples: of the set that they stand for; full_test: see the whole test set."""

    layout: Required[Text]
    num_classes: Required[Count]
    size: Required[tuple[Count, Count]]
    fps: Required[Count]
    num_frames: Required[Count]
    num_files: Required[Count]
    train_samples: Required[Count]
    test_samples: Required[Count]
    full_test: Flag


def check_options(plan: DataPlan) -> None:
    """Raises `PlanError` for a value of `data.options` that means nothing."""
    validated(Options, plan.options, "data.options")
    layout_of(plan)


def check_root(plan: DataPlan) -> None:
    """Raises `PlanError` naming the folder or list that a real set lacks. Reads no file."""
    layout = layout_of(plan)
    if plan.root is None:
        return
    root = Path(plan.root).expanduser()
    missing = [f"folder {name}" for name in layout.videos.values() if not (root / name).is_dir()]
    missing += [f"list {name}" for name in layout.lists.values() if not (root / name).is_file()]
    if missing:
        needed = [*dict.fromkeys(layout.videos.values()), *layout.lists.values()]
        raise PlanError(
            f"data.root={plan.root} has no {' and no '.join(dict.fromkeys(missing))}; "
            f"data={plan.name} is read from {', '.join(needed)} ({layout.cure})"
        )


def open_set(plan: DataPlan, scale_down: int = 1) -> VideoSet:
    """The real set under `plan.root`, or the embedded one with sides divided by `scale_down`.

    Raises `PlanError` for a list that is empty or malformed, a class out of range, a first video
    that is not there, or a cache that cannot be written.
    """
    check_root(plan)
    layout = layout_of(plan)
    if plan.root is not None:
        root = Path(plan.root).expanduser()
        return VideoSet(root, layout, check_lists(plan)["train"], test_repeats=1)
    num_files, form = int(plan.options["num_files"]), _format(plan, scale_down)
    size = f"{form.width}x{form.height}x{form.num_frames}"
    root = layouts.embedded(
        plan,
        f"v1-{num_files}-{size}",
        lambda draft: _write(draft, layout, num_files, form),
        _num_bytes(num_files, form),
    )
    repeats = max(1, round(int(plan.options["test_samples"]) / _num_test_files(num_files)))
    return VideoSet(root, layout, num_files, repeats)


def check_lists(plan: DataPlan) -> dict[str, int]:
    """Number of videos in each split of a real set. Raises `PlanError` naming list and line."""
    layout, root = layout_of(plan), Path(str(plan.root)).expanduser().absolute()
    return {
        split: lists.check(
            root / layout.lists[split],
            root / layout.videos[split],
            int(plan.options["num_classes"]),
            all_there=plan.on_error == "fail",
            cure=layout.cure,
        )
        for split in SPLITS
    }


def _format(plan: DataPlan, scale_down: int) -> Format:
    options = plan.options
    width, height = (int(side) // scale_down // 2 * 2 for side in options["size"])
    # decord 0.6 cannot read a picture that is 48 pixels wide
    return Format(max(64, width), max(32, height), int(options["fps"]), int(options["num_frames"]))


def _num_bytes(num_files: int, form: Format) -> float:
    """Of the embedded clips, about: the fewer frames, the more a pixel of one takes."""
    per_clip = form.width * form.height * (0.1 + 0.01 * form.num_frames)
    return (num_files + _num_test_files(num_files)) * (per_clip + PER_FILE)


def _num_test_files(num_files: int) -> int:
    return max(2, num_files // 2)


def _write(folder: Path, layout: Layout, num_files: int, form: Format) -> None:
    for split, count in (("train", num_files), ("val", _num_test_files(num_files))):
        lines = []
        for index in range(count):
            name, label = f"{split}_{index:05d}.mp4", label_of(index)
            seed = index if split == "train" else 10_000 + index
            write_clip(folder / layout.videos[split] / name, label, form, seed)
            lines.append(f"{name} {label}\n")
        (folder / layout.lists[split]).write_text("".join(lines), encoding="utf-8")
