"""What makes the config of a run another set-up than a second one's."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

_NO_DIFFERENCE = re.compile(  # keys that change neither the network nor its step
    r"(^|\.)((\w+_)?seed(_everything)?|\w*_?dir|\w*path|root|run(_(id|name|number|index))?|exp_name|"
    r"experiment_name|project\w*|tags|notes|num_samples|num_images|num_test_samples|"
    r"num_test_images|phase|mode|task_name|epochs|num_epochs|max_epochs|n_epochs|"
    r"rep(eat|etition)?|trial|(slurm_)?job_id|uuid|timestamp|date|hostname|user(name)?|"
    r"master_(port|addr)|dist_url|log_file|wandb_\w+|comment|description)$|"
    r"^(hydra|paths|logger|logging|wandb|callbacks|codecarbon|tracker|mlflow)(\.|$)|^name$"
)
_SOURCE = re.compile(  # folders and files that say what was trained on, or how: the name counts
    r"(^|.*[._])(data|dataset|images?|train|val|test|config|cfg|weights|pretrained)_?"
    r"(\w*_)?(dir|folder|path|root|file)|(data|dataset)\.(.*\.)?(root|path|dir)"
)
_ENVIRONMENT = re.compile(  # but for who, where and under which number: no difference
    r"\$\{(oc\.)?env:(?!\s*(USER|LOGNAME|HOSTNAME|HOME|PWD|TMPDIR|SCRATCH|HF_HOME|TORCH_HOME|"
    r"PROJECT_ROOT|SLURM_(JOB_ID|JOBID|SUBMIT_DIR|NODELIST|JOB_NODELIST)|MASTER_(ADDR|PORT)|"
    r"\w+_(TOKEN|API_KEY))\s*[,}])"
)


def digest_of(config: Path, raw: Mapping[str, str], flat: Mapping[str, str]) -> str:
    """8 hex digits over all keys but seeds, places and names. raw: as Hydra wrote it; flat: with
    its references resolved. A value from the environment, which Hydra does not write down, may be
    another in each run: such a config is like no other."""
    kept = {key: _value(key, value) for key, value in {**raw, **flat}.items() if _is_kept(key)}
    if any(_ENVIRONMENT.search(value) for key, value in kept.items() if not _SOURCE.fullmatch(key)):
        kept[""] = str(config.absolute())
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:8]


def _is_kept(key: str) -> bool:
    return _SOURCE.fullmatch(key) is not None or not _NO_DIFFERENCE.search(key)


def _value(key: str, value: str) -> str:
    """Of a folder or file its name alone."""
    if _SOURCE.fullmatch(key) is None:
        return value
    return re.split(r"[/\\]", value.rstrip("/\\"))[-1]
