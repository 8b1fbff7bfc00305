"""Sets of class folders, read by timm's own reader, so that a class has the index that it has in
timm: natural order, names of the innermost folders, timm's file extensions.

Left out beforehand: hidden and system files and folders, which timm's reader would take.
Refused, for an accuracy would be a false one: training and test classes that differ where no class
map gives their indices, a folder without images, which timm gives no index, images outside class
folders.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.classification.folder_walk import Walked, is_hidden, walk
from tasks.errors import PlanError

if TYPE_CHECKING:
    from timm.data.readers.reader_image_folder import ReaderImageFolder

SPLITS = {"train": ("train", "training"), "test": ("val", "validation", "valid", "test")}
_SHOWN = 5


@dataclass(frozen=True)
class ClassFolders:
    """classes: names in the order of their indices; train, test: image files with their class;
    num_classes: of a head, more than there are names where a class map leaves some out; notes: what
    of the folders is not as a reader would expect."""

    classes: tuple[str, ...]
    train: tuple[tuple[Path, int], ...]
    test: tuple[tuple[Path, int], ...]
    num_classes: int
    notes: tuple[str, ...] = ()


@cache
def read(root: Path, class_map: str | None = None) -> ClassFolders:
    """The set under `root`. Read once a process. class_map: a file that gives folders their index,
    as timm reads it. Raises `PlanError`."""
    try:
        folders = {name: _split(root, among) for name, among in SPLITS.items()}
        walked = {folder.name: walk(root, folder) for folder in folders.values()}
        readers = {name: _reader(root, folder) for name, folder in folders.items()}
        names = {name: _classes(root, folders[name], reader) for name, reader in readers.items()}
        if class_map is None:
            train = folders["train"].name
            _require_no_empty(root, train, walked[train], names["train"])
            _require_same(root, names["train"], names["test"])
            index = {label: number for number, label in enumerate(names["train"])}
        else:
            index = _class_map(class_map, root)
            _require_mapped(class_map, [*names["train"], *names["test"]], index)
    except OSError as error:
        raise PlanError(f"data.root={root} cannot be read: {error}; give one that can") from None
    files = {name: tuple(_files(reader, folders[name], index)) for name, reader in readers.items()}
    classes = tuple(sorted(names["train"], key=index.__getitem__))
    notes = (*_left_out(walked), *_of_one_name(walked))
    return ClassFolders(classes, files["train"], files["test"], max(index.values()) + 1, notes)


def _left_out(walked: Mapping[str, Walked]) -> Iterable[str]:
    from timm.data.readers.img_extensions import get_img_extensions

    parts = [
        f"{number} {end or 'without an extension'} in {split}"
        for split, found in walked.items()
        for end, number in found.left_out.items()
    ]
    if parts:
        kinds = ", ".join(get_img_extensions())
        yield f"pictures that are not read, since timm reads {kinds} alone: {', '.join(parts)}"


def _of_one_name(walked: Mapping[str, Walked]) -> Iterable[str]:
    """timm calls a class after the innermost folder."""
    places = next(iter(walked.values())).places
    several = {name: where for name, where in places.items() if len(where) > 1}
    if several:
        name, where = next(iter(several.items()))
        number = f"{len(several)} class" + ("es are" if len(several) > 1 else " is")
        yield f"{number} in several folders of one name, such as {name}: {_shown(where)}"


def _split(root: Path, among: Sequence[str]) -> Path:
    for name in among:
        if (root / name).is_dir():
            return root / name
    raise PlanError(
        f"data.root={root} has no folder {among[0]}; expected root/train/<class>/*.JPEG and "
        f"root/val/<class>/*.JPEG{_near_miss(root)}"
    )


def _near_miss(root: Path) -> str:
    """What is there instead of the two folders, as the end of a message; "" where nothing is."""
    if all(any((root.parent / name).is_dir() for name in among) for among in SPLITS.values()):
        return f"; {root.parent} has both: give data.root={root.parent}"
    return ""


def _reader(root: Path, folder: Path) -> ReaderImageFolder:
    from timm.data.readers.reader_image_folder import ReaderImageFolder

    try:
        return ReaderImageFolder(str(folder))
    except RuntimeError as error:
        raise PlanError(
            f"data.root={root}: {folder.name} holds no images in class folders; {error}"
        ) from None


def _is_kept(path: Path, folder: Path) -> bool:
    return not any(is_hidden(part) for part in path.relative_to(folder).parts)


def _kept(reader: ReaderImageFolder, folder: Path) -> Iterable[tuple[Path, int]]:
    return ((Path(path), label) for path, label in reader.samples if _is_kept(Path(path), folder))


def _classes(root: Path, folder: Path, reader: ReaderImageFolder) -> list[str]:
    """Names of the classes that have an image, in timm's order."""
    used = {label for _, label in _kept(reader, folder)}
    names = [name for name, label in reader.class_to_idx.items() if label in used]
    if "" in names:
        stray = next(path for path, _ in _kept(reader, folder) if path.parent == folder)
        raise PlanError(
            f"data.root={root}: image {stray} lies outside class folders; move it into its class"
        )
    return names


