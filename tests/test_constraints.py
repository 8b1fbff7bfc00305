"""Two sets of constraints: one for V100 to H100, one for current GPUs."""

from __future__ import annotations

from tests.conftest import ROOT

STACK = ("torch", "torchvision", "triton")


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def is_of_the_stack(name: str) -> bool:
    return name in STACK or (name.startswith(("nvidia-", "cuda-")) and name != "nvidia-ml-py")


def test_they_differ_in_pytorch_and_its_libraries_alone():
    both = [
        {name: pin for name, pin in pins(file).items() if not is_of_the_stack(name)}
        for file in ("constraints.txt", "constraints-new.txt")
    ]
    assert both[0] == both[1]


def test_each_has_a_torchvision_of_its_torch():
    of_torch = {"2.7.1": "0.22.1", "2.11.0": "0.26.0"}
    for file in ("constraints.txt", "constraints-new.txt"):
        versions = pins(file)
        assert versions["torchvision"] == of_torch[versions["torch"]]
