"""Without a network, or with a folder of this machine, `datasets` answers at once."""

from __future__ import annotations

import shutil
import socket
import time

import datasets
import pytest
from huggingface_hub import constants

from tasks.patches import hugging_face as patch


@pytest.fixture(autouse=True)
def without_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that are looked up where there is no network, in the order of asking."""
    names: list[str] = []

    def without_network(host: object, *_: object, **__: object) -> None:
        names.append(str(host))
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(constants, "ENDPOINT", "https://hub.example")
    monkeypatch.setattr(socket, "getaddrinfo", without_network)
    return names


def test_the_hub_is_asked_once_where_it_cannot_be_reached(asked: list[str]) -> None:
    with pytest.raises(ConnectionError), patch.what_lies_here(only=False):
        datasets.load_dataset("owner/no-such-set")
    assert asked == ["hub.example"]
    assert not constants.HF_HUB_OFFLINE and not datasets.config.HF_HUB_OFFLINE


def test_the_patch_is_still_needed(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails, `datasets` gives up at once: remove the patch."""
    waited_s: list[float] = []
    monkeypatch.setattr(time, "sleep", waited_s.append)
    with pytest.raises(ConnectionError):
        datasets.load_dataset("owner/no-such-set")
    assert len(asked) > 2 and sum(waited_s) > 5


def test_for_a_folder_the_hub_is_not_asked(asked: list[str], tmp_path) -> None:
    datasets.Dataset.from_dict({"label": [0, 1]}).to_parquet(str(tmp_path / "mine/train.parquet"))
    with patch.what_lies_here(only=True):
        opened = datasets.load_dataset(
            str(tmp_path / "mine"), split="train", cache_dir=str(tmp_path)
        )
    assert len(opened) == 2
    assert asked == []


def test_a_set_that_was_fetched_before_is_read_without_the_hub(asked: list[str], tmp_path) -> None:
    datasets.Dataset.from_dict({"label": [0, 1]}).to_parquet(str(tmp_path / "mine/train.parquet"))
    datasets.load_dataset(str(tmp_path / "mine"), cache_dir=str(tmp_path / "cache"))
    (info,) = tmp_path.glob("cache/mine/*/*/*/dataset_info.json")
    fetched = tmp_path / "root/owner___mine/default/0.0.0" / ("a" * 40)  # as from the Hub
    shutil.copytree(info.parent, fetched)
    with patch.what_lies_here(only=False):
        opened = datasets.load_dataset(
            "owner/mine", split="train", cache_dir=str(tmp_path / "root")
        )
    assert len(opened) == 2 and asked == ["hub.example"]


def test_a_hub_that_answers_is_asked_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hub:
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{hub.getsockname()[1]}")
        with patch.what_lies_here(only=False):
            assert not constants.HF_HUB_OFFLINE and not datasets.config.HF_HUB_OFFLINE
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)  # a user's own choice
        with patch.what_lies_here(only=False):
            assert constants.HF_HUB_OFFLINE


def test_behind_a_proxy_the_proxy_is_asked(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert not patch.hub_answers()
    monkeypatch.setenv("no_proxy", "hub.example")
    assert not patch.hub_answers()
    assert asked == ["proxy.example", "hub.example"]
