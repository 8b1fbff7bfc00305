"""What a user may write: `conf/` with a type for each key. Pydantic checks it; what it lets through
can be planned."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Len
from pydantic import AfterValidator, BeforeValidator, Field, with_config
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from metering.record import Stage
from metering.settings import MeterSettings
from tasks.config.groups import STRICT, DataPlan, HardwarePlan, Options
from tasks.config.stages import SUPERVISED
from tasks.config.values import (
    Blocks,
    Count,
    ExistingFolder,
    Finite,
    Flag,
    Name,
    NonNegative,
    NonNegativeWhole,
    Place,
    Positive,
    Repeats,
    Seed,
    ShareOrNone,
    Text,
    Weights,
    place,
    text,
)

Precision = Literal["fp32", "tf32", "bf16", "fp16"]
PhaseName = Literal["train", "test"]
WALL_METER = ("factor", "offset_w", "error_pct")


def _text_or_empty(value: Any) -> str:
    return "" if value is None or value == "" else text(value)


TextOrEmpty = Annotated[str, BeforeValidator(_text_or_empty)]
PlaceOrEmpty = Annotated[str, AfterValidator(place), BeforeValidator(_text_or_empty)]


@dataclass(frozen=True, config=STRICT)
class TaskConfig:
    """`conf/task/`: batch_size: the paper's; paper_samples: that `meter=paper` measures."""

    name: Name
    batch_size: Count
    paper_samples: Count


@dataclass(frozen=True, config=STRICT)
class RecipeStage:
    """One entry of `recipe`: a stage of its own, or the `row` whose whole cost it adds."""

    name: Text
    workload: Text = SUPERVISED
    dataset: Text | None = None
    num_samples: Count | None = None
    num_epochs: Positive | None = None
    row: Text | None = None
    share: Positive = 1.0
    note: TextOrEmpty = ""
    input_size: Count | None = None


def _complete(stage: RecipeStage) -> RecipeStage:
    own = ("dataset", "num_samples", "num_epochs")
    missing = [key for key in own if getattr(stage, key) is None]
    if stage.row is None and missing:
        raise PydanticCustomError(
            "stage",
            "is missing; a stage needs dataset, num_samples and num_epochs, or row",
            {"key": missing[0], "value": None},
        )
    if stage.row is not None and len(missing) < len(own):
        raise PydanticCustomError(
            "stage",
            "is the row whose cost is added; leave dataset, num_samples and num_epochs out",
            {"key": "row", "value": stage.row},
        )
    return stage


def _named_once(
    recipe: tuple[RecipeStage, ...] | None,
) -> tuple[RecipeStage, ...] | None:
    names = [stage.name for stage in recipe or ()]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise PydanticCustomError(
                "recipe",
                "is the name of an earlier stage too; give each stage a name of its own",
                {"key": f"{index}.name", "value": name},
            )
    return recipe


def stage_of(stage: RecipeStage, input_size: int | None) -> Stage:
    """As the record keeps it; a stage without a size of its own has the model's."""
    return Stage(
        name=stage.name,
        workload=stage.workload,
        dataset=stage.dataset or "",
        num_samples=stage.num_samples,
        num_epochs=stage.num_epochs,
        row=stage.row,
        share=stage.share,
        note=stage.note,
        input_size=None if stage.row else stage.input_size or input_size,
    )


Recipe = tuple[Annotated[RecipeStage, AfterValidator(_complete)], ...]


@dataclass(frozen=True, config=STRICT)
class ModelConfig:
    """`conf/model/`. recipe_size: pixels that the recipe trains on; input_size: pixels of the
    user's choice; config: `source` of a model that is named after it; imports, path: modules of
    the user's own, and the folder that holds them."""

    name: Name
    task: Text = "classification"
    source: Place | None = None
    config: Place | None = None
    paper_row: Text | None = None
    recipe_size: Count | None = None
    input_size: Count | None = None
    imports: tuple[Text, ...] | None = Field(default=None, alias="import")
    path: ExistingFolder | None = None
    training: Text | None = None
    recipe: Annotated[Recipe | None, AfterValidator(_named_once)] = None
    options: Options | None = None


