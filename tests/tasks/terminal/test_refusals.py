"""A command that cannot be meant: status 2 and one line, already in a dry run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import run
from tests.tasks.terminal.typed import refused, type_in

CONF = Path(run.CONF)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        # groups
        (["model=null"], "model=null chooses nothing; choose model=NAME"),
        (["~data"], "~data removes data"),
        (["model=[resnet18,vit_b]"], "add -m and write model=resnet18,vit_b"),
        (["model={name: a}"], "model={name: a} is no name"),
        (["hardware=7"], "hardware=7 is no name"),
        (["scale=tiny"], "scale 'tiny' is unknown; known: full, small"),
        (["meter="], "meter= chooses nothing"),
        (["model=/etc/passwd"], "model=/etc/passwd is a path, not a name; choose model=NAME"),
        (["-m", "model=../x,vit_b"], "is a path, not a name; choose model=NAME"),
        (["data=/data/imagenet"], "write data=folder data.root=/data/imagenet"),
        (["model=nets:Net"], "write model=own model.source=nets:Net"),
        (["model=foo/x"], "model 'foo/x' is unknown; known:"),
        # keys
        (["+batchsize=4"], "did you mean batch_size?"),
        (["meter.relativ_error=0.1"], "did you mean meter.relative_error"),
        (["+hardware.slurm.partitoin=gpu"], "did you mean partition?"),
        (["model=segmenter", "+model.options.strid=[1,1]"], "did you mean stride?"),
        (["data=digits", "+data.options.num_file=3"], "did you mean num_files"),
        (["data.options={num_file: 3}"], "did you mean num_files"),
        (["+data.options={1: 2}"], "data.options.1=1 has a number for its name"),
        (["~batch_size"], "give batch_size=VALUE"),
        # values
        (["batch_size=true"], "batch_size=true is not a whole number"),
        (["batch_size=[8]"], "batch_size=[8] is not a whole number"),
        (["data.fraction=nan"], "data.fraction=nan is not in (0, 1]"),
        (["meter.relative_error=inf"], "meter.relative_error=inf is not a number above 0"),
        (["compile=1"], "compile=1 is neither true nor false"),
        (["output_dir=null"], "output_dir=null is not text"),
        (["model.name=../x"], "cannot name a folder"),
        (["output_dir=/dev/null/x"], "set output_dir=FOLDER to one that can"),
        (["seed=4294967296"], "from 0 to 4294967295"),
        (["-m", "seed=0,1"], "sweeps the seed, which makes no other run; write repeats=3"),
        (["repeats=1000000"], "repeats=1000000 is not a whole number from 1 to 1000"),
        (["phases=[train,train]"], "names a phase twice"),
        (["model=segmenter", "model.options.crop=[512]"], "model.options.crop has too few entries"),
        # recipes
        (["model.recipe=[{name: train, dataset: a, num_samples: 3, epochs: 90}]"],
         "did you mean num_epochs?"),
        (["model.recipe=[{name: train, dataset: a, num_samples: 3}]"],
         "model.recipe.0.num_epochs=null is missing"),
        (["model.recipe=[{name: train, dataset: a, num_samples: 3, num_epochs: 9, workload: mea}]"],
         "did you mean mae"),
        (["model.recipe=[{name: teacher, row: ResNet50, num_epochs: 9}]"],
         "model.recipe.0.row=ResNet50 is the row whose cost is added"),
        (["model.recipe=[{name: a, row: ResNet50},{name: a, row: ResNet18}]"],
         "model.recipe.1.name=a is the name of an earlier stage too"),
        (["model.training=deitt"], "did you mean deit"),
        # what OmegaConf cannot give
        (["model=tsm", "data=folder"], "data=folder belongs to task=classification, not"),
        (["batch_size=${nope}"], "batch_size=${nope} cannot be resolved"),
        (["batch_size=${oc.env:WATT_NO_SUCH}"], "'WATT_NO_SUCH' not found"),
        (["batch_size=???"], "batch_size=??? is missing; give batch_size=VALUE"),
        # grammar and sweeps
        (["checkpoint=/data/epoch=3.ckpt"], "'checkpoint=\"/data/epoch=3.ckpt\"'"),
        (["batch_size=${oc.decode:${oc.env:HOME}}"], "quote it twice"),
        (["checkpoint=/data/it's.ckpt"], """'checkpoint="/data/it'"'"'s.ckpt"'"""),
        (["=3"], "cannot be read as key=value"),
        (["batch_size=8,16"], "add -m to run each"),
        (["-m", "batch_size=range(0)"], "batch_size=range(0) sweeps over nothing; give a STOP"),
        (["-m", "compile=true,false", "batch_size=range(3,1)"], "batch_size=range(3,1) sweeps"),
        (["-m", "hydra/launcher=slurm", "batch_size=range(2,2)"], "batch_size=range(2,2) sweeps"),
        (["-m", "batch_size=shuffle(range(0))"], "sweeps over nothing"),
        (["-m", "model=glob(nothing*)"], "no file of conf/model has such a name"),
        (["-m", "batch_size=glob(*)"], "has no files, which glob chooses from; write batch"),
        (["-m", "batch_size=choice()"], "batch_size=choice() sweeps over nothing; give a value"),
        (["model=choice( )"], "sweeps over nothing; give a value, such as model=A"),
        (["-m", "data.fraction=interval(0,1)"], "has no end of values; write data.fraction=A,B"),
        (["-m", "batch_size=range(1,5,0)"], "batch_size=range(1,5,0) has a step of 0"),
        (["-m", "data.fraction=range(0.1,1,0.0)"], "has a step of 0"),
        (["-m", "~experiment"], "~experiment removes nothing that was chosen; leave it out"),
        (["experiment=table1"], "experiment=table1 is a sweep: add -m"),
        (["-m", "experiment=table1,table3"], "run one a command"),
        (["-m", "experiment=glob(table*)"], "run one a command"),
        (["experiment=[table1,table3]"], "run one a command"),
        (["-m", "experiment=table1", "experiment=table3"], "run one a command"),
        (["-m", "model=vit_b", "model=swin_t"], "two choices for one key; write model=A,B"),
        (["-m", "batch_size=1", "batch_size=2,3"], "batch_size=2,3 are two choices for one key"),
        (["-m", "+experiment=table1"], "write experiment=table1"),
        (["++model=vit_b"], "adds a second model; write model=vit_b"),
        (["scale=small"], "-m experiment=table3 scale=small"),
        (["-m", "model=resnet18,"], "a comma has no value beside it; write model=resnet18,"),
        (["-m", "model=,vit_b"], "write model=vit_b, or model=a,b without a blank"),
        (["/model=resnet18"], "/model cannot be a key; write model=resnet18"),
        (["meter[idle_s]=3"], "write meter.idle_s=3"),
        (['checkpoint="C:\\w\\"'], """quote it twice, 'checkpoint="C:\\w\\\\"'"""),
        (["batch_size=${seed"], "has no end"),
        (["model.recipe=[1,2"], "has no end"),
        (["batch_size=" + "9" * 5000], "9'... cannot be read as key=value: it is too long"),
        (["phases=train,test"], "or 'phases=[train,test]'"),
        (["output_dir=$HOME/runs"], "has a variable of the shell, which nothing replaces here"),
        (["~nope"], "key 'nope' is unknown"),
        (["~meter.idle_s=99"], "with another value than it has, 1.0; leave the value out"),
        (["data=${oc.env:WATT_NO_SUCH}"], "data=${oc.env:WATT_NO_SUCH} cannot be resolved"),
        (["hydra.launcher=null"], "hydra.launcher=null removes what every run needs"),
        (["output_dir=\u201c/tmp/x\u201d"], """write plain ones, 'output_dir="/tmp/x"'"""),
        (["-m", "model=vit_b\uff0cresnet18"], "write plain ones, model=vit_b,resnet18; or,"),
        (["\u2013m"], "write plain ones, -m"),
        (["batch_size=8\u200b"], "write plain ones, batch_size=8"),
        (["model@foo=vit_b"], "puts model where nothing reads it; write model=NAME"),
        (["+meter={a: 1}"], "+meter={a: 1} is no name; choose meter=NAME"),
        (["-m", "meter={a: 1},{a: 2}"], "is no name; choose meter=NAME"),
        (["-m", "model=vit_b,null"], "model=vit_b,null chooses nothing"),
        (["-m", "batch_size=8,16,8"], "batch_size=8,16,8 has 8 twice; leave one out"),
        (["model=vit_b", "model=swin_t"], "two choices for one key; write -m model=A,B"),
        (["-m", "hydra/launcher=local,slurm"], "local,slurm sweeps what holds for a whole command"),
        (["-m", "+hydra.sweeper.params={a: 1}"], "does not suit what the key holds"),
        (["hydra/sweeper=optuna"], "hydra/sweeper 'optuna' is unknown; known: basic"),
        (["hydra.searchpath=[file:///nope]"], "/nope is no folder; give one that holds configs"),
        (["+hydra.callbacks.x={_target_: nope.Nope}"], "nope.Nope} is no class of Python's"),
        # flags
        (["--batch-size=8"], "a key has no dashes before it, write batch_size=8"),
        (["--cfg", "job", "--package", "nope"], "--package nope is no group of the config"),
        (["--experimental-rerun", "nope.pickle"], "run the same command again"),
        (["--no-such-flag"], "unrecognized arguments: --no-such-flag; a key has no dashes"),
        (["--config-name=nope"], "there is no nope.yaml in"),
        (["--config-name=mine/lab.yaml"], "write --config-dir mine --config-name lab"),
        (["--config-dir=/nope"], "--config-dir /nope is no folder"),
        (["--config-path=mine", "-cn", "lab"], "or --config-dir mine, which may be relative"),
        (["hydra/launcher=nope"], "known: basic, local, slurm"),
        (["hydra.sweeper.params=5"], "hydra.sweeper.params=5 does not suit what the key holds"),
        (["hydra.launcher.oder=given"], "did you mean hydra.launcher.order"),
        (["hydra/launcher=slurm", "hydra.launcher.order=given"],
         "is for hydra/launcher=local alone; leave it out"),
        (["hydra.launcher.order=random"], "use one of given, shuffled"),
        (["hydra.launcher.order=shuffled", "repeats=2"],
         "hydra.launcher.order=shuffled is for the runs of a sweep: add -m, or leave it out"),
        (["hydra.launcher.cooldown_s=idle"], "cooldown_s=idle is for the runs of a sweep"),
        (["-m", "batch_size=8,16", "hydra.launcher.devices=5"], "devices=5 is not a list"),
    ],
)  # fmt: skip
def test_each_kind_of_mistake_is_one_line_with_its_cure(arguments: list[str], words: str) -> None:
    assert words in refused(*arguments)


def test_a_number_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATT_BATCH", "8")
    assert type_in("batch_size=${oc.env:WATT_BATCH}") == (0, "")
    monkeypatch.setenv("WATT_BATCH", "eight")
    assert "batch_size=eight is not a whole number" in refused("batch_size=${oc.env:WATT_BATCH}")


def test_flags_may_stand_after_overrides_and_options_need_no_plus(capsys) -> None:
    typed = ("batch_size=4", "model.options={drop_rate: 0.1}", "-m", "model=resnet18,resnet50")
    assert type_in(*typed) == (0, "")
    assert type_in("model.options.drop_rate=0.1", "data.options.num_files=8") == (0, "")


def test_a_script_with_windows_line_ends_runs() -> None:
    """Its shell leaves a carriage return at the last word of a line."""
    assert type_in("batch_size=4\r", "model=resnet18\r") == (0, "")


def test_info_takes_no_override_for_its_own_word(capfd: pytest.CaptureFixture[str]) -> None:
    assert type_in("model=resnet18", "--info") == (0, "")
    assert type_in("--info", "searchpath", "model=resnet18") == (0, "")


@pytest.mark.usefixtures("home_conf")
def test_a_tilde_that_the_shell_left_is_told() -> None:
    assert "the shell leaves ~ as it is there: write /" in refused("--config-dir=~/conf")


@pytest.fixture
def home_conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conf").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def own_conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of `conf/` to which a user adds files."""
    shutil.copytree(CONF, tmp_path / "conf", ignore=shutil.ignore_patterns("local"))
    (tmp_path / "conf" / "local").mkdir()
    monkeypatch.setattr(run, "CONF", str(tmp_path / "conf"))
    return tmp_path / "conf"


