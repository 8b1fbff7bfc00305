"""A file that holds no weights is refused by its first bytes, in one line with its cure."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from tasks.config import weight_files
from tasks.errors import PlanError

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 102540417\n"


def saved(content: object, **given: bool) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream, **given)
    return stream.getvalue()


def zipped(name: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, "text")
    return stream.getvalue()


def tarred(content: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        entry = tarfile.TarInfo("a.pth")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def arrays() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, fc=np.ones(64))
    return stream.getvalue()


def other_bytes(archive: bytes) -> bytes:
    """The archive with 8 bytes of its numbers overwritten, as on a bad disk."""
    with zipfile.ZipFile(io.BytesIO(archive)) as whole:
        entry = max(whole.infolist(), key=lambda one: one.file_size)
    end = (
        archive.index(b"PK\x03\x04", entry.header_offset + 4)
        if archive.count(b"PK\x03\x04", entry.header_offset + 4)
        else archive.index(b"PK\x01\x02")
    )
    return archive[: end - 32] + b"\x55" * 8 + archive[end - 24 :]


def header_of(num_bytes: int) -> bytes:
    """A file of safetensors whose header has so many bytes: their number comes first in it."""
    text = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})
    return num_bytes.to_bytes(8, "little") + text.ljust(num_bytes).encode() + bytes(4)


STATE = {"fc.weight": torch.ones(64, 8)}
ZIP, LEGACY = saved(STATE), saved(STATE, _use_new_zipfile_serialization=False)
TENSORS = save(STATE)
ARRAYS = arrays()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.pth", b"", "is empty"),
        ("a.safetensors", b"", "is empty"),
        ("a.pth", LFS, "Git LFS pointer"),
        ("a.safetensors", LFS, "Git LFS pointer"),
        ("a.pth", b"\n<!DOCTYPE html><html>", "HTML page"),
        ("a.pth", ZIP[:-40], "is cut off"),
        ("a.pth", ZIP[: len(ZIP) // 2], "is cut off"),
        ("a.safetensors", TENSORS[:-4], "is cut off"),
        ("a.safetensors", b"\x10\x00\x00\x00\x00\x00\x00\x00not JSON at all", "is damaged"),
        ("a.safetensors", ZIP, "rename it to end in .pth"),
        ("a.pth", TENSORS, "rename it to end in .safetensors"),
        ("a.pth", gzip.compress(ZIP), "is compressed (gzip)"),
        ("a.pth", zipped("readme.txt"), "is a ZIP archive"),
        ("a.pth", zipped("arr.npy"), "rename it to end in .npz"),
        ("a.h5", b"\x89HDF\r\n", "HDF5"),
        ("a.pth", b"epoch 3 loss 0.2\n", "holds no weights (it starts with 'epoch 3"),
        ("a.json", json.dumps({"weight_map": {}}).encode(), "holds no weights: it is JSON"),
        ("a.pth", other_bytes(ZIP), "does not have its checksum"),
        ("a.npz", other_bytes(ARRAYS), "does not have its checksum"),
        ("a.pkl", pickle.dumps({"conv.weight": [0.0]}), "a pickle that PyTorch did not write"),
        ("a.pth.tar", tarred(ZIP), "is a tar archive; unpack it"),
        ("a.SAFETENSORS", TENSORS, "rename it to end in .safetensors"),
        ("a.pt", zipped("net/constants.pkl"), "is a TorchScript program"),
        ("a.pt2", zipped("serialized_exported_program.json"), "is an exported program"),
        (
            "a.pt2",
            zipped("a/archive_format"),
            "(torch.export.save, from 2.8), not weights; save its",
        ),
    ],
)
def test_what_is_no_file_of_weights_is_said(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(PlanError) as refusal:
        weight_files.check(str(path))
    assert str(refusal.value).startswith(f"checkpoint={path} ")
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "weights_only" not in str(refusal.value)


def test_weights_of_each_format_pass(tmp_path: Path) -> None:
    for name, content in (("a.pth", ZIP), ("b.tar", LEGACY), ("c.safetensors", TENSORS)):
        (tmp_path / name).write_bytes(content)
        weight_files.check(str(tmp_path / name))
    np.savez(tmp_path / "d.npz", fc=np.zeros(2))
    weight_files.check(str(tmp_path / "d.npz"))
    weight_files.check(None)
    weight_files.check("pretrained")


@pytest.mark.parametrize("start", [b"\x80\x04", b"PK"])
def test_a_header_whose_length_looks_like_another_format_passes(
    tmp_path: Path, start: bytes
) -> None:
    (tmp_path / "a.safetensors").write_bytes(header_of(int.from_bytes(start, "little")))
    weight_files.check(str(tmp_path / "a.safetensors"))