@dataclass(frozen=True, config=STRICT)
class DataConfig(DataPlan):
    """`conf/data/`. tasks: that can read it; needs_root: there are no embedded files."""

    name: Name
    root: ExistingFolder | None = None
    cache_dir: PlaceOrEmpty = ""
    tasks: Annotated[tuple[Text, ...], Len(1)] = Field(default=...)
    needs_root: Flag = False


@with_config(STRICT)
class SlurmResources(TypedDict, total=False):
    """What a job asks of the cluster; null is left to it."""

    partition: Text | None
    qos: Text | None
    gres: Text | None
    gpus_per_node: Text | Count | None
    constraint: Text | None
    cpus_per_task: Count | None
    mem_gb: Count | None
    time_min: Count | None
    account: Text | None
    exclusive: Flag | None
    requeue: Flag | None
    extra: Options | None


@with_config(STRICT)
class WallMeter(TypedDict, total=False):
    """A calibration against a meter at the plug: factor and offset (W) of the wall power over the
    metered power, error_pct: of the calibration."""

    factor: Positive | None
    offset_w: Finite | None
    error_pct: Positive | None


def _all_or_none(values: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in values.items() if value is not None}
    if given and set(given) != set(WALL_METER):
        raise PydanticCustomError(
            "wall_meter",
            "needs factor, offset_w and error_pct; give all three or none",
            {"value": given},
        )
    return given


@dataclass(frozen=True, config=STRICT)
class HardwareConfig(HardwarePlan):
    """`conf/hardware/` and `conf/local/`."""

    name: Name
    gpu: Text | None = None
    wall_meter: Annotated[WallMeter, AfterValidator(_all_or_none)] = Field(default_factory=dict)  # type: ignore[assignment]
    slurm: SlurmResources = Field(default_factory=dict)  # type: ignore[assignment]


@dataclass(frozen=True, config=STRICT)
class MeterConfig(MeterSettings):
    """`conf/meter/`. num_epochs: `num_steps` in another unit."""

    name: Name = MeterSettings.name
    relative_error: Positive = MeterSettings.relative_error
    time_budget_s: Positive = MeterSettings.time_budget_s
    min_blocks: Blocks = MeterSettings.min_blocks
    max_blocks: Blocks = MeterSettings.max_blocks
    block_s: Positive = MeterSettings.block_s
    least_s: NonNegative = MeterSettings.least_s
    num_confirming: Count = MeterSettings.num_confirming
    num_steps: Count | None = MeterSettings.num_steps
    num_warmup_steps: NonNegativeWhole = MeterSettings.num_warmup_steps
    idle_s: NonNegative = MeterSettings.idle_s
    disagreement: NonNegative = MeterSettings.disagreement
    max_dropped_share: ShareOrNone = MeterSettings.max_dropped_share
    num_epochs: Positive | None = None


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _each_once(phases: tuple[str, ...]) -> tuple[str, ...]:
    if not phases or len(phases) > len(set(phases)):
        words = "leaves nothing to measure" if not phases else "names a phase twice"
        raise PydanticCustomError("phases", f"{words}; use [train,test]")
    return phases


Phases = Annotated[tuple[PhaseName, ...], AfterValidator(_each_once), BeforeValidator(_as_list)]


@dataclass(frozen=True, config=STRICT)
class RunConfig:
    """`conf/config.yaml`. batch_size: None for the task's; accumulation_steps: parts of it that
    pass one after the other; repetition: one of `repeats` alone."""

    task: TaskConfig
    model: ModelConfig
    data: DataConfig
    hardware: HardwareConfig
    meter: MeterConfig
    scale: Literal["full", "small"]
    output_dir: Place
    batch_size: Count | None = None
    accumulation_steps: Count = 1
    phases: Phases = ("train", "test")
    stage: Text = SUPERVISED
    precision: Precision = "fp32"
    channels_last: Flag = True
    compile: Flag = False
    checkpoint_write: Flag = True
    seed: Seed = 0
    repeats: Repeats = 1
    repetition: Count | None = None
    checkpoint: Weights | None = None
    checkpoint_weights: Literal["plain", "ema"] = "plain"
    force: Flag = False
    retry_failed: Flag = False
    dry_run: Flag = False
