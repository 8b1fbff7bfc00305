"""A YAML file of the user's that is wrong is refused in one line that names the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tasks.terminal.typed import refused, type_in

DEEP = "a: " + "[" * 5000
MANY = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n"
    for old, new in zip("abcdef", "bcdefg", strict=True)
)
CUT = "cannot be read (${KEY} stands for another key)"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a\n- b\n", "holds a list; write KEY: VALUE"),
        ("hello\n", "holds only the value hello; write KEY: VALUE"),
        ("5\n", "holds only the value 5"),
        ("a: \xff\n", "line 1 is not UTF-8 (byte 0xff); save the file as UTF-8"),
        ("name: x\n\ttask: y\n", "line 2 is not valid YAML: a tab begins a value or indents"),
        ("name: x\nname: y\n", "line 2 is not valid YAML: duplicate key name stands before"),
        ("name: [x\n", "is not valid YAML"),
        ("name: a\0b\n", "remove the control characters"),
        ("name: !!python/object:os.system x\n", "could not determine a constructor"),
        ("name: !!timestamp 2020-01-01\n", "name=2020-01-01 is neither text nor a number"),
        ("name: &a [*a]\n", "name.0 refers to itself"),
        ("name: &a\n  b: *a\n", "name.b refers to itself"),
        (DEEP, "nested too deeply"),
        (MANY, "has more than 100,000 values"),
        ("1: x\n", "the key 1 of the file is not text; quote it"),
        ("yes: x\n", "the key true of the file is not text; quote it"),
        ("training: ${\n", f"training=${{ {CUT}"),
        ("# @package\nname: x\n", "is not '# @package NAME'"),
        ("defaults: 5\n", "defaults=5 is not a list; give one"),
        ("defaults: [5]\n", "defaults has the entry 5"),
        ("defaults: [{a: b, c: d}]\n", "defaults has the entry {'a': 'b', 'c': 'd'}"),
        ("defaults: [{override /data: null}]\n", "data: null, which chooses nothing"),
        ("defaults: [{override /data: [a, b]}]\n", "a list in place of a name"),
        ("defaults: [{override /data: 7}]\n", "override /data: 7, which is no name"),
        ("defaults: [vit_bb]\nname: x\n", "model 'vit_bb' is unknown; did you mean vit_b"),
        ("defaults: [{override /data: ade20k}]\n", "write override /data@_global_.data: NAME"),
        ("defaults: [{override /data@_global_.data: ade2k}]\n", "did you mean ade20k?"),
        ("defaults: [own]\nrecipe: {a: 1}\n", "model.recipe={'a': 1} does not suit"),
        ("", "model.name is missing; choose model=NAME"),
        ("name: x\n", "needs model.config=NAME"),
        ("name: x\nsorce: resnet18\n", "key model 'sorce' is unknown; did you mean source?"),
        ("name: x\nsource: resnet18\ninput_size: many\n", "model.input_size=many is not a whole"),
        ("name: x\nsource: resnet18\ninput_size: ${nope}\n", "input_size=${nope} cannot be res"),
        ("name: x\nsource: resnet18\nrecipe: [{name: a}]\n", "model.recipe.0.dataset=null is"),
    ],
)
def test_a_models_file(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "model" / "mine.yaml"
    path.parent.mkdir()
    path.write_bytes(text.encode("latin-1"))
    line = refused("model=mine", "--config-dir", str(tmp_path))
    assert words in line
    if "needs model.config" not in words:
        assert line.startswith(f"error: {path}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("defaults: [confg, _self_]\n", "defaults has confg, which is no file"),
        ("defaults: [config, {override model: vit_bb}, _self_]\n", "did you mean vit_b"),
        ("defaults: [config, {override modle: vit_b}, _self_]\n", "did you mean model"),
        ("defaults: [config, {model: vit_b}, _self_]\n", "write override model: vit_b"),
        ("defaults: [lab]\n", "leads back to itself"),
        ("defaults: [config, _self_]\nmodel: vit_b\n", "stands where its settings belong"),
        ("defaults: [config, _self_]\nmodel: 5\n", "model=5 stands where its settings belong"),
        ("defaults: [config, _self_]\nmodel: null\n", "model=null chooses nothing"),
        ("defaults: [config, _self_]\nbatch_size: [3]\n", "batch_size=[3] is not a whole number"),
        ("defaults: [config, _self_]\nbatchsize: 3\n", "did you mean batch_size?"),
        ("defaults: [config, _self_]\nhydra: 5\n", "hydra=5 does not suit"),
        (
            "defaults: [config, _self_]\nhydra: {sweeper: {params: 5}}\n",
            "hydra.sweeper.params does",
        ),
    ],
)
def test_a_primary_config(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "lab.yaml").write_text(text)
    line = refused("--config-dir", str(tmp_path), "-cn", "lab")
    assert line.startswith(f"error: {tmp_path / 'lab.yaml'}: ")
    assert words in line


def test_a_hardware_profile_and_a_typed_value_that_goes_before_it(tmp_path: Path) -> None:
    path = tmp_path / "hardware" / "l4.yaml"
    path.parent.mkdir()
    path.write_text("name: l4\ndevices: many\nslurm: {mem_gb: lots}\n")
    folder = ("--config-dir", str(tmp_path))
    assert refused(*folder, "hardware=l4").startswith(f"error: {path}: hardware.devices=many is")
    both = ("hardware=l4", "hardware.devices=1")
    assert f"{path}: hardware.slurm.mem_gb=lots is" in refused(*folder, *both)
    assert type_in(*folder, *both, "hardware.slurm.mem_gb=8") == (0, "")
    typed = refused(*folder, "hardware=l4", "hardware.devices=some")
    assert typed.startswith("error: hardware.devices=some is")


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ("{batch_size: 'range(0)'}", "batch_size=range(0) sweeps over nothing"),
        ("{model: 'glob(zzz*)'}", "model=glob(zzz*) sweeps over nothing"),
        ("{model: []}", "model=[] is no name"),
        ("{model: [resnet18, vit_b]}", "is a list in place of a name"),  # Hydra takes the last
        ("{model: ''}", "model= chooses nothing"),
        ("{model: /etc/passwd}", "model=/etc/passwd is a path, not a name"),
        ("{repeats: '1,2'}", "repeats=1,2 sweeps the number of repetitions"),
        ("{experiment: table1}", "experiment=table1 is an experiment in an experiment"),
    ],
)
def test_a_sweep_in_an_experiment(tmp_path: Path, params: str, words: str) -> None:
    path = tmp_path / "experiment" / "mine.yaml"
    path.parent.mkdir()
    path.write_text(f"# @package _global_\nhydra: {{sweeper: {{params: {params}}}}}\n")
    line = refused("--config-dir", str(tmp_path), "-m", "experiment=mine")
    assert line.startswith("error: hydra.sweeper.params.")
    assert words in line


def test_an_empty_name_in_a_defaults_list(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text('defaults: [config, {override model: ""}, _self_]\n')
    assert "model '' is unknown" in refused("--config-dir", str(tmp_path), "-cn", "lab")


def test_an_empty_stage_of_a_recipe_is_in_the_model_s_file(tmp_path: Path) -> None:
    path = tmp_path / "model" / "mine.yaml"
    path.parent.mkdir()
    path.write_text("name: mine\nsource: resnet18\nrecipe: [null]\n")
    line = refused("--config-dir", str(tmp_path), "model=mine")
    assert line.startswith(f"error: {path}: model.recipe.0=null is not a group of settings")


def test_a_profile_that_builds_on_one_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "hardware" / "mine.yaml"
    path.parent.mkdir()
    path.write_text("defaults: [nosuch]\nname: mine\n")
    line = refused("--config-dir", str(tmp_path), "hardware=mine")
    assert line.startswith(f"error: {path}: hardware 'nosuch' is unknown; known: a100, ")
