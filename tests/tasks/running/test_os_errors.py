"""An error of the operating system is named as what it is, with the key of the folder it is in."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tasks.running.os_errors import explain

PLACES = {
    "output_dir": Path("/work/runs"),
    "data.cache_dir": Path("/work/runs/cache"),
    "data.root": Path("/mnt/imagenet"),
}


def an_error(number: int, name: str | None) -> OSError:
    return OSError(number, "words of the system", name)


@pytest.mark.parametrize(
    ("error", "begins", "holds"),
    [
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), "whatever read this", "closed pipe"),
        (an_error(errno.ENOSPC, "/work/runs/cache/a"), "data.cache_dir=/work/runs/cache", "full"),
        (an_error(errno.ENOSPC, "/work/runs/a/b"), "output_dir=/work/runs: its disk is full", ""),
        (an_error(errno.ENOENT, "/mnt/imagenet/val"), "data.root=/mnt/imagenet cannot", "mounted"),
        (an_error(errno.ESTALE, "/mnt/imagenet/val"), "data.root=/mnt/imagenet cannot", "mounted"),
        (an_error(errno.EACCES, "/work/runs/x"), "output_dir cannot be written", "output_dir=FOLD"),
        (an_error(errno.EROFS, "/work"), "output_dir cannot be written", "output_dir=FOLDER"),
        (an_error(errno.EACCES, "/etc/shadow"), "/etc/shadow: Permission denied", ""),
    ],
)
def test_the_place_and_the_cure_are_named(error: OSError, begins: str, holds: str) -> None:
    told = explain(error, PLACES)
    assert told is not None
    assert told.startswith(begins) and holds in told


def test_an_error_that_came_through_a_loaders_worker_is_read_from_its_words() -> None:
    words = "Caught OSError in worker 0.\nTraceback ...\nOSError: [Errno 5] I/O: '/mnt/imagenet/a'"
    told = explain(OSError(words), PLACES)
    assert told is not None and told.startswith("data.root=/mnt/imagenet cannot be read")


def test_other_errors_keep_their_own_words() -> None:
    assert explain(ValueError("no [Errno 5] of mine: '/mnt/imagenet/a'"), PLACES) is None
    assert explain(OSError("no number"), PLACES) is None
