"""Lists of videos as they are found: whatever can be read is read, the rest names list and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.action_recognition import lists
from tasks.errors import PlanError


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a.mp4 3\nb.mp4 0\n", [("a.mp4", 3), ("b.mp4", 0)]),
        (b"a.mp4\t3\n", [("a.mp4", 3)]),
        (b"drinking (31).mp4 1 \n\n\n", [("drinking (31).mp4", 1)]),
        (b"\xef\xbb\xbfa.mp4 3\r\nb.mp4 0\r\n", [("a.mp4", 3), ("b.mp4", 0)]),
        (b"a.mp4,3\nb c.mp4, 4\nd.mp4;5\n", [("a.mp4", 3), ("b c.mp4", 4), ("d.mp4", 5)]),
        (b'"a, b.mp4","3"\n', [("a, b.mp4", 3)]),
        (b"'til dawn.mp4 3\n", [("'til dawn.mp4", 3)]),
        ("n\u00e9.mp4 2".encode(), [("n\u00e9.mp4", 2)]),
    ],
)
def test_what_can_be_read_is_read(
    tmp_path: Path, content: bytes, expected: list[tuple[str, int]]
) -> None:
    (tmp_path / "list.txt").write_bytes(content)
    assert list(lists.read(tmp_path / "list.txt")) == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a.mp4 1\nn\xe9.mp4 1\n", r"line 2 of .*list\.txt is not in UTF-8 \(byte 0xe9\)"),
        (b"path label\n", "line 1 of .* is 'path label'"),
        (b"a.mp4\tx\n", r"is 'a.mp4\\tx'"),
        (b"a.mp4 1.5\n", "a whole number"),
    ],
)
def test_the_rest_names_list_and_line(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(PlanError, match=words):
        lists.read(tmp_path / "list.txt")


def test_videos_that_are_not_there_are_counted(tmp_path: Path) -> None:
    (tmp_path / "videos/cat").mkdir(parents=True)
    (tmp_path / "videos/cat/a.mp4").touch()
    (tmp_path / "list.txt").write_text("cat/a.mp4 0\ncat/b.mp4 1\n")
    asked = (tmp_path / "list.txt", tmp_path / "videos", 2)
    with pytest.raises(PlanError, match=r"1 of 2 videos that are not in .*'cat/b.mp4'"):
        lists.check(*asked, all_there=True, cure="fetch it")
    assert lists.check(*asked, all_there=False, cure="fetch it") == 2
    with pytest.raises(PlanError, match="the label 1; labels go from 0 to 0"):
        lists.check(*asked[:2], 1, all_there=False, cure="fetch it")


def test_a_video_with_two_labels_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("a.mp4 0\n./a.mp4 0\na.mp4 1\n")
    with pytest.raises(PlanError, match=r"gives 'a.mp4' the labels 0 and 1; leave one"):
        lists.check(tmp_path / "list.txt", tmp_path, 5, all_there=True, cure="fetch it")


def test_lists_of_frames_and_of_several_labels_are_told(tmp_path: Path) -> None:
    for line in ("a 120 3", "a.mp4,1,2"):
        path = tmp_path / f"{line}.txt"
        path.write_text(f"{line}\n")
        with pytest.raises(PlanError, match="a line is a name and one label; lists of frames"):
            lists.check(path, tmp_path, 5, all_there=True, cure="fetch it")
