"""Files of weights, looked at before anything is built: what they are, by their first bytes.

Needs no PyTorch. What the weights fit is for the task to say.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path

from tasks.errors import PlanError

PRETRAINED = "pretrained"
"""`checkpoint=pretrained`: the weights that the network's library publishes."""

_FEW_BYTES = 512
_TAR_AT = 257  # where a tar archive says that it is one
_PYTORCH_S = (0x1950A86A20F9469CFC6C).to_bytes(10, "little")
"""The number that a file of PyTorch before 1.6, a row of pickles, begins with."""
_MAGIC_WITHIN = 32
_PICKLE = (
    "is a pickle that PyTorch did not write (pickle.dump); save a state_dict of tensors with "
    "torch.save"
)
_JSON = (
    "holds no weights: it is JSON, of weights in several files (shards) the index; save them as "
    "one file"
)
_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"7z\xbc\xaf": "7-Zip"}
_OTHERS = {
    b"\x89HDF": "an HDF5 file (Keras)",
    b"\x93NUMPY": "one NumPy array",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GGUF": "a GGUF file",
}
_PROGRAMS = {
    "a TorchScript program (torch.jit.save)": "constants.pkl",
    "an exported program (torch.export.save)": "serialized_exported_program.json",
    "an exported program (torch.export.save, from 2.8)": "archive_format",
}
"""A file in the archive that such a program has, and weights have not."""
_NUMPY = "is a NumPy archive; rename it to end in .npz"
_CHUNK_BYTES = 1 << 20
_MOST_EXPANSION = 100  # of a compressed entry that is read beforehand
_MOST_HEADER_BYTES = 100_000_000  # safetensors' own limit


def check(checkpoint: str | None) -> None:
    """Raises `PlanError` where the file cannot hold weights: empty, cut off, or another thing."""
    if checkpoint is None or checkpoint == PRETRAINED:
        return
    path = Path(checkpoint).expanduser()
    try:
        fault = _fault(path)
    except OSError as error:
        fault = f"cannot be read ({error.strerror}); give a file that can"
    if fault is not None:
        raise PlanError(f"checkpoint={checkpoint} {fault}")


def _fault(path: Path) -> str | None:
    with path.open("rb") as stream:
        start = stream.read(_FEW_BYTES)
    return _fault_of_start(start) or _fault_of_format(path, start)


def _fault_of_start(start: bytes) -> str | None:
    """What the first bytes alone tell."""
    if not start:
        return "is empty (0 bytes), as a download that was cut off at once; fetch it again"
    if start.startswith(b"version https://git-lfs"):
        return (
            "is a Git LFS pointer, not the weights; run git lfs pull in its repository, or "
            "download the file itself"
        )
    if start.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")):
        return "is an HTML page, not weights; its link led to a web page: download the file itself"
    kinds = [
        f"compressed ({kind})" for magic, kind in _COMPRESSED.items() if start.startswith(magic)
    ]
    kinds += ["a tar archive"] if start[_TAR_AT:].startswith(b"ustar") else []
    if kinds:
        return f"is {kinds[0]}; unpack it and give the file of weights in it"
    kinds = [kind for magic, kind in _OTHERS.items() if start.startswith(magic)]
    if kinds:
        return f"is {kinds[0]}, not weights of PyTorch; give a .pth or .safetensors file"
    return None


def _fault_of_format(path: Path, start: bytes) -> str | None:
    size, named_safetensors = path.stat().st_size, path.suffix == ".safetensors"
    header = _safetensors_header(path, size)  # its first bytes, a number, may be those of others
    if header is not None:
        return _fault_of_safetensors(path, size, header)
    if start.startswith(b"PK"):
        return _fault_of_zip(path, named_safetensors)
    if named_safetensors:
        return _fault_of_safetensors(path, size, header)
    if start[:1] == b"\x80":  # a pickle
        return None if _PYTORCH_S in start[:_MAGIC_WITHIN] else _PICKLE
    if start.lstrip()[:1] == b"{":
        return _JSON
    shown = start[:24].decode("ascii", "replace").split("\n")[0]
    return f"holds no weights (it starts with {shown!r}); give a .pth or .safetensors file"


def _fault_of_zip(path: Path, named_safetensors: bool) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return (
            f"is cut off: its {path.stat().st_size:,} bytes are only the beginning of a file of "
            "weights; fetch it again"
        )
    if named_safetensors:
        return "is a PyTorch file under a name for safetensors; rename it to end in .pth"
    for kind, mark in _PROGRAMS.items():
        if any(name.rpartition("/")[2] == mark for name in names):
            return f"is {kind}, not weights; save its state_dict"
    if any(name.endswith("data.pkl") for name in names):
        return _fault_of_content(path)
    if names and all(name.endswith(".npy") for name in names):
        is_named = path.suffix.lower() == ".npz"
        return _fault_of_content(path) if is_named else _NUMPY
    return "is a ZIP archive, not weights; unpack it and give the file of weights in it"


def _fault_of_content(path: Path) -> str | None:
    status = path.stat()
    broken = _broken_entry(path, status.st_size, status.st_mtime_ns)
    if broken is None:
        return None
    return f"is damaged: {broken} in it does not have its checksum (CRC-32); fetch it again"


@lru_cache(maxsize=64)
def _broken_entry(path: Path, _size: int, _mtime_ns: int) -> str | None:
    """The first of the archive's entries whose bytes are others than were written: PyTorch would
    load them. A checksum of 0 is none, as PyTorch writes where it is told to leave them out."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.CRC == 0 or entry.file_size > _MOST_EXPANSION * entry.compress_size:
                continue
            try:
                with archive.open(entry) as stream:
                    while stream.read(_CHUNK_BYTES):
                        pass
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
                return entry.filename
    return None


def _safetensors_header(path: Path, size: int) -> dict[str, object] | None:
    """The names and places of the tensors; None where the file is none of safetensors."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= min(size - 8, _MOST_HEADER_BYTES):
            return None
        text = stream.read(length)
    try:
        header = json.loads(text)
    except ValueError:
        return None
    return header if isinstance(header, dict) else None


def _fault_of_safetensors(path: Path, size: int, header: dict[str, object] | None) -> str | None:
    if header is None:
        return "is damaged: it has no header of safetensors; fetch it again"
    if path.suffix != ".safetensors":
        return "is a safetensors file under another name; rename it to end in .safetensors"
    with path.open("rb") as stream:
        length = 8 + int.from_bytes(stream.read(8), "little")
    ends = [
        entry["data_offsets"][1]
        for entry in header.values()
        if isinstance(entry, dict) and "data_offsets" in entry
    ]
    if not ends:
        return "holds no weights; give the file of weights"
    if length + max(ends) > size:
        return f"is cut off: it has {size:,} bytes of {length + max(ends):,}; fetch it again"
    return None
