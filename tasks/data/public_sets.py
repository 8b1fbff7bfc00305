"""Whether files on disk are the public set under whose name they are read, or a user's own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from metering import catalogue
from metering.setup import DataSetUp
from tasks.data import content_digest
from tasks.plan import DataPlan

NEARLY_ALL = 0.85
"""Video sets lose clips over the years: from this share on it is still the set."""


def embedded(plan: DataPlan) -> DataSetUp:
    """Files that this suite writes in the layout of the set `plan.name`."""
    options = dict(plan.options)
    return DataSetUp(
        name=plan.name,
        origin="embedded",
        fraction=plan.fraction,
        num_classes=options.pop("num_classes", None),
        num_train=options.pop("train_samples", None),
        num_test=options.pop("test_samples", None),
        options=options,
    )


Samples = Sequence[tuple[Path, Any]]
"""Files with what is known of each, such as its label."""


def setup(plan: DataPlan, listed: Callable[[Path], tuple[Samples, Samples]]) -> DataSetUp:
    """Embedded files, or those under `plan.root`. listed: files of the training and of the test
    set under an absolute folder; raises `PlanError` where it is not in the set's layout."""
    if plan.root is None:
        return embedded(plan)
    train, test = listed(Path(plan.root).expanduser().absolute())
    return on_disk(plan, train, test)


def on_disk(
    plan: DataPlan,
    train: Samples,
    test: Samples,
    classes: Sequence[Any] | None = None,
    public_classes: Sequence[Any] | None = None,
) -> DataSetUp:
    """Files under `plan.root`. The named set where its classes and nearly all of its samples are
    there; else the user's own, called after its folder. classes: in order, where the folder has a
    list of them; public_classes: those of the named set, None where they cannot be told."""
    known, num_train = catalogue.data_set(plan.name), len(train)
    digest = None if classes is None else class_digest(classes)
    is_public = (
        known is not None
        and known.num_train is not None
        and NEARLY_ALL <= num_train / known.num_train <= 1.0
        and (classes is None or public_classes is None or list(classes) == list(public_classes))
    )
    options = {
        key: value
        for key, value in plan.options.items()
        if key not in ("num_classes", "train_samples", "test_samples", "num_files")
    }
    head = plan.options.get("num_classes")
    if classes is not None and head not in (None, len(classes)):
        options["num_classes"] = head  # the network has another head than the set has classes
    return DataSetUp(
        name=plan.name if is_public else Path(str(plan.root)).resolve().name or "own",
        origin="real" if is_public else "own",
        fraction=plan.fraction,
        num_classes=len(classes) if classes is not None else plan.options.get("num_classes"),
        num_train=num_train,
        num_test=len(test),
        class_digest=digest,
        content_digest=None if is_public else content_digest.of_files(train, test),
        options=options,
    )


def class_digest(classes: Sequence[Any]) -> str:
    """16 hex digits over the names in their order."""
    text = "\n".join(map(str, classes))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]