OWN_MODEL = """\
name: mine
task: classification
source: resnet18
training: resnet
recipe: [{name: train, dataset: imagenet1k, num_samples: 1281167, num_epochs: 90}]
"""


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("", "", None),
        ("num_epochs", "epochs", "did you mean num_epochs?"),
        ("dataset: imagenet1k, ", "", "model.recipe.0.dataset=null is missing"),
        ("name: mine", "nam: mine", "model.name is missing"),
        ("source: resnet18", "sorce: resnet18", "did you mean source?"),
        ("source: resnet18", "source: resnet18x", "did you mean resnet18 or"),
        ("task: classification", "task: clasification", "did you mean classification?"),
        ("training: resnet", "training: 5", "model.training '5' is unknown"),
        ("training: resnet", "training: [resnet", "is not valid YAML"),
        ("training: resnet", "training: resnet\ntraining: vit", "is not valid YAML"),
        ("recipe: [", "recipe: [1, ", "model.recipe.0=1 is not a group of settings"),
    ],
)
def test_a_models_file_is_checked_key_by_key(
    own_conf: Path, before: str, after: str, words: str | None
) -> None:
    (own_conf / "model" / "mine.yaml").write_text(OWN_MODEL.replace(before, after, 1))
    if words is None:
        assert type_in("model=mine") == (0, "")
    else:
        assert words in refused("model=mine")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("lab.yaml", "batch_size: 4\n", "is not based on config; begin it with defaults: [config"),
        ("lab.yml", "defaults: [config]\n", "Hydra reads .yaml alone: rename it"),
        ("lab.yaml", "", "is not based on config"),
    ],
)
def test_a_primary_config_of_ones_own_says_what_it_lacks(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    (tmp_path / name).write_text(text)
    assert words in refused("--config-dir", str(tmp_path), "--config-name", "lab")


def test_a_launcher_that_a_chosen_file_names_comes_too_late(own_conf: Path) -> None:
    chosen = "# @package _global_\ndefaults:\n  - override /hydra/launcher: slurm\nseed: 1\n"
    (own_conf / "experiment" / "mine.yaml").write_text(chosen)
    assert "override hydra/launcher: slurm comes too late" in refused("experiment=mine")
    assert type_in("experiment=mine", "hydra/launcher=local") == (0, "")


@pytest.mark.parametrize(
    "text", ["slurm: {partition: gpu", "- a\n- b\n", "just words\n", "\tdevices: 2\n", "a: \xff\n"]
)
def test_a_sites_file_that_is_no_yaml_mapping_is_one_line(own_conf: Path, text: str) -> None:
    (own_conf / "local" / "site.yaml").write_bytes(text.encode("latin-1"))
    refused()


def test_a_site_reaches_every_profile_a_users_own_too(own_conf: Path) -> None:
    (own_conf / "local" / "site.yaml").write_text("country_iso_code: XXX\n")
    profile = "name: mine\ngpu: NVIDIA L4\naccelerator: cuda\nslurm:\n  gres: gpu:l4:1\n"
    (own_conf / "hardware" / "mine.yaml").write_text(profile)
    for name in ("local", "a6000", "one_core", "mine"):
        assert "hardware.country_iso_code=XXX has no emission factor" in refused(f"hardware={name}")
    (own_conf / "local" / "mine.yaml").write_text("country_iso_code: DEU\n")
    assert type_in("hardware=mine") == (0, "")