def _require_no_empty(root: Path, split: str, walked: Walked, classes: Sequence[str]) -> None:
    """A folder within a class, such as `cat/masks`, is no class that was meant to have images."""
    with_images = {Path(place) for places in walked.places.values() for place in places}
    empty = [
        leaf
        for leaf in walked.leaves
        if Path(leaf).name not in classes and with_images.isdisjoint(Path(leaf).parents)
    ]
    if empty:
        from timm.data.readers.img_extensions import get_img_extensions

        raise PlanError(
            f"data.root={root}: {_listed(empty)} in {split} without images "
            f"({', '.join(get_img_extensions())}), to which timm gives no class; delete it, add "
            "images, or give data.options.class_map=FILE"
        )


def _require_same(root: Path, train: Sequence[str], test: Sequence[str]) -> None:
    only_train = [name for name in train if name not in set(test)]
    only_test = [name for name in test if name not in set(train)]
    if only_train or only_test:
        alike = {_plain(name) for name in only_train} == {_plain(name) for name in only_test}
        hint = " (alike but for capitals or the form of their letters in Unicode)" if alike else ""
        raise PlanError(
            f"data.root={root} has {len(train)} training classes ({_shown(train)}) and {len(test)} "
            f"test classes ({_shown(test)}): only for training {_shown(only_train)}; only for "
            f"testing {_shown(only_test)}{hint}; give both the same class folders"
        )


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _class_map(class_map: str, root: Path) -> dict[str, int]:
    from timm.data.readers.class_map import load_class_map

    path = str(Path(class_map).expanduser())
    try:
        index = load_class_map(path, str(root))
    except Exception as error:  # timm asserts, and a pickle may raise anything
        raise PlanError(
            f"data.options.class_map={class_map} cannot be read: {str(error) or 'no class map'}; "
            "give a .txt file with the name of a folder in each line, in the order of the classes"
        ) from None
    index = {str(name).removeprefix("\ufeff"): number for name, number in index.items()}
    index.pop("", None)
    if not index or not all(isinstance(one, int) and one >= 0 for one in index.values()):
        raise PlanError(
            f"data.options.class_map={class_map} does not give each folder a number from 0; "
            "give a .txt file with the name of a folder in each line"
        )
    _require_once(class_map, root)
    return index


def _require_once(class_map: str, root: Path) -> None:
    """Raises `PlanError` for a name that stands in two lines: timm takes the last."""
    if not class_map.lower().endswith(".txt"):
        return
    given = Path(class_map).expanduser()
    lines = (given if given.exists() else root / class_map).read_text(encoding="utf-8-sig")
    names = [line.strip() for line in lines.splitlines() if line.strip()]
    twice = [name for name, number in Counter(names).items() if number > 1]
    if twice:
        raise PlanError(
            f"data.options.class_map={class_map} has {_listed(twice)} in several lines, and a line "
            "is the number of a class; leave the others out"
        )


def _require_mapped(class_map: str, names: Sequence[str], index: dict[str, int]) -> None:
    absent = sorted({name for name in names if name not in index})
    if absent:
        raise PlanError(
            f"data.options.class_map={class_map} does not have {_listed(absent)}; add them, or "
            "delete the folders"
        )


def _files(
    reader: ReaderImageFolder, folder: Path, index: dict[str, int]
) -> Iterable[tuple[Path, int]]:
    names = {label: name for name, label in reader.class_to_idx.items()}
    return ((path, index[names[label]]) for path, label in _kept(reader, folder))


def _listed(names: Sequence[str]) -> str:
    return f"class folder{'s' * (len(names) > 1)} {_shown(names)}"


def _shown(names: Sequence[str]) -> str:
    if not names:
        return "none"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
