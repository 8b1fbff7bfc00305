"""Names planted in every text of a record are in no bundle; what names nobody stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from analysis.share.anonymise import anonymised, leaks
from analysis.share.bundle import read_lines
from analysis.share.scrub import scrubbed
from metering.record import Failure, Overhead, Record, RecordError, Stage, SweepPlace
from metering.record_file import from_json, to_json
from metering.scheduler import Scheduler
from tests.analysis.sample_records import put
from tests.analysis.share.sites import records

PLANTED = {
    "a home": "/home/alice/code",
    "a home in a list of paths": "PATH=/usr/bin:/home/alice/bin",
    "a home with a space": "'/home/alice/my thesis/x.png'",
    "a home by scp": "sky:/home/alice/x",
    "a home by its address": "file:///home/alice/x",
    "a home elsewhere": "/gpfs/home/lab/home/alice",
    "two words of a path": "/mnt3/secretproject",
    "a home on Windows": "C:\\Users\\carol\\runs",
    "a path as Python writes it": "'C:\\\\Users\\\\carol\\\\x'",
    "a share": "\\\\srvshare\\alice\\x",
    "a tilde": "~alice/runs",
    "an e-mail": "alice.smith@cs.lab.org",
    "a login": "alice@gpu07",
    "an address": "10.20.30.40:29500",
    "an address at the end": "10.20.30.41.",
    "an address of version 6": "fe80::1ff:fe23:4567:890a%eth0",
    "a hardware address": "0a:1b:2c:3d:4e:5f",
    "a UUID": "01234567-89ab-4cde-8f01-23456789abcd",
    "a board": "GPU-01234567-89ab-4cde-8f01-23456789abce",
    "a host": "gn0123.cluster.uni-lab.de",
    "a host of an organisation": "login.lab.org",
    "a node": "node17",
    "a node of SLURM": "gpu07-ib0",
    "a rack's node": "r12i3n4",
    "a list of nodes": "jzia[07-09,12]",
    "a cloud's host": "ip-10-1-2-3",
    "a variable": "SLURMD_NODENAME=saturn",
    "a user": "user=bob",
    "a user in words": "USER: bob",
    "an option": "--user bob --entity teamx",
    "an id": "uid=1000(bob)",
    "a quoted user": "user 'bob' may not",
    "a node of a lab": "saturn-gpu-node-17",
    "a DGX": "dgx-a100-03",
    "a relative home": "../../alice/runs and home/carol/x",
    "a Windows host": "DESKTOP-4F5G6H",
    "a secret": "hf_abcdefghijklmnopqrstuvwxyz",
    "the beginning of a board's UUID": "GPU-01234567",
    "a token": "api_key=sk-12345",
    "an address of a service": "http://mlflow.saturn:5000/x?user=bob",
    "a repository": "git+https://tok@github.com/alice/secretproject.git",
}
NAMES = (
    "alice", "carol", "bob", "thesis", "secretproject", "saturn", "srvshare", "gn0123", "uni-lab",
    "lab.org", "10.20.30", "10-1-2-3", "fe80", "0a:1b", "01234567", "node17", "gpu07", "r12i3n4",
    "jzia", "DESKTOP-", "hf_abc", "dgx", "teamx", "sk-12345", "mlflow", "tok@", "jupiter",
)  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_what_looks_like_a_name_goes(name: str) -> None:
    clean = scrubbed(
        f"it failed on {PLANTED[name]} after 3 s", {"alice": "<user>", "bob": "<user>"}
    )
    assert clean.startswith("it failed on ")
    assert [one for one in NAMES if one in clean] == []
    assert scrubbed(clean, {}) == clean


@pytest.mark.parametrize(
    "text",
    [
        "GPU 0 of 2: power 300 W (limit 350 W), 1.5 kWh/sample at 10:05:30",
        "trn_imagenet-pretrained-r50_8xb16-1x1x8-50e_sthv2-rgb.py, vit_b.augreg_in21k",
        "torch.nn.modules.conv.Conv2d and c10::Error in at::native::add, std::vector<int>",
        "CodeCarbon, global_energy_mix.json, 2023-11-05T10:00:00+00:00",
        "Linux-6.18.44-fc-v657-x86_64-with-glibc2.36, driver 550.54.15, CUDA 12.6",
        "mIoU@0.5 of 3/4 batches; Intel(R) Xeon(R) CPU E5-2609 v4 @ 1.70GHz",
        "in machine mode each file holds its whole machine's CPU and RAM",
        "the nodes' clocks differ by 0.3 s; node 2 of 4",
    ],
)
def test_what_names_nobody_stays(text: str) -> None:
    assert scrubbed(text, {}) == text


@pytest.fixture(scope="module")
def full() -> Record:
    """With every part that holds a text."""
    [record] = records(1, 1)
    return replace(
        record,
        status="failed",
        recipe=(Stage("train", dataset="imagenet", row="ResNet50", note="n"),),
        facts=replace(record.facts, notes=("n",)),
        host=replace(record.host, os="Linux", python="3.11", packages={"torch": "2.7.1"},
                     codecarbon={"cpu": "rapl"}, more={"serial": "s"}),
        overheads=tuple(Overhead("set-up", 1.0, block.energy)
                        for block in record.phases["train"].readings[:1]),
        failure=Failure("RuntimeError", "m", "t"),
        notes=("n",),
        training_id="t",
        scheduler=Scheduler("1", "1", "p", "n", "a", "q", 0, "FAILED", "r"),
        sweep=SweepPlace(1, 2),
        config={"output_dir": "o", "data": {"root": "r", "list": ["x"]}, "command": ["python"],
                "wandb": {"entity": "e"}, "hardware": {"slurm": {"account": "a"}}},
    )  # fmt: skip


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in pairs:
        if isinstance(one, dict | list):
            yield from _places(one, (*place, key))
        elif isinstance(one, str) and ("readings" not in place or 0 in place):
            yield (*place, key)


def _planted(plain: dict[str, Any], place: tuple[Any, ...], text: str) -> Record | None:
    """None where the schema takes no such text there."""
    changed = json.loads(json.dumps(plain))
    holder = changed
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] += text
    try:
        return from_json(json.dumps(changed).encode())
    except RecordError:
        return None


def test_names_in_any_text_of_a_record_are_in_no_bundle(full: Record, tmp_path: Path) -> None:
    plain = json.loads(to_json(full))
    plain["phases"]["train"]["flags"] = ["f"]
    del plain["phases"]["test"]
    text = f" {' '.join(PLANTED.values())}\nnot alone: alice, bob, jupiter"
    planted = [record for place in _places(plain) if (record := _planted(plain, place, text))]
    assert len(planted) > 40
    for number, record in enumerate(planted):
        one = replace(record, run_id=f"{number:032x}")
        clean = to_json(anonymised(one, {"jupiter": "<host>"}))
        assert [name for name in NAMES if name in clean] == []
    put(tmp_path / "runs", planted[-1])
    bundle = tmp_path / "b.jsonl"
    assert main(["share", str(tmp_path / "runs"), "--out", str(bundle)]) == 0
    [(_, line)] = read_lines(bundle)
    assert [name for name in NAMES[:-1] if name.encode() in line] == []


def test_names_under_keys_of_a_config_go_wherever_they_stand(full: Record) -> None:
    config = {"wandb": {"entity": "mars-lab", "api_key": "k-123"}, "user": "dora", "lr": 0.1}
    named = replace(full, config=config, notes=("dora ran it for mars-lab",))
    clean = anonymised(named)
    assert clean.notes == ("<user> ran it for <user>",)
    assert clean.config == {
        "wandb": {"entity": "<name>", "api_key": "<name>"},
        "user": "<name>",
        "lr": 0.1,
    }


def test_a_user_named_as_a_word_of_the_schema_changes_nothing(full: Record) -> None:
    named = replace(full, notes=("in /home/train/x and /home/failed/x",))
    clean = anonymised(named)
    assert clean.status == "failed"
    assert leaks(clean) == []
    assert anonymised(clean) == clean


@pytest.mark.parametrize(
    "path",
    [
        "/home/Jane Doe/my data/imagenet",
        "~/Jane Doe/x",
        "$HOME/Jane Doe",
        "D:\\Jane Doe\\data",
        "\\\\nas\\Jane Doe",
        "../Jane Doe/x",
        "/privroot",
    ],
)
def test_a_value_that_is_a_path_goes_whole(full: Record, path: str) -> None:
    named = replace(full, config={"data": {"root": path, "more": [path]}}, notes=(path,))
    clean = anonymised(named)
    assert clean.config == {"data": {"root": "<path>", "more": ["<path>"]}}
    assert clean.notes == ("<path>",)


def test_a_path_with_spaces_goes_from_a_message_too(full: Record) -> None:
    text = "/home/Jane Doe/my data/x: no such file, see /home/Jane Doe/my data/x or /privroot"
    clean = anonymised(replace(full, notes=(text, f"sorry: {text}")))
    assert clean.notes[0] == "<path>: no such file, see <path> or <path>"
    assert "Doe" not in clean.notes[1]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("alicia_exp1, exp-alicia, ALICIA2", "<user>_exp1, exp-<user>, <user>2"),
        ("alicia-laptop, zeusbox-eth0", "<user>-laptop, <host>-eth0"),
        ("Linux-6.1-zeusbox zeusbox_old", "Linux-6.1-<host> <host>_old"),
        ("maliciaz, qpu071, qpu07_x", "maliciaz, qpu071, <host>_x"),
        ("run 12face34, face_x", "run 12face34, face_x"),
        ("bo_x, bo x", "bo_x, <user> x"),
    ],
)
def test_a_known_name_goes_wherever_it_stands(text: str, clean: str) -> None:
    names = {"alicia": "<user>", "zeusbox": "<host>", "qpu07": "<host>", "face": "<user>"}
    assert scrubbed(text, {**names, "bo": "<user>"}) == clean


def test_secrets_of_a_config_go_by_their_keys(full: Record) -> None:
    keys = ("WANDB_API_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "GH_TOKEN", "hubToken",
            "MLFLOW_PASSWORD", "db_host", "user.name")  # fmt: skip
    config = {"env": dict.fromkeys(keys, "rosa 1"), "user": {"name": "Rosa Lux"}, "lr": 0.1,
              "tokenizer": "bpe", "tokens": ["x"]}  # fmt: skip
    clean = anonymised(replace(full, config=config)).config
    assert clean["env"] == dict.fromkeys(keys, "<name>")
    assert clean["user"] == {"name": "<name>"}
    assert (clean["tokenizer"], clean["tokens"]) == ("bpe", ["x"])


@pytest.mark.parametrize(
    "text",
    ["lena@10.20.30.40", "lena@[fe80::1]", "git@zeus:team/repo.git", "zeus:team/repo.git",
     "zeus:6379", "$HOME/lena", "${DATA}/lena", "user.name=Rosa Lux", "author: 'Rosa Lux'"],
)  # fmt: skip
def test_logins_ports_and_persons_go(text: str) -> None:
    clean = scrubbed(f"it failed on {text} at step 3", {})
    assert clean.endswith(" at step 3")
    assert not any(word in clean for word in ("lena", "zeus", "team", "Rosa", "Lux", "HOME"))
    assert scrubbed(clean, {}) == clean
